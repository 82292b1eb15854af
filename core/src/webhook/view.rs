//! What people and senders see of webhooks.
//! Owns: their views.
//! Never: changes anything.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::model::{Delivery, DeliveryState, Webhook};
use crate::limits::LIST_LIMIT_MAX;
use crate::state::State;
use crate::time::Timestamp;
use crate::{TenantId, WebhookId};

/// A webhook as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookView {
    /// Its id.
    pub id: WebhookId,
    /// The tenant.
    pub tenant: TenantId,
    /// Everything about it.
    pub webhook: Webhook,
    /// Deliveries that are sent again when their time comes.
    pub pending: u64,
    /// When the first of them is due.
    pub next_at: Option<Timestamp>,
}

/// Which deliveries of a webhook are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveriesOf {
    /// All that are known.
    All,
    /// Those that stand here.
    State(DeliveryState),
    /// Those that are to be sent by then, the one due first before the others.
    DueBy(Timestamp),
}

pub(crate) fn webhook(state: &State, tenant: u32, id: WebhookId) -> Option<Box<WebhookView>> {
    let row = state.webhooks.find(tenant, id)?;
    Some(Box::new(view(state, tenant, id, row)))
}

/// A tenant's webhooks, or all of them, after one.
pub(crate) fn webhooks(
    state: &State,
    tenant: u32,
    all: bool,
    after: Option<(TenantId, WebhookId)>,
    limit: u32,
) -> Vec<WebhookView> {
    let limit = limit.min(LIST_LIMIT_MAX) as usize;
    let next = after.map_or(WebhookId(0), |(_, id)| WebhookId(id.0.saturating_add(1)));
    if all {
        let of = after.and_then(|(of, _)| state.tenant(of));
        let rows = state.webhooks.all((of.unwrap_or(0), next));
        return rows
            .take(limit)
            .map(|((of, id), row)| view(state, *of, *id, row))
            .collect();
    }
    let rows = state.webhooks.of(tenant, next).take(limit);
    rows.map(|((of, id), row)| view(state, *of, *id, row))
        .collect()
}

fn view(state: &State, tenant: u32, id: WebhookId, row: &Webhook) -> WebhookView {
    let first = state.webhooks.due(tenant, id).next();
    WebhookView {
        id,
        tenant: state.tenants[tenant as usize],
        webhook: row.clone(),
        pending: state.webhooks.pending(tenant, id) as u64,
        next_at: first.map(|(at, _)| at),
    }
}

/// Deliveries of a webhook before an event, newest first; those that are due, by their time.
pub(crate) fn deliveries(
    state: &State,
    tenant: u32,
    id: WebhookId,
    of: DeliveriesOf,
    before: u64,
    limit: u32,
) -> Vec<Delivery> {
    let limit = limit.min(LIST_LIMIT_MAX) as usize;
    let webhooks = &state.webhooks;
    match of {
        DeliveriesOf::All => webhooks
            .before(tenant, id, before)
            .take(limit)
            .cloned()
            .collect(),
        DeliveriesOf::State(wanted) => {
            let rows = webhooks.before(tenant, id, before);
            rows.filter(|row| row.state == wanted)
                .take(limit)
                .cloned()
                .collect()
        }
        DeliveriesOf::DueBy(by) => {
            let rows = webhooks.due(tenant, id);
            rows.take_while(|(at, _)| *at <= by)
                .take(limit)
                .map(|(_, row)| row.clone())
                .collect()
        }
    }
}
