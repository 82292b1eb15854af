//! Prometheus' text format: a family's `HELP` and `TYPE` from the table, and samples with escaped labels.

use std::fmt::Write as _;

use super::table::{FAMILIES, Family, find};

/// An exposition in the making.
pub(super) struct Text {
    out: String,
    open: &'static Family,
}

impl Text {
    pub(super) fn new() -> Text {
        Text {
            out: String::with_capacity(32 << 10),
            open: &FAMILIES[0],
        }
    }

    pub(super) fn done(self) -> String {
        self.out
    }

    /// Begins a family of the table: the samples that follow are its.
    pub(super) fn family(&mut self, name: &str) {
        let known = find(name);
        debug_assert!(known.is_some(), "{name} stands in the table");
        if let Some(family) = known {
            self.open = family;
            let _ = write!(
                self.out,
                "# HELP {} {}\n# TYPE {0} {}\n",
                family.name,
                family.help,
                family.kind.name()
            );
        }
    }

    /// One sample of the open family, with a value for each of its labels.
    pub(super) fn sample(&mut self, labels: &[&str], value: f64) {
        self.write("", labels, None, value);
    }

    /// A family of one sample without labels.
    pub(super) fn single(&mut self, name: &str, value: f64) {
        self.family(name);
        self.sample(&[], value);
    }

    /// Sum and count of the open summary.
    pub(super) fn summary(&mut self, labels: &[&str], sum: f64, count: u64) {
        self.write("_sum", labels, None, sum);
        self.write("_count", labels, None, count as f64);
    }

    /// Buckets that are not cumulative yet; bounds and sum are divided by `scale`.
    pub(super) fn histogram(
        &mut self,
        labels: &[&str],
        scale: f64,
        (bounds, counts): (&[u64], &[u64]),
        sum: u64,
    ) {
        let mut total = 0;
        for (index, count) in counts.iter().enumerate() {
            total += count;
            let bound = bounds.get(index).map_or("+Inf".to_owned(), |bound| {
                (*bound as f64 / scale).to_string()
            });
            self.write("_bucket", labels, Some(&bound), total as f64);
        }
        self.summary(labels, sum as f64 / scale, total);
    }

    fn write(&mut self, suffix: &str, labels: &[&str], le: Option<&str>, value: f64) {
        let family = self.open;
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        self.out.push_str(family.name);
        self.out.push_str(suffix);
        let named = family.labels.iter().copied().zip(labels.iter().copied());
        let all = named.chain(le.map(|bound| ("le", bound)));
        let mut before = '{';
        for (name, text) in all {
            self.out.push(before);
            before = ',';
            let _ = write!(self.out, "{name}=\"");
            escape(&mut self.out, text);
            self.out.push('"');
        }
        if before == ',' {
            self.out.push('}');
        }
        let _ = writeln!(self.out, " {value}");
    }
}

/// As the format demands; what is no character for a terminal or a line is written as its number, so that different values stay different.
fn escape(out: &mut String, text: &str) {
    for one in text.chars() {
        match one {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other if other.is_control() || is_break(other) => {
                let _ = write!(out, "\\\\u{{{:x}}}", other as u32);
            }
            other => out.push(other),
        }
    }
}

/// Separators that some readers take for the end of a line, and marks that turn text around.
fn is_break(one: char) -> bool {
    matches!(one, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn hostile_values_stay_one_value_on_one_line() {
        let mut text = Text::new();
        text.family("mainstay_tenant_info");
        text.sample(
            &["a\"b\\c\nd\re\u{1b}[31mf\u{2028}g\u{202e}h", "} 1\n"],
            1.0,
        );
        let written = text.done();
        let last = written.lines().last().expect("a line");
        assert_eq!(
            last,
            "mainstay_tenant_info{tenant=\"a\\\"b\\\\c\\nd\\\\u{d}e\\\\u{1b}[31mf\\\\u{2028}g\\\\u{202e}h\",name=\"} 1\\n\"} 1"
        );
        assert_eq!(written.lines().count(), 3);
    }
}
