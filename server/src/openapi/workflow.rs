//! The shapes of schedules, bonds, budgets, subscriptions and queue settings, in the notation of the other schemas.

use super::schemas::{Schema, answered, one_of, sent};

/// What work beyond a single run is made of.
pub(super) const WORKFLOW: &[Schema] = &[
    one_of(
        "RunPolicySpec",
        &["OncePolicySpec", "RepeatPolicySpec", "CronPolicySpec"],
    ),
    sent("OncePolicySpec", &["type! once", "run_at instant?"]),
    sent(
        "RepeatPolicySpec",
        &[
            "type! repeat",
            "count! repeats",
            "interval_ms! interval_ms",
            "start_at instant?",
        ],
    ),
    sent(
        "CronPolicySpec",
        &[
            "type! cron",
            "expression! cron_expression",
            "timezone timezone?",
            "max_occurrences occurrences?",
            "misfire skip|run_once|run_all?",
            "misfire_grace_ms span_ms?",
            "catch_up_max catch_up?",
            "overlap allow|skip|queue_one|cancel_previous?",
            "start_at instant?",
            "end_at instant?",
            "jitter_ms jitter_ms?",
        ],
    ),
    answered(
        "RunPolicy",
        &[
            "type! once|repeat|cron",
            "run_at instant",
            "count count",
            "interval_ms count",
            "expression string",
            "timezone string",
            "max_occurrences count",
            "misfire skip|run_once|run_all",
            "misfire_grace_ms count",
            "catch_up_max count",
            "overlap allow|skip|queue_one|cancel_previous",
            "start_at instant",
            "end_at instant",
            "jitter_ms count",
        ],
    ),
    answered(
        "ScheduleState",
        &["ended! boolean", "occurrences! count", "next! instant?"],
    ),
    sent("Preview", &["run_policy! RunPolicySpec", "next next?"]),
    answered("Occurrences", &["occurrences! [instant]"]),
    answered(
        "SubmittedDeferred",
        &[
            "task! TaskNamed",
            "runs! [RunBrief]",
            "runs_total! count",
            "created! boolean",
            "durable! boolean",
            "sequence! count",
        ],
    ),
    answered(
        "BatchItem",
        &[
            "status! status_code",
            "task_id uuid",
            "run_ids [uuid]",
            "error string",
            "message string",
            "details object",
        ],
    ),
    answered(
        "RunBrief",
        &["run_id! uuid", "state! run_state", "scheduled_at! instant"],
    ),
    answered("TaskNamed", &["id! uuid"]),
    sent("ParentRun", &["run_id! uuid", "token! string"]),
    sent(
        "TaskPatch",
        &[
            "priority priority?",
            "tags tags?",
            "description description?",
            "run_policy RunPolicySpec?",
            "paused boolean?",
            "reason reason?",
        ],
    ),
    sent(
        "Dependencies",
        &["depends_on! some_prerequisites", "reason reason?"],
    ),
    answered("DependenciesDeclared", &["task_id! uuid", "unmet! count"]),
    sent(
        "NewRun",
        &[
            "run_id uuid?",
            "scheduled_at instant?",
            "state scheduled?",
            "reason reason?",
        ],
    ),
    sent(
        "BudgetSpec",
        &["dimension! name", "limit! budget_limit", "reserve amount?"],
    ),
    sent(
        "AllocateBudget",
        &[
            "dimension! name",
            "limit! budget_limit",
            "reserve amount?",
            "reason reason?",
        ],
    ),
    sent("Replenish", &["new_limit! budget_limit", "reason reason?"]),
    answered(
        "Budget",
        &[
            "dimension! name",
            "limit! budget_limit",
            "consumed! count",
            "reserved! count",
            "exhausted! boolean",
            "reserve! count",
            "consumed_total! count",
            "scope! task|tenant",
        ],
    ),
    sent("AmountSpec", &["dimension! name", "amount! amount"]),
    answered("Amount", &["dimension! name", "amount! count"]),
    sent(
        "Consume",
        &["token! string", "consumption! amounts", "tenant_id tenant?"],
    ),
    answered(
        "Consumed",
        &[
            "budgets! [Budget]",
            "directive! continue|cancel|suspend|drain",
        ],
    ),
    answered(
        "Child",
        &["task_id! uuid", "state! task_state", "output any"],
    ),
    sent(
        "Subscribe",
        &["filter! FilterSpec", "subscription_id uuid?"],
    ),
    one_of(
        "FilterSpec",
        &[
            "TaskCompletedSpec",
            "RunStateChangedSpec",
            "BudgetThresholdSpec",
            "CustomSpec",
        ],
    ),
    sent(
        "TaskCompletedSpec",
        &["type! task_completed", "task_id! uuid"],
    ),
    sent(
        "RunStateChangedSpec",
        &[
            "type! run_state_changed",
            "task_id! uuid",
            "state! run_state",
        ],
    ),
    sent(
        "BudgetThresholdSpec",
        &[
            "type! budget_threshold",
            "task_id! uuid",
            "dimension! name",
            "percent! percent",
        ],
    ),
    sent("CustomSpec", &["type! custom", "key! event_key"]),
    answered(
        "Filter",
        &[
            "type! task_completed|run_state_changed|budget_threshold|custom",
            "task_id uuid",
            "state run_state",
            "dimension name",
            "percent percent",
            "key string",
        ],
    ),
    answered(
        "Subscription",
        &[
            "subscription_id! uuid",
            "filter! Filter",
            "triggered! count",
        ],
    ),
    answered("Subscribed", &["subscription_id! uuid"]),
    answered(
        "Unsubscribed",
        &["subscription_id! uuid", "status! canceled"],
    ),
    sent("CustomEvent", &["key! event_key", "payload any"]),
    answered("Triggered", &["triggered! count"]),
    sent(
        "QueueSettings",
        &[
            "concurrency_limit holders?",
            "rate_limit RateLimit?",
            "weight weight?",
            "reason reason?",
        ],
    ),
    sent("RateLimit", &["per_ms! interval_ms", "max! rate_max"]),
];
