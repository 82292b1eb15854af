//! The recovery room: how a machine comes back from the store, from a snapshot, or from the log alone.

mod base;
mod rebuild;
mod replay;

pub use base::Shelf;
pub(crate) use base::{Way, from_snapshot, from_store, reaches};
pub(crate) use rebuild::Rebuild;
pub use rebuild::{Progress, Settings};
pub(crate) use replay::{replay, replay_to};
