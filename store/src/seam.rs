//! The seam between the writer and whatever keeps rows: what a cut is, and when it may be committed.
//! Owns: the trait `Store` and the rules of a cut.
//! Never: decides, or shows a row whose events are not durable.

use mainstay_core::{Digest, DirtyRow};

/// One row's image at a cut. `None` when the row is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which row.
    pub id: DirtyRow,
    /// Its image, in the codec's tagged fields.
    pub image: Option<Vec<u8>>,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The cut does not lie after the last one.
    #[error("a cut at {given} does not follow the one at {last}")]
    OutOfOrder {
        /// The last cut.
        last: u64,
        /// The cut refused.
        given: u64,
    },
    /// The medium failed; the store is rebuilt from the log at the next start.
    #[error("the store failed: {0}")]
    Medium(String),
}

/// Keeps rows derived from the log.
pub trait Store: Send {
    /// Hands over a cut: the whole set of rows that changed up to one applied sequence, each at most once, with the machine's digest
    /// there. A cut is committed whole or not at all. It may be committed once `through_sequence` is durable, and is visible to readers only then.
    ///
    /// # Errors
    /// [`StoreError`]; the cut is then as if it had never been handed over.
    fn put(
        &mut self,
        through_sequence: u64,
        digest: Digest,
        rows: Vec<Row>,
    ) -> Result<(), StoreError>;

    /// The log is durable up to this event: cuts up to it may be committed.
    ///
    /// # Errors
    /// [`StoreError::Medium`].
    fn durable(&mut self, sequence: u64) -> Result<(), StoreError>;

    /// The last committed cut; 0 when there is none.
    fn checkpoint_sequence(&self) -> u64;
}
