//! Long polls: claims that found nothing and wait for work.
//! Owns: who waits where, first come first served, and until when.
//! Never: wakes more claims than there is work: the writer tries them one by one until one finds nothing.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{Claim, Principal, Steady, TenantId, Text, Woken};

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

/// Where a claim waits: a queue, and a kind if it named some.
type Place = (TenantId, Text, Option<Text>);

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
    let tenant = waiter.principal.tenant;
    let claim = &waiter.claim;
    let kinds: Vec<Option<Text>> = if claim.kinds.is_empty() {
        vec![None]
    } else {
        claim.kinds.iter().cloned().map(Some).collect()
    };
    claim
        .queues
        .iter()
        .flat_map(|queue| {
            kinds
                .iter()
                .map(move |kind| (tenant, queue.clone(), kind.clone()))
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

    /// Takes out the claim that has waited longest for such work, with its place in the order.
    pub(crate) fn take_for(&mut self, woken: &Woken) -> Option<(u64, Waiter)> {
        let first = |kind: Option<&Text>| {
            let place = (woken.tenant, woken.queue.clone(), kind.cloned());
            self.places
                .get(&place)
                .and_then(|here| here.first().copied())
        };
        let id = match (first(None), first(Some(&woken.kind))) {
            (Some(any), Some(named)) => any.min(named),
            (any, named) => any.or(named)?,
        };
        Some((id, self.remove(id)?))
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

    /// Every place where a claim waits, to try them all.
    pub(crate) fn all_places(&self) -> Vec<Woken> {
        let woken = |(tenant, queue, kind): &Place| Woken {
            tenant: *tenant,
            queue: queue.clone(),
            kind: kind.clone().unwrap_or_else(|| Text::from("")),
        };
        self.places.keys().map(woken).collect()
    }

    /// When the first wait is over.
    pub(crate) fn next_end(&self) -> Option<Steady> {
        self.ends.first().map(|(until, _)| *until)
    }
}
