//! Expressions on the local clock of nowhere in particular: seconds since 1970 as a clock on the wall would count them.
//! Owns: which local seconds an expression names, the next, the one before, how many in between.
//! Never: knows a time zone.

use super::expression::{Expression, YEARS};

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// The Gregorian calendar repeats itself after so many years: what does not come within them never comes.
const CYCLE_YEARS: i64 = 400;

/// Year, month and day of a day counted from 1970-01-01, after Howard Hinnant's `civil_from_days`.
fn civil(day: i64) -> (i64, u32, u32) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    } as u32;
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The day of a date, counted from 1970-01-01.
fn day_of(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl Expression {
    /// Whether this local second is named.
    pub(super) fn names(&self, local: i64) -> bool {
        let second = local.rem_euclid(DAY) as u32;
        self.names_day(local.div_euclid(DAY))
            && self.hours.has(second / 3600)
            && self.minutes.has(second / 60 % 60)
            && self.seconds.has(second % 60)
    }

    fn names_year(&self, year: i64) -> bool {
        let allowed = |years: &Vec<u32>| {
            u32::try_from(year).is_ok_and(|year| years.binary_search(&year).is_ok())
        };
        (i64::from(*YEARS.start())..=i64::from(*YEARS.end())).contains(&year)
            && self.years.as_ref().is_none_or(allowed)
    }

    fn names_day(&self, day: i64) -> bool {
        let (year, month, of_month) = civil(day);
        self.months.has(month) && self.fits(day, of_month) && self.names_year(year)
    }

    /// Whether day of the month and weekday fit: either will do when both are named.
    fn fits(&self, day: i64, of_month: u32) -> bool {
        let weekday = (day + 4).rem_euclid(7) as u32;
        let (by_month, by_week) = (self.days.has(of_month), self.weekdays.has(weekday));
        if self.any_day || self.any_weekday {
            by_month && by_week
        } else {
            by_month || by_week
        }
    }

    /// The first named day from this one on.
    fn day_from(&self, mut day: i64) -> Option<i64> {
        let (first, ..) = civil(day);
        loop {
            let (year, month, of_month) = civil(day);
            if year > i64::from(*YEARS.end()) || year > first + CYCLE_YEARS && self.years.is_none()
            {
                return None;
            }
            if !self.names_year(year) {
                day = day_of(self.year_from(year + 1)?, 1, 1);
            } else if !self.months.has(month) {
                day = match self.months.from(month + 1) {
                    Some(month) => day_of(year, month, 1),
                    None => day_of(year + 1, 1, 1),
                };
            } else if self.fits(day, of_month) {
                return Some(day);
            } else {
                day += 1;
            }
        }
    }

    /// The last named day up to this one.
    fn day_to(&self, mut day: i64) -> Option<i64> {
        let (first, ..) = civil(day);
        loop {
            let (year, month, of_month) = civil(day);
            if year < i64::from(*YEARS.start())
                || year < first - CYCLE_YEARS && self.years.is_none()
            {
                return None;
            }
            if !self.names_year(year) {
                day = day_of(self.year_to(year - 1)?, 12, 31);
            } else if !self.months.has(month) {
                // The day before the first of this month; earlier months are looked at one by one, at most twelve of them.
                day = day_of(year, month, 1) - 1;
            } else if self.fits(day, of_month) {
                return Some(day);
            } else {
                day -= 1;
            }
        }
    }

    fn year_from(&self, year: i64) -> Option<i64> {
        match &self.years {
            None => Some(year),
            Some(years) => {
                let years = years.iter().map(|year| i64::from(*year));
                { years }.find(|known| *known >= year)
            }
        }
    }

    fn year_to(&self, year: i64) -> Option<i64> {
        match &self.years {
            None => Some(year),
            Some(years) => {
                let years = years.iter().rev().map(|year| i64::from(*year));
                { years }.find(|known| *known <= year)
            }
        }
    }

    /// The first named second of a day from this one on.
    fn second_from(&self, second: u32) -> Option<u32> {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        if self.hours.has(hour) {
            if self.minutes.has(minute)
                && let Some(second) = self.seconds.from(second % 60)
            {
                return Some(hour * 3600 + minute * 60 + second);
            }
            if let Some(minute) = self.minutes.from(minute + 1) {
                return Some(hour * 3600 + minute * 60 + self.seconds.from(0)?);
            }
        }
        let hour = self.hours.from(hour + 1)?;
        Some(hour * 3600 + self.minutes.from(0)? * 60 + self.seconds.from(0)?)
    }

    /// The last named second of a day up to this one.
    fn second_to(&self, second: u32) -> Option<u32> {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        if self.hours.has(hour) {
            if self.minutes.has(minute)
                && let Some(second) = self.seconds.to(second % 60)
            {
                return Some(hour * 3600 + minute * 60 + second);
            }
            if minute > 0
                && let Some(minute) = self.minutes.to(minute - 1)
            {
                return Some(hour * 3600 + minute * 60 + self.seconds.to(59)?);
            }
        }
        let hour = self.hours.to(hour.checked_sub(1)?)?;
        Some(hour * 3600 + self.minutes.to(59)? * 60 + self.seconds.to(59)?)
    }

    /// How many named seconds a named day has.
    fn per_day(&self) -> u64 {
        u64::from(self.hours.len()) * u64::from(self.minutes.len() * self.seconds.len())
    }

    /// How many named seconds of a named day come before this one.
    fn below(&self, second: u32) -> u64 {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let per_minute = self.seconds.len();
        let per_hour = self.minutes.len() * per_minute;
        let mut count = u64::from(self.hours.below(hour)) * u64::from(per_hour);
        if self.hours.has(hour) {
            count += u64::from(self.minutes.below(minute) * per_minute);
            if self.minutes.has(minute) {
                count += u64::from(self.seconds.below(second % 60));
            }
        }
        count
    }

    /// The first named local second from this one on.
    pub(super) fn from(&self, local: i64) -> Option<i64> {
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY) as u32);
        if self.names_day(day)
            && let Some(second) = self.second_from(second)
        {
            return Some(day * DAY + i64::from(second));
        }
        let day = self.day_from(day + 1)?;
        Some(day * DAY + i64::from(self.second_from(0)?))
    }

    /// The last named local second up to this one.
    pub(super) fn to(&self, local: i64) -> Option<i64> {
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY) as u32);
        if self.names_day(day)
            && let Some(second) = self.second_to(second)
        {
            return Some(day * DAY + i64::from(second));
        }
        let day = self.day_to(day - 1)?;
        Some(day * DAY + i64::from(self.second_to(DAY as u32 - 1)?))
    }

    /// How many local seconds from `from` on and before `to` are named.
    pub(super) fn count(&self, from: i64, to: i64) -> u64 {
        if from >= to {
            return 0;
        }
        let (first, last) = (from.div_euclid(DAY), to.div_euclid(DAY));
        let before = |local: i64, day: i64| {
            if self.names_day(day) {
                self.below(local.rem_euclid(DAY) as u32)
            } else {
                0
            }
        };
        let mut days = 0;
        let mut day = self.day_from(first);
        while let Some(named) = day.filter(|day| *day < last) {
            days += 1;
            day = if self.names_day(named + 1) {
                Some(named + 1)
            } else {
                self.day_from(named + 1)
            };
        }
        days * self.per_day() + before(to, last) - before(from, first)
    }

    /// Whether it names every hour: then it goes by the hours that pass, not by those a clock shows.
    pub(super) fn is_hourly(&self) -> bool {
        self.hours.len() == 24
    }

    /// Whether it names several seconds of one hour.
    pub(super) fn is_finer_than_hours(&self) -> bool {
        self.minutes.len() * self.seconds.len() > 1
    }
}
