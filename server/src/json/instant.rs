//! Instants on the wire: written as RFC 3339 UTC with milliseconds, read in any offset and precision.

use mainstay_core::Timestamp;

/// The text form, such as `2026-01-02T03:04:05.678Z`.
pub(crate) fn write_instant(at: Timestamp, out: &mut Vec<u8>) {
    let ms = at.0.min(Timestamp::MAX.0);
    let (days, within) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil(days);
    digits(out, year, 4);
    out.push(b'-');
    digits(out, month, 2);
    out.push(b'-');
    digits(out, day, 2);
    out.push(b'T');
    digits(out, within / 3_600_000, 2);
    out.push(b':');
    digits(out, within / 60_000 % 60, 2);
    out.push(b':');
    digits(out, within / 1000 % 60, 2);
    out.push(b'.');
    digits(out, within % 1000, 3);
    out.push(b'Z');
}

fn digits(out: &mut Vec<u8>, value: u64, count: u32) {
    for place in (0..count).rev() {
        out.push(b'0' + (value / 10u64.pow(place) % 10) as u8);
    }
}

/// Year, month and day of a day since 1970-01-01 (Howard Hinnant's `civil_from_days`, for days that are not negative).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The instant that an RFC 3339 text names, cut to milliseconds; the error says what it must be.
pub(crate) fn read_instant(text: &str) -> Result<Timestamp, &'static str> {
    const FORM: &str = "must be an instant such as 2026-01-02T03:04:05.678Z";
    // Names of time zones and calendars in brackets are not RFC 3339.
    if text.contains('[') {
        return Err(FORM);
    }
    let instant: jiff::Timestamp = text.parse().map_err(|_| FORM)?;
    match u64::try_from(instant.as_millisecond()) {
        Ok(ms) if instant.as_nanosecond() >= 0 && ms <= Timestamp::MAX.0 => Ok(Timestamp(ms)),
        _ => Err("must lie between the years 1970 and 9999"),
    }
}

#[cfg(test)]
mod tests {
    use super::{read_instant, write_instant};
    use mainstay_core::Timestamp;

    fn text(ms: u64) -> String {
        let mut out = Vec::new();
        write_instant(Timestamp(ms), &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn instants_are_written_with_milliseconds_in_utc() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(951_782_400_001), "2000-02-29T00:00:00.001Z");
        assert_eq!(text(Timestamp::MAX.0), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_day_of_four_centuries_reads_back_as_it_was_written() {
        for day in 0..146_097u64 {
            let ms = day * 86_400_000 + 45_296_789;
            assert_eq!(read_instant(&text(ms)), Ok(Timestamp(ms)));
        }
    }

    #[test]
    fn any_offset_and_precision_is_read() {
        assert_eq!(read_instant("1970-01-01T02:00:00+02:00"), Ok(Timestamp(0)));
        assert_eq!(
            read_instant("1970-01-01T00:00:00.0019999Z"),
            Ok(Timestamp(1))
        );
        assert_eq!(
            read_instant("1969-12-31T20:00:01-04:00"),
            Ok(Timestamp(1000))
        );
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "now",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "1969-12-31T23:59:59.999Z",
            "1970-01-01T00:00Z[UTC]",
        ] {
            assert!(read_instant(text).is_err(), "{text}");
        }
    }
}
