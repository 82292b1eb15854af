//! The shapes of webhooks and their deliveries, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// What webhooks are made of.
pub(super) const WEBHOOKS: &[Schema] = &[
    sent(
        "WebhookSpec",
        &[
            "name! name",
            "description description?",
            "url! url",
            "events! webhook_events",
            "queues webhook_names?",
            "kinds webhook_names?",
            "webhook_id uuid?",
            "reason reason?",
        ],
    ),
    sent(
        "WebhookSettings",
        &[
            "name! name",
            "description description?",
            "url! url",
            "events! webhook_events",
            "queues webhook_names?",
            "kinds webhook_names?",
            "reason reason?",
        ],
    ),
    answered(
        "WebhookSecret",
        &["webhook_id! uuid", "secret! string?", "generation! count"],
    ),
    answered(
        "WebhookDisabled",
        &["at! instant", "why! requested|gone|failing", "by! string?"],
    ),
    answered(
        "Webhook",
        &[
            "webhook_id! uuid",
            "tenant_id! uuid",
            "name! name",
            "description! string?",
            "url! string",
            "events! [string]",
            "queues! [name]",
            "kinds! [name]",
            "state! enabled|disabled",
            "disabled! WebhookDisabled?",
            "generation! count",
            "rotated_at! instant?",
            "created_at! instant",
            "created_by! string",
            "updated_at! instant?",
            "cursor! count",
            "pending! count",
            "next_at! instant?",
            "failing_since! instant?",
            "delivered_at! instant?",
        ],
    ),
    answered("WebhookList", &["webhooks! [Webhook]"]),
    answered(
        "WebhookChanged",
        &[
            "webhook_id! uuid",
            "status! deleted|enabled|disabled",
            "changed! boolean",
        ],
    ),
    answered(
        "DeliveryRequested",
        &["webhook_id! uuid", "delivery_id! count"],
    ),
    answered(
        "Delivery",
        &[
            "delivery_id! count",
            "event_type! string",
            "task_id! uuid?",
            "run_id! uuid?",
            "state! pending|delivered|failed",
            "attempts! count",
            "created_at! instant",
            "attempted_at! instant?",
            "next_at! instant?",
            "last_status! count?",
            "last_error! string?",
            "last_duration_ms! count?",
        ],
    ),
    answered("DeliveryPage", &["deliveries! [Delivery]", "next! count?"]),
];
