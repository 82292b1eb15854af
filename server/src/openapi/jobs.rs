//! The shapes of statistics and of the administration of jobs, in the notation of `schemas.rs`.

use super::schemas::{Schema, answered, sent};

/// What those are made of.
pub(super) const JOBS: &[Schema] = &[
    answered("Execution", &["life! Spans", "last_hour! Spans"]),
    answered(
        "KindExecution",
        &[
            "tenant_id! uuid",
            "kind! name?",
            "life! Spans",
            "last_hour! Spans",
        ],
    ),
    answered(
        "Spans",
        &[
            "count! count",
            "avg_ms! mean_ms",
            "p50_ms! integer",
            "p95_ms! integer",
            "p99_ms! integer",
            "max_ms! count",
        ],
    ),
    answered(
        "JobList",
        &["jobs! [Job]", "total! count", "message! string"],
    ),
    answered(
        "Job",
        &[
            "id! uuid",
            "job_type! name",
            "status! scheduled|ready|leased|running|retry_wait|suspended|completed|failed|canceled",
            "created_at! instant",
            "priority! priority",
        ],
    ),
    answered(
        "JobStats",
        &[
            "total_enqueued! count",
            "running! count",
            "pending! count",
            "completed! count",
            "failed! count",
            "dead_letter! count",
            "avg_execution_ms! mean_ms",
            "p95_execution_ms! integer",
            "p99_execution_ms! integer",
            "success_rate! share",
            "message! string",
        ],
    ),
    answered(
        "JobHistory",
        &[
            "jobs! [FinishedJob]",
            "page! count",
            "page_size! count",
            "total_count! count",
            "has_prev! boolean",
            "has_next! boolean",
        ],
    ),
    answered(
        "FinishedJob",
        &[
            "id! uuid",
            "job_type! name",
            "status! completed|failed|canceled",
            "created_at! instant",
            "priority! priority",
            "finished_at! instant?",
            "attempt_count! count",
            "error_code! string?",
            "error_message! string?",
        ],
    ),
    answered("JobCanceled", &["success! boolean", "message! string"]),
    sent(
        "DeadJobs",
        &[
            "job_type name?",
            "fingerprint fingerprint?",
            "dry_run boolean?",
            "expected_count count?",
            "reason reason?",
        ],
    ),
    answered(
        "JobRetried",
        &["success! boolean", "message! string", "run_id! uuid"],
    ),
    answered(
        "JobsRetried",
        &["retried! count", "message! string", "refused! [RefusedJob]"],
    ),
    answered(
        "RefusedJob",
        &["job_id! uuid", "error! string", "message! string"],
    ),
    answered("JobsCleared", &["cleared! count", "message! string"]),
    answered(
        "DeadLetters",
        &[
            "groups! [DeadLetterGroup]",
            "total! count",
            "message! string",
        ],
    ),
    answered(
        "DeadLetterGroup",
        &[
            "fingerprint! fingerprint",
            "job_type! name",
            "error_code! string?",
            "error_message! string?",
            "count! count",
            "last_at! instant",
            "last_job_id! uuid",
        ],
    ),
];
