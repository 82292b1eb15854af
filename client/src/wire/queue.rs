//! Bodies about queues: what is set, and what is counted.

use serde::{Deserialize, Serialize};

use super::object;
use super::task::RunsByState;
use super::text::Str;

/// So many starts within any span of so many milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// The span, at least 1.
    pub per_ms: u64,
    /// Starts within it, at least 1.
    pub max: u64,
}

/// Body of `PUT /api/v1/queues/{name}`: what is absent is not limited any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings<'a> {
    /// How many of its runs workers may hold at once, at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_limit: Option<u32>,
    /// How fast its runs may be started.
    #[serde(
        default,
        deserialize_with = "object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub rate_limit: Option<RateLimit>,
    /// Its share among the queues of one claim, 1..=1000; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

fn one() -> u32 {
    1
}

/// Runs of one kind in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCounts {
    /// The kind.
    pub kind: String,
    /// Its runs there; terminal states count for life.
    pub runs_by_state: RunsByState,
}

/// Runs of one kind in one queue, as the counters show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceCounts {
    /// The queue.
    pub queue: String,
    /// The kind.
    pub kind: String,
    /// Its tenant; for system keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Its runs there; terminal states count for life.
    pub runs_by_state: RunsByState,
}

/// A queue with its settings and counts: a row of `GET /api/v1/queues`, and the answer of `GET` and `PUT /api/v1/queues/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueCounts {
    /// Its name.
    pub name: String,
    /// Its tenant; for system keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// How many of its runs workers may hold at once.
    #[serde(default)]
    pub concurrency_limit: Option<u32>,
    /// How fast its runs may be started.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// Its share among the queues of one claim.
    #[serde(default = "one")]
    pub weight: u32,
    /// Whether nothing is granted from it.
    #[serde(default)]
    pub paused: bool,
    /// Since when it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<String>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_reason: Option<String>,
    /// Its runs that workers hold.
    #[serde(default)]
    pub held: u64,
    /// All its runs; terminal states count for life.
    pub runs_by_state: RunsByState,
    /// The same by kind.
    pub kinds: Vec<KindCounts>,
}

/// `GET /api/v1/queues`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueList {
    /// By name.
    pub queues: Vec<QueueCounts>,
    /// Whether there are more queues and kinds than are shown.
    #[serde(default)]
    pub truncated: bool,
}
