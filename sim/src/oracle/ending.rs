//! What must follow the end of an attempt, as the design says it.

use mainstay::{
    AttemptResult, Cause, Jitter, Policy, Retry, RunError, RunState, SafetyLevel, Strategy,
};

use super::model::{Lease, Run};

/// Where the run must be after an attempt's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Completed,
    Canceled(Cause),
    Failed(Cause),
    Suspended,
    /// The next attempt after a delay within these bounds.
    Retry(u64, u64),
    /// Ready again at once.
    Back,
}

impl Ending {
    pub(crate) fn state(self) -> RunState {
        match self {
            Ending::Completed => RunState::Completed,
            Ending::Canceled(_) => RunState::Canceled,
            Ending::Failed(_) => RunState::Failed,
            Ending::Suspended => RunState::Suspended,
            Ending::Retry(..) => RunState::RetryWait,
            Ending::Back => RunState::Ready,
        }
    }
}

/// The rule: first the result, then a cancel request, then what is used up, then a suspend request, then the retry.
pub(crate) fn ending(
    run: &Run,
    lease: &Lease,
    policy: &Policy,
    result: AttemptResult,
    error: Option<&RunError>,
    retry_after_ms: Option<u64>,
) -> Ending {
    if result == AttemptResult::Success {
        return Ending::Completed;
    }
    if let Some(cancel) = lease.cancel {
        return Ending::Canceled(if cancel.by_task {
            Cause::TaskCancel
        } else {
            Cause::Cancel
        });
    }
    if result == AttemptResult::Canceled {
        return if lease.suspend {
            Ending::Suspended
        } else {
            Ending::Canceled(Cause::Worker)
        };
    }
    let unseen = matches!(result, AttemptResult::Timeout | AttemptResult::LeaseExpired);
    if unseen && policy.safety_level == SafetyLevel::Transactional {
        return Ending::Failed(Cause::OutcomeUnknown);
    }
    let counts = matches!(result, AttemptResult::Failure | AttemptResult::Timeout);
    if counts {
        let final_error = error.is_some_and(|error| {
            !error.retryable || policy.retry.non_retryable.contains(&error.code)
        });
        if final_error {
            return Ending::Failed(Cause::NotRetryable);
        }
        if run.failures + 1 == policy.max_attempts {
            return Ending::Failed(Cause::Exhausted);
        }
    }
    if result == AttemptResult::LeaseExpired && run.lost + 1 > policy.max_lost_leases {
        return Ending::Failed(Cause::WorkerLost);
    }
    if lease.suspend || result == AttemptResult::Suspended {
        return Ending::Suspended;
    }
    if counts {
        let (least, most) = match retry_after_ms {
            Some(ms) => (ms, ms),
            None => delay(&policy.retry, run.failures + 1),
        };
        return Ending::Retry(least, most);
    }
    Ending::Back
}

/// Bounds of the delay after `failures` failures.
fn delay(retry: &Retry, failures: u32) -> (u64, u64) {
    let mut most = retry.initial_ms.min(retry.max_ms);
    if retry.strategy == Strategy::Exponential {
        let mut exact = u128::from(retry.initial_ms) * 1000;
        for _ in 1..failures {
            exact = (exact * u128::from(retry.multiplier_milli) / 1000)
                .min(u128::from(retry.max_ms) * 1000);
        }
        most = ((exact / 1000) as u64).min(retry.max_ms);
    }
    match retry.jitter {
        Jitter::None => (most, most),
        Jitter::Full => (0, most),
    }
}
