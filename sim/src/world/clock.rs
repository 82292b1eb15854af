//! The simulated clocks: a steady one that only moves forward and a wall clock that anybody may set.

use mainstay::Raw;

use crate::marks::Marks;
use crate::rng::Rng;

const SECOND_MS: u64 = 1000;
const HOUR_MS: u64 = 3600 * SECOND_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
const YEARS_10_MS: u64 = 3653 * DAY_MS;

/// When worlds begin: in November 2023, and before Berlin's and Lord Howe's clocks go forward and back in 2024.
const BEGINNINGS: &[u64] = &[
    1_700_000_000_000,
    1_711_742_400_000,
    1_729_886_400_000,
    1_728_055_800_000,
    1_712_329_200_000,
];

/// Both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SimClock {
    wall_ms: u64,
    steady_ms: u64,
}

impl SimClock {
    pub(crate) fn new() -> SimClock {
        SimClock {
            wall_ms: BEGINNINGS[0],
            steady_ms: 5_000,
        }
    }

    /// Most worlds with schedules begin a day or so before clocks change in one of the zones that they use.
    pub(crate) fn before_a_change(seed: u64) -> SimClock {
        let drawn = seed / 2 % BEGINNINGS.len() as u64;
        SimClock {
            wall_ms: BEGINNINGS[drawn as usize],
            ..SimClock::new()
        }
    }

    pub(crate) fn raw(self) -> Raw {
        Raw {
            wall_ms: self.wall_ms,
            steady_ms: self.steady_ms,
        }
    }

    pub(crate) fn advance(&mut self, ms: u64) {
        self.wall_ms += ms;
        self.steady_ms += ms;
    }

    /// Time passes, mostly a little.
    pub(crate) fn flow(&mut self, rng: &mut Rng) {
        let ms = match rng.below(40) {
            0..=19 => rng.below(20),
            20..=31 => rng.below(600),
            32..=37 => rng.below(5_000),
            38 => rng.below(70_000),
            _ => rng.below(2 * HOUR_MS),
        };
        self.advance(ms);
    }

    /// Somebody sets the wall clock.
    pub(crate) fn jump(&mut self, rng: &mut Rng, marks: &mut Marks) {
        let span = *rng.pick(&[
            SECOND_MS,
            7 * SECOND_MS,
            HOUR_MS + SECOND_MS,
            DAY_MS + 5 * SECOND_MS,
            YEARS_10_MS,
        ]);
        if rng.chance(50) {
            if span > HOUR_MS {
                marks.hit("clock went back more than an hour");
            }
            self.wall_ms = self.wall_ms.saturating_sub(span);
        } else {
            self.wall_ms += span;
        }
    }

    /// The process or the machine was down for a while; after a reboot the steady clock begins anew.
    pub(crate) fn down(&mut self, rng: &mut Rng, rebooted: bool) {
        let ms = match rng.below(10) {
            0..=5 => rng.below(100),
            6..=8 => rng.below(20_000),
            _ => rng.below(3 * DAY_MS),
        };
        self.advance(ms);
        if rebooted {
            self.steady_ms = rng.below(10_000);
        }
    }
}
