//! Numbers about the engine itself, counted as it runs.
//! Owns: the engine's counters.
//! Never: a counter about tasks; those are state.

use std::sync::atomic::{AtomicU64, Ordering};

use mainstay_log::{LogStats, SYNC_BUCKET_MICROS_MAX};

/// Upper bounds of the batch size buckets.
const BATCH_BOUNDS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// A histogram: `counts[i]` observations lie at or below `bounds[i]`; the last count has no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Upper bounds.
    pub bounds: Vec<u64>,
    /// Observations per bucket, not cumulative; one more than there are bounds.
    pub counts: Vec<u64>,
    /// Sum of all observations.
    pub sum: u64,
}

/// A snapshot of the engine's counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Frames appended to the log.
    pub appends: u64,
    /// Appends refused because the log had stopped.
    pub append_failures: u64,
    /// Syncs of the log.
    pub syncs: u64,
    /// Durations of syncs in microseconds.
    pub sync_us: Histogram,
    /// Commands per frame.
    pub batch: Histogram,
    /// Bytes written to the log, padding included.
    pub bytes_written: u64,
    /// Milliseconds the recovery took.
    pub recovery_ms: u64,
    /// Events replayed by the recovery.
    pub recovered_events: u64,
    /// Turns the writer took: an idle engine takes none.
    pub turns: u64,
    /// Requests that wait in the inbox.
    pub inbox_len: u64,
    /// Claims that wait for work.
    pub waiters: u64,
    /// Requests refused as `busy`.
    pub busy: u64,
    /// Events that the store does not hold yet.
    pub store_lag_events: u64,
    /// The last event that the store holds.
    pub store_checkpoint: u64,
    /// Cuts committed to the store.
    pub store_commits: u64,
    /// Microseconds these commits took together.
    pub store_commit_us: u64,
    /// Rows in them.
    pub store_rows: u64,
    /// Snapshot files written.
    pub snapshots: u64,
    /// Bytes of log segments kept.
    pub log_bytes: u64,
    /// The first event that the log still holds.
    pub log_oldest_sequence: u64,
    /// Bytes that can still be allocated on the disk, when last asked.
    pub disk_free_bytes: u64,
    /// Free bytes below which new work is refused.
    pub disk_low_water_bytes: u64,
    /// Actors that fell silent since the start, and are registered no more.
    pub actors_silent: u64,
    /// Bytes of payloads in memory that the store could hold instead.
    pub payload_bytes: u64,
    /// Tasks in memory.
    pub rows_tasks: u64,
    /// Runs in memory.
    pub rows_runs: u64,
}

/// The live counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appends: AtomicU64,
    pub(crate) append_failures: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) waiters: AtomicU64,
    pub(crate) turns: AtomicU64,
    pub(crate) recovery_ms: AtomicU64,
    pub(crate) store_commits: AtomicU64,
    pub(crate) store_commit_us: AtomicU64,
    pub(crate) store_rows: AtomicU64,
    pub(crate) payload_bytes: AtomicU64,
    pub(crate) rows_tasks: AtomicU64,
    pub(crate) rows_runs: AtomicU64,
    pub(crate) applied: AtomicU64,
    /// Recorded time of the last turn; 0 before the first.
    pub(crate) wall_ms: AtomicU64,
    pub(crate) snapshots: AtomicU64,
    pub(crate) recovered_events: AtomicU64,
    pub(crate) actors_silent: AtomicU64,
    batch: [AtomicU64; BATCH_BOUNDS.len() + 1],
    commands: AtomicU64,
}

impl Counters {
    pub(crate) fn observe_batch(&self, commands: u64) {
        let bucket = BATCH_BOUNDS
            .iter()
            .position(|bound| commands <= *bound)
            .unwrap_or(BATCH_BOUNDS.len());
        self.batch[bucket].fetch_add(1, Ordering::Relaxed);
        self.commands.fetch_add(commands, Ordering::Relaxed);
        self.appends.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self, log: &LogStats, sync_sum_us: u64, inbox_len: usize) -> Metrics {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Metrics {
            appends: load(&self.appends),
            append_failures: load(&self.append_failures),
            syncs: log.syncs,
            sync_us: Histogram {
                bounds: SYNC_BUCKET_MICROS_MAX.to_vec(),
                counts: log.sync_micros_buckets.to_vec(),
                sum: sync_sum_us,
            },
            batch: Histogram {
                bounds: BATCH_BOUNDS.to_vec(),
                counts: self.batch.iter().map(load).collect(),
                sum: load(&self.commands),
            },
            bytes_written: log.bytes_written,
            recovery_ms: load(&self.recovery_ms),
            recovered_events: load(&self.recovered_events),
            turns: load(&self.turns),
            inbox_len: inbox_len as u64,
            waiters: load(&self.waiters),
            busy: load(&self.busy),
            store_commits: load(&self.store_commits),
            store_commit_us: load(&self.store_commit_us),
            store_rows: load(&self.store_rows),
            snapshots: load(&self.snapshots),
            log_bytes: log.bytes_kept,
            log_oldest_sequence: log.oldest_sequence,
            payload_bytes: load(&self.payload_bytes),
            rows_tasks: load(&self.rows_tasks),
            rows_runs: load(&self.rows_runs),
            actors_silent: load(&self.actors_silent),
            // What follows is known elsewhere.
            disk_low_water_bytes: 0,
            store_lag_events: 0,
            store_checkpoint: 0,
            disk_free_bytes: 0,
        }
    }
}
