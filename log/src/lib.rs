//! An append-only log of opaque frames: checksummed, chained, group-committed, and honest about what is durable.
//! Owns: frame, segment and manifest formats, group commit, recovery of a data directory, the disk seam.
//! Never: looks into a body, or knows what a task is.
//!
//! The writer's side ([`Log`]) only queues; the flusher's side ([`Flush`]) writes and syncs one group when
//! told. Both sides share a queue, so two threads can drive them, or a simulator can drive both on one.
//! The byte layout is drawn in `docs/internals/log-format.md`.
#![forbid(unsafe_code)]

mod api;
mod browse;
#[doc(hidden)]
pub mod contract;
mod disk;
mod fault;
mod file_log;
mod flusher;
mod frame;
mod identity;
mod inspect;
mod manifest;
mod memory;
mod options;
mod queue;
mod recovery;
mod segment;

pub use api::{
    Draft, Durable, Flush, Flushed, Log, LogStats, Opened, Queued, SEGMENTS_TRIMMED_MAX,
    SYNC_BUCKET_MICROS_MAX, Trim, Trimmed,
};
pub use browse::{Extent, extent, read, tail_from};
pub use disk::{Disk, DiskFile, LockError, RamDisk, RamFile, RealDisk, RealFile, RealLock};
pub use fault::{OpenError, Sequences, Stopped};
pub use file_log::FileLog;
pub use flusher::FileFlusher;
pub use frame::{FRAME_HEADER_BYTES, Flags, Frame};
pub use identity::{Entropy, Identity, LogId, ParseLogIdError};
pub use inspect::{Finding, Inspection, Report, SegmentReport, inspect};
pub use memory::{MemoryFlusher, MemoryLog, memory};
pub use options::{Options, Plant};
pub use recovery::{
    Base, Cut, FromOldest, FromStart, Known, Looked, Recover, Recovery, Start, begin_at, look, open,
};
