//! What can be asked about ledgers and approvals, as one kind of command.
//! Owns: its nouns, and which decision each of them goes to.
//! Never: decides.

use super::append::{self, AppendLedger};
use super::approval::{self, RequestApproval};
use super::model::Decision;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{ApprovalId, Text};

/// Something that is put on record: an entry of a ledger, a plan, a decision about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attest {
    /// Append an entry.
    Append(AppendLedger),
    /// Let a plan wait for approval.
    Request(RequestApproval),
    /// Review, approve or reject a plan.
    Decide {
        /// The approval.
        approval: ApprovalId,
        /// What is decided.
        decision: Decision,
        /// Why.
        reason: Option<Text>,
    },
}

impl Attest {
    /// The stable number of this kind of command in the log's command records.
    pub(crate) fn code(&self) -> u64 {
        match self {
            Attest::Append(_) => 76,
            Attest::Request(_) => 77,
            Attest::Decide { .. } => 78,
        }
    }

    /// Why, for acts of control: an entry says itself what it is for.
    pub(crate) fn control_reason(&self) -> Option<Option<&Text>> {
        match self {
            Attest::Append(_) => None,
            Attest::Request(_) => Some(None),
            Attest::Decide { reason, .. } => Some(reason.as_ref()),
        }
    }

    /// The key under which repeating it finds what it did first.
    pub(crate) fn idempotency_key(&self) -> Option<&Text> {
        match self {
            Attest::Append(append) => append.idempotency_key.as_ref(),
            Attest::Request(_) | Attest::Decide { .. } => None,
        }
    }
}

/// Decides what is put on record.
pub(crate) fn attest(tx: &mut Tx<'_>, what: &Attest) -> Result<Outcome, Rejection> {
    match what {
        Attest::Append(append) => append::decide(tx, append),
        Attest::Request(ask) => approval::request(tx, ask),
        Attest::Decide {
            approval,
            decision,
            reason,
        } => approval::decide(tx, *approval, *decision, reason.as_ref()),
    }
}
