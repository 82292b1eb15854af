//! The lines of a batch: reads tasks from NDJSON and gives each a key, so that a repeat creates nothing twice.

use std::io::{BufRead, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Bytes of the longest line; the server refuses longer tasks anyway.
const LINE_BYTES_MAX: usize = 24 << 20;

/// One line that can be sent.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its number in the file, from 1.
    pub(crate) number: u64,
    /// The task, with an idempotency key.
    pub(crate) task: Box<RawValue>,
}

/// One line that cannot be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    pub(crate) number: u64,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// Reads lines one after another.
pub(crate) struct Lines<R> {
    input: R,
    number: u64,
    bytes: u64,
}

/// The only field that this program looks at.
#[derive(Deserialize)]
struct Peek {
    #[serde(default)]
    idempotency_key: Option<IgnoredAny>,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `input`.
    pub(crate) fn new(input: R) -> Lines<R> {
        Lines {
            input,
            number: 0,
            bytes: 0,
        }
    }

    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line that is not blank; `None` at the end.
    pub(crate) fn next_line(&mut self) -> std::io::Result<Option<Result<Line, BadLine>>> {
        loop {
            let mut bytes = Vec::new();
            let limit = LINE_BYTES_MAX as u64 + 1;
            let read = self
                .input
                .by_ref()
                .take(limit)
                .read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.bytes += read as u64;
            if bytes.len() > LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
                self.bytes += skip_line(&mut self.input)?;
                let message = format!("the line is longer than {LINE_BYTES_MAX} bytes");
                return Ok(Some(Err(BadLine {
                    number: self.number,
                    code: "body_too_large",
                    message,
                })));
            }
            let line = bytes.trim_ascii();
            if !line.is_empty() {
                return Ok(Some(keyed(self.number, line)));
            }
        }
    }
}

/// Reads up to and including the next line feed; the bytes skipped.
fn skip_line(input: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = input.fill_buf()?;
        let (count, found) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(count);
        skipped += count as u64;
        if found {
            return Ok(skipped);
        }
    }
}

/// Checks that a line is a JSON object and adds the key that it lacks. The rest stays as it was written, byte for byte.
fn keyed(number: u64, line: &[u8]) -> Result<Line, BadLine> {
    let bad = |message: String| BadLine {
        number,
        code: "invalid_json",
        message,
    };
    let text = std::str::from_utf8(line).map_err(|_| bad("the line is not UTF-8".into()))?;
    if !text.starts_with('{') {
        return Err(bad("expected a JSON object with a task".into()));
    }
    let peek: Peek = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    let text = match peek.idempotency_key {
        Some(_) => text.to_owned(),
        None => {
            let rest = text[1..].trim_start();
            let comma = if rest == "}" { "" } else { "," };
            format!(
                "{{\"idempotency_key\":\"{}\"{comma}{rest}",
                derived_key(number, line)
            )
        }
    };
    let task = RawValue::from_string(text).map_err(|error| bad(error.to_string()))?;
    Ok(Line { number, task })
}

/// The same line at the same place of a file has the same key, whenever the command is repeated.
fn derived_key(number: u64, line: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("mainstay 2026 submit --batch line");
    hasher.update(&number.to_le_bytes());
    hasher.update(line);
    format!("batch-{}", &hasher.finalize().to_hex()[..40])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<(u64, String), BadLine>> {
        let mut lines = Lines::new(text.as_bytes());
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().expect("reads") {
            all.push(line.map(|line| (line.number, line.task.get().to_owned())));
        }
        all
    }

    #[test]
    fn blank_lines_are_skipped_and_still_counted() {
        let all = read(
            "\n{\"kind\":\"a\",\"idempotency_key\":\"k\"}\r\n\n  \n{\"idempotency_key\":\"l\",\"kind\":\"b\"}",
        );
        let numbers: Vec<_> = all
            .iter()
            .map(|line| line.as_ref().map(|l| l.0).ok())
            .collect();
        assert_eq!(numbers, [Some(2), Some(5)]);
    }

    #[test]
    fn a_line_without_a_key_gets_one_that_depends_on_its_place_and_text_alone() {
        let once = read("{\"kind\": \"a\"}\n{\"kind\": \"a\"}\n{}");
        let again = read("{\"kind\": \"a\"}\n{\"kind\": \"a\"}\n{}");
        assert_eq!(once, again);
        assert_ne!(
            once[0].as_ref().map(|l| &l.1),
            once[1].as_ref().map(|l| &l.1)
        );
        let text = &once[0].as_ref().expect("good").1;
        assert!(
            text.starts_with("{\"idempotency_key\":\"batch-")
                && text.ends_with(",\"kind\": \"a\"}"),
            "{text}"
        );
        let empty = &once[2].as_ref().expect("good").1;
        assert!(empty.ends_with("\"}"), "{empty}");
    }

    #[test]
    fn what_the_line_says_is_kept_byte_for_byte() {
        let line = r#"{"idempotency_key":"mine","kind":"a","payload":{"n":1.0e2,"u":"\u00e9"}}"#;
        assert_eq!(read(line)[0], Ok((1, line.to_owned())));
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_the_next_is_read() {
        let all = read("{\"kind\":\"a\"\n[1]\n{\"kind\":\"b\"}");
        assert!(matches!(&all[0], Err(bad) if bad.number == 1 && bad.code == "invalid_json"));
        assert!(matches!(&all[1], Err(bad) if bad.number == 2 && bad.message.contains("object")));
        assert!(matches!(&all[2], Ok((3, _))));
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let mut text = vec![b'x'; LINE_BYTES_MAX + 10];
        text.extend_from_slice(b"\n{\"kind\":\"b\"}\n");
        let mut lines = Lines::new(&text[..]);
        assert!(matches!(lines.next_line(), Ok(Some(Err(bad))) if bad.code == "body_too_large"));
        assert!(matches!(lines.next_line(), Ok(Some(Ok(line))) if line.number == 2));
        assert_eq!(lines.bytes(), text.len() as u64);
    }
}
