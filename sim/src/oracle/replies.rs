//! Answers judged: what a client was told must be what the log says at the sequence the answer names.

use mainstay::{
    Beat, Command, Directive, Finish, Now, Outcome, Rejection, RunState, Submitted, TaskCancel,
    TaskId, TaskSpec,
};

use super::closing::{error_of, result_of};
use super::history::Wish;
use super::model::{LONG_RENEWAL_MS, Model, Verdict, demand};
use crate::marks::Marks;

/// One decided answer with what it answers.
pub(crate) struct Told<'a> {
    pub(crate) wish: &'a Wish,
    pub(crate) said: &'a Result<Outcome, Rejection>,
    /// Whether the log holds events of this request at this very place.
    pub(crate) wrote: bool,
    /// When it was decided, if that is known.
    pub(crate) now: Option<Now>,
    /// Whether an empty claim may be due to draining.
    pub(crate) draining: bool,
    /// Whether the request was asked in a later life than the one that did it.
    pub(crate) marks: &'a mut Marks,
}

impl Model {
    /// Judges one answer against the model, which stands at the answer's sequence.
    pub(crate) fn told(&mut self, told: &mut Told<'_>) -> Verdict {
        match (told.wish, told.said) {
            (Wish::Claim(claim), Ok(Outcome::Claimed(grants))) => {
                self.told_claimed(claim, grants, told)
            }
            (Wish::Claim(claim), Err(Rejection::IdempotencyConflict { key })) => {
                let held = self
                    .claim_keys
                    .get(key)
                    .is_some_and(|held| held.claim != *claim);
                demand!(held, "claim key {key} was refused");
                Ok(())
            }
            (Wish::Command(command), Ok(outcome)) => self.told_done(command, outcome, told),
            (Wish::Command(command), Err(rejection)) => {
                demand!(
                    !told.wrote,
                    "refused ({rejection}), yet the log holds its events"
                );
                self.told_refused(command, rejection, told.marks)
            }
            (wish, said) => Err(format!("{wish:?} was answered {said:?}")),
        }
    }

    fn told_claimed(
        &mut self,
        claim: &mainstay::Claim,
        grants: &[mainstay::ClaimGrant],
        told: &mut Told<'_>,
    ) -> Verdict {
        if grants.is_empty() && !told.draining {
            let repeats = claim
                .idempotency_key
                .as_ref()
                .is_some_and(|key| self.claim_keys.contains_key(key));
            let next = self.first_for(claim, told.now.map_or(u64::MAX, |now| now.wall.0))?;
            demand!(
                repeats || next.is_none(),
                "a claim was told there is nothing, yet {next:?} is ready"
            );
            if !repeats && !self.paused && !self.ready_for(claim)?.is_empty() {
                told.marks.hit("claim found a key busy");
            }
        }
        if !grants.is_empty() && !told.wrote {
            let key = claim.idempotency_key.as_ref();
            let held = key.and_then(|key| self.claim_keys.get(key));
            let held = held.ok_or("grants that the log does not hold")?;
            demand!(held.claim == *claim, "another claim's grants");
            let known =
                |grant: &mainstay::ClaimGrant| held.grants.contains(&(grant.run, grant.fence));
            demand!(grants.iter().all(known), "a repeated claim made new grants");
            told.marks.hit("claim repeated by key");
        }
        for grant in grants {
            self.granted(grant, told.wrote)?;
        }
        Ok(())
    }

    fn told_done(&mut self, command: &Command, outcome: &Outcome, told: &mut Told<'_>) -> Verdict {
        match (command, outcome) {
            (Command::Submit(spec), Outcome::Submitted(done)) => {
                self.told_submitted(None, spec, done, told)
            }
            (Command::SubmitAs(id, spec), Outcome::Submitted(done)) => {
                self.told_submitted(Some(*id), spec, done, told)
            }
            (Command::Heartbeat(beat), Outcome::Beat(answer)) => self.told_beat(beat, answer, told),
            (Command::Finish(finish), Outcome::Finished(state)) => {
                self.told_finished(finish, *state, told)
            }
            (Command::Checkpoint(put), Outcome::CheckpointSaved) => {
                self.live(put.run, put.fence)?;
                let saved = self.run(put.run)?.checkpoints.get(&put.name);
                demand!(
                    saved == Some(&put.value),
                    "memo {} is not in the log",
                    put.name
                );
                Ok(())
            }
            (Command::CancelRun { run, .. }, outcome) => self.told_canceled(*run, outcome, told),
            (Command::CancelTask { task, .. }, Outcome::TaskCanceled(answer)) => {
                self.told_task_canceled(*task, answer, told)
            }
            (Command::SuspendRun { run, .. }, Outcome::RunSuspendRequested) => {
                let asked = self
                    .run(*run)?
                    .lease
                    .as_ref()
                    .is_some_and(|lease| lease.suspend);
                demand!(asked, "no suspend of run {run} is in the log");
                Ok(())
            }
            (Command::ResumeRun { run, .. }, Outcome::RunResumed) => {
                demand!(told.wrote, "no resume of run {run} is in the log");
                Ok(())
            }
            (Command::PauseEngine { .. }, Outcome::EnginePaused)
            | (Command::ResumeEngine { .. }, Outcome::EngineResumed) => {
                demand!(told.wrote, "no {outcome:?} is in the log");
                Ok(())
            }
            (command, outcome) => Err(format!(
                "command {} was answered {outcome:?}",
                command.code()
            )),
        }
    }

    fn told_submitted(
        &self,
        id: Option<TaskId>,
        spec: &TaskSpec,
        done: &Submitted,
        told: &mut Told<'_>,
    ) -> Verdict {
        let task = self.tasks.get(&done.task);
        let task = task.ok_or_else(|| format!("task {} is not in the log", done.task))?;
        demand!(
            id.is_none_or(|id| id == done.task),
            "another id than asked for"
        );
        demand!(
            task.run == Some(done.run.run),
            "another run of task {}",
            done.task
        );
        let run = self.run(done.run.run)?;
        demand!(
            run.state == done.run.state && run.scheduled_at == done.run.scheduled_at.0,
            "run {} is {} since",
            done.run.run,
            run.state.name()
        );
        demand!(
            done.created == told.wrote,
            "created is {}, yet it is not so",
            done.created
        );
        if !done.created {
            let key = spec
                .extras
                .as_ref()
                .and_then(|extras| extras.idempotency_key.as_ref());
            let held = key
                .and_then(|key| self.keys.get(key))
                .ok_or("found without a key")?;
            demand!(
                held.task == done.task && same(&held.spec, spec),
                "another task found"
            );
            if task.incarnation < self.incarnation {
                told.marks.hit("idempotency key repeated after restart");
            }
        }
        Ok(())
    }

    fn told_beat(
        &mut self,
        beat: &mainstay::HeartbeatItem,
        answer: &Beat,
        told: &mut Told<'_>,
    ) -> Verdict {
        let lease = self.live(beat.run, beat.fence)?;
        let directive = match lease {
            lease if lease.cancel.is_some() => Directive::Cancel,
            lease if lease.suspend => Directive::Suspend,
            _ => Directive::Continue,
        };
        demand!(
            answer.directive == directive,
            "told to {}",
            answer.directive.name()
        );
        let lease_ms = beat.lease_ms.unwrap_or(lease.lease_ms);
        let Some(now) = told.now else { return Ok(()) };
        // Heartbeats whose answers got lost may have granted more than is known here; never less.
        let until = (now.wall.0 + lease_ms).max(lease.end_wall);
        demand!(
            answer.expires_at.0 >= until,
            "a lease until {} only",
            answer.expires_at.0
        );
        let end = now.steady.0 + lease_ms;
        demand!(
            told.wrote || end <= lease.recorded_end + LONG_RENEWAL_MS,
            "a long renewal is not in the log"
        );
        if let Some(lease) = self.run_mut(beat.run)?.lease.as_mut() {
            lease.end = end.max(lease.end);
            lease.end_wall = answer.expires_at.0;
        }
        Ok(())
    }

    fn told_finished(&self, finish: &Finish, state: RunState, told: &mut Told<'_>) -> Verdict {
        let run = self.run(finish.run)?;
        let last = run
            .attempts
            .last()
            .filter(|last| last.fence == finish.fence);
        let last = last.ok_or("an outcome that is not in the log")?;
        let repeats = last.reported
            && last.result == result_of(finish.outcome)
            && last.output == finish.output
            && (last.error == error_of(finish) || last.after == RunState::Completed);
        demand!(repeats, "told that another outcome was accepted");
        demand!(
            last.after == state,
            "told {}, was {}",
            state.name(),
            last.after.name()
        );
        if !told.wrote {
            told.marks.hit("finish repeated, same answer");
        }
        Ok(())
    }

    fn told_canceled(
        &self,
        id: mainstay::RunId,
        outcome: &Outcome,
        told: &mut Told<'_>,
    ) -> Verdict {
        let run = self.run(id)?;
        let waits = run
            .lease
            .as_ref()
            .is_some_and(|lease| lease.cancel.is_some());
        let right = match outcome {
            Outcome::RunCanceled => told.wrote && run.state == RunState::Canceled,
            Outcome::RunCancelRequested => waits,
            Outcome::RunAlreadyCanceled => !told.wrote && run.state == RunState::Canceled,
            Outcome::RunAlreadyTerminal => {
                told.marks.hit("finish before cancel");
                !told.wrote && matches!(run.state, RunState::Completed | RunState::Failed)
            }
            _ => false,
        };
        demand!(
            right,
            "a cancel of a {} run was answered {outcome:?}",
            run.state.name()
        );
        Ok(())
    }

    fn told_task_canceled(&self, id: TaskId, answer: &TaskCancel, told: &mut Told<'_>) -> Verdict {
        let task = self.tasks.get(&id).ok_or("a cancel of no task")?;
        let run = self.run(task.run.ok_or("a task without its run")?)?;
        if told.wrote {
            let canceled = run.state == RunState::Canceled;
            demand!(
                task.canceled
                    && answer.runs_canceled == u32::from(canceled)
                    && answer.runs_cancel_requested == u32::from(!canceled),
                "a task's cancel was answered {answer:?}"
            );
        } else {
            demand!(
                answer.already_canceled == task.canceled
                    && answer.already_terminal == (!task.canceled && run.state.is_terminal()),
                "a task's repeated cancel was answered {answer:?}"
            );
            demand!(
                task.canceled || run.state.is_terminal(),
                "a cancel was not done"
            );
        }
        Ok(())
    }

    fn told_refused(&self, command: &Command, rejection: &Rejection, marks: &mut Marks) -> Verdict {
        let right = match rejection {
            Rejection::LeaseLost { run } => return self.told_lease_lost(*run, command, marks),
            Rejection::AlreadyFinished { run, state } => {
                let Command::Finish(finish) = command else {
                    return Err(String::from("only a finish can be finished already"));
                };
                marks.hit("finish with another outcome refused");
                let row = self.run(*run)?;
                let last = row.attempts.last();
                last.is_some_and(|last| {
                    last.fence == finish.fence
                        && last.reported
                        && (last.result != result_of(finish.outcome)
                            || last.output != finish.output
                            || last.error != error_of(finish))
                }) && row.state == *state
            }
            Rejection::UnknownRun { run } => self.is_gone(*run),
            Rejection::UnknownTask { task } => {
                !self.tasks.contains_key(task) || self.may_be_gone(*task)
            }
            Rejection::TaskAlreadyExists { task } => self.tasks.contains_key(task),
            Rejection::IdempotencyConflict { key } => {
                marks.hit("idempotency key with another request refused");
                let held = self.keys.get(key);
                held.is_some_and(|held| match command {
                    Command::Submit(spec) => !same(&held.spec, spec),
                    Command::SubmitAs(id, spec) => *id != held.task || !same(&held.spec, spec),
                    _ => false,
                })
            }
            Rejection::RunSuspendRequiresRunning { state } => {
                let Command::SuspendRun { run, .. } = command else {
                    return Err(String::from("not a suspend"));
                };
                let run = self.run(*run)?;
                run.state == *state && run.lease.is_none()
            }
            Rejection::RunResumeRequiresSuspended { state } => {
                let Command::ResumeRun { run, .. } = command else {
                    return Err(String::from("not a resume"));
                };
                self.run(*run)?.state == *state && *state != RunState::Suspended
            }
            Rejection::CheckpointConflict { name } => self.told_conflict(name, command)?,
            Rejection::EngineAlreadyPaused => self.paused,
            Rejection::EngineNotPaused => !self.paused,
            Rejection::PreviousStateMismatch { expected, actual } => expected != actual,
            Rejection::NonMonotonicSequence { expected, provided } => {
                *expected == self.sequence && provided != expected
            }
            Rejection::LimitExceeded { .. } | Rejection::InvalidTask { .. } => {
                is_beyond_limits(command)
            }
            _ => false,
        };
        demand!(
            right,
            "command {} was refused without reason: {rejection}",
            command.code()
        );
        Ok(())
    }

    fn told_conflict(&self, name: &mainstay::Text, command: &Command) -> Result<bool, String> {
        Ok(match command {
            Command::Checkpoint(put) => {
                let known = self.run(put.run)?.checkpoints.get(name);
                known.is_some_and(|known| *known != put.value)
            }
            Command::Finish(finish) => {
                let memos = &self.run(finish.run)?.checkpoints;
                finish
                    .checkpoints
                    .iter()
                    .any(|(name, value)| memos.get(name).is_some_and(|known| known != value))
            }
            _ => false,
        })
    }

    fn told_lease_lost(
        &self,
        id: mainstay::RunId,
        command: &Command,
        marks: &mut Marks,
    ) -> Verdict {
        let fence = match command {
            Command::Heartbeat(beat) => {
                marks.hit("zombie heartbeat rejected");
                beat.fence
            }
            Command::Checkpoint(put) => put.fence,
            Command::Finish(finish) => {
                marks.hit("zombie finish rejected");
                let last = self.run(id)?.attempts.last();
                let repeats = last.is_some_and(|last| last.reported && last.fence == finish.fence);
                demand!(
                    !repeats,
                    "a repeated finish of run {id} was told that its lease is lost"
                );
                finish.fence
            }
            other => return Err(format!("command {} has no lease", other.code())),
        };
        let live = self
            .run(id)?
            .lease
            .as_ref()
            .is_some_and(|lease| lease.fence == fence);
        demand!(!live, "the live lease of run {id} was called lost");
        Ok(())
    }
}

/// Whether somebody asked for something that no state allows.
fn is_beyond_limits(command: &Command) -> bool {
    match command {
        Command::Heartbeat(beat) => beat.progress.as_ref().is_some_and(|note| note.len() > 4096),
        Command::Submit(spec) | Command::SubmitAs(_, spec) => {
            super::model::policy_of(spec).max_attempts == 0
        }
        _ => false,
    }
}

/// Whether two submits are the same request: without key and traceparent.
fn same(one: &TaskSpec, other: &TaskSpec) -> bool {
    let plain = |spec: &TaskSpec| {
        let mut spec = spec.clone();
        spec.policy_mut();
        let extras = spec.extras_mut();
        extras.idempotency_key = None;
        extras.traceparent = None;
        spec
    };
    plain(one) == plain(other)
}
