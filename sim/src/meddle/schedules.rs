//! Bugs of schedules: what a calendar says is falsified on its way, a policy is not kept, a run of a repeat is lost.

use std::collections::BTreeSet;

use mainstay::events::{OccurrencesSkipped, RunCreated};
use mainstay::{
    Ask, Command, Event, Events, Instants, Meddler, Outcome, Rejection, RunId, Schedule, SkipCause,
    Timestamp, Unfit,
};

use super::bend::{Bug, Scene, fact};
use crate::oracle::is_summer_in_berlin;

type Decided = Result<Outcome, Rejection>;
type Said = Result<Instants, Unfit>;

/// What is done to the first word about each calendar in a life, as if the process before had not written down where it was.
pub(crate) struct Tampered {
    asked: BTreeSet<u64>,
    tamper: fn(&Ask, &mut Instants) -> bool,
}

impl Tampered {
    /// The instant that fired last fires once more.
    pub(crate) fn again() -> Tampered {
        Tampered::by(|ask, said| {
            if ask.after.0 == 0 || said.recent.len() as u64 != said.passed {
                return false;
            }
            said.passed += 1;
            said.first = Some(ask.after);
            said.recent.insert(0, ask.after);
            true
        })
    }

    /// The last instant that passed is passed over.
    pub(crate) fn lost() -> Tampered {
        Tampered::by(|_, said| {
            if said.recent.pop().is_none() {
                return false;
            }
            said.passed -= 1;
            said.first = said.first.filter(|_| said.passed > 0);
            true
        })
    }

    fn by(tamper: fn(&Ask, &mut Instants) -> bool) -> Tampered {
        Tampered {
            asked: BTreeSet::new(),
            tamper,
        }
    }
}

impl Meddler for Tampered {
    fn instants(&mut self, ask: &Ask, said: Said) -> Said {
        let mut said = said?;
        let is_next = ask.number > 0 && !self.asked.contains(&ask.number);
        if is_next && (self.tamper)(ask, &mut said) {
            self.asked.insert(ask.number);
        }
        Ok(said)
    }
}

/// A zone's winter offset holds all year.
pub(crate) struct Shifted;

impl Meddler for Shifted {
    fn instants(&mut self, ask: &Ask, said: Said) -> Said {
        let mut said = said?;
        let by_hour =
            !ask.cron.expression.contains("* * *") || ask.cron.expression.starts_with('0');
        if &*ask.cron.timezone != "Europe/Berlin" || !by_hour {
            return Ok(said);
        }
        let shift = |at: &mut Timestamp| {
            if is_summer_in_berlin(at.0) {
                at.0 += 3_600_000;
            }
        };
        said.first.iter_mut().for_each(shift);
        said.coming.iter_mut().for_each(shift);
        said.recent.iter_mut().for_each(shift);
        Ok(said)
    }
}

/// Instants that the policy lets go get their runs all the same.
#[derive(Default)]
pub(crate) struct Storm {
    last: Option<RunId>,
}

impl Bug for Storm {
    fn bend(&mut self, _: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let missed = events.iter().position(|entry| {
            let Event::OccurrencesSkipped(fact) = &entry.event else {
                return false;
            };
            fact.count > 1 && fact.cause != SkipCause::Overlap
        });
        let made = events.iter().filter_map(|entry| match &entry.event {
            Event::RunCreated(fact) => Some(fact.run),
            _ => None,
        });
        let last = made.chain(self.last).max();
        let (Some(at), Some(last)) = (missed, last) else {
            return false;
        };
        let Event::OccurrencesSkipped(missed) = events.remove(at).event else {
            return false;
        };
        let made = |after: u128, instant: Timestamp| RunCreated {
            run: RunId(last.0 + after),
            task: missed.task,
            scheduled_at: instant,
            occurrence: Some(instant),
            ..RunCreated::default()
        };
        events.push(fact(made(1, missed.from)));
        events.push(fact(made(2, missed.through)));
        if missed.count > 2 {
            let count = missed.count - 2;
            events.push(fact(OccurrencesSkipped { count, ..missed }));
        }
        true
    }

    fn watch(&mut self, event: &Event) {
        if let Event::RunCreated(fact) = event {
            self.last = self.last.max(Some(fact.run));
        }
    }
}

/// The last run of a repeat is not made.
pub(crate) struct RepeatShort;

impl Bug for RepeatShort {
    const ANYWHERE: bool = true;

    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        let (Command::Submit(spec) | Command::SubmitAs(_, spec)) = &scene.asked.command else {
            return false;
        };
        let repeats = matches!(
            spec.schedule.as_deref(),
            Some(Schedule::Repeat(repeat)) if repeat.count > 1
        );
        let Ok(Outcome::Submitted(done)) = decided else {
            return false;
        };
        if !repeats || !done.created {
            return false;
        }
        let Some(lost) = done.more.pop() else {
            return false;
        };
        done.runs_total -= 1;
        events.retain(|entry| entry.event.about().run != Some(lost.run));
        true
    }
}

/// Nobody hears that time passes: what is due waits for ever.
pub(crate) struct Timeless;

impl Bug for Timeless {
    const ANYWHERE: bool = true;

    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        let is_tick = matches!(scene.asked.command, Command::Tick);
        let readies = |entry: &mainstay::Entry| matches!(entry.event, Event::RunReady(_));
        if !is_tick || !events.iter().any(readies) {
            return false;
        }
        events.retain(|entry| !readies(entry));
        *decided = Ok(Outcome::Ticked { more: false });
        true
    }
}
