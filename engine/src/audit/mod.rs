//! The audit room: whether the log, and the audit trail that the store keeps of it, are what was written.

mod check;
mod compare;
mod report;

pub use check::{AuditCheck, verify_audit};
pub use report::{AuditGap, AuditReport};
