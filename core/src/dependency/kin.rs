//! Tasks that one command makes, as they stand to each other and to those that are there, before any of them is made.
//! Owns: the graph of tasks that are not there yet.
//! Never: decides what a task may be tied to.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::check::is_cron;
use super::links::ancestors;
use crate::state::State;
use crate::{TaskId, TaskSpec};

/// A task of a command: one that is there, by its handle, or one that is checked and not made yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Live(u32),
    Fresh(usize),
}

/// What a new task is tied to, checked.
#[derive(Debug, Default)]
pub(crate) struct Ties {
    pub(super) parent: Option<Node>,
    /// How many are above it.
    pub(super) depth: u32,
    /// Those of its prerequisites that have not ended.
    pub(super) waits_for: Vec<Node>,
    /// A prerequisite has failed or was canceled: it will never start.
    pub(super) doomed: bool,
}

impl Ties {
    /// Whether the task ends as soon as it is made.
    pub(crate) fn is_doomed(&self) -> bool {
        self.doomed
    }
}

/// A task that is checked and not made yet.
#[derive(Debug)]
struct Fresh {
    id: Option<TaskId>,
    is_cron: bool,
    ties: Ties,
    children: Vec<usize>,
}

/// The tasks of one command that were checked so far.
#[derive(Debug, Default)]
pub(crate) struct Kin {
    /// The task that they all belong to.
    pub(super) parent: Option<TaskId>,
    fresh: Vec<Fresh>,
    /// Those with an id of their own: only they can be named.
    ids: BTreeMap<TaskId, usize>,
    /// Those whose parent is there already.
    below: BTreeMap<u32, Vec<usize>>,
    /// What they wait for.
    awaited: BTreeSet<Node>,
    /// Tasks that the searches for a wait in a circle have visited.
    pub(super) visits: usize,
}

impl Kin {
    /// The children that the end of an attempt brings along.
    pub(crate) fn below(parent: TaskId) -> Kin {
        Kin {
            parent: Some(parent),
            ..Kin::default()
        }
    }

    pub(crate) fn has(&self, id: TaskId) -> bool {
        self.ids.contains_key(&id)
    }

    /// Remembers a task that passed every check. One that nobody can name and that is tied to nothing needs no remembering.
    pub(crate) fn add(&mut self, id: Option<TaskId>, spec: &TaskSpec, ties: Ties) {
        let at = self.fresh.len();
        if let Some(id) = id {
            self.ids.insert(id, at);
        } else if ties.parent.is_none() && ties.waits_for.is_empty() {
            return;
        }
        match ties.parent {
            Some(Node::Fresh(above)) => self.fresh[above].children.push(at),
            Some(Node::Live(above)) => self.below.entry(above).or_default().push(at),
            None => {}
        }
        self.awaited.extend(&ties.waits_for);
        self.fresh.push(Fresh {
            id,
            is_cron: is_cron(spec.schedule.as_deref()),
            ties,
            children: Vec::new(),
        });
    }

    /// A task of the command by its id: where it is, whether it is a cron task, what it is tied to.
    pub(super) fn find(&self, id: TaskId) -> Option<(Node, bool, &Ties)> {
        let at = *self.ids.get(&id)?;
        let fresh = &self.fresh[at];
        Some((Node::Fresh(at), fresh.is_cron, &fresh.ties))
    }

    /// The id of a task.
    pub(super) fn id(&self, state: &State, node: Node) -> TaskId {
        match node {
            Node::Live(task) => state.tasks[task].id,
            Node::Fresh(at) => self.fresh[at].id.unwrap_or(TaskId(0)),
        }
    }

    /// A task and those above it.
    pub(super) fn up_from(&self, state: &State, node: Node) -> Vec<Node> {
        let (mut above, mut next) = (Vec::new(), Some(node));
        while let Some(node) = next {
            above.push(node);
            next = match node {
                Node::Fresh(at) => self.fresh[at].ties.parent,
                Node::Live(task) => {
                    above.extend(ancestors(state, task).map(Node::Live));
                    None
                }
            };
        }
        above
    }

    /// Whether some task depends on this one.
    pub(super) fn is_awaited(&self, state: &State, node: Node) -> bool {
        let of_live = |task: u32| {
            let bond = state.tasks[task].bond();
            bond.is_some_and(|bond| !bond.dependents.is_empty())
        };
        self.awaited.contains(&node) || matches!(node, Node::Live(task) if of_live(task))
    }

    /// The tasks whose ends the end of this one waits for: its children, and its prerequisites, before which it does not start.
    pub(super) fn waits_of(&self, state: &State, node: Node, into: &mut Vec<Node>) {
        match node {
            Node::Fresh(at) => {
                let fresh = &self.fresh[at];
                into.extend(&fresh.ties.waits_for);
                into.extend(fresh.children.iter().copied().map(Node::Fresh));
            }
            Node::Live(task) => {
                let row = &state.tasks[task];
                let tenant = state.tenant_of(row);
                if let Some(bond) = row.bond() {
                    let unmet = bond
                        .unmet
                        .iter()
                        .filter_map(|id| state.find_task(tenant, *id));
                    into.extend(unmet.chain(bond.children.values().copied()).map(Node::Live));
                }
                let fresh = self.below.get(&task).into_iter().flatten();
                into.extend(fresh.copied().map(Node::Fresh));
            }
        }
    }
}
