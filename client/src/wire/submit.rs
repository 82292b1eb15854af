//! Bodies that ask for tasks: one spec with everything it may name, and the batch of them.

use serde::{Deserialize, Serialize};

use super::object;
use super::text::{Json, Str};
use super::words::{HoldPolicy, Jitter, SafetyLevel, Strategy};

/// One task to submit: the body of `POST /api/v1/tasks` and an item of a batch.
///
/// Fields marked "later" are part of the contract, but this version refuses them with `not_supported`.
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
    /// `immediate`; `deferred` comes later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub durability: Option<Str<'a>>,
    /// Later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<Json<'a>>,
    /// Later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parent_task_id: Option<Json<'a>>,
    /// Later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Json<'a>>,
    /// Later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parent_run: Option<Json<'a>>,
    /// Later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Json<'a>>,
}

/// When a task runs. This version knows the type `once`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPolicySpec<'a> {
    /// `once`; `repeat` and `cron` come later.
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    /// When the one run is due (RFC 3339).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Str<'a>>,
    /// Of `repeat`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Json<'a>>,
    /// Of `repeat`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<Json<'a>>,
    /// Of `repeat` and `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub max_occurrences: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub misfire: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub misfire_grace_ms: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub catch_up_max: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Json<'a>>,
    /// Of `cron`: later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<Json<'a>>,
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
    /// Later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub required_capabilities: Option<Json<'a>>,
    /// Later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub fairness_key: Option<Json<'a>>,
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
    /// All or none: later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atomic: Option<bool>,
}
