//! The laws of single events: whatever command made them, they must fit what was before.

use mainstay::{Command, Event, Filter, SubscriptionId, TaskState};

use super::model::{Heard, Laws, Subscription};
use crate::oracle::history::Wish;
use crate::oracle::model::{Verdict, demand};

impl Laws {
    /// A command begins: what the last one did is heard of no more.
    pub(super) fn begins(&mut self, wish: Option<&Wish>) {
        self.heard.clear();
        if let Some(Wish::Command(Command::TriggerSubscription { subscription })) = wish {
            self.heard.push(Heard::ByHand(*subscription));
        }
    }

    /// What must hold between two commands.
    pub(super) fn settled(&self) -> Verdict {
        for (id, run) in &self.runs {
            demand!(
                run.state.is_held() == run.lease.is_some(),
                "run {id}: its lease and its state disagree"
            );
        }
        Ok(())
    }

    /// Judges one event of this tenant and moves over it.
    pub(super) fn event(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
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
            other => self.heard(other, wish),
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

    /// Events about subscriptions, and what they hear.
    fn heard(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
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
                    is_over.is_none_or(TaskState::is_terminal),
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
}
