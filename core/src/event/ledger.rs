//! Facts about ledgers, and about plans that wait for approval.
//! Owns: their fields.
//! Never: drops or renumbers a field; old logs hold it.

use crate::ledger::Decision;
use crate::{ActorId, ApprovalId, Bytes, Text};

facts! {
    /// An entry was appended to a ledger.
    LedgerAppended {
        /// Which ledger.
        ledger_key: Text,
        /// What it says (JSON text).
        payload: Bytes,
        /// The actor it is of, when one was named.
        actor: Option<ActorId>,
        /** By whom. */ by: Text,
        /// The key under which appending again finds it.
        idempotency_key: Option<Text>,
        /// Digest of the request, for its key.
        digest: u128,
    }
    /// A plan waits for approval.
    ApprovalRequested {
        /// The approval.
        approval: ApprovalId,
        /// What it is about.
        subject: Text,
        /// What is to be done (JSON text).
        plan: Bytes,
        /// The ledger that its decisions are appended to.
        ledger_key: Text,
        /** By whom. */ by: Text,
        /// Whether its id was chosen rather than minted.
        chosen: bool,
    }
    /// Somebody reviewed, approved or rejected a plan.
    ApprovalDecided {
        /// The approval.
        approval: ApprovalId,
        /// What was decided.
        decision: Decision,
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
    }
}
