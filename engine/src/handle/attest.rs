//! What is put on record: entries of ledgers, plans that wait for approval, decisions about them.
//! Owns: one method per command of that room, typed.
//! Never: decides, or knows more than the command.

use mainstay_core::{
    AppendLedger, ApprovalId, ApprovalState, Attest, Command, Decision, Outcome, RequestApproval,
    Text,
};

use super::{CommandError, Handle};

impl Handle {
    /// Appends an entry to a ledger; gives its sequence. With an idempotency key, appending again gives that of the first entry.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `invalid_request`, `limit_exceeded` or `idempotency_conflict`.
    pub fn append_ledger(&self, entry: AppendLedger) -> Result<u64, CommandError> {
        match self.attest(Attest::Append(entry))? {
            Outcome::LedgerAppended { sequence, .. } => Ok(sequence),
            other => unreachable!("{other:?}"),
        }
    }

    /// Lets a plan wait for approval. Its id is minted when none is given.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `approval_already_exists`, `invalid_request` or `limit_exceeded`.
    pub fn request_approval(&self, plan: RequestApproval) -> Result<ApprovalId, CommandError> {
        match self.attest(Attest::Request(plan))? {
            Outcome::ApprovalRequested(id) => Ok(id),
            other => unreachable!("{other:?}"),
        }
    }

    /// Reviews, approves or rejects a plan, as whoever this handle acts for; gives where it stands now.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_approval`, `approval_state_mismatch`, `self_approval` or `forbidden`.
    pub fn decide_approval(
        &self,
        approval: ApprovalId,
        decision: Decision,
        reason: Option<Text>,
    ) -> Result<ApprovalState, CommandError> {
        let what = Attest::Decide {
            approval,
            decision,
            reason,
        };
        match self.attest(what)? {
            Outcome::ApprovalDecided(state) => Ok(state),
            other => unreachable!("{other:?}"),
        }
    }

    fn attest(&self, what: Attest) -> Result<Outcome, CommandError> {
        self.command(Command::Attest(Box::new(what)))
    }
}
