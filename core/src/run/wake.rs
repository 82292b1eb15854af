//! What a subscription does to its task: one run that sleeps is woken.
//! Owns: which run that is.
//! Never: wakes a run that waits for a budget or for prerequisites: only its time and its suspension end.

use alloc::boxed::Box;

use super::model::{Cause, Hold, Row, State};
use crate::dependency;
use crate::event::{RunReady, RunRescheduled, RunResumed, Why};
use crate::machine::Tx;

/// The run of a task that would be woken: the earliest of those whose time has not come, else the earliest of those that are suspended
/// for another reason than a budget.
pub(crate) fn sleeper(tx: &Tx<'_>, task: u32) -> Option<u32> {
    let runs = || tx.state().tasks[task].runs();
    let row = |run: &u32| &tx.state().runs[*run];
    let when = |run: &u32| (row(run).scheduled_at, row(run).number);
    let early = runs().filter(|run| is_early(tx, row(run)));
    let first = early.min_by_key(when);
    first.or_else(|| {
        let suspended = runs().filter(|run| is_suspended(row(run)));
        suspended.min_by_key(when)
    })
}

/// How many runs of a task could be woken, counted up to `most`.
pub(crate) fn sleepers(tx: &Tx<'_>, task: u32, most: usize) -> usize {
    let rows = tx.state().tasks[task].runs();
    let rows = rows.map(|run| &tx.state().runs[run]);
    rows.filter(|row| is_early(tx, row) || is_suspended(row))
        .take(most)
        .count()
}

fn is_early(tx: &Tx<'_>, row: &Row) -> bool {
    row.state == State::Scheduled && row.scheduled_at > tx.now.wall
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
}
