//! The laws of schedules: every run stands for an instant of its calendar, none is left out, and what passed unseen is made up for as the
//! policy says and no more.

use std::collections::{BTreeMap, BTreeSet};

use mainstay::{Cron, Event, Misfire, Origin, RunId, RunState, Schedule, TaskId};

use super::calendar::count;
use super::model::{Laws, Task};
use crate::oracle::model::{Verdict, demand};

/// What became of a calendar's instants since it holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Its instants come after this one.
    pub(crate) after: u64,
    /// Those that a run stands for, or stood for.
    pub(crate) runs: BTreeSet<u64>,
    /// How many came to no run.
    pub(crate) skipped: u64,
    /// The last of these.
    pub(crate) through: u64,
    /// What runs stood for under the calendar before, until the new one's first run is known.
    earlier: BTreeSet<u64>,
}

impl Ledger {
    pub(super) fn begin(wall: u64) -> Ledger {
        Ledger {
            after: wall,
            ..Ledger::default()
        }
    }

    /// Another calendar holds. Instants that a run has taken before their time are not given out again.
    pub(super) fn turn_over(&mut self, wall: u64) {
        let earlier = std::mem::take(&mut self.runs);
        *self = Ledger {
            earlier,
            ..Ledger::begin(wall)
        };
    }
}

fn cron(task: &Task) -> Option<&Cron> {
    task.spec.schedule.as_deref()?.cron()
}

impl Laws {
    /// A run stands for an instant from now on, and for another no more.
    pub(super) fn stands_for(&mut self, id: TaskId, instant: u64, before: Option<u64>) -> Verdict {
        let task = self.task_mut(id)?;
        if let Some(cron) = cron(task) {
            let known = count(cron, instant - 1, instant);
            demand!(
                known.is_none_or(|count| count == 1),
                "{instant} is no instant of `{}` in {}",
                cron.expression,
                cron.timezone
            );
        }
        let ledger = &mut task.ledger;
        let mut earlier = std::mem::take(&mut ledger.earlier);
        if let Some(before) = before {
            ledger.runs.remove(&before);
            earlier.remove(&before);
        }
        ledger.after = earlier.last().copied().unwrap_or(0).max(ledger.after);
        ledger.runs.insert(instant);
        Ok(())
    }

    /// What must hold of the schedules that a command touched.
    pub(super) fn schedules_hold(&self, events: &[&Event]) -> Verdict {
        let mut late: BTreeMap<TaskId, BTreeSet<RunId>> = BTreeMap::new();
        let mut touched = BTreeSet::new();
        for event in events {
            let (id, run, instant) = match event {
                Event::RunCreated(fact) if fact.origin == Origin::Policy => {
                    (fact.task, fact.run, fact.occurrence)
                }
                Event::RunRescheduled(fact) => {
                    (self.run(fact.run)?.task, fact.run, fact.occurrence)
                }
                Event::TaskCreated(fact) => {
                    self.repeat_is_whole(fact.task)?;
                    continue;
                }
                Event::OccurrencesSkipped(fact) => {
                    touched.insert(fact.task);
                    continue;
                }
                _ => continue,
            };
            let (Some(instant), Some(cron)) = (instant, cron(self.task(id)?)) else {
                continue;
            };
            touched.insert(id);
            if instant.0.saturating_add(cron.misfire_grace_ms) < self.wall {
                late.entry(id).or_default().insert(run);
            }
        }
        for id in touched {
            self.no_instant_is_left_out(id)?;
        }
        late.iter()
            .try_for_each(|(id, runs)| self.made_up_for(*id, runs))
    }

    fn repeat_is_whole(&self, id: TaskId) -> Verdict {
        let task = self.task(id)?;
        if let Some(Schedule::Repeat(repeat)) = task.spec.schedule.as_deref() {
            demand!(
                task.runs.len() == repeat.count as usize,
                "task {id} has {} runs, {} were asked for",
                task.runs.len(),
                repeat.count
            );
        }
        Ok(())
    }

    fn no_instant_is_left_out(&self, id: TaskId) -> Verdict {
        let task = self.task(id)?;
        let (Some(cron), ledger) = (cron(task), &task.ledger) else {
            return Ok(());
        };
        let last = ledger.runs.last().copied().max(Some(ledger.through));
        let passed = count(cron, ledger.after, last.unwrap_or(0));
        let dealt = ledger.runs.len() as u64 + ledger.skipped;
        demand!(
            passed.is_none_or(|passed| passed == dealt),
            "of {passed:?} instants of task {id} ({} in {}) after {} {} came to runs and {} to none",
            cron.expression,
            cron.timezone,
            ledger.after,
            ledger.runs.len(),
            ledger.skipped
        );
        Ok(())
    }

    /// Of instants that passed beyond the grace only so many get a run. One that is canceled at once stands in for those that got none.
    fn made_up_for(&self, id: TaskId, late: &BTreeSet<RunId>) -> Verdict {
        let Some(cron) = cron(self.task(id)?) else {
            return Ok(());
        };
        let most = match cron.misfire {
            Misfire::Skip => 0,
            Misfire::RunOnce => 1,
            Misfire::RunAll => cron.catch_up_max.max(1) as usize,
        };
        let mut made = 0;
        for run in late {
            made += usize::from(self.run(*run)?.state != RunState::Canceled);
        }
        demand!(
            made <= most,
            "{made} runs of task {id} for instants long passed, its policy allows {most}"
        );
        Ok(())
    }
}
