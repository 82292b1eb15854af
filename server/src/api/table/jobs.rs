//! Jobs, as those who administer them know them.

use super::rules::optional;
use crate::api::route::Route;
use crate::api::{dead_jobs, jobs};
use crate::auth::Needs;

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/admin/jobs/list",
        "A page of jobs, newest first, with how many match in all",
        Needs::ADMIN,
        &[(200, "JobList")],
        |x| Box::pin(jobs::list(x)),
    )
    .all_tenants()
    .parameters(jobs::LIST_PARAMETERS)
    .errors(&["invalid_pagination", "invalid_parameter"]),
    Route::get(
        "/admin/jobs/stats",
        "Counters of jobs, how long they take and how many go well",
        Needs::ADMIN,
        &[(200, "JobStats")],
        |x| Box::pin(jobs::stats(x)),
    )
    .all_tenants(),
    Route::get(
        "/admin/jobs/history",
        "A page of finished jobs, the last that finished first",
        Needs::ADMIN,
        &[(200, "JobHistory")],
        |x| Box::pin(jobs::history(x)),
    )
    .all_tenants()
    .parameters(jobs::HISTORY_PARAMETERS)
    .errors(&["invalid_pagination", "invalid_parameter"]),
    Route::post(
        "/admin/jobs/{job_id}/cancel",
        "Cancel a job that has not finished",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "JobCanceled")],
        |x| Box::pin(jobs::cancel(x)),
    )
    .control()
    .errors(&[
        "invalid_run_id",
        "run_not_found",
        "non_monotonic_sequence",
        "request_timeout",
    ]),
    Route::get(
        "/admin/jobs/dead-letter",
        "Dead letters grouped by what went wrong, the largest group first",
        Needs::ADMIN,
        &[(200, "DeadLetters")],
        |x| Box::pin(dead_jobs::list(x)),
    )
    .all_tenants(),
    Route::post(
        "/admin/jobs/{job_id}/retry",
        "Try a dead letter again",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "JobRetried")],
        |x| Box::pin(dead_jobs::retry(x)),
    )
    .control()
    .errors(&[
        "invalid_run_id",
        "run_not_found",
        "task_canceled",
        "unique_key_taken",
        "limit_exceeded",
        "non_monotonic_sequence",
        "request_timeout",
    ]),
    Route::post(
        "/admin/jobs/retry-all",
        "Try every dead letter again that matches",
        Needs::ADMIN,
        optional("DeadJobs"),
        &[(200, "JobsRetried")],
        |x| Box::pin(dead_jobs::retry_all(x)),
    )
    .control()
    .errors(&["expected_count_mismatch", "request_timeout"]),
    Route::post(
        "/admin/jobs/dead-letter/clear",
        "Clear every dead letter away that matches",
        Needs::ADMIN,
        optional("DeadJobs"),
        &[(200, "JobsCleared")],
        |x| Box::pin(dead_jobs::clear(x)),
    )
    .control()
    .errors(&["expected_count_mismatch", "request_timeout"]),
];
