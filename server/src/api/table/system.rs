//! Health, the engine, queues, lists of everything, SQL and backups.

use super::rules::{SMALL_BODY_BYTES_MAX, body, optional};
use crate::api::audit::AUDIT_PARAMETERS;
use crate::api::events::EVENT_PARAMETERS;
use crate::api::route::{Route, Verb};
use crate::api::{audit, backup, control, events, health, query, queues};
use crate::auth::Needs;
use mainstay_core::Capability;

const QUEUE: &[&str] = &[
    "queue_not_found",
    "limit_exceeded",
    "non_monotonic_sequence",
];
const EVENTS: &[&str] = &[
    "invalid_task_id",
    "invalid_run_id",
    "invalid_pagination",
    "invalid_parameter",
    "cursor_expired",
];

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/healthz",
        "Whether the process lives",
        Needs::Open,
        &[(200, "Status")],
        |x| Box::pin(health::healthz(x)),
    ),
    Route::get(
        "/ready",
        "Whether it takes work",
        Needs::Open,
        &[(200, "Status"), (503, "Status")],
        |x| Box::pin(health::ready(x)),
    ),
    Route::get("/metrics", "Prometheus metrics", Needs::Metrics, &[(200, "")], |x| {
        Box::pin(health::metrics(x))
    }),
    Route::get(
        "/api/v1/openapi.json",
        "This document",
        Needs::Key,
        &[(200, "Document")],
        |x| Box::pin(health::openapi(x)),
    ),
    Route::get("/api/v1/stats", "Counters", Needs::READ, &[(200, "Stats")], |x| {
        Box::pin(health::stats(x))
    })
    .all_tenants(),
    Route::get(
        "/api/v1/engine",
        "The engine's switches",
        Needs::READ,
        &[(200, "Engine")],
        |x| Box::pin(control::engine(x)),
    ),
    Route::post(
        "/api/v1/engine/pause",
        "Stop granting work",
        Needs::System(Capability::Cancel),
        optional("Reason"),
        &[(200, "EngineChanged")],
        |x| Box::pin(control::pause(x)),
    )
    .control(),
    Route::post(
        "/api/v1/engine/resume",
        "Grant work again",
        Needs::System(Capability::Cancel),
        optional("Reason"),
        &[(200, "EngineChanged")],
        |x| Box::pin(control::resume(x)),
    )
    .control(),
    Route::post(
        "/api/v1/backup",
        "A consistent backup of the whole data directory, as a tar archive",
        Needs::System(Capability::Admin),
        optional("Empty"),
        &[(200, "application/x-tar")],
        |x| Box::pin(backup::backup(x)),
    )
    .errors(&["not_supported", "storage_full"]),
    Route::get(
        "/api/v1/audit",
        "The audit trail after an event: every act of control, oldest first",
        Needs::READ,
        &[(200, "AuditPage")],
        |x| Box::pin(audit::list(x)),
    )
    .all_tenants()
    .parameters(AUDIT_PARAMETERS)
    .errors(&["invalid_pagination", "invalid_parameter"]),
    Route::post(
        "/api/v1/audit/verify",
        "Verify the retained log and the audit trail",
        Needs::System(Capability::Read),
        optional("Empty"),
        &[(200, "AuditReport")],
        |x| Box::pin(audit::verify(x)),
    )
    .errors(&["not_supported"]),
    Route::get(
        "/api/v1/queues",
        "Queues by name, with their runs by state and kind",
        Needs::READ,
        &[(200, "QueueList")],
        |x| Box::pin(queues::queues(x)),
    )
    .all_tenants(),
    Route::get(
        "/api/v1/events",
        "Durable events after a cursor, in order; as a stream with `Accept: text/event-stream`",
        Needs::READ,
        &[(200, "EventPage"), (200, "text/event-stream")],
        |x| Box::pin(events::events(x)),
    )
    .all_tenants()
    .parameters(EVENT_PARAMETERS)
    .errors(EVENTS),
    Route::get(
        "/api/v1/queues/{name}",
        "One queue: its settings and its runs",
        Needs::READ,
        &[(200, "Queue")],
        |x| Box::pin(queues::one(x)),
    )
    .errors(&["queue_not_found"]),
    Route::post(
        "/api/v1/queues/{name}",
        "Set what a queue allows; what is absent is not limited any more",
        Needs::CONTROL,
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
        Needs::CONTROL,
        optional("Reason"),
        &[(200, "EngineChanged")],
        |x| Box::pin(queues::pause(x)),
    )
    .control()
    .errors(QUEUE),
    Route::post(
        "/api/v1/queues/{name}/resume",
        "Grant a queue's runs again",
        Needs::CONTROL,
        optional("Reason"),
        &[(200, "EngineChanged")],
        |x| Box::pin(queues::resume(x)),
    )
    .control()
    .errors(QUEUE),
    Route::post(
        "/api/v1/query",
        "Ask in SQL over the documented views, reading only; bytes are {\"base64\": \"…\"}, infinities are strings",
        Needs::READ,
        body("Query", SMALL_BODY_BYTES_MAX),
        &[(200, "QueryAnswer")],
        |x| Box::pin(query::query(x)),
    )
    .all_tenants()
    .errors(&["query_refused", "limit_exceeded"]),
];
