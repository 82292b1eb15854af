//! Answers of the task routes: a task as it is shown, and what became of a submit, a batch, a cancel.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::budget::BudgetView;
use super::words::{
    HoldPolicy, Jitter, Misfire, Overlap, RunState, SafetyLevel, Strategy, TaskState,
};

/// One run in a task's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunBrief {
    /// The run.
    pub run_id: String,
    /// Where it stands.
    pub state: RunState,
    /// When it is or was due.
    pub scheduled_at: String,
}

/// Answer of `POST /api/v1/tasks`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubmitAnswer {
    /// The task.
    pub task: Task,
    /// Its runs in order, at most the first 1000.
    pub runs: Vec<RunBrief>,
    /// How many runs it has.
    pub runs_total: u32,
    /// False when the idempotency key found the task already there.
    pub created: bool,
    /// The log position that the answer reflects.
    pub sequence: u64,
}

/// Answer of `POST /api/v1/tasks` with `durability: deferred`: the task is seen by nobody before it is on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubmitDeferred {
    /// The task.
    pub task: TaskNamed,
    /// Its runs in order, at most the first 1000.
    pub runs: Vec<RunBrief>,
    /// How many runs it has.
    pub runs_total: u32,
    /// False when a key found the task already there.
    pub created: bool,
    /// Whether it is on disk: a task that was found is.
    #[serde(default = "yes")]
    pub durable: bool,
    /// The log position at which it will be durable.
    pub sequence: u64,
}

fn yes() -> bool {
    true
}

/// A task's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskNamed {
    /// The task.
    pub id: String,
}

/// Answer of `POST /api/v1/tasks/batch`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchAnswer {
    /// One per item, in order.
    pub results: Vec<BatchItem>,
    /// The log position that the answer reflects.
    pub sequence: u64,
    /// Whether that position is on disk: not when every task asked not to wait for it.
    #[serde(default = "yes")]
    pub durable: bool,
}

/// What became of one item: a task with its runs, or an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchItem {
    /// 201 created, 202 created but not on disk yet, 200 found by its key, or the error's status.
    pub status: u16,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// Its runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run_ids: Vec<String>,
    /// The error's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The error in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The error's details.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// Answer of `POST /api/v1/tasks/{task_id}/cancel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCanceled {
    /// The task.
    pub task_id: String,
    /// `canceled`, `already_canceled` or `already_terminal`.
    pub status: String,
    /// Runs canceled at once.
    pub runs_canceled: u32,
    /// Running runs whose workers are told.
    pub runs_cancel_requested: u32,
    /// Runs that had ended before.
    pub runs_already_terminal: u32,
    /// All its runs.
    pub runs_total: u32,
    /// Descendants that had not ended: they are fenced at once.
    pub descendants_canceled: u64,
}

/// Counts of runs by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunsByState {
    /// Not due yet.
    pub scheduled: u64,
    /// Waiting for a worker.
    pub ready: u64,
    /// Granted, not begun.
    pub leased: u64,
    /// A worker is on it.
    pub running: u64,
    /// Waiting for the next attempt.
    pub retry_wait: u64,
    /// Set aside.
    pub suspended: u64,
    /// Ended well.
    pub completed: u64,
    /// Ended badly.
    pub failed: u64,
    /// Called off.
    pub canceled: u64,
}

/// A task as it is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Which handler.
    pub kind: String,
    /// Which lane.
    pub queue: String,
    /// Derived from its runs.
    pub state: TaskState,
    /// What the handler gets; absent for `null` and for bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Box<RawValue>>,
    /// Opaque bytes instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<String>,
    /// Media type of the payload.
    pub content_type: String,
    /// When it runs.
    pub run_policy: RunPolicyView,
    /// Bounds of its execution.
    pub constraints: ConstraintsView,
    /// The delays between attempts.
    pub retry: RetryView,
    /// Tags, priority, description.
    pub metadata: MetadataView,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
    /// At most one task that has not ended has this key.
    #[serde(default)]
    pub unique_key: Option<String>,
    /// Not started by then: canceled.
    pub expires_at: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// When it was accepted.
    pub created_at: String,
    /// When it was last changed; `None` until then.
    pub updated_at: Option<String>,
    /// When it was canceled.
    pub canceled_at: Option<String>,
    /// By whom it was submitted.
    pub created_by: String,
    /// The task it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_task_id: Option<String>,
    /// What it was ever made to depend on.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Of these, the ones that are not completed.
    #[serde(default)]
    pub unmet_dependencies: Vec<String>,
    /// Children it ever had.
    #[serde(default)]
    pub children_total: u32,
    /// Descendants of every generation that have not ended.
    #[serde(default)]
    pub descendants_live: u32,
    /// What it may spend.
    #[serde(default)]
    pub budgets: Vec<BudgetView>,
    /// What it waits to hear of.
    #[serde(default)]
    pub subscriptions: Vec<SubscriptionView>,
    /// Whether somebody stopped its schedule for a while; of cron tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Where its schedule stands; of cron tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleView>,
    /// Its runs by state.
    pub runs_by_state: RunsByState,
    /// Its runs in order, at most the first 1000.
    pub runs: Vec<RunBrief>,
    /// How many runs it has.
    pub runs_total: u32,
}

/// When a task runs, as shown: the fields of its type, with every default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPolicyView {
    /// `once`, `repeat` or `cron`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When the one run is or was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<String>,
    /// How many runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Milliseconds between two of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<u64>,
    /// When the first is due, or no instant before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<String>,
    /// No instant after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<String>,
    /// The cron expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Its time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The schedule ends after so many instants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_occurrences: Option<u64>,
    /// What happens to missed instants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfire: Option<Misfire>,
    /// When an instant is missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfire_grace_ms: Option<u64>,
    /// How many missed instants `run_all` catches up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up_max: Option<u32>,
    /// What happens when the run before has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// Each run is due up to so many milliseconds after its instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u64>,
}

/// Where a cron task's schedule stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// Whether it makes no more runs.
    pub ended: bool,
    /// Instants that came to a run, were missed or were skipped.
    pub occurrences: u64,
    /// The instant of its one future run.
    pub next: Option<String>,
}

/// One thing a task waits to hear of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubscriptionView {
    /// Its id.
    pub subscription_id: String,
    /// What it waits for, as it was asked for.
    pub filter: serde_json::Map<String, serde_json::Value>,
    /// How often it released or resumed a run.
    pub triggered: u64,
}

/// Bounds of a task's execution, as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstraintsView {
    /// Reported failures and timeouts until the run fails.
    pub max_attempts: u32,
    /// Leases that may end without a word.
    pub max_lost_leases: u32,
    /// An attempt's deadline.
    pub timeout_ms: Option<u64>,
    /// The lease when the claim names none.
    pub lease_ms: u64,
    /// From a cancel request to the forced cancel.
    pub cancel_grace_ms: u64,
    /// Runs with the same key share its slots.
    pub concurrency_key: Option<String>,
    /// How many may hold the key.
    pub concurrency_limit: u32,
    /// Whether waiting runs keep their slot.
    pub hold_policy: HoldPolicy,
    /// What may happen when the outcome is unknown.
    pub safety_level: SafetyLevel,
    /// What a worker must be able to do; absent for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_capabilities: Option<Vec<String>>,
    /// Runs of a tenant take turns by this key.
    #[serde(default)]
    pub fairness_key: Option<String>,
}

/// The delays between attempts, as shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetryView {
    /// Fixed or exponential.
    pub strategy: Strategy,
    /// The first delay.
    pub initial_ms: u64,
    /// The factor.
    pub multiplier: f64,
    /// The longest delay.
    pub max_ms: u64,
    /// Whether the delay is spread.
    pub jitter: Jitter,
    /// Error codes that are never retried.
    pub non_retryable: Vec<String>,
}

/// Tags, priority and description, as shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataView {
    /// Its tags.
    pub tags: Vec<String>,
    /// Higher first.
    pub priority: i32,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
