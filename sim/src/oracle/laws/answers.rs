//! Answers of a wide world judged: what a client was told must be what the log says at the sequence the answer names.

use mainstay::{
    Answer, ApprovalState, Claim, ClaimGrant, Command, Directive, Explain, Outcome, Query,
    Rejection, RunId, RunState, RunView, Submitted, TaskSpec, TaskState, TaskView,
};

use super::model::Laws;
use crate::oracle::closing::{error_of, result_of};
use crate::oracle::history::Wish;
use crate::oracle::model::{Verdict, demand};
use crate::oracle::replies::Told;

/// Later than any queue's rate holds back what may start next.
const LATER_MS: u64 = 1 << 40;

impl Laws {
    /// Judges one answer; the laws stand at the answer's sequence.
    pub(crate) fn told(&mut self, told: &mut Told<'_>) -> Verdict {
        match (told.wish, told.said) {
            (Wish::Command(command), Ok(outcome)) => {
                self.told_done(command, outcome, told.wrote)?;
                let mark = match outcome {
                    Outcome::SubmittedAll(_) => "batch made whole",
                    Outcome::LedgerAppended { created: false, .. } => {
                        "ledger entry found by its key"
                    }
                    Outcome::ApprovalDecided(ApprovalState::Approved) => "plan approved",
                    _ => return Ok(()),
                };
                told.marks.hit(mark);
                Ok(())
            }
            (_, Err(rejection)) => {
                demand!(
                    !told.wrote,
                    "refused ({rejection}), yet the log holds its events"
                );
                self.told_refused(told.wish, rejection)
            }
            (wish, said) => Err(format!("{wish:?} was answered {said:?}")),
        }
    }

    /// A claim was told at this moment that there is nothing.
    pub(super) fn told_nothing(&mut self, claim: &Claim, wall: u64) -> Verdict {
        let recorded = self.wall;
        self.wall = wall;
        let left = self.passed_over(claim);
        self.wall = recorded;
        let left = left?;
        demand!(
            left.is_none(),
            "a claim was told there is nothing, yet {left:?} could be granted"
        );
        Ok(())
    }

    /// A grant of this tenant as it was told, right after it.
    pub(super) fn told_granted(&self, grant: &ClaimGrant) -> Verdict {
        let run = self.run(grant.run)?;
        demand!(
            run.lease
                .as_ref()
                .is_some_and(|lease| lease.fence == grant.fence),
            "run {} is granted to somebody else",
            grant.run
        );
        let spec = &self.task(run.task)?.spec;
        demand!(
            grant.task == run.task
                && grant.kind == spec.kind
                && grant.queue == spec.queue
                && grant.payload == spec.payload
                && grant.attempt == run.granted,
            "the grant of run {} is not the task's",
            grant.run
        );
        Ok(())
    }

    fn told_done(&self, command: &Command, outcome: &Outcome, wrote: bool) -> Verdict {
        match (command, outcome) {
            (Command::Submit(spec) | Command::SubmitAs(_, spec), Outcome::Submitted(done)) => {
                self.told_submitted(spec, done, wrote)?;
            }
            (Command::Finish(finish), Outcome::Finished(state)) => {
                let run = self.run(finish.run)?;
                let last = run.ended.iter().rev().find(|end| end.fence == finish.fence);
                let last = last.ok_or("an outcome that is not in the log")?;
                demand!(
                    last.reported
                        && last.after == *state
                        && last.result == result_of(finish.outcome)
                        && last.output == finish.output
                        && (last.error == error_of(finish) || last.after == RunState::Completed),
                    "told {}, was {}",
                    state.name(),
                    last.after.name()
                );
            }
            (Command::CancelTask { task, .. }, Outcome::TaskCanceled(answer)) => {
                let is_canceled = self.task(*task)?.canceled;
                demand!(
                    is_canceled || answer.already_terminal,
                    "task {task} is not canceled"
                );
            }
            (Command::CancelRun { run, .. }, Outcome::RunCanceled) => {
                demand!(
                    self.run(*run)?.state == RunState::Canceled,
                    "run {run} is not canceled"
                );
            }
            (Command::Attest(what), outcome) => self.told_attested(what, outcome, wrote)?,
            (Command::SubmitAll(tasks), Outcome::SubmittedAll(told)) => {
                demand!(
                    tasks.len() == told.len(),
                    "{} of {} tasks were told",
                    told.len(),
                    tasks.len()
                );
                for done in told {
                    self.task(done.task)?;
                }
            }
            (Command::BeatActor { actor }, Outcome::ActorBeat(beat)) => {
                let known = self.actors.get(actor);
                let known = known.ok_or("an actor that is gone was answered")?;
                let drains = beat.directive == Directive::Drain;
                demand!(
                    known.draining == drains,
                    "actor {actor} was told {}",
                    beat.directive.name()
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn told_submitted(&self, spec: &TaskSpec, done: &Submitted, wrote: bool) -> Verdict {
        self.task(done.task)?;
        // A request that its unique key answered may hold its own key from then on.
        let holds = |extras: &mainstay::Extras| {
            extras.unique_key.is_some() && extras.idempotency_key.is_some()
        };
        let may_hold = !done.created && spec.extras.as_deref().is_some_and(holds);
        demand!(
            done.created == wrote || may_hold,
            "created is {}, yet it is not so",
            done.created
        );
        for run in done.more.iter().chain([&done.run]) {
            demand!(
                self.run(run.run)?.task == done.task,
                "run {} is another task's",
                run.run
            );
        }
        Ok(())
    }

    fn told_refused(&self, wish: &Wish, rejection: &Rejection) -> Verdict {
        match (rejection, wish) {
            (Rejection::UnknownRun { run }, _) => {
                let known = self.runs.get(run);
                let gone = known.is_none_or(|run| run.may_be_gone);
                demand!(gone, "run {run} is not known any more");
            }
            (Rejection::UnknownTask { task }, _) => demand!(
                !self.tasks.contains_key(task) || self.may_be_gone(*task),
                "task {task} is not known any more"
            ),
            (Rejection::UnknownActor { actor }, _) => demand!(
                !self.actors.contains_key(actor),
                "actor {actor} is not known any more"
            ),
            (rejection, Wish::Command(Command::Attest(what))) => {
                self.refused_attested(what, rejection)?;
            }
            (Rejection::LeaseLost { run }, Wish::Command(Command::Finish(finish))) => {
                let live = self.runs.get(run).and_then(|run| run.lease.as_ref());
                demand!(
                    live.is_none_or(|lease| lease.fence != finish.fence),
                    "the live token of run {run} was refused"
                );
            }
            _ => {}
        }
        Ok(())
    }

    /// Judges one look.
    pub(crate) fn seen(&self, query: &Query, answer: &Answer) -> Verdict {
        match (query, answer) {
            (Query::Run(id), Answer::Absent) => {
                let known = self.runs.get(id);
                demand!(
                    known.is_none_or(|run| run.may_be_gone),
                    "run {id} is not shown"
                );
            }
            (Query::Task(id), Answer::Absent) => demand!(
                !self.tasks.contains_key(id) || self.may_be_gone(*id),
                "task {id} is not shown"
            ),
            (Query::Run(_), Answer::Run(view)) => self.seen_run(view)?,
            (Query::Task(_), Answer::Task(view)) => self.seen_task(view)?,
            (Query::Explain(id), Answer::Explain(explain)) => self.seen_explain(*id, explain)?,
            _ => {}
        }
        Ok(())
    }

    fn seen_run(&self, view: &RunView) -> Verdict {
        let run = self.run(view.id)?;
        let fenced = self.is_fenced(run.task)? && view.state == RunState::Canceled;
        demand!(
            view.state == run.state || fenced,
            "run {} was shown {}, the log says {}",
            view.id,
            view.state.name(),
            run.state.name()
        );
        demand!(
            view.attempt_count == run.granted && view.output == run.output,
            "run {} was shown otherwise",
            view.id
        );
        Ok(())
    }

    fn seen_task(&self, view: &TaskView) -> Verdict {
        let state = self.state(view.id)?;
        let fenced = self.is_fenced(view.id)? && view.state == TaskState::Canceled;
        demand!(
            view.state == state || fenced,
            "task {} was shown {}, the log says {}",
            view.id,
            view.state.name(),
            state.name()
        );
        let task = self.task(view.id)?;
        let runs = task.runs.len();
        demand!(
            view.kind == task.spec.kind
                && view.queue == task.spec.queue
                && view.payload == task.spec.payload,
            "task {} was shown otherwise",
            view.id
        );
        demand!(
            view.runs_total as usize == runs,
            "task {} was shown with {} runs of {runs}",
            view.id,
            view.runs_total
        );
        Ok(())
    }

    fn seen_explain(&self, id: RunId, explain: &Explain) -> Verdict {
        let run = self.run(id)?;
        demand!(
            explain.runnable || !explain.reasons.is_empty(),
            "run {id} does not run for no reason"
        );
        if explain.runnable {
            // A rate may have opened since the last event; nothing else has changed for the better.
            let why = self.held_back_at(id, self.wall, self.steady + LATER_MS)?;
            demand!(
                why.is_none(),
                "run {id} is called runnable: {}",
                why.unwrap_or_default()
            );
        } else if run.state == RunState::Ready {
            self.is_blocked(id, explain)?;
        }
        Ok(())
    }

    /// A ready run that is called held back is held back, or others before it take what is left.
    fn is_blocked(&self, id: RunId, explain: &Explain) -> Verdict {
        let mut details = explain.reasons.iter().flat_map(|block| &block.details);
        let in_line = details.any(|(name, ..)| *name == "ahead");
        let queue = &self.task(self.run(id)?.task)?.spec.queue;
        let owes = self
            .queues
            .get(queue)
            .is_some_and(|queue| queue.may_owe(self.steady));
        // It may have expired since the last event.
        let why = self.held_back_at(id, u64::MAX, self.steady)?;
        demand!(
            in_line || owes || why.is_some(),
            "run {id} is called held back by {:?}, and nothing holds it back",
            explain.reasons
        );
        Ok(())
    }
}
