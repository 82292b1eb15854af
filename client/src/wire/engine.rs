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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Tasks ever accepted; counted over all tenants, so for system keys only.
    #[serde(default)]
    pub total_tasks: Option<u64>,
    /// Runs ever created.
    pub total_runs: u64,
    /// Attempts ever started; counted over all tenants, so for system keys only.
    #[serde(default)]
    pub attempts_total: Option<u64>,
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
}
