//! What the machine asks the shell about a calendar, and what it is told: instants are facts, calendars are not its business.
//! Owns: the question and the answer.
//! Never: computes an instant.

use alloc::string::String;
use alloc::vec::Vec;

use super::advance::is_future;
use super::check::check;
use super::model::{Clockwork, Cron};
use crate::limits;
use crate::machine::Now;
use crate::rejection::Rejection;
use crate::state::State;
use crate::task::{Row, TaskSpec};
use crate::time::Timestamp;

/// A question about the instants of a calendar. Those before `start_at` and after `end_at` are none of its instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whose calendar: the task's number; 0 for one that comes with the command.
    pub number: u64,
    /// The calendar.
    pub cron: Cron,
    /// Instants at or before this one are not asked for.
    pub after: Timestamp,
    /// Instants up to this one have passed.
    pub through: Timestamp,
    /// There are at most so many instants after `after`: the schedule ends with the last of them.
    pub most: u64,
    /// Passed instants from this one on are named, the most recent [`limits::CATCH_UP_MAX`] of them.
    pub fresh_from: Timestamp,
    /// So many of the most recent ones before these are named too.
    pub missed_max: u32,
}

/// The answer to an [`Ask`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instants {
    /// How many instants passed.
    pub passed: u64,
    /// The first of them.
    pub first: Option<Timestamp>,
    /// The most recent of them, in order, as many as were asked for.
    pub recent: Vec<Timestamp>,
    /// The first instant that has not passed; absent when there is none.
    pub coming: Option<Timestamp>,
}

/// Why a calendar has no instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The field's dotted path.
    pub field: &'static str,
    /// What it must be.
    pub message: String,
}

impl From<Unfit> for Rejection {
    fn from(unfit: Unfit) -> Rejection {
        Rejection::InvalidTask {
            field: unfit.field,
            message: unfit.message,
        }
    }
}

impl Ask {
    /// The first instant of a calendar that comes with a command, after `after` and not before its start. Nothing has passed of it.
    pub(crate) fn first(cron: &Cron, after: Timestamp, expires_at: Option<Timestamp>) -> Ask {
        let before_start = cron
            .start_at
            .map_or(Timestamp(0), |start| Timestamp(start.0.saturating_sub(1)));
        let after = after.max(before_start);
        Ask {
            number: 0,
            cron: until(cron, expires_at),
            after,
            through: after,
            most: u64::MAX,
            fresh_from: after,
            missed_max: 0,
        }
    }

    /// What has come of a task's calendar by `now`, after the last instant that has a run or is counted.
    pub(crate) fn next(task: &Row, clock: &Clockwork, cron: &Cron, now: Timestamp) -> Ask {
        let after = clock.next.or(clock.through).unwrap_or(task.created_at);
        let used = clock
            .occurrences
            .saturating_add(u64::from(clock.future > 0));
        let most = cron.max_occurrences.unwrap_or(u64::MAX);
        let first = Ask::first(cron, after, task.expires_at());
        Ask {
            number: task.number,
            through: first.after.max(now),
            most: most.saturating_sub(used),
            fresh_from: Timestamp(now.0.saturating_sub(cron.misfire_grace_ms)),
            missed_max: match cron.misfire {
                super::Misfire::RunAll => cron.catch_up_max.clamp(1, limits::CATCH_UP_MAX) + 1,
                super::Misfire::Skip | super::Misfire::RunOnce => 2,
            },
            ..first
        }
    }
}

/// The calendar, ending when the task's runs could not start any more.
fn until(cron: &Cron, expires_at: Option<Timestamp>) -> Cron {
    let end_at = [cron.end_at, expires_at].into_iter().flatten().min();
    Cron {
        end_at,
        ..cron.clone()
    }
}

/// What is to be asked before a submit is decided.
pub(crate) fn ask_submit(spec: &TaskSpec, now: Timestamp) -> Option<Ask> {
    let schedule = spec.schedule.as_deref()?;
    let cron = schedule.cron()?;
    check(schedule).ok()?;
    let extras = spec.extras.as_deref();
    Some(Ask::first(
        cron,
        now,
        extras.and_then(|extras| extras.expires_at),
    ))
}

/// What is to be asked before a tick: the schedules whose future run is due, or who have none, the first of them.
pub(crate) fn ask_due(state: &State, now: &Now, ask: &mut impl FnMut(Ask)) {
    let due = state.alarms.due_by(now.wall).take(limits::TICK_ALARMS_MAX);
    let due = due
        .filter(|run| is_future(state, *run))
        .map(|run| state.runs[run].task);
    let all = state.schedules.lacking().chain(due);
    for task in all.take(limits::SCHEDULES_PER_TICK) {
        let row = &state.tasks[task];
        if let Some(clock) = row.clockwork()
            && let Some(cron) = clock.running()
        {
            ask(Ask::next(row, clock, cron, now.wall));
        }
    }
}
