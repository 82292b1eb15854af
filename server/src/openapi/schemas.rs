//! The shapes of all bodies in a compact notation: `name type`, with `!` for required.
//!
//! Types: a kind of `kinds.rs` (`uuid`, `instant`, `name`, `count` …), `any`, `object`, `map` (of any), a schema's name; `[T]` is a
//! list, `T?` may be null, `a|b` is one of these words.

use super::access::ACCESS;
use super::actors::ACTORS;
use super::bulk::BULK;
use super::jobs::JOBS;
use super::leases::LEASES;
use super::operators::OPERATORS;
use super::reading::READING;
use super::trail::TRAIL;
use super::webhooks::WEBHOOKS;
use super::workflow::WORKFLOW;

/// What a schema is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object that clients send: other fields are refused.
    Sent,
    /// An object that clients are answered.
    Answered,
    /// One of the schemas that stand where fields would.
    OneOf,
}

/// One schema: an object with these fields, or one of several.
pub(super) struct Schema {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) fields: &'static [&'static str],
}

pub(super) const fn sent(name: &'static str, fields: &'static [&'static str]) -> Schema {
    Schema {
        name,
        shape: Shape::Sent,
        fields,
    }
}

pub(super) const fn answered(name: &'static str, fields: &'static [&'static str]) -> Schema {
    Schema {
        name,
        shape: Shape::Answered,
        fields,
    }
}

pub(super) const fn one_of(name: &'static str, schemas: &'static [&'static str]) -> Schema {
    Schema {
        name,
        shape: Shape::OneOf,
        fields: schemas,
    }
}

/// Every schema that a route names, and those they name in turn.
pub(super) fn schemas() -> impl Iterator<Item = &'static Schema> {
    WORK.iter()
        .chain(LEASES)
        .chain(WORKFLOW)
        .chain(READING)
        .chain(ACTORS)
        .chain(OPERATORS)
        .chain(ACCESS)
        .chain(TRAIL)
        .chain(BULK)
        .chain(WEBHOOKS)
        .chain(JOBS)
}

/// What tasks, runs and the engine are made of.
const WORK: &[Schema] = &[
    answered(
        "Error",
        &["error! string", "message! string", "details! object"],
    ),
    answered("Status", &["status! string"]),
    answered(
        "Document",
        &[
            "openapi! string",
            "info! object",
            "servers! [object]",
            "paths! object",
            "components! object",
            "security! any",
            "x-error-codes! [object]",
        ],
    ),
    sent("Reason", &["reason reason?"]),
    sent("Empty", &[]),
    answered(
        "Stats",
        &[
            "total_tasks! count",
            "total_runs! count",
            "attempts_total! count",
            "attempts_by_result! map",
            "runs_by_state! RunsByState",
            "latest_sequence! count",
            "paused! boolean",
            "oldest_ready_at! instant?",
            "by_queue! [PlaceCounts]",
            "by_queue_truncated! boolean",
            "execution! Execution",
            "execution_by_kind! [KindExecution]",
        ],
    ),
    answered(
        "RunsByState",
        &[
            "scheduled! count",
            "ready! count",
            "leased! count",
            "running! count",
            "retry_wait! count",
            "suspended! count",
            "completed! count",
            "failed! count",
            "canceled! count",
        ],
    ),
    answered(
        "Engine",
        &[
            "paused! boolean",
            "since! instant?",
            "by! string?",
            "reason! string?",
            "latest_sequence! count",
            "log_id! string",
            "version! string",
        ],
    ),
    answered(
        "EngineChanged",
        &["status! paused|already_paused|resumed|already_resumed"],
    ),
    sent(
        "TaskSpec",
        &[
            "id uuid?",
            "kind! name",
            "queue name?",
            "payload any",
            "payload_base64 base64?",
            "content_type content_type?",
            "run_policy RunPolicySpec?",
            "constraints ConstraintsSpec?",
            "retry RetrySpec?",
            "metadata MetadataSpec?",
            "idempotency_key idempotency_key?",
            "expires_at instant?",
            "traceparent traceparent?",
            "tenant_id tenant?",
            "durability immediate|deferred?",
            "unique_key unique_key?",
            "parent_task_id uuid?",
            "depends_on prerequisites?",
            "parent_run ParentRun?",
            "budgets budgets?",
        ],
    ),
    sent(
        "ConstraintsSpec",
        &[
            "max_attempts attempts?",
            "max_lost_leases lost_leases?",
            "timeout_ms timeout_ms?",
            "lease_ms lease_ms?",
            "cancel_grace_ms grace_ms?",
            "concurrency_key concurrency_key?",
            "concurrency_limit holders?",
            "hold_policy hold_during_retry|release_on_retry?",
            "safety_level pure|idempotent|transactional?",
            "required_capabilities some_capabilities?",
            "fairness_key fairness_key?",
        ],
    ),
    sent(
        "RetrySpec",
        &[
            "strategy fixed|exponential?",
            "initial_ms span_ms?",
            "multiplier multiplier?",
            "max_ms span_ms?",
            "jitter full|none?",
            "non_retryable retry_codes?",
        ],
    ),
    sent(
        "MetadataSpec",
        &[
            "tags tags?",
            "priority priority?",
            "description description?",
        ],
    ),
    sent("SubmitBatch", &["tasks! task_specs", "atomic boolean?"]),
    answered(
        "Submitted",
        &[
            "task! Task",
            "runs! [RunBrief]",
            "runs_total! count",
            "created! boolean",
            "sequence! count",
        ],
    ),
    answered(
        "BatchAnswer",
        &["results! [BatchItem]", "sequence! count", "durable boolean"],
    ),
    answered(
        "Task",
        &[
            "id! uuid",
            "tenant_id! uuid",
            "kind! name",
            "queue! name",
            "state! task_state",
            "payload any",
            "payload_base64 string",
            "content_type! string",
            "run_policy! RunPolicy",
            "constraints! Constraints",
            "retry! Retry",
            "metadata! Metadata",
            "idempotency_key! string?",
            "unique_key! string?",
            "expires_at! instant?",
            "traceparent! string?",
            "created_at! instant",
            "updated_at! instant?",
            "canceled_at! instant?",
            "created_by! string",
            "parent_task_id uuid",
            "depends_on! [uuid]",
            "unmet_dependencies! [uuid]",
            "children_total! count",
            "descendants_live! count",
            "budgets! [Budget]",
            "subscriptions! [Subscription]",
            "paused boolean",
            "schedule ScheduleState",
            "runs_by_state! RunsByState",
            "runs! [RunBrief]",
            "runs_total! count",
        ],
    ),
    answered(
        "Constraints",
        &[
            "max_attempts! count",
            "max_lost_leases! count",
            "timeout_ms! count?",
            "lease_ms! count",
            "cancel_grace_ms! count",
            "concurrency_key! string?",
            "concurrency_limit! count",
            "hold_policy! hold_during_retry|release_on_retry",
            "safety_level! pure|idempotent|transactional",
            "required_capabilities [string]",
            "fairness_key! string?",
        ],
    ),
    answered(
        "Retry",
        &[
            "strategy! fixed|exponential",
            "initial_ms! count",
            "multiplier! multiplier",
            "max_ms! count",
            "jitter! full|none",
            "non_retryable! [string]",
        ],
    ),
    answered(
        "Metadata",
        &["tags! [string]", "priority! priority", "description string"],
    ),
    answered(
        "TaskCanceled",
        &[
            "task_id! uuid",
            "status! canceled|already_canceled|already_terminal",
            "runs_canceled! count",
            "runs_cancel_requested! count",
            "runs_already_terminal! count",
            "runs_total! count",
            "descendants_canceled! count",
        ],
    ),
    answered(
        "Run",
        &[
            "run_id! uuid",
            "task_id! uuid",
            "tenant_id! uuid",
            "kind! name",
            "queue! name",
            "state! run_state",
            "created_at! instant",
            "scheduled_at! instant",
            "attempt_count! count",
            "failures! count",
            "lost_leases! count",
            "concurrency_key! string?",
            "current_attempt_id! uuid?",
            "state_history! [Change]",
            "attempts! [Attempt]",
            "lease! LeaseInfo?",
            "cancel_requested CancelRequested",
            "suspend_requested! boolean",
            "block_reason! string?",
            "reason! string?",
            "output! any",
            "checkpoints! map",
            "retry_at instant",
            "budgets! [Budget]",
            "origin! policy|ad_hoc|redrive",
            "occurrence instant",
            "retry_of! uuid?",
            "redriven_by uuid",
            "cleared_at instant",
        ],
    ),
    answered(
        "Change",
        &[
            "from! run_state?",
            "to! run_state",
            "at! instant",
            "sequence! count",
            "cause! string",
            "actor! string?",
        ],
    ),
    answered(
        "Attempt",
        &[
            "attempt_id! uuid",
            "number! count",
            "started_at! instant",
            "finished_at! instant?",
            "result! string?",
            "error! AttemptError?",
            "output! any",
            "worker! string",
            "consumption! [Amount]",
        ],
    ),
    answered(
        "AttemptError",
        &["code! string", "message! string", "retryable! boolean"],
    ),
    answered(
        "LeaseInfo",
        &[
            "owner! string",
            "expires_at! instant",
            "acquired_at! instant",
            "updated_at! instant",
            "progress any",
        ],
    ),
    answered(
        "CancelRequested",
        &[
            "at! instant",
            "by! string",
            "reason! string?",
            "force_at! instant",
        ],
    ),
    answered(
        "RunChanged",
        &[
            "run_id! uuid",
            "status! canceled|cancel_requested|already_canceled|already_terminal|suspend_requested|resumed",
        ],
    ),
    sent("ResumeRun", &["payload any", "reason reason?"]),
    answered(
        "Explain",
        &[
            "state! run_state",
            "runnable! boolean",
            "reasons! [ExplainReason]",
            "position count",
            "would_run_when! string",
        ],
    ),
    answered(
        "ExplainReason",
        &["code! string", "message! string", "details! map"],
    ),
];
