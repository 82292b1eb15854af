//! The laws of subscriptions: each is triggered as often as what it waits for happens while there is a run to wake, and never otherwise.

use mainstay::events as fact;
use mainstay::{
    Event, Filter, Hold, Overlap, RunState, Schedule, SubscriptionId, TaskId, TaskState,
};

use super::model::{Heard, Laws, Run, Subscription};
use crate::oracle::model::{Verdict, demand};

impl Laws {
    /// Events about subscriptions themselves.
    pub(super) fn subscribed(&mut self, fact: &fact::SubscriptionCreated) -> Verdict {
        let new = Subscription {
            task: fact.task,
            filter: (*fact.filter).clone(),
            canceled: false,
            pending: 0,
            heard: 0,
        };
        if let Filter::BudgetThreshold(task, dimension, percent) = &new.filter {
            self.count_as_passed(*task, dimension, *percent);
        }
        let before = self.subscriptions.insert(fact.subscription, new);
        // A subscription goes with its task.
        let task = before.map(|before| before.task);
        let is_over = task.map(|task| self.state(task)).transpose()?;
        demand!(
            is_over.is_none_or(TaskState::is_terminal),
            "a subscription twice"
        );
        Ok(())
    }

    /// A threshold that was passed before anybody waited for it is not passed again in this period.
    fn count_as_passed(&mut self, task: TaskId, dimension: &mainstay::Text, percent: u32) {
        let Some(purse) = self.known_purse(Some(task), dimension) else {
            return;
        };
        let spent = u128::from(purse.consumed) * 100;
        if spent >= u128::from(purse.limit) * u128::from(percent) {
            purse.passed.insert(percent);
        }
    }

    pub(super) fn triggered(&mut self, fact: &fact::SubscriptionTriggered) -> Verdict {
        let id = fact.subscription;
        let known = self.subscriptions.get(&id);
        let known = known.ok_or("a subscription that is not there")?;
        demand!(!known.canceled, "a canceled subscription was triggered");
        // What was noted before is acted on later.
        let anew = known.pending == 0;
        let happened = self.happened(id, &known.filter);
        let heard = known.heard + u32::from(anew && fact.run.is_some());
        demand!(
            !anew || happened > 0,
            "a subscription was triggered by nothing"
        );
        demand!(
            heard <= happened,
            "a subscription was triggered {heard} times by what happened {happened} times"
        );
        if let Some(run) = fact.run {
            demand!(
                self.run(run)?.task == known.task,
                "another task's run was released"
            );
            self.woken.insert(run);
        }
        if let Some(known) = self.subscriptions.get_mut(&id) {
            known.heard = heard;
            known.pending = fact.pending;
        }
        Ok(())
    }

    /// How often what a subscription waits for happened in this command.
    fn happened(&self, id: SubscriptionId, filter: &Filter) -> u32 {
        let by_hand = Heard::ByHand(id);
        let times = |what: &Heard| self.heard.iter().filter(|heard| *heard == what).count() as u32;
        let by_itself = match filter {
            Filter::TaskCompleted(task) => {
                u32::from(self.is_completed(*task) && !self.completed.contains(task))
            }
            Filter::RunStateChanged(task, state) => times(&Heard::Moved(*task, *state)),
            Filter::BudgetThreshold(task, dimension, percent) => {
                times(&Heard::Passed(*task, dimension.clone(), *percent))
            }
            Filter::Custom(key) => times(&Heard::Event(key.clone())),
        };
        by_itself + times(&by_hand)
    }

    /// Whoever could have woken a run because of what happened has been told.
    pub(super) fn everybody_heard(&mut self, events: &[&Event]) -> Verdict {
        let made = |id: SubscriptionId| {
            let is_it = |event: &&Event| matches!(event, Event::SubscriptionCreated(fact) if fact.subscription == id);
            events.iter().any(is_it)
        };
        let told = |id: SubscriptionId| {
            let is_it = |event: &&Event| matches!(event, Event::SubscriptionTriggered(fact) if fact.subscription == id);
            events.iter().any(is_it)
        };
        for (id, one) in &self.subscriptions {
            let waits = !one.canceled && !self.state(one.task)?.is_terminal();
            if waits && self.happened(*id, &one.filter) > 0 && !told(*id) && !made(*id) {
                demand!(
                    !self.has_sleeper(one.task)?,
                    "what subscription {id} of task {} waits for has happened, and it was not told",
                    one.task
                );
            }
        }
        self.note_completed();
        self.subscriptions
            .values_mut()
            .for_each(|one| one.heard = 0);
        Ok(())
    }

    /// Which tasks that somebody waits for are completed by now.
    fn note_completed(&mut self) {
        let watched = self.subscriptions.values();
        let watched = watched.filter_map(|one| match one.filter {
            Filter::TaskCompleted(task) => Some(task),
            _ => None,
        });
        let completed = watched.filter(|task| self.is_completed(*task));
        self.completed = completed.collect();
    }

    /// Whether a run of the task could be woken: its time has not come and its schedule does not hold it back, or it is suspended for
    /// another reason than a budget.
    fn has_sleeper(&self, id: TaskId) -> Result<bool, String> {
        let task = self.task(id)?;
        let cron = task.spec.schedule.as_deref().and_then(Schedule::cron);
        let in_turn =
            cron.is_some_and(|cron| matches!(cron.overlap, Overlap::Skip | Overlap::QueueOne));
        let mut live = 0;
        for run in &task.runs {
            live += usize::from(!self.run(*run)?.state.is_terminal());
        }
        let held_back = task.schedule_paused || in_turn && live > 1;
        let sleeps = |run: &Run| match run.state {
            RunState::Scheduled => !held_back && run.scheduled_at > self.wall,
            RunState::Suspended => run.hold != Hold::Budget,
            _ => false,
        };
        for run in &task.runs {
            if sleeps(self.run(*run)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
