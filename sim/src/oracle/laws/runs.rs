//! The laws of runs: every edge they take, every attempt that ends.

use mainstay::events as fact;
use mainstay::{
    AttemptResult, Bytes, Event, Fence, Hold, Origin, RunError, RunId, RunState, Schedule,
};

use super::model::{Ended, Laws, Lease, Run};
use crate::oracle::history::Wish;
use crate::oracle::model::{Verdict, demand};

impl Laws {
    fn run_created(&mut self, fact: &fact::RunCreated) -> Verdict {
        let wall = self.wall;
        let task = self.task_mut(fact.task)?;
        demand!(!task.canceled, "a run of a canceled task");
        let made = task.runs.len() as u64;
        if fact.origin == Origin::Policy {
            match task.spec.schedule.as_deref() {
                None => demand!(made == 0, "a second run of task {}", fact.task),
                Some(Schedule::Repeat(repeat)) => {
                    let start = repeat.start_at.map_or(task.created_at, |at| at.0);
                    let due = start + made * repeat.interval_ms;
                    demand!(
                        made < u64::from(repeat.count) && fact.scheduled_at.0 == due,
                        "run {made} of a repeat is due at {}, not at {due}",
                        fact.scheduled_at.0
                    );
                }
                Some(Schedule::Cron(cron)) => {
                    let instant = fact.occurrence.map_or(fact.scheduled_at.0, |at| at.0);
                    demand!(task.instants.insert(instant), "instant {instant} ran twice");
                    task.occurrences += 1;
                    let most = cron.max_occurrences.unwrap_or(u64::MAX);
                    demand!(task.occurrences <= most, "more occurrences than {most}");
                    demand!(
                        (instant..=instant + cron.jitter_ms).contains(&fact.scheduled_at.0),
                        "a jitter beyond its bound"
                    );
                }
            }
        }
        task.runs.push(fact.run);
        if let Some(instant) = fact.occurrence {
            self.stands_for(fact.task, instant.0, None)?;
        }
        let task = self.task(fact.task)?;
        let blocked = !task.unmet.is_empty();
        demand!(
            !fact.ready || (!blocked && fact.scheduled_at.0 <= wall),
            "run {} is ready too early",
            fact.run
        );
        demand!(
            fact.run.0 > self.last_id || fact.origin == Origin::AdHoc,
            "an id that does not grow"
        );
        self.last_id = self.last_id.max(fact.run.0);
        let state = if fact.ready {
            RunState::Ready
        } else {
            RunState::Scheduled
        };
        self.order += u64::from(fact.ready);
        let run = Run {
            task: fact.task,
            state,
            scheduled_at: fact.scheduled_at.0,
            instant: fact.occurrence.map(|at| at.0),
            ready_order: self.order,
            granted: 0,
            lease: None,
            holds_key: false,
            hold: Hold::default(),
            ended: Vec::new(),
            output: None,
            may_be_gone: false,
        };
        let before = self.runs.insert(fact.run, run);
        demand!(before.is_none(), "run {} again", fact.run);
        Ok(())
    }

    fn ready(&mut self, id: RunId) -> Verdict {
        let run = self.run(id)?;
        let task = self.task(run.task)?;
        if run.state == RunState::Scheduled {
            demand!(
                task.unmet.is_empty(),
                "run {id} is ready before its prerequisites are completed"
            );
            demand!(
                run.scheduled_at <= self.wall,
                "run {id} is ready before its time"
            );
        }
        self.go(id, RunState::Ready)
    }

    /// Events that move runs.
    pub(super) fn moved(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::RunCreated(fact) => self.run_created(fact),
            Event::RunReady(fact) => self.ready(fact.run),
            Event::RunRescheduled(fact) => {
                let run = self.run_mut(fact.run)?;
                demand!(
                    run.state == RunState::Scheduled,
                    "a started run was rescheduled"
                );
                run.scheduled_at = fact.scheduled_at.0;
                let (task, before) = (run.task, run.instant);
                if let Some(instant) = fact.occurrence {
                    run.instant = Some(instant.0);
                    let instants = &mut self.task_mut(task)?.instants;
                    if let Some(before) = before {
                        instants.remove(&before);
                    }
                    let is_new = instants.insert(instant.0);
                    demand!(is_new, "instant {} ran twice", instant.0);
                    self.stands_for(task, instant.0, before)?;
                    let task = self.task_mut(task)?;
                    task.occurrences += u64::from(fact.cause == mainstay::Cause::Schedule);
                }
                Ok(())
            }
            Event::ScheduleChanged(fact) => {
                let wall = self.wall;
                let task = self.task_mut(fact.task)?;
                task.ledger.turn_over(wall);
                // Another calendar counts anew: the run that is moved to its first instant, or made for it, is the first.
                task.spec.schedule.clone_from(&fact.schedule);
                task.occurrences = 0;
                task.schedule_ended = false;
                Ok(())
            }
            Event::OccurrencesSkipped(fact) => {
                let task = self.task_mut(fact.task)?;
                task.occurrences += fact.count;
                task.ledger.skipped += fact.count;
                task.ledger.through = task.ledger.through.max(fact.through.0);
                Ok(())
            }
            Event::SchedulePaused(fact) => {
                self.task_mut(fact.task)?.schedule_paused = true;
                Ok(())
            }
            Event::ScheduleResumed(fact) => {
                self.task_mut(fact.task)?.schedule_paused = false;
                Ok(())
            }
            Event::ScheduleEnded(fact) => {
                self.task_mut(fact.task)?.schedule_ended = true;
                Ok(())
            }
            other => self.granted(other, wish),
        }
    }

    /// Events of grants: by a claim, or step by step.
    fn granted(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::RunStarted(fact) => {
                if let Some(Wish::Claim(claim)) = wish {
                    self.chosen(fact.run, claim)?;
                }
                let fence = Fence {
                    incarnation: fact.incarnation,
                    counter: fact.counter,
                };
                self.taken(fact.run, fence, false)?;
                self.taken_by(fact.run, fact.actor)?;
                let run = self.run_mut(fact.run)?;
                demand!(
                    fact.number == run.granted + 1,
                    "attempt {} again",
                    fact.number
                );
                run.granted = fact.number;
                self.go(fact.run, RunState::Running)
            }
            Event::LeaseAcquired(fact) => {
                let fence = Fence {
                    incarnation: fact.incarnation,
                    counter: fact.counter,
                };
                self.taken(fact.run, fence, true)
            }
            Event::RunBegan(fact) => self.go(fact.run, RunState::Running),
            Event::AttemptStarted(fact) => {
                let run = self.run_mut(fact.run)?;
                let lease = run.lease.as_mut().ok_or("an attempt without a lease")?;
                demand!(lease.idle, "an attempt began twice");
                lease.idle = false;
                demand!(
                    fact.number == run.granted + 1,
                    "attempt {} again",
                    fact.number
                );
                run.granted = fact.number;
                Ok(())
            }
            Event::LeaseEnded(fact) => {
                self.run_mut(fact.run)?.lease = None;
                self.go(fact.run, RunState::Ready)
            }
            other => self.ended(other, wish),
        }
    }

    /// Events that end an attempt or a run, and those that change neither.
    fn ended(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::RunCompleted(fact) => {
                let output = fact.output.clone();
                self.run_mut(fact.run)?.output.clone_from(&output);
                let result = AttemptResult::Success;
                self.close(fact.run, result, output, None, &[RunState::Completed])
            }
            Event::RunRetryScheduled(fact) => self.close(
                fact.run,
                fact.result,
                fact.output.clone(),
                fact.error.as_deref().cloned(),
                &[RunState::RetryWait],
            ),
            Event::RunReturned(fact) => self.close(
                fact.run,
                fact.result,
                fact.output.clone(),
                fact.error.as_deref().cloned(),
                &[RunState::RetryWait, RunState::Ready],
            ),
            Event::RunFailed(fact) => self.close(
                fact.run,
                fact.result,
                fact.output.clone(),
                fact.error.as_deref().cloned(),
                &[RunState::Failed],
            ),
            Event::RunSuspended(fact) => self.suspended(fact),
            Event::RunCanceled(fact) => match fact.result {
                Some(result) => self.close(
                    fact.run,
                    result,
                    fact.output.clone(),
                    fact.error.as_deref().cloned(),
                    &[RunState::Canceled],
                ),
                None => {
                    self.run_mut(fact.run)?.lease = None;
                    self.go(fact.run, RunState::Canceled)
                }
            },
            Event::RunTransitioned(fact) => {
                let run = self.run_mut(fact.run)?;
                run.lease = None;
                run.hold = Hold::default();
                self.go(fact.run, fact.to)
            }
            Event::RunResumed(fact) => {
                self.may_go_on(fact, wish)?;
                self.go(fact.run, RunState::Ready)
            }
            Event::RunCancelRequested(fact) => {
                let lease = self.run_mut(fact.run)?.lease.as_mut();
                let lease = lease.ok_or("a request to nobody")?;
                demand!(!lease.cancel, "a cancel was requested twice");
                lease.cancel = true;
                Ok(())
            }
            Event::LeaseExtended(fact) => self.held(fact.run),
            Event::RunSuspendRequested(fact) => self.held(fact.run),
            Event::CheckpointSaved(fact) => self.held(fact.run),
            _ => Ok(()),
        }
    }

    fn suspended(&mut self, fact: &fact::RunSuspended) -> Verdict {
        self.run_mut(fact.run)?.hold = fact.hold;
        self.close(
            fact.run,
            fact.result,
            fact.output.clone(),
            fact.error.as_deref().cloned(),
            &[RunState::Suspended],
        )
    }

    fn held(&self, run: RunId) -> Verdict {
        demand!(
            self.run(run)?.lease.is_some(),
            "run {run} is held by nobody"
        );
        Ok(())
    }

    fn close(
        &mut self,
        id: RunId,
        result: AttemptResult,
        output: Option<Bytes>,
        error: Option<RunError>,
        path: &[RunState],
    ) -> Verdict {
        let run = self.run_mut(id)?;
        let lease: Lease = run
            .lease
            .take()
            .ok_or_else(|| format!("run {id} is held by nobody"))?;
        let reported = !matches!(result, AttemptResult::Timeout | AttemptResult::LeaseExpired);
        run.ended.push(Ended {
            fence: lease.fence,
            result,
            output,
            error,
            reported,
            after: path.last().copied().unwrap_or_default(),
        });
        path.iter().try_for_each(|to| self.go(id, *to))
    }
}
