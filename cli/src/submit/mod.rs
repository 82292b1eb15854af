//! `submit`: one task from options, or a batch from a file.

mod batch;
mod lines;
mod one;

pub(crate) use batch::submit_file;
pub(crate) use one::submit_one;
