//! Bodies of lists, SQL and queues.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::task::{ConstraintsView, MetadataView, RunPolicyView};
use super::text::Str;
use super::words::{RunState, TaskState};

/// A task in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Its id.
    pub id: String,
    /// Its tenant; for system keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Which handler.
    pub kind: String,
    /// Which lane.
    pub queue: String,
    /// When it runs.
    pub run_policy: RunPolicyView,
    /// Bounds of its execution.
    pub constraints: ConstraintsView,
    /// Tags, priority, description.
    pub metadata: MetadataView,
    /// When it was accepted.
    pub created_at: String,
    /// When it was last changed; `None` until then.
    pub updated_at: Option<String>,
    /// Its parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_task_id: Option<String>,
    /// Derived from its runs.
    pub state: TaskState,
}

/// `GET /api/v1/tasks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskList {
    /// The rows: priority, highest first, then creation, then id.
    pub tasks: Vec<TaskSummary>,
    /// Rows at most.
    pub limit: u32,
    /// Rows skipped.
    pub offset: u32,
    /// Where the next page begins; `None` at the end. A page may be short and have one.
    pub next_cursor: Option<String>,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub run_id: String,
    /// Its task.
    pub task_id: String,
    /// Its tenant; for system keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Which handler.
    pub kind: String,
    /// Which lane.
    pub queue: String,
    /// Where it stands.
    pub state: RunState,
    /// When it was made.
    pub created_at: String,
    /// When it is or was due.
    pub scheduled_at: String,
    /// Grants so far.
    pub attempt_count: u32,
    /// Its concurrency key.
    pub concurrency_key: Option<String>,
}

/// `GET /api/v1/runs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunList {
    /// The rows: due first, then by id.
    pub runs: Vec<RunSummary>,
    /// Rows at most.
    pub limit: u32,
    /// Rows skipped.
    pub offset: u32,
    /// Where the next page begins; `None` at the end. A page may be short and have one.
    pub next_cursor: Option<String>,
}

/// Body of `POST /api/v1/query`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryBody<'a> {
    /// One `SELECT` or `WITH … SELECT` over the documented views.
    #[serde(borrow)]
    pub sql: Str<'a>,
    /// Values of `?1`, `?2`, …: null, true, false, numbers, strings, `{"base64": "…"}` for bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Vec<Value>>,
    /// Rows at most, 1..=10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `POST /api/v1/query`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryAnswer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with as many values as there are columns. Bytes are `{"base64": "…"}`.
    pub rows: Vec<Vec<Value>>,
    /// Whether there would be more rows.
    pub truncated: bool,
    /// The last event that the answer reflects.
    pub checkpoint_sequence: u64,
}

/// A body without fields.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}
