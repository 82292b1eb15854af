//! The two sides of a log: what the writer calls and what the flusher calls.
//! Owns: the traits `Log` and `Flush` and the plain values that cross them.
//! Never: touches a disk.

use std::time::Duration;

use crate::fault::Stopped;
use crate::identity::Identity;
use crate::recovery::Recovery;

/// One writer batch, handed over by the engine; it becomes one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Sequence of the first event in `body`; must be one more than the last sequence of the draft before
    /// (the first ever is 1), also when `event_count` is 0.
    pub first_sequence: u64,
    /// Number of events in `body`.
    pub event_count: u32,
    /// Number of commands in `body`.
    pub command_count: u32,
    /// Recorded time of the batch, Unix milliseconds.
    pub wall_ms: u64,
    /// Steady time of the batch, milliseconds.
    pub steady_ms: u64,
    /// Version of the rules that decided the batch.
    pub rules_version: u32,
    /// Seed from which the batch drew its ids.
    pub id_seed: u64,
    /// The opaque bytes; at most `Options::frame_bytes_max`.
    pub body: Vec<u8>,
}

/// How far the log is known to be on disk. Never moves back within a life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    /// Number of the last frame known synced; 0 when there is none.
    pub frame: u64,
    /// Last event sequence in that frame or before; 0 when there is none.
    pub sequence: u64,
}

/// What was appended and is not yet durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queued {
    /// Number of frames, those being written now included.
    pub frames: u64,
    /// Their bytes on disk, headers included, sector padding not.
    pub bytes: u64,
}

/// What one call of the flusher did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// How far the log is durable after the call.
    pub durable: Durable,
    /// Frames written by the call, seals included.
    pub frames: u32,
    /// Bytes written by the call, padding included.
    pub bytes: u64,
    /// Whether the call wrote and synced anything at all.
    pub synced: bool,
}

/// What [`Flush::trim`] may remove: the oldest segments, one after the other, while both rules allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// A segment goes only if it holds no event after this one: up to here, events are in two verified snapshots.
    pub through_sequence: u64,
    /// And only if so many bytes of segments stay behind it, or all of it is older than `older_than_wall_ms`.
    pub bytes_kept: u64,
    /// Recorded time, Unix milliseconds; 0 lets no segment go for its age.
    pub older_than_wall_ms: u64,
}

/// What one call of [`Flush::trim`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Segments that the log has given up, at most [`SEGMENTS_TRIMMED_MAX`]; 0 says that no more may go now.
    pub segments: u32,
    /// Their bytes.
    pub bytes: u64,
    /// The first event that the log still holds.
    pub oldest_sequence: u64,
}

/// Most segments that one call of [`Flush::trim`] removes.
pub const SEGMENTS_TRIMMED_MAX: u32 = 16;

/// Upper bounds in microseconds of the buckets of [`LogStats::sync_micros_buckets`]; the last bucket is open.
pub const SYNC_BUCKET_MICROS_MAX: [u64; 15] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 5_000_000, 30_000_000,
];

/// Counters of one flusher since it was opened, and the extent of its log now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Syncs of groups and seals that returned without an error.
    pub syncs: u64,
    /// Groups written, seals not included.
    pub groups: u64,
    /// Frames written, seals included.
    pub frames: u64,
    /// Seals written.
    pub seals: u64,
    /// Bytes written into segments, padding included.
    pub bytes_written: u64,
    /// Segments begun.
    pub rolls: u64,
    /// Spare segments that could not be prepared ahead; the roll tries again.
    pub spare_failures: u64,
    /// Removals of trimmed segments that failed; tried again at the next trim and at the next open.
    pub trim_failures: u64,
    /// Segments that the log consists of now, the open one included.
    pub segments: u64,
    /// Their bytes on disk, preallocated space included.
    pub bytes_kept: u64,
    /// The first event that the log still holds, or will hold if it has none yet.
    pub oldest_sequence: u64,
    /// The last frame that was written and synced; 0 before the first.
    pub head_frame: u64,
    /// Its chain hash.
    pub head_hash: [u8; 32],
    /// Duration of the last sync in microseconds.
    pub last_sync_micros: u64,
    /// Longest sync in microseconds.
    pub sync_micros_max: u64,
    /// Number of syncs per duration; bounds in [`SYNC_BUCKET_MICROS_MAX`].
    pub sync_micros_buckets: [u64; 16],
}

impl LogStats {
    pub(crate) fn observe_sync(&mut self, micros: u64) {
        self.syncs += 1;
        self.last_sync_micros = micros;
        self.sync_micros_max = self.sync_micros_max.max(micros);
        let bucket = SYNC_BUCKET_MICROS_MAX
            .iter()
            .position(|&bound| micros <= bound);
        self.sync_micros_buckets[bucket.unwrap_or(SYNC_BUCKET_MICROS_MAX.len())] += 1;
    }
}

/// The writer's side. Every call returns at once; none touches a disk.
pub trait Log: Send {
    /// Queues one draft and returns its frame number: 1-based; larger by one than the frame before, where
    /// seals written by the flusher count as frames too.
    ///
    /// # Errors
    /// After any storage fault or a close: that `Stopped`. `Stopped::Refused` when the draft does not continue
    /// the sequence or its body is too large; such a draft is not queued and the log goes on.
    fn append(&mut self, draft: Draft) -> Result<u64, Stopped>;
    /// How far the log is known to be on disk.
    fn durable(&self) -> Durable;
    /// What is appended and not yet durable: the measure for back-pressure.
    fn queued(&self) -> Queued;
    /// An emptied body buffer to reuse, or a new one.
    fn spare_body(&mut self) -> Vec<u8>;
}

/// The flusher's side: writes and syncs when told.
pub trait Flush: Send {
    /// Takes what is queued, up to `Options::group_bytes_max` but at least one frame, and makes it durable with
    /// one write and one sync. Does nothing when nothing is queued.
    ///
    /// # Errors
    /// The first storage fault poisons the log: this and every later call returns it, and nothing later is ever
    /// reported durable.
    fn flush(&mut self) -> Result<Flushed, Stopped>;
    /// Closes the last group with a seal frame in its own sector, when there is an unsealed group and nothing is
    /// queued; else does nothing. To be called when the log has been idle for a moment.
    ///
    /// # Errors
    /// As [`Flush::flush`].
    fn seal(&mut self) -> Result<Flushed, Stopped>;
    /// Gives up the oldest segments that are closed to writing, as far as `rule` allows. The manifest comes first; a
    /// file that cannot be removed afterwards is counted and tried again, and stops nothing. A segment counts as old
    /// when the first frame behind it is.
    ///
    /// # Errors
    /// As [`Flush::flush`]: a manifest that cannot be replaced is a storage fault.
    fn trim(&mut self, rule: &Trim) -> Result<Trimmed, Stopped>;
    /// Clean stop: makes all that is queued durable, writes a clean seal and the clean mark. Afterwards both
    /// sides answer `Stopped::Closed`. A second close does nothing.
    ///
    /// # Errors
    /// As [`Flush::flush`].
    fn close(&mut self) -> Result<(), Stopped>;
    /// Blocks until something is queued (`true`), or until the timeout, the end of the writer's side, a stop or a
    /// close (`false`). Only for threads.
    fn wait(&self, timeout: Duration) -> bool;
    /// Counters since the log was opened.
    fn stats(&self) -> LogStats;
}

/// A log just opened: its two sides, who it is, and what recovery found.
#[derive(Debug)]
pub struct Opened<L, F> {
    /// The writer's side.
    pub log: L,
    /// The flusher's side.
    pub flusher: F,
    /// Who this log is.
    pub identity: Identity,
    /// What recovery found.
    pub recovery: Recovery,
}
