//! Operations: one piece of one acts on its runs as single commands would, room by room, and says so in the same frame.
//! Owns: which room's verb each action is, and what is seen of operations.
//! Never: stops at a run that is refused: it is counted and named.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::tx::Tx;
use crate::event::{OperationAdvanced, OperationEnded};
use crate::limits::{LIST_LIMIT_MAX, OPERATION_REFUSED_SHOWN_MAX};
use crate::operation::{Action, Operate, Operation, OperationPiece, OperationState, Refused};
use crate::outcome::Outcome;
use crate::query::{Answer, OperationView, Query};
use crate::rejection::Rejection;
use crate::state::State;
use crate::{OperationId, RunId, Text, deadletter, operation, run};

/// Decides what is asked about operations.
pub(super) fn operate(tx: &mut Tx<'_>, what: &Operate) -> Result<Outcome, Rejection> {
    match what {
        Operate::Begin(ask) => operation::begin(tx, ask),
        Operate::Cancel { operation, reason } => operation::cancel(tx, *operation, reason.as_ref()),
        Operate::Advance(piece) => advance(tx, piece),
    }
}

/// Does the next piece. Where it ends and what it came to stand in the frame of what it did: nothing is done twice or left out, wherever the
/// process ends.
fn advance(tx: &mut Tx<'_>, piece: &OperationPiece) -> Result<Outcome, Rejection> {
    let operation = piece.operation;
    let row = tx.state().operations.find(tx.tenant, operation);
    let row = row.ok_or(Rejection::UnknownOperation { operation })?;
    row.takes(piece)?;
    let (action, reason) = (row.action, row.reason.clone());
    let room = OPERATION_REFUSED_SHOWN_MAX.saturating_sub(row.refused.len());
    let mut told = OperationAdvanced {
        operation,
        cursor: piece.cursor,
        ..OperationAdvanced::default()
    };
    for (_, run) in &piece.runs {
        match act(tx, action, *run, reason.as_ref()) {
            Ok(()) => told.done += 1,
            Err(code) => {
                told.refused_total += 1;
                if told.refused.len() < room {
                    let code = Text::from(code);
                    told.refused.push(Refused { run: *run, code });
                }
            }
        }
    }
    let (done, refused) = (told.done, told.refused_total);
    tx.emit(told);
    if piece.last {
        tx.emit(OperationEnded {
            operation,
            state: OperationState::Done,
            by: Text::default(),
            reason: None,
        });
    }
    Ok(Outcome::OperationAdvanced { done, refused })
}

/// Acts on one run; the error is the code of why not.
fn act(
    tx: &mut Tx<'_>,
    action: Action,
    id: RunId,
    reason: Option<&Text>,
) -> Result<(), &'static str> {
    let outcome = match action {
        Action::Cancel => run::cancel(tx, id, false, reason),
        Action::Retry => deadletter::redrive(tx, id, reason),
        Action::Resume => run::resume(tx, id, None),
        Action::Clear => deadletter::clear(tx, id, reason),
    };
    match outcome {
        Ok(Outcome::RunAlreadyCanceled) => Err("already_canceled"),
        Ok(Outcome::RunAlreadyTerminal) => Err("already_terminal"),
        Ok(_) => Ok(()),
        Err(rejection) => Err(rejection.code()),
    }
}

/// Answers a question about operations.
pub(super) fn answer(state: &State, tenant: u32, query: &Query) -> Answer {
    let operations = &state.operations;
    let view = |tenant: u32, id: OperationId, row: &Operation| OperationView {
        tenant: state.tenants[tenant as usize],
        id,
        operation: row.clone(),
    };
    match query {
        Query::Operation(id) => match operations.find(tenant, *id) {
            Some(row) => Answer::Operation(Box::new(view(tenant, *id, row))),
            None => Answer::Absent,
        },
        Query::NextOperation(after) => {
            let next = operations.next_running(*after);
            match next.or_else(|| operations.next_running(0)) {
                Some((tenant, id, row)) => Answer::Operation(Box::new(view(tenant, id, row))),
                None => Answer::Absent,
            }
        }
        Query::Operations { all, before, limit } => {
            let limit = (*limit).min(LIST_LIMIT_MAX) as usize;
            let before = before.unwrap_or(u64::MAX);
            let of = match all {
                true => 0..state.tenants.len() as u32,
                false => tenant..tenant + 1,
            };
            let newest = |tenant: u32| {
                let rows = operations.before(tenant, before).take(limit);
                rows.map(move |(id, row)| view(tenant, id, row))
            };
            let mut rows: Vec<OperationView> = of.flat_map(newest).collect();
            rows.sort_by_key(|row| core::cmp::Reverse(row.operation.number));
            rows.truncate(limit);
            Answer::Operations(rows)
        }
        _ => Answer::Absent,
    }
}
