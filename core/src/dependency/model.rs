//! How a task stands to other tasks.
//! Owns: the bond of a task: parent, children, prerequisites, dependents; and who has yet to hear of what.
//! Never: decides.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::TaskId;
use crate::task::State;

/// A task's place among others; tasks that stand alone have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bond {
    /// The task it belongs to.
    pub(crate) parent: Option<TaskId>,
    /// How many ancestors it has.
    pub(crate) depth: u32,
    /// Children it ever had.
    pub(crate) children_total: u32,
    /// Descendants that are not terminal, counted through every generation.
    pub(crate) descendants_live: u32,
    /// Everything it was ever made to depend on, each once.
    pub(crate) depends_on: Vec<TaskId>,
    /// Of these, the ones that were not completed when it last heard.
    pub(crate) unmet: Vec<TaskId>,
    /// The first of its children, with where they ended.
    pub(crate) first_children: Vec<Child>,
    /// It goes on though its parent had ended: it counts to nobody above it.
    pub(crate) apart: bool,
    /// Tasks in memory that depend on it and have not heard of its end, by number. An index: it follows from their rows.
    pub(crate) dependents: BTreeMap<u64, u32>,
    /// Children in memory that are not terminal, by number. An index, as `dependents`.
    pub(crate) children: BTreeMap<u64, u32>,
    /// Its runs that are suspended until its children have ended, by number. An index, as `dependents`.
    pub(crate) sleepers: BTreeMap<u64, u32>,
}

impl Bond {
    /// Whether others have yet to hear of its end, or it waits for theirs.
    pub(crate) fn holds(&self) -> bool {
        self.descendants_live > 0 || !self.dependents.is_empty()
    }
}

/// A child as its parent remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) task: TaskId,
    /// The code of the state it ended in; 0 while it has not ended.
    pub(crate) ended: u32,
}

impl Child {
    /// Where it stands as far as its parent knows.
    pub(crate) fn state(&self) -> State {
        let known = State::ALL.get(self.ended as usize).copied();
        known.unwrap_or(State::Active)
    }
}

/// Tasks whose neighbours have yet to hear what became of them, by number. All of it follows from the rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owed {
    /// Canceled, and a child has not been.
    pub(crate) sweep: BTreeSet<(u64, u32)>,
    /// No child is live, and a run still waits for them.
    pub(crate) wake: BTreeSet<(u64, u32)>,
    /// Ended, and a dependent has not heard.
    pub(crate) tell: BTreeSet<(u64, u32)>,
}

impl Owed {
    pub(crate) fn is_empty(&self) -> bool {
        self.sweep.is_empty() && self.wake.is_empty() && self.tell.is_empty()
    }

    /// The next task to work off: fences first, they hold work back.
    pub(crate) fn first(&self) -> Option<u32> {
        let first = self.sweep.first().or_else(|| self.wake.first());
        first.or_else(|| self.tell.first()).map(|(_, task)| *task)
    }
}
