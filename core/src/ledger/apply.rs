//! What each event about ledgers and approvals does to their rows: the only writer of those rows.
//! Owns: approvals, and the entries on their way to the store.
//! Never: fails or decides.

use super::model::{Approval, ApprovalState, Decision, LedgerRow};
use crate::event::{ApprovalDecided, ApprovalRequested, LedgerAppended};
use crate::id::Minted;
use crate::image::KeyClass;
use crate::machine::Apply;
use crate::state::{At, Held, State};

impl Apply for LedgerAppended {
    fn apply(&self, state: &mut State, at: &At) {
        let tenant = state.tenants[at.tenant as usize];
        state.approvals.append(LedgerRow {
            sequence: at.sequence,
            at: at.wall,
            tenant,
            key: self.ledger_key.clone(),
            by: self.by.clone(),
            actor: self.actor,
            payload: self.payload.clone(),
        });
        if let Some(key) = &self.idempotency_key {
            let held = Held {
                digest: self.digest,
                entry: Some(at.sequence),
                ..Held::default()
            };
            let scope = (at.tenant, KeyClass::Ledger, key.clone());
            state.keys.hold(scope, at.wall, held);
        }
    }
}

impl Apply for ApprovalRequested {
    fn apply(&self, state: &mut State, at: &At) {
        if !self.chosen {
            state.minted = state.minted.max(Minted::of(self.approval.0));
        }
        let row = Approval {
            number: at.sequence,
            subject: self.subject.clone(),
            plan: self.plan.clone(),
            ledger_key: self.ledger_key.clone(),
            requested_by: self.by.clone(),
            requested_at: at.wall,
            ..Approval::default()
        };
        state.approvals.put((at.tenant, self.approval), row);
    }
}

impl Apply for ApprovalDecided {
    fn apply(&self, state: &mut State, at: &At) {
        let Some(row) = state.approvals.find(at.tenant, self.approval) else {
            return;
        };
        let mut row = row.clone();
        let (by, when) = (Some(self.by.clone()), Some(at.wall));
        if self.decision == Decision::Review {
            row.state = ApprovalState::Reviewed;
            (row.reviewed_by, row.reviewed_at) = (by, when);
            row.review_reason.clone_from(&self.reason);
        } else {
            row.state = match self.decision {
                Decision::Approve => ApprovalState::Approved,
                Decision::Review | Decision::Reject => ApprovalState::Rejected,
            };
            (row.decided_by, row.decided_at) = (by, when);
            row.decision_reason.clone_from(&self.reason);
        }
        state.approvals.put((at.tenant, self.approval), row);
    }
}
