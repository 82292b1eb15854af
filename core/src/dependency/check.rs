//! What a task's bonds must keep before it is made: a live parent, known prerequisites, nobody waiting for itself.
//! Owns: the checks of parents, prerequisites and unique keys, for one task or for many in one command.
//! Never: emits.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::links::{ancestors, fence};
use crate::machine::Tx;
use crate::rejection::Rejection;
use crate::schedule::Schedule;
use crate::state::State;
use crate::task::{Row, State as TaskState, TaskSpec};
use crate::{TaskId, Text, limits, run};

/// Tasks that one command makes: each is checked with those before it, and all of them before any is made.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The task that they all belong to.
    parent: TaskId,
    /// Those with an id of their own, and whether their schedule is a calendar.
    tasks: BTreeMap<TaskId, bool>,
    /// Unique and idempotency keys, by which they are.
    keys: BTreeSet<(&'static str, Text)>,
    runs: usize,
}

impl Batch {
    /// The children that the end of an attempt brings along.
    pub(crate) fn below(parent: TaskId) -> Batch {
        Batch {
            parent,
            tasks: BTreeMap::new(),
            keys: BTreeSet::new(),
            runs: 0,
        }
    }

    pub(crate) fn has(&self, id: TaskId) -> bool {
        self.tasks.contains_key(&id)
    }

    /// Remembers a task that passed every check.
    pub(crate) fn add(&mut self, id: Option<TaskId>, spec: &TaskSpec) -> Result<(), Rejection> {
        self.runs += spec.runs_at_once();
        if self.runs > limits::RUNS_PER_REQUEST_MAX {
            return Err(Rejection::LimitExceeded {
                limit: "runs_per_request",
                value: limits::RUNS_PER_REQUEST_MAX as u64,
            });
        }
        if let Some(id) = id {
            self.tasks.insert(id, is_cron(spec.schedule.as_deref()));
        }
        let extras = spec.extras.as_deref();
        let keys = [
            (
                "unique_key",
                extras.and_then(|extras| extras.unique_key.clone()),
            ),
            (
                "idempotency_key",
                extras.and_then(|extras| extras.idempotency_key.clone()),
            ),
        ];
        for (field, key) in keys {
            if let Some(key) = key
                && !self.keys.insert((field, key))
            {
                return Err(Rejection::InvalidTask {
                    field,
                    message: "is used twice in one request".into(),
                });
            }
        }
        Ok(())
    }
}

fn is_cron(schedule: Option<&Schedule>) -> bool {
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
pub(crate) fn adopt(
    tx: &Tx<'_>,
    spec: &mut TaskSpec,
    batch: Option<&Batch>,
) -> Result<(), Rejection> {
    let bonds = spec.bonds.as_deref();
    let by_run = bonds.and_then(|bonds| bonds.parent_run);
    let named = bonds.and_then(|bonds| bonds.parent);
    let parent = match (batch.map(|batch| batch.parent), by_run) {
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

/// Whether the attempt that submits a child holds its lease; its token is forgotten then.
pub(crate) fn check_token(tx: &Tx<'_>, spec: &mut TaskSpec) -> Result<(), Rejection> {
    let bonds = spec.bonds.as_deref_mut();
    if let Some((run, fence)) = bonds.and_then(|bonds| bonds.parent_run.take()) {
        run::attempted(tx, run, fence)?;
    }
    Ok(())
}

/// The task that has this unique key and has not ended.
pub(crate) fn holder(tx: &Tx<'_>, spec: &TaskSpec) -> Option<u32> {
    let key = spec.extras.as_deref()?.unique_key.as_ref()?;
    tx.state().unique.get(&(tx.tenant, key.clone())).copied()
}

/// Checks the parent and the prerequisites of a new task.
pub(crate) fn check(
    tx: &Tx<'_>,
    id: Option<TaskId>,
    spec: &TaskSpec,
    batch: Option<&Batch>,
) -> Result<(), Rejection> {
    let Some(bonds) = spec.bonds.as_deref() else {
        return Ok(());
    };
    check_count(bonds.depends_on.len())?;
    let parent = bonds.parent.map(|id| check_parent(tx, id)).transpose()?;
    let mut waits_for = Vec::new();
    for prerequisite in &bonds.depends_on {
        if id == Some(*prerequisite) {
            return Err(Rejection::DependencyCycle {
                task: *prerequisite,
            });
        }
        match batch.and_then(|batch| batch.tasks.get(prerequisite)) {
            Some(true) => return refuse_cron(),
            // It waits for nobody above: that was checked before.
            Some(false) => {}
            None => waits_for.extend(check_prerequisite(tx, *prerequisite)?),
        }
    }
    match parent {
        Some(parent) => check_cycle(tx.state(), parent, waits_for),
        // Nobody waits for a task that is not there yet.
        None => Ok(()),
    }
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

fn check_parent(tx: &Tx<'_>, id: TaskId) -> Result<u32, Rejection> {
    let terminal = Rejection::ParentTerminal { task: id };
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
    if bond.map_or(0, |bond| bond.depth) + 1 >= limits::HIERARCHY_DEPTH_MAX {
        return Err(Rejection::HierarchyTooDeep {
            limit: limits::HIERARCHY_DEPTH_MAX.into(),
        });
    }
    Ok(parent)
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
/// along these waits until it comes to the task or to one above it, visiting at most [`limits::DEPENDENCY_VISITS_MAX`] tasks.
pub(super) fn check_cycle(state: &State, task: u32, waits_for: Vec<u32>) -> Result<(), Rejection> {
    let mut goals: Vec<u32> = alloc::vec![task];
    goals.extend(ancestors(state, task));
    let cycle = |task: u32| {
        let task = state.tasks[task].id;
        Err(Rejection::DependencyCycle { task })
    };
    if let Some(hit) = waits_for.iter().find(|task| goals.contains(task)) {
        return cycle(*hit);
    }
    let is_awaited = |task: &u32| {
        let bond = state.tasks[*task].bond();
        bond.is_some_and(|bond| !bond.dependents.is_empty())
    };
    if !goals.iter().any(is_awaited) {
        return Ok(());
    }
    let (mut ahead, mut seen) = (waits_for, BTreeSet::new());
    while let Some(task) = ahead.pop() {
        if goals.contains(&task) {
            return cycle(task);
        }
        let row = &state.tasks[task];
        let Some(bond) = row.bond().filter(|_| !row.state().is_terminal()) else {
            continue;
        };
        if !seen.insert(task) {
            continue;
        }
        let tenant = state.tenant_of(row);
        let unmet = bond
            .unmet
            .iter()
            .filter_map(|id| state.find_task(tenant, *id));
        ahead.extend(unmet.chain(bond.children.values().copied()));
        if seen.len() + ahead.len() > limits::DEPENDENCY_VISITS_MAX {
            return Err(Rejection::LimitExceeded {
                limit: "dependency_visits",
                value: limits::DEPENDENCY_VISITS_MAX as u64,
            });
        }
    }
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
