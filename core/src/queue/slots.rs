//! Concurrency keys: who holds a slot.
//! Owns: the holders' count and limits of each key.
//! Never: knows who waits for one: that is the waiting room's.

use alloc::collections::BTreeMap;

use super::waiting::{Blocker, reopen};
use crate::Text;
use crate::state::State;

/// One key's slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) holders: u32,
    /// How many holders have which limit: the smallest one counts.
    limits: BTreeMap<u32, u32>,
}

impl Slot {
    /// The smallest limit among the holders and a candidate.
    pub(crate) fn limit(&self, candidate: u32) -> u32 {
        self.limits
            .first_key_value()
            .map_or(candidate, |(least, _)| candidate.min(*least))
    }

    fn has_room(&self, candidate: u32) -> bool {
        self.holders < self.limit(candidate)
    }
}

/// Every key somebody holds.
pub(crate) type Slots = BTreeMap<(u32, Text), Slot>;

pub(super) fn key_of(state: &State, run: u32) -> Option<((u32, Text), u32)> {
    let policy = state.task_of(run).own_policy()?;
    let key = policy.concurrency_key.clone()?;
    Some(((state.runs[run].tenant, key), policy.concurrency_limit))
}

/// The limit that the run brings to its key.
pub(super) fn limit_of(state: &State, run: u32) -> u32 {
    let policy = state.task_of(run).own_policy();
    policy.map_or(1, |policy| policy.concurrency_limit)
}

/// Whether the run's key has room for it; the key's slot when it has not.
pub(crate) fn can_grant(state: &State, run: u32) -> Result<(), &Slot> {
    if state.runs[run].holds_key || state.task_of(run).own_policy().is_none() {
        return Ok(());
    }
    let Some((key, limit)) = key_of(state, run) else {
        return Ok(());
    };
    match state.queues.slots.get(&key) {
        Some(slot) if !slot.has_room(limit) => Err(slot),
        _ => Ok(()),
    }
}

/// The run's key, with its holders and the limit that holds for the run.
pub(crate) fn slots_for(state: &State, run: u32) -> Option<(Text, u32, u32)> {
    let (key, limit) = key_of(state, run)?;
    let slot = state.queues.slots.get(&key);
    let (holders, limit) = slot.map_or((0, limit), |slot| (slot.holders, slot.limit(limit)));
    Some((key.1, holders, limit))
}

/// The run's key, when it has no room for it.
pub(super) fn refusal(state: &State, run: u32) -> Option<Blocker> {
    can_grant(state, run).err()?;
    let ((tenant, key), _) = key_of(state, run)?;
    Some(Blocker::Key(tenant, key))
}

/// The run takes a slot of its key, if it has one and holds none.
pub(crate) fn take_slot(state: &mut State, run: u32) {
    if state.runs[run].holds_key || state.task_of(run).own_policy().is_none() {
        return;
    }
    let Some((key, limit)) = key_of(state, run) else {
        return;
    };
    let slot = state.queues.slots.entry(key).or_default();
    slot.holders += 1;
    *slot.limits.entry(limit).or_default() += 1;
    state.runs[run].holds_key = true;
}

/// The run gives its slot back.
pub(crate) fn release_slot(state: &mut State, run: u32) {
    if !state.runs[run].holds_key {
        return;
    }
    state.runs[run].holds_key = false;
    let Some((key, limit)) = key_of(state, run) else {
        return;
    };
    let Some(slot) = state.queues.slots.get_mut(&key) else {
        return;
    };
    slot.holders -= 1;
    if let Some(count) = slot.limits.get_mut(&limit) {
        *count -= 1;
        if *count == 0 {
            slot.limits.remove(&limit);
        }
    }
    if slot.holders == 0 {
        state.queues.slots.remove(&key);
    }
    reopen(state, &Blocker::Key(key.0, key.1));
}

/// For `verify`: every key's holders as this index counts them, or the first rule it breaks.
pub(crate) fn holders(state: &State) -> Result<BTreeMap<(u32, Text), u32>, &'static str> {
    let mut holders = BTreeMap::new();
    for (key, slot) in &state.queues.slots {
        if slot.holders == 0 {
            return Err("an idle key is kept");
        }
        if slot.limits.values().sum::<u32>() != slot.holders {
            return Err("a key's limits do not match its holders");
        }
        holders.insert(key.clone(), slot.holders);
    }
    Ok(holders)
}
