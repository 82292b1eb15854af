//! Changes to a task's schedule.
//! Owns: what a patch may change of it.
//! Never: changes a repeat: all its runs are made with the task.

use alloc::boxed::Box;

use super::advance::clockwork;
use super::apply::run_numbered;
use super::check::check;
use super::instants::Ask;
use super::model::{Cron, Schedule};
use crate::command::TaskPatch;
use crate::event::{RunCreated, RunRescheduled, ScheduleChanged, SchedulePaused, ScheduleResumed};
use crate::machine::Tx;
use crate::rejection::Rejection;
use crate::run::Cause;
use crate::state::State;
use crate::task::invalid;
use crate::time::Timestamp;

/// What a patch changes of a schedule, checked.
#[derive(Default)]
pub(crate) struct Change {
    /// The new calendar with its first instant.
    calendar: Option<(Box<Schedule>, Timestamp)>,
    paused: Option<bool>,
}

/// What is to be asked about the calendar that a patch brings.
pub(crate) fn ask_change(
    state: &State,
    task: u32,
    patch: &TaskPatch,
    now: Timestamp,
) -> Option<Ask> {
    let cron = patch.schedule.as_deref()?.cron()?;
    check(patch.schedule.as_deref()?).ok()?;
    let through = clockwork(state, task)?.through;
    let after = through.map_or(now, |through| through.max(now));
    Some(Ask::first(cron, after, state.tasks[task].expires_at()))
}

/// The first instant of a calendar that comes with a command.
pub(crate) fn first(tx: &Tx<'_>, ask: &Ask) -> Result<Timestamp, Rejection> {
    let Some(answer) = tx.first_instant(ask) else {
        return Err(Rejection::NotSupported {
            field: "run_policy.type".into(),
        });
    };
    let instants = answer.clone()?;
    instants.coming.ok_or_else(|| Rejection::InvalidTask {
        field: "run_policy.expression",
        message: "must have an instant before the schedule ends".into(),
    })
}

/// The first instant of a new task's calendar, and when the run for it is due.
pub(crate) fn first_of(
    tx: &Tx<'_>,
    cron: &Cron,
    expires_at: Option<Timestamp>,
) -> Result<Timestamp, Rejection> {
    first(tx, &Ask::first(cron, tx.now.wall, expires_at))
}

/// Checks the parts of a patch that are about the schedule.
pub(crate) fn check_change(tx: &Tx<'_>, task: u32, patch: &TaskPatch) -> Result<Change, Rejection> {
    let mut change = Change::default();
    if patch.schedule.is_none() && patch.paused.is_none() {
        return Ok(change);
    }
    let clock = clockwork(tx.state(), task);
    let Some(clock) = clock.filter(|clock| clock.schedule.cron().is_some()) else {
        let field = match patch.schedule {
            Some(_) => "run_policy",
            None => "paused",
        };
        invalid(field, "goes with cron tasks alone")?;
        return Ok(change);
    };
    if let Some(schedule) = patch
        .schedule
        .as_ref()
        .filter(|new| **new != clock.schedule)
    {
        check(schedule)?;
        let Some(ask) = ask_change(tx.state(), task, patch, tx.now.wall) else {
            invalid("run_policy", "must be another cron schedule")?;
            return Ok(change);
        };
        change.calendar = Some((schedule.clone(), first(tx, &ask)?));
    }
    change.paused = patch.paused.filter(|paused| *paused != clock.paused);
    if change.paused.is_some() && change.calendar.is_none() && clock.ended {
        invalid("paused", "goes with a schedule that has not ended")?;
    }
    Ok(change)
}

/// Writes what changes.
pub(crate) fn change(tx: &mut Tx<'_>, task: u32, change: Change) {
    let id = tx.state().tasks[task].id;
    let by = tx.principal.name.clone();
    if let Some((schedule, first)) = change.calendar {
        let due = schedule.cron().map_or(first, |cron| cron.due(id, first));
        tx.emit(ScheduleChanged {
            task: id,
            schedule: Some(schedule),
            by: by.clone(),
        });
        let row = &tx.state().tasks[task];
        let future = clockwork(tx.state(), task).map_or(0, |clock| clock.future);
        let future = run_numbered(tx.state(), row, future).filter(|_| future > 0);
        match future {
            Some(run) => {
                let run = tx.state().runs[run].id;
                tx.emit(RunRescheduled {
                    run,
                    scheduled_at: due,
                    occurrence: Some(first),
                    cause: Cause::Schedule,
                });
            }
            None => {
                let run = tx.mint_run();
                tx.emit(RunCreated {
                    run,
                    task: id,
                    scheduled_at: due,
                    occurrence: Some(first),
                    ..RunCreated::default()
                });
            }
        }
    }
    match change.paused {
        Some(true) => tx.emit(SchedulePaused { task: id, by }),
        Some(false) => tx.emit(ScheduleResumed { task: id, by }),
        None => {}
    }
}
