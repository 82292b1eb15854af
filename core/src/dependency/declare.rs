//! A task that was there is made to depend on more tasks.
//! Owns: when a task can still be made to wait.
//! Never: holds back what somebody works or worked on.

use alloc::vec::Vec;

use super::check::{check_count, check_cycle, check_prerequisite, fate, standing};
use super::kin::{Kin, Node};
use crate::TaskId;
use crate::event::DependenciesDeclared;
use crate::machine::{Tx, doom};
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::run::State as RunState;
use crate::task::State as TaskState;

/// Decides a declaration. The task has not started while nobody was ever granted a run of it. A run that is ready already stays so, for no
/// edge leads back, and waits for the prerequisites where it is. Naming a task again that it depends on changes nothing.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: TaskId,
    depends_on: &[TaskId],
) -> Result<Outcome, Rejection> {
    if depends_on.is_empty() {
        return Err(Rejection::EmptyDependencyList);
    }
    check_count(depends_on.len())?;
    let started = Rejection::TaskAlreadyStarted { task: id };
    let Some(task) = tx.state().find_task(tx.tenant, id) else {
        if !tx.knows_task(id) {
            return Err(Rejection::UnknownTask { task: id });
        }
        check_self(id, depends_on)?;
        for prerequisite in depends_on {
            check_prerequisite(tx, *prerequisite)?;
        }
        return Err(started);
    };
    check_self(id, depends_on)?;
    let row = &tx.state().tasks[task];
    let known = row.bond().map_or(&[][..], |bond| &bond.depends_on);
    let mut added: Vec<TaskId> = Vec::new();
    for prerequisite in depends_on {
        if !known.contains(prerequisite) && !added.contains(prerequisite) {
            added.push(*prerequisite);
        }
    }
    check_count(known.len() + added.len())?;
    let mut waits_for = Vec::new();
    for prerequisite in &added {
        waits_for.extend(check_prerequisite(tx, *prerequisite)?.map(Node::Live));
    }
    let is_fresh = |run: &u32| {
        let row = &tx.state().runs[*run];
        let waits = matches!(row.state, RunState::Scheduled | RunState::Ready);
        waits && row.attempt_count == 0
    };
    let waiting = row.runs().filter(is_fresh).count();
    if standing(tx.state(), task).is_terminal() || waiting != row.runs_total as usize {
        return Err(started);
    }
    check_cycle(tx.state(), &mut Kin::default(), Node::Live(task), waits_for)?;
    let fate = fate(tx, &added);
    let is_met = |id: &TaskId| {
        let found = tx.find_task(*id);
        found.is_some_and(|(state, task)| state.tasks[task].state() == TaskState::Completed)
    };
    let (met, unmet): (Vec<TaskId>, Vec<TaskId>) = added.into_iter().partition(is_met);
    if !(met.is_empty() && unmet.is_empty()) {
        let by = tx.principal.name.clone();
        tx.emit(DependenciesDeclared {
            task: id,
            unmet,
            met,
            by,
        });
    }
    if let Some(prerequisite) = fate.doomed {
        doom(tx, task, prerequisite);
    }
    let bond = tx.state().tasks[task].bond();
    Ok(Outcome::DependenciesDeclared {
        unmet: bond.map_or(0, |bond| bond.unmet.len() as u32),
    })
}

/// A task that waits for itself would wait for ever.
fn check_self(id: TaskId, depends_on: &[TaskId]) -> Result<(), Rejection> {
    match depends_on.contains(&id) {
        true => Err(Rejection::DependencyCycle { task: id }),
        false => Ok(()),
    }
}
