//! The table of actors, and what follows from it and from the leases of runs.
//! Owns: actors by number and by id, when each is looked at, who holds which runs, and whose leases are to end.
//! Never: decides; only `apply` and the loading of rows change it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

use super::model::Row;
use super::presence::Presence;
use crate::state::State;
use crate::time::Steady;
use crate::{ActorId, limits};

/// Every actor, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    rows: BTreeMap<u64, Row>,
    ids: BTreeMap<(u32, ActorId), u64>,
    counts: BTreeMap<u32, usize>,
    alarms: BTreeSet<(Steady, u64)>,
    /// Runs that each holds, also of those that are registered no more.
    held: BTreeMap<u64, BTreeSet<u32>>,
    /// Those among the holders that are registered no more: their leases are to end.
    gone: BTreeSet<u64>,
}

impl Index {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The actors of a tenant.
    pub(crate) fn count(&self, tenant: u32) -> usize {
        self.counts.get(&tenant).copied().unwrap_or(0)
    }

    pub(crate) fn is_full(&self, tenant: u32) -> bool {
        self.count(tenant) >= limits::ACTORS_MAX
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Row> {
        self.rows.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Row> {
        self.rows.get_mut(&number)
    }

    pub(crate) fn find(&self, tenant: u32, id: ActorId) -> Option<&Row> {
        self.rows.get(self.ids.get(&(tenant, id))?)
    }

    /// Every actor, in the order of registration.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Actors by tenant and id, from this one on.
    pub(crate) fn from(&self, first: (u32, ActorId)) -> impl Iterator<Item = &Row> {
        let here = self.ids.range(first..);
        here.filter_map(|(_, number)| self.rows.get(number))
    }

    /// How many runs it holds.
    pub(crate) fn held(&self, number: u64) -> usize {
        self.held.get(&number).map_or(0, BTreeSet::len)
    }

    /// Whether it is registered no more: what it still holds is as good as lost.
    pub(crate) fn is_gone(&self, number: u64) -> bool {
        self.gone.contains(&number)
    }

    /// Whether leases are to end because their holders are registered no more.
    pub(crate) fn has_stranded(&self) -> bool {
        !self.gone.is_empty()
    }

    /// A run whose lease is to end, because its holder is registered no more.
    pub(crate) fn stranded(&self) -> Option<u32> {
        let runs = self.held.get(self.gone.first()?)?;
        runs.first().copied()
    }

    /// The first actor that is to be looked at by now.
    pub(crate) fn due(&self, now: Steady) -> Option<u64> {
        let (at, number) = self.alarms.first()?;
        (*at <= now).then_some(*number)
    }

    /// Milliseconds until time alone changes something here.
    pub(crate) fn next_in_ms(&self, now: Steady) -> Option<u64> {
        if self.has_stranded() {
            return Some(0);
        }
        self.alarms.first().map(|(at, _)| at.since_ms(now))
    }

    /// Looks at an actor again then.
    pub(crate) fn rearm(&mut self, number: u64, at: Steady) {
        let Some(row) = self.rows.get_mut(&number) else {
            return;
        };
        self.alarms.remove(&(row.armed, number));
        row.armed = at;
        self.alarms.insert((at, number));
    }

    /// Adds an actor; its id is free.
    pub(super) fn insert(&mut self, row: Row) {
        self.ids.insert((row.tenant, row.id), row.number);
        self.alarms.insert((row.armed, row.number));
        *self.counts.entry(row.tenant).or_default() += 1;
        self.rows.insert(row.number, row);
    }

    pub(super) fn remove(&mut self, tenant: u32, id: ActorId) {
        let Some(number) = self.ids.remove(&(tenant, id)) else {
            return;
        };
        if let Some(row) = self.rows.remove(&number) {
            self.alarms.remove(&(row.armed, number));
        }
        if let Some(count) = self.counts.get_mut(&tenant) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&tenant);
            }
        }
        if self.held.contains_key(&number) {
            self.gone.insert(number);
        }
    }

    /// An actor holds a run.
    pub(crate) fn take(&mut self, number: u64, run: u32) {
        self.held.entry(number).or_default().insert(run);
        if !self.rows.contains_key(&number) {
            self.gone.insert(number);
        }
    }

    /// It holds the run no more.
    pub(crate) fn let_go(&mut self, number: u64, run: u32) {
        let Some(runs) = self.held.get_mut(&number) else {
            return;
        };
        runs.remove(&run);
        if runs.is_empty() {
            self.held.remove(&number);
            self.gone.remove(&number);
        }
    }
}

/// Adds an actor of a checkpoint; false when one of its id or number is there.
pub(crate) fn restore(state: &mut State, row: Row) -> bool {
    let index = &mut state.actors;
    let known = index.ids.contains_key(&(row.tenant, row.id));
    if known || index.rows.contains_key(&row.number) {
        return false;
    }
    index.insert(row);
    true
}

/// Whether everything here follows from the rows of actors and runs.
///
/// # Errors
/// The first disagreement, in words.
pub(crate) fn verify(state: &State, presence: &Presence) -> Result<(), String> {
    let index = &state.actors;
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for row in index.rows() {
        let wrong = |what: &str| Err(format!("actor {}: {what}", row.id));
        *counts.entry(row.tenant).or_default() += 1;
        if index.ids.get(&(row.tenant, row.id)) != Some(&row.number) {
            return wrong("its id does not find it");
        }
        if !index.alarms.contains(&(row.armed, row.number)) {
            return wrong("nobody looks whether it is silent");
        }
        let latest = row.gone_at(presence.heard(row));
        if row.armed < row.gone_at(row.registered) || row.armed > latest {
            return wrong("it is looked at too early or too late");
        }
    }
    let sizes = [index.ids.len(), index.alarms.len()];
    if sizes != [index.rows.len(); 2] || counts != index.counts {
        return Err("the indexes of actors differ from their rows".into());
    }
    if presence.len() > index.rows.len() {
        return Err("somebody is remembered who is registered no more".into());
    }
    let mut held: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
    for (at, run) in state.runs.iter() {
        let holder = run.active.as_deref().and_then(|active| active.actor);
        if let Some(number) = holder {
            held.entry(number).or_default().insert(at);
        }
    }
    if held != index.held {
        return Err("what actors hold differs from the leases".into());
    }
    let gone = held.keys().filter(|number| index.get(**number).is_none());
    if !gone.eq(&index.gone) {
        return Err("those whose leases are to end are not those who are gone".into());
    }
    Ok(())
}
