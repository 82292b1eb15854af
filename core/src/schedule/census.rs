//! Recomputes where every schedule stands from the rows of its runs.
//! Owns: what `verify` demands of clockworks and of their index.
//! Never: repairs.

use super::apply::run_numbered;
use super::model::Clockwork;
use crate::run::State as RunState;
use crate::state::State;
use crate::task::Row;

/// For `verify`: the first rule that a task's schedule breaks.
pub(crate) fn census(state: &State, at: u32, task: &Row) -> Result<(), &'static str> {
    let lacks = task.clockwork().is_some_and(Clockwork::lacks);
    if state.schedules.lacks(at) != lacks {
        return Err("whether its schedule lacks a future run is not what the index says");
    }
    let Some(clock) = task.clockwork() else {
        return Ok(());
    };
    if clock.ended && (clock.future > 0 || clock.next.is_some()) {
        return Err("its schedule has ended with a future run");
    }
    if clock.future > 0 {
        let future = run_numbered(state, task, clock.future).map(|run| &state.runs[run]);
        let stands = |run: &crate::run::Row| run.past.as_deref().and_then(|past| past.occurrence);
        let fits = future.is_some_and(|run| {
            run.state == RunState::Scheduled && clock.next.is_some() && stands(run) == clock.next
        });
        if !fits {
            return Err("its future run is not the one its schedule names");
        }
    }
    let queued = run_numbered(state, task, clock.queued).map(|run| &state.runs[run]);
    if clock.queued > 0 && queued.is_none_or(|run| run.state != RunState::Scheduled) {
        return Err("the run that its schedule keeps waiting does not wait");
    }
    Ok(())
}

/// For `verify`: whether a run's alarm is away because its queue is shut.
pub(crate) fn is_stalled(state: &State, run: u32) -> bool {
    let task = state.runs[run].task;
    super::advance::is_future(state, run)
        && state
            .schedules
            .is_stalled(super::index::place_of(state, task), run)
}
