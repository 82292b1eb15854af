//! The reference model's rules for the end of attempts: reports, cancels, and what time does.

use mainstay::{
    AttemptResult, Cause, Event, Finish, FinishOutcome, RunError, RunId, RunState, Text,
};

use super::ending::{Ending, ending};
use super::model::{Attempt, CancelWish, Lease, Model, Verdict, demand};

/// What ended an attempt, as its event tells it.
struct Told<'a> {
    result: AttemptResult,
    error: Option<&'a RunError>,
    output: Option<&'a mainstay::Bytes>,
    reported: bool,
}

impl Model {
    pub(super) fn finished(&mut self, finish: &Finish, event: &Event) -> Verdict {
        self.live(finish.run, finish.fence)?;
        let result = result_of(finish.outcome);
        let error = error_of(finish);
        let told = Told {
            result,
            error: error.as_ref(),
            output: finish.output.as_ref(),
            reported: true,
        };
        self.close(finish.run, &told, finish.retry_after_ms, event)
    }

    pub(super) fn given_back(&mut self, event: &Event) -> Verdict {
        let Some(run) = run_of(event) else {
            return Err(format!("a grant given back made {event:?}"));
        };
        let told = Told {
            result: AttemptResult::Released,
            error: None,
            output: None,
            reported: true,
        };
        self.close(run, &told, None, event)
    }

    /// Ends a run's attempt as the design says, and demands that the event says the same.
    fn close(
        &mut self,
        id: RunId,
        told: &Told<'_>,
        retry_after_ms: Option<u64>,
        event: &Event,
    ) -> Verdict {
        let policy = self.policy(id)?;
        let run = self.run(id)?;
        let lease = run
            .lease
            .clone()
            .ok_or_else(|| format!("run {id} is held by nobody"))?;
        let must = ending(run, &lease, policy, told.result, told.error, retry_after_ms);
        let (said, result, error, output) = ended(event).ok_or_else(|| format!("{event:?}"))?;
        demand!(run_of(event) == Some(id), "another run ended");
        let agrees = match (must, said) {
            (Ending::Retry(least, most), Ending::Retry(delay, _)) => {
                (least..=most).contains(&delay)
            }
            (must, said) => must == said,
        };
        demand!(
            agrees,
            "run {id} must end as {must:?}, the log says {said:?}"
        );
        demand!(
            result == told.result,
            "the attempt ended as {:?}, not {result:?}",
            told.result
        );
        demand!(output == told.output, "the output is not the one reported");
        demand!(
            error == told.error || said == Ending::Completed,
            "the error is {error:?}, not {:?}",
            told.error
        );
        self.record_end(id, &lease, told, said)
    }

    fn record_end(&mut self, id: RunId, lease: &Lease, told: &Told<'_>, said: Ending) -> Verdict {
        let steady = self.steady;
        let run = self.run_mut(id)?;
        run.lease = None;
        run.failures += u32::from(matches!(
            told.result,
            AttemptResult::Failure | AttemptResult::Timeout
        ));
        run.lost += u32::from(told.result == AttemptResult::LeaseExpired);
        run.attempts.push(Attempt {
            number: lease.number,
            fence: lease.fence,
            worker: lease.worker.clone(),
            result: told.result,
            error: told.error.filter(|_| said != Ending::Completed).cloned(),
            output: told.output.cloned(),
            reported: told.reported,
            after: said.state(),
        });
        let cause = match said {
            Ending::Canceled(cause) | Ending::Failed(cause) => cause,
            Ending::Suspended => Cause::Suspend,
            Ending::Completed => Cause::Finish,
            Ending::Retry(..) | Ending::Back => match told.result {
                AttemptResult::Timeout => Cause::Timeout,
                AttemptResult::LeaseExpired => Cause::LeaseExpired,
                AttemptResult::Released => Cause::Released,
                _ => Cause::Finish,
            },
        };
        match said {
            Ending::Completed => run.output = told.output.cloned(),
            Ending::Retry(delay, _) => run.retry_due = steady + delay,
            Ending::Back => self.go(id, RunState::RetryWait, cause)?,
            Ending::Canceled(_) | Ending::Failed(_) | Ending::Suspended => {}
        }
        self.go(id, said.state(), cause)
    }

    pub(super) fn called_off(
        &mut self,
        id: RunId,
        force: bool,
        cause: Cause,
        event: &Event,
    ) -> Verdict {
        demand!(run_of(event) == Some(id), "another run was called off");
        let steady = self.steady;
        let grace = self.policy(id)?.cancel_grace_ms;
        let by_task = cause == Cause::TaskCancel;
        let held = self.run(id)?.lease.clone();
        match (held, event) {
            (None, Event::RunCanceled(fact)) => {
                demand!(fact.result.is_none(), "an attempt ended that there was not");
                demand!(fact.cause == cause, "canceled because of {:?}", fact.cause);
                self.go(id, RunState::Canceled, cause)
            }
            (Some(_), Event::RunCanceled(fact)) => {
                demand!(force && fact.cause == Cause::Force, "taken from its worker");
                self.force(id)
            }
            (Some(lease), Event::RunCancelRequested(fact)) => {
                demand!(!force && lease.cancel.is_none(), "requested twice");
                demand!(fact.grace_ms == grace, "a grace of {}", fact.grace_ms);
                if let Some(lease) = self.run_mut(id)?.lease.as_mut() {
                    let force = steady + grace;
                    lease.cancel = Some(CancelWish { force, by_task });
                }
                Ok(())
            }
            (_, event) => Err(format!("a cancel made {event:?}")),
        }
    }

    fn force(&mut self, id: RunId) -> Verdict {
        let lease = self
            .run(id)?
            .lease
            .clone()
            .ok_or("forced without a worker")?;
        let told = Told {
            result: AttemptResult::Canceled,
            error: None,
            output: None,
            reported: false,
        };
        self.record_end(id, &lease, &told, Ending::Canceled(Cause::Force))
    }

    /// What time alone may do.
    pub(super) fn due(&mut self, event: &Event) -> Verdict {
        let id = run_of(event).ok_or_else(|| format!("time made {event:?}"))?;
        let (wall, steady) = (self.wall, self.steady);
        let expired = self.is_expired(id, wall)?;
        let run = self.run(id)?;
        let Some(lease) = run.lease.clone() else {
            return match (run.state, event) {
                (RunState::Scheduled, Event::RunReady(_)) => {
                    demand!(run.scheduled_at <= wall && !expired, "run {id} is not due");
                    self.go(id, RunState::Ready, Cause::Due)
                }
                (RunState::RetryWait, Event::RunReady(_)) => {
                    demand!(run.retry_due <= steady, "run {id} retries too early");
                    self.go(id, RunState::Ready, Cause::Retry)
                }
                (RunState::Scheduled | RunState::Ready, Event::RunCanceled(fact)) => {
                    demand!(
                        expired && fact.cause == Cause::Expired,
                        "run {id} is not expired"
                    );
                    self.go(id, RunState::Canceled, Cause::Expired)
                }
                (state, event) => Err(format!("time made {event:?} of a {} run", state.name())),
            };
        };
        if lease.cancel.is_some_and(|cancel| cancel.force <= steady) {
            let forced = matches!(event, Event::RunCanceled(fact) if fact.cause == Cause::Force);
            demand!(forced, "run {id} had to be forced");
            return self.force(id);
        }
        let (result, code) = if lease.deadline.is_some_and(|at| at <= steady) {
            (AttemptResult::Timeout, "timeout")
        } else {
            demand!(
                lease.end <= steady,
                "the lease of run {id} ended at {steady}, before {}",
                lease.end
            );
            (AttemptResult::LeaseExpired, "lease_expired")
        };
        let (_, _, error, _) = ended(event).ok_or_else(|| format!("time made {event:?}"))?;
        demand!(
            error.is_some_and(|error| &*error.code == code && error.retryable),
            "the machine reports {error:?}"
        );
        let told = Told {
            result,
            error,
            output: None,
            reported: false,
        };
        self.close(id, &told, None, event)
    }
}

/// The attempt result that a report stands for.
pub(crate) fn result_of(outcome: FinishOutcome) -> AttemptResult {
    match outcome {
        FinishOutcome::Success => AttemptResult::Success,
        FinishOutcome::Failure => AttemptResult::Failure,
        FinishOutcome::Suspended => AttemptResult::Suspended,
        FinishOutcome::Canceled => AttemptResult::Canceled,
        FinishOutcome::Released => AttemptResult::Released,
    }
}

/// The error of a report: a failure without one has a default.
pub(crate) fn error_of(finish: &Finish) -> Option<RunError> {
    let default = || RunError {
        code: Text::from("failed"),
        message: Text::from(""),
        retryable: true,
    };
    let given = finish.error.as_deref().cloned();
    given.or_else(|| (finish.outcome == FinishOutcome::Failure).then(default))
}

/// The run an event is about.
pub(crate) fn run_of(event: &Event) -> Option<RunId> {
    event.about().run
}

type Ended<'a> = (
    Ending,
    AttemptResult,
    Option<&'a RunError>,
    Option<&'a mainstay::Bytes>,
);

/// What an event says about the end of an attempt, if it says anything.
fn ended(event: &Event) -> Option<Ended<'_>> {
    Some(match event {
        Event::RunCompleted(fact) => (
            Ending::Completed,
            AttemptResult::Success,
            None,
            fact.output.as_ref(),
        ),
        Event::RunRetryScheduled(fact) => (
            Ending::Retry(fact.delay_ms, fact.delay_ms),
            fact.result,
            fact.error.as_deref(),
            fact.output.as_ref(),
        ),
        Event::RunReturned(fact) => (
            Ending::Back,
            fact.result,
            fact.error.as_deref(),
            fact.output.as_ref(),
        ),
        Event::RunFailed(fact) => (
            Ending::Failed(fact.cause),
            fact.result,
            fact.error.as_deref(),
            fact.output.as_ref(),
        ),
        Event::RunSuspended(fact) => (
            Ending::Suspended,
            fact.result,
            fact.error.as_deref(),
            fact.output.as_ref(),
        ),
        Event::RunCanceled(fact) => (
            Ending::Canceled(fact.cause),
            fact.result?,
            fact.error.as_deref(),
            fact.output.as_ref(),
        ),
        _ => return None,
    })
}
