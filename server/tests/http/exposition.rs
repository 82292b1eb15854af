//! A strict reader of Prometheus' text format: what it takes, every scraper takes.

use std::collections::{BTreeMap, BTreeSet};

/// One sample.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The name with its suffix.
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// One family.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

/// Families by name.
pub(crate) struct Exposition(pub(crate) BTreeMap<String, Family>);

impl Exposition {
    /// The only value of a name with these labels among its own.
    #[track_caller]
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let all = self.0.values().flat_map(|family| &family.samples);
        let fits = |sample: &&Sample| {
            let has = |(name, value): &(&str, &str)| {
                sample.labels.get(*name).is_some_and(|it| it == value)
            };
            sample.name == name && labels.iter().all(has)
        };
        let found: Vec<&Sample> = all.filter(fits).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
        found[0].value
    }
}

/// Reads an exposition; panics at the first thing that is not as the format says.
pub(crate) fn read(text: &str) -> Exposition {
    assert!(text.ends_with('\n'), "the last line ends");
    let breaks = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    assert!(
        !text.contains(|one: char| breaks.contains(&one) || one.is_control() && one != '\n'),
        "no control character but the line's end"
    );
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut series = BTreeSet::new();
    let (mut helped, mut open) = (None, None::<String>);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(!help.is_empty() && !families.contains_key(name), "{line}");
            helped = Some(name.to_owned());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert_eq!(
                helped.take().as_deref(),
                Some(name),
                "HELP stands before TYPE"
            );
            assert!(
                ["counter", "gauge", "histogram", "summary"].contains(&kind),
                "{line}"
            );
            let family = Family {
                kind: kind.to_owned(),
                samples: Vec::new(),
            };
            assert!(
                families.insert(name.to_owned(), family).is_none(),
                "{name} stands twice"
            );
            open = Some(name.to_owned());
        } else {
            assert!(!line.starts_with('#') && helped.is_none(), "{line}");
            let name = open.as_ref().expect("a family is open");
            let sample = sample(line);
            let family = families.get_mut(name).expect("open");
            let suffix = sample.name.strip_prefix(name.as_str()).expect(line);
            let suffixes: &[&str] = match family.kind.as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                "summary" => &["_sum", "_count"],
                _ => &[""],
            };
            assert!(suffixes.contains(&suffix), "{line}");
            assert_eq!(
                sample.labels.contains_key("le"),
                suffix == "_bucket",
                "{line}"
            );
            let key = (sample.name.clone(), sample.labels.clone());
            assert!(series.insert(key), "twice: {line}");
            if family.kind != "gauge" {
                assert!(sample.value >= 0.0, "{line}");
            }
            family.samples.push(sample);
        }
    }
    families.values().for_each(check_buckets);
    Exposition(families)
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.bytes().all(fits) && text.starts_with(|first: char| first.is_ascii_lowercase())
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).expect(line);
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(within) = rest.strip_prefix('{') {
        let mut within = within;
        loop {
            let (label, after) = within.split_once("=\"").expect(line);
            assert!(is_name(label), "{line}");
            let (value, after) = quoted(after, line);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            match after.strip_prefix(',') {
                Some(more) => within = more,
                None => {
                    rest = after.strip_prefix('}').expect(line);
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ').expect(line);
    Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().expect(line),
    }
}

/// A label's value up to its closing quote, and what follows.
fn quoted<'a>(text: &'a str, line: &str) -> (String, &'a str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, one)) = chars.next() {
        match one {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, '\\')) => value.push('\\'),
                Some((_, '"')) => value.push('"'),
                Some((_, 'n')) => value.push('\n'),
                other => panic!("{other:?} is no escape: {line}"),
            },
            one => value.push(one),
        }
    }
    panic!("the quote is not closed: {line}")
}

/// Buckets are cumulative, end with +Inf, and their last is the count.
fn check_buckets(family: &Family) {
    if family.kind != "histogram" {
        return;
    }
    let mut last: Option<(f64, f64)> = None;
    for sample in &family.samples {
        if sample.name.ends_with("_bucket") {
            let bound: f64 = sample.labels["le"].parse().expect("a bound");
            if let Some((before, count)) = last {
                assert!(bound > before && sample.value >= count, "{sample:?}");
            }
            last = Some((bound, sample.value));
        } else if sample.name.ends_with("_count") {
            assert_eq!(
                last.take(),
                Some((f64::INFINITY, sample.value)),
                "{sample:?}"
            );
        }
    }
    assert!(last.is_none(), "buckets without a count");
}
