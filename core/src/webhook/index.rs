//! Webhooks and their deliveries in memory.
//! Owns: the rows, which deliveries are due when, which ended ones are still shown.
//! Never: holds more than a bounded number of deliveries of a webhook.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::model::{Delivery, DeliveryState, Webhook};
use crate::WebhookId;
use crate::limits;
use crate::time::Timestamp;

/// Where a webhook is found: tenant, id.
pub(crate) type Scope = (u32, WebhookId);
/// Where a delivery is found: tenant, webhook, event.
pub(crate) type Place = (u32, WebhookId, u64);

/// Rows that changed since the last cut, or are gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    pub(crate) webhooks: BTreeSet<Scope>,
    pub(crate) deliveries: BTreeSet<Place>,
}

/// Webhooks and deliveries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Webhooks {
    rows: BTreeMap<Scope, Webhook>,
    deliveries: BTreeMap<Place, Delivery>,
    /// Pending deliveries of each webhook by when they are sent.
    due: BTreeSet<(u32, WebhookId, Timestamp, u64)>,
    /// Ended deliveries of each webhook by what ended them: they leave in this order.
    ended: BTreeSet<(u32, WebhookId, u64, u64)>,
    pub(crate) changed: Changed,
}

impl Webhooks {
    pub(crate) fn find(&self, tenant: u32, id: WebhookId) -> Option<&Webhook> {
        self.rows.get(&(tenant, id))
    }

    /// How many a tenant has.
    pub(crate) fn count(&self, tenant: u32) -> usize {
        self.of(tenant, WebhookId(0)).count()
    }

    /// A tenant's webhooks from an id on.
    pub(crate) fn of(
        &self,
        tenant: u32,
        from: WebhookId,
    ) -> impl Iterator<Item = (&Scope, &Webhook)> {
        self.rows
            .range((tenant, from)..=(tenant, WebhookId(u128::MAX)))
    }

    /// Every webhook from a place on.
    pub(crate) fn all(&self, from: Scope) -> impl Iterator<Item = (&Scope, &Webhook)> {
        self.rows.range(from..)
    }

    pub(crate) fn delivery(&self, tenant: u32, id: WebhookId, event: u64) -> Option<&Delivery> {
        self.deliveries.get(&(tenant, id, event))
    }

    /// Deliveries of a webhook before an event, newest first.
    pub(crate) fn before(
        &self,
        tenant: u32,
        id: WebhookId,
        event: u64,
    ) -> impl Iterator<Item = &Delivery> {
        let rows = self.deliveries.range((tenant, id, 0)..(tenant, id, event));
        rows.rev().map(|(_, row)| row)
    }

    /// Pending deliveries of a webhook, the one that is due first before the others.
    pub(crate) fn due(
        &self,
        tenant: u32,
        id: WebhookId,
    ) -> impl Iterator<Item = (Timestamp, &Delivery)> {
        let from = (tenant, id, Timestamp(0), 0);
        let to = (tenant, id, Timestamp(u64::MAX), u64::MAX);
        let rows = self.due.range(from..=to);
        rows.filter_map(move |(_, _, at, event)| Some((*at, self.delivery(tenant, id, *event)?)))
    }

    /// How many deliveries of a webhook are pending.
    pub(crate) fn pending(&self, tenant: u32, id: WebhookId) -> usize {
        self.due(tenant, id).count()
    }

    /// How many deliveries of all webhooks are pending.
    pub(crate) fn pending_of_all(&self) -> usize {
        self.due.len()
    }

    pub(crate) fn all_deliveries(&self) -> impl Iterator<Item = (&Place, &Delivery)> {
        self.deliveries.iter()
    }

    pub(super) fn put(&mut self, scope: Scope, row: Webhook) {
        self.changed.webhooks.insert(scope);
        self.rows.insert(scope, row);
    }

    pub(super) fn change(&mut self, scope: Scope, change: impl FnOnce(&mut Webhook)) {
        if let Some(row) = self.rows.get_mut(&scope) {
            change(row);
            self.changed.webhooks.insert(scope);
        }
    }

    pub(super) fn remove(&mut self, scope: Scope) {
        self.changed.webhooks.insert(scope);
        self.rows.remove(&scope);
        let own = self
            .deliveries
            .range((scope.0, scope.1, 0)..=(scope.0, scope.1, u64::MAX));
        let events: Vec<u64> = own.map(|((_, _, event), _)| *event).collect();
        for event in events {
            self.drop_delivery(scope, event);
        }
    }

    fn drop_delivery(&mut self, scope: Scope, event: u64) {
        let place = (scope.0, scope.1, event);
        if let Some(row) = self.deliveries.remove(&place) {
            self.unlink(place, &row);
            self.changed.deliveries.insert(place);
        }
    }

    fn unlink(&mut self, place: Place, row: &Delivery) {
        let (tenant, id, event) = place;
        self.due.remove(&(tenant, id, row.next_at, event));
        self.ended.remove(&(tenant, id, row.ended, event));
    }

    fn link(&mut self, place: Place, row: &Delivery) {
        let (tenant, id, event) = place;
        if row.state == DeliveryState::Pending {
            self.due.insert((tenant, id, row.next_at, event));
        } else {
            self.ended.insert((tenant, id, row.ended, event));
        }
    }

    /// Puts a delivery as it stands from now on. Of those that have ended the oldest leaves when there are too many.
    pub(super) fn put_delivery(&mut self, scope: Scope, row: Delivery) {
        if !self.rows.contains_key(&scope) {
            return;
        }
        let place = (scope.0, scope.1, row.event);
        if let Some(before) = self.deliveries.remove(&place) {
            self.unlink(place, &before);
        }
        self.link(place, &row);
        self.deliveries.insert(place, row);
        self.changed.deliveries.insert(place);
        let own = self
            .ended
            .range((scope.0, scope.1, 0, 0)..=(scope.0, scope.1, u64::MAX, u64::MAX));
        if own.clone().count() > limits::DELIVERIES_KEPT
            && let Some((_, _, _, oldest)) = own.into_iter().next().copied()
        {
            self.drop_delivery(scope, oldest);
        }
    }

    /// Puts a webhook back as a checkpoint holds it; false when it is there.
    pub(crate) fn restore(&mut self, scope: Scope, row: Webhook, fresh: bool) -> bool {
        if fresh {
            self.changed.webhooks.insert(scope);
        }
        self.rows.insert(scope, row).is_none()
    }

    /// Puts a delivery back as a checkpoint holds it; false when it is there.
    pub(crate) fn restore_delivery(&mut self, place: Place, row: Delivery, fresh: bool) -> bool {
        if fresh {
            self.changed.deliveries.insert(place);
        }
        self.link(place, &row);
        self.deliveries.insert(place, row).is_none()
    }

    /// Whether the indexes are what the rows say.
    pub(crate) fn verify(&self, tenants: usize) -> Result<(), String> {
        let (mut due, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for ((tenant, id, event), row) in &self.deliveries {
            if !self.rows.contains_key(&(*tenant, *id)) {
                return Err(format!("delivery {event}: of a webhook that is not there"));
            }
            if row.state == DeliveryState::Pending {
                due.insert((*tenant, *id, row.next_at, *event));
            } else {
                ended.insert((*tenant, *id, row.ended, *event));
            }
        }
        if due != self.due || ended != self.ended {
            return Err("the deliveries of a webhook differ from the rows".into());
        }
        let of_tenant = |(tenant, _): &Scope| (*tenant as usize) < tenants;
        match self.rows.keys().find(|scope| !of_tenant(scope)) {
            None => Ok(()),
            Some((_, id)) => Err(format!("webhook {id}: of a tenant that is not there")),
        }
    }
}
