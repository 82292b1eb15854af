//! Bodies of health, statistics and the engine's switches.

use serde::{Deserialize, Serialize};

use super::text::Str;

/// `/healthz` and `/ready`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusBody {
    /// `ok`, `ready`, or why it is not.
    pub status: String,
}

/// Body of `POST /api/v1/engine/pause` and `/resume`, and of the cancels: all of it optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody<'a> {
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Answer of pause and resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineChanged {
    /// `paused`, `already_paused`, `resumed` or `already_resumed`.
    pub status: String,
}

/// `GET /api/v1/engine`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStatus {
    /// Whether granting is stopped.
    pub paused: bool,
    /// Since when.
    pub since: Option<String>,
    /// By whom.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The last durable event's number.
    pub latest_sequence: u64,
    /// The log's id.
    pub log_id: String,
    /// The server's version.
    pub version: String,
}

/// `GET /api/v1/stats`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Tasks ever accepted.
    pub total_tasks: u64,
    /// Runs ever created.
    pub total_runs: u64,
    /// Attempts ever started.
    pub attempts_total: u64,
    /// Attempts ever ended, by result.
    #[serde(default)]
    pub attempts_by_result: std::collections::BTreeMap<String, u64>,
    /// Runs by state; terminal states count for life.
    pub runs_by_state: super::task::RunsByState,
    /// The last durable event's number.
    pub latest_sequence: u64,
    /// Whether the engine is paused.
    pub paused: bool,
    /// When the oldest ready run became due.
    #[serde(default)]
    pub oldest_ready_at: Option<String>,
    /// Runs by queue and kind, at most the first 1000.
    #[serde(default)]
    pub by_queue: Vec<super::queue::PlaceCounts>,
    /// Whether there are more queues and kinds than are shown.
    #[serde(default)]
    pub by_queue_truncated: bool,
    /// How long attempts took.
    #[serde(default)]
    pub execution: Execution,
    /// The same by kind, at most the 100 kinds of which most attempts ended, those first.
    #[serde(default)]
    pub execution_by_kind: Vec<KindExecution>,
}

/// How long attempts took, from begin to end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// All that ever ended.
    pub life: Spans,
    /// Those that ended within the last hour, to five minutes.
    pub last_hour: Spans,
}

/// How long the attempts of one kind took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KindExecution {
    /// Its tenant.
    pub tenant_id: String,
    /// Its name; none for all kinds of the tenant that are not counted apart.
    #[serde(default)]
    pub kind: Option<String>,
    /// All that ever ended.
    pub life: Spans,
    /// Those that ended within the last hour, to five minutes.
    pub last_hour: Spans,
}

/// Spans in milliseconds; percentiles are exact to a hundredth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spans {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub avg_ms: f64,
    /// Half of them are no longer.
    pub p50_ms: u64,
    /// 95 of a hundred are no longer.
    pub p95_ms: u64,
    /// 99 of a hundred are no longer.
    pub p99_ms: u64,
    /// The longest.
    pub max_ms: u64,
}
