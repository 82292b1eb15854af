//! `cargo xtask tidy`: the rules of the house as functions over the files, one rule to a module.

mod edges;
mod golden;
mod header;
mod licence;
mod map;
mod names;
mod prose;
mod reexports;
mod run;
mod size;
mod ties;
mod violation;
mod wildcards;
mod words;

pub(crate) use run::{bless_new, check, retie};
