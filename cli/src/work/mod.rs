//! `work`: runs a program of any language for each lease.

mod command;
mod judge;
mod program;

pub(crate) use command::work;
