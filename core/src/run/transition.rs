//! A run moved along one edge by hand.
//! Owns: which edges may be taken so, and the event of each.
//! Never: takes an edge that the table does not have, or one that would leave something behind.

use super::model::{AttemptResult, Cause, Row, State};
use super::retry::delay_ms;
use super::suspend::resume;
use crate::event::{LeaseEnded, RunBegan, RunCanceled, RunTransitioned};
use crate::machine::{Tx, reach};
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{RunId, dependency, task};

/// Decides a move.
///
/// Of the table's edges these are refused as `invalid_transition` all the same: `ready` to `leased`, because a lease has an owner; a
/// `scheduled` run that waits for other tasks, because time alone does not make it ready; and under a cancel request, or below a
/// canceled task, everything but `completed` and `canceled`, because that says what else becomes of the run.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: RunId,
    expected: State,
    to: State,
) -> Result<Outcome, Rejection> {
    let found = tx.state().find_run(tx.tenant, id);
    let actual = match found {
        Some(run) => tx.state().runs[run].state,
        None => tx.past_run(id)?.state,
    };
    if actual != expected {
        return Err(Rejection::PreviousStateMismatch { expected, actual });
    }
    let invalid = Rejection::InvalidTransition { from: actual, to };
    let Some(run) = found.filter(|_| actual.may_become(to)) else {
        return Err(invalid);
    };
    if !may_take(tx, run, to) {
        return Err(invalid);
    }
    // A run without an attempt would be canceled by it at once, and could not be moved any more.
    if begun(&tx.state().runs[run]) {
        reach(tx, tx.state().runs[run].task);
    }
    tx.about(run);
    take(tx, run, to)?;
    Ok(Outcome::RunTransitioned(tx.state().runs[run].state))
}

/// Whether an attempt is on its way.
fn begun(row: &Row) -> bool {
    row.active.as_ref().is_some_and(|active| !active.idle)
}

fn may_take(tx: &Tx<'_>, run: u32, to: State) -> bool {
    let row = &tx.state().runs[run];
    if dependency::fence(tx.state(), row.task).is_some() {
        return matches!(to, State::Completed | State::Canceled);
    }
    match (row.state, to) {
        (State::Ready, State::Leased) => false,
        (State::Scheduled, State::Ready) => !dependency::is_blocked(tx.state().task_of(run)),
        (State::Running, State::RetryWait | State::Suspended | State::Failed) => {
            let active = row.active.as_deref();
            active.is_none_or(|active| active.cancel.is_none())
        }
        _ => true,
    }
}

fn take(tx: &mut Tx<'_>, run: u32, to: State) -> Result<(), Rejection> {
    let row = &tx.state().runs[run];
    let (id, by, cause) = (row.id, tx.principal.name.clone(), Cause::Transition);
    match (row.state, to) {
        (_, State::Canceled) => {
            let result = begun(row).then_some(AttemptResult::Canceled);
            tx.emit(RunCanceled {
                run: id,
                result,
                cause,
                by,
                ..RunCanceled::default()
            });
        }
        (State::Leased, State::Ready) => tx.emit(LeaseEnded { run: id, cause, by }),
        (State::Leased, _) => tx.emit(RunBegan { run: id, by }),
        (State::Suspended, _) => return resume(tx, id, None).map(|_| ()),
        _ => {
            let delay_ms = match to {
                State::RetryWait => wait_ms(tx, row),
                _ => 0,
            };
            tx.emit(RunTransitioned {
                run: id,
                to,
                by,
                delay_ms,
            });
        }
    }
    Ok(())
}

/// What a run waits that is sent back by hand: as after its last failure. The attempt counts to nothing.
fn wait_ms(tx: &Tx<'_>, row: &Row) -> u64 {
    let retry = &task::policy(&tx.state().tasks[row.task]).retry;
    delay_ms(retry, row.id, u32::from(row.failures).max(1))
}
