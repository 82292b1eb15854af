//! Spans of time as people write them: `250ms`, `30s`, `5m`, `2h`, `1d`.

use std::time::Duration;

/// Reads a span.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("expected a number and a unit, such as 250ms, 30s, 5m, 2h or 1d".into()),
    };
    if number.is_empty() {
        return Err("expected a number before the unit, such as 30s".into());
    }
    let ms = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit_ms));
    ms.map(Duration::from_millis)
        .ok_or_else(|| "the span is too long".into())
}

/// The whole milliseconds of a span.
pub(crate) fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read() {
        let read = |text| parse(text).map(ms);
        assert_eq!(read("250ms"), Ok(250));
        assert_eq!(read("30s"), Ok(30_000));
        assert_eq!(read("5m"), Ok(300_000));
        assert_eq!(read("2h"), Ok(7_200_000));
        assert_eq!(read(" 1d "), Ok(86_400_000));
        assert_eq!(read("0s"), Ok(0));
    }

    #[test]
    fn what_is_not_a_span_is_refused_with_an_example() {
        for text in ["", "30", "s", "-1s", "1.5s", "1 s", "5min", "1w"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("5").is_err_and(|message| message.contains("30s")));
        assert!(parse("99999999999999999999d").is_err_and(|message| message.contains("too long")));
        assert!(parse("18446744073709551615d").is_err_and(|message| message.contains("too long")));
    }
}
