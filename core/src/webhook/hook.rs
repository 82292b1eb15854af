//! What can be asked about webhooks, as one kind of command.
//! Owns: its nouns, and which decision each of them goes to.
//! Never: decides.

use super::model::{Report, WebhookSpec};
use super::{manage, report, send};
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Text, WebhookId};

/// Something about a tenant's webhooks. All but a report need `can_admin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Make a webhook.
    Create {
        /// Its id; minted when absent.
        webhook: Option<WebhookId>,
        /// What it is.
        spec: WebhookSpec,
        /// Why.
        reason: Option<Text>,
    },
    /// Set everything about a webhook anew.
    Update {
        /// The webhook.
        webhook: WebhookId,
        /// What it is from now on.
        spec: WebhookSpec,
        /// Why.
        reason: Option<Text>,
    },
    /// Remove a webhook and its deliveries.
    Delete {
        /// The webhook.
        webhook: WebhookId,
        /// Why.
        reason: Option<Text>,
    },
    /// Give a webhook a new secret; for a day the old one signs too.
    Rotate {
        /// The webhook.
        webhook: WebhookId,
        /// Why.
        reason: Option<Text>,
    },
    /// Send events, or none.
    Switch {
        /// The webhook.
        webhook: WebhookId,
        /// Whether events are sent from now on.
        enabled: bool,
        /// Why.
        reason: Option<Text>,
    },
    /// What was sent, by whoever sends.
    Report(Report),
    /// Send an event again, now.
    Redeliver {
        /// The webhook.
        webhook: WebhookId,
        /// The event.
        event: u64,
        /// Why.
        reason: Option<Text>,
    },
    /// Send an event that says nothing, now.
    Test {
        /// The webhook.
        webhook: WebhookId,
        /// Why.
        reason: Option<Text>,
    },
}

impl Hook {
    /// The stable number of this kind of command in the log's command records.
    pub(crate) fn code(&self) -> u64 {
        match self {
            Hook::Create { .. } => 80,
            Hook::Update { .. } => 81,
            Hook::Delete { .. } => 82,
            Hook::Rotate { .. } => 83,
            Hook::Switch { enabled: true, .. } => 84,
            Hook::Switch { enabled: false, .. } => 85,
            Hook::Report(_) => 86,
            Hook::Redeliver { .. } => 87,
            Hook::Test { .. } => 88,
        }
    }

    /// Why, for acts of control: a report is none.
    pub(crate) fn control_reason(&self) -> Option<Option<&Text>> {
        match self {
            Hook::Create { reason, .. }
            | Hook::Update { reason, .. }
            | Hook::Delete { reason, .. }
            | Hook::Rotate { reason, .. }
            | Hook::Switch { reason, .. }
            | Hook::Redeliver { reason, .. }
            | Hook::Test { reason, .. } => Some(reason.as_ref()),
            Hook::Report(_) => None,
        }
    }
}

/// Decides what is asked about webhooks.
pub(crate) fn hook(tx: &mut Tx<'_>, what: &Hook) -> Result<Outcome, Rejection> {
    if let Some(reason) = what.control_reason() {
        super::check::check_may(tx)?;
        crate::limits::check_reason(reason)?;
    }
    match what {
        Hook::Create { webhook, spec, .. } => manage::create(tx, *webhook, spec),
        Hook::Update { webhook, spec, .. } => manage::update(tx, *webhook, spec),
        Hook::Delete { webhook, .. } => manage::delete(tx, *webhook),
        Hook::Rotate { webhook, .. } => manage::rotate(tx, *webhook),
        Hook::Switch {
            webhook, enabled, ..
        } => manage::switch(tx, *webhook, *enabled),
        Hook::Report(report) => report::report(tx, report),
        Hook::Redeliver { webhook, event, .. } => send::redeliver(tx, *webhook, *event),
        Hook::Test { webhook, .. } => send::test(tx, *webhook),
    }
}
