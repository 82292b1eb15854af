//! The reference model's rules: each command's events, judged against the state before them.

use mainstay::events as fact;
use mainstay::{
    AttemptResult, Cause, Command, Event, Fence, Finish, FinishOutcome, RunError, RunId, RunState,
    Text,
};

use super::ending::{Ending, ending};
use super::history::Wish;
use super::image::Written;
use super::model::{Attempt, CancelWish, Lease, Model, Run, Task, Verdict, demand, policy_of};

/// A renewal beyond this is an event.
const LONG_RENEWAL_MS: u64 = 300_000;
/// A day.
const KEY_HELD_MS: u64 = 86_400_000;

/// What ended an attempt, as its event tells it.
struct Told<'a> {
    result: AttemptResult,
    error: Option<&'a RunError>,
    output: Option<&'a mainstay::Bytes>,
    reported: bool,
}

impl Model {
    /// Judges one command of the log and moves the model over it.
    pub(crate) fn command(&mut self, written: &Written, wish: Option<&Wish>) -> Verdict {
        demand!(
            written.first_sequence == self.sequence + 1,
            "event {} follows event {}",
            written.first_sequence,
            self.sequence
        );
        demand!(
            !written.events.is_empty(),
            "a command without events is in the log"
        );
        demand!(
            written.wall >= self.wall && written.steady >= self.steady,
            "time ran backwards: ({}, {}) after ({}, {})",
            written.wall,
            written.steady,
            self.wall,
            self.steady
        );
        let jump = (written.wall - self.wall).saturating_sub(written.steady - self.steady);
        let may_jump = matches!(written.record.kind, 12 | 13) || self.sequence == 0;
        demand!(
            may_jump || jump <= LONG_RENEWAL_MS,
            "recorded time jumped {jump} ms ahead without a word"
        );
        (self.wall, self.steady) = (written.wall, written.steady);
        if written.record.kind != 12 {
            demand!(
                written.incarnation == self.incarnation,
                "life {} writes under the start of life {}",
                written.incarnation,
                self.incarnation
            );
        }
        match (written.record.kind, wish) {
            (12, None) => self.start(written),
            (13, None) => self.each(written, |_, event| {
                demand!(
                    matches!(event, Event::ClockAdopted(_)),
                    "not a clock: {event:?}"
                );
                Ok(())
            }),
            (14, None) => self.each(written, Model::due),
            (kind, Some(wish)) => self.asked(kind, written, wish),
            (kind, None) => Err(format!(
                "a command of kind {kind} by {:?}, whom nobody knows",
                written.record.principal
            )),
        }
    }

    fn each(
        &mut self,
        written: &Written,
        mut rule: impl FnMut(&mut Model, &Event) -> Verdict,
    ) -> Verdict {
        for entry in &written.events {
            self.sequence += 1;
            rule(self, &entry.event)
                .map_err(|error| format!("event {}: {error}", self.sequence))?;
        }
        Ok(())
    }

    fn asked(&mut self, kind: u64, written: &Written, wish: &Wish) -> Verdict {
        let command = match wish {
            Wish::Claim(claim) if kind == 2 => return self.claimed(written, claim),
            Wish::Claim(_) => {
                // Grants that nobody took go back.
                demand!(kind == 4, "a claim led to a command of kind {kind}");
                return self.each(written, Model::given_back);
            }
            Wish::Command(command) => command,
        };
        demand!(
            command.code() == kind,
            "asked for {}, logged {kind}",
            command.code()
        );
        let by = &written.record.principal;
        let mut position = 0;
        let count = written.events.len();
        self.each(written, |model, event| {
            position += 1;
            model.fact(command, by, event, position == count)
        })?;
        let (least, most) = match command {
            Command::Submit(_) | Command::SubmitAs(..) => (2, 2),
            Command::Finish(finish) => (1, 1 + finish.checkpoints.len()),
            Command::CancelTask { .. } => (1, 2),
            _ => (1, 1),
        };
        demand!(
            (least..=most).contains(&count),
            "a command of kind {kind} made {count} events"
        );
        Ok(())
    }

    fn fact(&mut self, command: &Command, by: &Text, event: &Event, is_last: bool) -> Verdict {
        match (command, event) {
            (Command::Submit(spec), Event::TaskCreated(fact)) => {
                demand!(
                    fact.task.0 > self.last_id,
                    "the minted id {} does not grow",
                    fact.task
                );
                self.last_id = fact.task.0;
                self.task_created(spec, by, fact)
            }
            (Command::SubmitAs(id, spec), Event::TaskCreated(fact)) => {
                demand!(fact.task == *id, "asked for {id}, made {}", fact.task);
                self.task_created(spec, by, fact)
            }
            (Command::Submit(_) | Command::SubmitAs(..), Event::RunCreated(fact)) => {
                self.run_created(fact)
            }
            (Command::Heartbeat(beat), Event::LeaseExtended(fact)) => {
                demand!(fact.run == beat.run, "another run's lease was extended");
                self.extended(beat.fence, fact)
            }
            (Command::Finish(finish), Event::CheckpointSaved(fact)) if !is_last => {
                let given = finish
                    .checkpoints
                    .iter()
                    .any(|(name, value)| *name == fact.name && *value == fact.value);
                demand!(given, "checkpoint {} was not in the finish", fact.name);
                self.live(finish.run, finish.fence)?;
                self.saved(finish.run, fact)
            }
            (Command::Finish(finish), event) => self.finished(finish, event),
            (Command::Checkpoint(put), Event::CheckpointSaved(fact)) => {
                demand!(
                    put.name == fact.name && put.value == fact.value,
                    "another memo"
                );
                self.live(put.run, put.fence)?;
                self.saved(put.run, fact)
            }
            (Command::CancelRun { run, force, .. }, event) => {
                self.called_off(*run, *force, Cause::Cancel, event)
            }
            (Command::CancelTask { task, .. }, Event::TaskCanceled(fact)) => {
                demand!(fact.task == *task, "another task was canceled");
                let row = self.tasks.get_mut(task).ok_or("a cancel of no task")?;
                demand!(!row.canceled, "task {task} was canceled twice");
                row.canceled = true;
                let run = row.run.ok_or("a task without its run")?;
                let run = self.run(run)?;
                let is_told = run
                    .lease
                    .as_ref()
                    .is_some_and(|lease| lease.cancel.is_some());
                demand!(
                    is_last == (run.state.is_terminal() || is_told),
                    "a canceled task left its run alone"
                );
                Ok(())
            }
            (Command::CancelTask { task, .. }, event) => {
                let run = self.tasks.get(task).and_then(|row| row.run);
                let run = run.ok_or("a task without its run")?;
                self.called_off(run, false, Cause::TaskCancel, event)
            }
            (Command::SuspendRun { run, .. }, Event::RunSuspendRequested(fact)) => {
                demand!(fact.run == *run, "another run");
                let lease = self.run_mut(*run)?.lease.as_mut();
                let lease = lease.ok_or("a suspend of a run that nobody holds")?;
                demand!(!lease.suspend, "suspend was requested twice");
                lease.suspend = true;
                Ok(())
            }
            (Command::ResumeRun { run, payload }, Event::RunResumed(fact)) => {
                demand!(
                    fact.run == *run && fact.payload == *payload,
                    "another resume"
                );
                self.run_mut(*run)?.resume_payload = payload.clone();
                demand!(
                    self.run(*run)?.state == RunState::Suspended,
                    "a resume of a run that is not suspended"
                );
                self.go(*run, RunState::Ready, Cause::Resume)
            }
            (Command::PauseEngine { .. }, Event::EnginePaused(_)) => {
                demand!(!self.paused, "paused twice");
                self.paused = true;
                Ok(())
            }
            (Command::ResumeEngine { .. }, Event::EngineResumed(_)) => {
                demand!(self.paused, "resumed twice");
                self.paused = false;
                Ok(())
            }
            (command, event) => Err(format!("command {} made {event:?}", command.code())),
        }
    }

    fn start(&mut self, written: &Written) -> Verdict {
        self.each(written, |model, event| {
            let Event::EngineStarted(fact) = event else {
                return Err(format!("a start made {event:?}"));
            };
            demand!(
                fact.incarnation > model.incarnation && fact.incarnation == written.incarnation,
                "life {} follows life {}",
                fact.incarnation,
                model.incarnation
            );
            model.incarnation = fact.incarnation;
            let (wall, steady) = (model.wall, model.steady);
            for run in model.runs.values_mut() {
                if let Some(lease) = run.lease.as_mut() {
                    lease.deadline = lease.deadline.map(|at| at + fact.downtime_ms);
                    let fresh_ms = lease.lease_ms.min(LONG_RENEWAL_MS);
                    lease.end = lease.recorded_end.max(steady + fresh_ms);
                    lease.end_wall = lease.recorded_end_wall.max(wall + fresh_ms);
                }
            }
            Ok(())
        })
    }

    fn task_created(
        &mut self,
        spec: &mainstay::TaskSpec,
        by: &Text,
        fact: &fact::TaskCreated,
    ) -> Verdict {
        demand!(
            fact.spec == *spec,
            "the task logged is not the task asked for"
        );
        demand!(fact.by == *by, "made by {} for {by}", fact.by);
        demand!(
            !self.tasks.contains_key(&fact.task),
            "task {} exists",
            fact.task
        );
        let key = spec
            .extras
            .as_ref()
            .and_then(|extras| extras.idempotency_key.clone());
        if let Some(key) = key {
            if let Some(held) = self.keys.get(&key) {
                let is_live = self.tasks[&held.task]
                    .run
                    .is_some_and(|run| !self.runs[&run].state.is_terminal());
                let is_held = is_live || self.wall < held.held_at + KEY_HELD_MS;
                demand!(
                    !is_held,
                    "key {key} made task {} and {}",
                    held.task,
                    fact.task
                );
            }
            let held = super::model::Key {
                task: fact.task,
                spec: spec.clone(),
                held_at: self.wall,
            };
            self.keys.insert(key, held);
        }
        let task = Task {
            spec: spec.clone(),
            run: None,
            canceled: false,
            created_at: self.wall,
            incarnation: self.incarnation,
        };
        self.tasks.insert(fact.task, task);
        Ok(())
    }

    fn run_created(&mut self, fact: &fact::RunCreated) -> Verdict {
        demand!(
            fact.run.0 > self.last_id,
            "the minted id {} does not grow",
            fact.run
        );
        self.last_id = fact.run.0;
        let wall = self.wall;
        let task = self
            .tasks
            .get_mut(&fact.task)
            .ok_or("a run without its task")?;
        demand!(task.run.is_none(), "a second run of task {}", fact.task);
        task.run = Some(fact.run);
        let due = task.spec.run_at.map_or(wall, |at| at.0);
        demand!(
            fact.scheduled_at.0 == due && fact.ready == (due <= wall),
            "run {} is due at {due}",
            fact.run
        );
        let born = if fact.ready {
            RunState::Ready
        } else {
            RunState::Scheduled
        };
        self.order += u64::from(fact.ready);
        let run = Run {
            task: fact.task,
            state: born,
            scheduled_at: due,
            created_at: wall,
            ready_order: self.order,
            attempts: Vec::new(),
            granted: 0,
            failures: 0,
            lost: 0,
            lease: None,
            holds: false,
            retry_due: 0,
            output: None,
            checkpoints: std::collections::BTreeMap::new(),
            resume_payload: None,
            path: vec![(born, self.sequence, Cause::Submit)],
        };
        self.runs.insert(fact.run, run);
        Ok(())
    }

    /// The live lease of a run, if this token is it.
    pub(crate) fn live(&self, run: RunId, fence: Fence) -> Result<&Lease, String> {
        let lease = self.run(run)?.lease.as_ref();
        lease.filter(|lease| lease.fence == fence).ok_or_else(|| {
            format!(
                "token {}.{} of run {run} is not the live one, yet it had an effect",
                fence.incarnation, fence.counter
            )
        })
    }

    fn extended(&mut self, fence: Fence, fact: &fact::LeaseExtended) -> Verdict {
        self.live(fact.run, fence)?;
        let (wall, steady) = (self.wall, self.steady);
        if let Some(lease) = self.run_mut(fact.run)?.lease.as_mut() {
            demand!(
                steady + fact.lease_ms > lease.recorded_end + LONG_RENEWAL_MS,
                "a short renewal became an event"
            );
            lease.recorded_end = steady + fact.lease_ms;
            lease.recorded_end_wall = wall + fact.lease_ms;
            lease.end = lease.end.max(lease.recorded_end);
            lease.end_wall = lease.end_wall.max(lease.recorded_end_wall);
        }
        Ok(())
    }

    fn saved(&mut self, run: RunId, fact: &fact::CheckpointSaved) -> Verdict {
        demand!(fact.run == run, "another run's memo");
        let memos = &mut self.run_mut(run)?.checkpoints;
        let before = memos.insert(fact.name.clone(), fact.value.clone());
        demand!(before.is_none(), "memo {} was saved twice", fact.name);
        Ok(())
    }

    fn finished(&mut self, finish: &Finish, event: &Event) -> Verdict {
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

    fn given_back(&mut self, event: &Event) -> Verdict {
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

    fn called_off(&mut self, id: RunId, force: bool, cause: Cause, event: &Event) -> Verdict {
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
    fn due(&mut self, event: &Event) -> Verdict {
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

    /// What a claim's event does once its order is judged.
    pub(crate) fn started(&mut self, fact: &fact::RunStarted, claim: &mainstay::Claim) -> Verdict {
        let id = fact.run;
        let policy = policy_of(&self.task_of(id)?.spec);
        let timeout_ms = policy.timeout_ms;
        let lease_ms = claim.lease_ms.unwrap_or(policy.lease_ms);
        let fence = Fence {
            incarnation: fact.incarnation,
            counter: fact.counter,
        };
        demand!(fact.worker == claim.worker, "granted to {}", fact.worker);
        demand!(
            fact.incarnation == self.incarnation,
            "a token of another life"
        );
        demand!(
            fact.counter > self.last_counter,
            "token counter {} again",
            fact.counter
        );
        demand!(
            self.fences.insert(fence, id).is_none(),
            "token {fence:?} again"
        );
        self.last_counter = fact.counter;
        let (wall, steady) = (self.wall, self.steady);
        demand!(fact.lease_ms == lease_ms, "a lease of {} ms", fact.lease_ms);
        self.go(id, RunState::Leased, Cause::Claim)?;
        self.go(id, RunState::Running, Cause::Claim)?;
        let run = self.run_mut(id)?;
        demand!(
            fact.number == run.granted + 1,
            "attempt {} again",
            fact.number
        );
        run.granted = fact.number;
        run.lease = Some(Lease {
            fence,
            number: fact.number,
            worker: fact.worker.clone(),
            lease_ms,
            end: steady + lease_ms,
            recorded_end: steady + lease_ms,
            recorded_end_wall: wall + lease_ms,
            end_wall: wall + lease_ms,
            deadline: timeout_ms.map(|ms| steady + ms),
            cancel: None,
            suspend: false,
        });
        Ok(())
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
    Some(match event {
        Event::RunCreated(fact) => fact.run,
        Event::RunReady(fact) => fact.run,
        Event::RunStarted(fact) => fact.run,
        Event::LeaseExtended(fact) => fact.run,
        Event::RunCompleted(fact) => fact.run,
        Event::RunRetryScheduled(fact) => fact.run,
        Event::RunReturned(fact) => fact.run,
        Event::RunFailed(fact) => fact.run,
        Event::RunSuspended(fact) => fact.run,
        Event::RunCanceled(fact) => fact.run,
        Event::RunCancelRequested(fact) => fact.run,
        Event::RunSuspendRequested(fact) => fact.run,
        Event::RunResumed(fact) => fact.run,
        Event::CheckpointSaved(fact) => fact.run,
        Event::TaskCreated(_)
        | Event::TaskCanceled(_)
        | Event::ClaimRecorded(_)
        | Event::EnginePaused(_)
        | Event::EngineResumed(_)
        | Event::EngineStarted(_)
        | Event::ClockAdopted(_) => return None,
    })
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
