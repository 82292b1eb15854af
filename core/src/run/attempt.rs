//! Attempts by hand: begun on a run that somebody holds, ended by their id.
//! Owns: the two decisions.
//! Never: ends an attempt otherwise than a finish does.

use super::finish::{check_begun, decide as finish};
use super::model::State;
use crate::command::Finish;
use crate::event::AttemptStarted;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{AttemptId, RunId};

/// Decides the beginning of an attempt. Its deadline counts from here.
pub(crate) fn start(tx: &mut Tx<'_>, id: RunId) -> Result<Outcome, Rejection> {
    let Some(run) = tx.state().find_run(tx.tenant, id) else {
        let state = tx.past_run(id)?.state;
        return Err(Rejection::AttemptStartRequiresRunning { state });
    };
    let row = &tx.state().runs[run];
    if row.state != State::Running {
        return Err(Rejection::AttemptStartRequiresRunning { state: row.state });
    }
    if row.active.as_ref().is_none_or(|active| !active.idle) {
        let attempt = AttemptId::derive(id, row.attempt_count);
        return Err(Rejection::AttemptAlreadyActive { attempt });
    }
    let number = row.attempt_count + 1;
    tx.about(run);
    tx.emit(AttemptStarted { run: id, number });
    let attempt = AttemptId::derive(id, number);
    Ok(Outcome::AttemptStarted { attempt, number })
}

/// Decides the end of an attempt that is named by its id: `finish` without its token.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    provided: AttemptId,
    mut finish_of: Finish,
) -> Result<Outcome, Rejection> {
    let id = finish_of.run;
    let Some(run) = tx.state().find_run(tx.tenant, id) else {
        let state = tx.past_run(id)?.state;
        return Err(Rejection::AttemptFinishRequiresRunning { state });
    };
    let row = &tx.state().runs[run];
    check_begun(row)?;
    let expected = AttemptId::derive(id, row.attempt_count);
    if provided != expected {
        return Err(Rejection::AttemptMismatch { expected, provided });
    }
    if let Some(active) = row.active.as_deref() {
        finish_of.fence = active.fence;
    }
    finish(tx, &finish_of)
}
