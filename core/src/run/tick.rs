//! Time passes: what is due becomes ready, what is late expires, what was asked to stop is stopped.
//! Owns: what each alarm means.
//! Never: works off more than its share; the rest waits for the next tick.

use alloc::vec::Vec;

use super::cancel::expired;
use super::close::{End, close};
use super::model::{Active, AttemptResult, Cause, State};
use crate::Text;
use crate::event::{Event, LeaseEnded, RunCanceled, RunReady};
use crate::limits::{SCHEDULES_PER_TICK, TICK_ALARMS_MAX};
use crate::machine::{Tx, reach};
use crate::outcome::Outcome;
use crate::schedule::{self, Rung};

/// Decides a tick.
pub(crate) fn decide(tx: &mut Tx<'_>) -> Outcome {
    let mut done = plan_lacking(tx);
    tx.reopen_schedules(TICK_ALARMS_MAX);
    while done < TICK_ALARMS_MAX {
        let Some(run) = tx.state().alarms.due(tx.now.wall, tx.now.steady) else {
            let more = schedule::is_due(tx.state());
            return Outcome::Ticked { more };
        };
        let task = tx.state().runs[run].task;
        let runs = tx.state().tasks[task].runs_live as usize;
        if reach(tx, task) {
            done += runs + 1;
            continue;
        }
        tx.about(run);
        done += 1;
        let row = &tx.state().runs[run];
        if row.state == State::Scheduled && expired(tx, run).is_none() {
            match schedule::come_due(tx, run) {
                Rung::Other => {}
                Rung::Done(instants) => {
                    done += instants;
                    continue;
                }
                Rung::Shut => {
                    tx.stall(run);
                    continue;
                }
                // The shell is asked before the next tick.
                Rung::Unknown => return Outcome::Ticked { more: true },
            }
        }
        match due(tx, run) {
            Some(event) => tx.emit_for(tx.state().runs[run].tenant, event),
            None => tx.look_again(run),
        }
    }
    let due = tx.state().alarms.due(tx.now.wall, tx.now.steady);
    Outcome::Ticked {
        more: due.is_some() || schedule::is_due(tx.state()),
    }
}

/// Schedules that have lost their future run get the next one, as far as the shell has said when.
fn plan_lacking(tx: &mut Tx<'_>) -> usize {
    let lacking = tx.state().schedules.lacking();
    let lacking: Vec<u32> = lacking.take(SCHEDULES_PER_TICK).collect();
    let done = lacking.into_iter().map(|task| schedule::advance(tx, task));
    done.flatten().sum()
}

/// What has become of a run whose alarm rang; `None` when its lease was renewed meanwhile.
fn due(tx: &Tx<'_>, run: u32) -> Option<Event> {
    let row = &tx.state().runs[run];
    match row.state {
        State::Scheduled | State::Ready => match expired(tx, run) {
            Some(expired) => Some(expired.into()),
            None => (row.state == State::Scheduled).then(|| RunReady { run: row.id }.into()),
        },
        State::RetryWait => Some(RunReady { run: row.id }.into()),
        State::Leased | State::Running => overdue(tx, run, row.active.as_deref()?),
        State::Suspended | State::Completed | State::Failed | State::Canceled => None,
    }
}

fn overdue(tx: &Tx<'_>, run: u32, active: &Active) -> Option<Event> {
    let row = &tx.state().runs[run];
    let now = tx.now.steady;
    if let Some(cancel) = active
        .cancel
        .as_deref()
        .filter(|cancel| cancel.force <= now)
    {
        let (by, reason) = (cancel.by.clone(), cancel.reason.clone());
        let result = Some(AttemptResult::Canceled);
        let forced = RunCanceled {
            run: row.id,
            result,
            cause: Cause::Force,
            by,
            reason,
            ..RunCanceled::default()
        };
        return Some(forced.into());
    }
    let end = if active.deadline.is_some_and(|deadline| deadline <= now) {
        End::seen(
            AttemptResult::Timeout,
            "timeout",
            "the attempt's deadline passed",
        )
    } else if tx.volatile().expires(run, active.expires) <= now {
        return Some(lapse(tx, run, active, &Text::default()));
    } else {
        return None;
    };
    Some(close(tx.state(), run, active, end))
}

/// Ends the lease of a holder that is registered no more.
pub(crate) fn strand(tx: &mut Tx<'_>, run: u32) {
    let row = &tx.state().runs[run];
    let (tenant, active) = (row.tenant, row.active.as_deref());
    if let Some(active) = active {
        let event = lapse(tx, run, active, &Text::default());
        tx.emit_for(tenant, event);
    }
}

/// The end of a lease without a word from its holder. Before the work began that is no matter: the run is ready again.
pub(super) fn lapse(tx: &Tx<'_>, run: u32, active: &Active, by: &Text) -> Event {
    let row = &tx.state().runs[run];
    if row.state == State::Leased {
        return LeaseEnded {
            run: row.id,
            cause: Cause::LeaseExpired,
            by: by.clone(),
        }
        .into();
    }
    let end = End::seen(
        AttemptResult::LeaseExpired,
        "lease_expired",
        "the lease ended without a word from its worker",
    );
    close(tx.state(), run, active, end)
}
