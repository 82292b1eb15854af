//! The laws of single events: whatever command made them, they must fit what was before.

use mainstay::events as fact;
use mainstay::{
    AttemptResult, Bytes, Command, Event, Fence, Filter, Origin, RunError, RunId, RunState,
    Schedule, SubscriptionId, TaskId, TaskState,
};

use super::model::{Ended, Heard, Laws, Lease, Purse, Run, Subscription, Task};
use crate::oracle::history::Wish;
use crate::oracle::image::Written;
use crate::oracle::model::{Verdict, demand};

impl Laws {
    /// Judges one command of the log and moves over it.
    pub(crate) fn command(&mut self, written: &Written, wish: Option<&Wish>) -> Verdict {
        demand!(
            written.first_sequence == self.sequence + 1,
            "event {} follows event {}",
            written.first_sequence,
            self.sequence
        );
        demand!(
            written.wall >= self.wall && written.steady >= self.steady,
            "time ran backwards"
        );
        (self.wall, self.steady) = (written.wall, written.steady);
        if let (Some(Wish::Command(command)), kind) = (wish, written.record.kind) {
            demand!(
                command.code() == kind,
                "asked for {}, logged {kind}",
                command.code()
            );
        }
        self.heard.clear();
        if let Some(Wish::Command(Command::TriggerSubscription { subscription })) = wish {
            self.heard.push(Heard::ByHand(*subscription));
        }
        for entry in &written.events {
            self.sequence += 1;
            self.event(&entry.event, wish)
                .map_err(|error| format!("event {}: {error}", self.sequence))?;
        }
        self.settled()
    }

    /// What must hold between two commands.
    fn settled(&self) -> Verdict {
        for (id, run) in &self.runs {
            demand!(
                run.state.is_held() == run.lease.is_some(),
                "run {id}: its lease and its state disagree"
            );
        }
        Ok(())
    }

    fn event(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::TaskCreated(fact) => self.task_created(fact, wish),
            Event::TaskCanceled(fact) => self.task_canceled(fact),
            Event::TaskUpdated(fact) => self.task_updated(fact),
            Event::DependenciesDeclared(fact) => {
                for met in &fact.met {
                    demand!(
                        self.state(*met)? == TaskState::Completed || self.may_be_gone(*met),
                        "task {met} counts as completed and is not"
                    );
                }
                let task = self.task_mut(fact.task)?;
                task.unmet.extend(fact.unmet.iter().copied());
                Ok(())
            }
            Event::DependencySatisfied(fact) => {
                demand!(
                    self.state(fact.prerequisite)? == TaskState::Completed,
                    "task {} is not completed",
                    fact.prerequisite
                );
                let task = self.task_mut(fact.task)?;
                demand!(
                    task.unmet.remove(&fact.prerequisite),
                    "task {} did not wait for {}",
                    fact.task,
                    fact.prerequisite
                );
                Ok(())
            }
            Event::EnginePaused(_) => {
                self.paused = true;
                Ok(())
            }
            Event::EngineResumed(_) => {
                self.paused = false;
                Ok(())
            }
            Event::EngineStarted(fact) => {
                demand!(fact.incarnation > self.incarnation, "a life again");
                self.incarnation = fact.incarnation;
                Ok(())
            }
            Event::SubscriptionCreated(fact) => {
                let new = Subscription {
                    task: fact.task,
                    filter: (*fact.filter).clone(),
                    canceled: false,
                };
                let before = self.subscriptions.insert(fact.subscription, new);
                // A subscription goes with its task.
                let task = before.map(|before| before.task);
                let is_over = task.map(|task| self.state(task)).transpose()?;
                demand!(
                    is_over.is_none_or(mainstay::TaskState::is_terminal),
                    "a subscription twice"
                );
                Ok(())
            }
            Event::SubscriptionCanceled(fact) => {
                let known = self.subscriptions.get_mut(&fact.subscription);
                let known = known.ok_or("a subscription that is not there")?;
                demand!(!known.canceled, "a subscription canceled twice");
                known.canceled = true;
                Ok(())
            }
            Event::SubscriptionTriggered(fact) => {
                let known = self.subscriptions.get(&fact.subscription);
                let known = known.ok_or("a subscription that is not there")?;
                demand!(!known.canceled, "a canceled subscription was triggered");
                demand!(
                    self.was_heard(fact.subscription, &known.filter)?,
                    "a subscription was triggered by nothing"
                );
                if let Some(run) = fact.run {
                    demand!(
                        self.run(run)?.task == known.task,
                        "another task's run was released"
                    );
                }
                Ok(())
            }
            Event::CustomEventPublished(fact) => {
                self.heard.push(Heard::Event(fact.key.clone()));
                Ok(())
            }
            other => self.spent(other, wish),
        }
    }

    /// Whether what a subscription waits for happened in this command.
    fn was_heard(&self, id: SubscriptionId, filter: &Filter) -> Result<bool, String> {
        if self.heard.contains(&Heard::ByHand(id)) {
            return Ok(true);
        }
        Ok(match filter {
            Filter::TaskCompleted(task) => self.state(*task)? == TaskState::Completed,
            Filter::RunStateChanged(task, state) => {
                self.heard.contains(&Heard::Moved(*task, *state))
            }
            Filter::BudgetThreshold(task, dimension, percent) => {
                let purse = self.task(*task)?.purses.get(dimension);
                purse.is_some_and(|purse| {
                    u128::from(purse.consumed) * 100
                        >= u128::from(purse.limit) * u128::from(*percent)
                })
            }
            Filter::Custom(key) => self.heard.contains(&Heard::Event(key.clone())),
        })
    }

    /// Events about budgets and queues.
    fn spent(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::BudgetAllocated(fact) => {
                let purse = self.purse(fact.task, &fact.dimension)?;
                purse.limit = fact.limit;
                purse.reserve = fact.reserve.unwrap_or(purse.reserve);
                Ok(())
            }
            Event::BudgetReplenished(fact) => {
                let purse = self.purse(fact.task, &fact.dimension)?;
                purse.limit = fact.limit;
                purse.consumed = 0;
                purse.said = false;
                Ok(())
            }
            Event::BudgetConsumed(fact) => {
                let task = match fact.run {
                    Some(run) => Some(self.run(run)?.task),
                    None => fact.task,
                };
                for item in &fact.items {
                    if let Some(purse) = self.known_purse(task, &item.dimension) {
                        purse.consumed = purse.consumed.saturating_add(item.amount);
                    }
                    // What a run used is its tenant's use too; what is noted by hand is that budget's alone.
                    if fact.run.is_some()
                        && let Some(purse) = self.known_purse(None, &item.dimension)
                    {
                        purse.consumed = purse.consumed.saturating_add(item.amount);
                    }
                }
                Ok(())
            }
            Event::BudgetExhausted(fact) => {
                let purse = self.purse(fact.task, &fact.dimension)?;
                demand!(
                    purse.consumed >= purse.limit,
                    "a budget with room is exhausted"
                );
                demand!(!purse.said, "a budget is exhausted twice in one period");
                purse.said = true;
                Ok(())
            }
            Event::QueueConfigured(fact) => {
                let steady = self.steady;
                let queue = self.queues.entry(fact.queue.clone()).or_default();
                let before = queue.config.rate_limit.map_or(0, |rate| rate.per_ms);
                queue.unsure_until = queue.unsure_until.max(steady + before);
                queue.config.concurrency_limit = fact.concurrency_limit;
                let rate = fact.rate_per_ms.zip(fact.rate_max);
                let rate = rate.map(|(per_ms, max)| mainstay::RateLimit { per_ms, max });
                if rate != queue.config.rate_limit {
                    queue.starts.clear();
                }
                queue.config.rate_limit = rate;
                queue.config.weight = fact.weight;
                Ok(())
            }
            Event::QueuePaused(fact) => {
                let queue = self.queues.entry(fact.queue.clone()).or_default();
                demand!(!queue.paused, "a queue paused twice");
                queue.paused = true;
                Ok(())
            }
            Event::QueueResumed(fact) => {
                let queue = self.queues.entry(fact.queue.clone()).or_default();
                demand!(queue.paused, "a queue resumed twice");
                queue.paused = false;
                Ok(())
            }
            other => self.moved(other, wish),
        }
    }

    fn known_purse(
        &mut self,
        task: Option<TaskId>,
        dimension: &mainstay::Text,
    ) -> Option<&mut Purse> {
        match task {
            Some(task) => self.tasks.get_mut(&task)?.purses.get_mut(dimension),
            None => self.purses.get_mut(dimension),
        }
    }

    fn purse(
        &mut self,
        task: Option<TaskId>,
        dimension: &mainstay::Text,
    ) -> Result<&mut Purse, String> {
        let purses = match task {
            Some(task) => &mut self.task_mut(task)?.purses,
            None => &mut self.purses,
        };
        Ok(purses.entry(dimension.clone()).or_default())
    }

    fn task_created(&mut self, fact: &fact::TaskCreated, wish: Option<&Wish>) -> Verdict {
        demand!(
            !self.tasks.contains_key(&fact.task),
            "task {} again",
            fact.task
        );
        match wish {
            Some(Wish::Command(Command::Submit(spec) | Command::SubmitAs(_, spec))) => {
                demand!(
                    fact.spec.payload == spec.payload && fact.spec.kind == spec.kind,
                    "the task logged is not the task asked for"
                );
            }
            Some(Wish::Command(Command::Finish(finish))) => {
                demand!(
                    finish
                        .children
                        .iter()
                        .any(|(_, spec)| spec.kind == fact.spec.kind),
                    "a child that was not in the finish"
                );
            }
            other => return Err(format!("{other:?} made a task")),
        }
        let bonds = fact.spec.bonds.as_deref().cloned().unwrap_or_default();
        let mut unmet = std::collections::BTreeSet::new();
        for prerequisite in bonds.depends_on {
            if self.state(prerequisite)? != TaskState::Completed {
                unmet.insert(prerequisite);
            }
        }
        if let Some(parent) = bonds.parent {
            demand!(
                !self.state(parent)?.is_terminal(),
                "a child of task {parent}, which has ended"
            );
            self.task_mut(parent)?.children.push(fact.task);
        }
        let purses = bonds.budgets.into_iter().map(|budget| {
            let purse = Purse {
                limit: budget.limit,
                reserve: budget.reserve.unwrap_or(0),
                ..Purse::default()
            };
            (budget.dimension, purse)
        });
        let task = Task {
            spec: (*fact.spec).clone(),
            runs: Vec::new(),
            canceled: false,
            parent: bonds.parent,
            children: Vec::new(),
            unmet,
            schedule_ended: false,
            instants: std::collections::BTreeSet::new(),
            occurrences: 0,
            purses: purses.collect(),
            created_at: self.wall,
            may_be_gone: false,
        };
        self.tasks.insert(fact.task, task);
        Ok(())
    }

    fn task_canceled(&mut self, fact: &fact::TaskCanceled) -> Verdict {
        if let Some(source) = fact
            .source
            .as_deref()
            .filter(|why| why.cause == mainstay::Cause::Dependency)
        {
            let task = source
                .task
                .ok_or("canceled by a prerequisite that is not named")?;
            let state = self.state(task)?;
            demand!(
                matches!(state, TaskState::Failed | TaskState::Canceled) || self.may_be_gone(task),
                "canceled because of task {task}, which is {}",
                state.name()
            );
        }
        let task = self.task_mut(fact.task)?;
        demand!(!task.canceled, "task {} canceled twice", fact.task);
        task.canceled = true;
        task.schedule_ended = true;
        Ok(())
    }

    fn task_updated(&mut self, fact: &fact::TaskUpdated) -> Verdict {
        let task = self.task_mut(fact.task)?;
        if let Some(priority) = fact.priority {
            task.spec.priority = priority;
        }
        Ok(())
    }

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
            ready_order: self.order,
            granted: 0,
            lease: None,
            holds_key: false,
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
    fn moved(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
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
                let task = run.task;
                if let Some(instant) = fact.occurrence {
                    let is_new = self.task_mut(task)?.instants.insert(instant.0);
                    demand!(is_new, "instant {} ran twice", instant.0);
                }
                Ok(())
            }
            Event::OccurrencesSkipped(fact) => {
                let task = self.task_mut(fact.task)?;
                task.occurrences += fact.count;
                Ok(())
            }
            Event::ScheduleEnded(fact) => {
                self.task_mut(fact.task)?.schedule_ended = true;
                Ok(())
            }
            Event::RunStarted(fact) => {
                if let Some(Wish::Claim(claim)) = wish {
                    self.chosen(fact.run, claim)?;
                }
                let fence = Fence {
                    incarnation: fact.incarnation,
                    counter: fact.counter,
                };
                self.taken(fact.run, fence, false)?;
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
            other => self.ended(other),
        }
    }

    /// Events that end an attempt or a run, and those that change neither.
    fn ended(&mut self, event: &Event) -> Verdict {
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
            Event::RunSuspended(fact) => self.close(
                fact.run,
                fact.result,
                fact.output.clone(),
                fact.error.as_deref().cloned(),
                &[RunState::Suspended],
            ),
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
                self.run_mut(fact.run)?.lease = None;
                self.go(fact.run, fact.to)
            }
            Event::RunResumed(fact) => self.go(fact.run, RunState::Ready),
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
