//! What follows the end of an attempt: the one place that knows when a run completes, waits, returns, fails, suspends or is canceled.
//! Owns: the rule from (attempt's end, run, policy) to the event.
//! Never: emits; the verbs do.

use alloc::boxed::Box;

use super::model::{Active, AttemptResult, Cause, Row, RunError};
use super::retry::delay_ms;
use crate::event::{
    Event, RunCanceled, RunCompleted, RunFailed, RunRetryScheduled, RunReturned, RunSuspended,
};
use crate::task::{Policy, SafetyLevel};
use crate::{Bytes, Text};

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
    /// An end that the machine itself sees: a timeout or a lost lease.
    pub(crate) fn seen(result: AttemptResult, code: &str, message: &str) -> End {
        let error = RunError {
            code: Text::from(code),
            message: Text::from(message),
            retryable: true,
        };
        End {
            result,
            error: Some(Box::new(error)),
            output: None,
            reason: None,
            retry_after_ms: None,
        }
    }
}

/// The event that ends this attempt.
pub(crate) fn close(row: &Row, policy: &Policy, active: &Active, end: End) -> Event {
    let End {
        result,
        error,
        output,
        reason,
        ..
    } = end.clone();
    if result == AttemptResult::Success {
        return RunCompleted {
            run: row.id,
            output,
        }
        .into();
    }
    if let Some(cancel) = &active.cancel {
        let cause = if cancel.task {
            Cause::TaskCancel
        } else {
            Cause::Cancel
        };
        let (by, reason) = (cancel.by.clone(), cancel.reason.clone().or(reason));
        return RunCanceled {
            run: row.id,
            result: Some(result),
            cause,
            by,
            reason,
            error,
            output,
        }
        .into();
    }
    if result == AttemptResult::Canceled && active.suspend.is_none() {
        let by = active.worker.clone();
        return RunCanceled {
            run: row.id,
            result: Some(result),
            cause: Cause::Worker,
            by,
            reason,
            error,
            output,
        }
        .into();
    }
    if let Some(cause) = last_straw(row, policy, result, error.as_deref()) {
        return RunFailed {
            run: row.id,
            result,
            error,
            output,
            cause,
        }
        .into();
    }
    if let Some(suspend) = &active.suspend {
        let reason = reason.or_else(|| suspend.reason.clone());
        return RunSuspended {
            run: row.id,
            result,
            reason,
            error,
            output,
        }
        .into();
    }
    match result {
        AttemptResult::Suspended => RunSuspended {
            run: row.id,
            result,
            reason,
            error,
            output,
        }
        .into(),
        AttemptResult::Failure | AttemptResult::Timeout => {
            let delay_ms = end
                .retry_after_ms
                .unwrap_or_else(|| delay_ms(&policy.retry, row.id, row.failures + 1));
            RunRetryScheduled {
                run: row.id,
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
            run: row.id,
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
            } else if row.failures + 1 >= policy.max_attempts {
                Some(Cause::Exhausted)
            } else {
                None
            }
        }
        AttemptResult::LeaseExpired if row.lost_leases + 1 > policy.max_lost_leases => {
            Some(Cause::WorkerLost)
        }
        AttemptResult::Success
        | AttemptResult::LeaseExpired
        | AttemptResult::Suspended
        | AttemptResult::Released
        | AttemptResult::Canceled => None,
    }
}
