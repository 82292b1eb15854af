//! `backup`: through the server that holds the directory, or directly.

mod command;
mod unpack;

pub(crate) use command::backup;
