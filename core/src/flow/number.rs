//! Numbers as JSON writes them, compared by what they are worth.
//! Owns: the grammar of a number and its exact order.
//! Never: rounds; there is no floating point here.

use alloc::string::String;
use core::cmp::Ordering;

/// Digits of an exponent; beyond them a number is worth nothing to anybody.
const EXPONENT_DIGITS_MAX: usize = 6;

/// A number with the text it was written with. Two are equal when they are worth the same: `1`, `1.0` and `10e-1` are.
#[derive(Clone, Debug)]
pub struct Number(String);

/// What a number is worth: its sign, its significant digits without zeros at either end, and the power of ten of the first of them.
struct Worth<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    /// How many powers of ten the first digit of `whole` and `fraction` together stands left of the point.
    point: i64,
}

impl Number {
    /// Reads a number by the grammar of RFC 8259 §6; exponents have at most six digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Number> {
        let (_, unsigned) = sign_of(text);
        let (mantissa, exponent) = parts_of(unsigned);
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let is_whole = digits(whole) && (whole.len() == 1 || !whole.starts_with('0'));
        let is_exponent = |part: &str| {
            let digits_only = part.strip_prefix(['+', '-']).unwrap_or(part);
            digits(digits_only) && digits_only.len() <= EXPONENT_DIGITS_MAX
        };
        let fits = is_whole && fraction.is_none_or(digits) && exponent.is_none_or(is_exponent);
        fits.then(|| Number(String::from(text)))
    }

    /// The number as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number, if it is a whole one from 0 on.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The number in thousandths, if that is a whole number from 0 on and it is written without an exponent.
    #[must_use]
    pub fn thousandths(&self) -> Option<u64> {
        let (whole, fraction) = self.0.split_once('.').unwrap_or((&self.0, ""));
        if fraction.len() > 3 {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let fraction: u64 = match fraction {
            "" => 0,
            digits => digits.parse::<u64>().ok()? * 10u64.pow(3 - digits.len() as u32),
        };
        whole.checked_mul(1000)?.checked_add(fraction)
    }

    fn worth(&self) -> Option<Worth<'_>> {
        let (negative, unsigned) = sign_of(&self.0);
        let (mantissa, exponent) = parts_of(unsigned);
        let exponent: i64 = exponent.map_or(Some(0), |text| text.parse().ok())?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if whole.is_empty() {
            let digits = fraction.trim_start_matches('0');
            if digits.is_empty() {
                return None;
            }
            let zeros = (fraction.len() - digits.len()) as i64;
            return Some(Worth {
                negative,
                whole: "",
                fraction: digits,
                point: exponent - zeros,
            });
        }
        Some(Worth {
            negative,
            whole,
            fraction,
            point: exponent + whole.len() as i64,
        })
    }
}

impl Worth<'_> {
    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    /// The order without the sign.
    fn size(&self, other: &Worth<'_>) -> Ordering {
        let pad = |digits: usize, longest: usize| core::iter::repeat_n(b'0', longest - digits);
        let (own, theirs) = (
            self.whole.len() + self.fraction.len(),
            other.whole.len() + other.fraction.len(),
        );
        let longest = own.max(theirs);
        self.point.cmp(&other.point).then_with(|| {
            let own = self.digits().chain(pad(own, longest));
            own.cmp(other.digits().chain(pad(theirs, longest)))
        })
    }
}

fn sign_of(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

fn parts_of(unsigned: &str) -> (&str, Option<&str>) {
    match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let sign = |worth: &Option<Worth<'_>>| match worth {
            None => 0,
            Some(worth) if worth.negative => -1,
            Some(_) => 1,
        };
        let (own, theirs) = (self.worth(), other.worth());
        sign(&own)
            .cmp(&sign(&theirs))
            .then_with(|| match (own, theirs) {
                (Some(own), Some(theirs)) if own.negative => theirs.size(&own),
                (Some(own), Some(theirs)) => own.size(&theirs),
                _ => Ordering::Equal,
            })
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Number {
        Number(alloc::format!("{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::read(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn the_same_worth_is_the_same_number() {
        for (a, b) in [
            ("1", "1.0"),
            ("1", "10e-1"),
            ("0", "-0.00e5"),
            ("100", "1e2"),
            ("0.001", "1E-3"),
            ("-12.50", "-1.25e+1"),
        ] {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
    }

    #[test]
    fn thousandths_are_exact_or_none() {
        for (text, worth) in [
            ("2", Some(2000)),
            ("1.5", Some(1500)),
            ("0.001", Some(1)),
            ("1.0005", None),
            ("-1", None),
            ("1e3", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(number(text).thousandths(), worth, "{text}");
        }
    }

    #[test]
    fn the_order_is_exact() {
        let rising = [
            "-1e999999",
            "-2",
            "-1.0000000000000000000000001",
            "-1",
            "-0.1",
            "0",
            "1e-999999",
            "0.09999",
            "0.1",
            "0.1000000000000000000000001",
            "0.8",
            "0.81",
            "1",
            "9",
            "10",
            "10.5",
            "99",
            "100",
            "9007199254740992",
            "9007199254740993",
            "1e100",
        ];
        for pair in rising.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
            assert!(number(pair[1]) > number(pair[0]), "{pair:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            "-",
            "01",
            "1.",
            ".1",
            "1e",
            "1e+",
            "1.e1",
            "0x1",
            "1e1234567",
            "1_0",
            "١",
        ] {
            assert!(Number::read(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_ordered_as_such(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(number(&format!("{a}")).cmp(&number(&format!("{b}"))), a.cmp(&b));
        }

        #[test]
        fn shifting_the_point_changes_nothing(a in any::<i32>(), shift in 0u32..30) {
            let zeros = "0".repeat(shift as usize);
            let shifted = format!("{a}{zeros}e-{shift}");
            if a != 0 {
                prop_assert_eq!(number(&shifted), number(&format!("{a}")));
            }
        }
    }
}
