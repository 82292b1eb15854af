//! Tasks and what belongs to them: schedules, dependencies, budgets, subscriptions.

use super::rules::{LIST, SMALL_BODY_BYTES_MAX, body, optional};
use crate::api::events::OWN_EVENT_PARAMETERS;
use crate::api::filters::TASK_PARAMETERS;
use crate::api::route::{BodyRule, Route, Verb};
use crate::api::{batch, budgets, changes, events, lists, schedule, subscriptions, tasks};
use crate::auth::Needs;
use mainstay_core::limits::{BATCH_BODY_BYTES_MAX, TASK_BODY_BYTES_MAX};

const TASK_ERRORS: &[&str] = &[
    "invalid_task",
    "invalid_task_id",
    "invalid_run_id",
    "limit_exceeded",
    "idempotency_conflict",
    "task_already_exists",
    "task_not_found",
    "parent_terminal",
    "hierarchy_too_deep",
    "dependency_cycle",
    "zero_limit",
    "lease_lost",
    "non_monotonic_sequence",
];
/// Of an atomic batch, what one of its tasks may be refused for.
const BATCH_ERRORS: &[&str] = &[
    "invalid_task",
    "invalid_task_id",
    "invalid_run_id",
    "limit_exceeded",
    "not_supported",
    "idempotency_conflict",
    "task_already_exists",
    "task_not_found",
    "run_not_found",
    "tenant_not_found",
    "parent_terminal",
    "hierarchy_too_deep",
    "dependency_cycle",
    "zero_limit",
    "lease_lost",
    "non_monotonic_sequence",
];
const TASK: &[&str] = &["invalid_task_id", "task_not_found"];
const TASK_CHANGE: &[&str] = &[
    "invalid_task",
    "invalid_task_id",
    "task_not_found",
    "task_canceled",
    "non_monotonic_sequence",
];
const BUDGET: &[&str] = &[
    "invalid_task_id",
    "task_not_found",
    "task_canceled",
    "budget_not_allocated",
    "zero_limit",
    "limit_exceeded",
    "non_monotonic_sequence",
];
const TASK_EVENTS: &[&str] = &[
    "invalid_task_id",
    "task_not_found",
    "invalid_pagination",
    "invalid_parameter",
    "cursor_expired",
];

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::post(
        "/api/v1/tasks",
        "Submit a task",
        Needs::SUBMIT,
        BodyRule {
            scales: true,
            ..body("TaskSpec", TASK_BODY_BYTES_MAX)
        },
        &[
            (201, "Submitted"),
            (200, "Submitted"),
            (202, "SubmittedDeferred"),
        ],
        |x| Box::pin(tasks::submit(x)),
    )
    .keyed()
    .errors(TASK_ERRORS),
    Route::get(
        "/api/v1/tasks",
        "A page of tasks: priority, highest first, then creation, then id",
        Needs::READ,
        &[(200, "TaskList")],
        |x| Box::pin(lists::tasks(x)),
    )
    .all_tenants()
    .parameters(TASK_PARAMETERS)
    .errors(LIST),
    Route::post(
        "/api/v1/tasks/batch",
        "Submit many tasks, each well or badly by itself; with `atomic` all or none in one step, and then the first that is refused is the answer, with its place in `details.index`",
        Needs::SUBMIT,
        BodyRule {
            lines: true,
            ..body("SubmitBatch", BATCH_BODY_BYTES_MAX)
        },
        &[(200, "BatchAnswer")],
        |x| Box::pin(batch::submit(x)),
    )
    .errors(BATCH_ERRORS),
    Route::get(
        "/api/v1/tasks/{task_id}",
        "One task",
        Needs::READ,
        &[(200, "Task")],
        |x| Box::pin(tasks::get(x)),
    )
    .errors(TASK),
    Route::post(
        "/api/v1/tasks/{task_id}",
        "Change a task's metadata, or a cron task's schedule",
        Needs::CONTROL,
        body("TaskPatch", SMALL_BODY_BYTES_MAX),
        &[(200, "Task")],
        |x| Box::pin(changes::update(x)),
    )
    .verb(Verb::Patch)
    .control()
    .errors(TASK_CHANGE),
    Route::post(
        "/api/v1/tasks/{task_id}/dependencies",
        "Make a task that has not started wait for others",
        Needs::SUBMIT,
        body("Dependencies", SMALL_BODY_BYTES_MAX),
        &[(200, "DependenciesDeclared")],
        |x| Box::pin(changes::depend(x)),
    )
    .control()
    .errors(&[
        "invalid_task",
        "invalid_task_id",
        "task_not_found",
        "empty_dependency_list",
        "dependency_cycle",
        "task_already_started",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::post(
        "/api/v1/tasks/{task_id}/runs",
        "One more run of a task, beside its policy",
        Needs::SUBMIT,
        optional("NewRun"),
        &[(201, "RunBrief"), (200, "RunBrief")],
        |x| Box::pin(changes::create_run(x)),
    )
    .keyed()
    .control()
    .errors(&[
        "invalid_task_id",
        "invalid_run_id",
        "task_not_found",
        "task_canceled",
        "run_already_exists",
        "idempotency_conflict",
        "run_create_requires_scheduled",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/tasks/{task_id}/budgets",
        "A task's budgets",
        Needs::READ,
        &[(200, "[Budget]")],
        |x| Box::pin(budgets::list(x)),
    )
    .errors(TASK),
    Route::post(
        "/api/v1/tasks/{task_id}/budgets",
        "Set a budget, or change its limit within its period",
        Needs::CONTROL,
        body("AllocateBudget", SMALL_BODY_BYTES_MAX),
        &[(200, "Budget")],
        |x| Box::pin(budgets::allocate(x)),
    )
    .control()
    .errors(BUDGET),
    Route::post(
        "/api/v1/tasks/{task_id}/budgets/{dimension}/replenish",
        "Begin a new period of a budget",
        Needs::CONTROL,
        body("Replenish", SMALL_BODY_BYTES_MAX),
        &[(200, "Budget")],
        |x| Box::pin(budgets::replenish(x)),
    )
    .control()
    .errors(BUDGET),
    Route::post(
        "/api/v1/tasks/{task_id}/subscriptions",
        "Let a task wait to hear of something",
        Needs::SUBMIT,
        body("Subscribe", SMALL_BODY_BYTES_MAX),
        &[(201, "Subscribed"), (200, "Subscribed")],
        |x| Box::pin(subscriptions::subscribe(x)),
    )
    .keyed()
    .errors(&[
        "invalid_task_id",
        "task_not_found",
        "task_canceled",
        "invalid_subscription_id",
        "subscription_already_exists",
        "idempotency_conflict",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::post(
        "/api/v1/subscriptions/{subscription_id}",
        "Let a task wait no longer",
        Needs::SUBMIT,
        optional("Empty"),
        &[(200, "Unsubscribed")],
        |x| Box::pin(subscriptions::unsubscribe(x)),
    )
    .verb(Verb::Delete)
    .errors(&[
        "invalid_subscription_id",
        "subscription_not_found",
        "subscription_already_canceled",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/tasks/{task_id}/schedule",
        "The coming instants of a task",
        Needs::READ,
        &[(200, "Occurrences")],
        |x| Box::pin(schedule::of_task(x)),
    )
    .parameters(&["next next"])
    .errors(&["invalid_task_id", "task_not_found", "invalid_parameter"]),
    Route::post(
        "/api/v1/schedule/preview",
        "The first instants of a schedule that would begin now",
        Needs::Key,
        body("Preview", SMALL_BODY_BYTES_MAX),
        &[(200, "Occurrences")],
        |x| Box::pin(schedule::preview(x)),
    ),
    Route::post(
        "/api/v1/custom-events",
        "Publish an event of one's own to the subscriptions that wait for it",
        Needs::SUBMIT,
        BodyRule {
            scales: true,
            ..body("CustomEvent", TASK_BODY_BYTES_MAX)
        },
        &[(200, "Triggered")],
        |x| Box::pin(subscriptions::publish(x)),
    )
    .errors(&["limit_exceeded", "non_monotonic_sequence"]),
    Route::post(
        "/api/v1/tasks/{task_id}/cancel",
        "Cancel a task and its runs",
        Needs::CONTROL,
        optional("Reason"),
        &[(200, "TaskCanceled")],
        |x| Box::pin(tasks::cancel(x)),
    )
    .control()
    .errors(TASK_CHANGE),
    Route::get(
        "/api/v1/tasks/{task_id}/events",
        "The events of one task and of its runs, as `/api/v1/events` gives them",
        Needs::READ,
        &[(200, "EventPage"), (200, "text/event-stream")],
        |x| Box::pin(events::of_task(x)),
    )
    .parameters(OWN_EVENT_PARAMETERS)
    .errors(TASK_EVENTS),
];
