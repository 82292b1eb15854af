//! The ledger room: entries that are appended and never changed, and plans that wait for approval.

mod append;
mod apply;
mod approval;
mod attest;
mod index;
mod model;

pub use append::AppendLedger;
pub use approval::RequestApproval;
pub use attest::Attest;
pub(crate) use attest::attest;
pub(crate) use index::Approvals;
pub(crate) use model::words;
pub use model::{Approval, ApprovalRow, ApprovalState, Decision, LedgerRow};
