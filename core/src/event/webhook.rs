//! Facts about webhooks.
//! Owns: their fields.
//! Never: drops or renumbers a field; old logs hold it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::webhook::{Settled, WebhookSpec};
use crate::{Text, WebhookId};

facts! {
    /// Somebody outside is to be told of events.
    WebhookCreated {
        /// The webhook.
        webhook: WebhookId,
        /// What was set.
        spec: Box<WebhookSpec>,
        /** By whom. */ by: Text,
        /// Whether its id was chosen rather than minted.
        chosen: bool,
    }
    /// What a webhook is was set anew.
    WebhookUpdated {
        /// The webhook.
        webhook: WebhookId,
        /// What holds from now on.
        spec: Box<WebhookSpec>,
        /** By whom. */ by: Text,
    }
    /// A webhook is no more.
    WebhookDeleted {
        /// The webhook.
        webhook: WebhookId,
        /** By whom. */ by: Text,
    }
    /// A webhook signs with a new secret; for a day the one before signs too.
    WebhookRotated {
        /// The webhook.
        webhook: WebhookId,
        /// How many secrets it has had.
        generation: u32,
        /** By whom. */ by: Text,
    }
    /// A webhook is told of events again, or no more.
    WebhookSwitched {
        /// The webhook.
        webhook: WebhookId,
        /// Whether events are sent.
        enabled: bool,
        /// Why they are not.
        why: Text,
        /// By whom; empty for the machine itself.
        by: Text,
    }
    /// Events were sent to a webhook.
    WebhookReported {
        /// The webhook.
        webhook: WebhookId,
        /// Every event up to this one was looked at.
        cursor: u64,
        /// What became of those that were sent.
        settled: Vec<Settled>,
    }
    /// An event is sent to a webhook on request.
    DeliveryRequested {
        /// The webhook.
        webhook: WebhookId,
        /// The event; 0 for this one itself.
        event: u64,
        /// Its public type.
        kind: Text,
        /** By whom. */ by: Text,
    }
    /// Events were trimmed from the log before they were sent to a webhook.
    WebhookEventsMissed {
        /// The webhook.
        webhook: WebhookId,
        /// The first that was not looked at.
        first: u64,
        /// The last.
        last: u64,
    }
}
