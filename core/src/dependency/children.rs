//! A task's children: those that come with the end of an attempt, and those that a grant shows.
//! Owns: the checks of a finish's children, the view of a task's first children.
//! Never: makes a child before the last of them is checked.

use alloc::vec::Vec;

use super::check::standing;
use super::kin::Kin;
use crate::command::{Finish, Outcome as Report};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::ChildView;
use crate::rejection::Rejection;
use crate::run::State as RunState;
use crate::state::State;
use crate::task::{self, Plan, Row, State as TaskState};
use crate::{TaskId, TaskSpec};

/// Children that are checked, each with what it comes to.
type Planned = (Vec<Plan>, Vec<(Option<TaskId>, TaskSpec)>);

/// Checks the children that a finish brings along. `run` is the run it ends.
pub(crate) fn plan(tx: &Tx<'_>, run: u32, finish: &Finish) -> Result<Planned, Rejection> {
    if finish.children.is_empty() {
        return Ok(Planned::default());
    }
    if !matches!(finish.outcome, Report::Success | Report::Suspended) {
        return Err(Rejection::InvalidRequest {
            field: "children",
            message: "go only with the outcomes success and suspended".into(),
        });
    }
    if finish.children.len() > limits::CHILDREN_PER_FINISH_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "children_per_finish",
            value: limits::CHILDREN_PER_FINISH_MAX as u64,
        });
    }
    if !is_bounded(finish) {
        return Err(Rejection::LimitExceeded {
            limit: "depends_on_per_finish",
            value: limits::DEPENDENCIES_PER_FINISH_MAX as u64,
        });
    }
    let kin = Kin::below(tx.state().task_of(run).id);
    let mut children = finish.children.clone();
    let plans = task::plan_all(tx, "children", &mut children, kin)?;
    Ok((plans, children))
}

/// Whether a finish's children are no more, and name no more prerequisites, than may be looked up for one command.
pub(crate) fn is_bounded(finish: &Finish) -> bool {
    finish.children.len() <= limits::CHILDREN_PER_FINISH_MAX
        && named(&finish.children) <= limits::DEPENDENCIES_PER_FINISH_MAX
}

/// How many prerequisites these tasks name together.
pub(crate) fn named(tasks: &[(Option<TaskId>, TaskSpec)]) -> usize {
    let bonds = tasks.iter().filter_map(|(_, spec)| spec.bonds.as_deref());
    bonds.map(|bonds| bonds.depends_on.len()).sum()
}

/// The first children of a task as a grant of it shows them, and how many there are and have not ended.
pub(crate) fn shown(state: &State, task: &Row) -> (Vec<ChildView>, (u32, u32)) {
    let Some(bond) = task.bond().filter(|bond| bond.children_total > 0) else {
        return (Vec::new(), (0, 0));
    };
    let tenant = state.tenant_of(task);
    let mut room = limits::CHILD_OUTPUT_BYTES_MAX;
    let first = bond.first_children.iter();
    let views = first.map(|child| {
        let live = state.find_task(tenant, child.task);
        let mut view = ChildView {
            task: child.task,
            state: live.map_or(child.state(), |child| standing(state, child)),
            output: None,
            stored: false,
        };
        if view.state == TaskState::Completed {
            match live.and_then(|child| last_output(state, &state.tasks[child])) {
                Some(output) => view.output = output,
                None => view.stored = true,
            }
        }
        let bytes = view.output.as_ref().map_or(0, |output| output.len());
        if bytes > room {
            view.output = None;
        }
        room = room.saturating_sub(bytes);
        view
    });
    let live = bond.children.len() as u32;
    (views.collect(), (bond.children_total, live))
}

/// About how many bytes the children add to a grant.
#[inline]
pub(crate) fn weight(state: &State, task: &Row) -> usize {
    task.bond().map_or(0, |_| weigh(state, task))
}

fn weigh(state: &State, task: &Row) -> usize {
    let (children, _) = shown(state, task);
    let outputs = children.iter().filter_map(|child| child.output.as_ref());
    outputs.map(|output| output.len()).sum()
}

/// What the last completed run of a task produced; `None` when no such run is in memory.
fn last_output(state: &State, task: &Row) -> Option<Option<crate::Bytes>> {
    let completed = |run: &u32| state.runs[*run].state == RunState::Completed;
    let last = task.runs().filter(completed).last()?;
    let past = state.runs[last].past.as_deref();
    Some(past.and_then(|past| past.output.clone()))
}
