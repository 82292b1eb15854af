//! The nouns of a schedule: what a client asks for, and what the row remembers of where it stands.
//! Owns: `Schedule`, its policies and defaults, the clockwork of a cron task.
//! Never: reads a calendar: the shell computes instants, the machine logs them as facts.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codec::{Malformed, Reader, Record, Value, put_record, take_record};
use crate::id::mix;
use crate::time::Timestamp;
use crate::{TaskId, Text};

/// More than one run: at even intervals, or by calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Exactly so many runs.
    Repeat(Repeat),
    /// One run per instant of a cron expression.
    Cron(Box<Cron>),
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule::Repeat(Repeat::default())
    }
}

impl Schedule {
    /// The calendar, if it is one.
    #[must_use]
    pub fn cron(&self) -> Option<&Cron> {
        match self {
            Schedule::Cron(cron) => Some(cron),
            Schedule::Repeat(_) => None,
        }
    }
}

impl Record for Schedule {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Schedule::Repeat(repeat) => put_record(repeat, 1, out),
            Schedule::Cron(cron) => put_record(&**cron, 2, out),
        }
    }

    fn read(body: &[u8]) -> Result<Self, Malformed> {
        let mut schedule = Schedule::default();
        let mut reader = Reader::new(body);
        while let Some((number, value)) = reader.field()? {
            match number {
                1 => schedule = Schedule::Repeat(whole(value)?),
                2 => schedule = Schedule::Cron(Box::new(whole(value)?)),
                _ => {}
            }
        }
        Ok(schedule)
    }
}

fn whole<T: Record>(value: Value<'_>) -> Result<T, Malformed> {
    let mut record = T::default();
    take_record(&mut record, value)?;
    Ok(record)
}

/// Run k of `count` is due at start + k × interval, k from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeat {
    /// How many runs, 1..=10000.
    pub count: u32,
    /// Milliseconds between two of them, at least 1.
    pub interval_ms: u64,
    /// When the first is due; now when absent.
    pub start_at: Option<Timestamp>,
}

/// What happens to instants that passed while nothing could fire them: the process was down, or the schedule, queue or engine paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Misfire {
    /// They are noted and forgotten.
    Skip,
    /// One run stands for all of them.
    #[default]
    RunOnce,
    /// Each of the most recent `catch_up_max` gets its run.
    RunAll,
}

/// What happens when an instant comes while a run of an earlier one has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Both run.
    #[default]
    Allow,
    /// The new instant is skipped.
    Skip,
    /// The new run waits for the end of the earlier; while one waits, further instants are skipped.
    QueueOne,
    /// The earlier run is canceled.
    CancelPrevious,
}

/// Why an instant got no run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SkipCause {
    /// It passed while nothing could fire it.
    #[default]
    Misfire,
    /// A run of an earlier instant had not ended.
    Overlap,
    /// More of them were missed than are caught up.
    CatchUp,
}

/// One run per instant of an expression in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// Five fields, six with seconds, or seven with a year.
    pub expression: Text,
    /// An IANA time zone.
    pub timezone: Text,
    /// The schedule ends after so many instants, missed and skipped ones counted.
    pub max_occurrences: Option<u64>,
    /// What happens to instants that were missed.
    pub misfire: Misfire,
    /// An instant is missed when it could not fire for more than so many milliseconds.
    pub misfire_grace_ms: u64,
    /// How many missed instants `run_all` catches up, 1..=1000.
    pub catch_up_max: u32,
    /// What happens when the run before has not ended.
    pub overlap: Overlap,
    /// No instant before this one.
    pub start_at: Option<Timestamp>,
    /// No instant after this one.
    pub end_at: Option<Timestamp>,
    /// Each run is due up to so many milliseconds after its instant: as many as follow from the task's id and the instant.
    pub jitter_ms: u64,
}

impl Default for Cron {
    fn default() -> Self {
        Cron {
            expression: Text::default(),
            timezone: Text::from("UTC"),
            max_occurrences: None,
            misfire: Misfire::default(),
            misfire_grace_ms: 60_000,
            catch_up_max: 100,
            overlap: Overlap::default(),
            start_at: None,
            end_at: None,
            jitter_ms: 0,
        }
    }
}

/// Where a task's schedule stands. A repeat's has ended from the start: all its runs are made with the task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clockwork {
    pub(crate) schedule: Box<Schedule>,
    /// No further run will be made.
    pub(crate) ended: bool,
    /// Somebody stopped it for a while.
    pub(crate) paused: bool,
    /// Instants that came to a run, were missed or were skipped.
    pub(crate) occurrences: u64,
    /// The instant of the one future run.
    pub(crate) next: Option<Timestamp>,
    /// The future run's number; 0 while there is none.
    pub(crate) future: u64,
    /// The number of the run that waits for the end of an earlier one; 0 while none does.
    pub(crate) queued: u64,
    /// The last instant that is counted among `occurrences`.
    pub(crate) through: Option<Timestamp>,
}

impl Clockwork {
    /// Where a new schedule stands.
    pub(crate) fn new(schedule: Box<Schedule>) -> Clockwork {
        Clockwork {
            ended: matches!(*schedule, Schedule::Repeat(_)),
            schedule,
            ..Clockwork::default()
        }
    }

    /// The calendar, if it has one and goes on by it.
    pub(crate) fn running(&self) -> Option<&Cron> {
        self.schedule.cron().filter(|_| !self.ended)
    }

    /// Whether a further run must be planned: there is no future one.
    pub(crate) fn lacks(&self) -> bool {
        self.running().is_some() && !self.paused && self.future == 0
    }

    /// When a scheduled run of this schedule must be looked at: the future one at its instant, the one that waits for another by no clock.
    pub(crate) fn due(&self, number: u64, scheduled_at: Timestamp) -> Option<Timestamp> {
        if number == self.future {
            let due = self
                .next
                .map_or(scheduled_at, |next| next.min(scheduled_at));
            (!self.paused).then_some(due)
        } else if number == self.queued {
            None
        } else {
            Some(scheduled_at)
        }
    }

    /// Counts one instant, unless it is counted already: instants are counted in their order.
    pub(super) fn count_one(&mut self, instant: Option<Timestamp>) {
        if instant > self.through {
            self.count(1, instant);
        }
    }

    /// Counts instants up to this one.
    pub(super) fn count(&mut self, instants: u64, through: Option<Timestamp>) {
        self.occurrences = self.occurrences.saturating_add(instants);
        self.through = self.through.max(through);
    }
}

impl Cron {
    /// When the run of an instant is due: later by a share of the jitter that follows from the task and the instant alone.
    pub(crate) fn due(&self, task: TaskId, instant: Timestamp) -> Timestamp {
        let spread = match self.jitter_ms {
            0 => 0,
            most => {
                let seed = mix(task.0 as u64 ^ mix((task.0 >> 64) as u64 ^ mix(instant.0)));
                seed % most.saturating_add(1)
            }
        };
        instant.plus_ms(spread)
    }
}
