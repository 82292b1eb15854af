//! One more run of a task, beside its policy.
//! Owns: when somebody may ask for one.
//! Never: counts it to the policy.

use crate::event::RunCreated;
use crate::machine::Tx;
use crate::outcome::{Outcome, SubmittedRun};
use crate::rejection::Rejection;
use crate::run::{Origin, State};
use crate::time::Timestamp;
use crate::{RunId, TaskId, dependency};

/// Decides an ad-hoc run.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    task: TaskId,
    id: Option<RunId>,
    state: State,
    scheduled_at: Option<Timestamp>,
) -> Result<Outcome, Rejection> {
    if state != State::Scheduled {
        return Err(Rejection::RunCreateRequiresScheduled { state });
    }
    let invalid = |field, message: &str| Rejection::InvalidRequest {
        field,
        message: message.into(),
    };
    if scheduled_at.is_some_and(|at| at > Timestamp::MAX) {
        return Err(invalid("scheduled_at", "must be before the year 10000"));
    }
    if id == Some(RunId(0)) {
        return Err(invalid("run_id", "must not be the nil UUID"));
    }
    tx.live_task(task)?;
    if let Some(run) = id.filter(|id| tx.knows_run(*id)) {
        return Err(Rejection::RunAlreadyExists { run });
    }
    let chosen = id.is_some();
    let run = id.unwrap_or_else(|| tx.mint_run());
    let scheduled_at = scheduled_at.unwrap_or(tx.now.wall);
    let known = tx.state().find_task(tx.tenant, task);
    let blocked = known.is_some_and(|task| dependency::is_blocked(&tx.state().tasks[task]));
    let ready = scheduled_at <= tx.now.wall && !blocked;
    tx.emit(RunCreated {
        run,
        task,
        scheduled_at,
        ready,
        origin: Origin::AdHoc,
        chosen,
        ..RunCreated::default()
    });
    let state = if ready { State::Ready } else { state };
    Ok(Outcome::RunCreated(SubmittedRun {
        run,
        state,
        scheduled_at,
    }))
}
