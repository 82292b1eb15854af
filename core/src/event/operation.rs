//! Facts about operations on many runs.
//! Owns: their fields.
//! Never: drops or renumbers a field; old logs hold it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::operation::{Action, OperationState, Refused, Selection};
use crate::time::Timestamp;
use crate::{OperationId, Text};

facts! {
    /// Many runs are to be acted on, a piece at a time.
    OperationStarted {
        /// The operation.
        operation: OperationId,
        /// What is done to each of them.
        action: Action,
        /// Which runs.
        filter: Box<Selection>,
        /// What their failures had canceled is tried again with them.
        with_dependents: bool,
        /// How many there were.
        matched: u64,
        /// Only runs that were made by this event.
        through: u64,
        /// Only dead letters that had died by then.
        until: Timestamp,
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
        /// Whether its id was chosen rather than minted.
        chosen: bool,
    }
    /// A piece of an operation is done: what it did to each run is told just before.
    OperationAdvanced {
        /// The operation.
        operation: OperationId,
        /// Runs with numbers up to this one were looked at.
        cursor: u64,
        /// Runs of the piece that were acted on.
        done: u64,
        /// Runs of the piece that were refused.
        refused_total: u64,
        /// The first runs that were refused, as long as the operation names them.
        refused: Vec<Refused>,
    }
    /// An operation is over.
    OperationEnded {
        /// The operation.
        operation: OperationId,
        /// How: done, or canceled.
        state: OperationState,
        /// By whom it was canceled; empty when it was done.
        by: Text,
        /// Why it was canceled.
        reason: Option<Text>,
    }
}
