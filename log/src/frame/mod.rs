//! Frames: their header, their hash chain, their checksums.
//! Owns: re-exports only.
//! Never: anything else.

mod chain;
mod flags;
mod header;
#[cfg(test)]
mod tests;

pub(crate) use chain::{Hash, NO_HASH, body_crc, chain_hash};
pub use flags::Flags;
pub use header::{FRAME_HEADER_BYTES, Frame};
pub(crate) use header::{Header, HeaderFault, MAGIC};
