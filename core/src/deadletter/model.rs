//! The nouns of dead letters.
//! Owns: what became of one that has left memory.
//! Never: decides.

use crate::RunId;
use crate::time::Timestamp;

/// What became of a dead letter that has left memory, until a store has it. A row in memory says it itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark {
    /// The run's number in the store.
    pub(crate) number: u64,
    /// The run that took its place.
    pub(crate) redriven_by: Option<RunId>,
    /// When it was cleared away.
    pub(crate) cleared_at: Option<Timestamp>,
}
