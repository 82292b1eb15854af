//! Consequences that cross rooms, listed once: rooms do not call rooms.
//! Owns: what follows from a task's cancel.
//! Never: decides within a room; it hands each consequence to the room it belongs to.

use alloc::vec::Vec;

use super::hear;
use super::tx::Tx;
use crate::outcome::{Outcome, TaskCancel};
use crate::rejection::Rejection;
use crate::run::{Called, Cause};
use crate::state::Note;
use crate::task::State;
use crate::{TaskId, Text, budget, limits, run, task};

/// Draws the consequences of what the command's events changed, until there are none: each may bring further ones.
pub(super) fn follow(tx: &mut Tx<'_>) {
    let mut notes = Vec::new();
    let mut left = limits::CASCADE_MAX;
    loop {
        budget::resume_due(tx, &mut left);
        tx.take_notes(&mut notes);
        if notes.is_empty() {
            return;
        }
        for note in notes.drain(..) {
            match note {
                Note::RunMoved(run, to) => hear::moved(tx, run, to),
                Note::TaskEnded(task) => hear::ended(tx, task),
                Note::BudgetUsed(tenant, task) => hear::used(tx, tenant, task),
                Note::Published(tenant, key) => hear::published(tx, tenant, key),
            }
        }
    }
}

/// A canceled task's runs are called off in the same frame.
pub(crate) fn cancel_task(
    tx: &mut Tx<'_>,
    id: TaskId,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    let (handle, was) = match task::cancel(tx, id, reason)? {
        Ok(live) => live,
        Err(ended) => return Ok(Outcome::TaskCanceled(ended)),
    };
    let row = &tx.state().tasks[handle];
    let mut answer = TaskCancel {
        runs_total: row.runs_total,
        ..TaskCancel::default()
    };
    if was != State::Active {
        answer.already_canceled = was == State::Canceled;
        answer.already_terminal = !answer.already_canceled;
        answer.runs_cancel_requested = row.runs_live;
        answer.runs_already_terminal = row.runs_total - row.runs_live;
        return Ok(Outcome::TaskCanceled(answer));
    }
    let runs: Vec<u32> = row.runs().collect();
    for run in runs {
        match run::call_off(tx, run, false, Cause::TaskCancel, reason) {
            Called::Off => answer.runs_canceled += 1,
            Called::Requested => answer.runs_cancel_requested += 1,
            Called::AlreadyOff | Called::AlreadyEnded => answer.runs_already_terminal += 1,
        }
    }
    Ok(Outcome::TaskCanceled(answer))
}
