//! Bodies of the audit trail.

use serde::{Deserialize, Serialize};

/// One entry of the trail: an act of control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The number of the command's first event.
    pub sequence: u64,
    /// When it was decided.
    pub at: String,
    /// The tenant acted in.
    pub tenant_id: String,
    /// Who asked.
    pub who: String,
    /// The command, such as `pause_queue`.
    pub what: String,
    /// What it was done to, by its id or name.
    pub target: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
}

/// `GET /api/v1/audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The entries, oldest first.
    pub entries: Vec<AuditEntry>,
    /// The event to go on after.
    pub next: u64,
    /// The trail holds every act of control after this event.
    pub oldest: u64,
}

/// Events of which it cannot be shown that they are what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditGap {
    /// The first event in doubt.
    pub from: u64,
    /// The last event in doubt.
    pub to: u64,
    /// The file, relative to the data directory.
    pub file: String,
    /// The byte in it; 0 when it is about a whole file or a row.
    pub offset: u64,
    /// The frame of the log at which it was seen; 0 for none.
    pub frame: u64,
    /// What does not hold.
    pub message: String,
}

/// `POST /api/v1/audit/verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// The first event that the log holds.
    pub from: u64,
    /// The last event that was read.
    pub to: u64,
    /// The chain hash of the last frame that was read, as hex: it stands for everything before it.
    pub head_hash: String,
    /// Entries of the trail that were compared with the log.
    pub entries: u64,
    /// The trail holds every act of control after this event.
    pub oldest: u64,
    /// What did not hold; nothing when everything is what was written.
    pub gaps: Vec<AuditGap>,
    /// Further gaps, beyond the thousand that are told one by one.
    pub gaps_more: u64,
}
