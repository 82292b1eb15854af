//! Cancel: an operation does nothing more.
//! Owns: that decision.
//! Never: takes back what was done.

use super::model::OperationState;
use crate::event::OperationEnded;
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{OperationId, Text};

/// Decides the end of an operation; one that is over stays as it ended.
pub(crate) fn cancel(
    tx: &mut Tx<'_>,
    operation: OperationId,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    let row = tx.state().operations.find(tx.tenant, operation);
    let state = row.ok_or(Rejection::UnknownOperation { operation })?.state;
    if state != OperationState::Running {
        return Ok(Outcome::OperationEnded(state));
    }
    let state = OperationState::Canceled;
    tx.emit(OperationEnded {
        operation,
        state,
        by: tx.principal.name.clone(),
        reason: reason.cloned(),
    });
    Ok(Outcome::OperationEnded(state))
}
