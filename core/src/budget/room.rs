//! Whether the budgets that cover a run have room for one more attempt.
//! Owns: the rule of exhaustion at claim.
//! Never: changes a budget.

use alloc::vec::Vec;

use super::cover::{Blocked, blocks, covers, find, own};
use super::model::Key;
use crate::queue::{Blocker, enter, leave, reopen};
use crate::run::State as RunState;
use crate::state::State;

/// The first budget that has no room for the run.
pub(crate) fn refusal(state: &State, run: u32) -> Option<Blocker> {
    let spent = blocks(state, run)?;
    let row = &state.runs[run];
    Some(blocker_of(&spent.key(row.tenant, row.task)))
}

fn blocker_of(key: &Key) -> Blocker {
    match key.task {
        Some(task) => Blocker::TaskBudget(task),
        None => Blocker::TenantBudget(key.tenant, key.dimension.clone()),
    }
}

/// Whether this budget has no room for the run.
pub(crate) fn refuses(state: &State, blocker: &Blocker, run: u32) -> bool {
    let is_it = |cover: &Blocked<'_>| match blocker {
        Blocker::TaskBudget(_) => !cover.of_tenant,
        Blocker::TenantBudget(_, dimension) => {
            cover.of_tenant && cover.budget.dimension == *dimension
        }
        Blocker::Key(..) | Blocker::Prerequisites(_) => false,
    };
    covers(state, run)
        .filter(is_it)
        .any(|cover| !cover.budget.has_room(cover.reserve))
}

/// What distinguishes runs that wait for one budget: of a tenant's, what their tasks' attempts hold of it.
pub(crate) fn portion(state: &State, blocker: &Blocker, run: u32) -> u64 {
    let Blocker::TenantBudget(_, dimension) = blocker else {
        return 0;
    };
    // Without a budget of its own a run holds what the tenant's says, whatever that is at the time.
    find(own(state.task_of(run)), dimension).map_or(0, |budget| budget.reserve.saturating_add(1))
}

/// A budget may have room now: runs that are ready and wait for it may try again.
pub(super) fn reopened(state: &mut State, key: &Key) {
    reopen(state, &blocker_of(key));
}

/// What a task's attempts hold is about to change: those of its runs that wait among their like go back to their lanes, to be sorted anew.
pub(super) fn unsort(state: &mut State, task: u32) {
    let runs = state.tasks[task].runs();
    let ready: Vec<u32> = runs
        .filter(|run| state.runs[*run].state == RunState::Ready)
        .collect();
    for run in ready {
        leave(state, run);
        enter(state, run);
    }
}
