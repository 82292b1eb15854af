//! Every limit of the machine, in one place: each has an error that names it.
//! Owns: the numbers of domain.md's "Limits".
//! Never: a limit hidden elsewhere.

use crate::{Rejection, Text};

macro_rules! limits {
    ($($(#[doc = $meaning:literal])+ $name:ident: $type:ty = $value:expr;)+) => {
        $($(#[doc = $meaning])+ pub const $name: $type = $value;)+

        /// Every limit with its meaning and its value, in the order of this file: the reference is written from it.
        pub const ALL: &[(&str, &str, u64)] =
            &[$((stringify!($name), concat!($($meaning),+), $name as u64)),+];
    };
}

limits! {
    /// Characters of a kind, a queue or another name.
    NAME_CHARS_MAX: usize = 128;
    /// Bytes of an idempotency key.
    IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
    /// Bytes of a concurrency key.
    CONCURRENCY_KEY_BYTES_MAX: usize = 255;
    /// Bytes of a worker's name.
    WORKER_BYTES_MAX: usize = 255;
    /// Bytes of a payload unless configured higher.
    PAYLOAD_BYTES_DEFAULT: usize = 1 << 20;
    /// Bytes of a payload at most, whatever is configured.
    PAYLOAD_BYTES_MAX: usize = 16 << 20;
    /// Payloads up to this many bytes stay inside their task's row; larger ones are stored by themselves.
    PAYLOAD_INLINE_BYTES: usize = 64;
    /// Bytes of one request body that creates a single task.
    TASK_BODY_BYTES_MAX: usize = 3 << 19;
    /// Bytes of a batch, finish or NDJSON body.
    BATCH_BODY_BYTES_MAX: usize = 64 << 20;
    /// Items of one batch.
    BATCH_ITEMS_MAX: usize = 10_000;
    /// Leases of one claim.
    CLAIM_LEASES_MAX: u32 = 1000;
    /// Queues or kinds named by one claim.
    CLAIM_FILTER_MAX: usize = 1000;
    /// Pairs of a queue and a kind that one claim looks at.
    CLAIM_PLACES_MAX: usize = 4096;
    /// Bytes of payloads, memos and resume payloads in one claim's answer; beyond them it carries fewer leases.
    CLAIM_BYTES_MAX: usize = 16 << 20;
    /// Milliseconds a claim may wait.
    CLAIM_WAIT_MS_MAX: u64 = 60_000;
    /// Bytes of one frame's body.
    FRAME_BYTES_MAX: usize = 64 << 20;
    /// Named checkpoints of one run.
    CHECKPOINTS_MAX: usize = 1000;
    /// Bytes of all checkpoints of one run.
    CHECKPOINT_BYTES_MAX: usize = 16 << 20;
    /// Bytes of a checkpoint's name.
    CHECKPOINT_NAME_BYTES_MAX: usize = 255;
    /// Bytes of an error's message.
    ERROR_MESSAGE_BYTES_MAX: usize = 8 << 10;
    /// Bytes of an error's code.
    ERROR_CODE_BYTES_MAX: usize = 128;
    /// Bytes of a reason given by a person or a handler.
    REASON_BYTES_MAX: usize = 1 << 10;
    /// Bytes of a worker's progress note.
    PROGRESS_BYTES_MAX: usize = 4 << 10;
    /// Tags of a task.
    TAGS_MAX: usize = 32;
    /// Bytes of a tag.
    TAG_BYTES_MAX: usize = 64;
    /// Bytes of a description.
    DESCRIPTION_BYTES_MAX: usize = 4 << 10;
    /// Bytes of a media type.
    CONTENT_TYPE_BYTES_MAX: usize = 255;
    /// Bytes of a traceparent.
    TRACEPARENT_BYTES_MAX: usize = 255;
    /// Codes of a retry policy that are never retried.
    NON_RETRYABLE_MAX: usize = 100;
    /// Attempts a live row keeps, besides their count.
    ATTEMPTS_KEPT: usize = 50;
    /// State changes a live row keeps, besides their count.
    HISTORY_KEPT: usize = 100;
    /// Attempts of a run.
    ATTEMPTS_MAX: u32 = 1000;
    /// Lost leases of a run.
    LOST_LEASES_MAX: u32 = 1000;
    /// Holders of a concurrency key.
    CONCURRENCY_LIMIT_MAX: u32 = 1_000_000;
    /// Milliseconds of the shortest lease.
    LEASE_MS_MIN: u64 = 1000;
    /// Milliseconds of the longest lease.
    LEASE_MS_MAX: u64 = 86_400_000;
    /// Milliseconds of the longest grace after a cancel request.
    CANCEL_GRACE_MS_MAX: u64 = 86_400_000;
    /// Milliseconds of the longest span of a policy: ten years.
    SPAN_MS_MAX: u64 = 315_360_000_000;
    /// A renewal beyond this many milliseconds is an event; shorter ones live in memory.
    RENEWAL_EVENT_MS: u64 = 300_000;
    /// Milliseconds an idempotency key is held at least, and after its task's end.
    KEY_HELD_MS: u64 = 86_400_000;
    /// Alarms one tick works off; the rest waits for the next.
    TICK_ALARMS_MAX: usize = 1000;
    /// Names of queues and kinds that a tenant uses.
    NAMES_PER_TENANT_MAX: usize = 10_000;
    /// Tenants of a data directory.
    TENANTS_MAX: usize = 10_000;
    /// The largest share of a tenant or queue.
    WEIGHT_MAX: u32 = 1000;
    /// Runs of a task that one answer shows.
    RUNS_SHOWN_MAX: usize = 1000;
    /// Runs of one repeat.
    REPEAT_COUNT_MAX: u32 = 10_000;
    /// Runs that one request makes, over all its tasks.
    RUNS_PER_REQUEST_MAX: usize = 100_000;
    /// Bytes of a cron expression or time zone.
    EXPRESSION_BYTES_MAX: usize = 255;
    /// Missed instants that a schedule catches up at most.
    CATCH_UP_MAX: u32 = 1000;
    /// Instants after which a schedule may be made to end.
    OCCURRENCES_MAX: u64 = 1_000_000;
    /// Milliseconds by which a schedule may spread its runs: a day.
    JITTER_MS_MAX: u64 = 86_400_000;
    /// Schedules that one tick moves on; the rest waits for the next.
    SCHEDULES_PER_TICK: usize = 64;
    /// Prerequisites of a task.
    DEPENDS_ON_MAX: usize = 1000;
    /// Tasks that the search for a wait in a circle visits; a graph in which it would take more is refused.
    DEPENDENCY_VISITS_MAX: usize = 10_000;
    /// Tasks that all such searches for the tasks of one request visit together.
    DEPENDENCY_VISITS_PER_REQUEST_MAX: usize = 1_000_000;
    /// Children submitted with one finish.
    CHILDREN_PER_FINISH_MAX: usize = 1000;
    /// Prerequisites that the children of one finish name together.
    DEPENDENCIES_PER_FINISH_MAX: usize = 10_000;
    /// Prerequisites that the tasks of one atomic batch name together.
    DEPENDENCIES_PER_BATCH_MAX: usize = 100_000;
    /// Bytes of the tasks that one request makes together, all or none: they lie in one frame, beside the events about their runs.
    TASKS_BYTES_PER_REQUEST_MAX: usize = 40 << 20;
    /// Children that a claim of their parent shows.
    CHILDREN_SHOWN_MAX: usize = 100;
    /// Generations of tasks, the first included.
    HIERARCHY_DEPTH_MAX: u32 = 8;
    /// Consequences of one command that are drawn at once; the rest follows with the next ticks.
    CASCADE_MAX: usize = 1000;
    /// Bytes of children's outputs in one grant of their parent; further ones are to be looked up by their task.
    CHILD_OUTPUT_BYTES_MAX: usize = 4 << 20;
    /// Runs below a canceled task that a claim itself calls off when it meets them; the rest is left to the next tick.
    CLAIM_SWEEP_MAX: usize = 256;
    /// Budgets of a task or tenant.
    BUDGETS_MAX: usize = 32;
    /// The largest limit, reserve or use of a budget.
    BUDGET_LIMIT_MAX: u64 = 1 << 60;
    /// Live subscriptions of a task.
    SUBSCRIPTIONS_MAX: usize = 1000;
    /// Subscriptions to one thing: one task's end, one state of its runs, one threshold, one key.
    WATCHERS_MAX: usize = 10_000;
    /// Bytes of a custom event's key.
    EVENT_KEY_BYTES_MAX: usize = 255;
    /// Custom events published with one finish.
    CUSTOM_EVENTS_PER_FINISH_MAX: usize = 1000;
    /// Capabilities named by a task or a claim.
    CAPABILITIES_MAX: usize = 100;
    /// Bytes of a capability's name.
    CAPABILITY_BYTES_MAX: usize = 128;
    /// Different sets of required capabilities of a tenant's tasks in memory.
    CAPABILITY_SETS_MAX: usize = 1000;
    /// Bytes of a fairness key.
    FAIRNESS_KEY_BYTES_MAX: usize = 128;
    /// Bytes of a unique key.
    UNIQUE_KEY_BYTES_MAX: usize = 255;
    /// Kinds of a tenant whose times are kept apart; those of all others are kept together.
    KINDS_TIMED_MAX: u32 = 1000;
    /// Kinds whose times one answer shows.
    KINDS_SHOWN_MAX: usize = 100;
    /// Queues that are measured by name; all others are measured together.
    QUEUES_MEASURED_MAX: usize = 100;
    /// Tenants that are measured by name; all others are measured together.
    TENANTS_MEASURED_MAX: usize = 50;
    /// Lanes whose oldest run is looked at when everything is measured.
    LANES_MEASURED_MAX: usize = 4096;
    /// Budgets whose waiting runs are counted when everything is measured.
    WAITS_MEASURED_MAX: usize = 4096;
    /// Places that one answer shows.
    PLACES_SHOWN_MAX: usize = 10_000;
    /// Ready runs ahead that `explain` counts before it says "at least".
    POSITION_MAX: u64 = 100_000;
    /// Different claims that are remembered, to tell work that nobody asks for.
    WORKERS_KNOWN_MAX: usize = 256;
    /// Milliseconds for which a claim is remembered: five minutes, longer than any claim waits.
    WORKERS_KNOWN_MS: u64 = 300_000;
    /// Runs that `explain` goes through to foresee a claim; beyond them it judges a run by itself.
    FORESEE_STEPS_MAX: usize = 10_000;
    /// Rows of one page of a list.
    LIST_LIMIT_MAX: u32 = 1000;
    /// Rows that a list skips at most; beyond them only a cursor goes.
    LIST_OFFSET_MAX: u32 = 100_000;
    /// Rows that do not match which one page of a list visits; beyond them it ends short, with a cursor.
    LIST_VISITS_MAX: usize = 10_000;
    /// Registered actors of a tenant.
    ACTORS_MAX: usize = 10_000;
    /// Bytes of an actor's identity.
    IDENTITY_BYTES_MAX: usize = 255;
    /// Milliseconds of an actor's shortest heartbeat interval.
    HEARTBEAT_INTERVAL_MS_MIN: u64 = 1000;
    /// Milliseconds of an actor's longest heartbeat interval: a day.
    HEARTBEAT_INTERVAL_MS_MAX: u64 = 86_400_000;
    /// Keys of a tenant that were not revoked; of no tenant as many.
    KEYS_PER_TENANT_MAX: usize = 1000;
    /// Revoked keys of a tenant that are still known.
    REVOKED_KEYS_KEPT: usize = 1000;
    /// Roles of a tenant's own.
    ROLES_PER_TENANT_MAX: usize = 100;
    /// Actors of a tenant that were given roles or capabilities besides their keys' roles.
    ACTORS_GRANTED_MAX: usize = 10_000;
    /// Bytes of a plan that waits for approval.
    PLAN_BYTES_MAX: usize = 64 << 10;
    /// Plans of a tenant that wait for approval.
    APPROVALS_MAX: usize = 1000;
    /// Operations of a tenant that go on at the same time.
    OPERATIONS_RUNNING_MAX: usize = 100;
    /// Operations of a tenant that are over and still known.
    OPERATIONS_KEPT: usize = 1000;
    /// Runs that one piece of an operation acts on.
    OPERATION_PIECE_MAX: usize = 500;
    /// Bytes of payloads that one piece of an operation brings back, beyond its first run.
    OPERATION_PIECE_BYTES_MAX: usize = 4 << 20;
    /// Refused runs that an operation names.
    OPERATION_REFUSED_SHOWN_MAX: usize = 100;
    /// Webhooks of a tenant.
    WEBHOOKS_MAX: usize = 100;
    /// Bytes of a webhook's URL.
    WEBHOOK_URL_BYTES_MAX: usize = 2048;
    /// Types of events, queues or kinds that a webhook names.
    WEBHOOK_FILTER_MAX: usize = 100;
    /// Pending deliveries of a webhook; beyond them it is not told of further events until some have ended.
    DELIVERIES_PENDING_MAX: usize = 1000;
    /// Ended deliveries of a webhook that are still shown.
    DELIVERIES_KEPT: usize = 200;
    /// Attempts of one report of what was sent to a webhook.
    REPORTED_MAX: usize = 256;
    /// Depth of JSON in a body.
    JSON_DEPTH_MAX: usize = 64;
}

/// Steps of a flow's definition, those within loops included.
pub const FLOW_STEPS_MAX: usize = 10_000;
/// Runs of a flow that one of its steps may stand for at once.
pub const FLOW_RUNS_MAX: usize = 10_000;
/// Iterations of a loop.
pub const FLOW_ITERATIONS_MAX: usize = 10_000;
/// Characters of the name of a flow's step.
pub const STEP_NAME_CHARS_MAX: usize = 64;

/// What a name must be, for those who are refused.
pub const NAME_FORM: &str = "must match [a-z0-9._-]{1,128}";

/// Whether a text is a name, of a kind, a queue, a dimension and so on: `[a-z0-9._-]{1,128}`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    !text.is_empty() && text.len() <= NAME_CHARS_MAX && text.bytes().all(allowed)
}

/// A name's form, for every command but submits that takes one.
pub(crate) fn check_name(field: &'static str, name: &str) -> Result<(), Rejection> {
    if is_name(name) {
        return Ok(());
    }
    Err(Rejection::InvalidRequest {
        field,
        message: NAME_FORM.into(),
    })
}

/// A lease's bounds, for every command that takes one.
pub(crate) fn check_lease_ms(lease_ms: Option<u64>) -> Result<(), Rejection> {
    if lease_ms.is_some_and(|ms| !(LEASE_MS_MIN..=LEASE_MS_MAX).contains(&ms)) {
        return Err(Rejection::InvalidRequest {
            field: "lease_ms",
            message: "must be between 1000 and 86400000".into(),
        });
    }
    Ok(())
}

/// A reason's limit, for every command that takes one.
pub(crate) fn check_reason(reason: Option<&Text>) -> Result<(), Rejection> {
    if reason.is_some_and(|reason| reason.len() > REASON_BYTES_MAX) {
        return Err(Rejection::LimitExceeded {
            limit: "reason_bytes",
            value: REASON_BYTES_MAX as u64,
        });
    }
    Ok(())
}
