//! Acts on many runs, and dead letters.

use super::rules::{SMALL_BODY_BYTES_MAX, body, optional};
use crate::api::route::{Route, Verb};
use crate::api::{bulk, dead_letters};
use crate::auth::Needs;

const BEGIN: &[&str] = &[
    "expected_count_mismatch",
    "idempotency_conflict",
    "limit_exceeded",
    "non_monotonic_sequence",
];
const ONE: &[&str] = &["invalid_operation_id", "operation_not_found"];

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::post(
        "/api/v1/bulk",
        "Cancel, retry or resume every run that matches; a dry run says which those are",
        Needs::CONTROL,
        body("Bulk", SMALL_BODY_BYTES_MAX),
        &[(201, "Operation"), (200, "OperationOrPreview")],
        |x| Box::pin(bulk::begin(x)),
    )
    .control()
    .keyed()
    .errors(BEGIN),
    Route::get(
        "/api/v1/bulk",
        "Acts on many runs, the newest first",
        Needs::READ,
        &[(200, "OperationList")],
        |x| Box::pin(bulk::list(x)),
    )
    .all_tenants()
    .parameters(bulk::PARAMETERS)
    .errors(&["invalid_pagination"]),
    Route::get(
        "/api/v1/bulk/{operation_id}",
        "How far an act on many runs has come",
        Needs::READ,
        &[(200, "Operation")],
        |x| Box::pin(bulk::get(x)),
    )
    .errors(ONE),
    Route::post(
        "/api/v1/bulk/{operation_id}",
        "Stop an act on many runs; what it did stays done",
        Needs::CONTROL,
        optional("Reason"),
        &[(200, "Operation")],
        |x| Box::pin(bulk::cancel(x)),
    )
    .verb(Verb::Delete)
    .control()
    .errors(&[
        "invalid_operation_id",
        "operation_not_found",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/dead-letters",
        "A page of dead letters, the last that failed first, or groups of those that failed alike, the largest first",
        Needs::READ,
        &[(200, "DeadLetterPage")],
        |x| Box::pin(dead_letters::list(x)),
    )
    .all_tenants()
    .parameters(dead_letters::PARAMETERS)
    .errors(&[
        "invalid_task_id",
        "invalid_pagination",
        "invalid_parameter",
        "cursor_expired",
    ]),
    Route::post(
        "/api/v1/dead-letters/clear",
        "Clear every dead letter away that matches; a dry run says which those are",
        Needs::ADMIN,
        body("ClearDeadLetters", SMALL_BODY_BYTES_MAX),
        &[(201, "Operation"), (200, "OperationOrPreview")],
        |x| Box::pin(dead_letters::clear(x)),
    )
    .control()
    .keyed()
    .errors(BEGIN),
    Route::post(
        "/api/v1/dead-letters/{run_id}",
        "Clear a dead letter away: it stays failed, and nobody will try it again",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "DeadLetterCleared")],
        |x| Box::pin(dead_letters::clear_one(x)),
    )
    .verb(Verb::Delete)
    .control()
    .errors(&[
        "invalid_run_id",
        "run_not_found",
        "not_dead_lettered",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
];
