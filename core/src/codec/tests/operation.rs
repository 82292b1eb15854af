//! One event of each kind about operations, and the golden file that pins them.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::samples::{RUN, TASK, some, text};
use crate::event::*;
use crate::operation::{Action, OperationState, Refused, Selection};
use crate::run::State;
use crate::{OperationId, Timestamp};

/// With something in every field.
pub(super) fn samples() -> Vec<Event> {
    let operation = OperationId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89af);
    let filter = Selection {
        state: Some(State::Failed),
        task: Some(TASK),
        queue: some("mail"),
        kind: some("mail.send"),
        tag: some("night"),
        worker: some("w-1"),
        error_code: some("smtp"),
        fingerprint: some("a2407bab1813d024"),
        created_after: Some(Timestamp(1)),
        created_before: Some(Timestamp(2)),
        q: some("550"),
    };
    vec![
        OperationStarted {
            operation,
            action: Action::Retry,
            filter: Box::new(filter),
            with_dependents: true,
            matched: 3,
            through: 4,
            until: Timestamp(5),
            by: text("ann"),
            reason: some("fixed"),
            chosen: true,
        }
        .into(),
        OperationAdvanced {
            operation,
            cursor: 6,
            done: 7,
            refused_total: 8,
            refused: vec![Refused {
                run: RUN,
                code: text("not_dead_lettered"),
            }],
        }
        .into(),
        OperationEnded {
            operation,
            state: OperationState::Canceled,
            by: text("bob"),
            reason: some("enough"),
        }
        .into(),
    ]
}

#[test]
fn the_golden_body_of_operations_is_read_and_written_as_ever() {
    super::check_golden("operations_v1", samples());
}
