//! `bench`: measures an embedded engine or a server on this machine.

mod command;
mod embedded;
mod http;
mod measure;
mod probe;

pub(crate) use command::bench;
