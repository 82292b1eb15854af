//! Deadlines as state: one ordered index per clock.
//! Owns: the alarm index.
//! Never: reads a clock.

use alloc::collections::BTreeSet;

use crate::time::{Steady, Timestamp};

/// When a run must be looked at next, if nothing happens before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Alarm {
    #[default]
    None,
    Wall(Timestamp),
    Steady(Steady),
}

/// An alarm in eight bytes: two bits for the clock, the rest for the instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Armed(u64);

const INSTANT_BITS: u32 = 62;
/// The last instant an alarm can stand at: no clock comes near it.
const INSTANT_MAX: u64 = (1 << INSTANT_BITS) - 1;

impl Alarm {
    /// The same, not beyond what [`Armed`] can hold.
    fn bounded(self) -> Alarm {
        match self {
            Alarm::None => Alarm::None,
            Alarm::Wall(at) => Alarm::Wall(Timestamp(at.0.min(INSTANT_MAX))),
            Alarm::Steady(at) => Alarm::Steady(Steady(at.0.min(INSTANT_MAX))),
        }
    }
}

impl From<Alarm> for Armed {
    fn from(alarm: Alarm) -> Armed {
        match alarm.bounded() {
            Alarm::None => Armed(0),
            Alarm::Wall(at) => Armed(1 << INSTANT_BITS | at.0),
            Alarm::Steady(at) => Armed(2 << INSTANT_BITS | at.0),
        }
    }
}

impl Armed {
    pub(crate) fn get(self) -> Alarm {
        let at = self.0 & INSTANT_MAX;
        match self.0 >> INSTANT_BITS {
            0 => Alarm::None,
            1 => Alarm::Wall(Timestamp(at)),
            _ => Alarm::Steady(Steady(at)),
        }
    }
}

/// Every armed alarm, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarms {
    wall: BTreeSet<(Timestamp, u32)>,
    steady: BTreeSet<(Steady, u32)>,
}

impl Alarms {
    pub(crate) fn replace(&mut self, run: u32, old: Alarm, new: Alarm) {
        match old {
            Alarm::None => {}
            Alarm::Wall(at) => {
                self.wall.remove(&(at, run));
            }
            Alarm::Steady(at) => {
                self.steady.remove(&(at, run));
            }
        }
        match new {
            Alarm::None => {}
            Alarm::Wall(at) => {
                self.wall.insert((at, run));
            }
            Alarm::Steady(at) => {
                self.steady.insert((at, run));
            }
        }
    }

    /// The first run whose alarm is due: steady ones first, each in order of time.
    pub(crate) fn due(&self, wall: Timestamp, steady: Steady) -> Option<u32> {
        let first = self
            .steady
            .first()
            .filter(|(at, _)| *at <= steady)
            .map(|(_, run)| *run);
        first.or_else(|| {
            self.wall
                .first()
                .filter(|(at, _)| *at <= wall)
                .map(|(_, run)| *run)
        })
    }

    /// The runs whose alarm on the wall clock is due, in order of time.
    pub(crate) fn due_by(&self, wall: Timestamp) -> impl Iterator<Item = u32> {
        let due = self.wall.iter().take_while(move |(at, _)| *at <= wall);
        due.map(|(_, run)| *run)
    }

    /// Milliseconds until the next alarm, if there is one.
    pub(crate) fn next_in_ms(&self, wall: Timestamp, steady: Steady) -> Option<u64> {
        let steady = self.steady.first().map(|(at, _)| at.since_ms(steady));
        let wall = self.wall.first().map(|(at, _)| at.0.saturating_sub(wall.0));
        match (steady, wall) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Every run with an alarm on the steady clock, which includes every run a worker holds.
    pub(crate) fn steady_runs(&self) -> alloc::vec::Vec<u32> {
        self.steady.iter().map(|(_, run)| *run).collect()
    }

    pub(crate) fn contains(&self, run: u32, alarm: Alarm) -> bool {
        match alarm {
            Alarm::None => true,
            Alarm::Wall(at) => self.wall.contains(&(at, run)),
            Alarm::Steady(at) => self.steady.contains(&(at, run)),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.wall.len() + self.steady.len()
    }
}
