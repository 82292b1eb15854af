//! Bugs of what is told: once too often, or not at all.

use std::collections::BTreeSet;

use mainstay::{Cause, Event, Events, Outcome, Rejection, RunId, SubscriptionId};

use super::bend::{Bug, Scene};

type Decided = Result<Outcome, Rejection>;

/// A fact of this kind happens twice in a row.
pub(crate) struct Echo(pub(crate) fn(&Event) -> bool);

impl Echo {
    /// A threshold is passed twice.
    pub(crate) fn of_thresholds() -> Echo {
        Echo(|event| matches!(event, Event::BudgetThresholdPassed(_)))
    }

    /// A budget is exhausted twice.
    pub(crate) fn of_exhaustion() -> Echo {
        Echo(|event| matches!(event, Event::BudgetExhausted(_)))
    }

    /// A subscription is triggered twice.
    pub(crate) fn of_triggers() -> Echo {
        Echo(|event| matches!(event, Event::SubscriptionTriggered(fact) if fact.pending == 0))
    }
}

impl Bug for Echo {
    const ANYWHERE: bool = true;

    fn bend(&mut self, _: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let Some(at) = events.iter().position(|entry| (self.0)(&entry.event)) else {
            return false;
        };
        let again = events[at].clone();
        events.insert(at + 1, again);
        true
    }
}

/// Subscriptions of earlier lives are not triggered: a restart has lost them.
#[derive(Default)]
pub(crate) struct Deaf {
    known: BTreeSet<SubscriptionId>,
}

impl Bug for Deaf {
    const ANYWHERE: bool = true;

    fn bend(&mut self, _: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let lost = |event: &Event| match event {
            Event::SubscriptionTriggered(fact) if !self.known.contains(&fact.subscription) => {
                Some(fact.run)
            }
            _ => None,
        };
        let woken = events.iter().filter_map(|entry| lost(&entry.event));
        let woken: Vec<Option<RunId>> = woken.collect();
        if woken.is_empty() {
            return false;
        }
        let woken: BTreeSet<RunId> = woken.into_iter().flatten().collect();
        let mut later = BTreeSet::new();
        events.retain(|entry| {
            let run = entry.event.about().run;
            let Some(run) = run.filter(|run| woken.contains(run)) else {
                return lost(&entry.event).is_none();
            };
            let is_wake = match &entry.event {
                Event::RunRescheduled(fact) => fact.cause == Cause::Subscription,
                Event::RunResumed(fact) => {
                    let why = fact.cause.as_deref();
                    why.is_some_and(|why| why.cause == Cause::Subscription)
                }
                Event::RunReady(_) => later.contains(&run),
                Event::SubscriptionTriggered(_) => true,
                _ => false,
            };
            if is_wake {
                later.insert(run);
            }
            !is_wake
        });
        true
    }

    fn watch(&mut self, event: &Event) {
        if let Event::SubscriptionCreated(fact) = event {
            self.known.insert(fact.subscription);
        }
    }
}
