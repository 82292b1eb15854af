//! Suspend and resume: an operator's directive to a running run, and the way back for a suspended one.
//! Owns: the two decisions.
//! Never: takes a running run away from its worker; it is told, and reports.

use super::model::State;
use crate::event::{RunResumed, RunSuspendRequested};
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Bytes, RunId, Text, limits};

/// Decides a suspend. Asking again while the worker winds down answers the same.
pub(crate) fn suspend(
    tx: &mut Tx<'_>,
    id: RunId,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    let Some(run) = tx.state().find_run(tx.tenant, id) else {
        let state = tx.past_run(id)?.state;
        return Err(Rejection::RunSuspendRequiresRunning { state });
    };
    let row = &tx.state().runs[run];
    let running = row.state == State::Running;
    let Some(active) = row.active.as_deref().filter(|_| running) else {
        return Err(Rejection::RunSuspendRequiresRunning { state: row.state });
    };
    // Somebody's word takes the place of a budget's: what was set aside by hand is taken up by hand.
    let asked = active.suspend.as_deref();
    if asked.is_none_or(|asked| asked.budget) {
        let by = tx.principal.name.clone();
        tx.emit(RunSuspendRequested {
            run: id,
            by,
            reason: reason.cloned(),
            budget: false,
        });
    }
    Ok(Outcome::RunSuspendRequested)
}

/// Decides a resume.
pub(crate) fn resume(
    tx: &mut Tx<'_>,
    id: RunId,
    payload: Option<&Bytes>,
) -> Result<Outcome, Rejection> {
    if payload.is_some_and(|payload| payload.len() > limits::PAYLOAD_BYTES_MAX) {
        return Err(Rejection::LimitExceeded {
            limit: "payload_bytes",
            value: limits::PAYLOAD_BYTES_MAX as u64,
        });
    }
    let found = tx.state().find_run(tx.tenant, id);
    let state = match found {
        Some(run) => tx.state().runs[run].state,
        None => tx.past_run(id)?.state,
    };
    if state != State::Suspended {
        return Err(Rejection::RunResumeRequiresSuspended { state });
    }
    let by = tx.principal.name.clone();
    tx.emit(RunResumed {
        run: id,
        payload: payload.cloned(),
        by,
        cause: None,
    });
    Ok(Outcome::RunResumed)
}
