//! Plans that wait for approval: somebody asks, somebody else reviews, a third one approves.
//! Owns: the two decisions, and who may take them.
//! Never: lets anybody approve what they asked for or reviewed themselves.

use alloc::format;
use alloc::string::ToString;

use super::model::{Approval, ApprovalState, Decision};
use crate::event::{ApprovalDecided, ApprovalRequested, LedgerAppended};
use crate::json::quoted;
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::platform::Capability;
use crate::rejection::Rejection;
use crate::{ApprovalId, Bytes, Text};

/// The ledger that decisions are appended to when none is named.
const DECISIONS: &str = "decision";

/// A plan to be approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestApproval {
    /// Its id; minted when absent.
    pub approval: Option<ApprovalId>,
    /// What it is about, for people; 1 to 1024 bytes.
    pub subject: Text,
    /// What is to be done (JSON text), at most [`limits::PLAN_BYTES_MAX`].
    pub plan: Bytes,
    /// The ledger that its decisions are appended to; `decision` when absent.
    pub ledger_key: Option<Text>,
}

fn limit(limit: &'static str, value: usize) -> Rejection {
    Rejection::LimitExceeded {
        limit,
        value: value as u64,
    }
}

fn invalid(field: &'static str, message: &str) -> Rejection {
    Rejection::InvalidRequest {
        field,
        message: message.into(),
    }
}

/// Decides that a plan waits for approval.
pub(crate) fn request(tx: &mut Tx<'_>, ask: &RequestApproval) -> Result<Outcome, Rejection> {
    if ask.subject.is_empty() || ask.subject.len() > limits::REASON_BYTES_MAX {
        return Err(invalid("subject", "must have 1 to 1024 bytes"));
    }
    if ask.plan.len() > limits::PLAN_BYTES_MAX {
        return Err(limit("plan_bytes", limits::PLAN_BYTES_MAX));
    }
    if ask.approval == Some(ApprovalId(0)) {
        return Err(invalid("approval_id", "must not be the nil UUID"));
    }
    let ledger_key = ask
        .ledger_key
        .clone()
        .unwrap_or_else(|| Text::from(DECISIONS));
    limits::check_name("ledger_key", &ledger_key)?;
    let approvals = &tx.state().approvals;
    if let Some(approval) = ask.approval
        && approvals.has(tx.tenant, approval)
    {
        return Err(Rejection::ApprovalAlreadyExists { approval });
    }
    if approvals.count(tx.tenant) >= limits::APPROVALS_MAX {
        return Err(limit("approvals", limits::APPROVALS_MAX));
    }
    let chosen = ask.approval.is_some();
    let approval = ask.approval.unwrap_or_else(|| tx.mint_approval());
    let by = tx.principal.name.clone();
    tx.emit(ApprovalRequested {
        approval,
        subject: ask.subject.clone(),
        plan: ask.plan.clone(),
        ledger_key,
        by,
        chosen,
    });
    Ok(Outcome::ApprovalRequested(approval))
}

/// Decides a review, an approval or a rejection.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: ApprovalId,
    decision: Decision,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    check_may(tx, decision)?;
    let row = tx.state().approvals.find(tx.tenant, id);
    let row = row.ok_or(Rejection::UnknownApproval { approval: id })?;
    check_chain(row, decision, &tx.principal.name)?;
    let state = match decision {
        Decision::Review => ApprovalState::Reviewed,
        Decision::Approve => ApprovalState::Approved,
        Decision::Reject => ApprovalState::Rejected,
    };
    let (key, payload) = (row.ledger_key.clone(), entry(id, row, decision, reason));
    let by = tx.principal.name.clone();
    tx.emit(ApprovalDecided {
        approval: id,
        decision,
        by: by.clone(),
        reason: reason.cloned(),
    });
    tx.emit(LedgerAppended {
        ledger_key: key,
        payload,
        by,
        ..LedgerAppended::default()
    });
    Ok(Outcome::ApprovalDecided(state))
}

/// Whoever decides must be allowed to, whatever it is about.
fn check_may(tx: &Tx<'_>, decision: Decision) -> Result<(), Rejection> {
    let may = |one| tx.principal.may.has(one);
    let lacks = match decision {
        Decision::Review => (!may(Capability::Review)).then_some(Capability::Review),
        Decision::Approve => (!may(Capability::Approve)).then_some(Capability::Approve),
        // Who may take either step may also stop.
        Decision::Reject if may(Capability::Approve) => None,
        Decision::Reject => (!may(Capability::Review)).then_some(Capability::Review),
    };
    match lacks {
        Some(required) => Err(Rejection::Forbidden {
            required: Text::from(required.name()),
        }),
        None => Ok(()),
    }
}

/// First the review, then the approval, each by somebody else. Taking a plan back is no approval: whoever asked may reject it too.
fn check_chain(row: &Approval, decision: Decision, who: &Text) -> Result<(), Rejection> {
    let fits = match decision {
        Decision::Review => row.state == ApprovalState::Planned,
        Decision::Approve => row.state == ApprovalState::Reviewed,
        Decision::Reject => true,
    };
    if !fits {
        return Err(Rejection::ApprovalStateMismatch {
            state: row.state,
            decision,
        });
    }
    let own = row.requested_by == *who || row.reviewed_by.as_ref() == Some(who);
    if own && decision != Decision::Reject {
        return Err(Rejection::SelfApproval);
    }
    Ok(())
}

/// What the ledger says of a decision.
fn entry(id: ApprovalId, row: &Approval, decision: Decision, reason: Option<&Text>) -> Bytes {
    let reason = reason.map_or_else(|| "null".to_string(), |reason| quoted(reason));
    let text = format!(
        r#"{{"approval_id":"{id}","decision":"{}","subject":{},"requested_by":{},"reason":{reason}}}"#,
        decision.name(),
        quoted(&row.subject),
        quoted(&row.requested_by),
    );
    Bytes::from(text.as_bytes())
}
