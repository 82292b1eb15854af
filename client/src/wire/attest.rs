//! Bodies of ledgers and approvals.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text::{Json, Str};

/// Body of `POST /api/v1/ledger`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerAppend<'a> {
    /// Which ledger.
    #[serde(borrow)]
    pub ledger_key: Str<'a>,
    /// What the entry says.
    #[serde(borrow)]
    pub payload: Json<'a>,
    /// The actor it is of.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Str<'a>>,
    /// The tenant, for system keys.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
    /// Appending again with this key finds the first entry.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Str<'a>>,
}

/// Answer of `POST /api/v1/ledger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerAppended {
    /// The entry's number.
    pub sequence: u64,
    /// False when the same key had appended it before.
    pub created: bool,
}

/// An entry of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its number.
    pub sequence: u64,
    /// When it was appended.
    pub at: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Which ledger.
    pub ledger_key: String,
    /// By whom.
    pub by: String,
    /// The actor it is of.
    pub actor_id: Option<String>,
    /// What it says.
    pub payload: Value,
}

/// `GET /api/v1/ledger`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerPage {
    /// The entries, oldest first.
    pub entries: Vec<LedgerEntry>,
    /// The event to go on after.
    pub next: u64,
}

/// Body of `POST /api/v1/approvals`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalSpec<'a> {
    /// What it is about, for people.
    #[serde(borrow)]
    pub subject: Str<'a>,
    /// What is to be done.
    #[serde(borrow)]
    pub plan: Json<'a>,
    /// The ledger that its decisions are appended to; `decision` when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub ledger_key: Option<Str<'a>>,
    /// Chosen by the client; minted when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<Str<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Body of `POST /api/v1/approvals/{approval_id}/decide`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDecision<'a> {
    /// `review`, `approve` or `reject`.
    #[serde(borrow)]
    pub decision: Str<'a>,
    /// Why; kept in the ledger and in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Where an approval stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalBrief {
    /// The approval.
    pub approval_id: String,
    /// `planned`, `reviewed`, `approved` or `rejected`.
    pub state: String,
}

/// Who reviewed or decided, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalStep {
    /// By whom.
    pub by: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: Option<String>,
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id.
    pub approval_id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// `planned`, `reviewed`, `approved` or `rejected`.
    pub state: String,
    /// What it is about.
    pub subject: String,
    /// What is to be done.
    pub plan: Value,
    /// The ledger that its decisions are appended to.
    pub ledger_key: String,
    /// The number of the event that made it.
    pub sequence: u64,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: String,
    /// The review.
    pub reviewed: Option<ApprovalStep>,
    /// The approval or the rejection.
    pub decided: Option<ApprovalStep>,
}

/// `GET /api/v1/approvals`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalPage {
    /// The approvals, oldest first.
    pub approvals: Vec<Approval>,
    /// The event to go on after.
    pub next: u64,
}
