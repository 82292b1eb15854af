//! Every limit of the machine, in one place: each has an error that names it.
//! Owns: the numbers of domain.md's "Limits".
//! Never: a limit hidden elsewhere.

use crate::{Rejection, Text};

/// Characters of a kind, a queue or another name.
pub const NAME_CHARS_MAX: usize = 128;
/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Bytes of a concurrency key.
pub const CONCURRENCY_KEY_BYTES_MAX: usize = 255;
/// Bytes of a worker's name.
pub const WORKER_BYTES_MAX: usize = 255;
/// Bytes of a payload unless configured higher.
pub const PAYLOAD_BYTES_DEFAULT: usize = 1 << 20;
/// Bytes of a payload at most, whatever is configured.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;
/// Payloads up to this many bytes stay inside their task's row; larger ones are stored by themselves.
pub const PAYLOAD_INLINE_BYTES: usize = 64;
/// Bytes of one request body that creates a single task.
pub const TASK_BODY_BYTES_MAX: usize = 3 << 19;
/// Bytes of a batch, finish or NDJSON body.
pub const BATCH_BODY_BYTES_MAX: usize = 64 << 20;
/// Items of one batch.
pub const BATCH_ITEMS_MAX: usize = 10_000;
/// Leases of one claim.
pub const CLAIM_LEASES_MAX: u32 = 1000;
/// Queues or kinds named by one claim.
pub const CLAIM_FILTER_MAX: usize = 1000;
/// Pairs of a queue and a kind that one claim looks at.
pub const CLAIM_PLACES_MAX: usize = 4096;
/// Bytes of payloads, memos and resume payloads in one claim's answer; beyond them it carries fewer leases.
pub const CLAIM_BYTES_MAX: usize = 16 << 20;
/// Milliseconds a claim may wait.
pub const CLAIM_WAIT_MS_MAX: u64 = 60_000;
/// Bytes of one frame's body.
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// Named checkpoints of one run.
pub const CHECKPOINTS_MAX: usize = 1000;
/// Bytes of all checkpoints of one run.
pub const CHECKPOINT_BYTES_MAX: usize = 16 << 20;
/// Bytes of a checkpoint's name.
pub const CHECKPOINT_NAME_BYTES_MAX: usize = 255;
/// Bytes of an error's message.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 8 << 10;
/// Bytes of an error's code.
pub const ERROR_CODE_BYTES_MAX: usize = 128;
/// Bytes of a reason given by a person or a handler.
pub const REASON_BYTES_MAX: usize = 1 << 10;
/// Bytes of a worker's progress note.
pub const PROGRESS_BYTES_MAX: usize = 4 << 10;
/// Tags of a task.
pub const TAGS_MAX: usize = 32;
/// Bytes of a tag.
pub const TAG_BYTES_MAX: usize = 64;
/// Bytes of a description.
pub const DESCRIPTION_BYTES_MAX: usize = 4 << 10;
/// Bytes of a media type.
pub const CONTENT_TYPE_BYTES_MAX: usize = 255;
/// Bytes of a traceparent.
pub const TRACEPARENT_BYTES_MAX: usize = 255;
/// Codes of a retry policy that are never retried.
pub const NON_RETRYABLE_MAX: usize = 100;
/// Attempts a live row keeps, besides their count.
pub const ATTEMPTS_KEPT: usize = 50;
/// State changes a live row keeps, besides their count.
pub const HISTORY_KEPT: usize = 100;
/// Attempts of a run.
pub const ATTEMPTS_MAX: u32 = 1000;
/// Lost leases of a run.
pub const LOST_LEASES_MAX: u32 = 1000;
/// Holders of a concurrency key.
pub const CONCURRENCY_LIMIT_MAX: u32 = 1_000_000;
/// Milliseconds of the shortest lease.
pub const LEASE_MS_MIN: u64 = 1000;
/// Milliseconds of the longest lease.
pub const LEASE_MS_MAX: u64 = 86_400_000;
/// Milliseconds of the longest grace after a cancel request.
pub const CANCEL_GRACE_MS_MAX: u64 = 86_400_000;
/// Milliseconds of the longest span of a policy: ten years.
pub const SPAN_MS_MAX: u64 = 315_360_000_000;
/// A renewal beyond this many milliseconds is an event; shorter ones live in memory.
pub const RENEWAL_EVENT_MS: u64 = 300_000;
/// Milliseconds an idempotency key is held at least, and after its task's end.
pub const KEY_HELD_MS: u64 = 86_400_000;
/// Alarms one tick works off; the rest waits for the next.
pub const TICK_ALARMS_MAX: usize = 1000;
/// Queues or kinds of a tenant.
pub const NAMES_PER_TENANT_MAX: usize = 10_000;
/// Tenants of a data directory.
pub const TENANTS_MAX: usize = 10_000;
/// The largest share of a tenant or queue.
pub const WEIGHT_MAX: u32 = 1000;
/// Runs of a task that one answer shows.
pub const RUNS_SHOWN_MAX: usize = 1000;
/// Runs of one repeat.
pub const REPEAT_COUNT_MAX: u32 = 10_000;
/// Runs that one request makes, over all its tasks.
pub const RUNS_PER_REQUEST_MAX: usize = 100_000;
/// Bytes of a cron expression or time zone.
pub const EXPRESSION_BYTES_MAX: usize = 255;
/// Missed instants that a schedule catches up at most.
pub const CATCH_UP_MAX: u32 = 1000;
/// Instants after which a schedule may be made to end.
pub const OCCURRENCES_MAX: u64 = 1_000_000;
/// Milliseconds by which a schedule may spread its runs: a day.
pub const JITTER_MS_MAX: u64 = 86_400_000;
/// Schedules that one tick moves on; the rest waits for the next.
pub const SCHEDULES_PER_TICK: usize = 64;
/// Prerequisites of a task.
pub const DEPENDS_ON_MAX: usize = 1000;
/// Tasks that the search for a wait in a circle visits; a graph in which it would take more is refused.
pub const DEPENDENCY_VISITS_MAX: usize = 10_000;
/// Children submitted with one finish.
pub const CHILDREN_PER_FINISH_MAX: usize = 1000;
/// Prerequisites that the children of one finish name together.
pub const DEPENDENCIES_PER_FINISH_MAX: usize = 10_000;
/// Children that a claim of their parent shows.
pub const CHILDREN_SHOWN_MAX: usize = 100;
/// Generations of tasks, the first included.
pub const HIERARCHY_DEPTH_MAX: u32 = 8;
/// Consequences of one command that are drawn at once; the rest follows with the next ticks.
pub const CASCADE_MAX: usize = 1000;
/// Bytes of children's outputs in one grant of their parent; further ones are to be looked up by their task.
pub const CHILD_OUTPUT_BYTES_MAX: usize = 4 << 20;
/// Runs below a canceled task that a claim itself calls off when it meets them; the rest is left to the next tick.
pub const CLAIM_SWEEP_MAX: usize = 256;
/// Budgets of a task or tenant.
pub const BUDGETS_MAX: usize = 32;
/// The largest limit, reserve or use of a budget.
pub const BUDGET_LIMIT_MAX: u64 = 1 << 60;
/// Live subscriptions of a task.
pub const SUBSCRIPTIONS_MAX: usize = 1000;
/// Subscriptions to one thing: one task's end, one state of its runs, one threshold, one key.
pub const WATCHERS_MAX: usize = 10_000;
/// Bytes of a custom event's key.
pub const EVENT_KEY_BYTES_MAX: usize = 255;
/// Custom events published with one finish.
pub const CUSTOM_EVENTS_PER_FINISH_MAX: usize = 1000;
/// Capabilities named by a task or a claim.
pub const CAPABILITIES_MAX: usize = 100;
/// Bytes of a capability's name.
pub const CAPABILITY_BYTES_MAX: usize = 128;
/// Different sets of required capabilities within a tenant.
pub const CAPABILITY_SETS_MAX: usize = 1000;
/// Bytes of a fairness key.
pub const FAIRNESS_KEY_BYTES_MAX: usize = 128;
/// Bytes of a unique key.
pub const UNIQUE_KEY_BYTES_MAX: usize = 255;
/// Places that one answer shows.
pub const PLACES_SHOWN_MAX: usize = 10_000;
/// Ready runs ahead that `explain` counts before it says "at least".
pub const POSITION_MAX: u64 = 100_000;
/// Different claims that are remembered, to tell work that nobody asks for.
pub const WORKERS_KNOWN_MAX: usize = 256;
/// Milliseconds for which a claim is remembered: five minutes, longer than any claim waits.
pub const WORKERS_KNOWN_MS: u64 = 300_000;
/// Runs that `explain` goes through to foresee a claim; beyond them it judges a run by itself.
pub const FORESEE_STEPS_MAX: usize = 10_000;
/// Rows of one page of a list.
pub const LIST_LIMIT_MAX: u32 = 1000;
/// Rows that a list skips at most; beyond them only a cursor goes.
pub const LIST_OFFSET_MAX: u32 = 100_000;
/// Rows that do not match which one page of a list visits; beyond them it ends short, with a cursor.
pub const LIST_VISITS_MAX: usize = 10_000;
/// Depth of JSON in a body.
pub const JSON_DEPTH_MAX: usize = 64;

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
