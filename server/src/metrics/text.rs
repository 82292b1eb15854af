//! Writes the numbers in Prometheus' text format, `HELP` and `TYPE` before each family.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use mainstay::Histogram;
use mainstay_core::{AttemptResult, RunState, Stats, Workforce};

use super::requests::{BOUNDS_US, OfRoute};
use crate::api::ROUTES;
use crate::edge::Edge;

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(
            self.0,
            "# HELP mainstay_{name} {help}\n# TYPE mainstay_{name} {kind}\n"
        );
    }

    fn sample(&mut self, name: &str, labels: &str, value: f64) {
        let _ = if labels.is_empty() {
            writeln!(self.0, "mainstay_{name} {value}")
        } else {
            writeln!(self.0, "mainstay_{name}{{{labels}}} {value}")
        };
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }

    /// Buckets that are not cumulative yet; bounds and sum are divided by `scale`.
    fn histogram(
        &mut self,
        name: &str,
        labels: &str,
        scale: f64,
        bounds: &[u64],
        counts: &[u64],
        sum: u64,
    ) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut total = 0;
        for (index, count) in counts.iter().enumerate() {
            total += count;
            let bound = bounds.get(index).map_or("+Inf".to_owned(), |bound| {
                (*bound as f64 / scale).to_string()
            });
            let _ = writeln!(
                self.0,
                "mainstay_{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {total}"
            );
        }
        self.sample(&format!("{name}_sum"), labels, sum as f64 / scale);
        self.sample(&format!("{name}_count"), labels, total as f64);
    }
}

/// All families; those about tasks are left out while the engine answers no questions.
pub(crate) fn render(edge: &Edge, stats: Option<&Stats>, workforce: Option<&Workforce>) -> String {
    let mut text = Text(String::with_capacity(16 << 10));
    if let Some(stats) = stats {
        write_stats(&mut text, stats);
    }
    if let Some(workforce) = workforce {
        write_workforce(&mut text, workforce);
    }
    write_engine(&mut text, &edge.handle.metrics());
    write_requests(&mut text, edge);
    text.0
}

/// Who is there to work, and what waits though somebody is there.
fn write_workforce(text: &mut Text, told: &Workforce) {
    text.family("actors", "gauge", "Registered actors by what they are at.");
    let busy = told.actors.saturating_sub(told.draining + told.idle);
    for (state, count) in [
        ("busy", busy),
        ("idle", told.idle),
        ("draining", told.draining),
    ] {
        text.sample("actors", &format!("state=\"{state}\""), count as f64);
    }
    for (name, help, value) in [
        (
            "runs_ready_unserved",
            "Ready runs that nobody who is there is able to take: no actor, nor anybody who claimed lately.",
            told.unserved,
        ),
        (
            "runs_ready_passed_by",
            "Ready runs that an idle actor is able to take and does not ask for: work waits while workers idle.",
            told.passed_by,
        ),
    ] {
        text.single(name, "gauge", help, value as f64);
    }
}

fn write_stats(text: &mut Text, stats: &Stats) {
    let of_state = |state: RunState| stats.runs_by_state[state as usize] as f64;
    text.family(
        "runs",
        "gauge",
        "Runs by state; terminal states count for life.",
    );
    for state in RunState::ALL {
        text.sample(
            "runs",
            &format!("state=\"{}\"", state.name()),
            of_state(*state),
        );
    }
    text.single(
        "runs_ready",
        "gauge",
        "Runs waiting for a worker.",
        of_state(RunState::Ready),
    );
    text.single(
        "runs_running",
        "gauge",
        "Runs that a worker is on.",
        of_state(RunState::Running),
    );
    text.single(
        "tasks_total",
        "counter",
        "Tasks ever accepted.",
        stats.tasks_total as f64,
    );
    text.family(
        "attempts_total",
        "counter",
        "Attempts ever ended, by result.",
    );
    for (result, count) in AttemptResult::ALL.iter().zip(stats.attempts_by_result) {
        text.sample(
            "attempts_total",
            &format!("result=\"{}\"", result.name()),
            count as f64,
        );
    }
    let lag = stats
        .oldest_ready_at
        .map_or(0, |due| stats.now.0.saturating_sub(due.0));
    text.single(
        "scheduling_lag_seconds",
        "gauge",
        "How long the oldest ready run has been due.",
        lag as f64 / 1000.0,
    );
    text.single(
        "engine_paused",
        "gauge",
        "1 while granting is paused.",
        f64::from(u8::from(stats.paused)),
    );
}

/// Name, kind, help and value of one of the engine's single numbers.
type Single = (
    &'static str,
    &'static str,
    &'static str,
    fn(&mainstay::Metrics) -> u64,
);

const SINGLES: [Single; 16] = [
    (
        "wal_append_total",
        "counter",
        "Frames appended to the log.",
        |engine| engine.appends,
    ),
    (
        "wal_append_failures_total",
        "counter",
        "Appends that failed.",
        |engine| engine.append_failures,
    ),
    ("wal_sync_total", "counter", "Syncs of the log.", |engine| {
        engine.syncs
    }),
    (
        "wal_written_bytes_total",
        "counter",
        "Bytes written to the log.",
        |engine| engine.bytes_written,
    ),
    (
        "recovery_events_applied_total",
        "counter",
        "Events replayed by the last recovery.",
        |engine| engine.recovered_events,
    ),
    (
        "inbox_calls",
        "gauge",
        "Calls that wait for the writer.",
        |engine| engine.inbox_len,
    ),
    (
        "claims_waiting",
        "gauge",
        "Long polls that wait for work.",
        |engine| engine.waiters,
    ),
    (
        "busy_total",
        "counter",
        "Calls refused because the engine was busy.",
        |engine| engine.busy,
    ),
    (
        "store_lag_events",
        "gauge",
        "Events that the store, which lists and SQL read, does not hold yet.",
        |engine| engine.store_lag_events,
    ),
    (
        "store_checkpoint_sequence",
        "gauge",
        "The last event that the store holds.",
        |engine| engine.store_checkpoint,
    ),
    (
        "store_commits_total",
        "counter",
        "Cuts committed to the store.",
        |engine| engine.store_commits,
    ),
    (
        "store_rows_total",
        "counter",
        "Rows in the cuts committed to the store.",
        |engine| engine.store_rows,
    ),
    (
        "log_bytes",
        "gauge",
        "Bytes of log segments kept.",
        |engine| engine.log_bytes,
    ),
    (
        "log_oldest_sequence",
        "gauge",
        "The first event that the log still holds.",
        |engine| engine.log_oldest_sequence,
    ),
    (
        "disk_free_bytes",
        "gauge",
        "Bytes that can still be allocated on the disk, when last asked.",
        |engine| engine.disk_free_bytes,
    ),
    (
        "payload_memory_bytes",
        "gauge",
        "Bytes of payloads in memory.",
        |engine| engine.payload_bytes,
    ),
];

fn write_engine(text: &mut Text, engine: &mainstay::Metrics) {
    for (name, kind, help, value) in SINGLES {
        text.single(name, kind, help, value(engine) as f64);
    }
    let seconds = engine.recovery_ms as f64 / 1000.0;
    text.single(
        "recovery_time_seconds",
        "gauge",
        "How long the last recovery took.",
        seconds,
    );
    text.family(
        "rows_in_memory",
        "gauge",
        "Rows in memory; finished ones leave once they are stored.",
    );
    for (table, rows) in [("tasks", engine.rows_tasks), ("runs", engine.rows_runs)] {
        text.sample("rows_in_memory", &format!("table=\"{table}\""), rows as f64);
    }
    text.family(
        "store_commit_seconds",
        "summary",
        "How long commits to the store take.",
    );
    let seconds = engine.store_commit_us as f64 / 1e6;
    text.sample("store_commit_seconds_sum", "", seconds);
    text.sample(
        "store_commit_seconds_count",
        "",
        engine.store_commits as f64,
    );
    text.family(
        "wal_sync_seconds",
        "histogram",
        "How long syncs of the log take.",
    );
    let Histogram {
        bounds,
        counts,
        sum,
    } = &engine.sync_us;
    text.histogram("wal_sync_seconds", "", 1e6, bounds, counts, *sum);
    text.family(
        "commit_batch_size",
        "histogram",
        "Commands committed together.",
    );
    let Histogram {
        bounds,
        counts,
        sum,
    } = &engine.batch;
    text.histogram("commit_batch_size", "", 1.0, bounds, counts, *sum);
}

fn write_requests(text: &mut Text, edge: &Edge) {
    let metrics = &edge.metrics;
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let routes: Vec<(String, &OfRoute)> = metrics
        .routes
        .iter()
        .enumerate()
        .map(|(index, of_route)| {
            let label = ROUTES
                .get(index)
                .map(|route| format!("{} {}", route.method(), route.path));
            (label.unwrap_or_else(|| "none".to_owned()), of_route)
        })
        .collect();
    text.family(
        "http_requests_total",
        "counter",
        "Requests answered, by route and status.",
    );
    for (route, of_route) in &routes {
        for (status, counter) in metrics.statuses.iter().zip(&of_route.statuses) {
            let value = load(counter);
            if value > 0 {
                text.sample(
                    "http_requests_total",
                    &format!("route=\"{route}\",status=\"{status}\""),
                    value as f64,
                );
            }
        }
    }
    text.family(
        "http_request_seconds",
        "histogram",
        "How long requests took, long polls included, by route.",
    );
    for (route, of_route) in &routes {
        let counts = of_route.buckets.each_ref().map(load);
        if counts.iter().any(|count| *count > 0) {
            let labels = format!("route=\"{route}\"");
            text.histogram(
                "http_request_seconds",
                &labels,
                1e6,
                &BOUNDS_US,
                &counts,
                load(&of_route.sum_us),
            );
        }
    }
    let failures = load(&metrics.accept_failures) as f64;
    text.single(
        "http_accept_failures_total",
        "counter",
        "Connections the system did not hand over.",
        failures,
    );
}
