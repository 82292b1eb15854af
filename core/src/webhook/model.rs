//! The nouns of webhooks.
//! Owns: a webhook's and a delivery's row, what a sender reports.
//! Never: decides; holds a secret.

use alloc::vec::Vec;

use crate::codec::{Field, Malformed, Value, nested, put_record, record, take_record};
use crate::time::Timestamp;
use crate::{RunId, TaskId, Text, WebhookId};

/// What somebody sets of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookSpec {
    /// A name for people, `[a-z0-9._-]{1,128}`; it need not be unique.
    pub name: Text,
    /// What it is for, for people.
    pub description: Option<Text>,
    /// Where events are sent; at most [`crate::limits::WEBHOOK_URL_BYTES_MAX`].
    pub url: Text,
    /// Public types of events that are sent, in order; `*` stands for all of them.
    pub events: Vec<Text>,
    /// Only events about work in these queues, in order; empty for all.
    pub queues: Vec<Text>,
    /// Only events about work of these kinds, in order; empty for all.
    pub kinds: Vec<Text>,
}
record!(WebhookSpec { 1 name, 2 description, 3 url, 4 events, 5 queues, 6 kinds });

/// Why nothing is sent any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why: `requested`, `gone` (the receiver answered 410) or `failing` (nothing but failures for five days).
    pub why: Text,
    /// By whom; empty for the machine itself.
    pub by: Text,
}

/// A webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhook {
    /// The sequence of the event that made it.
    pub number: u64,
    /// What was set.
    pub spec: WebhookSpec,
    /// Absent while events are sent.
    pub disabled: Option<Disabled>,
    /// The generation of its signing secret, from 1.
    pub generation: u32,
    /// When the secret was rotated last: for a day the one before signs too.
    pub rotated_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Text,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
    /// Events up to this one were sent, or have a delivery of their own.
    pub cursor: u64,
    /// Since when nothing but failures came back.
    pub failing_since: Option<Timestamp>,
    /// When an event was delivered last.
    pub delivered_at: Option<Timestamp>,
}

/// A webhook's row as its image holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhookForm {
    number: u64,
    name: Text,
    description: Option<Text>,
    url: Text,
    events: Vec<Text>,
    queues: Vec<Text>,
    kinds: Vec<Text>,
    disabled_at: Option<Timestamp>,
    disabled_why: Text,
    disabled_by: Text,
    generation: u32,
    rotated_at: Option<Timestamp>,
    created_at: Timestamp,
    created_by: Text,
    updated_at: Option<Timestamp>,
    cursor: u64,
    failing_since: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
}
record!(WebhookForm {
    1 number, 2 name, 3 description, 4 url, 5 events, 6 queues, 7 kinds, 8 disabled_at, 9 disabled_why, 10 disabled_by, 11 generation,
    12 rotated_at, 13 created_at, 14 created_by, 15 updated_at, 16 cursor, 17 failing_since, 18 delivered_at,
});

impl Webhook {
    pub(crate) fn form(&self) -> WebhookForm {
        let (spec, off) = (self.spec.clone(), self.disabled.clone());
        let disabled_at = off.as_ref().map(|off| off.at);
        let off = off.unwrap_or_default();
        WebhookForm {
            number: self.number,
            name: spec.name,
            description: spec.description,
            url: spec.url,
            events: spec.events,
            queues: spec.queues,
            kinds: spec.kinds,
            disabled_at,
            disabled_why: off.why,
            disabled_by: off.by,
            generation: self.generation,
            rotated_at: self.rotated_at,
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            updated_at: self.updated_at,
            cursor: self.cursor,
            failing_since: self.failing_since,
            delivered_at: self.delivered_at,
        }
    }
}

impl From<WebhookForm> for Webhook {
    fn from(form: WebhookForm) -> Webhook {
        let (why, by) = (form.disabled_why, form.disabled_by);
        Webhook {
            number: form.number,
            spec: WebhookSpec {
                name: form.name,
                description: form.description,
                url: form.url,
                events: form.events,
                queues: form.queues,
                kinds: form.kinds,
            },
            disabled: form.disabled_at.map(|at| Disabled { at, why, by }),
            generation: form.generation,
            rotated_at: form.rotated_at,
            created_at: form.created_at,
            created_by: form.created_by,
            updated_at: form.updated_at,
            cursor: form.cursor,
            failing_since: form.failing_since,
            delivered_at: form.delivered_at,
        }
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// It is sent when its time comes.
    #[default]
    Pending = 0,
    /// The receiver has taken it.
    Delivered = 1,
    /// Nobody tries any more.
    Failed = 2,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: &'static [DeliveryState] = &[
        DeliveryState::Pending,
        DeliveryState::Delivered,
        DeliveryState::Failed,
    ];

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<DeliveryState> {
        DeliveryState::ALL
            .iter()
            .copied()
            .find(|one| one.name() == name)
    }

    /// The one with this number in the log.
    #[must_use]
    pub fn from_code(code: u64) -> Option<DeliveryState> {
        DeliveryState::ALL
            .iter()
            .copied()
            .find(|one| *one as u64 == code)
    }
}

/// One event on its way to one webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The event's sequence: the delivery's id within its webhook.
    pub event: u64,
    /// The event's public type.
    pub kind: Text,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// The run it is about.
    pub run: Option<RunId>,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was sent.
    pub attempts: u32,
    /// How often it failed since it was asked for anew: where it is in its schedule.
    pub failures: u32,
    /// When it was sent first, or asked for.
    pub created_at: Timestamp,
    /// When it was sent last.
    pub attempted_at: Option<Timestamp>,
    /// When it is sent next, while it is pending.
    pub next_at: Timestamp,
    /// The status of the last answer; 0 when there was none.
    pub status: u32,
    /// The class of the last failure; empty for none.
    pub error: Text,
    /// How long the last answer took, in milliseconds.
    pub duration_ms: u64,
    /// The event that ended it; 0 while it is pending.
    pub ended: u64,
}
record!(Delivery {
    1 event, 2 kind, 3 task, 4 run, 5 state, 6 attempts, 7 failures, 8 created_at, 9 attempted_at, 10 next_at, 11 status, 12 error,
    13 duration_ms, 14 ended,
});

/// What became of one attempt, as the log holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The event's sequence.
    pub event: u64,
    /// Its public type.
    pub kind: Text,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// The run it is about.
    pub run: Option<RunId>,
    /// Where the delivery stands.
    pub state: DeliveryState,
    /// The status of the answer; 0 when there was none.
    pub status: u32,
    /// The class of the failure; empty for none.
    pub error: Text,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Milliseconds until it is sent again.
    pub delay_ms: u64,
}
record!(Settled { 1 event, 2 kind, 3 task, 4 run, 5 state, 6 status, 7 error, 8 duration_ms, 9 delay_ms });
nested!(Settled);

/// One attempt, as whoever sent it tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempted {
    /// The event's sequence.
    pub event: u64,
    /// Its public type.
    pub kind: Text,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// The run it is about.
    pub run: Option<RunId>,
    /// The status of the answer; 0 when there was none.
    pub status: u32,
    /// The class of the failure, `[a-z0-9._-]{1,128}`; empty when an answer came.
    pub error: Text,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How long the receiver asks to be left alone, in milliseconds.
    pub retry_after_ms: u64,
    /// Whether sending again is of no use: the event is in the log no more.
    pub is_lost: bool,
}

/// What a sender has done for a webhook since it reported last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The webhook.
    pub webhook: WebhookId,
    /// Every event up to this one is none for it, or among what was reported.
    pub cursor: u64,
    /// What was sent; at most [`crate::limits::REPORTED_MAX`].
    pub attempts: Vec<Attempted>,
    /// Events that were trimmed from the log before anybody looked at them: the first and the last.
    pub missed: Option<(u64, u64)>,
}
