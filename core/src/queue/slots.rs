//! Concurrency keys: who holds a slot, and who waits for one.
//! Owns: the holders' count and limits of each key, and the parked lists.
//! Never: lets a key with room keep everybody parked: each group of waiting runs then has its first one back in its lane (the scout).

use alloc::collections::BTreeMap;
use core::cmp::Reverse;

use super::index::LaneKey;
use crate::Text;
use crate::intern::Symbol;
use crate::state::State;

/// Waiting runs that are granted or refused alike: same queue, kind, priority and limit.
type GroupKey = (Symbol, Symbol, Reverse<i32>, u32);

#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    parked: BTreeMap<u64, u32>,
    /// The run that is back in its lane to try again.
    scout: Option<u32>,
}

/// One key's slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) holders: u32,
    /// How many holders have which limit: the smallest one counts.
    limits: BTreeMap<u32, u32>,
    groups: BTreeMap<GroupKey, Group>,
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

    fn is_idle(&self) -> bool {
        self.holders == 0 && self.groups.is_empty()
    }
}

/// Every key somebody holds or waits for.
pub(crate) type Slots = BTreeMap<(u32, Text), Slot>;

fn key_of(state: &State, run: u32) -> Option<((u32, Text), u32)> {
    let policy = state.task_of(run).own_policy()?;
    let key = policy.concurrency_key.clone()?;
    Some(((state.runs[run].tenant, key), policy.concurrency_limit))
}

fn group_of(state: &State, run: u32, limit: u32) -> GroupKey {
    let task = state.task_of(run);
    let place = &state.places[task.place];
    (place.queue, place.kind, Reverse(task.priority), limit)
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
    settle(state, &key);
}

/// Moves a blocked head from its lane to its key's parked list.
pub(crate) fn park(state: &mut State, run: u32) {
    let Some((key, limit)) = key_of(state, run) else {
        return;
    };
    let order = state.runs[run].ready_order;
    state.queues.remove(lane_of(state, run), order);
    state.runs[run].parked = true;
    let group_key = group_of(state, run, limit);
    let group = state
        .queues
        .slots
        .entry(key)
        .or_default()
        .groups
        .entry(group_key)
        .or_default();
    group.parked.insert(order, run);
    if group.scout == Some(run) {
        group.scout = None;
    }
}

/// A run that was ready is no longer: it leaves its parked list, and the next of its group may try.
pub(crate) fn scout_left(state: &mut State, run: u32) {
    if state.task_of(run).own_policy().is_none() {
        return;
    }
    let Some((key, limit)) = key_of(state, run) else {
        return;
    };
    let group_key = group_of(state, run, limit);
    let order = state.runs[run].ready_order;
    state.runs[run].parked = false;
    let Some(slot) = state.queues.slots.get_mut(&key) else {
        return;
    };
    let Some(group) = slot.groups.get_mut(&group_key) else {
        return;
    };
    group.parked.remove(&order);
    if group.scout == Some(run) {
        group.scout = None;
    }
    settle(state, &key);
}

/// While the key has room, every group of waiting runs has its first one back in its lane.
fn settle(state: &mut State, key: &(u32, Text)) {
    let State { queues, runs, .. } = state;
    let Some(slot) = queues.slots.get_mut(key) else {
        return;
    };
    let (holders, least) = (
        slot.holders,
        slot.limits.first_key_value().map(|(least, _)| *least),
    );
    let mut back = alloc::vec::Vec::new();
    slot.groups.retain(|group_key, group| {
        let limit = least.map_or(group_key.3, |least| group_key.3.min(least));
        if group.scout.is_none()
            && holders < limit
            && let Some((order, run)) = group.parked.pop_first()
        {
            group.scout = Some(run);
            back.push((*group_key, order, run));
        }
        group.scout.is_some() || !group.parked.is_empty()
    });
    if slot.is_idle() {
        queues.slots.remove(key);
    }
    for ((queue, kind, priority, _), order, run) in back {
        runs[run].parked = false;
        queues.push(
            LaneKey {
                tenant: key.0,
                queue,
                kind,
                priority,
            },
            order,
            run,
        );
    }
}

/// The lane a run belongs to.
pub(crate) fn lane_of(state: &State, run: u32) -> LaneKey {
    let task = state.task_of(run);
    let place = &state.places[task.place];
    LaneKey {
        tenant: place.tenant,
        queue: place.queue,
        kind: place.kind,
        priority: Reverse(task.priority),
    }
}

/// For `verify`: the runs this index says are parked, or the first rule it breaks.
pub(crate) fn unparked_first(state: &State) -> Result<usize, &'static str> {
    let mut parked = 0;
    for slot in state.queues.slots.values() {
        if slot.is_idle() {
            return Err("an idle key is kept");
        }
        if slot.limits.values().sum::<u32>() != slot.holders {
            return Err("a key's limits do not match its holders");
        }
        for (group_key, group) in &slot.groups {
            if group.scout.is_none() && group.parked.is_empty() {
                return Err("an empty group is kept");
            }
            if group.scout.is_none() && slot.has_room(group_key.3) {
                return Err("a key with room keeps its runs parked");
            }
            parked += group.parked.len();
            if group.parked.iter().any(|(order, run)| {
                !state.runs[*run].parked || state.runs[*run].ready_order != *order
            }) {
                return Err("a parked entry does not match its run");
            }
        }
    }
    Ok(parked)
}

/// For `verify`: every key's holders as this index counts them.
pub(crate) fn holders(state: &State) -> impl Iterator<Item = (&(u32, Text), u32)> {
    state
        .queues
        .slots
        .iter()
        .filter(|(_, slot)| slot.holders > 0)
        .map(|(key, slot)| (key, slot.holders))
}
