//! The shapes of all bodies in a compact notation: `name type`, with `!` for required.
//!
//! Types: `string`, `integer`, `number`, `boolean`, `uuid`, `instant`, `any`, `object`, `map` (of any), a schema's name; `[T]` is
//! a list, `T?` may be null, `a|b` is one of these words.

use super::access::ACCESS;
use super::actors::ACTORS;
use super::jobs::JOBS;
use super::operators::OPERATORS;
use super::reading::READING;
use super::trail::TRAIL;
use super::workflow::WORKFLOW;

/// One schema: an object with these fields.
pub(super) struct Schema {
    pub(super) name: &'static str,
    /// Whether other fields are refused: true for what clients send.
    pub(super) closed: bool,
    pub(super) fields: &'static [&'static str],
}

pub(super) const fn sent(name: &'static str, fields: &'static [&'static str]) -> Schema {
    Schema {
        name,
        closed: true,
        fields,
    }
}

pub(super) const fn answered(name: &'static str, fields: &'static [&'static str]) -> Schema {
    Schema {
        name,
        closed: false,
        fields,
    }
}

/// Every schema that a route names, and those they name in turn.
pub(super) fn schemas() -> impl Iterator<Item = &'static Schema> {
    WORK.iter()
        .chain(WORKFLOW)
        .chain(READING)
        .chain(ACTORS)
        .chain(OPERATORS)
        .chain(ACCESS)
        .chain(TRAIL)
        .chain(JOBS)
}

/// What tasks, runs, leases and the engine are made of.
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
            "paths! object",
            "components! object",
            "security! any",
            "x-error-codes! [object]",
        ],
    ),
    sent("Reason", &["reason string?"]),
    sent("Empty", &[]),
    answered(
        "Stats",
        &[
            "total_tasks! integer",
            "total_runs! integer",
            "attempts_total! integer",
            "attempts_by_result! map",
            "runs_by_state! RunsByState",
            "latest_sequence! integer",
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
            "scheduled! integer",
            "ready! integer",
            "leased! integer",
            "running! integer",
            "retry_wait! integer",
            "suspended! integer",
            "completed! integer",
            "failed! integer",
            "canceled! integer",
        ],
    ),
    answered(
        "Engine",
        &[
            "paused! boolean",
            "since! instant?",
            "by! string?",
            "reason! string?",
            "latest_sequence! integer",
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
            "kind! string",
            "queue string?",
            "payload any",
            "payload_base64 string?",
            "content_type string?",
            "run_policy RunPolicySpec?",
            "constraints ConstraintsSpec?",
            "retry RetrySpec?",
            "metadata MetadataSpec?",
            "idempotency_key string?",
            "expires_at instant?",
            "traceparent string?",
            "tenant_id string?",
            "durability immediate|deferred?",
            "unique_key string?",
            "parent_task_id uuid?",
            "depends_on [uuid]?",
            "parent_run ParentRun?",
            "budgets [BudgetSpec]?",
        ],
    ),
    sent(
        "ConstraintsSpec",
        &[
            "max_attempts integer?",
            "max_lost_leases integer?",
            "timeout_ms integer?",
            "lease_ms integer?",
            "cancel_grace_ms integer?",
            "concurrency_key string?",
            "concurrency_limit integer?",
            "hold_policy hold_during_retry|release_on_retry?",
            "safety_level pure|idempotent|transactional?",
            "required_capabilities [string]?",
            "fairness_key string?",
        ],
    ),
    sent(
        "RetrySpec",
        &[
            "strategy fixed|exponential?",
            "initial_ms integer?",
            "multiplier number?",
            "max_ms integer?",
            "jitter full|none?",
            "non_retryable [string]?",
        ],
    ),
    sent(
        "MetadataSpec",
        &["tags [string]?", "priority integer?", "description string?"],
    ),
    sent("SubmitBatch", &["tasks! [TaskSpec]", "atomic boolean?"]),
    answered(
        "Submitted",
        &[
            "task! Task",
            "runs! [RunBrief]",
            "runs_total! integer",
            "created! boolean",
            "sequence! integer",
        ],
    ),
    answered(
        "BatchAnswer",
        &[
            "results! [BatchItem]",
            "sequence! integer",
            "durable boolean",
        ],
    ),
    answered(
        "Task",
        &[
            "id! uuid",
            "tenant_id! uuid",
            "kind! string",
            "queue! string",
            "state! string",
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
            "children_total! integer",
            "descendants_live! integer",
            "budgets! [Budget]",
            "subscriptions! [Subscription]",
            "paused boolean",
            "schedule ScheduleState",
            "runs_by_state! RunsByState",
            "runs! [RunBrief]",
            "runs_total! integer",
        ],
    ),
    answered(
        "Constraints",
        &[
            "max_attempts! integer",
            "max_lost_leases! integer",
            "timeout_ms! integer?",
            "lease_ms! integer",
            "cancel_grace_ms! integer",
            "concurrency_key! string?",
            "concurrency_limit! integer",
            "hold_policy! string",
            "safety_level! string",
            "required_capabilities [string]",
            "fairness_key! string?",
        ],
    ),
    answered(
        "Retry",
        &[
            "strategy! string",
            "initial_ms! integer",
            "multiplier! number",
            "max_ms! integer",
            "jitter! string",
            "non_retryable! [string]",
        ],
    ),
    answered(
        "Metadata",
        &["tags! [string]", "priority! integer", "description string"],
    ),
    answered(
        "TaskCanceled",
        &[
            "task_id! uuid",
            "status! canceled|already_canceled|already_terminal",
            "runs_canceled! integer",
            "runs_cancel_requested! integer",
            "runs_already_terminal! integer",
            "runs_total! integer",
            "descendants_canceled! integer",
        ],
    ),
    answered(
        "Run",
        &[
            "run_id! uuid",
            "task_id! uuid",
            "tenant_id! uuid",
            "kind! string",
            "queue! string",
            "state! string",
            "created_at! instant",
            "scheduled_at! instant",
            "attempt_count! integer",
            "failures! integer",
            "lost_leases! integer",
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
            "from! string?",
            "to! string",
            "at! instant",
            "sequence! integer",
            "cause! string",
            "actor! string?",
        ],
    ),
    answered(
        "Attempt",
        &[
            "attempt_id! uuid",
            "number! integer",
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
    sent("ResumeRun", &["payload any", "reason string?"]),
    answered(
        "Explain",
        &[
            "state! string",
            "runnable! boolean",
            "reasons! [ExplainReason]",
            "position integer",
            "would_run_when! string",
        ],
    ),
    answered(
        "ExplainReason",
        &["code! string", "message! string", "details! map"],
    ),
    sent(
        "Claim",
        &[
            "worker! string",
            "queues [string]?",
            "kinds [string]?",
            "capabilities [string]?",
            "actor_id uuid?",
            "max integer?",
            "lease_ms integer?",
            "wait_ms integer?",
            "idempotency_key string?",
        ],
    ),
    answered("ClaimAnswer", &["leases! [Lease]"]),
    answered(
        "Lease",
        &[
            "run_id! uuid",
            "task_id! uuid",
            "tenant_id! uuid",
            "attempt_id! uuid",
            "attempt! integer",
            "token! string",
            "kind! string",
            "queue! string",
            "payload any",
            "payload_base64 string",
            "content_type! string",
            "expires_at! instant",
            "lease_ms! integer",
            "deadline_at instant",
            "checkpoints! map",
            "budgets! [Budget]",
            "metadata! Metadata",
            "children [Child]",
            "children_total integer",
            "children_live integer",
            "resume_payload any",
            "traceparent string",
        ],
    ),
    sent("HeartbeatBatch", &["leases! [Heartbeat]"]),
    sent(
        "Heartbeat",
        &[
            "run_id uuid?",
            "token! string",
            "lease_ms integer?",
            "progress any",
            "tenant_id string?",
        ],
    ),
    answered("HeartbeatAnswer", &["results! [Beat]"]),
    answered(
        "Beat",
        &[
            "run_id! string",
            "expires_at instant",
            "directive continue|cancel|suspend|drain",
            "error string",
            "message string",
            "details object",
        ],
    ),
    sent("FinishBatch", &["results! [Finish]"]),
    sent(
        "Finish",
        &[
            "run_id uuid?",
            "token! string",
            "outcome! success|failure|suspended|canceled|released",
            "output any",
            "error FinishError?",
            "checkpoints map?",
            "retry_after_ms integer?",
            "reason string?",
            "consumption [AmountSpec]?",
            "children [TaskSpec]?",
            "custom_events [CustomEvent]?",
            "tenant_id string?",
        ],
    ),
    sent(
        "FinishError",
        &["code string?", "message string?", "retryable boolean?"],
    ),
    answered(
        "FinishAnswer",
        &["results! [Finished]", "sequence! integer"],
    ),
    answered(
        "Finished",
        &[
            "run_id! string",
            "state string",
            "dropped [string]",
            "error string",
            "message string",
            "details object",
        ],
    ),
    answered(
        "FinishOne",
        &[
            "run_id! uuid",
            "state! string",
            "dropped [string]",
            "sequence! integer",
        ],
    ),
    sent(
        "Checkpoint",
        &[
            "token! string",
            "name! string",
            "value! any",
            "tenant_id string?",
        ],
    ),
    answered(
        "CheckpointSaved",
        &["run_id! uuid", "name! string", "sequence! integer"],
    ),
];
