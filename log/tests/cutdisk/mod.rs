//! The disk of the crash tests.
#![allow(dead_code, unreachable_pub, unused_imports)] // every test binary uses another part

mod disk;

pub use disk::*;
