//! Long polls: claims that found nothing and wait for work.
//! Owns: who waits where, first come first served, and until when.
//! Never: wakes more claims than there is work: of those that ask for the same, the writer tries one by one until one finds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mainstay_core::{ActorId, Claim, Principal, Steady, TenantId, Text, Woken};

use crate::call::Reply;
use crate::inbox::Decided;

/// Claims that may wait at once; beyond it callers get `busy`.
pub(crate) const WAITERS_MAX: usize = 10_000;

/// One claim that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) principal: Principal,
    pub(crate) claim: Box<Claim>,
    pub(crate) until: Steady,
    pub(crate) reply: Reply<Decided>,
}

/// What a claim waits for: a tenant (none for every one), a queue, a kind if it named some, and what its worker is able to do, in order.
pub(crate) type Place = (Option<TenantId>, Text, Option<Text>, Arc<[Text]>);

/// Places of all waiting claims together: a claim waits at each pair of its queues and kinds.
pub(crate) const PLACES_MAX: usize = 1 << 18;

/// Every waiting claim.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// Places of all waiting claims.
    taken: usize,
    waiting: BTreeMap<u64, Waiter>,
    places: BTreeMap<Place, BTreeSet<u64>>,
    ends: BTreeSet<(Steady, u64)>,
    last: u64,
}

fn places_of(claim: &Claim) -> usize {
    claim.queues.len() * claim.kinds.len().max(1)
}

fn places(waiter: &Waiter) -> Vec<Place> {
    let claim = &waiter.claim;
    let tenant = (!claim.all_tenants).then_some(waiter.principal.tenant);
    let mut able = claim.capabilities.clone();
    able.sort_unstable();
    let able: Arc<[Text]> = able.into();
    let kinds: Vec<Option<Text>> = if claim.kinds.is_empty() {
        vec![None]
    } else {
        claim.kinds.iter().cloned().map(Some).collect()
    };
    claim
        .queues
        .iter()
        .flat_map(|queue| {
            let place = |kind: &Option<Text>| (tenant, queue.clone(), kind.clone(), able.clone());
            kinds.iter().map(place).collect::<Vec<_>>()
        })
        .collect()
}

impl Waiters {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether one more claim may wait. When it is crowded, those that nobody waits for any more leave first.
    pub(crate) fn have_room(&mut self, claim: &Claim) -> bool {
        let fits = |waiters: &Waiters| {
            waiters.len() < WAITERS_MAX && waiters.taken + places_of(claim) <= PLACES_MAX
        };
        if !fits(self) {
            let gone = |(id, waiter): (&u64, &Waiter)| waiter.reply.is_abandoned().then_some(*id);
            let gone: Vec<u64> = self.waiting.iter().filter_map(gone).collect();
            for id in gone {
                self.remove(id);
            }
        }
        fits(self)
    }

    pub(crate) fn add(&mut self, waiter: Waiter) {
        self.last += 1;
        self.put_back(self.last, waiter);
    }

    /// Puts a claim back that found nothing, at its old place in the order.
    pub(crate) fn put_back(&mut self, id: u64, waiter: Waiter) {
        for place in places(&waiter) {
            self.places.entry(place).or_default().insert(id);
        }
        self.taken += places_of(&waiter.claim);
        self.ends.insert((waiter.until, id));
        self.waiting.insert(id, waiter);
    }

    fn remove(&mut self, id: u64) -> Option<Waiter> {
        let waiter = self.waiting.remove(&id)?;
        for place in places(&waiter) {
            if let Some(here) = self.places.get_mut(&place) {
                here.remove(&id);
                if here.is_empty() {
                    self.places.remove(&place);
                }
            }
        }
        self.taken -= places_of(&waiter.claim);
        self.ends.remove(&(waiter.until, id));
        Some(waiter)
    }

    /// Takes out the claim that has waited longest for such work, apart from those at dry places, with its place in the order and the
    /// place at which it was found.
    pub(crate) fn take_for(
        &mut self,
        woken: &Woken,
        dry: &BTreeSet<Place>,
    ) -> Option<(u64, Place, Waiter)> {
        let mut first: Option<(u64, &Place)> = None;
        for tenant in [Some(woken.tenant), None] {
            for (place, here) in self.places_at(tenant, woken) {
                if let Some(&id) = here.first()
                    && first.is_none_or(|(before, _)| id < before)
                    && !dry.contains(place)
                {
                    first = Some((id, place));
                }
            }
        }
        let (id, place) = first?;
        let place = place.clone();
        Some((id, place, self.remove(id)?))
    }

    /// The places where such work is waited for.
    fn places_at<'a>(
        &'a self,
        tenant: Option<TenantId>,
        woken: &'a Woken,
    ) -> impl Iterator<Item = (&'a Place, &'a BTreeSet<u64>)> {
        let nobody: Arc<[Text]> = Arc::default();
        let kinds = match &woken.kind {
            // The whole queue: whatever is waited for there.
            None => [None, None],
            Some(kind) => [Some(None), Some(Some(kind.clone()))],
        };
        let whole = woken.kind.is_none();
        kinds
            .into_iter()
            .take(if whole { 1 } else { 2 })
            .flat_map(move |kind| {
                let from = kind.clone().unwrap_or(None);
                let from = (tenant, woken.queue.clone(), from, nobody.clone());
                let here = self.places.range(from..);
                here.take_while(move |(place, _)| {
                    let same = place.0 == tenant && place.1 == woken.queue;
                    same && kind.as_ref().is_none_or(|kind| *kind == place.2)
                })
                .filter(|(place, _)| {
                    let able = |one: &Text| place.3.binary_search(one).is_ok();
                    woken.capabilities.iter().all(able)
                })
            })
    }

    /// Takes out the claims of an actor.
    pub(crate) fn take_of(&mut self, tenant: TenantId, actor: ActorId) -> Vec<Waiter> {
        let its = |waiter: &Waiter| {
            waiter.principal.tenant == tenant && waiter.claim.actor == Some(actor)
        };
        let its = self.waiting.iter().filter(|(_, waiter)| its(waiter));
        let its: Vec<u64> = its.map(|(id, _)| *id).collect();
        its.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Takes out a claim whose time is over.
    pub(crate) fn take_ended(&mut self, now: Steady) -> Option<Waiter> {
        let (_, id) = self
            .ends
            .first()
            .copied()
            .filter(|(until, _)| *until <= now)?;
        self.remove(id)
    }

    /// Takes out any claim.
    pub(crate) fn take_any(&mut self) -> Option<Waiter> {
        let id = *self.waiting.first_key_value()?.0;
        self.remove(id)
    }

    /// Every queue where a claim waits, to try them all.
    pub(crate) fn all_queues(&self) -> Vec<Woken> {
        let mut all: Vec<Woken> = Vec::new();
        for (tenant, queue, ..) in self.places.keys() {
            // Those who ask over all tenants are found through any.
            let tenant = tenant.unwrap_or(TenantId::DEFAULT);
            let is_last = |last: &Woken| last.tenant == tenant && last.queue == *queue;
            if !all.last().is_some_and(is_last) {
                all.push(Woken {
                    tenant,
                    queue: queue.clone(),
                    kind: None,
                    capabilities: Vec::new(),
                });
            }
        }
        all
    }

    /// When the first wait is over.
    pub(crate) fn next_end(&self) -> Option<Steady> {
        self.ends.first().map(|(until, _)| *until)
    }
}
