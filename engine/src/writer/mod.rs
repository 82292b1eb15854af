//! The writer room: the one place where commands meet the machine and its events meet the log.

mod decide;
mod model;
mod turn;

pub use model::{Plant, Turn, Writer};
