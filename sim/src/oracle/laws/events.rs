//! The laws of single events: whatever command made them, they must fit what was before.

use mainstay::{Command, Event, TaskState};

use super::model::{Heard, Laws};
use crate::oracle::history::Wish;
use crate::oracle::model::{Verdict, demand};

impl Laws {
    /// A command begins: what the last one did is heard of no more.
    pub(super) fn begins(&mut self, wish: Option<&Wish>) {
        self.heard.clear();
        self.woken.clear();
        if let Some(Wish::Command(Command::TriggerSubscription { subscription })) = wish {
            self.heard.push(Heard::ByHand(*subscription));
        }
    }

    /// A command ends: what must hold between two, and of all that this one did for this tenant.
    pub(super) fn ends(&mut self, events: &[&Event], wish: Option<&Wish>) -> Verdict {
        self.nobody_gone_holds()?;
        for (id, run) in &self.runs {
            demand!(
                run.state.is_held() == run.lease.is_some(),
                "run {id}: its lease and its state disagree"
            );
        }
        self.done_wholly(events, wish)?;
        self.made_all(events, wish)?;
        self.decisions_are_on_record(events)?;
        self.schedules_hold(events)?;
        self.everybody_heard(events)
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
            Event::ActorRegistered(_) | Event::ActorDraining(_) | Event::ActorDeregistered(_) => {
                self.employed(event)
            }
            Event::LedgerAppended(_) | Event::ApprovalRequested(_) | Event::ApprovalDecided(_) => {
                self.attested(event, wish)
            }
            Event::EngineStarted(fact) => {
                self.heard_of_all();
                demand!(fact.incarnation > self.incarnation, "a life again");
                self.incarnation = fact.incarnation;
                Ok(())
            }
            other => self.heard(other, wish),
        }
    }

    /// Events about subscriptions, and what they hear.
    fn heard(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::SubscriptionCreated(fact) => self.subscribed(fact),
            Event::SubscriptionCanceled(fact) => {
                let known = self.subscriptions.get_mut(&fact.subscription);
                let known = known.ok_or("a subscription that is not there")?;
                demand!(!known.canceled, "a subscription canceled twice");
                known.canceled = true;
                Ok(())
            }
            Event::SubscriptionTriggered(fact) => self.triggered(fact),
            Event::CustomEventPublished(fact) => {
                self.heard.push(Heard::Event(fact.key.clone()));
                Ok(())
            }
            other => self.spent(other, wish),
        }
    }
}
