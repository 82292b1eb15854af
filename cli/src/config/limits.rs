//! What a value of the configuration may be: sizes and spans with their ranges.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::span;

const DAY_MS: u64 = 86_400_000;

/// A size in bytes with its range.
#[derive(Clone, Debug)]
pub(crate) struct Size(pub(crate) RangeInclusive<u64>);

/// A span in milliseconds with its range.
#[derive(Clone, Debug)]
pub(crate) struct Span(pub(crate) RangeInclusive<u64>);

/// Bytes of one log segment.
pub(crate) const SEGMENT: Size = Size(64 << 10..=1 << 30);
/// Bytes of log kept beyond what recovery needs.
pub(crate) const RETAIN: Size = Size(0..=1 << 50);
/// How long the log is kept beyond what recovery needs.
pub(crate) const RETAIN_AGE: Span = Span(0..=3650 * DAY_MS);
/// How long finished work is kept.
pub(crate) const KEEP: Span = Span(60_000..=3650 * DAY_MS);
/// Bytes of the store beyond which the oldest finished work goes.
pub(crate) const HISTORY: Size = Size(1 << 20..=1 << 50);
/// Bytes of payloads in memory.
pub(crate) const PAYLOAD_CACHE: Size = Size(0..=1 << 40);
/// Free bytes below which new work is refused.
pub(crate) const LOW_WATER: Size = Size(0..=1 << 50);
/// How far the clocks of an issuer of tokens may differ from ours.
pub(crate) const LEEWAY: Span = Span(0..=300_000);

impl Size {
    /// Reads `268435456`, `256MiB`, `1GiB`.
    pub(crate) fn read(&self, text: &str) -> Result<u64, String> {
        bytes(text)
            .filter(|bytes| self.0.contains(bytes))
            .ok_or_else(|| self.expected())
    }

    /// Checks a plain number of bytes.
    pub(crate) fn check(&self, bytes: u64) -> Result<u64, String> {
        if self.0.contains(&bytes) {
            Ok(bytes)
        } else {
            Err(self.expected())
        }
    }

    fn expected(&self) -> String {
        format!(
            "expected bytes from {} to {}, such as 268435456 or \"256MiB\"",
            shown(*self.0.start()),
            shown(*self.0.end())
        )
    }
}

impl Span {
    /// Reads `30d`, `12h`.
    pub(crate) fn read(&self, text: &str) -> Result<u64, String> {
        let ms = span::parse(text).map(span::ms).ok();
        ms.filter(|ms| self.0.contains(ms)).ok_or_else(|| {
            let (from, to) = (self.0.start(), self.0.end());
            format!(
                "expected a span from {} to {}, such as \"30d\"",
                span_shown(*from),
                span_shown(*to)
            )
        })
    }
}

fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

fn shown(bytes: u64) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fits = units
        .iter()
        .find(|(shift, _)| bytes >= 1 << shift && bytes.is_multiple_of(1 << shift));
    match fits {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

fn span_shown(ms: u64) -> String {
    let units = [(DAY_MS, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let fits = units
        .iter()
        .find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit));
    match fits {
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None => format!("{}ms", Duration::from_millis(ms).as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::{KEEP, PAYLOAD_CACHE, SEGMENT};

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        assert_eq!(PAYLOAD_CACHE.read("0"), Ok(0));
        assert_eq!(SEGMENT.read("65536"), Ok(65536));
        assert_eq!(SEGMENT.read("1 GiB"), Ok(1 << 30));
        for text in [
            "",
            "MiB",
            "1MB",
            "-1",
            "1.5GiB",
            "2GiB",
            "99999999999999999999",
            "18446744073709551615TiB",
        ] {
            let refused = SEGMENT.read(text).expect_err(text);
            assert!(refused.contains("from 64KiB to 1GiB"), "{refused}");
        }
    }

    #[test]
    fn spans_have_a_range_that_is_told() {
        assert_eq!(KEEP.read("30d"), Ok(30 * 86_400_000));
        for text in ["30", "0s", "4000d", "soon"] {
            let refused = KEEP.read(text).expect_err(text);
            assert!(refused.contains("from 1m to 3650d"), "{refused}");
        }
    }
}
