//! The laws of what a command was asked for: it is done wholly, once, and nothing is done that nobody asked for.

use std::collections::BTreeMap;

use mainstay::events as fact;
use mainstay::{
    Amount, Cause, Command, Event, FinishOutcome, RunId, RunState, TaskId, TaskState, Text,
};

use super::model::Laws;
use crate::oracle::history::Wish;
use crate::oracle::model::{Verdict, demand};

fn sums<'a>(items: impl Iterator<Item = &'a Amount>) -> BTreeMap<Text, u64> {
    let mut sums = BTreeMap::new();
    for item in items.filter(|item| item.amount > 0) {
        let sum: &mut u64 = sums.entry(item.dimension.clone()).or_default();
        *sum = sum.saturating_add(item.amount);
    }
    sums
}

impl Laws {
    /// What a worker reported is in the log: what it used, and the children that it brought.
    pub(super) fn done_wholly(&self, events: &[&Event], wish: Option<&Wish>) -> Verdict {
        let (run, used, children) = match wish {
            Some(Wish::Command(Command::Finish(finish))) => {
                // With a suspension under a cancel nothing is begun.
                let suspends = finish.outcome == FinishOutcome::Suspended;
                let ends = suspends && self.run(finish.run)?.state == RunState::Canceled;
                let children = if ends { &[][..] } else { &finish.children[..] };
                (finish.run, &finish.consumption, children)
            }
            Some(Wish::Command(Command::Consume {
                run, consumption, ..
            })) => (*run, consumption, &[][..]),
            _ => return Ok(()),
        };
        let noted = events.iter().filter_map(|event| match event {
            Event::BudgetConsumed(fact) if fact.run == Some(run) => Some(&fact.items),
            _ => None,
        });
        let noted = sums(noted.flatten());
        let asked = sums(used.iter());
        demand!(
            noted == asked,
            "an attempt at run {run} used {asked:?}, noted is {noted:?}"
        );
        let made = events
            .iter()
            .filter(|event| matches!(event, Event::TaskCreated(_)));
        // One with a key may have found its task there.
        let keyed = |extras: &mainstay::Extras| {
            extras.idempotency_key.is_some() || extras.unique_key.is_some()
        };
        let fresh = children.iter();
        let fresh = fresh.filter(|(_, spec)| !spec.extras.as_deref().is_some_and(keyed));
        let (made, fresh, most) = (made.count(), fresh.count(), children.len());
        demand!(
            (fresh..=most).contains(&made),
            "a finish brought {fresh} to {most} children, {made} were made"
        );
        Ok(())
    }

    /// A batch of tasks is made whole, but for those that a key found there.
    pub(super) fn made_all(&self, events: &[&Event], wish: Option<&Wish>) -> Verdict {
        let Some(Wish::Command(Command::SubmitAll(tasks))) = wish else {
            return Ok(());
        };
        let made = |event: &&&Event| matches!(event, Event::TaskCreated(_));
        let made = events.iter().filter(made).count();
        let keyed = |spec: &mainstay::TaskSpec| {
            spec.extras
                .as_deref()
                .is_some_and(|extras| extras.unique_key.is_some())
        };
        let keyed = tasks.iter().filter(|(_, spec)| keyed(spec)).count();
        demand!(
            made == 0 || (tasks.len() - keyed..=tasks.len()).contains(&made),
            "{made} of {} tasks of a batch were made",
            tasks.len()
        );
        Ok(())
    }

    /// At most one task that has not ended has a unique key.
    pub(super) fn unique_key_is_free(&self, fact: &fact::TaskCreated) -> Verdict {
        let key_of = |spec: &mainstay::TaskSpec| spec.extras.as_deref()?.unique_key.clone();
        let Some(key) = key_of(&fact.spec) else {
            return Ok(());
        };
        for (id, task) in &self.tasks {
            demand!(
                key_of(&task.spec).as_ref() != Some(&key) || self.state(*id)?.is_terminal(),
                "task {} has the unique key of task {id}",
                fact.task
            );
        }
        Ok(())
    }

    /// A suspended run goes on because somebody said so, or because what it waited for has come.
    pub(super) fn may_go_on(&self, fact: &fact::RunResumed, wish: Option<&Wish>) -> Verdict {
        let Some(why) = fact.cause.as_deref() else {
            let asked = match wish {
                Some(Wish::Command(
                    Command::ResumeRun { run, .. } | Command::TransitionRun { run, .. },
                )) => Some(*run),
                _ => None,
            };
            demand!(
                asked == Some(fact.run),
                "run {} was resumed by nobody",
                fact.run
            );
            return Ok(());
        };
        let task = self.run(fact.run)?.task;
        let holds = match why.cause {
            Cause::Subscription => self.woken.contains(&fact.run),
            Cause::ChildrenDone => !self.has_live_children(task)?,
            Cause::Replenish => !self.is_exhausted(task)?,
            _ => false,
        };
        demand!(
            holds,
            "run {} was resumed for no reason ({:?})",
            fact.run,
            why.cause
        );
        Ok(())
    }

    fn has_live_children(&self, id: TaskId) -> Result<bool, String> {
        for child in &self.task(id)?.children {
            if !self.state(*child)?.is_terminal() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a budget that covers the task is used up.
    fn is_exhausted(&self, id: TaskId) -> Result<bool, String> {
        let own = self.task(id)?.purses.values();
        let mut all = own.chain(self.purses.values());
        Ok(all.any(|purse| purse.consumed >= purse.limit))
    }

    /// What a run's attempt uses is noted while it is on its way.
    pub(super) fn uses(&self, run: RunId) -> Verdict {
        let lease = self.run(run)?.lease.as_ref();
        demand!(
            lease.is_some_and(|lease| !lease.idle),
            "run {run} used something, and no attempt at it was on its way"
        );
        Ok(())
    }

    /// A threshold is passed when so much is spent, once in a period.
    pub(super) fn threshold_passed(&mut self, fact: &fact::BudgetThresholdPassed) -> Verdict {
        let purse = self.purse(Some(fact.task), &fact.dimension)?;
        let spent = u128::from(purse.consumed) * 100;
        demand!(
            spent >= u128::from(purse.limit) * u128::from(fact.percent),
            "{} percent of a budget are not passed",
            fact.percent
        );
        demand!(
            purse.passed.insert(fact.percent),
            "{} percent of a budget are passed twice in one period",
            fact.percent
        );
        Ok(())
    }

    /// Whether a task counts as completed.
    pub(super) fn is_completed(&self, id: TaskId) -> bool {
        self.state(id) == Ok(TaskState::Completed)
    }
}
