//! The rows about work: claims, heartbeats, ends, memos, suspensions.

use mainstay_core::{
    Bytes, CheckpointPut, Claim, Command, Fence, Finish, FinishOutcome, HeartbeatItem, RunError,
    RunId, Text, limits,
};

use super::row::{OK, Row, after, row};
use super::stand::{At, Stand};

const STALE: Fence = Fence {
    incarnation: 1,
    counter: 555,
};
const NOBODY: RunId = RunId(0xdead);

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = claims();
    rows.extend(beats());
    rows.extend(ends());
    rows.extend(memos());
    rows.extend(pauses());
    rows
}

fn claim(worker: &str, max: u32, key: Option<&str>) -> Command {
    Command::Claim(Box::new(Claim {
        worker: Text::from(worker),
        queues: vec![Text::from("subject")],
        max,
        idempotency_key: key.map(Text::from),
        ..Claim::default()
    }))
}

fn claimed_beside(stand: &mut Stand) {
    let claim = Claim {
        worker: Text::from("w"),
        queues: vec![Text::from("elsewhere")],
        max: 1,
        idempotency_key: Some(Text::from("k")),
        ..Claim::default()
    };
    stand.must(Command::Claim(Box::new(claim)));
}

fn claims() -> Vec<Row> {
    vec![
        row("of its queue", |_| claim("w", 1, None), |_| OK),
        row("by nobody", |_| claim("", 1, None), |_| "invalid_request"),
        row(
            "of too many",
            |_| claim("w", limits::CLAIM_LEASES_MAX + 1, None),
            |_| "invalid_request",
        ),
        after(
            claimed_beside,
            "of something else under a key",
            |_| claim("w", 1, Some("k")),
            |_| "idempotency_conflict",
        ),
    ]
}

fn beat(run: RunId, fence: Fence, lease_ms: Option<u64>) -> HeartbeatItem {
    HeartbeatItem {
        run,
        fence,
        lease_ms,
        progress: None,
    }
}

fn beats() -> Vec<Row> {
    vec![
        row(
            "with its token",
            |stand| Command::Heartbeat(beat(stand.run, stand.fence, None)),
            |at| if at.is_held() { OK } else { "lease_lost" },
        ),
        row(
            "with a stale token",
            |stand| Command::Heartbeat(beat(stand.run, STALE, None)),
            |_| "lease_lost",
        ),
        row(
            "for a run that nobody knows",
            |stand| Command::Heartbeat(beat(NOBODY, stand.fence, None)),
            |_| "unknown_run",
        ),
        row(
            "for too short a lease",
            |stand| Command::Heartbeat(beat(stand.run, stand.fence, Some(1))),
            |_| "invalid_request",
        ),
        row(
            "with too long a note",
            |stand| {
                let note = vec![b'1'; limits::PROGRESS_BYTES_MAX + 1];
                Command::Heartbeat(HeartbeatItem {
                    progress: Some(Bytes::from(note)),
                    ..beat(stand.run, stand.fence, None)
                })
            },
            |_| "limit_exceeded",
        ),
    ]
}

fn finish(finish: Finish) -> Command {
    Command::Finish(Box::new(finish))
}

fn success(stand: &Stand) -> Finish {
    Finish::success(stand.run, stand.fence, None)
}

/// What the report of a success comes to under the token of the last lease. `Completed` ended so, and hears the same again.
fn of_success(at: At) -> &'static str {
    match at {
        At::Running | At::Completed => OK,
        At::Leased => "attempt_finish_requires_running",
        At::Idle => "attempt_finish_missing_active",
        At::RetryWait | At::Suspended | At::Failed => "already_finished",
        At::Scheduled | At::Ready | At::Canceled => "lease_lost",
    }
}

/// The same of a failure.
fn of_failure(at: At) -> &'static str {
    match at {
        At::RetryWait | At::Failed => OK,
        At::Completed => "already_finished",
        other => of_success(other),
    }
}

fn memo_saved(stand: &mut Stand) {
    if stand.at == At::Running {
        let put = memo(stand, "page", b"1");
        stand.must(put);
    }
}

fn memo(stand: &Stand, name: &str, value: &[u8]) -> Command {
    Command::Checkpoint(Box::new(CheckpointPut {
        run: stand.run,
        fence: stand.fence,
        name: Text::from(name),
        value: Bytes::from(value),
    }))
}

fn ends() -> Vec<Row> {
    vec![
        row("in success", |stand| finish(success(stand)), of_success),
        row(
            "in failure",
            |stand| {
                finish(Finish {
                    outcome: FinishOutcome::Failure,
                    ..success(stand)
                })
            },
            of_failure,
        ),
        row(
            "in another success",
            |stand| {
                finish(Finish {
                    output: Some(Bytes::from(&b"2"[..])),
                    ..success(stand)
                })
            },
            |at| match at {
                At::Completed => "already_finished",
                other => of_success(other),
            },
        ),
        row(
            "with a stale token",
            |stand| finish(Finish::success(stand.run, STALE, None)),
            |_| "lease_lost",
        ),
        row(
            "of a run that nobody knows",
            |stand| finish(Finish::success(NOBODY, stand.fence, None)),
            |_| "unknown_run",
        ),
        row(
            "with an error without a code",
            |stand| {
                finish(Finish {
                    error: Some(Box::new(RunError::default())),
                    ..success(stand)
                })
            },
            |_| "invalid_request",
        ),
        row(
            "with too large an output",
            |stand| {
                let output = vec![b'1'; limits::PAYLOAD_BYTES_MAX + 1];
                finish(Finish {
                    output: Some(Bytes::from(output)),
                    ..success(stand)
                })
            },
            |_| "limit_exceeded",
        ),
        after(
            memo_saved,
            "with another memo of the same name",
            |stand| {
                let memo = (Text::from("page"), Bytes::from(&b"2"[..]));
                finish(Finish {
                    checkpoints: vec![memo],
                    ..success(stand)
                })
            },
            |at| match at {
                At::Running => "checkpoint_conflict",
                other => of_success(other),
            },
        ),
    ]
}

fn in_attempt(at: At) -> &'static str {
    if at == At::Running { OK } else { "lease_lost" }
}

fn memos() -> Vec<Row> {
    vec![
        row(
            "with its token",
            |stand| memo(stand, "page", b"1"),
            in_attempt,
        ),
        after(
            memo_saved,
            "of another value",
            |stand| memo(stand, "page", b"2"),
            |at| match at {
                At::Running => "checkpoint_conflict",
                _ => "lease_lost",
            },
        ),
        row(
            "without a name",
            |stand| memo(stand, "", b"1"),
            |at| match at {
                At::Running => "invalid_request",
                _ => "lease_lost",
            },
        ),
        row(
            "too large",
            |stand| memo(stand, "page", &vec![b'1'; limits::CHECKPOINT_BYTES_MAX + 1]),
            |at| match at {
                At::Running => "limit_exceeded",
                _ => "lease_lost",
            },
        ),
        row(
            "with a stale token",
            |stand| {
                Command::Checkpoint(Box::new(CheckpointPut {
                    run: stand.run,
                    fence: STALE,
                    name: Text::from("page"),
                    value: Bytes::from(&b"1"[..]),
                }))
            },
            |_| "lease_lost",
        ),
        row(
            "of a run that nobody knows",
            |stand| {
                Command::Checkpoint(Box::new(CheckpointPut {
                    run: NOBODY,
                    fence: stand.fence,
                    name: Text::from("page"),
                    value: Bytes::from(&b"1"[..]),
                }))
            },
            |_| "unknown_run",
        ),
    ]
}

fn pauses() -> Vec<Row> {
    vec![
        row(
            "of the run",
            |stand| Command::SuspendRun {
                run: stand.run,
                reason: None,
            },
            |at| match at {
                At::Idle | At::Running => OK,
                _ => "run_suspend_requires_running",
            },
        ),
        row(
            "of a run that nobody knows",
            |_| Command::SuspendRun {
                run: NOBODY,
                reason: None,
            },
            |_| "unknown_run",
        ),
        row(
            "for too long a reason",
            |stand| Command::SuspendRun {
                run: stand.run,
                reason: Some("x".repeat(limits::REASON_BYTES_MAX + 1).into()),
            },
            |_| "limit_exceeded",
        ),
        row(
            "of the run",
            |stand| Command::ResumeRun {
                run: stand.run,
                payload: None,
            },
            |at| match at {
                At::Suspended => OK,
                _ => "run_resume_requires_suspended",
            },
        ),
        row(
            "of a run that nobody knows",
            |_| Command::ResumeRun {
                run: NOBODY,
                payload: None,
            },
            |_| "unknown_run",
        ),
        row(
            "with too large a payload",
            |stand| Command::ResumeRun {
                run: stand.run,
                payload: Some(Bytes::from(vec![b'1'; limits::PAYLOAD_BYTES_MAX + 1])),
            },
            |_| "limit_exceeded",
        ),
    ]
}
