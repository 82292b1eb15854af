//! Runs and leases: what people and workers do with them.

use super::rules::{LIST, SMALL_BODY_BYTES_MAX, body, optional};
use crate::api::events::OWN_EVENT_PARAMETERS;
use crate::api::filters::RUN_PARAMETERS;
use crate::api::route::{BodyRule, Route};
use crate::api::{budgets, claim, events, finish, heartbeat, lists, runs};
use crate::auth::Needs;
use mainstay_core::limits::{BATCH_BODY_BYTES_MAX, TASK_BODY_BYTES_MAX};

/// A finish or a checkpoint may carry 16 MiB of checkpoints, and its own words.
const LARGE_BODY_BYTES_MAX: usize = 17 << 20;

const RUN_EVENTS: &[&str] = &[
    "invalid_run_id",
    "run_not_found",
    "invalid_pagination",
    "invalid_parameter",
    "cursor_expired",
];
const RUN: &[&str] = &["invalid_run_id", "run_not_found"];
const RUN_CHANGE: &[&str] = &["invalid_run_id", "run_not_found", "non_monotonic_sequence"];
const LEASE: &[&str] = &[
    "invalid_run_id",
    "lease_lost",
    "already_finished",
    "checkpoint_conflict",
    "limit_exceeded",
    "invalid_task",
    "invalid_task_id",
    "task_already_exists",
    "task_not_found",
    "parent_terminal",
    "hierarchy_too_deep",
    "dependency_cycle",
    "zero_limit",
    "idempotency_conflict",
];

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/api/v1/runs",
        "A page of runs: due first, then by id",
        Needs::READ,
        &[(200, "RunList")],
        |x| Box::pin(lists::runs(x)),
    )
    .all_tenants()
    .parameters(RUN_PARAMETERS)
    .errors(LIST),
    Route::get(
        "/api/v1/runs/{run_id}",
        "One run",
        Needs::READ,
        &[(200, "Run")],
        |x| Box::pin(runs::get(x)),
    )
    .errors(RUN),
    Route::get(
        "/api/v1/runs/{run_id}/events",
        "The events of one run, as `/api/v1/events` gives them",
        Needs::READ,
        &[(200, "EventPage"), (200, "text/event-stream")],
        |x| Box::pin(events::of_run(x)),
    )
    .parameters(OWN_EVENT_PARAMETERS)
    .errors(RUN_EVENTS),
    Route::get(
        "/api/v1/runs/{run_id}/explain",
        "Why a run is not running",
        Needs::READ,
        &[(200, "Explain")],
        |x| Box::pin(runs::explain(x)),
    )
    .errors(RUN),
    Route::post(
        "/api/v1/runs/{run_id}/cancel",
        "Cancel a run",
        Needs::CONTROL,
        optional("Reason"),
        &[(200, "RunChanged")],
        |x| Box::pin(runs::cancel(x)),
    )
    .control()
    .parameters(&["force true|false"])
    .errors(RUN_CHANGE),
    Route::post(
        "/api/v1/runs/{run_id}/suspend",
        "Tell a running run's worker to suspend it",
        Needs::CONTROL,
        optional("Reason"),
        &[(200, "RunChanged")],
        |x| Box::pin(runs::suspend(x)),
    )
    .control()
    .errors(&[
        "invalid_run_id",
        "run_not_found",
        "run_suspend_requires_running",
        "non_monotonic_sequence",
    ]),
    Route::post(
        "/api/v1/runs/{run_id}/resume",
        "Make a suspended run ready again",
        Needs::CONTROL,
        BodyRule {
            limit: TASK_BODY_BYTES_MAX,
            scales: true,
            ..optional("ResumeRun")
        },
        &[(200, "RunChanged")],
        |x| Box::pin(runs::resume(x)),
    )
    .control()
    .errors(&[
        "invalid_run_id",
        "run_not_found",
        "run_resume_requires_suspended",
        "non_monotonic_sequence",
    ]),
    Route::post(
        "/api/v1/runs/{run_id}/retry",
        "Try a dead letter again: a new run takes its place",
        Needs::CONTROL,
        optional("RetryRun"),
        &[(201, "RunRetried")],
        |x| Box::pin(runs::retry(x)),
    )
    .control()
    .errors(&[
        "invalid_run_id",
        "run_not_found",
        "not_dead_lettered",
        "previous_state_mismatch",
        "task_canceled",
        "unique_key_taken",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::post(
        "/api/v1/runs/{run_id}/heartbeat",
        "Keep one lease alive",
        Needs::EXECUTE,
        body("Heartbeat", SMALL_BODY_BYTES_MAX),
        &[(200, "Beat")],
        |x| Box::pin(heartbeat::one(x)),
    )
    .errors(LEASE),
    Route::post(
        "/api/v1/runs/{run_id}/finish",
        "End one attempt",
        Needs::EXECUTE,
        body("Finish", LARGE_BODY_BYTES_MAX),
        &[(200, "FinishOne")],
        |x| Box::pin(finish::one(x)),
    )
    .errors(LEASE),
    Route::post(
        "/api/v1/runs/{run_id}/checkpoints",
        "Save a named memo inside a running attempt",
        Needs::EXECUTE,
        body("Checkpoint", LARGE_BODY_BYTES_MAX),
        &[(200, "CheckpointSaved")],
        |x| Box::pin(finish::checkpoint(x)),
    )
    .errors(LEASE),
    Route::post(
        "/api/v1/runs/{run_id}/consume",
        "Report what a running attempt uses as it goes",
        Needs::EXECUTE,
        body("Consume", SMALL_BODY_BYTES_MAX),
        &[(200, "Consumed")],
        |x| Box::pin(budgets::consume(x)),
    )
    .errors(&["invalid_run_id", "lease_lost", "limit_exceeded"]),
    Route::post(
        "/api/v1/leases",
        "Claim work, waiting for it if asked to",
        Needs::EXECUTE,
        body("Claim", SMALL_BODY_BYTES_MAX),
        &[(200, "ClaimAnswer")],
        |x| Box::pin(claim::claim(x)),
    )
    .keyed()
    .all_tenants()
    .errors(&[
        "not_supported",
        "limit_exceeded",
        "idempotency_conflict",
        "invalid_actor_id",
        "actor_not_found",
        "capability_missing",
    ]),
    Route::post(
        "/api/v1/leases/heartbeat",
        "Keep many leases alive",
        Needs::EXECUTE,
        body("HeartbeatBatch", BATCH_BODY_BYTES_MAX),
        &[(200, "HeartbeatAnswer")],
        |x| Box::pin(heartbeat::many(x)),
    )
    .errors(&["limit_exceeded"]),
    Route::post(
        "/api/v1/leases/finish",
        "End many attempts, each well or badly by itself",
        Needs::EXECUTE,
        body("FinishBatch", BATCH_BODY_BYTES_MAX),
        &[(200, "FinishAnswer")],
        |x| Box::pin(finish::many(x)),
    )
    .errors(&["limit_exceeded"]),
];
