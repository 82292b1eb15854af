//! What a verification of the audit trail found.
//! Owns: the nouns.
//! Never: verifies.

/// Gaps that are told one by one; further ones are only counted.
const GAPS_MAX: usize = 1000;

/// Events of which it cannot be shown that they are what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditGap {
    /// The first event in doubt.
    pub from: u64,
    /// The last event in doubt.
    pub to: u64,
    /// The file, relative to the data directory.
    pub file: String,
    /// The byte in it; 0 when the gap is about the whole file, or about a row.
    pub offset: u64,
    /// The frame of the log at which it was seen; 0 for none.
    pub frame: u64,
    /// What does not hold.
    pub message: String,
}

/// What was verified, and what did not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The first event that the log holds.
    pub from: u64,
    /// The last event that was read.
    pub to: u64,
    /// The chain hash of the last frame that was read: it stands for everything before it.
    pub head_hash: [u8; 32],
    /// The trail in the store is whole after this event.
    pub trail_after: u64,
    /// Entries of the trail that were compared.
    pub entries: u64,
    /// What did not hold, in the order of the log; at most 1000.
    pub gaps: Vec<AuditGap>,
    /// Gaps beyond those.
    pub gaps_more: u64,
}

impl AuditReport {
    /// Whether everything is what was written.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }

    pub(super) fn add(&mut self, gap: AuditGap) {
        if self.gaps.len() < GAPS_MAX {
            self.gaps.push(gap);
        } else {
            self.gaps_more += 1;
        }
    }
}
