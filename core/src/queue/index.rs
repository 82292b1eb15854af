//! All lanes, and their heads in claiming order.
//! Owns: which run a claim takes next: priority descending, then the order of becoming ready, over all its queues together.
//! Never: looks past a head.

use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::lane::Lane;
use super::model::QueueRow;
use super::order::{Order, PLAIN};
use super::pick::Asked;
use super::sets::{NOTHING, Sets};
use super::slots::Slots;
use super::waiting::Waiting;
use crate::intern::Symbol;
use crate::state::State;
use crate::time::Steady;
use crate::{Text, task};

/// A lane's name. The order of its parts makes all lanes of a queue and kind neighbours, the highest priority first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) tenant: u32,
    pub(crate) queue: Symbol,
    pub(crate) kind: Symbol,
    /// What workers must be able to do.
    pub(crate) set: u32,
    /// The fairness key.
    pub(crate) group: u32,
    pub(crate) priority: Reverse<i32>,
}

/// A head's place in claiming order within its queue, capability set and fairness key; and which run it is.
type Head = (u32, Symbol, u32, u32, Reverse<i32>, u64, u32);

/// What says which of several heads comes first: priority, order, run.
type First = (Reverse<i32>, u64, u32);

/// Where there may be work for waiting claims: tenant, queue, kind (none for every kind) and capability set.
pub(crate) type Woken = (u32, Symbol, Option<Symbol>, u32);

/// Lanes that hold runs, their heads, and everything else that says in which order they are granted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(super) lanes: BTreeMap<LaneKey, Lane>,
    heads: BTreeSet<Head>,
    pub(crate) sets: Sets,
    pub(super) order: Order,
    pub(super) slots: Slots,
    pub(super) waiting: Waiting,
    /// Queues that got a run, or were opened, since the shell last asked, for waiting claims.
    woken: Vec<Woken>,
    /// Queues that somebody configured or paused.
    rows: BTreeMap<(u32, Symbol), QueueRow>,
    /// When queues open that a claim found closed by their rate.
    openings: BTreeMap<(u32, Symbol), Steady>,
    by_opening: BTreeSet<(Steady, u32, Symbol)>,
}

fn head_of(key: LaneKey, (order, run): (u64, u32)) -> Head {
    (
        key.tenant,
        key.queue,
        key.set,
        key.group,
        key.priority,
        order,
        run,
    )
}

/// The fairness key of a task; the empty one is none.
pub(super) fn fairness(task: &task::Row) -> Option<&Text> {
    let key = task.own_policy()?.fairness_key.as_ref();
    key.filter(|key| !key.is_empty())
}

/// The lane a run belongs to.
#[inline]
pub(crate) fn lane_of(state: &State, run: u32) -> LaneKey {
    let task = state.task_of(run);
    let place = &state.places[task.place];
    let mut key = LaneKey {
        tenant: place.tenant,
        queue: place.queue,
        kind: place.kind,
        set: NOTHING,
        group: PLAIN,
        priority: Reverse(task.priority),
    };
    if let Some(policy) = task.own_policy() {
        let sets = &state.queues.sets;
        // A set or key that has no number is in no lane.
        let set = sets.find(place.tenant, &policy.required_capabilities);
        key.set = set.unwrap_or(u32::MAX);
        if let Some(fairness) = fairness(task) {
            let group = state.queues.order.find_group(place.tenant, fairness);
            key.group = group.unwrap_or(u32::MAX);
        }
    }
    key
}

/// The same, for a run that is going to join it.
#[inline]
pub(super) fn lane_for(state: &mut State, run: u32) -> LaneKey {
    if state.task_of(run).own_policy().is_some() {
        number(state, run);
    }
    lane_of(state, run)
}

/// Numbers the fairness key that a run's lane is named by.
fn number(state: &mut State, run: u32) {
    let task = &state.tasks[state.runs[run].task];
    if let Some(key) = fairness(task) {
        let tenant = state.places[task.place].tenant;
        let lanes = tenant_lanes(&state.queues.lanes, tenant);
        state.queues.order.group(tenant, key, lanes);
    }
}

fn tenant_lanes(
    lanes: &BTreeMap<LaneKey, Lane>,
    tenant: u32,
) -> impl Iterator<Item = LaneKey> + '_ {
    let from = LaneKey {
        tenant,
        queue: Symbol(0),
        kind: Symbol(0),
        set: 0,
        group: 0,
        priority: Reverse(i32::MAX),
    };
    let own = lanes.range(from..).map(|(key, _)| *key);
    own.take_while(move |key| key.tenant == tenant)
}

/// Ready runs that stand in line together.
pub(crate) struct Line<'a> {
    pub(crate) tenant: u32,
    pub(crate) queue: Symbol,
    pub(crate) kind: Symbol,
    /// What workers must be able to do.
    pub(crate) required: &'a [Text],
    pub(crate) runs: u64,
    /// The one that has waited longest.
    pub(crate) head: Option<u32>,
}

impl Index {
    /// The first lanes, as who looks on sees them.
    pub(crate) fn lines(&self, most: usize) -> impl Iterator<Item = Line<'_>> {
        self.lanes.iter().take(most).map(|(key, lane)| Line {
            tenant: key.tenant,
            queue: key.queue,
            kind: key.kind,
            required: self.sets.text(key.tenant, key.set),
            runs: lane.len() as u64,
            head: lane.head().map(|(_, run)| run),
        })
    }

    /// A queue's row, if somebody configured or paused it.
    pub(crate) fn row(&self, tenant: u32, queue: Symbol) -> Option<&QueueRow> {
        self.rows.get(&(tenant, queue))
    }

    pub(super) fn rows_mut(&mut self) -> &mut BTreeMap<(u32, Symbol), QueueRow> {
        &mut self.rows
    }

    /// Every queue with a row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&(u32, Symbol), &QueueRow)> {
        self.rows.iter()
    }

    /// Whether any queue has a row.
    pub(crate) fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// A queue's share among those of one claim.
    pub(crate) fn weight(&self, tenant: u32, queue: Symbol) -> u32 {
        let row = self.row(tenant, queue);
        row.and_then(|row| row.config.weight).unwrap_or(1)
    }

    /// A tenant's queues take turns by weight from now on.
    pub(super) fn weigh(&mut self, tenant: u32) {
        let lanes = tenant_lanes(&self.lanes, tenant);
        self.order.weigh(tenant, lanes);
    }

    pub(super) fn push(&mut self, key: LaneKey, order: u64, run: u32) {
        let (fresh, before, after) = match self.lanes.entry(key) {
            Entry::Vacant(vacant) => {
                let lane = vacant.insert(Lane::default());
                lane.push(order, run);
                (true, None, lane.head())
            }
            Entry::Occupied(occupied) => {
                let lane = occupied.into_mut();
                let before = lane.head();
                lane.push(order, run);
                (false, before, lane.head())
            }
        };
        self.move_head(key, before, after);
        if fresh {
            self.order.opened(key, self.lanes.keys().copied());
        }
        self.wake(key);
    }

    pub(super) fn remove(&mut self, key: LaneKey, order: u64) {
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        let before = lane.head();
        lane.remove(order);
        let after = lane.head();
        self.move_head(key, before, after);
        if after.is_none() {
            self.lanes.remove(&key);
            self.order.closed(key);
        }
    }

    fn move_head(&mut self, key: LaneKey, before: Option<(u64, u32)>, after: Option<(u64, u32)>) {
        if before == after {
            return;
        }
        if let Some(head) = before {
            self.heads.remove(&head_of(key, head));
        }
        if let Some(head) = after {
            self.heads.insert(head_of(key, head));
        }
    }

    /// The run that comes first among those asked for.
    #[inline]
    pub(super) fn first(&mut self, asked: &Asked) -> Option<u32> {
        if !asked.by_weight {
            return self.first_at(asked, &asked.queues);
        }
        let queues = self.order.by_turn(asked.tenant, &asked.queues);
        let mut queues = queues.iter();
        queues.find_map(|queue| self.first_at(asked, core::slice::from_ref(queue)))
    }

    fn first_at(&mut self, asked: &Asked, queues: &[Symbol]) -> Option<u32> {
        let group = self.order.next_group(asked, queues)?;
        let tenant = asked.tenant;
        let mut best: Option<First> = None;
        let mut offer = |candidate: Option<First>| {
            if let Some(first) = candidate
                && best.is_none_or(|best| first < best)
            {
                best = Some(first);
            }
        };
        for &queue in queues {
            for &set in asked.sets() {
                let Some(kinds) = &asked.kinds else {
                    offer(self.first_of_all(tenant, queue, set, group));
                    continue;
                };
                for &kind in kinds {
                    let from = LaneKey {
                        tenant,
                        queue,
                        kind,
                        set,
                        group,
                        priority: Reverse(i32::MAX),
                    };
                    offer(self.first_of_kind(from));
                }
            }
        }
        best.map(|(_, _, run)| run)
    }

    /// The run that comes first over all kinds.
    fn first_of_all(&self, tenant: u32, queue: Symbol, set: u32, group: u32) -> Option<First> {
        let from = (tenant, queue, set, group, Reverse(i32::MAX), 0, 0);
        let &(first_tenant, first_queue, first_set, first_group, priority, order, run) =
            self.heads.range(from..).next()?;
        let same =
            (first_tenant, first_queue, first_set, first_group) == (tenant, queue, set, group);
        same.then_some((priority, order, run))
    }

    /// The run that comes first in the lanes of one kind, from the highest priority on.
    fn first_of_kind(&self, from: LaneKey) -> Option<First> {
        let (key, lane) = self.lanes.range(from..).next()?;
        let priority = from.priority;
        let same = LaneKey { priority, ..*key } == from;
        let (order, run) = lane.head().filter(|_| same)?;
        Some((key.priority, order, run))
    }

    /// How many runs of the queue come before this one, up to about `limit`: those of its own fairness key before it, and of every
    /// other key as many as it has turns until then.
    pub(crate) fn ahead_of(&self, key: LaneKey, order: u64, limit: u64) -> u64 {
        let from = LaneKey {
            kind: Symbol(0),
            set: 0,
            group: 0,
            priority: Reverse(i32::MAX),
            ..key
        };
        let lanes = self
            .lanes
            .range(from..)
            .take_while(|(other, _)| other.tenant == key.tenant && other.queue == key.queue);
        let mut ahead = 0;
        let mut others: BTreeMap<u32, u64> = BTreeMap::new();
        for (other, lane) in lanes.take(crate::limits::CLAIM_FILTER_MAX) {
            if other.group != key.group {
                *others.entry(other.group).or_default() += lane.len() as u64;
            } else if other.priority < key.priority {
                ahead += lane.len() as u64;
            } else if other.priority == key.priority {
                ahead += lane.ahead_of(order, limit);
            }
            if ahead >= limit {
                return limit;
            }
        }
        if let Some(turns) = self.order.groups(key.tenant) {
            let own = turns.at(key.group);
            let rounds = |group: u32| ahead + u64::from(turns.at(group) < own);
            let others = others.iter();
            let others: u64 = others.map(|(group, runs)| rounds(*group).min(*runs)).sum();
            ahead += others;
        }
        ahead.min(limit)
    }

    /// The first runs of the lanes, at most `limit` of them.
    pub(crate) fn heads(&self, limit: usize) -> impl Iterator<Item = u32> {
        self.lanes
            .values()
            .take(limit)
            .filter_map(|lane| lane.head().map(|(_, run)| run))
    }

    pub(crate) fn wake(&mut self, key: LaneKey) {
        self.wake_for((key.tenant, key.queue, Some(key.kind), key.set));
    }

    /// The queue grants again: every claim that waits there may find something.
    pub(super) fn wake_queue(&mut self, tenant: u32, queue: Symbol) {
        self.wake_for((tenant, queue, None, NOTHING));
    }

    fn wake_for(&mut self, woken: Woken) {
        if self.woken.last() != Some(&woken) {
            self.woken.push(woken);
        }
    }

    /// Where there may be work for waiting claims since the last call.
    pub(crate) fn take_woken(&mut self, into: &mut Vec<Woken>) {
        into.append(&mut self.woken);
    }

    /// Somebody found the queue closed by its rate until then, with work in it.
    pub(super) fn open_at(&mut self, tenant: u32, queue: Symbol, at: Steady) {
        if let Some(before) = self.openings.insert((tenant, queue), at) {
            self.by_opening.remove(&(before, tenant, queue));
        }
        self.by_opening.insert((at, tenant, queue));
    }

    /// Milliseconds until the first queue opens for which somebody asked in vain.
    pub(crate) fn next_opening_in_ms(&self, now: Steady) -> Option<u64> {
        let (at, ..) = self.by_opening.first()?;
        Some(at.since_ms(now))
    }

    /// Wakes claims at the queues that have opened.
    pub(crate) fn open_due(&mut self, now: Steady) {
        while let Some(&(at, tenant, queue)) = self.by_opening.first()
            && at <= now
        {
            self.by_opening.pop_first();
            self.openings.remove(&(tenant, queue));
            self.wake_queue(tenant, queue);
        }
    }

    pub(crate) fn forget_woken(&mut self) {
        self.woken.clear();
    }

    pub(crate) fn contains(&self, key: LaneKey, order: u64, run: u32) -> bool {
        self.lanes
            .get(&key)
            .is_some_and(|lane| lane.contains(order, run))
    }

    /// Runs in lanes, and whether heads, turns and lanes agree: what `verify` compares.
    pub(crate) fn census(&self) -> (usize, bool) {
        let runs = self.lanes.values().map(Lane::len).sum();
        let heads_agree = self.heads.len() == self.lanes.len()
            && self.lanes.iter().all(|(key, lane)| {
                lane.head()
                    .is_some_and(|head| self.heads.contains(&head_of(*key, head)))
            });
        let keys: Vec<LaneKey> = self.lanes.keys().copied().collect();
        (runs, heads_agree && self.order.agrees(&keys))
    }
}
