//! What the program writes: lines, tables and JSON on standard output, notes on standard error.

use std::io::{IsTerminal, Write};

use comfy_table::{Table, presets};
use serde::Serialize;

/// The two output streams. An output that nobody reads any more is no error of the work being done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    json: bool,
}

impl Screen {
    /// Writes JSON when `json` is set, text for people otherwise.
    pub(crate) fn new(json: bool) -> Screen {
        Screen { json }
    }

    /// Whether the output is for programs.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether progress can be drawn on standard error.
    pub(crate) fn draws_progress(self) -> bool {
        std::io::stderr().is_terminal()
    }

    /// Writes one line; false when nobody reads any more.
    pub(crate) fn line(self, text: &str) -> bool {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }

    /// Writes one line of JSON; false when nobody reads any more.
    pub(crate) fn json(self, value: &impl Serialize) -> bool {
        match serde_json::to_string(value) {
            Ok(text) => self.line(&text),
            Err(error) => self.note(&format!("the answer cannot be written as JSON: {error}")),
        }
    }

    /// Writes one line to standard error; false when nobody reads any more.
    pub(crate) fn note(self, text: &str) -> bool {
        writeln!(std::io::stderr().lock(), "{text}").is_ok()
    }

    /// Writes a table with a head, if it has one.
    pub(crate) fn table(self, head: &[&str], rows: &[Vec<String>]) -> bool {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if !head.is_empty() {
            table.set_header(head.iter().map(|name| name.to_uppercase()));
        }
        for row in rows {
            table.add_row(row.iter().map(|cell| clean(cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.line(&trim_ends(&table.to_string()))
    }

    /// Writes names and values, one pair a line.
    pub(crate) fn pairs(self, pairs: &[(&str, String)]) -> bool {
        let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let lines: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name:width$}  {}", clean(value)))
            .collect();
        self.line(&trim_ends(&lines.join("\n")))
    }
}

/// Control characters in stored text must not reach a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn trim_ends(text: &str) -> String {
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mred\nb"), "a [31mred b");
    }
}
