//! A dead letter is tried again: a new run of the same task takes its place.
//! Owns: which dead letters may be tried again, and what that says in the log.
//! Never: changes the old run but for naming the new one.

use alloc::boxed::Box;

use super::find::{find, place_of};
use crate::event::{RunCreated, RunRedriven, TaskReopened};
use crate::image::Revived;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::run::Origin;
use crate::state::State;
use crate::task::State as TaskState;
use crate::{RunId, Text, dependency, limits};

/// Decides the redrive of one dead letter.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: RunId,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    let (state, run) = find(tx, id)?;
    let row_number = state.runs[run].number;
    let task = state.task_of(run).id;
    let reopened = reopen(tx, state, state.runs[run].task)?;
    let by = tx.principal.name.clone();
    if let Some(mut reopened) = reopened {
        reopened.by = by.clone();
        tx.emit(reopened);
    }
    let (new_run, scheduled_at) = (tx.mint_run(), tx.now.wall);
    let known = tx.state().find_task(tx.tenant, task);
    let blocked = known.is_some_and(|task| dependency::is_blocked(&tx.state().tasks[task]));
    tx.emit(RunCreated {
        run: new_run,
        task,
        scheduled_at,
        ready: !blocked,
        origin: Origin::Redrive,
        retry_of: Some(id),
        ..RunCreated::default()
    });
    tx.emit(RunRedriven {
        run: id,
        task,
        row_number,
        new_run,
        by,
        reason: reason.cloned(),
    });
    Ok(Outcome::RunRetried {
        run: new_run,
        retry_of: id,
    })
}

/// What makes the task of a dead letter go on; `None` when it has not ended. `held` is where the dead letter's own row stands.
fn reopen(tx: &Tx<'_>, held: &State, task: u32) -> Result<Option<TaskReopened>, Rejection> {
    let id = held.tasks[task].id;
    let live = tx.state().find_task(tx.tenant, id);
    let (state, task) = live.map_or((held, task), |task| (tx.state(), task));
    match dependency::standing(state, task) {
        TaskState::Canceled => return Err(Rejection::TaskIsCanceled { task: id }),
        TaskState::Active | TaskState::WaitingForChildren => return Ok(None),
        TaskState::Completed | TaskState::Failed => {}
    }
    let row = &state.tasks[task];
    let key = row.extras().and_then(|extras| extras.unique_key.clone());
    let holder = key.and_then(|key| tx.state().unique.get(&(tx.tenant, key)));
    if let Some(holder) = holder {
        let task = tx.state().tasks[*holder].id;
        return Err(Rejection::UniqueKeyTaken { task });
    }
    let payload = tx.past_payload(row.number).cloned();
    let mut revived = Revived::of(state, task, payload);
    // A task with nothing rare about it did not count its failed run.
    revived.0.runs_failed = revived.0.runs_failed.max(1);
    let (kind, queue) = place_of(state, task);
    Ok(Some(TaskReopened {
        task: id,
        kind,
        queue,
        row: Box::new(revived),
        by: Text::default(),
    }))
}
