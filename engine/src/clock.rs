//! The clock's rule: recorded time flows, never runs backwards, and believes a forward jump only after it has stood.
//! Owns: how raw readings become recorded and steady time.
//! Never: reads a clock; readings arrive as inputs, so that the simulator can bend them.

use mainstay_core::{Now, Steady, Timestamp};

/// A forward jump of the wall clock beyond this, against steady time, is not believed at once.
const JUMP_MS: u64 = 300_000;
/// How long such a jump must stand before it is taken over.
const STAND_MS: u64 = 60_000;

/// What the machine's clocks showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raw {
    /// Wall clock, milliseconds since the Unix epoch.
    pub wall_ms: u64,
    /// A clock that only moves forward, milliseconds from any origin; it should go on while the machine sleeps.
    pub steady_ms: u64,
}

/// The clock of one process life.
#[derive(Clone, Debug)]
pub struct Clock {
    wall: Timestamp,
    steady: Steady,
    last_raw_steady_ms: u64,
    ahead_since: Option<Steady>,
}

impl Clock {
    /// Starts after the last frame's times. Recorded time is at once the later of the last and the wall clock; steady time goes on by
    /// what passed. Gives the clock and the recorded milliseconds that passed while no process ran.
    #[must_use]
    pub fn start(raw: Raw, last_wall: Timestamp, last_steady: Steady) -> (Clock, u64) {
        let now = raw.wall_ms.min(Timestamp::MAX.0);
        let wall = Timestamp(now.max(last_wall.0));
        let downtime_ms = if last_wall.0 == 0 {
            0
        } else {
            wall.0 - last_wall.0
        };
        let steady = last_steady.plus_ms(downtime_ms);
        (
            Clock {
                wall,
                steady,
                last_raw_steady_ms: raw.steady_ms,
                ahead_since: None,
            },
            downtime_ms,
        )
    }

    /// The moment a reading stands for, and by how many milliseconds recorded time jumps if it takes over a forward jump now.
    pub fn observe(&mut self, raw: Raw, id_seed: u64) -> (Now, Option<u64>) {
        let elapsed = raw.steady_ms.saturating_sub(self.last_raw_steady_ms);
        self.last_raw_steady_ms = self.last_raw_steady_ms.max(raw.steady_ms);
        self.steady = self.steady.plus_ms(elapsed);
        let flowed = self.wall.plus_ms(elapsed);
        let raw_wall = Timestamp(raw.wall_ms.min(Timestamp::MAX.0));
        let mut adopted = None;
        if raw_wall.0.saturating_sub(flowed.0) > JUMP_MS {
            let since = *self.ahead_since.get_or_insert(self.steady);
            if self.steady.since_ms(since) >= STAND_MS {
                adopted = Some(raw_wall.0 - flowed.0);
                self.ahead_since = None;
                self.wall = raw_wall;
            } else {
                self.wall = flowed;
            }
        } else {
            self.ahead_since = None;
            self.wall = flowed.max(raw_wall);
        }
        (
            Now {
                wall: self.wall,
                steady: self.steady,
                id_seed,
            },
            adopted,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(wall_ms: u64, steady_ms: u64) -> Raw {
        Raw { wall_ms, steady_ms }
    }

    #[test]
    fn a_clock_that_goes_back_flows_on() {
        let (mut clock, _) = Clock::start(raw(1_000_000, 0), Timestamp(0), Steady(0));
        assert_eq!(
            clock.observe(raw(1_000_500, 500), 0).0.wall,
            Timestamp(1_000_500)
        );
        assert_eq!(clock.observe(raw(10, 600), 0).0.wall, Timestamp(1_000_600));
        assert_eq!(
            clock.observe(raw(20, 1_600), 0).0.wall,
            Timestamp(1_001_600)
        );
    }

    #[test]
    fn a_long_jump_ahead_is_believed_after_a_minute() {
        let (mut clock, _) = Clock::start(raw(1_000_000, 0), Timestamp(0), Steady(0));
        let year = 31_536_000_000;
        assert_eq!(
            clock.observe(raw(1_000_000 + year, 10), 0),
            (Now::at(Timestamp(1_000_010), 10), None)
        );
        let (now, adopted) = clock.observe(raw(1_000_000 + year, 60_010), 0);
        assert_eq!(
            (now.wall, adopted),
            (Timestamp(1_000_000 + year), Some(year - 60_010))
        );
        assert_eq!(now.steady, Steady(60_010), "steady time does not jump");
    }

    #[test]
    fn a_jump_that_does_not_stand_is_forgotten() {
        let (mut clock, _) = Clock::start(raw(1_000_000, 0), Timestamp(0), Steady(0));
        clock.observe(raw(90_000_000, 10), 0);
        clock.observe(raw(1_000_020, 20), 0);
        let (now, adopted) = clock.observe(raw(90_000_000, 60_015), 0);
        assert_eq!((now.wall, adopted), (Timestamp(1_060_015), None));
    }

    #[test]
    fn downtime_moves_both_clocks() {
        let (mut clock, downtime_ms) = Clock::start(raw(5_000, 77), Timestamp(2_000), Steady(900));
        assert_eq!(downtime_ms, 3_000);
        assert_eq!(
            clock.observe(raw(5_000, 77), 0).0,
            Now::at(Timestamp(5_000), 3_900)
        );
    }

    #[test]
    fn a_start_in_the_past_goes_on_from_the_log() {
        let (mut clock, downtime_ms) = Clock::start(raw(5, 0), Timestamp(2_000), Steady(900));
        assert_eq!(downtime_ms, 0);
        assert_eq!(
            clock.observe(raw(5, 0), 0).0,
            Now::at(Timestamp(2_000), 900)
        );
    }
}
