//! The rows of the direct lane: leases, attempts and moves by hand.

use mainstay_core::{
    AttemptId, Bytes, Command, FinishOutcome, RunError, RunId, RunState, TRANSITIONS, Text,
    Timestamp, limits,
};

use super::row::{OK, Row, after, row};
use super::stand::{At, OWNER, Stand};

const NOBODY: RunId = RunId(0xdead);

/// What a move comes to. All edges of the table are open but one: a lease has an owner.
pub(crate) fn move_of(actual: RunState, expected: RunState, to: RunState) -> &'static str {
    if actual != expected {
        "previous_state_mismatch"
    } else if TRANSITIONS.contains(&(actual, to)) && to != RunState::Leased {
        OK
    } else {
        "invalid_transition"
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = moves();
    rows.extend(acquired());
    rows.extend(renewed());
    rows.extend(ended());
    rows.extend(attempts());
    rows
}

fn moves() -> Vec<Row> {
    let canceled = |stand: &mut Stand| {
        if stand.at == At::Running {
            let (run, force, reason) = (stand.run, false, None);
            stand.must(Command::CancelRun { run, force, reason });
        }
    };
    vec![
        row(
            "of a run that nobody knows",
            |_| Command::TransitionRun {
                run: NOBODY,
                expected: RunState::Ready,
                to: RunState::Canceled,
            },
            |_| "unknown_run",
        ),
        after(
            canceled,
            "under a cancel request",
            |stand| Command::TransitionRun {
                run: stand.run,
                expected: stand.at.state(),
                to: RunState::RetryWait,
            },
            |at| match at {
                At::Idle => OK,
                _ => "invalid_transition",
            },
        ),
    ]
}

fn acquire(run: RunId, owner: &str, lease_ms: Option<u64>) -> Command {
    Command::AcquireLease {
        run,
        owner: Text::from(owner),
        lease_ms,
    }
}

fn of_acquire(at: At) -> &'static str {
    match at {
        At::Ready => OK,
        _ if at.is_held() => "lease_already_active",
        _ => "lease_invalid_run_state",
    }
}

/// The same while something holds ready runs back.
fn of_blocked_acquire(at: At) -> &'static str {
    match of_acquire(at) {
        OK => "lease_invalid_run_state",
        refused => refused,
    }
}

fn acquired() -> Vec<Row> {
    let paused = |stand: &mut Stand| drop(stand.must(Command::PauseEngine { reason: None }));
    let queue_paused = |stand: &mut Stand| {
        let queue = Text::from("subject");
        stand.must(Command::PauseQueue {
            queue,
            reason: None,
        });
    };
    vec![
        row(
            "on the run",
            |stand| acquire(stand.run, "bob", None),
            of_acquire,
        ),
        after(
            paused,
            "while the engine is paused",
            |stand| acquire(stand.run, "bob", None),
            of_blocked_acquire,
        ),
        after(
            queue_paused,
            "while its queue is paused",
            |stand| acquire(stand.run, "bob", None),
            of_blocked_acquire,
        ),
        row(
            "on a run that nobody knows",
            |_| acquire(NOBODY, "bob", None),
            |_| "unknown_run",
        ),
        row(
            "by nobody",
            |stand| acquire(stand.run, "", None),
            |_| "invalid_request",
        ),
        row(
            "for too short a time",
            |stand| acquire(stand.run, "bob", Some(1)),
            |_| "invalid_request",
        ),
    ]
}

/// What a command comes to that needs the lease that this owner has.
fn of_owned(at: At, held: &'static str) -> &'static str {
    if at.is_held() {
        held
    } else if at.is_over() {
        "lease_invalid_run_state"
    } else {
        "lease_missing_active"
    }
}

fn renew(run: RunId, owner: &str, expires_at: Timestamp) -> Command {
    Command::RenewLease {
        run,
        owner: Text::from(owner),
        expires_at,
    }
}

fn later(stand: &Stand, ms: u64) -> Timestamp {
    stand.expires_at.plus_ms(ms)
}

fn renewed() -> Vec<Row> {
    vec![
        row(
            "in memory",
            |stand| renew(stand.run, OWNER, later(stand, 1000)),
            |at| of_owned(at, OK),
        ),
        row(
            "by more than five minutes",
            |stand| renew(stand.run, OWNER, later(stand, 600_000)),
            |at| of_owned(at, OK),
        ),
        row(
            "backwards",
            |stand| renew(stand.run, OWNER, Timestamp(stand.expires_at.0 - 1)),
            |at| of_owned(at, "lease_heartbeat_expiry_regression"),
        ),
        row(
            "beyond a day",
            |stand| renew(stand.run, OWNER, later(stand, limits::LEASE_MS_MAX)),
            |at| of_owned(at, "invalid_request"),
        ),
        row(
            "by somebody else",
            |stand| renew(stand.run, "bob", later(stand, 1000)),
            |at| of_owned(at, "lease_owner_mismatch"),
        ),
        row(
            "by nobody",
            |stand| renew(stand.run, "", later(stand, 1000)),
            |_| "invalid_request",
        ),
        row(
            "on a run that nobody knows",
            |stand| renew(NOBODY, OWNER, later(stand, 1000)),
            |_| "unknown_run",
        ),
    ]
}

fn expire(run: RunId, owner: &str, expires_at: Timestamp) -> Command {
    Command::ExpireLease {
        run,
        owner: Text::from(owner),
        expires_at,
    }
}

fn release(run: RunId, owner: &str, expires_at: Timestamp) -> Command {
    Command::ReleaseLease {
        run,
        owner: Text::from(owner),
        expires_at,
    }
}

fn ended() -> Vec<Row> {
    vec![
        row(
            "at its time",
            |stand| expire(stand.run, OWNER, stand.expires_at),
            |at| of_owned(at, OK),
        ),
        row(
            "at another time",
            |stand| expire(stand.run, OWNER, later(stand, 1)),
            |at| of_owned(at, "lease_expiry_mismatch"),
        ),
        row(
            "by somebody else",
            |stand| expire(stand.run, "bob", stand.expires_at),
            |at| of_owned(at, "lease_owner_mismatch"),
        ),
        row(
            "of a run that nobody knows",
            |stand| expire(NOBODY, OWNER, stand.expires_at),
            |_| "unknown_run",
        ),
        row(
            "by nobody",
            |stand| expire(stand.run, "", stand.expires_at),
            |_| "invalid_request",
        ),
        row(
            "by its owner",
            |stand| release(stand.run, OWNER, stand.expires_at),
            |at| of_owned(at, OK),
        ),
        row(
            "that ends at another time",
            |stand| release(stand.run, OWNER, later(stand, 1)),
            |at| of_owned(at, "lease_expiry_mismatch"),
        ),
        row(
            "by somebody else",
            |stand| release(stand.run, "bob", stand.expires_at),
            |at| of_owned(at, "lease_owner_mismatch"),
        ),
        row(
            "of a run that nobody knows",
            |stand| release(NOBODY, OWNER, stand.expires_at),
            |_| "unknown_run",
        ),
        row(
            "by nobody",
            |stand| release(stand.run, "", stand.expires_at),
            |_| "invalid_request",
        ),
    ]
}

fn end(run: RunId, attempt: AttemptId, error: Option<RunError>) -> Command {
    Command::FinishAttempt {
        run,
        attempt,
        outcome: FinishOutcome::Failure,
        output: None,
        error: error.map(Box::new),
    }
}

fn of_end(at: At, running: &'static str) -> &'static str {
    match at {
        At::Running => running,
        At::Idle => "attempt_finish_missing_active",
        _ => "attempt_finish_requires_running",
    }
}

fn attempts() -> Vec<Row> {
    vec![
        row(
            "on the run",
            |stand| Command::StartAttempt { run: stand.run },
            |at| match at {
                At::Idle => OK,
                At::Running => "attempt_already_active",
                _ => "attempt_start_requires_running",
            },
        ),
        row(
            "on a run that nobody knows",
            |_| Command::StartAttempt { run: NOBODY },
            |_| "unknown_run",
        ),
        row(
            "of the run",
            |stand| end(stand.run, stand.attempt(), None),
            |at| of_end(at, OK),
        ),
        row(
            "of another attempt",
            |stand| end(stand.run, AttemptId::derive(stand.run, 2), None),
            |at| of_end(at, "attempt_mismatch"),
        ),
        row(
            "of a run that nobody knows",
            |stand| end(NOBODY, stand.attempt(), None),
            |_| "unknown_run",
        ),
        row(
            "with an error without a code",
            |stand| end(stand.run, stand.attempt(), Some(RunError::default())),
            |at| of_end(at, "invalid_request"),
        ),
        row(
            "with too large an output",
            |stand| Command::FinishAttempt {
                run: stand.run,
                attempt: stand.attempt(),
                outcome: FinishOutcome::Success,
                output: Some(Bytes::from(vec![b'1'; limits::PAYLOAD_BYTES_MAX + 1])),
                error: None,
            },
            |at| of_end(at, "limit_exceeded"),
        ),
    ]
}
