//! The shapes of the bodies of lists, queues and SQL, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// What lists, queues and SQL are made of.
pub(super) const READING: &[Schema] = &[
    answered(
        "TaskList",
        &[
            "tasks! [TaskSummary]",
            "limit! limit",
            "offset! offset",
            "next_cursor! cursor?",
        ],
    ),
    answered(
        "TaskSummary",
        &[
            "id! uuid",
            "tenant_id uuid",
            "kind! name",
            "queue! name",
            "run_policy! RunPolicy",
            "constraints! Constraints",
            "metadata! Metadata",
            "created_at! instant",
            "updated_at! instant?",
            "parent_task_id uuid",
            "state! task_state",
        ],
    ),
    answered(
        "RunList",
        &[
            "runs! [RunSummary]",
            "limit! limit",
            "offset! offset",
            "next_cursor! cursor?",
        ],
    ),
    answered(
        "RunSummary",
        &[
            "run_id! uuid",
            "task_id! uuid",
            "tenant_id uuid",
            "kind! name",
            "queue! name",
            "state! run_state",
            "created_at! instant",
            "scheduled_at! instant",
            "attempt_count! count",
            "concurrency_key! string?",
        ],
    ),
    answered(
        "PlaceCounts",
        &[
            "queue! name",
            "kind! name",
            "tenant_id uuid",
            "runs_by_state! RunsByState",
        ],
    ),
    answered("QueueList", &["queues! [Queue]", "truncated! boolean"]),
    answered(
        "Queue",
        &[
            "name! name",
            "tenant_id uuid",
            "concurrency_limit! count?",
            "rate_limit! RateLimit?",
            "weight! weight",
            "paused! boolean",
            "paused_since instant",
            "paused_by string",
            "paused_reason string",
            "held! count",
            "runs_by_state! RunsByState",
            "kinds! [KindCounts]",
        ],
    ),
    answered("KindCounts", &["kind! name", "runs_by_state! RunsByState"]),
    answered("EventPage", &["events! [Event]", "next! count"]),
    answered(
        "Event",
        &[
            "sequence! count",
            "at! instant",
            "type! string",
            "tenant_id uuid",
            "task_id uuid",
            "run_id uuid",
            "actor string",
            "data! object",
        ],
    ),
    sent(
        "Query",
        &["sql! string", "params [sql_value]?", "limit sql_limit?"],
    ),
    sent("Base64Value", &["base64! base64"]),
    answered(
        "QueryAnswer",
        &[
            "columns! [string]",
            "rows! [any]",
            "truncated! boolean",
            "checkpoint_sequence! count",
        ],
    ),
];
