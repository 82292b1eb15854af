//! All lanes, and their heads in claiming order.
//! Owns: which run a claim takes next: priority descending, then the order of becoming ready, over all its queues together.
//! Never: looks past a head.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::lane::Lane;
use super::model::QueueRow;
use super::slots::Slots;
use super::waiting::Waiting;
use crate::intern::Symbol;
use crate::state::State;

/// A lane's name. The order of its parts makes all lanes of a queue and kind neighbours, the highest priority first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) tenant: u32,
    pub(crate) queue: Symbol,
    pub(crate) kind: Symbol,
    pub(crate) priority: Reverse<i32>,
}

/// A head's place in claiming order within its queue.
type Head = (u32, Symbol, Reverse<i32>, u64, Symbol);

/// Where a run became ready: tenant, queue, kind.
pub(crate) type Woken = (u32, Symbol, Symbol);

/// Lanes that hold runs, their heads, and the slots of concurrency keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    lanes: BTreeMap<LaneKey, Lane>,
    heads: BTreeSet<Head>,
    pub(super) slots: Slots,
    pub(super) waiting: Waiting,
    /// Queues that got a run since the shell last asked, for waiting claims.
    woken: Vec<Woken>,
    /// Queues that somebody configured or paused.
    rows: BTreeMap<(u32, Symbol), QueueRow>,
}

fn head_of(key: LaneKey, order: u64) -> Head {
    (key.tenant, key.queue, key.priority, order, key.kind)
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

impl Index {
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

    pub(crate) fn push(&mut self, key: LaneKey, order: u64, run: u32) {
        let lane = self.lanes.entry(key).or_default();
        let before = lane.head();
        lane.push(order, run);
        let after = lane.head();
        self.move_head(key, before, after);
        self.wake(key);
    }

    pub(crate) fn remove(&mut self, key: LaneKey, order: u64) {
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        let before = lane.head();
        lane.remove(order);
        let after = lane.head();
        if after.is_none() {
            self.lanes.remove(&key);
        }
        self.move_head(key, before, after);
    }

    fn move_head(&mut self, key: LaneKey, before: Option<(u64, u32)>, after: Option<(u64, u32)>) {
        if before == after {
            return;
        }
        if let Some((order, _)) = before {
            self.heads.remove(&head_of(key, order));
        }
        if let Some((order, _)) = after {
            self.heads.insert(head_of(key, order));
        }
    }

    /// The run that comes first among these queues and kinds (no kinds: every kind).
    pub(crate) fn first(
        &self,
        tenant: u32,
        queues: &[Symbol],
        kinds: Option<&[Symbol]>,
    ) -> Option<u32> {
        let mut best: Option<(Reverse<i32>, u64, u32)> = None;
        let mut offer = |priority, lane: &Lane| {
            if let Some((order, run)) = lane.head() {
                let candidate = (priority, order, run);
                if best.is_none_or(|best| candidate < best) {
                    best = Some(candidate);
                }
            }
        };
        for &queue in queues {
            match kinds {
                None => {
                    let from = (tenant, queue, Reverse(i32::MAX), 0, Symbol(0));
                    let first = self.heads.range(from..).next();
                    if let Some(&(_, _, priority, _, kind)) =
                        first.filter(|head| head.0 == tenant && head.1 == queue)
                    {
                        offer(
                            priority,
                            &self.lanes[&LaneKey {
                                tenant,
                                queue,
                                kind,
                                priority,
                            }],
                        );
                    }
                }
                Some(kinds) => {
                    for &kind in kinds {
                        let from = LaneKey {
                            tenant,
                            queue,
                            kind,
                            priority: Reverse(i32::MAX),
                        };
                        let first = self.lanes.range(from..).next();
                        let same = |key: &LaneKey| {
                            key.tenant == tenant && key.queue == queue && key.kind == kind
                        };
                        if let Some((key, lane)) = first.filter(|(key, _)| same(key)) {
                            offer(key.priority, lane);
                        }
                    }
                }
            }
        }
        best.map(|(_, _, run)| run)
    }

    /// How many runs of the queue come before this one, up to about `limit`.
    pub(crate) fn ahead_of(&self, key: LaneKey, order: u64, limit: u64) -> u64 {
        let from = LaneKey {
            kind: Symbol(0),
            priority: Reverse(i32::MAX),
            ..key
        };
        let lanes = self
            .lanes
            .range(from..)
            .take_while(|(other, _)| other.tenant == key.tenant && other.queue == key.queue);
        let mut ahead = 0;
        for (other, lane) in lanes.take(crate::limits::CLAIM_FILTER_MAX) {
            if other.priority < key.priority {
                ahead += lane.len() as u64;
            } else if other.priority == key.priority {
                ahead += lane.ahead_of(order, limit);
            }
            if ahead >= limit {
                return limit;
            }
        }
        ahead
    }

    /// The first runs of the lanes, at most `limit` of them.
    pub(crate) fn heads(&self, limit: usize) -> impl Iterator<Item = u32> {
        self.lanes
            .values()
            .take(limit)
            .filter_map(|lane| lane.head().map(|(_, run)| run))
    }

    pub(crate) fn wake(&mut self, key: LaneKey) {
        let woken = (key.tenant, key.queue, key.kind);
        if self.woken.last() != Some(&woken) {
            self.woken.push(woken);
        }
    }

    /// The queues and kinds that got a run since the last call.
    pub(crate) fn take_woken(&mut self, into: &mut Vec<Woken>) {
        into.append(&mut self.woken);
    }

    pub(crate) fn forget_woken(&mut self) {
        self.woken.clear();
    }

    pub(crate) fn contains(&self, key: LaneKey, order: u64, run: u32) -> bool {
        self.lanes
            .get(&key)
            .is_some_and(|lane| lane.contains(order, run))
    }

    /// Runs in lanes, and whether heads and lanes agree: what `verify` compares.
    pub(crate) fn census(&self) -> (usize, bool) {
        let runs = self.lanes.values().map(Lane::len).sum();
        let heads_agree = self.heads.len() == self.lanes.len()
            && self.lanes.iter().all(|(key, lane)| {
                lane.head()
                    .is_some_and(|(order, _)| self.heads.contains(&head_of(*key, order)))
            });
        (runs, heads_agree)
    }
}
