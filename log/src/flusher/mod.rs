//! The flusher's side of the file log: groups, seals, rolls, the clean stop.
//! Owns: re-exports only.
//! Never: anything else.

mod flush;
mod spare;
mod tail;
#[cfg(test)]
mod tests;
mod trim;

pub use flush::FileFlusher;
pub(crate) use flush::Start;
pub(crate) use spare::Spares;
pub(crate) use tail::{Tail, TailParts, install};
