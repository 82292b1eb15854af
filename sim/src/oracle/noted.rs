//! Marks of what the log tells: places that a long run must have reached.

use super::history::Wish;
use super::image::Written;
use super::judge::Oracle;

impl Oracle {
    fn wish_of(&self, principal: &str) -> Option<&Wish> {
        self.wishes.get(principal).map(|wished| &wished.wish)
    }

    /// Whether a claim over all tenants got something of another tenant than the one it was asked in.
    fn is_abroad(&self, command: &Written) -> bool {
        let asked_in = self.wishes.get(&*command.record.principal);
        asked_in.is_some_and(|wished| wished.tenant != command.record.tenant)
    }

    pub(super) fn note(&mut self, command: &Written) {
        use mainstay::{Cause, Event};
        for entry in &command.events {
            let mark = match &entry.event {
                Event::RunCreated(fact) if fact.occurrence.is_some() => "schedule made a run",
                Event::TaskCreated(_) if command.record.kind == 4 => {
                    "child submitted with a finish"
                }
                Event::OccurrencesSkipped(_) => "occurrences skipped",
                Event::DependencySatisfied(_) => "prerequisite completed",
                Event::TaskCanceled(fact) => match fact.source.as_deref().map(|why| why.cause) {
                    Some(Cause::Dependency) => "prerequisite failed",
                    Some(Cause::ParentCancel) => "cancel swept a descendant",
                    _ => continue,
                },
                Event::BudgetExhausted(_) => "budget exhausted",
                Event::RunResumed(fact) => match fact.cause.as_deref().map(|why| why.cause) {
                    Some(Cause::Replenish) => "budget replenished: work goes on",
                    Some(Cause::ChildrenDone) => "children done: work goes on",
                    Some(Cause::Subscription) => "subscription resumed a run",
                    _ => continue,
                },
                Event::SubscriptionTriggered(_) => "subscription triggered",
                Event::LeaseEnded(_) => "lease ended before work began",
                Event::RunTransitioned(_) => "run moved by hand",
                Event::LeaseExtended(_) => "lease extended as an event",
                Event::ClockAdopted(_) => "clock adopted a jump",
                Event::RunStarted(fact) if fact.actor.is_some() => "an actor was granted a run",
                Event::ActorDraining(_) => "an actor drained",
                Event::ActorDeregistered(fact) => match fact.cause {
                    mainstay::Departure::Silent => "an actor fell silent",
                    mainstay::Departure::Requested => "an actor left",
                },
                Event::RunCanceled(fact) => match fact.cause {
                    Cause::Force if command.record.kind == 14 => "alarm forced a cancel",
                    Cause::Expired => "task expired unstarted",
                    Cause::Cancel if fact.result.is_some() => "cancel before finish",
                    _ => continue,
                },
                Event::RunFailed(fact) => match fact.cause {
                    Cause::Exhausted => "dead letter at the limit",
                    Cause::OutcomeUnknown => "transactional outcome unknown",
                    _ => continue,
                },
                Event::RunRetryScheduled(fact)
                    if fact.result == mainstay::AttemptResult::Timeout =>
                {
                    "timeout"
                }
                Event::RunReturned(fact) => match fact.result {
                    mainstay::AttemptResult::LeaseExpired => "lease expired",
                    mainstay::AttemptResult::Released
                        if matches!(
                            self.wish_of(&command.record.principal),
                            Some(Wish::Claim(_))
                        ) =>
                    {
                        if self.is_abroad(command) {
                            self.marks.hit("claim over all tenants given back to each");
                        }
                        "release of a dropped claim"
                    }
                    _ => continue,
                },
                _ => continue,
            };
            self.marks.hit(mark);
        }
    }
}
