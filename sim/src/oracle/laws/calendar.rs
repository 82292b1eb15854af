//! The instants of the few calendars that people use here, reckoned from the rules of their zones and not by any library.

use mainstay::Cron;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// The day number of the first of a month, counted from 1970-01-01.
fn month_begins(year: u64, month: u64) -> u64 {
    // Years are reckoned from March, so that the leap day is the last one.
    let (year, month) = match month {
        0..=2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5;
    days - 719_468
}

fn year_of(day: u64) -> u64 {
    let mut year = 1970 + day / 366;
    while month_begins(year + 1, 1) <= day {
        year += 1;
    }
    year
}

/// 1970-01-01 was a Thursday; Sunday is 0.
fn weekday(day: u64) -> u64 {
    (day + 4) % 7
}

fn first_sunday(year: u64, month: u64) -> u64 {
    let first = month_begins(year, month);
    first + (7 - weekday(first)) % 7
}

fn last_sunday(year: u64, month: u64) -> u64 {
    let last = month_begins(year, month + 1) - 1;
    last - weekday(last)
}

/// Whether Berlin is two hours ahead at this instant rather than one: from the last Sunday in March to the last in October, 01:00 UTC.
pub(crate) fn is_summer_in_berlin(at_ms: u64) -> bool {
    let year = year_of(at_ms / DAY_MS);
    let from = last_sunday(year, 3) * DAY_MS + HOUR_MS;
    let to = last_sunday(year, 10) * DAY_MS + HOUR_MS;
    (from..to).contains(&at_ms)
}

/// Whether Lord Howe is eleven hours ahead rather than ten and a half: from 02:00 on the first Sunday in October to 02:00 on the first in
/// April, each time by the clocks that were right before.
fn is_summer_on_lord_howe(at_ms: u64) -> bool {
    let year = year_of(at_ms / DAY_MS);
    let to = first_sunday(year, 4) * DAY_MS + 2 * HOUR_MS - 11 * HOUR_MS;
    let from = first_sunday(year, 10) * DAY_MS + 2 * HOUR_MS - 21 * HOUR_MS / 2;
    !(to..from).contains(&at_ms)
}

/// How far a zone's clocks are ahead, in milliseconds.
fn offset(zone: &str, at_ms: u64) -> u64 {
    match zone {
        "Europe/Berlin" if is_summer_in_berlin(at_ms) => 2 * HOUR_MS,
        "Europe/Berlin" => HOUR_MS,
        "Australia/Lord_Howe" if is_summer_on_lord_howe(at_ms) => 11 * HOUR_MS,
        "Australia/Lord_Howe" => 21 * HOUR_MS / 2,
        _ => 0,
    }
}

/// The instant at which a zone's clocks show this: the first of two, and of none the end of the gap.
fn instant(zone: &str, local_ms: u64) -> u64 {
    let (most, least) = match zone {
        "Europe/Berlin" => (2 * HOUR_MS, HOUR_MS),
        "Australia/Lord_Howe" => (11 * HOUR_MS, 21 * HOUR_MS / 2),
        _ => (0, 0),
    };
    for ahead in [most, least] {
        let at = local_ms - ahead;
        if offset(zone, at) == ahead {
            return at;
        }
    }
    // Clocks went forward at some instant between the two readings.
    let (mut before, mut after) = (local_ms - most, local_ms - least);
    while after - before > 1 {
        let middle = before.midpoint(after);
        if offset(zone, middle) == least {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

/// How many instants of a calendar lie after one moment and not after another; `None` for a calendar that is not known here.
pub(crate) fn count(cron: &Cron, after: u64, through: u64) -> Option<u64> {
    if through <= after {
        return Some(0);
    }
    // Zones are ahead by whole half hours: what recurs within the hour is the same in all of them.
    let up_to = |at: u64| match &*cron.expression {
        "* * * * *" => Some(at / MINUTE_MS),
        "*/2 * * * * *" => Some(at / 2000),
        "*/7 * * * * *" => Some(at / MINUTE_MS * 9 + at % MINUTE_MS / 7000),
        _ => None,
    };
    if let Some(through) = up_to(through) {
        return Some(through - up_to(after)?);
    }
    let (time, weekly) = match &*cron.expression {
        "0 3 * * *" => (3 * HOUR_MS, false),
        "30 2 * * 0" => (2 * HOUR_MS + HOUR_MS / 2, true),
        _ => return None,
    };
    let days = (after / DAY_MS).saturating_sub(1)..=through / DAY_MS + 1;
    let days = days.filter(|day| !weekly || weekday(*day) == 0);
    let instants = days.map(|day| instant(&cron.timezone, day * DAY_MS + time));
    Some(instants.filter(|at| *at > after && *at <= through).count() as u64)
}

#[cfg(test)]
mod tests {
    use mainstay::{Cron, Text};

    use super::*;

    fn cron(expression: &str, timezone: &str) -> Cron {
        Cron {
            expression: Text::from(expression),
            timezone: Text::from(timezone),
            ..Cron::default()
        }
    }

    /// 2024-03-31, when Berlin's clocks went from 02:00 to 03:00.
    const SPRING: u64 = 1_711_843_200_000;
    /// 2024-10-27, when they went back from 03:00 to 02:00.
    const AUTUMN: u64 = 1_729_987_200_000;

    fn first_after(cron: &Cron, after: u64) -> u64 {
        let mut at = after;
        while count(cron, after, at) == Some(0) {
            at += MINUTE_MS / 2;
        }
        at - after
    }

    #[test]
    fn days_and_weekdays_are_those_of_the_calendar() {
        assert_eq!(month_begins(1970, 1), 0);
        assert_eq!(month_begins(2024, 3) - month_begins(2024, 2), 29);
        assert_eq!(month_begins(2100, 3) - month_begins(2100, 2), 28);
        assert_eq!(last_sunday(2024, 3) * DAY_MS, SPRING);
        assert_eq!(last_sunday(2024, 10) * DAY_MS, AUTUMN);
        assert_eq!(year_of(month_begins(2063, 12) + 30), 2063);
        assert_eq!(first_sunday(2024, 4), month_begins(2024, 4) + 6);
    }

    #[test]
    fn a_time_in_a_gap_comes_right_after_it_and_one_in_a_fold_once() {
        let berlin = cron("30 2 * * 0", "Europe/Berlin");
        assert_eq!(first_after(&berlin, SPRING - HOUR_MS), 2 * HOUR_MS);
        assert_eq!(first_after(&berlin, AUTUMN), HOUR_MS / 2);
        assert_eq!(count(&berlin, AUTUMN, AUTUMN + DAY_MS), Some(1));
        let howe = cron("0 3 * * *", "Australia/Lord_Howe");
        // 2024-10-06: standard time the day before, summer time on the day.
        let day = first_sunday(2024, 10) * DAY_MS;
        assert_eq!(
            first_after(&howe, day - 32 * HOUR_MS - HOUR_MS / 2),
            HOUR_MS
        );
        assert_eq!(first_after(&howe, day - 9 * HOUR_MS), HOUR_MS);
    }

    #[test]
    fn short_calendars_are_counted_without_walking() {
        let every = |expression, from, to| count(&cron(expression, "UTC"), from, to);
        assert_eq!(every("* * * * *", 0, HOUR_MS), Some(60));
        assert_eq!(every("*/2 * * * * *", 1, 2000), Some(1));
        assert_eq!(every("*/7 * * * * *", 55_000, 60_000), Some(2));
        assert_eq!(every("*/7 * * * * *", 56_000, 60_000), Some(1));
        assert_eq!(every("1 1 1 1 1", 0, 1), None);
    }
}
