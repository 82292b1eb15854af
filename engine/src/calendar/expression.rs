//! Cron expressions: five fields, six with seconds in front, seven with a year behind.
//! Owns: what each field may say.
//! Never: knows a time zone.

use super::bits::Bits;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// The years an expression may name.
pub(super) const YEARS: std::ops::RangeInclusive<u32> = 1970..=9999;

/// What an expression allows, field by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    pub(super) seconds: Bits,
    pub(super) minutes: Bits,
    pub(super) hours: Bits,
    pub(super) days: Bits,
    pub(super) months: Bits,
    pub(super) weekdays: Bits,
    /// The day of the month is `*`: the weekday alone counts, and the other way round. When both are named, either will do.
    pub(super) any_day: bool,
    pub(super) any_weekday: bool,
    /// Years in rising order; none for every year.
    pub(super) years: Option<Vec<u32>>,
}

/// One field: its name for people, its bounds, its names for numbers.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 7] = [
    field("second", 0, 59, &[]),
    field("minute", 0, 59, &[]),
    field("hour", 0, 23, &[]),
    field("day of the month", 1, 31, &[]),
    field("month", 1, 12, &MONTHS),
    field("weekday", 0, 7, &DAYS),
    field("year", 1970, 9999, &[]),
];

const fn field(name: &'static str, least: u32, most: u32, names: &'static [&'static str]) -> Field {
    Field {
        name,
        least,
        most,
        names,
    }
}

impl Expression {
    /// Reads an expression; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Expression, String> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            text => text,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (first, words) = match words.len() {
            5 => (1, words),
            6 | 7 => (0, words),
            found => return Err(format!("must have 5, 6 or 7 fields, not {found}")),
        };
        let mut sets = [const { Vec::new() }; 7];
        for (field, (set, word)) in FIELDS[first..]
            .iter()
            .zip(sets[first..].iter_mut().zip(&words))
        {
            *set = numbers(field, word)?;
        }
        let bits = |numbers: &[u32]| {
            let mut bits = Bits::default();
            numbers.iter().for_each(|number| bits.add(*number));
            bits
        };
        let star = |at: usize| {
            words
                .get(at - first)
                .is_none_or(|word| matches!(*word, "*" | "?"))
        };
        let seconds = if first == 1 { Bits(1) } else { bits(&sets[0]) };
        let weekdays: Vec<u32> = sets[5].iter().map(|day| day % 7).collect();
        let mut years = std::mem::take(&mut sets[6]);
        years.sort_unstable();
        years.dedup();
        Ok(Expression {
            seconds,
            minutes: bits(&sets[1]),
            hours: bits(&sets[2]),
            days: bits(&sets[3]),
            months: bits(&sets[4]),
            weekdays: bits(&weekdays),
            any_day: star(3),
            any_weekday: star(5),
            years: (!star(6)).then_some(years),
        })
    }
}

/// The numbers that a field allows.
fn numbers(field: &Field, word: &str) -> Result<Vec<u32>, String> {
    let mut numbers = Vec::new();
    for part in word.split(',') {
        let wrong = || format!("`{part}` is no {}", field.name);
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => {
                let step = number(step).filter(|step| *step > 0).ok_or_else(wrong)?;
                (span, Some(step))
            }
            None => (part, None),
        };
        let (from, to) = match span {
            "*" | "?" => (field.least, top(field)),
            _ => match span.split_once('-') {
                Some((from, to)) => (
                    value(field, from).ok_or_else(wrong)?,
                    value(field, to).ok_or_else(wrong)?,
                ),
                None => {
                    let from = value(field, span).ok_or_else(wrong)?;
                    (from, if step.is_some() { top(field) } else { from })
                }
            },
        };
        // A range of weekdays may end with the Sunday that begins the next week, by its name.
        let to = if field.most == 7 && to == 0 && from > 0 {
            7
        } else {
            to
        };
        if from > to {
            return Err(wrong());
        }
        numbers.extend((from..=to).step_by(step.unwrap_or(1) as usize));
    }
    Ok(numbers)
}

/// The last number of `*`: Sunday has two.
fn top(field: &Field) -> u32 {
    if field.most == 7 { 6 } else { field.most }
}

fn value(field: &Field, text: &str) -> Option<u32> {
    let named = || {
        let text = text.to_ascii_lowercase();
        let at = field.names.iter().position(|name| *name == text)?;
        Some(at as u32 + field.least)
    };
    number(text)
        .or_else(named)
        .filter(|value| (field.least..=field.most).contains(value))
}

fn number(text: &str) -> Option<u32> {
    let plain =
        !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
