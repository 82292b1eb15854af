//! An engine that tests drive by hand.
#![allow(unused_imports)] // each test binary uses its own part of it

mod drive;

pub(crate) use drive::{Bench, Decided, claim, grants, large, submit, try_open};
