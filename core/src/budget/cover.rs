//! Which budgets cover a run, whether they have room for it, and what its attempt holds of them.
//! Owns: the rule of claiming under budgets, reservations.
//! Never: decides what follows from an exhausted budget.

use alloc::vec::Vec;

use super::model::{Amount, Budget, Key};
use super::room::reopened;
use super::wait::{refresh, wait};
use crate::outcome::BudgetView;
use crate::run::{Active, Hold, Row, State as RunState};
use crate::state::State;
use crate::{Text, task};

/// The budget that holds a run back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocked<'a> {
    pub(crate) budget: &'a Budget,
    /// Whether it is the tenant's rather than the task's.
    pub(crate) of_tenant: bool,
    /// What the run's next attempt would hold of it.
    pub(crate) reserve: u64,
}

impl Blocked<'_> {
    /// Which budget it is, for a run of this task.
    pub(crate) fn key(&self, tenant: u32, task: u32) -> Key {
        Key {
            tenant,
            task: (!self.of_tenant).then_some(task),
            dimension: self.budget.dimension.clone(),
        }
    }
}

#[inline]
pub(super) fn own(task: &task::Row) -> &[Budget] {
    let own = task.rare.as_deref().map(|rare| rare.budgets.as_slice());
    own.unwrap_or_default()
}

pub(super) fn find<'a>(list: &'a [Budget], dimension: &Text) -> Option<&'a Budget> {
    list.iter().find(|budget| budget.dimension == *dimension)
}

/// The budgets of a task, or of the tenant.
#[inline]
pub(super) fn list(state: &State, tenant: u32, task: Option<u32>) -> &[Budget] {
    match task {
        Some(task) => own(&state.tasks[task]),
        None => &state.tenant_rows[tenant as usize].budgets,
    }
}

/// One of them, to be changed: its row goes into the next cut.
pub(super) fn find_mut<'a>(state: &'a mut State, key: &Key) -> Option<&'a mut Budget> {
    let list = match key.task {
        Some(task) => {
            state.touch_task(task);
            &mut state.tasks[task].rare.as_deref_mut()?.budgets
        }
        None => {
            state.touch_tenant(key.tenant);
            &mut state.tenant_rows[key.tenant as usize].budgets
        }
    };
    list.iter_mut()
        .find(|budget| budget.dimension == key.dimension)
}

/// Every budget that covers a run: its task's, then its tenant's. What an attempt holds of a dimension is what its task says; where the
/// task has no budget of that dimension, what the tenant's says.
pub(crate) fn covers(state: &State, run: u32) -> impl Iterator<Item = Blocked<'_>> {
    let row = &state.runs[run];
    let (own, shared) = (
        own(&state.tasks[row.task]),
        list(state, row.tenant, None).iter(),
    );
    let reserve = |budget: &Budget| find(own, &budget.dimension).unwrap_or(budget).reserve;
    let first = own.iter().map(|budget| Blocked {
        budget,
        of_tenant: false,
        reserve: budget.reserve,
    });
    first.chain(shared.map(move |budget| Blocked {
        budget,
        of_tenant: true,
        reserve: reserve(budget),
    }))
}

/// Whether any budget covers the run: most runs have none, and nothing is looked up for them.
#[inline]
pub(crate) fn is_covered(state: &State, row: &Row) -> bool {
    !own(&state.tasks[row.task]).is_empty() || !list(state, row.tenant, None).is_empty()
}

/// The budget that holds the run's next attempt back, if there is one.
#[inline]
pub(crate) fn blocks(state: &State, run: u32) -> Option<Blocked<'_>> {
    if !is_covered(state, &state.runs[run]) {
        return None;
    }
    covers(state, run).find(|cover| !cover.budget.has_room(cover.reserve))
}

/// The exhausted budget that covers the run, if there is one.
#[inline]
pub(crate) fn exhausted(state: &State, run: u32) -> Option<Blocked<'_>> {
    if !is_covered(state, &state.runs[run]) {
        return None;
    }
    covers(state, run).find(|cover| cover.budget.is_exhausted())
}

/// Every budget that covers the runs of a task, as people see it: its own, then its tenant's.
pub(crate) fn views(state: &State, task: &task::Row) -> Vec<BudgetView> {
    let shared = list(state, state.tenant_of(task), None);
    let own = own(task).iter().map(|budget| budget.view(false));
    own.chain(shared.iter().map(|budget| budget.view(true)))
        .collect()
}

/// The attempt that has just begun holds its share of each budget that covers it.
#[inline]
pub(crate) fn reserve(state: &mut State, run: u32) {
    if is_covered(state, &state.runs[run]) {
        hold(state, run);
    }
}

fn hold(state: &mut State, run: u32) {
    let (tenant, task) = (state.runs[run].tenant, state.runs[run].task);
    let shares: Vec<(Key, u64)> = covers(state, run)
        .filter(|cover| cover.reserve > 0)
        .map(|cover| (cover.key(tenant, task), cover.reserve))
        .collect();
    for (key, amount) in shares {
        if let Some(budget) = find_mut(state, &key) {
            budget.reserved = budget.reserved.saturating_add(amount);
        }
        if let Some(active) = state.runs[run].active.as_deref_mut() {
            let held = match key.task {
                Some(_) => &mut active.reserved,
                None => &mut active.reserved_of_tenant,
            };
            Amount::add(held, &key.dimension, amount);
        }
    }
}

/// An attempt has ended: what it held is free again.
#[inline]
pub(crate) fn release(state: &mut State, run: u32, active: &Active) {
    if active.is_spending() {
        let_go(state, run, active);
    }
}

fn let_go(state: &mut State, run: u32, active: &Active) {
    let (tenant, task) = (state.runs[run].tenant, state.runs[run].task);
    let own = active.reserved.iter().map(|item| (Some(task), item));
    let shared = active.reserved_of_tenant.iter().map(|item| (None, item));
    for (task, item) in own.chain(shared) {
        let key = Key {
            tenant,
            task,
            dimension: item.dimension.clone(),
        };
        if let Some(budget) = find_mut(state, &key) {
            budget.reserved = budget.reserved.saturating_sub(item.amount);
        }
        refresh(state, &key);
        reopened(state, &key);
    }
}

/// What is held of budgets is counted anew when a checkpoint is loaded: attempts know it.
pub(crate) fn forget_reserved(budgets: &mut [Budget]) {
    for budget in budgets {
        budget.reserved = 0;
    }
}

fn waits(row: &Row) -> bool {
    let hold = row.past.as_deref().map(|past| past.hold);
    row.state == RunState::Suspended && hold == Some(Hold::Budget)
}

/// Whether a run that came from a checkpoint holds something of a budget, or waits for one.
pub(crate) fn is_spending(state: &State, run: u32) -> bool {
    let row = &state.runs[run];
    waits(row) || row.active.as_deref().is_some_and(Active::is_spending)
}

/// Counts what such a run holds, and lets it wait where it waited, once every budget is there.
pub(crate) fn link(state: &mut State, run: u32) {
    let row = &state.runs[run];
    let (tenant, task) = (row.tenant, row.task);
    if waits(row) {
        wait(state, run);
        return;
    }
    let State {
        runs,
        tasks,
        tenant_rows,
        ..
    } = state;
    let Some(active) = runs[run].active.as_deref() else {
        return;
    };
    let count = |budgets: &mut [Budget], item: &Amount| {
        let mut same = budgets
            .iter_mut()
            .filter(|budget| budget.dimension == item.dimension);
        if let Some(budget) = same.next() {
            budget.reserved = budget.reserved.saturating_add(item.amount);
        }
    };
    if let Some(rare) = tasks[task].rare.as_deref_mut() {
        for item in &active.reserved {
            count(&mut rare.budgets, item);
        }
    }
    for item in &active.reserved_of_tenant {
        count(&mut tenant_rows[tenant as usize].budgets, item);
    }
}
