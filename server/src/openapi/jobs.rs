//! The shapes of statistics and of the administration of jobs, in the notation of `schemas.rs`.

use super::schemas::{Schema, answered, sent};

/// What those are made of.
pub(super) const JOBS: &[Schema] = &[
    answered("Execution", &["life! Spans", "last_hour! Spans"]),
    answered(
        "KindExecution",
        &[
            "tenant_id! uuid",
            "kind! string?",
            "life! Spans",
            "last_hour! Spans",
        ],
    ),
    answered(
        "Spans",
        &[
            "count! integer",
            "avg_ms! number",
            "p50_ms! integer",
            "p95_ms! integer",
            "p99_ms! integer",
            "max_ms! integer",
        ],
    ),
    answered(
        "JobList",
        &["jobs! [Job]", "total! integer", "message! string"],
    ),
    answered(
        "Job",
        &[
            "id! uuid",
            "job_type! string",
            "status! scheduled|ready|leased|running|retry_wait|suspended|completed|failed|canceled",
            "created_at! instant",
            "priority! integer",
        ],
    ),
    answered(
        "JobStats",
        &[
            "total_enqueued! integer",
            "running! integer",
            "pending! integer",
            "completed! integer",
            "failed! integer",
            "dead_letter! integer",
            "avg_execution_ms! number",
            "p95_execution_ms! integer",
            "p99_execution_ms! integer",
            "success_rate! number",
            "message! string",
        ],
    ),
    answered(
        "JobHistory",
        &[
            "jobs! [FinishedJob]",
            "page! integer",
            "page_size! integer",
            "total_count! integer",
            "has_prev! boolean",
            "has_next! boolean",
        ],
    ),
    answered(
        "FinishedJob",
        &[
            "id! uuid",
            "job_type! string",
            "status! completed|failed|canceled",
            "created_at! instant",
            "priority! integer",
            "finished_at! instant?",
            "attempt_count! integer",
            "error_code! string?",
            "error_message! string?",
        ],
    ),
    answered("JobCanceled", &["success! boolean", "message! string"]),
    sent(
        "DeadJobs",
        &[
            "job_type string?",
            "fingerprint string?",
            "dry_run boolean?",
            "expected_count integer?",
            "reason string?",
        ],
    ),
    answered(
        "JobRetried",
        &["success! boolean", "message! string", "run_id! uuid"],
    ),
    answered(
        "JobsRetried",
        &[
            "retried! integer",
            "message! string",
            "refused! [RefusedJob]",
        ],
    ),
    answered(
        "RefusedJob",
        &["job_id! uuid", "error! string", "message! string"],
    ),
    answered("JobsCleared", &["cleared! integer", "message! string"]),
    answered(
        "DeadLetters",
        &[
            "groups! [DeadLetterGroup]",
            "total! integer",
            "message! string",
        ],
    ),
    answered(
        "DeadLetterGroup",
        &[
            "fingerprint! string",
            "job_type! string",
            "error_code! string?",
            "error_message! string?",
            "count! integer",
            "last_at! instant",
            "last_job_id! uuid",
        ],
    ),
];
