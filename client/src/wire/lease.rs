//! Bodies of the worker routes: claim, heartbeat, finish, checkpoint.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::budget::{Amount, BudgetView};
use super::object;
use super::submit::TaskSpec;
use super::text::{Json, Str};
use super::words::{Directive, FinishOutcome, RunState, TaskState};

/// Body of `POST /api/v1/leases`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim<'a> {
    /// Who works.
    #[serde(borrow)]
    pub worker: Str<'a>,
    /// The queues to take from; `["default"]` when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<Vec<Str<'a>>>,
    /// Only these kinds; every kind when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<Str<'a>>>,
    /// What the worker is able to do: work that needs more is left alone.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<Str<'a>>>,
    /// The registered actor that works: its capabilities are those of the claim, unless fewer are named.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Str<'a>>,
    /// How many at most, 1..=1000; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The lease; the task's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<u64>,
    /// How long to wait for work, 0..=60000; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// Repeating the claim with this key returns the same leases, as far as they still live.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Str<'a>>,
}

/// Answer of `POST /api/v1/leases`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClaimAnswer {
    /// The leases granted; empty when nothing came in time or while paused.
    pub leases: Vec<Lease>,
}

/// One granted lease, with all a handler needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lease {
    /// The run.
    pub run_id: String,
    /// Its task.
    pub task_id: String,
    /// The run's tenant.
    #[serde(default)]
    pub tenant_id: String,
    /// The attempt's id.
    pub attempt_id: String,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Every call about this lease carries it.
    pub token: String,
    /// Which handler.
    pub kind: String,
    /// Which lane.
    pub queue: String,
    /// What the handler gets; absent for `null` and for bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Box<RawValue>>,
    /// Opaque bytes instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<String>,
    /// Media type of the payload.
    pub content_type: String,
    /// When the lease ends unless renewed.
    pub expires_at: String,
    /// The lease in milliseconds: what a heartbeat renews by.
    pub lease_ms: u64,
    /// When the attempt times out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_at: Option<String>,
    /// Memos of earlier attempts by name.
    #[serde(default)]
    pub checkpoints: BTreeMap<String, Box<RawValue>>,
    /// The budgets that cover the run.
    #[serde(default)]
    pub budgets: Vec<BudgetView>,
    /// The task's children, at most the first 100 of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Child>>,
    /// How many children the task has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children_total: Option<u32>,
    /// How many of them have not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children_live: Option<u32>,
    /// Tags, priority, description.
    pub metadata: LeaseMetadata,
    /// What the resume handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_payload: Option<Box<RawValue>>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A child of a lease's task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Child {
    /// The child.
    pub task_id: String,
    /// Where it stands.
    pub state: TaskState,
    /// What its last completed run produced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Box<RawValue>>,
}

/// A task's metadata, as a lease carries it.
pub type LeaseMetadata = super::task::MetadataView;

/// Body of `POST /api/v1/leases/heartbeat`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatBatch<'a> {
    /// At most 10,000.
    #[serde(borrow, deserialize_with = "object::list")]
    pub leases: Vec<Heartbeat<'a>>,
}

/// "I am still on it": an item of the batch, and without `run_id` the body of `POST /api/v1/runs/{run_id}/heartbeat`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat<'a> {
    /// The run; required in a batch.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Str<'a>>,
    /// The lease's token.
    #[serde(borrow)]
    pub token: Str<'a>,
    /// The new lease from now on; the lease's first length when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<u64>,
    /// A note on progress.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Json<'a>>,
    /// The run's tenant, as a claim over all tenants told it; for system keys.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
}

/// Answer of `POST /api/v1/leases/heartbeat`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// One per item, in order.
    pub results: Vec<Beat>,
}

/// What became of one heartbeat: `error` is set, or the two others are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The run.
    pub run_id: String,
    /// When the lease ends unless renewed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directive: Option<Directive>,
    /// `lease_lost`, or what was wrong with the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The error in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Body of `POST /api/v1/leases/finish`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinishBatch<'a> {
    /// At most 10,000.
    #[serde(borrow, deserialize_with = "object::list")]
    pub results: Vec<Finish<'a>>,
}

/// The end of one attempt: an item of the batch, and without `run_id` the body of `POST /api/v1/runs/{run_id}/finish`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finish<'a> {
    /// The run; required in a batch.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Str<'a>>,
    /// The lease's token.
    #[serde(borrow)]
    pub token: Str<'a>,
    /// How it ended.
    pub outcome: FinishOutcome,
    /// What it produced.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Json<'a>>,
    /// What went wrong; a failure without one gets code `failed`, retryable.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub error: Option<FinishError<'a>>,
    /// Memos saved together with the outcome, by name.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::unique",
        skip_serializing_if = "Option::is_none"
    )]
    pub checkpoints: Option<BTreeMap<Str<'a>, Json<'a>>>,
    /// Overrides the retry policy's delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Why it suspends, cancels or releases.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
    /// What the attempt used and has not reported yet.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub consumption: Option<Vec<Amount<'a>>>,
    /// Tasks submitted with the outcome as children of the run's task; only with success and suspended.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub children: Option<Vec<TaskSpec<'a>>>,
    /// Events published with the outcome; only with success and suspended.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub custom_events: Option<Vec<CustomEvent<'a>>>,
    /// The run's tenant, as a claim over all tenants told it; for system keys.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
}

impl<'a> Finish<'a> {
    /// An end with this outcome and nothing else.
    #[must_use]
    pub fn new(
        run_id: impl Into<Str<'a>>,
        token: impl Into<Str<'a>>,
        outcome: FinishOutcome,
    ) -> Finish<'a> {
        Finish {
            run_id: Some(run_id.into()),
            token: token.into(),
            outcome,
            output: None,
            error: None,
            checkpoints: None,
            retry_after_ms: None,
            reason: None,
            consumption: None,
            children: None,
            custom_events: None,
            tenant_id: None,
        }
    }
}

/// What went wrong, in the worker's words.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinishError<'a> {
    /// A stable code; `failed` when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Str<'a>>,
    /// Text for people.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Str<'a>>,
    /// Whether another attempt may help; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
}

/// An event of one's own: an item of a finish, and the body of `POST /api/v1/custom-events`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomEvent<'a> {
    /// Its key, 1..=255 bytes.
    #[serde(borrow)]
    pub key: Str<'a>,
    /// What it says.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Json<'a>>,
}

/// Answer of `POST /api/v1/leases/finish`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FinishAnswer {
    /// One per item, in order.
    pub results: Vec<Finished>,
    /// The log position that the answer reflects.
    pub sequence: u64,
}

/// What became of one finish: `state` is set, or `error` is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// The run.
    pub run_id: String,
    /// Where the run stands after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// What a suspension carried that was not begun, because the run was to be canceled and is: `children`, `custom_events`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// The error's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The error in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Answer of `POST /api/v1/runs/{run_id}/finish`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishOne {
    /// The run.
    pub run_id: String,
    /// Where the run stands after it.
    pub state: RunState,
    /// As in [`Finished::dropped`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// The log position that the answer reflects.
    pub sequence: u64,
}

/// Body of `POST /api/v1/runs/{run_id}/checkpoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint<'a> {
    /// The lease's token.
    #[serde(borrow)]
    pub token: Str<'a>,
    /// The memo's name.
    #[serde(borrow)]
    pub name: Str<'a>,
    /// The memo.
    #[serde(borrow)]
    pub value: Json<'a>,
    /// The run's tenant, as a claim over all tenants told it; for system keys.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
}
