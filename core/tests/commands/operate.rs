//! The rows about operations: whatever state a run is in, a piece takes it or counts it as refused.

use mainstay_core::{
    Action, BeginOperation, Command, Operate, OperationId, OperationPiece, RunState, Selection,
    Text, limits,
};

use super::row::{OK, Row, after, row};
use super::stand::Stand;

const ONE: OperationId = OperationId(0x77);

fn ask(what: Operate) -> Command {
    Command::Operate(Box::new(what))
}

fn begin(action: Action) -> BeginOperation {
    BeginOperation {
        operation: Some(ONE),
        action,
        matched: 1,
        through: 2,
        ..BeginOperation::default()
    }
}

fn started(action: Action) -> Command {
    ask(Operate::Begin(begin(action)))
}

fn piece(stand: &Stand) -> OperationPiece {
    OperationPiece {
        operation: ONE,
        after: 0,
        runs: vec![(2, stand.run)],
        cursor: 2,
        last: true,
    }
}

fn advance(stand: &Stand) -> Command {
    ask(Operate::Advance(piece(stand)))
}

fn stop(_: &Stand) -> Command {
    ask(Operate::Cancel {
        operation: ONE,
        reason: None,
    })
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = beginnings();
    rows.extend(pieces());
    rows
}

fn beginnings() -> Vec<Row> {
    let begun = |stand: &mut Stand| {
        stand.must(started(Action::Clear));
    };
    vec![
        row("of many", |_| started(Action::Cancel), |_| OK),
        row(
            "on runs that cannot be",
            |_| {
                let filter = Box::new(Selection {
                    state: Some(RunState::Completed),
                    ..Selection::default()
                });
                let of = begin(Action::Cancel);
                ask(Operate::Begin(BeginOperation { filter, ..of }))
            },
            |_| "invalid_request",
        ),
        row(
            "as of what was not yet",
            |_| {
                let of = begin(Action::Cancel);
                let through = u64::MAX;
                ask(Operate::Begin(BeginOperation { through, ..of }))
            },
            |_| "invalid_request",
        ),
        row(
            "of nil",
            |_| {
                let of = begin(Action::Cancel);
                let operation = Some(OperationId(0));
                ask(Operate::Begin(BeginOperation { operation, ..of }))
            },
            |_| "invalid_request",
        ),
        row(
            "for a reason that is too long",
            |_| {
                let of = begin(Action::Cancel);
                let reason = Some(Text::from("r".repeat(limits::REASON_BYTES_MAX + 1)));
                ask(Operate::Begin(BeginOperation { reason, ..of }))
            },
            |_| "limit_exceeded",
        ),
        after(begun, "once more", |_| started(Action::Clear), |_| OK),
        after(
            begun,
            "of something else under its id",
            |_| started(Action::Cancel),
            |_| "operation_already_exists",
        ),
        after(
            |stand| {
                for _ in 0..limits::OPERATIONS_RUNNING_MAX {
                    let of = begin(Action::Cancel);
                    let operation = None;
                    stand.must(ask(Operate::Begin(BeginOperation { operation, ..of })));
                }
            },
            "one too many",
            |_| started(Action::Cancel),
            |_| "limit_exceeded",
        ),
        row("of none", stop, |_| "unknown_operation"),
        after(begun, "of one", stop, |_| OK),
    ]
}

fn pieces() -> Vec<Row> {
    vec![
        row("of none", advance, |_| "unknown_operation"),
        after(
            |stand| {
                stand.must(started(Action::Cancel));
            },
            "that cancels",
            advance,
            |_| OK,
        ),
        after(
            |stand| {
                stand.must(started(Action::Retry));
            },
            "that tries again",
            advance,
            |_| OK,
        ),
        after(
            |stand| {
                stand.must(started(Action::Resume));
            },
            "that resumes",
            advance,
            |_| OK,
        ),
        after(
            |stand| {
                stand.must(started(Action::Clear));
            },
            "that clears",
            advance,
            |_| OK,
        ),
        after(
            |stand| {
                stand.must(started(Action::Cancel));
                stand.must(advance(stand));
            },
            "that was done",
            advance,
            |_| "invalid_request",
        ),
        after(
            |stand| {
                stand.must(started(Action::Cancel));
            },
            "beyond its end",
            |stand| {
                let cursor = 3;
                let of = piece(stand);
                ask(Operate::Advance(OperationPiece { cursor, ..of }))
            },
            |_| "invalid_request",
        ),
        after(
            |stand| {
                stand.must(started(Action::Cancel));
            },
            "with too many runs",
            |stand| {
                let runs = vec![(2, stand.run); limits::OPERATION_PIECE_MAX + 1];
                let of = piece(stand);
                ask(Operate::Advance(OperationPiece { runs, ..of }))
            },
            |_| "invalid_request",
        ),
    ]
}
