//! The manifest: which segments a log has, how far it is proved durable, and who it is.
//! Owns: re-exports only.
//! Never: anything else.

mod codec;
mod file;
#[cfg(test)]
mod tests;

pub(crate) use codec::{Manifest, Mark, SegmentEntry};
pub(crate) use file::{MANIFEST, load, no_log, replace};
