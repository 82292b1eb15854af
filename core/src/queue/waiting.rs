//! The waiting room of ready runs that something holds back one by one: a full concurrency key, a spent budget, prerequisites that were
//! declared late.
//! Owns: who waits for what, and whose turn it is to try again.
//! Never: lets a blocker with room keep everybody parked: each group of waiting runs then has its first one back in its lane (the scout).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::RangeBounds;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::index::{fairness, lane_for, lane_of};
use super::slots;
use crate::intern::Symbol;
use crate::state::State;
use crate::{Text, budget, dependency};

/// What can hold a ready run back although its queue is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blocker {
    /// A tenant's concurrency key without a free slot.
    Key(u32, Text),
    /// A task's budgets, by the task's handle.
    TaskBudget(u32),
    /// A tenant's budget of one dimension.
    TenantBudget(u32, Text),
    /// Prerequisites that a task, by its handle, was given when its runs were ready already.
    Prerequisites(u32),
}

/// Waiting runs that are granted or refused alike: same queue, kind, priority, capabilities, fairness key, and portion of what is short.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GroupKey {
    queue: Symbol,
    kind: Symbol,
    priority: Reverse<i32>,
    set: u32,
    fairness: Option<Text>,
    portion: u64,
}

#[derive(Clone, Debug, Default)]
struct Group {
    parked: BTreeMap<u64, u32>,
    /// The run that is back in its lane to try again.
    scout: Option<u32>,
}

/// Everybody who waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    groups: BTreeMap<Blocker, BTreeMap<GroupKey, Group>>,
    /// What each parked run and each scout waits for.
    under: HashMap<u32, Blocker, FixedState>,
}

impl Default for Waiting {
    fn default() -> Self {
        Waiting {
            groups: BTreeMap::new(),
            under: HashMap::with_hasher(FixedState::default()),
        }
    }
}

/// The first thing that holds the run back, if anything does.
#[inline]
pub(crate) fn refusal(state: &State, run: u32) -> Option<Blocker> {
    let row = &state.runs[run];
    let is_plain = state.tasks[row.task].rare.is_none() && !budget::is_covered(state, row);
    if is_plain {
        None
    } else {
        held_back(state, run)
    }
}

fn held_back(state: &State, run: u32) -> Option<Blocker> {
    if dependency::is_blocked(state.task_of(run)) {
        return Some(Blocker::Prerequisites(state.runs[run].task));
    }
    slots::refusal(state, run).or_else(|| budget::refusal(state, run))
}

/// Whether this one holds the run back.
fn refuses(state: &State, blocker: &Blocker, run: u32) -> bool {
    match blocker {
        Blocker::Key(..) => slots::can_grant(state, run).is_err(),
        Blocker::TaskBudget(_) | Blocker::TenantBudget(..) => budget::refuses(state, blocker, run),
        Blocker::Prerequisites(_) => dependency::is_blocked(state.task_of(run)),
    }
}

fn group_of(state: &State, blocker: &Blocker, run: u32) -> GroupKey {
    let task = state.task_of(run);
    let place = &state.places[task.place];
    let lane = lane_of(state, run);
    GroupKey {
        queue: place.queue,
        kind: place.kind,
        priority: Reverse(task.priority),
        set: lane.set,
        fairness: fairness(task).cloned(),
        portion: match blocker {
            Blocker::Key(..) => slots::limit_of(state, run).into(),
            Blocker::TaskBudget(_) | Blocker::TenantBudget(..) => {
                budget::portion(state, blocker, run)
            }
            Blocker::Prerequisites(_) => 0,
        },
    }
}

/// Moves a blocked head from its lane to the waiting room.
pub(crate) fn park(state: &mut State, run: u32, blocker: Blocker) {
    leave(state, run);
    let order = state.runs[run].ready_order;
    state.runs[run].parked = true;
    let key = group_of(state, &blocker, run);
    let waiting = &mut state.queues.waiting;
    let groups = waiting.groups.entry(blocker.clone()).or_default();
    groups.entry(key).or_default().parked.insert(order, run);
    waiting.under.insert(run, blocker);
}

/// A run joins its lane, at the place that its order gives it.
#[inline]
pub(crate) fn enter(state: &mut State, run: u32) {
    let order = state.runs[run].ready_order;
    let lane = lane_for(state, run);
    state.queues.push(lane, order, run);
}

/// A run leaves its lane or the waiting room. If it was waiting, the next of its group may try.
pub(crate) fn leave(state: &mut State, run: u32) {
    let row = &state.runs[run];
    let (order, parked) = (row.ready_order, row.parked);
    if !parked {
        state.queues.remove(lane_of(state, run), order);
    }
    if state.queues.waiting.under.is_empty() {
        return;
    }
    let Some(blocker) = state.queues.waiting.under.remove(&run) else {
        return;
    };
    state.runs[run].parked = false;
    let key = group_of(state, &blocker, run);
    let groups = state.queues.waiting.groups.get_mut(&blocker);
    if let Some(group) = groups.and_then(|groups| groups.get_mut(&key)) {
        group.parked.remove(&order);
        if group.scout == Some(run) {
            group.scout = None;
        }
    }
    // Room came to nobody: only its own group may lack its scout. All of them looked at each time would take a claim that parks many
    // scouts time by the square of their number.
    reopen_some(state, &blocker, &key..=&key);
}

/// While the blocker has room, every group that waits for it has its first run back in its lane. To be called whenever room may have
/// come.
pub(crate) fn reopen(state: &mut State, blocker: &Blocker) {
    reopen_some(state, blocker, ..);
}

fn reopen_some(state: &mut State, blocker: &Blocker, which: impl RangeBounds<GroupKey>) {
    let Some(groups) = state.queues.waiting.groups.get(blocker) else {
        return;
    };
    let mut back = Vec::new();
    let mut empty = Vec::new();
    for (key, group) in groups.range(which) {
        let first = group.parked.first_key_value();
        match (group.scout, first) {
            (None, None) => empty.push(key.clone()),
            (None, Some((_, run))) if !refuses(state, blocker, *run) => {
                back.push((key.clone(), *run))
            }
            _ => {}
        }
    }
    let none_left = empty.len() == groups.len();
    let waiting = &mut state.queues.waiting;
    if none_left {
        waiting.groups.remove(blocker);
        return;
    }
    if let Some(groups) = waiting.groups.get_mut(blocker) {
        for key in empty {
            groups.remove(&key);
        }
        for (key, run) in &back {
            if let Some(group) = groups.get_mut(key) {
                group.parked.pop_first();
                group.scout = Some(*run);
            }
        }
    }
    for (_, run) in back {
        state.runs[run].parked = false;
        enter(state, run);
    }
}

impl Waiting {
    /// What a run that is back in its lane waits for, and who waits behind it.
    pub(super) fn behind(
        &self,
        state: &State,
        run: u32,
    ) -> Option<(&Blocker, &BTreeMap<u64, u32>)> {
        if self.under.is_empty() {
            return None;
        }
        let blocker = self.under.get(&run)?;
        let (blocker, groups) = self.groups.get_key_value(blocker)?;
        let group = groups.get(&group_of(state, blocker, run))?;
        Some((blocker, &group.parked))
    }
}

/// For `verify`: the runs this index says are parked, or the first rule it breaks.
pub(crate) fn parked(state: &State) -> Result<usize, &'static str> {
    let waiting = &state.queues.waiting;
    let (mut parked, mut known) = (0, 0);
    for (blocker, groups) in &waiting.groups {
        if groups.is_empty() {
            return Err("a blocker nobody waits for is kept");
        }
        for (key, group) in groups {
            if group.scout.is_none() && group.parked.is_empty() {
                return Err("an empty group is kept");
            }
            parked += group.parked.len();
            for (run, order) in group.runs() {
                known += 1;
                let Some(row) = state.runs.get(run) else {
                    return Err("a waiting run is gone");
                };
                if waiting.under.get(&run) != Some(blocker)
                    || row.parked != order.is_some()
                    || order.is_some_and(|order| order != row.ready_order)
                    || group_of(state, blocker, run) != *key
                {
                    return Err("a waiting entry does not match its run");
                }
            }
            let first = group.parked.first_key_value();
            if group.scout.is_none() && first.is_some_and(|(_, run)| !refuses(state, blocker, *run))
            {
                return Err("a blocker with room keeps its runs parked");
            }
        }
    }
    if known != waiting.under.len() {
        return Err("a run waits in no group");
    }
    Ok(parked)
}

impl Group {
    /// Its runs, the parked ones with their order.
    fn runs(&self) -> impl Iterator<Item = (u32, Option<u64>)> {
        let parked = self.parked.iter().map(|(order, run)| (*run, Some(*order)));
        self.scout.map(|run| (run, None)).into_iter().chain(parked)
    }
}
