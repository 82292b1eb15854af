//! What a task's bonds must keep before it is made: a live parent, known prerequisites, nobody waiting for itself.
//! Owns: the checks of parents, prerequisites and unique keys, for one task or for many in one command.
//! Never: emits.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::kin::{Kin, Node, Ties};
use super::links::fence;
use crate::machine::Tx;
use crate::rejection::Rejection;
use crate::schedule::Schedule;
use crate::state::State;
use crate::task::{Row, State as TaskState, TaskSpec};
use crate::{TaskId, limits, run};

pub(super) fn is_cron(schedule: Option<&Schedule>) -> bool {
    schedule.is_some_and(|schedule| schedule.cron().is_some())
}

/// A task's state as people see it: below a canceled one it is canceled, be the sweep there yet or not.
pub(crate) fn standing(state: &State, task: u32) -> TaskState {
    match fence(state, task) {
        Some(_) => TaskState::Canceled,
        None => state.tasks[task].state(),
    }
}

/// Names the parent in the spec, when it is said by the running attempt that submits the task or by the end that brings it along: so that a
/// repeat of the request has the same digest.
pub(crate) fn adopt(tx: &Tx<'_>, spec: &mut TaskSpec, kin: Option<&Kin>) -> Result<(), Rejection> {
    let bonds = spec.bonds.as_deref();
    let by_run = bonds.and_then(|bonds| bonds.parent_run);
    let named = bonds.and_then(|bonds| bonds.parent);
    let parent = match (kin.and_then(|kin| kin.parent), by_run) {
        (Some(_), Some(_)) => {
            return invalid(
                "parent_run",
                "is not said of a child that comes with a finish",
            );
        }
        (Some(parent), None) => parent,
        (None, Some((run, _))) => tx.task_of_run(run)?,
        (None, None) => return Ok(()),
    };
    if named.is_some_and(|named| named != parent) {
        return invalid(
            "parent_task_id",
            "names another task than the running attempt's",
        );
    }
    spec.bonds_mut().parent = Some(parent);
    Ok(())
}

fn invalid(field: &'static str, message: &'static str) -> Result<(), Rejection> {
    Err(Rejection::InvalidTask {
        field,
        message: message.into(),
    })
}

/// Whether the attempt that submits a child holds its lease.
pub(crate) fn check_token(tx: &Tx<'_>, spec: &TaskSpec) -> Result<(), Rejection> {
    let bonds = spec.bonds.as_deref();
    if let Some((run, fence)) = bonds.and_then(|bonds| bonds.parent_run) {
        run::attempted(tx, run, fence)?;
    }
    Ok(())
}

/// The task that has this unique key and has not ended.
pub(crate) fn holder(tx: &Tx<'_>, spec: &TaskSpec) -> Option<u32> {
    let key = spec.extras.as_deref()?.unique_key.as_ref()?;
    tx.state().unique.get(&(tx.tenant, key.clone())).copied()
}

/// Checks the parent and the prerequisites of a new task, which may be tasks of the same command that come before it.
pub(crate) fn check(
    tx: &Tx<'_>,
    id: Option<TaskId>,
    spec: &TaskSpec,
    kin: &mut Kin,
) -> Result<Ties, Rejection> {
    let Some(bonds) = spec.bonds.as_deref() else {
        return Ok(Ties::default());
    };
    check_count(bonds.depends_on.len())?;
    let above = bonds
        .parent
        .map(|id| check_parent(tx, id, kin))
        .transpose()?;
    let mut ties = Ties {
        parent: above.map(|(parent, _)| parent),
        depth: above.map_or(0, |(_, depth)| depth),
        waits_for: Vec::new(),
        doomed: fate(tx, &bonds.depends_on).doomed.is_some(),
    };
    for prerequisite in &bonds.depends_on {
        if id == Some(*prerequisite) {
            return Err(Rejection::DependencyCycle {
                task: *prerequisite,
            });
        }
        match kin.find(*prerequisite) {
            Some((_, true, _)) => refuse_cron()?,
            Some((node, false, its)) => {
                ties.doomed |= its.doomed;
                ties.waits_for.push(node);
            }
            None => {
                let live = check_prerequisite(tx, *prerequisite)?;
                ties.waits_for.extend(live.map(Node::Live));
            }
        }
    }
    // Nobody waits for a task that is not there yet; but its parent's end will.
    if let Some(parent) = ties.parent {
        check_cycle(tx.state(), kin, parent, ties.waits_for.clone())?;
    }
    Ok(ties)
}

/// Whether a task may have so many prerequisites.
pub(super) fn check_count(count: usize) -> Result<(), Rejection> {
    if count > limits::DEPENDS_ON_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "depends_on",
            value: limits::DEPENDS_ON_MAX as u64,
        });
    }
    Ok(())
}

/// The parent of a new task, and how many are above the new one.
fn check_parent(tx: &Tx<'_>, id: TaskId, kin: &Kin) -> Result<(Node, u32), Rejection> {
    let terminal = Rejection::ParentTerminal { task: id };
    let fits = |depth: u32| match depth + 1 < limits::HIERARCHY_DEPTH_MAX {
        true => Ok(depth + 1),
        false => Err(Rejection::HierarchyTooDeep {
            limit: limits::HIERARCHY_DEPTH_MAX.into(),
        }),
    };
    if let Some((node, _, ties)) = kin.find(id) {
        return match ties.doomed {
            true => Err(terminal),
            false => Ok((node, fits(ties.depth)?)),
        };
    }
    let Some(parent) = tx.state().find_task(tx.tenant, id) else {
        return Err(match tx.knows_task(id) {
            true => terminal,
            false => Rejection::UnknownTask { task: id },
        });
    };
    if standing(tx.state(), parent).is_terminal() {
        return Err(terminal);
    }
    let bond = tx.state().tasks[parent].bond();
    let depth = fits(bond.map_or(0, |bond| bond.depth))?;
    Ok((Node::Live(parent), depth))
}

fn refuse_cron() -> Result<(), Rejection> {
    invalid(
        "depends_on",
        "names a task with a calendar: it is never completed",
    )
}

/// A prerequisite's handle, when it has not ended.
pub(super) fn check_prerequisite(tx: &Tx<'_>, id: TaskId) -> Result<Option<u32>, Rejection> {
    let (state, task) = tx
        .find_task(id)
        .ok_or(Rejection::UnknownTask { task: id })?;
    let row: &Row = &state.tasks[task];
    let clockwork = row.rare.as_deref().and_then(|rare| rare.clockwork.as_ref());
    if is_cron(clockwork.map(|clockwork| &*clockwork.schedule)) {
        refuse_cron()?;
    }
    let live = tx.state().find_task(tx.tenant, id);
    Ok(live.filter(|_| !row.state().is_terminal()))
}

/// Refuses a wait that would come back to where it began. `task` is to wait for `waits_for`: directly, or by a child of its own.
///
/// The end of a task waits for the ends of its children and for its own start, which waits for the ends of its prerequisites. The search goes
/// along these waits until it comes to the task or to one above it, visiting at most [`limits::DEPENDENCY_VISITS_MAX`] tasks; all searches
/// of one command together at most [`limits::DEPENDENCY_VISITS_PER_REQUEST_MAX`].
pub(super) fn check_cycle(
    state: &State,
    kin: &mut Kin,
    task: Node,
    waits_for: Vec<Node>,
) -> Result<(), Rejection> {
    let goals = kin.up_from(state, task);
    let cycle = |kin: &Kin, node: Node| {
        let task = kin.id(state, node);
        Err(Rejection::DependencyCycle { task })
    };
    if let Some(hit) = waits_for.iter().find(|node| goals.contains(node)) {
        return cycle(kin, *hit);
    }
    if !goals.iter().any(|goal| kin.is_awaited(state, *goal)) {
        return Ok(());
    }
    let (mut ahead, mut seen) = (waits_for, BTreeSet::new());
    while let Some(node) = ahead.pop() {
        if goals.contains(&node) {
            return cycle(kin, node);
        }
        let over = matches!(node, Node::Live(task) if state.tasks[task].state().is_terminal());
        if over || !seen.insert(node) {
            continue;
        }
        kin.waits_of(state, node, &mut ahead);
        let (visits, together) = (seen.len() + ahead.len(), kin.visits + seen.len());
        for (visits, most) in [
            (visits, limits::DEPENDENCY_VISITS_MAX),
            (together, limits::DEPENDENCY_VISITS_PER_REQUEST_MAX),
        ] {
            if visits > most {
                return Err(Rejection::LimitExceeded {
                    limit: "dependency_visits",
                    value: most as u64,
                });
            }
        }
    }
    kin.visits += seen.len();
    Ok(())
}

/// What a task's prerequisites mean for its runs as they stand now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fate {
    /// Its runs may start only later.
    pub(crate) waits: bool,
    /// It will never start: this prerequisite has failed or was canceled.
    pub(crate) doomed: Option<(TaskId, TaskState)>,
}

/// How it stands with a task that depends on these.
pub(crate) fn fate(tx: &Tx<'_>, depends_on: &[TaskId]) -> Fate {
    let mut fate = Fate::default();
    for id in depends_on {
        let Some((state, task)) = tx.find_task(*id) else {
            continue;
        };
        match standing(state, task) {
            TaskState::Completed => {}
            TaskState::Failed => fate.doomed = fate.doomed.or(Some((*id, TaskState::Failed))),
            TaskState::Canceled => fate.doomed = fate.doomed.or(Some((*id, TaskState::Canceled))),
            TaskState::Active | TaskState::WaitingForChildren => fate.waits = true,
        }
    }
    fate.waits |= fate.doomed.is_some();
    fate
}
