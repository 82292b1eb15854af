//! Cancel of a task: the task itself; its runs follow in the same frame.
//! Owns: when a task can still be canceled.
//! Never: cancels a task that has ended.

use super::model::State;
use crate::event::TaskCanceled;
use crate::machine::Tx;
use crate::rejection::Rejection;
use crate::{TaskId, Text, limits};

/// Decides the cancel of a task. Gives its handle and the state it was in.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: TaskId,
    reason: Option<&Text>,
) -> Result<(u32, State), Rejection> {
    limits::check_reason(reason)?;
    let task = tx
        .state()
        .find_task(tx.tenant, id)
        .ok_or(Rejection::UnknownTask { task: id })?;
    let was = tx.state().tasks[task].state();
    if was == State::Active {
        let by = tx.principal.name.clone();
        tx.emit(TaskCanceled {
            task: id,
            by,
            reason: reason.cloned(),
        });
    }
    Ok((task, was))
}
