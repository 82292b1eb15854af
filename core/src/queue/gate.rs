//! Whether a queue grants: its pause, its concurrency limit, its rate limit.
//! Owns: the rules, and what each start and end of work means to a queue's row.
//! Never: parks: a closed queue keeps its runs in their lanes, and a claim passes by.

use alloc::collections::BTreeMap;

use super::model::{QueueRow, RateLimit};
use super::waiting::{Blocker, enter, leave, refusal};
use super::{lane_of, slots};
use crate::intern::Symbol;
use crate::run;
use crate::state::{At, State};
use crate::time::Steady;

/// Why a whole queue grants nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Somebody paused it.
    Paused,
    /// As many of its runs are held as may be.
    Busy { held: u32, limit: u32 },
    /// Its next start is not due yet.
    Limited { opens: Steady, limit: RateLimit },
}

/// What holds a ready run back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    EnginePaused,
    Queue(Closed),
    Blocked(Blocker),
}

impl Refused {
    /// The stable code of an explanation that names it.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Refused::EnginePaused => "engine_paused",
            Refused::Queue(Closed::Paused) => "queue_paused",
            Refused::Queue(Closed::Busy { .. }) => "queue_busy",
            Refused::Queue(Closed::Limited { .. }) => "rate_limited",
            Refused::Blocked(Blocker::Key(..)) => "concurrency_key_busy",
            Refused::Blocked(Blocker::TaskBudget(_) | Blocker::TenantBudget(..)) => {
                "budget_exhausted"
            }
            Refused::Blocked(Blocker::Prerequisites(_)) => "waiting_for_dependencies",
        }
    }
}

impl RateLimit {
    /// Microseconds between two starts: rounded up, so that the rate is never above what was asked for.
    fn interval_us(self) -> u64 {
        self.per_ms
            .saturating_mul(1000)
            .div_ceil(self.max.max(1))
            .max(1)
    }

    /// How far ahead of the even pace a burst may run.
    fn burst_us(self) -> u64 {
        self.interval_us()
            .saturating_mul(self.max.saturating_sub(1))
    }

    /// When the next start is allowed, if that is not now.
    fn opens(self, arrival_us: u64, now: Steady) -> Option<Steady> {
        let at_us = arrival_us.saturating_sub(self.burst_us());
        (at_us > now.0.saturating_mul(1000)).then(|| Steady(at_us.div_ceil(1000)))
    }

    /// The theoretical arrival time after one more start.
    pub(super) fn arrive(self, arrival_us: u64, now: Steady) -> u64 {
        let due = arrival_us.max(now.0.saturating_mul(1000));
        due.saturating_add(self.interval_us())
    }

    /// The same under another limit: never later than a whole burst ago.
    pub(super) fn bound(self, arrival_us: u64, now: Steady) -> u64 {
        let most = self.burst_us().saturating_add(self.interval_us());
        arrival_us.min(now.0.saturating_mul(1000).saturating_add(most))
    }
}

impl QueueRow {
    /// Why it grants nothing now, if so.
    pub(super) fn closed(&self, now: Steady) -> Option<Closed> {
        if self.switch.paused {
            return Some(Closed::Paused);
        }
        let full = |limit: &u32| self.held >= *limit;
        if let Some(limit) = self.config.concurrency_limit.filter(full) {
            let held = self.held;
            return Some(Closed::Busy { held, limit });
        }
        let limit = self.config.rate_limit?;
        let opens = limit.opens(self.arrival_us, now)?;
        Some(Closed::Limited { opens, limit })
    }
}

/// Why a queue grants nothing now, if so.
pub(crate) fn closed(state: &State, now: Steady, tenant: u32, queue: Symbol) -> Option<Closed> {
    state.queues.row(tenant, queue)?.closed(now)
}

/// Whether a ready run may be granted now: the rule of claims, of leases acquired by hand and of explain.
///
/// # Errors
/// The first thing that holds it back.
pub(crate) fn admits(state: &State, now: Steady, run: u32) -> Result<(), Refused> {
    if state.switch.paused {
        return Err(Refused::EnginePaused);
    }
    let place = &state.places[state.task_of(run).place];
    if let Some(closed) = closed(state, now, place.tenant, place.queue) {
        return Err(Refused::Queue(closed));
    }
    refusal(state, run).map_or(Ok(()), |blocker| Err(Refused::Blocked(blocker)))
}

/// A ready run goes to somebody: it takes its slot, pays its turn and leaves its lane.
pub(crate) fn grant(state: &mut State, run: u32) {
    slots::take_slot(state, run);
    if state.queues.order.is_plain() {
        leave(state, run);
        return;
    }
    let lane = lane_of(state, run);
    let tenant_weight = state.tenant_rows[lane.tenant as usize].weight;
    let queue_weight = state.queues.weight(lane.tenant, lane.queue);
    state.queues.order.served(lane, tenant_weight, queue_weight);
    leave(state, run);
}

/// A run has become ready: it joins the end of its lane.
#[inline]
pub(crate) fn join(state: &mut State, run: u32) {
    state.ready_counter += 1;
    state.runs[run].ready_order = state.ready_counter;
    enter(state, run);
}

/// Somebody holds the run from now on, or nobody any more: its queue counts it.
#[inline]
pub(crate) fn hold(state: &mut State, at: &At, run: u32, held: bool) {
    if state.queues.has_rows() {
        count_hold(state, at, run, held);
    }
}

fn count_hold(state: &mut State, at: &At, run: u32, held: bool) {
    let place = &state.places[state.task_of(run).place];
    let (tenant, queue) = (place.tenant, place.queue);
    let Some(row) = state.queues.rows_mut().get_mut(&(tenant, queue)) else {
        return;
    };
    if !held {
        let was_full = row
            .config
            .concurrency_limit
            .is_some_and(|limit| row.held >= limit);
        row.held -= 1;
        if was_full {
            state.queues.wake_queue(tenant, queue);
        }
        return;
    }
    row.held += 1;
    if let Some(limit) = row.config.rate_limit {
        row.arrival_us = limit.arrive(row.arrival_us, at.steady);
        state.touch_queue(tenant, queue);
    }
}

/// Counts the held runs of every queue with a row anew, from the places' counts.
pub(crate) fn recount(state: &mut State) {
    for (key, held) in count_held(state) {
        if let Some(row) = state.queues.rows_mut().get_mut(&key) {
            row.held = held;
        }
    }
}

/// The held runs of every queue with a row, from the places' counts.
pub(crate) fn count_held(state: &State) -> BTreeMap<(u32, Symbol), u32> {
    let rows = state.queues.rows().map(|(key, _)| (*key, 0));
    let mut counted: BTreeMap<(u32, Symbol), u32> = rows.collect();
    if counted.is_empty() {
        return counted;
    }
    for (_, place) in state.places.iter() {
        if let Some(held) = counted.get_mut(&(place.tenant, place.queue)) {
            let is_held = run::State::ALL.iter().filter(|state| state.is_held());
            let here: u64 = is_held.map(|state| place.counts[*state as usize]).sum();
            *held = held.saturating_add(here as u32);
        }
    }
    counted
}
