//! What a subscription does to its task: one run that sleeps is woken.
//! Owns: which run that is.
//! Never: wakes a run that waits for a budget, for prerequisites, or for its schedule: only its time and its suspension end.

use alloc::boxed::Box;

use super::model::{Cause, Hold, Row, State};
use crate::event::{RunReady, RunRescheduled, RunResumed, Why};
use crate::machine::Tx;
use crate::{dependency, schedule};

/// The run of a task that would be woken: the earliest of those whose time alone has not come, else the earliest of those that are suspended
/// for another reason than a budget.
pub(crate) fn sleeper(tx: &Tx<'_>, task: u32) -> Option<u32> {
    let runs = || tx.state().tasks[task].runs();
    let row = |run: &u32| &tx.state().runs[*run];
    let when = |run: &u32| (row(run).scheduled_at, row(run).number);
    let early = runs().filter(|run| is_early(tx, *run));
    let first = early.min_by_key(when);
    first.or_else(|| {
        let suspended = runs().filter(|run| is_suspended(row(run)));
        suspended.min_by_key(when)
    })
}

/// How many runs of a task could be woken, counted up to `most`.
pub(crate) fn sleepers(tx: &Tx<'_>, task: u32, most: usize) -> usize {
    let runs = tx.state().tasks[task].runs();
    let sleeps = |run: &u32| is_early(tx, *run) || is_suspended(&tx.state().runs[*run]);
    runs.filter(sleeps).take(most).count()
}

fn is_early(tx: &Tx<'_>, run: u32) -> bool {
    let row = &tx.state().runs[run];
    let is_early = row.state == State::Scheduled && row.scheduled_at > tx.now.wall;
    is_early && !schedule::holds_back(tx.state(), run)
}

fn is_suspended(row: &Row) -> bool {
    let hold = row.past.as_deref().map(|past| past.hold);
    row.state == State::Suspended && hold != Some(Hold::Budget)
}

/// Wakes a run that [`sleeper`] gave.
pub(crate) fn wake(tx: &mut Tx<'_>, run: u32, why: Box<Why>) {
    tx.about(run);
    let row = &tx.state().runs[run];
    let (id, tenant, state) = (row.id, row.tenant, row.state);
    if state == State::Suspended {
        let resumed = RunResumed {
            run: id,
            cause: Some(why),
            ..RunResumed::default()
        };
        tx.emit_for(tenant, resumed);
        return;
    }
    let overtakes = schedule::overtakes(tx.state(), run);
    let rescheduled = RunRescheduled {
        run: id,
        scheduled_at: tx.now.wall,
        occurrence: None,
        cause: Cause::Subscription,
    };
    tx.emit_for(tenant, rescheduled);
    if !dependency::is_blocked(tx.state().task_of(run)) {
        tx.emit_for(tenant, RunReady { run: id });
    }
    if overtakes {
        tx.overtaken(id, tenant);
    }
}
