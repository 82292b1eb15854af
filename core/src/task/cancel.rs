//! Cancel of a task: the task itself; its runs follow in the same frame.
//! Owns: when a task can still be canceled.
//! Never: cancels a task that has ended.

use super::state::State;
use crate::event::TaskCanceled;
use crate::machine::{Tx, reach};
use crate::outcome::TaskCancel;
use crate::rejection::Rejection;
use crate::{TaskId, Text, limits};

/// Decides the cancel of a task. Gives its handle and the state it was in, or the answer when it has left memory: then it has ended.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: TaskId,
    reason: Option<&Text>,
) -> Result<Result<(u32, State), TaskCancel>, Rejection> {
    limits::check_reason(reason)?;
    let Some(task) = tx.state().find_task(tx.tenant, id) else {
        let (past, at) = tx
            .find_task(id)
            .ok_or(Rejection::UnknownTask { task: id })?;
        let row = &past.tasks[at];
        let already_canceled = row.state() == State::Canceled;
        return Ok(Err(TaskCancel {
            already_canceled,
            already_terminal: !already_canceled,
            runs_already_terminal: row.runs_total,
            runs_total: row.runs_total,
            ..TaskCancel::default()
        }));
    };
    let was = match reach(tx, task) {
        true => State::Canceled,
        false => tx.state().tasks[task].state(),
    };
    if !was.is_terminal() {
        let by = tx.principal.name.clone();
        tx.emit(TaskCanceled {
            task: id,
            by,
            reason: reason.cloned(),
            source: None,
        });
    }
    Ok(Ok((task, was)))
}
