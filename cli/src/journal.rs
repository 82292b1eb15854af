//! The log of `serve` on standard error: which lines, in which form, and nothing in them that could be taken for something else.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::args::{LogArgs, LogFormat};
use crate::exit::{Code, Failure};

/// What every key begins with.
const KEY: &[u8] = b"msk_";

/// Begins to log. To be called once.
pub(crate) fn begin(args: &LogArgs) -> Result<(), Failure> {
    let filter: EnvFilter = args.log_level.parse().map_err(|error| {
        let message = format!(
            "--log-level {}: {error}; expected error, warn, info, debug or trace, or as in info,mainstay::request=debug",
            args.log_level
        );
        Failure::new(Code::NotUnderstood, "log_level", message)
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Lines);
    let begun = match args.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    begun.map_err(|error| Failure::new(Code::Failed, "log", error.to_string()))
}

/// Writes to standard error, each line made harmless first.
struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

/// One event, which comes whole.
struct Line;

impl Write for Line {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(&harmless(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The line without characters that end or paint it, and without anything that looks like a key.
fn harmless(event: &[u8]) -> Vec<u8> {
    let text = event.strip_suffix(b"\n").unwrap_or(event);
    let text = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len() + 1);
    for one in text.chars() {
        if one.is_control() || matches!(one, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}') {
            out.extend(one.escape_unicode());
        } else {
            out.push(one);
        }
    }
    let mut bytes = out.into_bytes();
    hide_keys(&mut bytes);
    bytes.push(b'\n');
    bytes
}

/// Nobody logs keys. If a caller puts one where none belongs, as in a request id, it is not shown either.
fn hide_keys(line: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = line[at..].windows(KEY.len()).position(|it| it == KEY) {
        at += found + KEY.len();
        while let Some(byte) = line
            .get_mut(at)
            .filter(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-'))
        {
            *byte = b'*';
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    fn written(event: &str) -> String {
        String::from_utf8(harmless(event.as_bytes())).expect("text")
    }

    #[test]
    fn a_line_stays_one_line_without_colours() {
        let hostile = "a\r\nERROR forged\u{1b}[31m\u{7}\u{2028}\u{202e}b\u{85}\n";
        assert_eq!(
            written(hostile),
            "a\\u{d}\\u{a}ERROR forged\\u{1b}[31m\\u{7}\\u{2028}\\u{202e}b\\u{85}\n"
        );
        assert_eq!(written("plain ü\n"), "plain ü\n");
    }

    #[test]
    fn what_looks_like_a_key_is_hidden() {
        assert_eq!(
            written("id=msk_01ab_S3cret-9 x msk_\n"),
            "id=msk_************* x msk_\n"
        );
    }
}
