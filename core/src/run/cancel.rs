//! Cancel of a run: at once while nobody works on it, with a grace while somebody does.
//! Owns: what a cancel answers, and the step from request to event.
//! Never: takes a result away: of cancel and finish, whichever is first in the log wins.

use alloc::boxed::Box;

use super::model::{AttemptResult, Cause, State};
use crate::event::{RunCancelRequested, RunCanceled, Why};
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::{RunId, Text, limits, task};

/// What calling off one run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    Off,
    Requested,
    AlreadyOff,
    AlreadyEnded,
}

/// Decides the cancel of one run.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: RunId,
    force: bool,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    let Some(run) = tx.state().find_run(tx.tenant, id) else {
        return Ok(match tx.past_run(id)?.state {
            State::Canceled => Outcome::RunAlreadyCanceled,
            _ => Outcome::RunAlreadyTerminal,
        });
    };
    Ok(match call_off(tx, run, force, Cause::Cancel, reason) {
        Called::Off => Outcome::RunCanceled,
        Called::Requested => Outcome::RunCancelRequested,
        Called::AlreadyOff => Outcome::RunAlreadyCanceled,
        Called::AlreadyEnded => Outcome::RunAlreadyTerminal,
    })
}

/// Calls one run off, whoever asks for it.
pub(crate) fn call_off(
    tx: &mut Tx<'_>,
    run: u32,
    force: bool,
    cause: Cause,
    reason: Option<&Text>,
) -> Called {
    let row = &tx.state().runs[run];
    let (id, by, reason) = (row.id, tx.principal.name.clone(), reason.cloned());
    if row.state == State::Canceled {
        return Called::AlreadyOff;
    }
    if row.state.is_terminal() {
        return Called::AlreadyEnded;
    }
    // Nobody works on a run without an attempt, be it held or not: there is nobody to wait for.
    let Some(active) = row.active.as_deref().filter(|active| !active.idle) else {
        tx.emit(RunCanceled {
            run: id,
            cause,
            by,
            reason,
            ..RunCanceled::default()
        });
        return Called::Off;
    };
    if force {
        let result = Some(AttemptResult::Canceled);
        tx.emit(RunCanceled {
            run: id,
            result,
            cause: Cause::Force,
            by,
            reason,
            ..RunCanceled::default()
        });
        return Called::Off;
    }
    if active.cancel.is_none() {
        let grace_ms = task::policy(tx.state().task_of(run)).cancel_grace_ms;
        tx.emit(RunCancelRequested {
            run: id,
            grace_ms,
            by,
            reason,
            cause: None,
        });
    }
    Called::Requested
}

/// Calls one run off because of what happened to another task. A running one's grace counts from then on.
pub(crate) fn call_off_for(tx: &mut Tx<'_>, run: u32, why: &Why, reason: &Text, since: Timestamp) {
    let row = &tx.state().runs[run];
    let (id, tenant) = (row.id, row.tenant);
    if row.state.is_terminal() {
        return;
    }
    let Some(active) = row.active.as_deref().filter(|active| !active.idle) else {
        let canceled = RunCanceled {
            run: id,
            cause: why.cause,
            reason: Some(reason.clone()),
            ..RunCanceled::default()
        };
        return tx.emit_for(tenant, canceled);
    };
    if active.cancel.is_some() {
        return;
    }
    let passed_ms = tx.now.wall.0.saturating_sub(since.0);
    let grace_ms = task::policy(tx.state().task_of(run)).cancel_grace_ms;
    let requested = RunCancelRequested {
        run: id,
        grace_ms: grace_ms.saturating_sub(passed_ms),
        by: Text::default(),
        reason: Some(reason.clone()),
        cause: Some(Box::new(why.clone())),
    };
    tx.emit_for(tenant, requested);
}

/// The cancel of a run that was not started by its task's `expires_at`, if that is how it stands now.
#[inline]
pub(crate) fn expired(tx: &Tx<'_>, run: u32) -> Option<RunCanceled> {
    let row = &tx.state().runs[run];
    let task = &tx.state().tasks[row.task];
    row.is_expired(task, tx.now.wall).then(|| RunCanceled {
        run: row.id,
        cause: Cause::Expired,
        reason: Some(Text::from("expired")),
        ..RunCanceled::default()
    })
}
