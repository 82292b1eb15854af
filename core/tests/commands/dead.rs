//! The rows about dead letters.

use mainstay_core::{Command, Text, limits};

use super::row::{OK, Row, after, row};
use super::stand::{At, Stand};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("as it stands", retry, dead),
        row("as it stands", clear, dead),
        after(
            |stand| settle(stand, retry(stand)),
            "that was tried again",
            retry,
            |_| "not_dead_lettered",
        ),
        after(
            |stand| settle(stand, retry(stand)),
            "that was tried again",
            clear,
            |_| "not_dead_lettered",
        ),
        after(
            |stand| settle(stand, clear(stand)),
            "that was cleared away",
            retry,
            |_| "not_dead_lettered",
        ),
        row(
            "for a reason that is too long",
            |stand| Command::RetryRun {
                run: stand.run,
                reason: Some(Text::from("r".repeat(limits::REASON_BYTES_MAX + 1))),
            },
            |_| "limit_exceeded",
        ),
        row(
            "for a reason that is too long",
            |stand| Command::ClearDeadLetter {
                run: stand.run,
                reason: Some(Text::from("r".repeat(limits::REASON_BYTES_MAX + 1))),
            },
            |_| "limit_exceeded",
        ),
    ]
}

fn retry(stand: &Stand) -> Command {
    Command::RetryRun {
        run: stand.run,
        reason: None,
    }
}

fn clear(stand: &Stand) -> Command {
    Command::ClearDeadLetter {
        run: stand.run,
        reason: None,
    }
}

/// A dead letter is settled first; another run is not.
fn settle(stand: &mut Stand, command: Command) {
    if stand.at == At::Failed {
        stand.must(command);
    }
}

fn dead(at: At) -> &'static str {
    match at {
        At::Failed => OK,
        _ => "not_dead_lettered",
    }
}
