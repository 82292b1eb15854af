//! Finish: the worker's word on how an attempt ended. Token first, everything else after.
//! Owns: the finish's checks and its repeat.
//! Never: accepts a second outcome for one attempt.

use alloc::boxed::Box;

use super::close::{End, close};
use super::consume::note;
use super::model::{Active, AttemptResult, Fence, Row, RunError, State};
use crate::command::{Finish, Outcome as Report};
use crate::event::{CheckpointSaved, CustomEventPublished};
use crate::machine::{Tx, reach};
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{RunId, Text, budget, dependency, limits, run, subscription, task};

/// Decides a finish.
pub(crate) fn decide(tx: &mut Tx<'_>, finish: &Finish) -> Result<Outcome, Rejection> {
    check(finish)?;
    let Some(run) = tx.state().find_run(tx.tenant, finish.run) else {
        return repeat(tx.past_run(finish.run)?, finish);
    };
    tx.about(run);
    let row = &tx.state().runs[run];
    if !is_held_by(tx, row, finish.fence) {
        return repeat(row, finish);
    }
    check_begun(row)?;
    let actor = row.active.as_deref().and_then(|active| active.actor);
    for (name, value) in &finish.checkpoints {
        run::checkpoint_fits(row, name, value)?;
    }
    if !finish.checkpoints.is_empty() {
        check_checkpoints_together(row, finish)?;
    }
    if !finish.consumption.is_empty() {
        let used = row.active.as_deref().map(|active| &active.consumption[..]);
        budget::check_amounts(used.unwrap_or_default(), &finish.consumption)?;
    }
    // A suspension under a cancel ends the run: nothing is begun with it.
    let ends = finish.outcome == Report::Suspended && is_called_off(tx, run);
    let children = match finish.children.is_empty() || ends {
        true => None,
        false => Some(dependency::plan_children(tx, run, finish)?),
    };
    if let Some(actor) = actor {
        tx.heard(actor);
    }
    reach(tx, tx.state().runs[run].task);
    for (name, value) in &finish.checkpoints {
        if row_lacks(tx, run, name) {
            tx.emit(CheckpointSaved {
                run: finish.run,
                name: name.clone(),
                value: value.clone(),
            });
        }
    }
    // Before the end that they come with: else their task could end without them.
    if let Some((plans, children)) = children {
        task::make_all(tx, plans, children);
    }
    tx.about(run);
    note(tx, finish.run, &finish.consumption);
    // What follows from the end depends on what the attempt used.
    let event = event(tx, run, finish);
    tx.emit(event);
    let published = finish.custom_events.iter().filter(|_| !ends);
    for (key, payload) in published {
        tx.emit(CustomEventPublished {
            key: key.clone(),
            payload: payload.clone(),
            by: tx.principal.name.clone(),
        });
    }
    Ok(Outcome::Finished(tx.state().runs[run].state))
}

/// Whether the run is to be canceled: itself, with its task, or below a task whose cancel has yet to come to it.
fn is_called_off(tx: &Tx<'_>, run: u32) -> bool {
    let row = &tx.state().runs[run];
    let asked = row.active.as_deref().is_some_and(|it| it.cancel.is_some());
    asked || dependency::fence(tx.state(), row.task).is_some()
}

/// Only an attempt that began can end.
pub(super) fn check_begun(row: &Row) -> Result<(), Rejection> {
    let begun = |active: &Active| !active.idle;
    if row.state != State::Running {
        return Err(Rejection::AttemptFinishRequiresRunning { state: row.state });
    }
    if !row.active.as_deref().is_some_and(begun) {
        return Err(Rejection::AttemptFinishMissingActive { run: row.id });
    }
    Ok(())
}

fn row_lacks(tx: &Tx<'_>, run: u32, name: &Text) -> bool {
    tx.state().runs[run]
        .past
        .as_ref()
        .is_none_or(|past| !past.checkpoints.contains_key(name))
}

fn event(tx: &Tx<'_>, run: u32, finish: &Finish) -> crate::Event {
    let active = tx.state().runs[run]
        .active
        .as_deref()
        .expect("the token was compared with the live lease");
    close(tx.state(), run, active, end_of(finish))
}

fn end_of(finish: &Finish) -> End {
    let result = match finish.outcome {
        Report::Success => AttemptResult::Success,
        Report::Failure => AttemptResult::Failure,
        Report::Suspended => AttemptResult::Suspended,
        Report::Canceled => AttemptResult::Canceled,
        Report::Released => AttemptResult::Released,
    };
    // A success has nothing to say about an error, neither when it is reported nor when it is repeated.
    let mut error = finish.error.clone();
    if result == AttemptResult::Success {
        error = None;
    }
    if result == AttemptResult::Failure && error.is_none() {
        let code = Text::from("failed");
        error = Some(Box::new(RunError {
            code,
            message: Text::default(),
            retryable: true,
        }));
    }
    End {
        result,
        error,
        output: finish.output.clone(),
        reason: finish.reason.clone(),
        retry_after_ms: finish.retry_after_ms,
    }
}

/// The token is not the live one: it is stale, or this is a repeat of what was accepted.
fn repeat(row: &Row, finish: &Finish) -> Result<Outcome, Rejection> {
    let lost = Rejection::LeaseLost { run: finish.run };
    let Some(last) = row
        .last_attempt()
        .filter(|last| last.reported && last.fence == finish.fence)
    else {
        return Err(lost);
    };
    let end = end_of(finish);
    if (last.result, &last.output, &last.error) == (end.result, &end.output, &end.error) {
        Ok(Outcome::Finished(last.after))
    } else {
        Err(Rejection::AlreadyFinished {
            run: finish.run,
            state: row.state,
        })
    }
}

fn check(finish: &Finish) -> Result<(), Rejection> {
    let invalid = |field, message: &str| {
        Err(Rejection::InvalidRequest {
            field,
            message: message.into(),
        })
    };
    if finish
        .output
        .as_ref()
        .is_some_and(|output| output.len() > limits::PAYLOAD_BYTES_MAX)
    {
        return Err(Rejection::LimitExceeded {
            limit: "output_bytes",
            value: limits::PAYLOAD_BYTES_MAX as u64,
        });
    }
    // Before they are compared with each other: that takes time by the square of their number.
    run::checkpoint_room(finish.checkpoints.len(), 0)?;
    if let Some(error) = &finish.error {
        if error.code.is_empty() || error.code.len() > limits::ERROR_CODE_BYTES_MAX {
            return invalid("error.code", "must have 1 to 128 bytes");
        }
        if error.message.len() > limits::ERROR_MESSAGE_BYTES_MAX {
            return Err(Rejection::LimitExceeded {
                limit: "error_message_bytes",
                value: limits::ERROR_MESSAGE_BYTES_MAX as u64,
            });
        }
    }
    if finish
        .retry_after_ms
        .is_some_and(|ms| ms > limits::SPAN_MS_MAX)
    {
        return invalid("retry_after_ms", "must be at most 315360000000");
    }
    let goes_well = matches!(finish.outcome, Report::Success | Report::Suspended);
    if !goes_well && !finish.custom_events.is_empty() {
        return invalid("custom_events", "come with success and suspended only");
    }
    subscription::check_events(&finish.custom_events)?;
    limits::check_reason(finish.reason.as_ref())
}

/// The checkpoints of one finish must fit together, not only one by one.
fn check_checkpoints_together(row: &Row, finish: &Finish) -> Result<(), Rejection> {
    let past = row.past.as_deref();
    let (mut count, mut bytes) = past.map_or((0, 0), |past| {
        (past.checkpoints.len(), past.checkpoint_bytes)
    });
    for (at, (name, value)) in finish.checkpoints.iter().enumerate() {
        if finish.checkpoints[..at]
            .iter()
            .any(|(other, _)| other == name)
        {
            return Err(Rejection::CheckpointConflict { name: name.clone() });
        }
        if past.is_none_or(|past| !past.checkpoints.contains_key(name)) {
            count += 1;
            bytes += name.len() + value.len();
        }
    }
    run::checkpoint_room(count, bytes)
}

/// The row of a live lease under which an attempt is on its way, or the refusal that a stale token gets.
pub(crate) fn attempted<'a>(
    tx: &'a Tx<'_>,
    id: RunId,
    fence: Fence,
) -> Result<(u32, &'a Row), Rejection> {
    let (run, row) = held(tx, id, fence)?;
    check_begun(row).map_err(|_| Rejection::LeaseLost { run: id })?;
    Ok((run, row))
}

/// The row of a live lease, or the refusal that a stale token gets.
pub(crate) fn held<'a>(
    tx: &'a Tx<'_>,
    id: RunId,
    fence: Fence,
) -> Result<(u32, &'a Row), Rejection> {
    let Some(run) = tx.state().find_run(tx.tenant, id) else {
        tx.past_run(id)?;
        return Err(Rejection::LeaseLost { run: id });
    };
    let row = &tx.state().runs[run];
    if !is_held_by(tx, row, fence) {
        return Err(Rejection::LeaseLost { run: id });
    }
    Ok((run, row))
}

/// Whether this token's lease is live. Those of an actor that is registered no more are not, though their ends may still be to come.
pub(super) fn is_held_by(tx: &Tx<'_>, row: &Row, fence: Fence) -> bool {
    let active = row.active.as_deref();
    active
        .filter(|active| active.fence == fence)
        .is_some_and(|active| {
            let is_gone = |actor| tx.state().actors.is_gone(actor);
            !active.actor.is_some_and(is_gone)
        })
}
