//! What each event about schedules, and about the runs they make, does to the rows: the only writer of clockworks.
//! Owns: where a schedule stands.
//! Never: fails or decides.

use alloc::boxed::Box;

use super::model::Clockwork;
use crate::event::{
    OccurrencesSkipped, ScheduleChanged, ScheduleEnded, SchedulePaused, ScheduleResumed,
};
use crate::machine::Apply;
use crate::run::Cause;
use crate::state::{At, State};
use crate::task;
use crate::time::Timestamp;

fn clockwork(state: &mut State, task: u32) -> Option<&mut Clockwork> {
    let rare = state.tasks[task].rare.as_deref_mut()?;
    rare.clockwork.as_deref_mut()
}

/// The index follows the row.
fn settle(state: &mut State, task: u32) {
    let lacks = clockwork(state, task).is_some_and(|clockwork| clockwork.lacks());
    state.schedules.note(task, lacks);
}

/// The handle of the task's run of this number, while it is in memory.
pub(super) fn run_numbered(state: &State, task: &task::Row, number: u64) -> Option<u32> {
    let is_it = |run: &u32| state.runs[*run].number == number;
    let many = task.rare.as_deref().and_then(|rare| rare.runs.get(&number));
    many.copied().or_else(|| task.run.get().filter(is_it))
}

/// The future run is future no more: its instant counts, and its alarm is like any other run's.
fn pass(state: &mut State, task: u32) {
    let Some(clockwork) = clockwork(state, task).filter(|clockwork| clockwork.future > 0) else {
        return;
    };
    let number = core::mem::take(&mut clockwork.future);
    let instant = clockwork.next.take();
    clockwork.count_one(instant);
    if let Some(run) = run_numbered(state, &state.tasks[task], number) {
        state.rearm(run);
    }
}

/// An instant after the future run's comes to something. If that run's own instant is not counted as skipped it has come too: the run waits
/// for its share of the jitter only.
fn pass_before(state: &mut State, task: u32, instant: Timestamp) {
    let fired = clockwork(state, task).is_some_and(|clock| {
        clock.next > clock.through && clock.next.is_some_and(|next| next < instant)
    });
    if fired {
        pass(state, task);
        settle(state, task);
    }
}

/// A run of a task with a schedule was made for an instant.
pub(crate) fn made(state: &mut State, at: &At, run: u32, occurrence: Timestamp, ready: bool) {
    let task = state.runs[run].task;
    let number = state.runs[run].number;
    let Some(clock) = clockwork(state, task) else {
        return;
    };
    if ready || occurrence <= at.wall || clock.running().is_none() {
        pass_before(state, task, occurrence);
        if let Some(clock) = clockwork(state, task) {
            clock.count_one(Some(occurrence));
        }
        return;
    }
    pass(state, task);
    if let Some(clock) = clockwork(state, task) {
        clock.future = number;
        clock.next = Some(occurrence);
    }
    settle(state, task);
}

/// A run left `scheduled`, whichever way.
pub(crate) fn left(state: &mut State, run: u32) {
    let (task, number) = (state.runs[run].task, state.runs[run].number);
    let Some(clock) = clockwork(state, task) else {
        return;
    };
    if clock.queued == number {
        clock.queued = 0;
    }
    if clock.future == number {
        pass(state, task);
        settle(state, task);
    }
    state.touch_task(task);
}

/// A scheduled run is to wait for another one, or stands for another instant.
pub(crate) fn moved(state: &mut State, run: u32, occurrence: Option<Timestamp>, cause: Cause) {
    let (task, number) = (state.runs[run].task, state.runs[run].number);
    let Some(clock) = clockwork(state, task) else {
        return;
    };
    if clock.future == number && occurrence.is_some() {
        clock.next = occurrence;
    }
    if cause == Cause::Overlap {
        clock.queued = number;
        if clock.future == number {
            pass(state, task);
            settle(state, task);
        }
    }
    state.touch_task(task);
}

/// A task is canceled: its schedule makes no more runs.
pub(crate) fn stop(state: &mut State, task: u32) {
    pass(state, task);
    if let Some(clock) = clockwork(state, task) {
        clock.ended = true;
    }
    settle(state, task);
}

/// After a checkpoint: what the rows say about schedules that need attention.
pub(crate) fn link(state: &mut State, task: u32) {
    settle(state, task);
}

impl Apply for OccurrencesSkipped {
    fn apply(&self, state: &mut State, at: &At) {
        let Some(task) = state.find_task(at.tenant, self.task) else {
            return;
        };
        pass_before(state, task, self.from);
        if let Some(clock) = clockwork(state, task) {
            clock.count(self.count, Some(self.through));
        }
        state.touch_task(task);
    }
}

impl Apply for ScheduleChanged {
    fn apply(&self, state: &mut State, at: &At) {
        let Some(task) = state.find_task(at.tenant, self.task) else {
            return;
        };
        if let (Some(clock), Some(schedule)) = (clockwork(state, task), &self.schedule) {
            clock.schedule.clone_from(schedule);
            clock.ended = false;
            clock.occurrences = 0;
        }
        settle(state, task);
        update(state, at, task);
    }
}

impl Apply for SchedulePaused {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(task) = state.find_task(at.tenant, self.task) {
            switch(state, at, task, true);
        }
    }
}

impl Apply for ScheduleResumed {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(task) = state.find_task(at.tenant, self.task) {
            switch(state, at, task, false);
        }
    }
}

fn switch(state: &mut State, at: &At, task: u32, paused: bool) {
    let mut future = 0;
    if let Some(clock) = clockwork(state, task) {
        clock.paused = paused;
        future = clock.future;
    }
    if let Some(run) = run_numbered(state, &state.tasks[task], future) {
        state.rearm(run);
    }
    settle(state, task);
    update(state, at, task);
}

fn update(state: &mut State, at: &At, task: u32) {
    let rare: &mut Box<task::Rare> = state.tasks[task].rare.get_or_insert_default();
    rare.updated_at = Some(at.wall);
    state.touch_task(task);
}

impl Apply for ScheduleEnded {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(task) = state.find_task(at.tenant, self.task) {
            stop(state, task);
            state.settle(at, task);
        }
    }
}
