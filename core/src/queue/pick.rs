//! What a claim looks for, and the run it comes to next.
//! Owns: the walk over tenants, queues, fairness keys and lane heads, past queues that are closed.
//! Never: scans past a blocked run: that is parked.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::gate::{Closed, closed};
use super::sets::NOTHING;
use crate::Text;
use crate::command::Claim;
use crate::intern::Symbol;
use crate::state::State;
use crate::time::Steady;

/// What is looked for in one tenant.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(super) tenant: u32,
    pub(super) queues: Vec<Symbol>,
    /// Only these kinds.
    pub(super) kinds: Option<Vec<Symbol>>,
    /// Capability sets that the worker can serve; empty for the empty one alone.
    sets: Vec<u32>,
    /// Whether the queues take turns by weight.
    pub(super) by_weight: bool,
}

impl Asked {
    pub(super) fn sets(&self) -> &[u32] {
        if self.sets.is_empty() {
            &[NOTHING]
        } else {
            &self.sets
        }
    }
}

/// One claim's search.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    here: Asked,
    /// When the claim is over all tenants.
    all: Option<Box<Across>>,
}

/// A search over all tenants.
#[derive(Clone, Debug)]
struct Across {
    capabilities: Vec<Text>,
    /// What is looked for in each tenant met so far.
    asked: BTreeMap<u32, Asked>,
    /// Tenants that have nothing more for it.
    passed: BTreeSet<u32>,
}

impl Across {
    fn new(capabilities: Vec<Text>) -> Box<Across> {
        Box::new(Across {
            capabilities,
            asked: BTreeMap::new(),
            passed: BTreeSet::new(),
        })
    }
}

impl Pick {
    pub(crate) fn new(state: &State, tenant: u32, claim: &Claim) -> Pick {
        let symbols = |names: &[Text]| {
            let mut symbols: Vec<Symbol> = Vec::with_capacity(names.len());
            symbols.extend(names.iter().filter_map(|name| state.names.find(name)));
            symbols.sort_unstable();
            symbols.dedup();
            symbols
        };
        let mut capabilities = claim.capabilities.clone();
        capabilities.sort_unstable();
        let queues = symbols(&claim.queues);
        let kinds = (!claim.kinds.is_empty()).then(|| symbols(&claim.kinds));
        Pick {
            here: asked(state, tenant, queues, kinds, &capabilities),
            all: claim.all_tenants.then(|| Across::new(capabilities)),
        }
    }

    /// The run that comes next; it may still be blocked or too late. Queues found closed are left alone.
    #[inline]
    pub(crate) fn next(&mut self, state: &mut State, now: Steady) -> Option<u32> {
        match self.all {
            None => next_of(state, now, &mut self.here),
            Some(_) => self.next_of_all(state, now),
        }
    }

    fn next_of_all(&mut self, state: &mut State, now: Steady) -> Option<u32> {
        let all = self.all.as_deref_mut()?;
        loop {
            let (queues, kinds) = (&self.here.queues, self.here.kinds.as_deref());
            let order = &mut state.queues.order;
            let tenant = order.next_tenant(queues, kinds, &all.passed)?;
            let asked = all.asked.entry(tenant).or_insert_with(|| {
                let (queues, kinds) = (queues.clone(), self.here.kinds.clone());
                asked(state, tenant, queues, kinds, &all.capabilities)
            });
            match next_of(state, now, asked) {
                Some(run) => return Some(run),
                None => all.passed.insert(tenant),
            };
        }
    }
}

pub(super) fn asked(
    state: &State,
    tenant: u32,
    queues: Vec<Symbol>,
    kinds: Option<Vec<Symbol>>,
    capabilities: &[Text],
) -> Asked {
    let weights = || {
        queues
            .iter()
            .map(|queue| state.queues.weight(tenant, *queue))
    };
    let by_weight = state.queues.has_rows() && weights().min() != weights().max();
    Asked {
        tenant,
        queues,
        kinds,
        sets: state.queues.sets.within(tenant, capabilities),
        by_weight,
    }
}

fn next_of(state: &mut State, now: Steady, asked: &mut Asked) -> Option<u32> {
    loop {
        let run = state.queues.first(asked)?;
        if !state.queues.has_rows() {
            return Some(run);
        }
        let queue = state.places[state.task_of(run).place].queue;
        match closed(state, now, asked.tenant, queue) {
            None => return Some(run),
            // Nobody is told when the time has come, unless somebody asked in vain before.
            Some(Closed::Limited { opens, .. }) => state.queues.open_at(asked.tenant, queue, opens),
            Some(Closed::Paused | Closed::Busy { .. }) => {}
        }
        asked.queues.retain(|other| *other != queue);
    }
}
