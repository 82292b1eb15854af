//! What the engine says of itself: its log, its store, its memory, its disk.

use mainstay::{Handle, Histogram, Status};

use super::text::Text;

/// One of the engine's single numbers.
type Single = (&'static str, fn(&mainstay::Metrics) -> u64);

const SINGLES: [Single; 22] = [
    ("mainstay_wal_append_total", |engine| engine.appends),
    ("mainstay_wal_append_failures_total", |engine| {
        engine.append_failures
    }),
    ("mainstay_wal_sync_total", |engine| engine.syncs),
    ("mainstay_wal_written_bytes_total", |engine| {
        engine.bytes_written
    }),
    ("mainstay_writer_turns_total", |engine| engine.turns),
    ("mainstay_inbox_calls", |engine| engine.inbox_len),
    ("mainstay_claims_waiting", |engine| engine.waiters),
    ("mainstay_busy_total", |engine| engine.busy),
    ("mainstay_recovery_events_applied_total", |engine| {
        engine.recovered_events
    }),
    ("mainstay_store_lag_events", |engine| {
        engine.store_lag_events
    }),
    ("mainstay_store_checkpoint_sequence", |engine| {
        engine.store_checkpoint
    }),
    ("mainstay_store_commits_total", |engine| {
        engine.store_commits
    }),
    ("mainstay_store_rows_total", |engine| engine.store_rows),
    ("mainstay_snapshots_total", |engine| engine.snapshots),
    ("mainstay_payload_memory_bytes", |engine| {
        engine.payload_bytes
    }),
    ("mainstay_log_bytes", |engine| engine.log_bytes),
    ("mainstay_log_oldest_sequence", |engine| {
        engine.log_oldest_sequence
    }),
    ("mainstay_disk_free_bytes", |engine| engine.disk_free_bytes),
    ("mainstay_disk_low_water_bytes", |engine| {
        engine.disk_low_water_bytes
    }),
    ("mainstay_actors_silent_total", |engine| {
        engine.actors_silent
    }),
    ("mainstay_recovery_time_seconds", |engine| {
        engine.recovery_ms
    }),
    ("mainstay_store_commit_seconds", |engine| {
        engine.store_commit_us
    }),
];

pub(super) fn write(text: &mut Text, handle: &Handle) {
    let engine = handle.metrics();
    text.family("mainstay_engine_state");
    let now = match handle.status() {
        Status::Ready => "ready",
        Status::Draining => "draining",
        Status::ReadOnly { .. } => "read_only",
        Status::Stopped { .. } => "stopped",
    };
    for state in ["ready", "draining", "read_only", "stopped"] {
        text.sample(&[state], f64::from(u8::from(state == now)));
    }
    text.single("mainstay_log_sequence", handle.sequence() as f64);
    for (name, value) in SINGLES {
        let value = value(&engine) as f64;
        match name {
            "mainstay_recovery_time_seconds" => text.single(name, value / 1e3),
            "mainstay_store_commit_seconds" => {
                text.family(name);
                text.summary(&[], value / 1e6, engine.store_commits);
            }
            _ => text.single(name, value),
        }
    }
    text.family("mainstay_rows_in_memory");
    for (table, rows) in [("tasks", engine.rows_tasks), ("runs", engine.rows_runs)] {
        text.sample(&[table], rows as f64);
    }
    for (name, scale, histogram) in [
        ("mainstay_wal_sync_seconds", 1e6, &engine.sync_us),
        ("mainstay_commit_batch_size", 1.0, &engine.batch),
    ] {
        let Histogram {
            bounds,
            counts,
            sum,
        } = histogram;
        text.family(name);
        text.histogram(&[], scale, (bounds, counts), *sum);
    }
}
