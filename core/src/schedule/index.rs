//! Which schedules need attention besides those whose alarm rings.
//! Owns: tasks without a future run, and future runs set aside while nothing is granted.
//! Never: holds what the rows do not say: who loads the rows finds it again.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::intern::Symbol;
use crate::state::State;

/// Schedules that wait for something else than their alarm.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Tasks whose schedule goes on without a future run.
    lacking: BTreeSet<u32>,
    /// Future runs whose instant passed while their queue, or everything, was paused, by (tenant, queue). Some may have moved on since.
    stalled: BTreeMap<(u32, Symbol), BTreeSet<u32>>,
}

impl Index {
    /// Looks again whether a task lacks a future run.
    pub(super) fn note(&mut self, task: u32, lacks: bool) {
        if lacks {
            self.lacking.insert(task);
        } else {
            self.lacking.remove(&task);
        }
    }

    /// Tasks without a future run, in the order of their handles.
    pub(crate) fn lacking(&self) -> impl Iterator<Item = u32> {
        self.lacking.iter().copied()
    }

    /// Whether a task is among those without a future run.
    pub(super) fn lacks(&self, task: u32) -> bool {
        self.lacking.contains(&task)
    }

    /// Whether this future run was set aside.
    pub(super) fn is_stalled(&self, place: (u32, Symbol), run: u32) -> bool {
        self.stalled
            .get(&place)
            .is_some_and(|runs| runs.contains(&run))
    }
}

/// Whether nothing is granted from there, so that its instants pass unused.
pub(super) fn is_shut(state: &State, (tenant, queue): (u32, Symbol)) -> bool {
    let row = state.queues.row(tenant, queue);
    state.switch.paused || row.is_some_and(|row| row.switch.paused)
}

/// The tenant and queue of a task.
pub(super) fn place_of(state: &State, task: u32) -> (u32, Symbol) {
    let place = &state.places[state.tasks[task].place];
    (place.tenant, place.queue)
}

/// Whether a tick has something to do that no alarm says.
pub(crate) fn is_due(state: &State) -> bool {
    let index = &state.schedules;
    !index.lacking.is_empty() || index.stalled.keys().any(|place| !is_shut(state, *place))
}

/// Sets a future run aside until its queue is open.
pub(crate) fn stall(state: &mut State, run: u32) {
    let place = place_of(state, state.runs[run].task);
    state
        .schedules
        .stalled
        .entry(place)
        .or_default()
        .insert(run);
    let expires = state.task_of(run).expires_at();
    let alarm = expires.map_or(crate::state::Alarm::None, crate::state::Alarm::Wall);
    state.rearm_to(run, alarm);
}

/// Gives future runs that were set aside their alarms back where the queue is open, at most so many.
pub(crate) fn reopen(state: &mut State, most: usize) {
    for _ in 0..most {
        let open = state.schedules.stalled.keys().copied();
        let open = { open }.find(|place| !is_shut(state, *place));
        let Some(place) = open else {
            return;
        };
        let runs = state.schedules.stalled.get_mut(&place);
        let Some(run) = runs.and_then(BTreeSet::pop_first) else {
            state.schedules.stalled.remove(&place);
            continue;
        };
        // The handle may be another run's by now: its alarm stands where it belongs, or is looked at once too often.
        if state.runs.get(run).is_some() {
            state.rearm(run);
        }
    }
}
