//! What a claim would come to on its way to one run: the runs before it take slots, starts and budgets first.
//! Owns: the answer to "would a capable worker's claim get it now", for explain.
//! Never: changes anything: it goes through the claim's steps on a sheet of its own, and through no more than a limited number.

use alloc::collections::{BTreeMap, BTreeSet};
use core::cmp::Reverse;

use super::gate::{Closed, Refused, admits};
use super::index::{LaneKey, lane_of};
use super::lane::Runs;
use super::model::QueueRow;
use super::slots::{can_grant, key_of, limit_of};
use super::waiting::Blocker;
use crate::machine::Now;
use crate::state::State;
use crate::{Text, budget, dependency, limits};

/// A run that would be held back, and how many would be granted before it.
#[derive(Clone, Debug)]
pub(crate) struct Foreseen {
    pub(crate) refused: Refused,
    /// Runs that the same claim would be granted first.
    pub(crate) ahead: u64,
}

/// Whether a claim for its queue and kind, by a worker that is able to do what it requires and no more, would get the ready run now. A
/// claim's limits in number and bytes are left out: another claim follows.
///
/// # Errors
/// What would hold it back.
pub(crate) fn foresee(state: &State, now: &Now, run: u32) -> Result<(), Foreseen> {
    let held_back = |refused, ahead| Err(Foreseen { refused, ahead });
    if let Err(refused) = admits(state, now.steady, run) {
        return held_back(refused, 0);
    }
    if !is_contended(state, run) {
        return Ok(());
    }
    let mut sheet = Sheet::new(state, now, run);
    for _ in 0..limits::FORESEE_STEPS_MAX {
        let Some(next) = sheet.next() else {
            break;
        };
        let refused = sheet.refusal(next);
        if next == run {
            return refused.map_or(Ok(()), |refused| held_back(refused, sheet.granted));
        }
        match refused {
            Some(Refused::Blocked(_)) => sheet.leave(next, false),
            Some(refused) => return held_back(refused, sheet.granted),
            None if is_over(state, now, next) => sheet.leave(next, false),
            None => sheet.grant(next),
        }
    }
    // The claim ends, or the run is too far behind to be foreseen: what those before it have left decides.
    sheet
        .refusal(run)
        .map_or(Ok(()), |refused| held_back(refused, sheet.granted))
}

/// Whether a claim cancels the run instead of granting it.
fn is_over(state: &State, now: &Now, run: u32) -> bool {
    let task = state.runs[run].task;
    state.runs[run].is_expired(&state.tasks[task], now.wall)
        || dependency::fence(state, task).is_some()
}

/// Whether others may take what the run needs.
fn is_contended(state: &State, run: u32) -> bool {
    let place = &state.places[state.task_of(run).place];
    let bounded =
        |row: &QueueRow| row.config.concurrency_limit.is_some() || row.config.rate_limit.is_some();
    let by_queue = state
        .queues
        .row(place.tenant, place.queue)
        .is_some_and(bounded);
    let by_key = !state.runs[run].holds_key && key_of(state, run).is_some();
    by_queue || by_key || budget::covers(state, run).next().is_some()
}

/// A run in its lane, by what decides its place there.
type Candidate = (Reverse<i32>, u64, u32);

/// What a run waited for, who waits with it, and from which order on they have not tried yet.
type Behind<'a> = (&'a Blocker, &'a BTreeMap<u64, u32>, u64);

/// The claim as far as it has come.
struct Sheet<'a> {
    state: &'a State,
    now: &'a Now,
    tenant: u32,
    /// The fairness key and the place in line of the run that it is about.
    place: (u32, Reverse<i32>, u64),
    /// Runs granted before that one: of its own fairness key only those that stand before it.
    granted: u64,
    /// The queue's row, when it has one.
    row: Option<QueueRow>,
    /// Slots taken on top, with the least limit brought along.
    keys: BTreeMap<Text, (u32, u32)>,
    /// What is held of budgets on top.
    budgets: BTreeMap<budget::Key, u64>,
    lanes: BTreeMap<LaneKey, usize>,
    rest: BTreeMap<LaneKey, Runs<'a>>,
    /// The first runs of the lanes, and those that came back to try again, by fairness key.
    heads: BTreeMap<u32, BTreeSet<Candidate>>,
    /// Whose turn comes when, and how many lanes each has.
    turns: BTreeMap<u32, (u64, u32)>,
    clock: u64,
    /// Runs of the waiting room that are back, with those behind them.
    back: BTreeMap<u32, Behind<'a>>,
}

impl<'a> Sheet<'a> {
    fn new(state: &'a State, now: &'a Now, run: u32) -> Sheet<'a> {
        let lane = lane_of(state, run);
        let index = &state.queues;
        let able = index.sets.text(lane.tenant, lane.set);
        let mut sheet = Sheet {
            state,
            now,
            tenant: lane.tenant,
            place: (lane.group, lane.priority, state.runs[run].ready_order),
            granted: 0,
            row: index.row(lane.tenant, lane.queue).cloned(),
            keys: BTreeMap::new(),
            budgets: BTreeMap::new(),
            lanes: BTreeMap::new(),
            rest: BTreeMap::new(),
            heads: BTreeMap::new(),
            turns: BTreeMap::new(),
            clock: 0,
            back: BTreeMap::new(),
        };
        let mut sets = index.sets.within(lane.tenant, able);
        if sets.is_empty() {
            sets.push(super::sets::NOTHING);
        }
        for set in sets {
            let from = LaneKey {
                set,
                group: 0,
                priority: Reverse(i32::MAX),
                ..lane
            };
            let here = index.lanes.range(from..);
            let same = |key: &LaneKey| {
                let LaneKey {
                    tenant,
                    queue,
                    kind,
                    set,
                    ..
                } = *key;
                (tenant, queue, kind, set) == (from.tenant, from.queue, from.kind, from.set)
            };
            for (key, lane) in here
                .take_while(|(key, _)| same(key))
                .take(limits::CLAIM_PLACES_MAX)
            {
                sheet.lanes.insert(*key, lane.len());
                sheet.rest.insert(*key, lane.runs());
                sheet.advance(*key);
            }
        }
        if let Some(turns) = index.order.groups(lane.tenant) {
            sheet.turns = turns.all().collect();
            sheet.clock = turns.clock();
        }
        sheet
    }

    /// Puts the lane's next run among the heads.
    fn advance(&mut self, lane: LaneKey) {
        let rest = self.rest.get_mut(&lane);
        if let Some((order, run)) = rest.and_then(Iterator::next) {
            let heads = self.heads.entry(lane.group).or_default();
            heads.insert((lane.priority, order, run));
        }
    }

    /// The run that the claim comes to next.
    fn next(&self) -> Option<u32> {
        let turn = |group: &u32| self.turns.get(group).map_or(0, |turn| turn.0);
        let (_, heads) = self
            .heads
            .iter()
            .min_by_key(|(group, _)| (turn(group), **group))?;
        heads.first().map(|(_, _, run)| *run)
    }

    /// What holds the run back now.
    fn refusal(&self, run: u32) -> Option<Refused> {
        let closed: Option<Closed> = self
            .row
            .as_ref()
            .and_then(|row| row.closed(self.now.steady));
        if let Some(closed) = closed {
            return Some(Refused::Queue(closed));
        }
        let row = &self.state.runs[run];
        if dependency::is_blocked(&self.state.tasks[row.task]) {
            return Some(Refused::Blocked(Blocker::Prerequisites(row.task)));
        }
        if let Some((key, _)) = self.full_key(run) {
            return Some(Refused::Blocked(Blocker::Key(self.tenant, key)));
        }
        let blocked = budget::covers(self.state, run).find(|cover| self.is_spent(run, cover))?;
        Some(Refused::Blocked(if blocked.of_tenant {
            Blocker::TenantBudget(self.tenant, blocked.budget.dimension.clone())
        } else {
            Blocker::TaskBudget(self.state.runs[run].task)
        }))
    }

    /// The run's key, when no slot is left for it.
    fn full_key(&self, run: u32) -> Option<(Text, u32)> {
        if self.state.runs[run].holds_key {
            return None;
        }
        let ((_, key), limit) = key_of(self.state, run)?;
        if can_grant(self.state, run).is_err() {
            return Some((key, limit));
        }
        let (taken, least) = *self.keys.get(&key)?;
        let slot = self.state.queues.slots.get(&(self.tenant, key.clone()));
        let holders = slot.map_or(0, |slot| slot.holders) + taken;
        let limit = slot.map_or(limit, |slot| slot.limit(limit)).min(least);
        (holders >= limit).then_some((key, limit))
    }

    fn is_spent(&self, run: u32, cover: &budget::Blocked<'_>) -> bool {
        let key = cover.key(self.tenant, self.state.runs[run].task);
        let taken = self.budgets.get(&key).copied().unwrap_or(0);
        !cover.budget.has_room(cover.reserve.saturating_add(taken))
    }

    fn refuses(&self, blocker: &Blocker, run: u32) -> bool {
        let mut covers = budget::covers(self.state, run);
        match blocker {
            Blocker::Key(..) => self.full_key(run).is_some(),
            Blocker::TaskBudget(_) => {
                covers.any(|cover| !cover.of_tenant && self.is_spent(run, &cover))
            }
            Blocker::TenantBudget(_, dimension) => covers.any(|cover| {
                let same = cover.of_tenant && cover.budget.dimension == *dimension;
                same && self.is_spent(run, &cover)
            }),
            Blocker::Prerequisites(task) => dependency::is_blocked(&self.state.tasks[*task]),
        }
    }

    /// As the claim does: the slot, the turn, the lane; then the budgets.
    fn grant(&mut self, run: u32) {
        let state = self.state;
        let (group, priority, order) = self.place;
        let lane = lane_of(state, run);
        let is_before = (lane.priority, state.runs[run].ready_order) < (priority, order);
        self.granted += u64::from(lane.group != group || is_before);
        if !state.runs[run].holds_key
            && let Some(((_, key), _)) = key_of(state, run)
        {
            let limit = limit_of(state, run);
            let taken = self.keys.entry(key).or_insert((0, limit));
            *taken = (taken.0 + 1, taken.1.min(limit));
        }
        if let Some(row) = &mut self.row {
            row.held += 1;
            if let Some(limit) = row.config.rate_limit {
                row.arrival_us = limit.arrive(row.arrival_us, self.now.steady);
            }
        }
        self.leave(run, true);
        for cover in budget::covers(state, run) {
            let key = cover.key(self.tenant, state.runs[run].task);
            *self.budgets.entry(key).or_default() += cover.reserve;
        }
    }

    /// The run leaves its lane; who waited behind it in the waiting room may try.
    fn leave(&mut self, run: u32, served: bool) {
        let (state, lane) = (self.state, lane_of(self.state, run));
        let order = state.runs[run].ready_order;
        if served && let Some(turn) = self.turns.get_mut(&lane.group) {
            self.clock += 1;
            turn.0 = self.clock;
        }
        if let Some(heads) = self.heads.get_mut(&lane.group) {
            heads.remove(&(lane.priority, order, run));
            if heads.is_empty() {
                self.heads.remove(&lane.group);
            }
        }
        if !self.back.contains_key(&run) {
            self.advance(lane);
        }
        let left = self.lanes.entry(lane).or_insert(1);
        *left -= 1;
        if *left == 0
            && let Some(turn) = self.turns.get_mut(&lane.group)
        {
            turn.1 -= 1;
        }
        let waiting = &state.queues.waiting;
        let group = self.back.remove(&run);
        let group = group.or_else(|| {
            waiting
                .behind(state, run)
                .map(|(by, parked)| (by, parked, 0))
        });
        let Some((blocker, parked, from)) = group else {
            return;
        };
        let next = parked.range(from..).next();
        if let Some((&order, &next)) = next.filter(|(_, next)| !self.refuses(blocker, **next)) {
            self.back.insert(next, (blocker, parked, order + 1));
            self.enter(next, order, lane);
        }
    }

    /// A parked run is back in its lane.
    fn enter(&mut self, run: u32, order: u64, lane: LaneKey) {
        let here = self.lanes.entry(lane).or_default();
        *here += 1;
        if *here == 1
            && let Some(turn) = self.turns.get_mut(&lane.group)
        {
            turn.1 += 1;
            if turn.1 == 1 {
                self.clock += 1;
                turn.0 = self.clock;
            }
        }
        let heads = self.heads.entry(lane.group).or_default();
        heads.insert((lane.priority, order, run));
    }
}
