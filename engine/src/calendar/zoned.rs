//! Expressions in time zones: what a clock on a wall there would show, mapped to instants.
//! Owns: what happens when that clock is put forward or back.
//! Never: reads a clock.

use jiff::tz::TimeZone;

use super::expression::Expression;
use super::local::DAY;
use mainstay_core::{Timestamp, Unfit};

/// A cron expression in a time zone.
///
/// When clocks go forward, local times in the gap do not exist: one run stands for them, right after the gap; schedules that name every hour
/// leave them out. When clocks go back, local times come twice: a schedule that names several seconds of an hour, or every hour, has both,
/// any other the first.
#[derive(Clone, Debug)]
pub struct Calendar {
    expression: Expression,
    zone: TimeZone,
    /// It has both of two equal local times.
    twice: bool,
    /// One instant stands for the local times that a gap takes.
    makes_up: bool,
}

/// A stretch of time with one offset from UTC, in seconds.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Option<i64>,
    until: Option<i64>,
    offset: i64,
    /// The offset before `from`.
    before: i64,
}

/// The last second that can be shown, in every zone.
const LAST: i64 = Timestamp::MAX.0 as i64 / 1000 - 2 * DAY;

impl Calendar {
    /// Reads an expression and a zone's name.
    ///
    /// # Errors
    /// [`Unfit`]: the field, and what it must be. An expression that names no second at all is refused too.
    pub fn parse(expression: &str, timezone: &str) -> Result<Calendar, Unfit> {
        let unfit = |field, message| Unfit { field, message };
        let expression = Expression::parse(expression)
            .map_err(|message| unfit("run_policy.expression", message))?;
        let zone = TimeZone::get(timezone).map_err(|_| {
            let message = format!("must be an IANA time zone; `{timezone}` is none");
            unfit("run_policy.timezone", message)
        })?;
        if expression.from(0).is_none() {
            let message = "names a day that never comes".to_owned();
            return Err(unfit("run_policy.expression", message));
        }
        Ok(Calendar {
            twice: expression.is_hourly() || expression.is_finer_than_hours(),
            makes_up: !expression.is_hourly(),
            expression,
            zone,
        })
    }

    fn offset(&self, second: i64) -> i64 {
        let at = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX);
        self.zone.to_offset(at).seconds().into()
    }

    /// The stretch that a second is in.
    fn stretch(&self, second: i64) -> Stretch {
        let at = |second| jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX);
        let from = self.zone.preceding(at(second + 1)).next();
        let from = from.map(|from| from.timestamp().as_second());
        let until = self.zone.following(at(second)).next();
        let offset = self.offset(second);
        Stretch {
            from,
            until: until.map(|until| until.timestamp().as_second()),
            offset,
            before: from.map_or(offset, |from| self.offset(from - 1)),
        }
    }

    /// The first local second of a stretch that counts: after clocks were put back, most schedules leave out what they have had.
    fn opening(&self, stretch: &Stretch) -> i64 {
        let from = stretch
            .from
            .map_or(i64::MIN / 2, |from| from + stretch.offset);
        match stretch.from {
            Some(at) if !self.twice => from.max(at + stretch.before),
            _ => from,
        }
    }

    /// Whether the beginning of a stretch stands for local times that a gap took before it.
    fn made_up(&self, stretch: &Stretch) -> bool {
        let Some(from) = stretch.from.filter(|_| self.makes_up) else {
            return false;
        };
        let (gap, end) = (from + stretch.before, from + stretch.offset);
        gap < end && self.expression.from(gap).is_some_and(|local| local < end)
    }

    /// The first instant from this second on.
    fn second_from(&self, mut second: i64) -> Option<i64> {
        while second <= LAST {
            let stretch = self.stretch(second);
            if stretch.from == Some(second) && self.made_up(&stretch) {
                return Some(second);
            }
            let local = (second + stretch.offset).max(self.opening(&stretch));
            let found = self.expression.from(local)? - stretch.offset;
            let Some(until) = stretch.until.filter(|until| *until <= found) else {
                return Some(found).filter(|found| *found <= LAST);
            };
            let goes_back = self.offset(until) < stretch.offset;
            // Nothing is named before `found`, unless a clock put back shows again what is behind it.
            second = if goes_back {
                until
            } else {
                until.max(found - 2 * DAY)
            };
        }
        None
    }

    /// The last instant up to this second.
    fn second_to(&self, mut second: i64) -> Option<i64> {
        while second >= 0 {
            let stretch = self.stretch(second);
            let found = self.expression.to(second + stretch.offset);
            let opening = self.opening(&stretch);
            if let Some(found) = found.filter(|found| *found >= opening) {
                return Some(found - stretch.offset);
            }
            let from = stretch.from?;
            if self.made_up(&stretch) {
                return Some(from);
            }
            second = match found {
                Some(found) if stretch.before <= stretch.offset => {
                    (from - 1).min(found - stretch.offset + 2 * DAY)
                }
                _ => from - 1,
            };
        }
        None
    }

    /// The first instant after this one.
    #[must_use]
    pub fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        let second = self.second_from((instant.0 / 1000) as i64 + 1)?;
        u64::try_from(second)
            .ok()
            .map(|second| Timestamp(second * 1000))
    }

    /// The last instant up to this one, itself included.
    #[must_use]
    pub fn up_to(&self, instant: Timestamp) -> Option<Timestamp> {
        let second = self.second_to((instant.0 / 1000) as i64)?;
        u64::try_from(second)
            .ok()
            .map(|second| Timestamp(second * 1000))
    }

    /// How many instants there are after `after`, up to `through`.
    #[must_use]
    pub fn count(&self, after: Timestamp, through: Timestamp) -> u64 {
        let mut second = (after.0 / 1000) as i64 + 1;
        let last = ((through.0 / 1000) as i64).min(LAST);
        let mut count = 0;
        while second <= last {
            let stretch = self.stretch(second);
            if stretch.from == Some(second)
                && self.made_up(&stretch)
                && !self.expression.names(second + stretch.offset)
            {
                count += 1;
            }
            let until = stretch.until.map_or(last + 1, |until| until.min(last + 1));
            let from = (second + stretch.offset).max(self.opening(&stretch));
            count += self.expression.count(from, until + stretch.offset);
            second = until;
        }
        count
    }
}
