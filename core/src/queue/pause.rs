//! Pausing and resuming the engine: nothing is claimed while it is paused, everything else goes on.
//! Owns: the two decisions.
//! Never: touches a run.

use crate::event::{EnginePaused, EngineResumed};
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Text, limits};

/// Decides a pause.
pub(crate) fn pause(tx: &mut Tx<'_>, reason: Option<&Text>) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    if tx.state().switch.paused {
        return Err(Rejection::EngineAlreadyPaused);
    }
    let by = tx.principal.name.clone();
    tx.emit(EnginePaused {
        by,
        reason: reason.cloned(),
    });
    Ok(Outcome::EnginePaused)
}

/// Decides a resume.
pub(crate) fn resume(tx: &mut Tx<'_>, reason: Option<&Text>) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    if !tx.state().switch.paused {
        return Err(Rejection::EngineNotPaused);
    }
    let by = tx.principal.name.clone();
    tx.emit(EngineResumed {
        by,
        reason: reason.cloned(),
    });
    Ok(Outcome::EngineResumed)
}
