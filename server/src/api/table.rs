//! The one table of routes: the router, the metrics and the OpenAPI document all read it.

use mainstay_core::limits::{BATCH_BODY_BYTES_MAX, TASK_BODY_BYTES_MAX};

use super::events::{EVENT_PARAMETERS, OWN_EVENT_PARAMETERS};
use super::filters::{RUN_PARAMETERS, TASK_PARAMETERS};
use super::route::{Access, BodyRule, Route, Verb};
use super::{
    backup, batch, budgets, changes, claim, control, events, finish, health, heartbeat, lists,
    query, queues, runs, schedule, subscriptions, tasks,
};

const SMALL_BODY_BYTES_MAX: usize = 64 << 10;
/// A finish or a checkpoint may carry 16 MiB of checkpoints, and its own words.
const LARGE_BODY_BYTES_MAX: usize = 17 << 20;

const fn body(schema: &'static str, limit: usize) -> BodyRule {
    BodyRule {
        limit,
        required: true,
        scales: false,
        lines: false,
        schema,
    }
}

const fn optional(schema: &'static str) -> BodyRule {
    BodyRule {
        limit: SMALL_BODY_BYTES_MAX,
        required: false,
        scales: false,
        lines: false,
        schema,
    }
}

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
const TASK: &[&str] = &["invalid_task_id", "task_not_found"];
const TASK_CHANGE: &[&str] = &[
    "invalid_task_id",
    "task_not_found",
    "non_monotonic_sequence",
];
const BUDGET: &[&str] = &[
    "invalid_task_id",
    "task_not_found",
    "budget_not_allocated",
    "zero_limit",
    "limit_exceeded",
    "non_monotonic_sequence",
];
const QUEUE: &[&str] = &[
    "queue_not_found",
    "limit_exceeded",
    "non_monotonic_sequence",
];
const LIST: &[&str] = &[
    "invalid_task_id",
    "invalid_pagination",
    "invalid_parameter",
    "cursor_expired",
];
const EVENTS: &[&str] = &[
    "invalid_task_id",
    "invalid_run_id",
    "invalid_pagination",
    "invalid_parameter",
    "cursor_expired",
];
const RUN_EVENTS: &[&str] = &[
    "invalid_run_id",
    "run_not_found",
    "invalid_pagination",
    "invalid_parameter",
    "cursor_expired",
];
const TASK_EVENTS: &[&str] = &[
    "invalid_task_id",
    "task_not_found",
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

/// Every route.
pub(crate) static ROUTES: &[Route] = &[
    Route::get(
        "/healthz",
        "Whether the process lives",
        &[(200, "Status")],
        |x| Box::pin(health::healthz(x)),
    )
    .access(Access::Open),
    Route::get(
        "/ready",
        "Whether it takes work",
        &[(200, "Status"), (503, "Status")],
        |x| Box::pin(health::ready(x)),
    )
    .access(Access::Open),
    Route::get("/metrics", "Prometheus metrics", &[(200, "")], |x| {
        Box::pin(health::metrics(x))
    })
    .access(Access::Metrics),
    Route::get(
        "/api/v1/openapi.json",
        "This document",
        &[(200, "Document")],
        |x| Box::pin(health::openapi(x)),
    ),
    Route::get("/api/v1/stats", "Counters", &[(200, "Stats")], |x| {
        Box::pin(health::stats(x))
    })
    .all_tenants(),
    Route::get(
        "/api/v1/engine",
        "The engine's switches",
        &[(200, "Engine")],
        |x| Box::pin(control::engine(x)),
    ),
    Route::post(
        "/api/v1/engine/pause",
        "Stop granting work",
        optional("Reason"),
        &[(200, "EngineChanged")],
        |x| Box::pin(control::pause(x)),
    )
    .control(),
    Route::post(
        "/api/v1/engine/resume",
        "Grant work again",
        optional("Reason"),
        &[(200, "EngineChanged")],
        |x| Box::pin(control::resume(x)),
    )
    .control(),
    Route::post(
        "/api/v1/tasks",
        "Submit a task",
        BodyRule {
            scales: true,
            ..body("TaskSpec", TASK_BODY_BYTES_MAX)
        },
        &[(201, "Submitted"), (200, "Submitted")],
        |x| Box::pin(tasks::submit(x)),
    )
    .errors(TASK_ERRORS),
    Route::get(
        "/api/v1/tasks",
        "A page of tasks: priority, highest first, then creation, then id",
        &[(200, "TaskList")],
        |x| Box::pin(lists::tasks(x)),
    )
    .all_tenants()
    .parameters(TASK_PARAMETERS)
    .errors(LIST),
    Route::get(
        "/api/v1/runs",
        "A page of runs: due first, then by id",
        &[(200, "RunList")],
        |x| Box::pin(lists::runs(x)),
    )
    .all_tenants()
    .parameters(RUN_PARAMETERS)
    .errors(LIST),
    Route::post(
        "/api/v1/backup",
        "A consistent backup of the whole data directory, as a tar archive",
        optional("Empty"),
        &[(200, "application/x-tar")],
        |x| Box::pin(backup::backup(x)),
    )
    .errors(&["not_supported", "storage_full"]),
    Route::get(
        "/api/v1/queues",
        "Queues by name, with their runs by state and kind",
        &[(200, "QueueList")],
        |x| Box::pin(queues::queues(x)),
    )
    .all_tenants(),
    Route::get(
        "/api/v1/events",
        "Durable events after a cursor, in order; as a stream with `Accept: text/event-stream`",
        &[(200, "EventPage"), (200, "text/event-stream")],
        |x| Box::pin(events::events(x)),
    )
    .all_tenants()
    .parameters(EVENT_PARAMETERS)
    .errors(EVENTS),
        "/api/v1/queues/{name}",
        "One queue: its settings and its runs",
        &[(200, "Queue")],
        |x| Box::pin(queues::one(x)),
    )
    .errors(&["queue_not_found"]),
    Route::post(
        "/api/v1/queues/{name}",
        "Set what a queue allows; what is absent is not limited any more",
        body("QueueSettings", SMALL_BODY_BYTES_MAX),
        &[(200, "Queue")],
        |x| Box::pin(queues::configure(x)),
    )
    .verb(Verb::Put)
    .control()
    .errors(QUEUE),
    Route::post(
        "/api/v1/queues/{name}/pause",
        "Grant nothing from a queue",
        optional("Reason"),
        &[(200, "EngineChanged")],
        |x| Box::pin(queues::pause(x)),
    )
    .control()
    .errors(QUEUE),
    Route::post(
        "/api/v1/queues/{name}/resume",
        "Grant a queue's runs again",
        optional("Reason"),
        &[(200, "EngineChanged")],
        |x| Box::pin(queues::resume(x)),
    )
    .control()
    .errors(QUEUE),
    Route::post(
        "/api/v1/query",
        "Ask in SQL over the documented views, reading only; bytes are {\"base64\": \"…\"}, infinities are strings",
        body("Query", SMALL_BODY_BYTES_MAX),
        &[(200, "QueryAnswer")],
        |x| Box::pin(query::query(x)),
    )
    .all_tenants()
    .errors(&["query_refused", "limit_exceeded"]),
    Route::post(
        "/api/v1/tasks/batch",
        "Submit many tasks, each well or badly by itself",
        BodyRule {
            lines: true,
            ..body("SubmitBatch", BATCH_BODY_BYTES_MAX)
        },
        &[(200, "BatchAnswer")],
        |x| Box::pin(batch::submit(x)),
    )
    .errors(&["limit_exceeded", "not_supported"]),
    Route::get(
        "/api/v1/tasks/{task_id}",
        "One task",
        &[(200, "Task")],
        |x| Box::pin(tasks::get(x)),
    )
    .errors(TASK),
    Route::post(
        "/api/v1/tasks/{task_id}",
        "Change a task's metadata, or a cron task's schedule",
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
        body("Dependencies", SMALL_BODY_BYTES_MAX),
        &[(200, "DependenciesDeclared")],
        |x| Box::pin(changes::depend(x)),
    )
    .control()
    .errors(&[
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
        optional("NewRun"),
        &[(201, "RunBrief")],
        |x| Box::pin(changes::create_run(x)),
    )
    .control()
    .errors(&[
        "invalid_task_id",
        "invalid_run_id",
        "task_not_found",
        "task_canceled",
        "run_already_exists",
        "run_create_requires_scheduled",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/tasks/{task_id}/budgets",
        "A task's budgets",
        &[(200, "[Budget]")],
        |x| Box::pin(budgets::list(x)),
    )
    .errors(TASK),
    Route::post(
        "/api/v1/tasks/{task_id}/budgets",
        "Set a budget, or change its limit within its period",
        body("BudgetSpec", SMALL_BODY_BYTES_MAX),
        &[(200, "Budget")],
        |x| Box::pin(budgets::allocate(x)),
    )
    .control()
    .errors(BUDGET),
    Route::post(
        "/api/v1/tasks/{task_id}/budgets/{dimension}/replenish",
        "Begin a new period of a budget",
        body("Replenish", SMALL_BODY_BYTES_MAX),
        &[(200, "Budget")],
        |x| Box::pin(budgets::replenish(x)),
    )
    .control()
    .errors(BUDGET),
    Route::post(
        "/api/v1/tasks/{task_id}/subscriptions",
        "Let a task wait to hear of something",
        body("Subscribe", SMALL_BODY_BYTES_MAX),
        &[(201, "Subscribed")],
        |x| Box::pin(subscriptions::subscribe(x)),
    )
    .errors(&[
        "invalid_task_id",
        "task_not_found",
        "invalid_subscription_id",
        "subscription_already_exists",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::post(
        "/api/v1/subscriptions/{subscription_id}",
        "Let a task wait no longer",
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
        &[(200, "Occurrences")],
        |x| Box::pin(schedule::of_task(x)),
    )
    .parameters(&["next integer"])
    .errors(&["invalid_task_id", "task_not_found", "invalid_parameter"]),
    Route::post(
        "/api/v1/schedule/preview",
        "The first instants of a schedule that would begin now",
        body("Preview", SMALL_BODY_BYTES_MAX),
        &[(200, "Occurrences")],
        |x| Box::pin(schedule::preview(x)),
    ),
    Route::post(
        "/api/v1/custom-events",
        "Publish an event of one's own to the subscriptions that wait for it",
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
        optional("Reason"),
        &[(200, "TaskCanceled")],
        |x| Box::pin(tasks::cancel(x)),
    )
    .control()
    .errors(TASK_CHANGE),
    Route::get("/api/v1/runs/{run_id}", "One run", &[(200, "Run")], |x| {
        Box::pin(runs::get(x))
    })
    .errors(RUN),
    Route::get(
        "/api/v1/runs/{run_id}/events",
        "The events of one run, as `/api/v1/events` gives them",
        &[(200, "EventPage"), (200, "text/event-stream")],
        |x| Box::pin(events::of_run(x)),
    )
    .parameters(OWN_EVENT_PARAMETERS)
    .errors(RUN_EVENTS),
    Route::get(
        "/api/v1/tasks/{task_id}/events",
        "The events of one task and of its runs, as `/api/v1/events` gives them",
        &[(200, "EventPage"), (200, "text/event-stream")],
        |x| Box::pin(events::of_task(x)),
    )
    .parameters(OWN_EVENT_PARAMETERS)
    .errors(TASK_EVENTS),
    Route::get(
        "/api/v1/runs/{run_id}/explain",
        "Why a run is not running",
        &[(200, "Explain")],
        |x| Box::pin(runs::explain(x)),
    )
    .errors(RUN),
    Route::post(
        "/api/v1/runs/{run_id}/cancel",
        "Cancel a run",
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
        "/api/v1/runs/{run_id}/heartbeat",
        "Keep one lease alive",
        body("Heartbeat", SMALL_BODY_BYTES_MAX),
        &[(200, "Beat")],
        |x| Box::pin(heartbeat::one(x)),
    )
    .errors(LEASE),
    Route::post(
        "/api/v1/runs/{run_id}/finish",
        "End one attempt",
        body("Finish", LARGE_BODY_BYTES_MAX),
        &[(200, "FinishOne")],
        |x| Box::pin(finish::one(x)),
    )
    .errors(LEASE),
    Route::post(
        "/api/v1/runs/{run_id}/checkpoints",
        "Save a named memo inside a running attempt",
        body("Checkpoint", LARGE_BODY_BYTES_MAX),
        &[(200, "CheckpointSaved")],
        |x| Box::pin(finish::checkpoint(x)),
    )
    .errors(LEASE),
    Route::post(
        "/api/v1/runs/{run_id}/consume",
        "Report what a running attempt uses as it goes",
        body("Consume", SMALL_BODY_BYTES_MAX),
        &[(200, "Consumed")],
        |x| Box::pin(budgets::consume(x)),
    )
    .errors(&["invalid_run_id", "lease_lost", "limit_exceeded"]),
    Route::post(
        "/api/v1/leases",
        "Claim work, waiting for it if asked to",
        body("Claim", SMALL_BODY_BYTES_MAX),
        &[(200, "ClaimAnswer")],
        |x| Box::pin(claim::claim(x)),
    )
    .all_tenants()
    .errors(&["not_supported", "limit_exceeded"]),
    Route::post(
        "/api/v1/leases/heartbeat",
        "Keep many leases alive",
        body("HeartbeatBatch", BATCH_BODY_BYTES_MAX),
        &[(200, "HeartbeatAnswer")],
        |x| Box::pin(heartbeat::many(x)),
    )
    .errors(&["limit_exceeded"]),
    Route::post(
        "/api/v1/leases/finish",
        "End many attempts, each well or badly by itself",
        body("FinishBatch", BATCH_BODY_BYTES_MAX),
        &[(200, "FinishAnswer")],
        |x| Box::pin(finish::many(x)),
    )
    .errors(&["limit_exceeded"]),
];
