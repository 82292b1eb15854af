//! Bodies of webhooks.

use serde::{Deserialize, Serialize};

use super::text::Str;

/// Body of `POST /api/v1/webhooks` and `PUT /api/v1/webhooks/{webhook_id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSpec<'a> {
    /// A name for people.
    #[serde(borrow)]
    pub name: Str<'a>,
    /// What it is for.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Str<'a>>,
    /// Where events are sent.
    #[serde(borrow)]
    pub url: Str<'a>,
    /// Types of events; `*` for all.
    #[serde(borrow)]
    pub events: Vec<Str<'a>>,
    /// Only events about work in these queues.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<Vec<Str<'a>>>,
    /// Only events about work of these kinds.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<Str<'a>>>,
    /// Chosen by the client; minted when absent. Not for a change.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<Str<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// A webhook's secret, shown when it is made and when it is rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecret {
    /// The webhook.
    pub webhook_id: String,
    /// The signing secret; absent when the same `Idempotency-Key` made the webhook before.
    pub secret: Option<String>,
    /// How many secrets it has had.
    pub generation: u32,
}

/// Why a webhook is disabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookDisabled {
    /// Since when.
    pub at: String,
    /// `requested`, `gone` or `failing`.
    pub why: String,
    /// By whom; absent for the engine itself.
    pub by: Option<String>,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub webhook_id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where events are sent.
    pub url: String,
    /// Types of events; `*` for all.
    pub events: Vec<String>,
    /// Only events about work in these queues.
    pub queues: Vec<String>,
    /// Only events about work of these kinds.
    pub kinds: Vec<String>,
    /// `enabled` or `disabled`.
    pub state: String,
    /// Why it is disabled.
    pub disabled: Option<WebhookDisabled>,
    /// How many secrets it has had.
    pub generation: u32,
    /// When its secret was rotated last.
    pub rotated_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// By whom.
    pub created_by: String,
    /// When it was changed last.
    pub updated_at: Option<String>,
    /// Events up to this one were sent, or have a delivery of their own.
    pub cursor: u64,
    /// Deliveries that are sent again when their time comes.
    pub pending: u64,
    /// When the first of them is due.
    pub next_at: Option<String>,
    /// Since when nothing but failures came back.
    pub failing_since: Option<String>,
    /// When an event was delivered last.
    pub delivered_at: Option<String>,
}

/// `GET /api/v1/webhooks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookList {
    /// All of the tenant's, by id.
    pub webhooks: Vec<Webhook>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookChanged {
    /// The webhook.
    pub webhook_id: String,
    /// `deleted`, `enabled` or `disabled`.
    pub status: String,
    /// False when it was so already.
    pub changed: bool,
}

/// A delivery that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRequested {
    /// The webhook.
    pub webhook_id: String,
    /// The delivery.
    pub delivery_id: u64,
}

/// One event on its way to one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id within its webhook: the event's sequence.
    pub delivery_id: u64,
    /// The event's type.
    pub event_type: String,
    /// The task that it is about.
    pub task_id: Option<String>,
    /// The run that it is about.
    pub run_id: Option<String>,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was sent first, or asked for.
    pub created_at: String,
    /// When it was sent last.
    pub attempted_at: Option<String>,
    /// When it is sent next.
    pub next_at: Option<String>,
    /// The status of the last answer.
    pub last_status: Option<u32>,
    /// The class of the last failure.
    pub last_error: Option<String>,
    /// How long the last attempt took, in milliseconds.
    pub last_duration_ms: Option<u64>,
}

/// `GET /api/v1/webhooks/{webhook_id}/deliveries`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryPage {
    /// Newest first.
    pub deliveries: Vec<Delivery>,
    /// To go on: those before this one. Absent at the end.
    pub next: Option<u64>,
}
