//! The snapshot room: files of live rows, the second way back when the store is lost.

mod format;
mod read;
mod write;

pub(crate) use read::{Snapshot, SnapshotRow, newest_first};
pub use write::{Snapped, Snapper};
