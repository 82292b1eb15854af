//! The writer room: the one place where commands meet the machine and its events meet the log.

mod cut;
mod decide;
mod meddler;
mod model;
mod turn;

pub(crate) use cut::{Desk, StoreRules};
pub use meddler::{Meddler, Meddling};
pub use model::{Plant, Turn, Writer};
