//! Who comes before whom besides priority and the order of becoming ready: tenants, queues with weights, fairness keys.
//! Owns: the numbering of fairness keys that have work, and the turns of all three.
//! Never: costs those anything who use none of it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::index::LaneKey;
use super::pick::Asked;
use super::turns::{Rota, Turns};
use crate::Text;
use crate::intern::Symbol;
use crate::slab::Slab;

/// The group of tasks without a fairness key.
pub(super) const PLAIN: u32 = 0;

/// A tenant's fairness keys that have work.
#[derive(Clone, Debug)]
struct Fair {
    rota: Rota,
    keys: Slab<Text>,
    numbers: BTreeMap<Text, u32>,
}

/// All turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// Tenants that use fairness keys.
    fair: BTreeMap<u32, Fair>,
    /// The tenant that had work first: while it is the only one, nobody takes turns with it.
    first: Option<u32>,
    tenants: Option<Rota>,
    /// Tenants that gave queues weights.
    queues: BTreeMap<u32, Turns>,
}

impl Order {
    /// The number of a fairness key that has work.
    pub(super) fn find_group(&self, tenant: u32, key: &Text) -> Option<u32> {
        self.fair.get(&tenant)?.numbers.get(key).copied()
    }

    /// The number of a fairness key. `lanes` are those of the tenant so far.
    pub(super) fn group(
        &mut self,
        tenant: u32,
        key: &Text,
        lanes: impl Iterator<Item = LaneKey>,
    ) -> u32 {
        let fair = self.fair.entry(tenant).or_insert_with(|| {
            let mut keys = Slab::default();
            keys.insert(Text::default()); // the plain group's number
            let mut rota = Rota::new(Turns::rounds());
            lanes.for_each(|lane| rota.add(PLAIN, lane.queue, lane.kind, lane.set));
            Fair {
                rota,
                keys,
                numbers: BTreeMap::new(),
            }
        });
        if let Some(number) = fair.numbers.get(key) {
            return *number;
        }
        let number = fair.keys.insert(key.clone());
        fair.numbers.insert(key.clone(), number);
        number
    }

    /// A lane has come to be. `lanes` are all of them, this one included.
    pub(super) fn opened(&mut self, key: LaneKey, lanes: impl Iterator<Item = LaneKey>) {
        if let Some(fair) = self.fair.get_mut(&key.tenant) {
            fair.rota.add(key.group, key.queue, key.kind, key.set);
        }
        if let Some(queues) = self.queues.get_mut(&key.tenant) {
            queues.add(key.queue.0);
        }
        match (&mut self.tenants, self.first) {
            (Some(tenants), _) => tenants.add(key.tenant, key.queue, key.kind, 0),
            (None, None) => self.first = Some(key.tenant),
            (None, Some(first)) if first == key.tenant => {}
            (None, Some(_)) => {
                let mut tenants = Rota::new(Turns::shares());
                lanes.for_each(|lane| tenants.add(lane.tenant, lane.queue, lane.kind, 0));
                self.tenants = Some(tenants);
            }
        }
    }

    /// A lane is no more.
    pub(super) fn closed(&mut self, key: LaneKey) {
        if let Some(fair) = self.fair.get_mut(&key.tenant) {
            let gone = fair.rota.drop(key.group, key.queue, key.kind, key.set);
            if gone && key.group != PLAIN {
                if let Some(text) = fair.keys.get(key.group) {
                    fair.numbers.remove(text);
                }
                fair.keys.remove(key.group);
            }
        }
        if let Some(queues) = self.queues.get_mut(&key.tenant) {
            queues.drop(key.queue.0);
        }
        if let Some(tenants) = &mut self.tenants {
            tenants.drop(key.tenant, key.queue, key.kind, 0);
        }
    }

    /// Whether nobody takes turns.
    pub(super) fn is_plain(&self) -> bool {
        self.fair.is_empty() && self.tenants.is_none() && self.queues.is_empty()
    }

    /// A run of this lane was granted.
    pub(super) fn served(&mut self, key: LaneKey, tenant_weight: u32, queue_weight: u32) {
        if let Some(fair) = self.fair.get_mut(&key.tenant) {
            fair.rota.turns.served(key.group, 1);
        }
        if let Some(queues) = self.queues.get_mut(&key.tenant) {
            queues.served(key.queue.0, queue_weight);
        }
        if let Some(tenants) = &mut self.tenants {
            tenants.turns.served(key.tenant, tenant_weight);
        }
    }

    /// A tenant's queues take turns by weight from now on. `lanes` are the tenant's.
    pub(super) fn weigh(&mut self, tenant: u32, lanes: impl Iterator<Item = LaneKey>) {
        self.queues.entry(tenant).or_insert_with(|| {
            let mut queues = Turns::shares();
            lanes.for_each(|lane| queues.add(lane.queue.0));
            queues
        });
    }

    /// The fairness key whose turn it is at these queues.
    #[inline]
    pub(super) fn next_group(&mut self, asked: &Asked, queues: &[Symbol]) -> Option<u32> {
        if self.fair.is_empty() {
            return Some(PLAIN);
        }
        let Some(fair) = self.fair.get_mut(&asked.tenant) else {
            return Some(PLAIN);
        };
        let kinds = asked.kinds.as_deref();
        fair.rota
            .next(queues, kinds, asked.sets(), &BTreeSet::new())
    }

    /// The tenant whose turn it is at these queues, apart from those passed over.
    pub(super) fn next_tenant(
        &mut self,
        queues: &[Symbol],
        kinds: Option<&[Symbol]>,
        passed: &BTreeSet<u32>,
    ) -> Option<u32> {
        match &mut self.tenants {
            Some(tenants) => tenants.next(queues, kinds, &[0], passed),
            None => self.first.filter(|first| !passed.contains(first)),
        }
    }

    /// The queues in the order of their turns.
    pub(super) fn by_turn(&self, tenant: u32, queues: &[Symbol]) -> Vec<Symbol> {
        let turn = |queue: &Symbol| {
            let turns = self.queues.get(&tenant);
            turns.map_or(0, |turns| turns.at(queue.0))
        };
        let mut sorted = queues.to_vec();
        sorted.sort_by_key(|queue| (turn(queue), *queue));
        sorted
    }

    /// The turns of a tenant's fairness keys, when it uses some.
    pub(super) fn groups(&self, tenant: u32) -> Option<&Turns> {
        self.fair.get(&tenant).map(|fair| &fair.rota.turns)
    }

    /// For `verify`: whether everything here is what these lanes make it.
    pub(super) fn agrees(&self, lanes: &[LaneKey]) -> bool {
        let fair = self.fair.iter().all(|(tenant, fair)| {
            let own = lanes.iter().filter(|lane| lane.tenant == *tenant);
            let groups: BTreeSet<u32> = own.clone().map(|lane| lane.group).collect();
            let named = fair.numbers.iter().all(|(key, number)| {
                fair.keys.get(*number) == Some(key) && groups.contains(number)
            });
            let count = groups.len() - usize::from(groups.contains(&PLAIN));
            named
                && count == fair.numbers.len()
                && stands(&fair.rota, own, |lane| (lane.group, lane.set))
        });
        let queues = self.queues.iter().all(|(tenant, turns)| {
            let mut counted = BTreeMap::new();
            for lane in lanes.iter().filter(|lane| lane.tenant == *tenant) {
                *counted.entry(lane.queue.0).or_insert(0) += 1;
            }
            turns.census() == counted
        });
        let tenants = match &self.tenants {
            Some(tenants) => stands(tenants, lanes.iter(), |lane| (lane.tenant, 0)),
            None => lanes.iter().all(|lane| Some(lane.tenant) == self.first),
        };
        fair && queues && tenants
    }
}

/// Whether a rota is what these lanes make it.
fn stands<'a>(
    rota: &Rota,
    lanes: impl Iterator<Item = &'a LaneKey>,
    who: impl Fn(&LaneKey) -> (u32, u32),
) -> bool {
    let (mut turns, mut places) = (BTreeMap::new(), BTreeMap::new());
    for lane in lanes {
        let (who, set) = who(lane);
        *turns.entry(who).or_insert(0) += 1;
        for kind in [None, Some(lane.kind)] {
            *places.entry((lane.queue, kind, set, who)).or_insert(0) += 1;
        }
    }
    rota.turns.census() == turns && rota.census() == places
}
