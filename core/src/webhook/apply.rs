//! What each event about webhooks does to their rows: the only writer of those rows.
//! Owns: webhooks and their deliveries.
//! Never: fails or decides.

use super::model::{Delivery, DeliveryState, Disabled, Settled, Webhook};
use crate::event::{
    DeliveryRequested, WebhookCreated, WebhookDeleted, WebhookEventsMissed, WebhookReported,
    WebhookRotated, WebhookSwitched, WebhookUpdated,
};
use crate::id::Minted;
use crate::machine::Apply;
use crate::state::{At, Note, State};

impl Apply for WebhookCreated {
    fn apply(&self, state: &mut State, at: &At) {
        if !self.chosen {
            state.minted = state.minted.max(Minted::of(self.webhook.0));
        }
        let row = Webhook {
            number: at.sequence,
            spec: (*self.spec).clone(),
            generation: 1,
            created_at: at.wall,
            created_by: self.by.clone(),
            cursor: at.sequence,
            ..Webhook::default()
        };
        state.webhooks.put((at.tenant, self.webhook), row);
    }
}

impl Apply for WebhookUpdated {
    fn apply(&self, state: &mut State, at: &At) {
        state.webhooks.change((at.tenant, self.webhook), |row| {
            row.spec = (*self.spec).clone();
            row.updated_at = Some(at.wall);
        });
    }
}

impl Apply for WebhookDeleted {
    fn apply(&self, state: &mut State, at: &At) {
        state.webhooks.remove((at.tenant, self.webhook));
    }
}

impl Apply for WebhookRotated {
    fn apply(&self, state: &mut State, at: &At) {
        state.webhooks.change((at.tenant, self.webhook), |row| {
            row.generation = self.generation;
            row.rotated_at = Some(at.wall);
        });
    }
}

impl Apply for WebhookSwitched {
    fn apply(&self, state: &mut State, at: &At) {
        state.webhooks.change((at.tenant, self.webhook), |row| {
            row.failing_since = None;
            row.disabled = (!self.enabled).then(|| Disabled {
                at: at.wall,
                why: self.why.clone(),
                by: self.by.clone(),
            });
        });
    }
}

impl Apply for WebhookReported {
    fn apply(&self, state: &mut State, at: &At) {
        let scope = (at.tenant, self.webhook);
        let mut any = None;
        for settled in &self.settled {
            any = Some(any == Some(true) || settled.state == DeliveryState::Delivered);
            let known = state
                .webhooks
                .delivery(at.tenant, self.webhook, settled.event);
            let row = after(known.cloned(), settled, at);
            if row.state == DeliveryState::Failed {
                let note = Note::DeliveryGivenUp(at.tenant, self.webhook, settled.event);
                state.notes.push(note);
            }
            state.webhooks.put_delivery(scope, row);
        }
        state.webhooks.change(scope, |row| {
            row.cursor = self.cursor;
            match any {
                Some(true) => {
                    row.failing_since = None;
                    row.delivered_at = Some(at.wall);
                }
                Some(false) => row.failing_since = row.failing_since.or(Some(at.wall)),
                None => {}
            }
        });
    }
}

/// A delivery after an attempt.
fn after(known: Option<Delivery>, settled: &Settled, at: &At) -> Delivery {
    let mut row = known.unwrap_or_else(|| Delivery {
        event: settled.event,
        created_at: at.wall,
        ..Delivery::default()
    });
    row.kind = settled.kind.clone();
    row.task = settled.task.or(row.task);
    row.run = settled.run.or(row.run);
    row.state = settled.state;
    row.attempts = row.attempts.saturating_add(1);
    row.attempted_at = Some(at.wall);
    row.status = settled.status;
    row.error = settled.error.clone();
    row.duration_ms = settled.duration_ms;
    let is_pending = settled.state == DeliveryState::Pending;
    row.failures = row.failures.saturating_add(u32::from(is_pending));
    row.next_at = at.wall.plus_ms(settled.delay_ms);
    row.ended = if is_pending { 0 } else { at.sequence };
    row
}

impl Apply for WebhookEventsMissed {
    fn apply(&self, state: &mut State, at: &At) {
        let note = Note::EventsMissed(at.tenant, self.webhook, (self.first, self.last));
        state.notes.push(note);
    }
}

impl Apply for DeliveryRequested {
    fn apply(&self, state: &mut State, at: &At) {
        let known = state.webhooks.delivery(at.tenant, self.webhook, self.event);
        let event = if self.event == 0 {
            at.sequence
        } else {
            self.event
        };
        let mut row = known.cloned().unwrap_or_else(|| Delivery {
            event,
            kind: self.kind.clone(),
            created_at: at.wall,
            ..Delivery::default()
        });
        row.state = DeliveryState::Pending;
        row.failures = 0;
        row.next_at = at.wall;
        row.ended = 0;
        state.webhooks.put_delivery((at.tenant, self.webhook), row);
    }
}
