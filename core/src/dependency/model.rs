//! How a task stands to other tasks.
//! Owns: the bond of a task: parent, children, prerequisites, dependents.
//! Never: decides.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::TaskId;

/// A task's place among others; tasks that stand alone have none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bond {
    /// The task it belongs to.
    pub(crate) parent: Option<TaskId>,
    /// How many ancestors it has.
    pub(crate) depth: u32,
    /// Children it ever had.
    pub(crate) children_total: u32,
    /// Descendants that are not terminal, counted through every generation.
    pub(crate) descendants_live: u32,
    /// Everything it was ever made to depend on.
    pub(crate) depends_on: Vec<TaskId>,
    /// Of these, the ones that are not completed yet.
    pub(crate) unmet: Vec<TaskId>,
    /// Tasks in memory that depend on it and have not heard of its end.
    pub(crate) dependents: BTreeSet<u32>,
    /// Children in memory that are not terminal.
    pub(crate) children: BTreeSet<u32>,
}

impl Bond {
    /// Whether others have yet to hear of its end, or it waits for theirs.
    pub(crate) fn holds(&self) -> bool {
        self.descendants_live > 0 || !self.dependents.is_empty()
    }
}
