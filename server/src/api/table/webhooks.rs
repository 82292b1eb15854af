//! Webhooks and their deliveries.

use super::rules::{SMALL_BODY_BYTES_MAX, body, optional};
use crate::api::route::{Route, Verb};
use crate::api::webhooks;
use crate::api::webhooks::DELIVERY_PARAMETERS;
use crate::auth::Needs;

const WEBHOOK: &[&str] = &["invalid_webhook_id", "webhook_not_found"];
const CHANGE: &[&str] = &[
    "invalid_webhook_id",
    "webhook_not_found",
    "limit_exceeded",
    "non_monotonic_sequence",
];

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::post(
        "/api/v1/webhooks",
        "Make a webhook; its secret is shown once",
        Needs::ADMIN,
        body("WebhookSpec", SMALL_BODY_BYTES_MAX),
        &[(201, "WebhookSecret"), (200, "WebhookSecret")],
        |x| Box::pin(webhooks::create(x)),
    )
    .control()
    .keyed()
    .errors(&[
        "invalid_webhook_id",
        "webhook_already_exists",
        "idempotency_conflict",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/webhooks",
        "The tenant's webhooks",
        Needs::READ,
        &[(200, "WebhookList")],
        |x| Box::pin(webhooks::list(x)),
    ),
    Route::get(
        "/api/v1/webhooks/{webhook_id}",
        "One webhook",
        Needs::READ,
        &[(200, "Webhook")],
        |x| Box::pin(webhooks::one(x)),
    )
    .errors(WEBHOOK),
    Route::post(
        "/api/v1/webhooks/{webhook_id}",
        "Set everything about a webhook anew",
        Needs::ADMIN,
        body("WebhookSettings", SMALL_BODY_BYTES_MAX),
        &[(200, "Webhook")],
        |x| Box::pin(webhooks::update(x)),
    )
    .verb(Verb::Put)
    .control()
    .errors(CHANGE),
    Route::post(
        "/api/v1/webhooks/{webhook_id}",
        "Remove a webhook and its deliveries",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "WebhookChanged")],
        |x| Box::pin(webhooks::delete(x)),
    )
    .verb(Verb::Delete)
    .control()
    .errors(CHANGE),
    Route::post(
        "/api/v1/webhooks/{webhook_id}/enable",
        "Send events to a webhook again, from where it stopped",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "WebhookChanged")],
        |x| Box::pin(webhooks::enable(x)),
    )
    .control()
    .errors(CHANGE),
    Route::post(
        "/api/v1/webhooks/{webhook_id}/disable",
        "Send no events to a webhook",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "WebhookChanged")],
        |x| Box::pin(webhooks::disable(x)),
    )
    .control()
    .errors(CHANGE),
    Route::post(
        "/api/v1/webhooks/{webhook_id}/rotate",
        "Give a webhook a new secret, shown once; for a day the old one signs too",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "WebhookSecret")],
        |x| Box::pin(webhooks::rotate(x)),
    )
    .control()
    .errors(CHANGE),
    Route::post(
        "/api/v1/webhooks/{webhook_id}/test",
        "Send a webhook an event that says nothing, now",
        Needs::ADMIN,
        optional("Reason"),
        &[(202, "DeliveryRequested")],
        |x| Box::pin(webhooks::test(x)),
    )
    .control()
    .errors(&[
        "invalid_webhook_id",
        "webhook_not_found",
        "webhook_disabled",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/webhooks/{webhook_id}/deliveries",
        "What was sent to a webhook and what is to be sent again, newest first",
        Needs::READ,
        &[(200, "DeliveryPage")],
        |x| Box::pin(webhooks::deliveries(x)),
    )
    .parameters(DELIVERY_PARAMETERS)
    .errors(&[
        "invalid_webhook_id",
        "webhook_not_found",
        "invalid_pagination",
        "invalid_parameter",
    ]),
    Route::post(
        "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
        "Send a webhook an event again, now",
        Needs::ADMIN,
        optional("Reason"),
        &[(202, "DeliveryRequested")],
        |x| Box::pin(webhooks::redeliver(x)),
    )
    .control()
    .errors(&[
        "invalid_webhook_id",
        "invalid_delivery_id",
        "webhook_not_found",
        "delivery_not_found",
        "webhook_disabled",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
];
