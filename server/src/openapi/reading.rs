//! The shapes of the bodies of lists, queues and SQL, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// What lists, queues and SQL are made of.
pub(super) const READING: &[Schema] = &[
    answered(
        "TaskList",
        &[
            "tasks! [TaskSummary]",
            "limit! integer",
            "offset! integer",
            "next_cursor! string?",
        ],
    ),
    answered(
        "TaskSummary",
        &[
            "id! uuid",
            "tenant_id uuid",
            "kind! string",
            "queue! string",
            "run_policy! RunPolicy",
            "constraints! Constraints",
            "metadata! Metadata",
            "created_at! instant",
            "updated_at! instant?",
            "parent_task_id uuid",
            "state! string",
        ],
    ),
    answered(
        "RunList",
        &[
            "runs! [RunSummary]",
            "limit! integer",
            "offset! integer",
            "next_cursor! string?",
        ],
    ),
    answered(
        "RunSummary",
        &[
            "run_id! uuid",
            "task_id! uuid",
            "tenant_id uuid",
            "kind! string",
            "queue! string",
            "state! string",
            "created_at! instant",
            "scheduled_at! instant",
            "attempt_count! integer",
            "concurrency_key! string?",
        ],
    ),
    answered(
        "PlaceCounts",
        &[
            "queue! string",
            "kind! string",
            "tenant_id uuid",
            "runs_by_state! RunsByState",
        ],
    ),
    answered("QueueList", &["queues! [Queue]", "truncated! boolean"]),
    answered(
        "Queue",
        &[
            "name! string",
            "tenant_id uuid",
            "concurrency_limit! integer?",
            "rate_limit! RateLimit?",
            "weight! integer",
            "paused! boolean",
            "paused_since instant",
            "paused_by string",
            "paused_reason string",
            "held! integer",
            "runs_by_state! RunsByState",
            "kinds! [KindCounts]",
        ],
    ),
    answered(
        "KindCounts",
        &["kind! string", "runs_by_state! RunsByState"],
    ),
    answered("EventPage", &["events! [Event]", "next! integer"]),
    answered(
        "Event",
        &[
            "sequence! integer",
            "at! instant",
            "type! string",
            "tenant_id uuid",
            "task_id uuid",
            "run_id uuid",
            "actor string",
            "data! object",
        ],
    ),
    sent("Query", &["sql! string", "params [any]?", "limit integer?"]),
    answered(
        "QueryAnswer",
        &[
            "columns! [string]",
            "rows! [any]",
            "truncated! boolean",
            "checkpoint_sequence! integer",
        ],
    ),
];
