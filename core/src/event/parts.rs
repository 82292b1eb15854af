//! What several facts carry.
//! Owns: tags as a change of them, and what a consequence follows from.
//! Never: a fact of its own.

use alloc::vec::Vec;

use crate::run::Cause;
use crate::{TaskId, Text};

/// Tags, in a box of their own so that "none" and "no change" are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// The tags.
    pub tags: Vec<Text>,
}

/// What a consequence follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The rule.
    pub cause: Cause,
    /// The task that it began with.
    pub task: Option<TaskId>,
}
