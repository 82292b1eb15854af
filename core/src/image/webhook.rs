//! Webhooks and deliveries: to images and back.
//! Owns: how their rows stand in a checkpoint.
//! Never: trusts an image: what does not fit is refused.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::cut::{Cut, ObjectClass, ObjectRow};
use crate::codec::{Malformed, Record};
use crate::state::State;
use crate::webhook::{Delivery, DeliveryState, Webhook, WebhookForm};
use crate::{Text, WebhookId, limits};

/// A webhook's image: in checkpoints and in digests alike.
pub(crate) fn put_webhook(row: &Webhook, out: &mut Vec<u8>) {
    row.form().put(out);
}

/// A delivery's image: in checkpoints and in digests alike.
pub(crate) fn put_delivery(row: &Delivery, out: &mut Vec<u8>) {
    row.put(out);
}

/// A delivery's name among objects.
pub(crate) fn delivery_key(webhook: WebhookId, event: u64) -> Text {
    Text::from(format!("{webhook}/{event}"))
}

/// Webhooks and deliveries that changed, and those that are gone: an empty image says so.
pub(crate) fn cut_webhooks(state: &mut State, cut: &mut Cut) {
    let changed = core::mem::take(&mut state.webhooks.changed);
    for (tenant, id) in changed.webhooks {
        let mut image = Vec::new();
        if let Some(row) = state.webhooks.find(tenant, id) {
            put_webhook(row, &mut image);
        }
        cut.objects.push(ObjectRow {
            class: ObjectClass::Webhook,
            tenant: state.tenants[tenant as usize],
            key: id.to_string().as_str().into(),
            image,
        });
    }
    for (tenant, id, event) in changed.deliveries {
        let mut image = Vec::new();
        if let Some(row) = state.webhooks.delivery(tenant, id, event) {
            put_delivery(row, &mut image);
        }
        cut.objects.push(ObjectRow {
            class: ObjectClass::Delivery,
            tenant: state.tenants[tenant as usize],
            key: delivery_key(id, event),
            image,
        });
    }
}

/// Adds a webhook. `fresh` says that the next cut must hold it again.
pub(super) fn load(
    state: &mut State,
    tenant: u32,
    row: &ObjectRow,
    fresh: bool,
) -> Result<(), Malformed> {
    let id: Option<WebhookId> = row.key.parse().ok();
    let id = id.ok_or(Malformed("a webhook whose name is no id"))?;
    let webhook = Webhook::from(WebhookForm::read(&row.image)?);
    let spec = &webhook.spec;
    let fits = limits::is_name(&spec.name)
        && !spec.events.is_empty()
        && (1..=state.sequence).contains(&webhook.number)
        && webhook.cursor <= state.sequence
        && webhook.generation > 0;
    if !fits {
        return Err(Malformed("a webhook that cannot be"));
    }
    let added = state.webhooks.restore((tenant, id), webhook, fresh);
    added.then_some(()).ok_or(Malformed("an object twice"))
}

/// Adds a delivery. Whether its webhook is there is checked once all are.
pub(super) fn load_delivery(
    state: &mut State,
    tenant: u32,
    row: &ObjectRow,
    fresh: bool,
) -> Result<(), Malformed> {
    let named = row.key.split_once('/');
    let webhook = named.and_then(|(id, _)| id.parse::<WebhookId>().ok());
    let webhook = webhook.ok_or(Malformed("a delivery whose name is none"))?;
    let delivery = Delivery::read(&row.image)?;
    let fits = *delivery_key(webhook, delivery.event) == *row.key
        && limits::is_name(&delivery.kind)
        && (delivery.error.is_empty() || limits::is_name(&delivery.error))
        && (1..=state.sequence).contains(&delivery.event)
        && delivery.ended <= state.sequence
        && (delivery.state == DeliveryState::Pending) == (delivery.ended == 0);
    if !fits {
        return Err(Malformed("a delivery that cannot be"));
    }
    let place = (tenant, webhook, delivery.event);
    let added = state.webhooks.restore_delivery(place, delivery, fresh);
    added.then_some(()).ok_or(Malformed("an object twice"))
}
