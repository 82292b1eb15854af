//! Instants of calendars, written down by hand from the rules of the time zones.

use mainstay::{Calendar, Timestamp};

/// An instant in milliseconds from its RFC 3339 text.
fn at(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap();
    Timestamp(instant.as_millisecond() as u64)
}

fn shown(instant: Timestamp) -> String {
    let instant = jiff::Timestamp::from_millisecond(instant.0 as i64).unwrap();
    instant.to_string()
}

/// One row: an expression, a zone, where to begin, and the instants that follow.
type Row<'a> = (&'a str, &'a str, &'a str, &'a [&'a str]);

fn check(rows: &[Row<'_>]) {
    for (expression, zone, from, expected) in rows {
        let calendar = Calendar::parse(expression, zone).unwrap();
        let mut instant = at(from);
        let mut forward = Vec::new();
        for _ in *expected {
            instant = calendar.after(instant).unwrap();
            forward.push(instant);
        }
        let told: Vec<String> = forward.iter().copied().map(shown).collect();
        assert_eq!(told, *expected, "{expression} in {zone} after {from}");
        // The same backwards, and as a count.
        let mut back = Vec::new();
        while let Some(before) = calendar.up_to(instant).filter(|before| *before > at(from)) {
            back.push(before);
            instant = Timestamp(before.0 - 1);
        }
        back.reverse();
        assert_eq!(back, forward, "{expression} in {zone} backwards to {from}");
        let last = *forward.last().unwrap();
        let count = calendar.count(at(from), last);
        assert_eq!(count, expected.len() as u64, "{expression} in {zone}");
        let count = calendar.count(at(from), Timestamp(last.0 - 1));
        assert_eq!(count + 1, expected.len() as u64, "{expression} in {zone}");
    }
}

#[test]
fn clocks_that_go_forward() {
    check(&[
        // New York: 2026-03-08 02:00 -05:00 becomes 03:00 -04:00.
        (
            "30 2 * * *",
            "America/New_York",
            "2026-03-07T00:00:00Z",
            &[
                "2026-03-07T07:30:00Z",
                "2026-03-08T07:00:00Z",
                "2026-03-09T06:30:00Z",
            ],
        ),
        (
            "*/30 * * * *",
            "America/New_York",
            "2026-03-08T06:29:00Z",
            &[
                "2026-03-08T06:30:00Z",
                "2026-03-08T07:00:00Z",
                "2026-03-08T07:30:00Z",
            ],
        ),
        (
            "0 3 * * *",
            "America/New_York",
            "2026-03-08T00:00:00Z",
            &["2026-03-08T07:00:00Z", "2026-03-09T07:00:00Z"],
        ),
        (
            "0 2,3 * * *",
            "America/New_York",
            "2026-03-08T00:00:00Z",
            &["2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"],
        ),
        (
            "0,15,30,45 2 * * *",
            "America/New_York",
            "2026-03-08T00:00:00Z",
            &["2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"],
        ),
        // Berlin: 2026-03-29 02:00 +01:00 becomes 03:00 +02:00.
        (
            "15 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            &["2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"],
        ),
        // London: 2026-03-29 01:00 +00:00 becomes 02:00 +01:00.
        (
            "59 1 * * *",
            "Europe/London",
            "2026-03-28T12:00:00Z",
            &["2026-03-29T01:00:00Z", "2026-03-30T00:59:00Z"],
        ),
        // Lord Howe: 2026-10-04 02:00 +10:30 becomes 02:30 +11:00.
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-02T20:00:00Z",
            &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
        ),
        (
            "45 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            &["2026-10-03T15:45:00Z"],
        ),
        // Cairo: 2026-04-24 00:00 +02:00 becomes 01:00 +03:00.
        (
            "0 0 * * *",
            "Africa/Cairo",
            "2026-04-23T12:00:00Z",
            &["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"],
        ),
        // São Paulo, while it had summer time: 2018-11-04 00:00 -03:00 became 01:00 -02:00.
        (
            "30 0 * * *",
            "America/Sao_Paulo",
            "2018-11-03T12:00:00Z",
            &["2018-11-04T03:00:00Z", "2018-11-05T02:30:00Z"],
        ),
        // Tehran, while it had summer time: 2022-03-22 00:00 +03:30 became 01:00 +04:30.
        (
            "0 0 * * *",
            "Asia/Tehran",
            "2022-03-21T12:00:00Z",
            &["2022-03-21T20:30:00Z", "2022-03-22T19:30:00Z"],
        ),
        // Troll: 2026-03-29 01:00 +00:00 becomes 03:00 +02:00, two hours at once.
        (
            "30 1 * * *",
            "Antarctica/Troll",
            "2026-03-28T12:00:00Z",
            &["2026-03-29T01:00:00Z", "2026-03-29T23:30:00Z"],
        ),
        (
            "30 1,2 * * *",
            "Antarctica/Troll",
            "2026-03-28T12:00:00Z",
            &["2026-03-29T01:00:00Z", "2026-03-29T23:30:00Z"],
        ),
    ]);
}

#[test]
fn clocks_that_go_back() {
    check(&[
        // New York: 2026-11-01 02:00 -04:00 becomes 01:00 -05:00.
        (
            "30 1 * * *",
            "America/New_York",
            "2026-10-31T12:00:00Z",
            &["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
        ),
        (
            "*/30 1 * * *",
            "America/New_York",
            "2026-11-01T00:00:00Z",
            &[
                "2026-11-01T05:00:00Z",
                "2026-11-01T05:30:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T06:30:00Z",
                "2026-11-02T06:00:00Z",
            ],
        ),
        (
            "0 * * * *",
            "America/New_York",
            "2026-11-01T04:30:00Z",
            &[
                "2026-11-01T05:00:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T07:00:00Z",
            ],
        ),
        // The last instant of the first half is the last: the second half is left out from its beginning.
        (
            "0 1 * * *",
            "America/New_York",
            "2026-11-01T05:30:00Z",
            &["2026-11-02T06:00:00Z"],
        ),
        // Once a week, finer than an hour, from within the first half.
        (
            "*/20 1 * * 0",
            "America/New_York",
            "2026-11-01T05:50:00Z",
            &[
                "2026-11-01T06:00:00Z",
                "2026-11-01T06:20:00Z",
                "2026-11-01T06:40:00Z",
                "2026-11-08T06:00:00Z",
            ],
        ),
        // Berlin: 2026-10-25 03:00 +02:00 becomes 02:00 +01:00.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        ),
        // London: 2026-10-25 02:00 +01:00 becomes 01:00 +00:00.
        (
            "0 1 * * *",
            "Europe/London",
            "2026-10-24T12:00:00Z",
            &["2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"],
        ),
        // Lord Howe: 2026-04-05 02:00 +11:00 becomes 01:30 +10:30.
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T00:00:00Z",
            &["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
        ),
        (
            "*/15 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T13:50:00Z",
            &[
                "2026-04-04T14:00:00Z",
                "2026-04-04T14:15:00Z",
                "2026-04-04T14:30:00Z",
                "2026-04-04T14:45:00Z",
                "2026-04-04T15:00:00Z",
                "2026-04-04T15:15:00Z",
                "2026-04-05T14:30:00Z",
            ],
        ),
        // Cairo: 2026-10-30 00:00 +03:00 becomes 2026-10-29 23:00 +02:00.
        (
            "30 23 * * *",
            "Africa/Cairo",
            "2026-10-29T12:00:00Z",
            &["2026-10-29T20:30:00Z", "2026-10-30T21:30:00Z"],
        ),
        // São Paulo: 2018-02-18 00:00 -02:00 became 2018-02-17 23:00 -03:00.
        (
            "15 23 * * *",
            "America/Sao_Paulo",
            "2018-02-17T12:00:00Z",
            &["2018-02-18T01:15:00Z", "2018-02-19T02:15:00Z"],
        ),
        // Tehran: 2022-09-22 00:00 +04:30 became 2022-09-21 23:00 +03:30.
        (
            "0 23 * * *",
            "Asia/Tehran",
            "2022-09-21T12:00:00Z",
            &["2022-09-21T18:30:00Z", "2022-09-22T19:30:00Z"],
        ),
        // Troll: 2026-10-25 03:00 +02:00 becomes 01:00 +00:00.
        (
            "30 2 * * *",
            "Antarctica/Troll",
            "2026-10-24T12:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-26T02:30:00Z"],
        ),
    ]);
}

#[test]
fn a_day_that_a_zone_left_out() {
    check(&[
        // Apia went from 2011-12-29 24:00 -10:00 to 2011-12-31 00:00 +14:00.
        (
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-29T00:00:00Z",
            &[
                "2011-12-29T22:00:00Z",
                "2011-12-30T10:00:00Z",
                "2011-12-30T22:00:00Z",
                "2011-12-31T22:00:00Z",
            ],
        ),
        (
            "0 * * * *",
            "Pacific/Apia",
            "2011-12-30T08:30:00Z",
            &[
                "2011-12-30T09:00:00Z",
                "2011-12-30T10:00:00Z",
                "2011-12-30T11:00:00Z",
            ],
        ),
        (
            "0 12 30 12 *",
            "Pacific/Apia",
            "2011-01-01T00:00:00Z",
            &["2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"],
        ),
    ]);
}

#[test]
fn fields_names_ranges_and_steps() {
    check(&[
        (
            "0 9 * * 1-5",
            "UTC",
            "2026-11-20T12:00:00Z",
            &["2026-11-23T09:00:00Z", "2026-11-24T09:00:00Z"],
        ),
        (
            "0 9 * * mon-FRI",
            "UTC",
            "2026-11-20T12:00:00Z",
            &["2026-11-23T09:00:00Z"],
        ),
        (
            "0 0 * * 0",
            "UTC",
            "2026-11-21T00:00:00Z",
            &["2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"],
        ),
        (
            "0 0 * * 7",
            "UTC",
            "2026-11-21T00:00:00Z",
            &["2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"],
        ),
        (
            "0 0 * * SUN",
            "UTC",
            "2026-11-21T00:00:00Z",
            &["2026-11-22T00:00:00Z"],
        ),
        (
            "0 0 * * fri-sun",
            "UTC",
            "2026-11-19T00:00:00Z",
            &[
                "2026-11-20T00:00:00Z",
                "2026-11-21T00:00:00Z",
                "2026-11-22T00:00:00Z",
                "2026-11-27T00:00:00Z",
            ],
        ),
        (
            "0 0 1 jan,JUL *",
            "UTC",
            "2026-01-01T00:00:00Z",
            &["2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"],
        ),
        (
            "10-30/10 6 * * *",
            "UTC",
            "2026-11-21T00:00:00Z",
            &[
                "2026-11-21T06:10:00Z",
                "2026-11-21T06:20:00Z",
                "2026-11-21T06:30:00Z",
                "2026-11-22T06:10:00Z",
            ],
        ),
        (
            "5/20 * * * *",
            "UTC",
            "2026-11-21T00:00:00Z",
            &[
                "2026-11-21T00:05:00Z",
                "2026-11-21T00:25:00Z",
                "2026-11-21T00:45:00Z",
            ],
        ),
        // Day of the month and weekday both named: either will do.
        (
            "0 0 13 * fri",
            "UTC",
            "2026-11-11T00:00:00Z",
            &[
                "2026-11-13T00:00:00Z",
                "2026-11-20T00:00:00Z",
                "2026-11-27T00:00:00Z",
                "2026-12-04T00:00:00Z",
                "2026-12-11T00:00:00Z",
                "2026-12-13T00:00:00Z",
            ],
        ),
        (
            "*/20 30 8 * * *",
            "UTC",
            "2026-11-21T00:00:00Z",
            &[
                "2026-11-21T08:30:00Z",
                "2026-11-21T08:30:20Z",
                "2026-11-21T08:30:40Z",
                "2026-11-22T08:30:00Z",
            ],
        ),
        (
            "0 0 12 * * ? 2027",
            "UTC",
            "2026-11-21T00:00:00Z",
            &["2027-01-01T12:00:00Z", "2027-01-02T12:00:00Z"],
        ),
        (
            "0 0 0 1 1 * 2030-2040/5",
            "UTC",
            "2026-11-21T00:00:00Z",
            &[
                "2030-01-01T00:00:00Z",
                "2035-01-01T00:00:00Z",
                "2040-01-01T00:00:00Z",
            ],
        ),
        (
            "* * * * * *",
            "UTC",
            "2026-11-21T00:00:00.500Z",
            &["2026-11-21T00:00:01Z", "2026-11-21T00:00:02Z"],
        ),
        (
            "@daily",
            "Asia/Kolkata",
            "2026-11-21T00:00:00Z",
            &["2026-11-21T18:30:00Z"],
        ),
        (
            "45 5 * * *",
            "Asia/Kathmandu",
            "2026-11-21T00:00:00Z",
            &["2026-11-22T00:00:00Z"],
        ),
    ]);
}

#[test]
fn leap_days_and_the_far_future() {
    check(&[
        (
            "0 0 29 2 *",
            "UTC",
            "2026-01-01T00:00:00Z",
            &[
                "2028-02-29T00:00:00Z",
                "2032-02-29T00:00:00Z",
                "2036-02-29T00:00:00Z",
            ],
        ),
        // 2100 is no leap year.
        (
            "0 0 29 2 *",
            "UTC",
            "2096-03-01T00:00:00Z",
            &["2104-02-29T00:00:00Z"],
        ),
        (
            "0 0 31 * *",
            "UTC",
            "2026-01-31T00:00:00Z",
            &["2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"],
        ),
        (
            "0 12 1 1 *",
            "Europe/Berlin",
            "2999-06-01T00:00:00Z",
            &["3000-01-01T11:00:00Z"],
        ),
        (
            "0 12 1 7 *",
            "America/New_York",
            "9000-01-01T00:00:00Z",
            &["9000-07-01T16:00:00Z"],
        ),
        (
            "0 0 0 28 12 * 9999",
            "UTC",
            "2026-01-01T00:00:00Z",
            &["9999-12-28T00:00:00Z"],
        ),
    ]);
    let last = Calendar::parse("0 0 1 1 *", "UTC").unwrap();
    assert_eq!(last.after(at("9999-06-01T00:00:00Z")), None);
    let past = Calendar::parse("0 0 0 1 1 * 2020", "UTC").unwrap();
    assert_eq!(past.after(at("2026-01-01T00:00:00Z")), None);
    assert_eq!(
        past.up_to(at("2026-01-01T00:00:00Z")).map(shown).as_deref(),
        Some("2020-01-01T00:00:00Z")
    );
}

#[test]
fn what_is_no_calendar_is_refused_by_field() {
    for expression in [
        "",
        "*",
        "* * * *",
        "* * * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "a * * * *",
        "1,,2 * * * *",
        "1- * * * *",
        "-1 * * * *",
        "+1 * * * *",
        "1/ * * * *",
        "* * * * mon-xyz",
        "0 0 0 1 1 * 1969",
        "0 0 0 1 1 * 10000",
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
        "0 0 0 29 2 * 2025-2027",
        "99999999999 * * * *",
        "@often",
        "* * * jan-13 *",
        "1;2 * * * *",
    ] {
        let refused = Calendar::parse(expression, "UTC").unwrap_err();
        assert_eq!(refused.field, "run_policy.expression", "{expression}");
    }
    for zone in [
        "",
        "Mars/Olympus",
        "Europe/Berlin ",
        "../etc/passwd",
        "+25:00",
    ] {
        let refused = Calendar::parse("0 0 * * *", zone).unwrap_err();
        assert_eq!(refused.field, "run_policy.timezone", "{zone}");
    }
}
