//! A dead letter is cleared away: nobody will try it again.
//! Owns: which dead letters may be cleared.
//! Never: removes the run: it stays failed, and in the history.

use super::find::{find, place_of};
use crate::event::DeadLetterCleared;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{RunId, Text, limits};

/// Decides the clearing of one dead letter.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: RunId,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    let (state, run) = find(tx, id)?;
    let row = &state.runs[run];
    let (kind, queue) = place_of(state, row.task);
    let cleared = DeadLetterCleared {
        run: id,
        task: state.task_of(run).id,
        row_number: row.number,
        kind,
        queue,
        by: tx.principal.name.clone(),
        reason: reason.cloned(),
    };
    tx.emit(cleared);
    Ok(Outcome::DeadLetterCleared)
}
