//! What follows the end of an attempt: the one place that knows when a run completes, waits, returns, fails, suspends or is canceled.
//! Owns: the rule from (attempt's end, run, policy) to the event.
//! Never: emits; the verbs do.

use alloc::boxed::Box;

use super::model::{Active, AttemptResult, Cause, Hold, Row, RunError, SuspendRequest};
use super::retry::delay_ms;
use crate::event::{
    Event, RunCanceled, RunCompleted, RunFailed, RunRetryScheduled, RunReturned, RunSuspended,
};
use crate::state::State as Tables;
use crate::task::{Policy, SafetyLevel, policy};
use crate::{Bytes, Text, budget};

/// The reason by which a handler says that it is to be resumed when its task's children have ended: at once, when none is live.
const WAITING_FOR_CHILDREN: &str = "waiting_for_children";

/// How an attempt ended and what it brings along.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) result: AttemptResult,
    pub(crate) error: Option<Box<RunError>>,
    pub(crate) output: Option<Bytes>,
    pub(crate) reason: Option<Text>,
    /// Overrides the retry policy's delay.
    pub(crate) retry_after_ms: Option<u64>,
}

impl End {
    /// An end that somebody's word alone makes.
    pub(crate) fn told(result: AttemptResult) -> End {
        End {
            result,
            error: None,
            output: None,
            reason: None,
            retry_after_ms: None,
        }
    }

    /// An end that the machine itself sees: a timeout or a lost lease.
    pub(crate) fn seen(result: AttemptResult, code: &str, message: &str) -> End {
        let error = RunError {
            code: Text::from(code),
            message: Text::from(message),
            retryable: true,
        };
        End {
            error: Some(Box::new(error)),
            ..End::told(result)
        }
    }
}

/// The event that ends this attempt of a held run.
pub(crate) fn close(state: &Tables, run: u32, active: &Active, end: End) -> Event {
    let row = &state.runs[run];
    if end.result == AttemptResult::Success {
        return RunCompleted {
            run: row.id,
            output: end.output,
        }
        .into();
    }
    let policy = policy(state.task_of(run));
    if let Some(canceled) = called_off(row, active, &end) {
        return canceled.into();
    }
    if let Some(cause) = last_straw(row, policy, end.result, end.error.as_deref()) {
        let End {
            result,
            error,
            output,
            ..
        } = end;
        return RunFailed {
            run: row.id,
            result,
            error,
            output,
            cause,
        }
        .into();
    }
    let spent = budget::exhausted(state, run).is_some();
    if let Some(suspend) = directed(active, &end, spent) {
        let reason = end.reason.or_else(|| suspend.reason.clone());
        let hold = if suspend.budget {
            Hold::Budget
        } else {
            Hold::Hand
        };
        let End {
            result,
            error,
            output,
            ..
        } = end;
        return RunSuspended {
            run: row.id,
            result,
            reason,
            error,
            output,
            hold,
        }
        .into();
    }
    go_on(row, policy, end, spent)
}

/// The directive to suspend that this end follows. One for a budget's sake falls away when the budgets have room again, except for a
/// worker that was stopping because of it.
fn directed<'a>(active: &'a Active, end: &End, spent: bool) -> Option<&'a SuspendRequest> {
    let suspend = active.suspend.as_deref()?;
    let stops = match end.result {
        AttemptResult::Canceled => true,
        AttemptResult::Suspended => end.reason.is_none(),
        AttemptResult::Success
        | AttemptResult::Failure
        | AttemptResult::Timeout
        | AttemptResult::LeaseExpired
        | AttemptResult::Released => false,
    };
    (!suspend.budget || spent || stops).then_some(suspend)
}

/// The cancel that was asked for, or that the worker itself reports. Under a suspend directive a worker that reports `canceled` has
/// suspended.
fn called_off(row: &Row, active: &Active, end: &End) -> Option<RunCanceled> {
    let (cause, by, reason) = match (active.cancel.as_deref(), end.result, &active.suspend) {
        (Some(cancel), _, _) => {
            let cause = match cancel.why.as_deref() {
                Some(why) => why.cause,
                None if cancel.task => Cause::TaskCancel,
                None => Cause::Cancel,
            };
            (
                cause,
                cancel.by.clone(),
                cancel.reason.clone().or_else(|| end.reason.clone()),
            )
        }
        (None, AttemptResult::Canceled, None) => {
            (Cause::Worker, active.worker.clone(), end.reason.clone())
        }
        _ => return None,
    };
    let (result, error, output) = (Some(end.result), end.error.clone(), end.output.clone());
    Some(RunCanceled {
        run: row.id,
        result,
        cause,
        by,
        reason,
        error,
        output,
    })
}

/// The run is neither over nor called off: it waits, is suspended, or is ready again. A worker that suspends it without a reason while a
/// budget is spent does so for the budget's sake.
fn go_on(row: &Row, policy: &Policy, end: End, spent: bool) -> Event {
    let run = row.id;
    let End {
        result,
        error,
        output,
        reason,
        retry_after_ms,
    } = end;
    match result {
        AttemptResult::Suspended => RunSuspended {
            run,
            result,
            hold: match reason.as_deref() {
                None if spent => Hold::Budget,
                Some(WAITING_FOR_CHILDREN) => Hold::Children,
                _ => Hold::Hand,
            },
            reason,
            error,
            output,
        }
        .into(),
        AttemptResult::Failure | AttemptResult::Timeout => {
            let policy_ms = || delay_ms(&policy.retry, run, u32::from(row.failures) + 1);
            let delay_ms = retry_after_ms.unwrap_or_else(policy_ms);
            RunRetryScheduled {
                run,
                result,
                error,
                output,
                delay_ms,
            }
            .into()
        }
        AttemptResult::Success
        | AttemptResult::LeaseExpired
        | AttemptResult::Released
        | AttemptResult::Canceled => RunReturned {
            run,
            result,
            reason,
            output,
            error,
        }
        .into(),
    }
}

/// Why there is no further attempt, if there is none.
fn last_straw(
    row: &Row,
    policy: &Policy,
    result: AttemptResult,
    error: Option<&RunError>,
) -> Option<Cause> {
    let blind = matches!(result, AttemptResult::Timeout | AttemptResult::LeaseExpired);
    if blind && policy.safety_level == SafetyLevel::Transactional {
        return Some(Cause::OutcomeUnknown);
    }
    match result {
        AttemptResult::Failure | AttemptResult::Timeout => {
            let refused = |error: &RunError| {
                !error.retryable || policy.retry.non_retryable.contains(&error.code)
            };
            if error.is_some_and(refused) {
                Some(Cause::NotRetryable)
            } else if u32::from(row.failures) + 1 >= policy.max_attempts {
                Some(Cause::Exhausted)
            } else {
                None
            }
        }
        AttemptResult::LeaseExpired if u32::from(row.lost_leases) + 1 > policy.max_lost_leases => {
            Some(Cause::WorkerLost)
        }
        AttemptResult::Success
        | AttemptResult::LeaseExpired
        | AttemptResult::Suspended
        | AttemptResult::Released
        | AttemptResult::Canceled => None,
    }
}
