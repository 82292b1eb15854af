//! Begin: many runs are to be acted on.
//! Owns: what an operation may be about, and how many go on at a time.
//! Never: acts on a run.

use super::model::{BeginOperation, OperationState};
use crate::event::{OperationEnded, OperationStarted};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{OperationId, Text};

fn invalid(field: &'static str, message: &str) -> Rejection {
    Rejection::InvalidRequest {
        field,
        message: message.into(),
    }
}

/// Decides the beginning. One without any runs is over at once.
pub(crate) fn begin(tx: &mut Tx<'_>, ask: &BeginOperation) -> Result<Outcome, Rejection> {
    limits::check_reason(ask.reason.as_ref())?;
    ask.filter
        .check(ask.action)
        .map_err(|message| invalid("filter", message))?;
    if ask.with_dependents {
        return Err(Rejection::NotSupported {
            field: "with_dependents".into(),
        });
    }
    if ask.through > tx.state().sequence {
        return Err(invalid("through", "is an event that was not yet"));
    }
    if ask.operation == Some(OperationId(0)) {
        return Err(invalid("operation_id", "must not be the nil UUID"));
    }
    let operations = &tx.state().operations;
    if let Some(operation) = ask.operation
        && let Some(known) = operations.find(tx.tenant, operation)
    {
        let same = known.action == ask.action
            && known.filter == ask.filter
            && known.with_dependents == ask.with_dependents;
        return match same {
            true => Ok(Outcome::OperationStarted {
                operation,
                created: false,
            }),
            false => Err(Rejection::OperationAlreadyExists { operation }),
        };
    }
    if operations.running(tx.tenant) >= limits::OPERATIONS_RUNNING_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "operations",
            value: limits::OPERATIONS_RUNNING_MAX as u64,
        });
    }
    let chosen = ask.operation.is_some();
    let operation = ask.operation.unwrap_or_else(|| tx.mint_operation());
    tx.emit(OperationStarted {
        operation,
        action: ask.action,
        filter: ask.filter.clone(),
        with_dependents: ask.with_dependents,
        matched: ask.matched,
        through: ask.through,
        until: ask.until,
        by: tx.principal.name.clone(),
        reason: ask.reason.clone(),
        chosen,
    });
    if ask.matched == 0 {
        tx.emit(OperationEnded {
            operation,
            state: OperationState::Done,
            by: Text::default(),
            reason: None,
        });
    }
    Ok(Outcome::OperationStarted {
        operation,
        created: true,
    })
}
