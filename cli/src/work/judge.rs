//! What a program's end means: its exit code, its signal and its output become a verdict.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use mainstay_client::Verdict;
use mainstay_client::wire::Json;

/// Bytes of the largest output.
pub(crate) const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Bytes of the end of standard error that becomes the message.
pub(crate) const TAIL_BYTES_MAX: usize = 8 << 10;
/// Bytes of a reason.
const REASON_BYTES_MAX: usize = 1 << 10;
/// "Try again later", as sysexits.h has it.
const EXIT_RETRY: i32 = 75;
/// "Wake me up when I am resumed".
const EXIT_SUSPEND: i32 = 76;

/// What the program was told before it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing.
    #[default]
    Nothing,
    /// To suspend itself.
    Suspend,
    /// To stop: the run is being canceled.
    Cancel,
    /// It was killed: its lease is another's.
    Lost,
}

/// What the program left behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Left {
    /// Standard output, one byte more than the limit when there was more.
    pub(crate) output: Vec<u8>,
    /// The end of standard error.
    pub(crate) tail: Vec<u8>,
}

/// The verdict.
pub(crate) fn judge(status: ExitStatus, told: Told, left: &Left) -> Verdict {
    if status.success() {
        return match output(&left.output) {
            Ok(output) => Verdict::success(output),
            Err(message) => Verdict::failure("output_too_large", message, false),
        };
    }
    let code = status.code();
    match (told, code) {
        (Told::Lost, _) => Verdict::abandoned(),
        (Told::Cancel, _) => Verdict::canceled("stopped on the cancel request"),
        (_, Some(EXIT_SUSPEND)) => {
            Verdict::suspended(reason(&left.tail, "the program asked to be suspended"))
        }
        // A program that does not catch the signal was set aside all the same.
        (Told::Suspend, None) => Verdict::suspended("stopped on the suspend request"),
        (_, Some(code)) => {
            let message = message(&left.tail, || {
                format!("the program exited with code {code}")
            });
            Verdict::failure(format!("exit_{code}"), message, code == EXIT_RETRY)
        }
        (Told::Nothing, None) => {
            let signal = status.signal().unwrap_or(0);
            let message = message(&left.tail, || {
                format!("the program was killed by signal {signal}")
            });
            Verdict::failure(format!("signal_{signal}"), message, true)
        }
    }
}

/// JSON when it parses as JSON, text without its last line feed otherwise, nothing when there is nothing.
fn output(bytes: &[u8]) -> Result<Option<Json<'static>>, String> {
    let too_large = || format!("the output is larger than {OUTPUT_BYTES_MAX} bytes");
    if bytes.len() > OUTPUT_BYTES_MAX {
        return Err(too_large());
    }
    let text = String::from_utf8_lossy(bytes);
    if text.trim().is_empty() {
        return Ok(None);
    }
    if let Ok(json) = Json::parse(text.trim().to_owned()) {
        return Ok(Some(json));
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let json = Json::of(text).map_err(|error| error.to_string())?;
    if json.text().len() > OUTPUT_BYTES_MAX {
        Err(too_large())
    } else {
        Ok(Some(json))
    }
}

/// The end of standard error as text, or a sentence when there is none.
fn message(tail: &[u8], otherwise: impl FnOnce() -> String) -> String {
    let text = String::from_utf8_lossy(tail);
    let text = text.trim();
    if text.is_empty() {
        otherwise()
    } else {
        last_bytes(text, TAIL_BYTES_MAX).to_owned()
    }
}

fn reason(tail: &[u8], otherwise: &str) -> String {
    let message = message(tail, || otherwise.to_owned());
    last_bytes(&message, REASON_BYTES_MAX).to_owned()
}

/// The end of a text, cut between characters.
fn last_bytes(text: &str, limit: usize) -> &str {
    let mut start = text.len().saturating_sub(limit);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    fn killed(signal: i32) -> ExitStatus {
        ExitStatus::from_raw(signal)
    }

    fn judged(status: ExitStatus, told: Told, output: &[u8], tail: &str) -> String {
        let left = Left {
            output: output.to_vec(),
            tail: tail.as_bytes().to_vec(),
        };
        format!("{:?}", judge(status, told, &left))
    }

    #[test]
    fn success_carries_json_as_it_is_and_anything_else_as_text() {
        let written = |bytes: &[u8]| {
            output(bytes)
                .expect("fits")
                .map(|json| json.text().to_owned())
        };
        assert_eq!(written(b"{\"n\": 1.0}\n"), Some("{\"n\": 1.0}".into()));
        assert_eq!(written(b"two words\n"), Some("\"two words\"".into()));
        assert_eq!(written(b"a\nb\n\n"), Some("\"a\\nb\\n\"".into()));
        assert_eq!(written(b" \n"), None);
        assert_eq!(written(b"\xff"), Some("\"\u{fffd}\"".into()));
    }

    #[test]
    fn too_much_output_fails_the_attempt_by_name() {
        let text = judged(
            exit(0),
            Told::Nothing,
            &vec![b'x'; OUTPUT_BYTES_MAX + 1],
            "",
        );
        assert!(text.contains("output_too_large"), "{text}");
    }

    #[test]
    fn exit_codes_mean_what_the_contract_says() {
        assert!(judged(exit(0), Told::Nothing, b"1", "").contains("Success"));
        let retry = judged(exit(75), Told::Nothing, b"", "no route");
        assert!(retry.contains("\"exit_75\", \"no route\", true"), "{retry}");
        let failed = judged(exit(3), Told::Nothing, b"", "");
        assert!(
            failed.contains("\"exit_3\"") && failed.contains("false"),
            "{failed}"
        );
        assert!(judged(exit(76), Told::Nothing, b"", "").contains("Suspended"));
        let signal = judged(killed(9), Told::Nothing, b"", "");
        assert!(
            signal.contains("\"signal_9\"") && signal.contains("true"),
            "{signal}"
        );
    }

    #[test]
    fn a_program_that_was_told_to_stop_is_judged_by_what_it_was_told() {
        assert!(judged(killed(15), Told::Cancel, b"", "").contains("Canceled"));
        assert!(judged(exit(0), Told::Cancel, b"", "").contains("Success"));
        assert!(judged(killed(15), Told::Suspend, b"", "").contains("Suspended"));
        assert!(judged(exit(1), Told::Suspend, b"", "").contains("exit_1"));
        assert!(judged(killed(9), Told::Lost, b"", "").contains("outcome: None"));
    }

    #[test]
    fn a_long_message_keeps_its_end_and_whole_characters() {
        let tail = "ä".repeat(TAIL_BYTES_MAX);
        let cut = message(tail.as_bytes(), String::new);
        assert!(cut.len() <= TAIL_BYTES_MAX && cut.ends_with('ä'));
    }
}
