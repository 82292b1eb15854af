//! Ledgers and approvals.

use crate::client::segment;
use crate::lists::Target;
use crate::retry::Repeat;
use crate::wire::{
    Approval, ApprovalBrief, ApprovalDecision, ApprovalPage, ApprovalSpec, LedgerAppend,
    LedgerAppended, LedgerPage,
};
use crate::{Client, Error};

impl Client {
    /// Appends an entry to a ledger. Only with an idempotency key is it repeated when nobody knows whether it arrived.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn append_ledger(&self, entry: &LedgerAppend<'_>) -> Result<LedgerAppended, Error> {
        let repeat = match entry.idempotency_key {
            Some(_) => Repeat::Safe,
            None => Repeat::UnlessUncertain,
        };
        self.post("/api/v1/ledger".into(), entry, repeat).await
    }

    /// One page of entries after an event, oldest first: of one ledger, or of all.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ledger(
        &self,
        ledger_key: Option<&str>,
        after: u64,
        limit: Option<u32>,
    ) -> Result<LedgerPage, Error> {
        let mut path = Target::new("/api/v1/ledger");
        path.add("ledger_key", ledger_key);
        add_page(&mut path, after, limit);
        self.get(path.done()).await
    }

    /// Lets a plan wait for approval.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn request_approval(&self, plan: &ApprovalSpec<'_>) -> Result<ApprovalBrief, Error> {
        let path = "/api/v1/approvals".into();
        self.post(path, plan, Repeat::UnlessUncertain).await
    }

    /// Reviews, approves or rejects a plan.
    ///
    /// # Errors
    /// See [`Error`]; `self_approval` for what the caller asked for or reviewed.
    pub async fn decide_approval(
        &self,
        approval_id: &str,
        decision: &str,
        reason: Option<&str>,
    ) -> Result<ApprovalBrief, Error> {
        let path = format!("/api/v1/approvals/{}/decide", segment(approval_id));
        let body = ApprovalDecision {
            decision: decision.into(),
            reason: reason.map(Into::into),
        };
        self.post(path, &body, Repeat::UnlessUncertain).await
    }

    /// An approval, decided or not.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn approval(&self, approval_id: &str) -> Result<Approval, Error> {
        let path = format!("/api/v1/approvals/{}", segment(approval_id));
        self.get(path).await
    }

    /// One page of approvals asked for after an event, oldest first: in one state, or in all.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn approvals(
        &self,
        state: Option<&str>,
        after: u64,
        limit: Option<u32>,
    ) -> Result<ApprovalPage, Error> {
        let mut path = Target::new("/api/v1/approvals");
        path.add("state", state);
        add_page(&mut path, after, limit);
        self.get(path.done()).await
    }
}

fn add_page(path: &mut Target, after: u64, limit: Option<u32>) {
    path.add("after", Some(&after.to_string()));
    let limit = limit.map(|limit| limit.to_string());
    path.add("limit", limit.as_deref());
}
