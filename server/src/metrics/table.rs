//! Every family of metrics with its type, its labels and what it means: the table that the exposition and the reference share.

/// What a family's samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets with sum and count.
    Histogram,
    /// Sum and count.
    Summary,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        }
    }
}

/// Samples of one name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    /// The labels of every sample, in order.
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

macro_rules! families {
    ($($kind:ident $name:ident [$($label:ident)*] $help:literal;)+) => {
        /// Every family, in the order in which they are written.
        pub(super) const FAMILIES: &[Family] = &[$(Family {
            kind: Kind::$kind,
            name: stringify!($name),
            labels: &[$(stringify!($label)),*],
            help: $help,
        }),+];
    };
}

families! {
    // Work.
    Gauge mainstay_runs [state] "Runs by state; terminal states count for life.";
    Gauge mainstay_runs_ready [] "Runs waiting for a worker.";
    Gauge mainstay_runs_running [] "Runs that a worker is on.";
    Counter mainstay_runs_created_total [] "Runs ever created, for life.";
    Counter mainstay_tasks_total [] "Tasks ever accepted, for life.";
    Counter mainstay_attempts_started_total [] "Attempts ever started, for life.";
    Counter mainstay_attempts_total [result] "Attempts ever ended, by result, for life.";
    Gauge mainstay_scheduling_lag_seconds [] "How long the oldest run that could be granted has been due.";
    Histogram mainstay_executor_duration_seconds [] "How long attempts took from start to finish, for life; to a hundredth.";
    Gauge mainstay_dead_letters [] "Failed runs that were neither tried again nor cleared away.";
    Gauge mainstay_engine_paused [] "1 while granting is paused.";
    // Queues.
    Gauge mainstay_queues [] "Queues that ever had work, of all tenants.";
    Gauge mainstay_queues_paused [] "Queues that are paused.";
    Gauge mainstay_queue_runs [tenant queue state] "Unfinished runs by queue and state; the 100 fullest queues by name, all others as tenant other, queue other.";
    Gauge mainstay_queue_oldest_ready_seconds [tenant queue] "How long the oldest run of a queue that could be granted has been due; 0 when there is none.";
    Gauge mainstay_queue_dead_letters [tenant queue] "Dead letters by queue.";
    Gauge mainstay_queue_paused [tenant queue] "1 while nothing is granted from the queue.";
    // Tenants and budgets.
    Gauge mainstay_tenants [] "Tenants.";
    Gauge mainstay_tenant_info [tenant name] "1; the name of a tenant beside its id.";
    Gauge mainstay_tenant_runs [tenant state] "Unfinished runs by tenant and state; the 50 tenants with most work by id, all others as other.";
    Gauge mainstay_tenant_dead_letters [tenant] "Dead letters by tenant.";
    Gauge mainstay_budget_limit [tenant dimension] "What a tenant may spend in this period; at most 200 budgets are shown.";
    Gauge mainstay_budget_consumed [tenant dimension] "What a tenant has spent in this period.";
    Gauge mainstay_budget_reserved [tenant dimension] "What running attempts of a tenant hold.";
    Gauge mainstay_budgets_exhausted [] "Budgets of tenants on which nothing more may be started.";
    Gauge mainstay_runs_waiting_for_budget [] "Runs that are suspended until a budget has room.";
    // Bulk operations and webhooks.
    Gauge mainstay_operations_running [] "Bulk operations that go on.";
    Gauge mainstay_webhooks [state] "Webhooks by state: enabled, disabled (by somebody), gone (the receiver said so), failing (disabled after days of failures).";
    Gauge mainstay_webhook_deliveries_pending [] "Deliveries that are sent again when their time comes.";
    Gauge mainstay_webhook_lag_events [] "Events of the log that the enabled webhook that is furthest behind was not looked through for; recorded every ten thousand events.";
    Counter mainstay_webhook_attempts_total [result] "Attempts to deliver an event to a webhook: delivered, failed.";
    // Workers.
    Gauge mainstay_actors [state] "Registered actors by what they are at.";
    Counter mainstay_actors_silent_total [] "Actors that fell silent and are registered no more.";
    Gauge mainstay_runs_ready_unserved [] "Ready runs that nobody who is there is able to take: no actor, nor anybody who claimed lately.";
    Gauge mainstay_runs_ready_passed_by [] "Ready runs that an idle actor is able to take and does not ask for: work waits while workers idle.";
    Gauge mainstay_claims_waiting [] "Claims that are parked until there is work.";
    // The engine.
    Gauge mainstay_engine_state [state] "1 for the state that the engine is in.";
    Gauge mainstay_log_sequence [] "The last event that is on disk.";
    Counter mainstay_wal_append_total [] "Frames appended to the log.";
    Counter mainstay_wal_append_failures_total [] "Appends that failed.";
    Counter mainstay_wal_sync_total [] "Syncs of the log.";
    Histogram mainstay_wal_sync_seconds [] "How long syncs of the log take.";
    Counter mainstay_wal_written_bytes_total [] "Bytes written to the log.";
    Histogram mainstay_commit_batch_size [] "Commands committed together.";
    Counter mainstay_writer_turns_total [] "Turns of the writer; an idle engine takes none.";
    Gauge mainstay_inbox_calls [] "Calls that wait for the writer.";
    Counter mainstay_busy_total [] "Calls refused because the engine was busy.";
    Gauge mainstay_recovery_time_seconds [] "How long the last recovery took.";
    Counter mainstay_recovery_events_applied_total [] "Events replayed by the last recovery.";
    // The store, memory and the disk.
    Gauge mainstay_store_lag_events [] "Events that the store, which lists and SQL read, does not hold yet.";
    Gauge mainstay_store_checkpoint_sequence [] "The last event that the store holds.";
    Counter mainstay_store_commits_total [] "Cuts committed to the store.";
    Counter mainstay_store_rows_total [] "Rows in the cuts committed to the store.";
    Summary mainstay_store_commit_seconds [] "How long commits to the store take.";
    Counter mainstay_snapshots_total [] "Snapshots written.";
    Gauge mainstay_rows_in_memory [table] "Rows in memory; finished ones leave once they are stored.";
    Gauge mainstay_payload_memory_bytes [] "Bytes of payloads in memory.";
    Gauge mainstay_log_bytes [] "Bytes of log segments kept.";
    Gauge mainstay_log_oldest_sequence [] "The first event that the log still holds.";
    Gauge mainstay_disk_free_bytes [] "Bytes that can still be allocated on the disk, when last asked.";
    Gauge mainstay_disk_low_water_bytes [] "Free bytes below which new work is refused.";
    // The server.
    Counter mainstay_http_requests_total [route status] "Requests answered, by route and status.";
    Histogram mainstay_http_request_seconds [route] "How long requests took, long polls included, by route.";
    Counter mainstay_http_errors_total [code] "Requests answered with an error, by its code: unauthorized counts failed authentication, rate_limited what was too much.";
    Gauge mainstay_http_connections [] "Open connections.";
    Gauge mainstay_http_requests_in_flight [] "Requests that are being worked on, parked long polls among them.";
    Counter mainstay_http_connections_refused_total [] "Connections beyond a limit.";
    Counter mainstay_http_accept_failures_total [] "Connections the system did not hand over.";
    Counter mainstay_http_tls_handshake_failures_total [] "Connections that ended before they were encrypted.";
    Gauge mainstay_http_body_bytes [] "Bytes of request bodies held at the moment.";
    Gauge mainstay_event_followers [] "Streams and long polls that follow the events.";
    // Traces.
    Counter mainstay_trace_spans_total [outcome] "Spans by what became of them: exported, dropped (no room in the queue), failed (the collector did not take them).";
    Counter mainstay_trace_exports_failed_total [] "Batches of spans that the collector did not take, retries among them.";
    Gauge mainstay_trace_queue_spans [] "Spans that wait for the collector.";
    Gauge mainstay_trace_lag_events [] "Events of the log that spans are not made of yet.";
    // The process.
    Gauge mainstay_build_info [version] "1; the version of this program.";
    Gauge mainstay_uptime_seconds [] "How long this server has been up.";
    Gauge process_start_time_seconds [] "When this server started, in seconds since 1970.";
    Counter process_cpu_seconds_total [] "User and system time of the process.";
    Gauge process_resident_memory_bytes [] "Memory of the process.";
    Gauge process_virtual_memory_bytes [] "Address space of the process.";
    Gauge process_open_fds [] "Open file descriptors.";
    Gauge process_max_fds [] "Most file descriptors the process may open.";
    Gauge process_threads [] "Threads.";
}

/// The family with this name.
pub(super) fn find(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::{FAMILIES, Kind};

    fn reference() -> String {
        let mut text = String::from(
            "# Metrics\n\nGenerated from `server/src/metrics/table.rs`; do not edit. `GET /metrics` answers in Prometheus' text format. \
             What each is for, and when to\nworry, is in [observability](../operating/observability.md).\n\n\
             | metric | type | labels | meaning |\n|---|---|---|---|\n",
        );
        for family in FAMILIES {
            let labels: Vec<String> = family.labels.iter().map(|it| format!("`{it}`")).collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                family.name,
                family.kind.name(),
                labels.join(", "),
                family.help
            );
        }
        text
    }

    #[test]
    fn the_metrics_reference_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/metrics.md");
        if std::env::var_os("MAINSTAY_BLESS").is_some() {
            std::fs::write(path, reference()).expect("docs/reference can be written");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == reference(),
            "docs/reference/metrics.md differs from the table; run the test again with MAINSTAY_BLESS=1"
        );
    }

    #[test]
    fn names_are_unique_and_say_their_unit() {
        let mut seen = BTreeSet::new();
        for family in FAMILIES {
            let name = family.name;
            assert!(seen.insert(name), "{name} stands twice");
            assert!(
                name.starts_with("mainstay_") || name.starts_with("process_"),
                "{name}"
            );
            let total = name.ends_with("_total");
            assert_eq!(family.kind == Kind::Counter, total, "{name}");
            assert!(
                family.help.ends_with('.') && !family.help.contains(['\\', '\n']),
                "{name}"
            );
            for unit in ["_ms", "_millis", "_kb", "_percent", "_minutes"] {
                assert!(!name.contains(unit), "{name}: base units only");
            }
        }
    }
}
