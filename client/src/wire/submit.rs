//! Bodies that ask for tasks: one spec with everything it may name, and the batch of them.

use serde::{Deserialize, Serialize};

use super::object;
use super::text::{Json, Str};
use super::words::{Durability, HoldPolicy, Jitter, Misfire, Overlap, SafetyLevel, Strategy};

/// One task to submit: the body of `POST /api/v1/tasks` and an item of a batch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec<'a> {
    /// Chosen by the client; minted when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Str<'a>>,
    /// Which handler: `[a-z0-9._-]{1,128}`.
    #[serde(borrow)]
    pub kind: Str<'a>,
    /// Which lane; `default` when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Str<'a>>,
    /// What the handler gets, kept byte for byte; `null` when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Json<'a>>,
    /// Opaque bytes instead of `payload`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<Str<'a>>,
    /// Media type of the payload.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<Str<'a>>,
    /// When it runs; once and now when absent.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub run_policy: Option<RunPolicySpec<'a>>,
    /// Bounds of its execution.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub constraints: Option<ConstraintsSpec<'a>>,
    /// The delays between attempts.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry: Option<RetrySpec<'a>>,
    /// Tags, priority, description.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub metadata: Option<MetadataSpec<'a>>,
    /// Submitting again with this key returns the first task.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Str<'a>>,
    /// Not started by then: canceled (RFC 3339).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Str<'a>>,
    /// W3C trace context.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Str<'a>>,
    /// The tenant's id, or `default`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
    /// `immediate` waits until the task is durable; `deferred` does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durability: Option<Durability>,
    /// At most one task that has not ended has this key.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<Str<'a>>,
    /// The task it belongs to.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parent_task_id: Option<Str<'a>>,
    /// Tasks that must be completed before its runs may start, at most 1000.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<Str<'a>>>,
    /// The running attempt that submits it as a child.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub parent_run: Option<ParentRun<'a>>,
    /// What it may spend.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub budgets: Option<Vec<BudgetSpec<'a>>>,
}

/// A running attempt that submits a child.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentRun<'a> {
    /// The run.
    #[serde(borrow)]
    pub run_id: Str<'a>,
    /// Its lease's token.
    #[serde(borrow)]
    pub token: Str<'a>,
}

/// What may be spent of one dimension: an item of a task, and the body of `POST /api/v1/tasks/{task_id}/budgets`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetSpec<'a> {
    /// `token`, `cost_cents`, `time_secs` or a name of one's own.
    #[serde(borrow)]
    pub dimension: Str<'a>,
    /// How much may be spent in a period, at least 1.
    pub limit: u64,
    /// How much each attempt holds from its claim to its finish, at most the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<u64>,
}

/// When a task runs: each type has fields of its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPolicySpec<'a> {
    /// `once`, `repeat` or `cron`.
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    /// Of `once`: when the one run is due (RFC 3339); now when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Str<'a>>,
    /// Of `repeat`: how many runs, 1..=10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Of `repeat`: milliseconds between two of them, at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<u64>,
    /// Of `repeat`: when the first is due; of `cron`: no instant before it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Str<'a>>,
    /// Of `cron`: no instant after it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Str<'a>>,
    /// Of `cron`: five fields, six with seconds, seven with a year.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<Str<'a>>,
    /// Of `cron`: an IANA time zone; `UTC` when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Str<'a>>,
    /// Of `cron`: the schedule ends after so many instants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_occurrences: Option<u64>,
    /// Of `cron`: what happens to instants that were missed; `run_once` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfire: Option<Misfire>,
    /// Of `cron`: an instant is missed when it could not fire for longer; 60000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfire_grace_ms: Option<u64>,
    /// Of `cron`: how many missed instants `run_all` catches up, 1..=1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up_max: Option<u32>,
    /// Of `cron`: what happens when the run before has not ended; `allow` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// Of `cron`: each run is due up to so many milliseconds after its instant; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u64>,
}

/// Bounds of a task's execution; what is absent has its default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstraintsSpec<'a> {
    /// Reported failures and timeouts until the run fails, 1..=1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Leases that may end without a word, 0..=1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lost_leases: Option<u32>,
    /// An attempt's deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// The lease when the claim names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<u64>,
    /// From a cancel request to the forced cancel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_grace_ms: Option<u64>,
    /// Runs with the same key share its slots.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<Str<'a>>,
    /// How many may hold the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_limit: Option<u32>,
    /// Whether waiting runs keep their slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_policy: Option<HoldPolicy>,
    /// What may happen when the outcome is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety_level: Option<SafetyLevel>,
    /// What a worker must be able to do to be granted the work.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub required_capabilities: Option<Vec<Str<'a>>>,
    /// Runs of a tenant take turns by this key.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub fairness_key: Option<Str<'a>>,
}

/// The delays between attempts; what is absent has its default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrySpec<'a> {
    /// Fixed or exponential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// The first delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_ms: Option<u64>,
    /// The factor, 1 to 1000, read to three decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<f64>,
    /// The longest delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<u64>,
    /// Whether the delay is spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
    /// Error codes that are never retried.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub non_retryable: Option<Vec<Str<'a>>>,
}

/// Tags, priority and description of a task to submit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataSpec<'a> {
    /// At most 32 of at most 64 bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Str<'a>>>,
    /// Higher first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Text for people.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Str<'a>>,
}

/// Body of `POST /api/v1/tasks/batch` in its JSON form.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmitBatch<'a> {
    /// At most 10,000.
    #[serde(borrow, deserialize_with = "object::list")]
    pub tasks: Vec<TaskSpec<'a>>,
    /// All or none, in one step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atomic: Option<bool>,
}
