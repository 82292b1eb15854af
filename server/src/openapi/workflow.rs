//! The shapes of schedules, bonds, budgets, subscriptions and queue settings, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// What work beyond a single run is made of.
pub(super) const WORKFLOW: &[Schema] = &[
    sent(
        "RunPolicySpec",
        &[
            "type! once|repeat|cron",
            "run_at instant?",
            "count integer?",
            "interval_ms integer?",
            "expression string?",
            "timezone string?",
            "max_occurrences integer?",
            "misfire skip|run_once|run_all?",
            "misfire_grace_ms integer?",
            "catch_up_max integer?",
            "overlap allow|skip|queue_one|cancel_previous?",
            "start_at instant?",
            "end_at instant?",
            "jitter_ms integer?",
        ],
    ),
    answered(
        "RunPolicy",
        &[
            "type! once|repeat|cron",
            "run_at instant",
            "count integer",
            "interval_ms integer",
            "expression string",
            "timezone string",
            "max_occurrences integer",
            "misfire skip|run_once|run_all",
            "misfire_grace_ms integer",
            "catch_up_max integer",
            "overlap allow|skip|queue_one|cancel_previous",
            "start_at instant",
            "end_at instant",
            "jitter_ms integer",
        ],
    ),
    answered(
        "ScheduleState",
        &["ended! boolean", "occurrences! integer", "next! instant?"],
    ),
    sent("Preview", &["run_policy! RunPolicySpec", "next integer?"]),
    answered("Occurrences", &["occurrences! [instant]"]),
    answered(
        "SubmittedDeferred",
        &[
            "task! TaskNamed",
            "runs! [RunBrief]",
            "runs_total! integer",
            "created! boolean",
            "durable! boolean",
            "sequence! integer",
        ],
    ),
    answered(
        "BatchItem",
        &[
            "status! integer",
            "task_id uuid",
            "run_ids [uuid]",
            "error string",
            "message string",
            "details object",
        ],
    ),
    answered(
        "RunBrief",
        &["run_id! uuid", "state! string", "scheduled_at! instant"],
    ),
    answered("TaskNamed", &["id! uuid"]),
    sent("ParentRun", &["run_id! uuid", "token! string"]),
    sent(
        "TaskPatch",
        &[
            "priority integer?",
            "tags [string]?",
            "description string?",
            "run_policy RunPolicySpec?",
            "paused boolean?",
            "reason string?",
        ],
    ),
    sent("Dependencies", &["depends_on! [uuid]", "reason string?"]),
    answered("DependenciesDeclared", &["task_id! uuid", "unmet! integer"]),
    sent(
        "NewRun",
        &[
            "run_id uuid?",
            "scheduled_at instant?",
            "state string?",
            "reason string?",
        ],
    ),
    sent(
        "BudgetSpec",
        &["dimension! string", "limit! integer", "reserve integer?"],
    ),
    sent(
        "AllocateBudget",
        &[
            "dimension! string",
            "limit! integer",
            "reserve integer?",
            "reason string?",
        ],
    ),
    sent("Replenish", &["new_limit! integer", "reason string?"]),
    answered(
        "Budget",
        &[
            "dimension! string",
            "limit! integer",
            "consumed! integer",
            "reserved! integer",
            "exhausted! boolean",
            "reserve! integer",
            "consumed_total! integer",
            "scope! task|tenant",
        ],
    ),
    sent("AmountSpec", &["dimension! string", "amount! integer"]),
    answered("Amount", &["dimension! string", "amount! integer"]),
    sent(
        "Consume",
        &[
            "token! string",
            "consumption! [AmountSpec]",
            "tenant_id string?",
        ],
    ),
    answered(
        "Consumed",
        &[
            "budgets! [Budget]",
            "directive! continue|cancel|suspend|drain",
        ],
    ),
    answered("Child", &["task_id! uuid", "state! string", "output any"]),
    sent(
        "Subscribe",
        &["filter! FilterSpec", "subscription_id uuid?"],
    ),
    sent(
        "FilterSpec",
        &[
            "type! task_completed|run_state_changed|budget_threshold|custom",
            "task_id uuid?",
            "state string?",
            "dimension string?",
            "percent integer?",
            "key string?",
        ],
    ),
    answered(
        "Filter",
        &[
            "type! task_completed|run_state_changed|budget_threshold|custom",
            "task_id uuid",
            "state string",
            "dimension string",
            "percent integer",
            "key string",
        ],
    ),
    answered(
        "Subscription",
        &[
            "subscription_id! uuid",
            "filter! Filter",
            "triggered! integer",
        ],
    ),
    answered("Subscribed", &["subscription_id! uuid"]),
    answered(
        "Unsubscribed",
        &["subscription_id! uuid", "status! canceled"],
    ),
    sent("CustomEvent", &["key! string", "payload any"]),
    answered("Triggered", &["triggered! integer"]),
    sent(
        "QueueSettings",
        &[
            "concurrency_limit integer?",
            "rate_limit RateLimit?",
            "weight integer?",
            "reason string?",
        ],
    ),
    sent("RateLimit", &["per_ms! integer", "max! integer"]),
];
