//! One event of each kind about ledgers and approvals, and the golden file that pins them.

use alloc::vec;
use alloc::vec::Vec;

use super::samples::{some, text};
use crate::event::*;
use crate::ledger::Decision;
use crate::{ActorId, ApprovalId, Bytes};

/// With something in every field.
pub(super) fn samples() -> Vec<Event> {
    let by = text("ann");
    let approval = ApprovalId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ad);
    vec![
        LedgerAppended {
            ledger_key: text("incident"),
            payload: Bytes::from(&b"{\"severity\":2}"[..]),
            actor: Some(ActorId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ac)),
            by: by.clone(),
            idempotency_key: some("once"),
            digest: 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10,
        }
        .into(),
        ApprovalRequested {
            approval,
            subject: text("drop the old tables"),
            plan: Bytes::from(&b"[1,2]"[..]),
            ledger_key: text("decision"),
            by: by.clone(),
            chosen: true,
        }
        .into(),
        ApprovalDecided {
            approval,
            decision: Decision::Reject,
            by,
            reason: some("not now"),
        }
        .into(),
    ]
}

#[test]
fn the_golden_body_of_ledgers_is_read_and_written_as_ever() {
    super::check_golden("attest_v1", samples());
}
