//! The threads between tasks: who must hear of whose end, and who has yet to.
//! Owns: the indexes of bonds, the count of live descendants, the lists of what is owed.
//! Never: decides; `apply` and the loader call it, and what is owed is drawn by `machine/react.rs`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::model::{Bond, Child};
use crate::TaskId;
use crate::limits::{CHILDREN_SHOWN_MAX, HIERARCHY_DEPTH_MAX};
use crate::queue::{self, Blocker};
use crate::run::Hold;
use crate::state::{At, State};
use crate::task::{Bonds, Row};

/// The bond of a task, made when it has none yet.
fn bond_mut(state: &mut State, task: u32) -> &mut Bond {
    let rare = state.tasks[task].rare.get_or_insert_default();
    rare.bond.get_or_insert_default()
}

/// The tasks above this one that are in memory, its parent first.
pub(crate) fn ancestors(state: &State, task: u32) -> impl Iterator<Item = u32> + '_ {
    let above = move |task: &u32| {
        let row = &state.tasks[*task];
        let bond = row.bond().filter(|bond| !bond.apart)?;
        state.find_task(state.tenant_of(row), bond.parent?)
    };
    let most = HIERARCHY_DEPTH_MAX as usize - 1;
    core::iter::successors(above(&task), above).take(most)
}

/// The canceled task below which this one stands, when the sweep has not come to it yet. Nothing is looked up while no sweep is on.
#[inline]
pub(crate) fn fence(state: &State, task: u32) -> Option<u32> {
    if state.owed.sweep.is_empty() {
        return None;
    }
    fence_above(state, task)
}

fn fence_above(state: &State, task: u32) -> Option<u32> {
    if state.tasks[task].canceled_at().is_some() {
        return None;
    }
    state.tasks[task].bond()?.parent?;
    ancestors(state, task).find(|above| state.tasks[*above].canceled_at().is_some())
}

/// Whether a prerequisite of this task has not been completed: none of its runs may start.
pub(crate) fn is_blocked(task: &Row) -> bool {
    task.bond().is_some_and(|bond| !bond.unmet.is_empty())
}

/// Ties a task that was just made to its parent and its prerequisites.
pub(crate) fn tie(state: &mut State, tenant: u32, task: u32, bonds: &Bonds) {
    if bonds.parent.is_none() && bonds.depends_on.is_empty() {
        return;
    }
    let parent = bonds.parent.and_then(|id| state.find_task(tenant, id));
    let above = parent.and_then(|parent| state.tasks[parent].bond());
    let mut bond = Bond {
        parent: bonds.parent,
        depth: parent.map_or(0, |_| above.map_or(0, |above| above.depth) + 1),
        ..Bond::default()
    };
    for id in &bonds.depends_on {
        if !bond.depends_on.contains(id) {
            bond.depends_on.push(*id);
        }
    }
    let goes_on = |id: &&TaskId| {
        let known = state.find_task(tenant, **id);
        known.is_some_and(|known| !state.tasks[known].state().is_terminal())
    };
    bond.unmet = bond.depends_on.iter().filter(goes_on).copied().collect();
    let rare = state.tasks[task].rare.get_or_insert_default();
    rare.bond = Some(Box::new(bond));
    if let Some(parent) = parent {
        let child = state.tasks[task].id;
        let above = bond_mut(state, parent);
        above.children_total = above.children_total.saturating_add(1);
        if above.first_children.len() < CHILDREN_SHOWN_MAX {
            above.first_children.push(Child {
                task: child,
                ended: 0,
            });
        }
        count(state, task, true);
    }
    link(state, task, false);
}

/// Makes a task that was there depend on more tasks.
pub(crate) fn tie_more(state: &mut State, task: u32, unmet: &[TaskId], met: &[TaskId]) {
    let bond = bond_mut(state, task);
    bond.depends_on.extend(unmet.iter().chain(met));
    bond.unmet.extend(unmet);
    link(state, task, false);
    rearm(state, task);
    state.touch_task(task);
}

/// A prerequisite is completed: the task waits for one less.
pub(crate) fn satisfy(state: &mut State, task: u32, prerequisite: TaskId) {
    let (number, tenant) = (
        state.tasks[task].number,
        state.tenant_of(&state.tasks[task]),
    );
    let bond = bond_mut(state, task);
    bond.unmet.retain(|id| *id != prerequisite);
    let free = bond.unmet.is_empty();
    if let Some(prerequisite) = state.find_task(tenant, prerequisite) {
        forget(state, prerequisite, number);
    }
    if free {
        rearm(state, task);
        queue::reopen(state, &Blocker::Prerequisites(task));
    }
    state.touch_task(task);
}

/// A task hears no more from a prerequisite. One that never had to tell it anything stays as it is: it may have been stored for good.
fn forget(state: &mut State, prerequisite: u32, dependent: u64) {
    let rare = state.tasks[prerequisite].rare.as_deref_mut();
    let bond = rare.and_then(|rare| rare.bond.as_deref_mut());
    if bond.is_some_and(|bond| bond.dependents.remove(&dependent).is_some()) {
        state.touch_task(prerequisite);
        review(state, prerequisite);
    }
}

/// Runs of a task that waits for others have no alarm of their own; when it waits no longer they have.
fn rearm(state: &mut State, task: u32) {
    let runs: Vec<u32> = state.tasks[task].runs().collect();
    for run in runs {
        state.rearm(run);
    }
}

/// Counts a task that goes on, or no longer, at every task above it.
fn count(state: &mut State, task: u32, goes_on: bool) -> Vec<u32> {
    let above: Vec<u32> = ancestors(state, task).collect();
    for above in &above {
        let bond = bond_mut(state, *above);
        bond.descendants_live = if goes_on {
            bond.descendants_live.saturating_add(1)
        } else {
            bond.descendants_live.saturating_sub(1)
        };
        state.touch_task(*above);
    }
    above
}

fn prerequisites(state: &State, task: u32) -> Vec<u32> {
    let row = &state.tasks[task];
    let tenant = state.tenant_of(row);
    let unmet = row.bond().into_iter().flat_map(|bond| &bond.unmet);
    unmet
        .filter_map(|id| state.find_task(tenant, *id))
        .collect()
}

/// The task that this one belongs to, if it is in memory.
pub(crate) fn parent(state: &State, task: u32) -> Option<u32> {
    ancestors(state, task).next()
}

/// Puts a task that goes on into the indexes of its parent and its prerequisites. While rows are `loaded` a prerequisite that has ended is one
/// that has yet to tell it, and no row changes by the way; otherwise one that has ended has nothing to tell any more.
fn link(state: &mut State, task: u32, loaded: bool) {
    let number = state.tasks[task].number;
    for prerequisite in prerequisites(state, task) {
        if !loaded {
            if state.tasks[prerequisite].state().is_terminal() {
                continue;
            }
            state.touch_task(prerequisite);
        }
        let bond = bond_mut(state, prerequisite);
        bond.dependents.insert(number, task);
        review(state, prerequisite);
    }
    if let Some(parent) = parent(state, task) {
        bond_mut(state, parent).children.insert(number, task);
        review(state, parent);
    }
}

/// What a load does once every row is there: the indexes of these tasks and of these suspended runs.
pub(crate) fn link_loaded(state: &mut State, bonded: &[u32], asleep: &[u32]) {
    for task in bonded {
        let row = &state.tasks[*task];
        if row.state().is_terminal() {
            continue;
        }
        let key = row.extras().and_then(|extras| extras.unique_key.clone());
        if let Some(key) = key {
            let scope = (state.tenant_of(row), key);
            state.unique.insert(scope, *task);
        }
        link(state, *task, true);
    }
    for run in asleep {
        fall_asleep(state, *run);
    }
    for task in bonded {
        review(state, *task);
    }
}

/// A task that had ended goes on: it waits for what it waited for, and counts to those above it again unless its parent has ended.
pub(crate) fn rejoin(state: &mut State, task: u32) {
    let row = &state.tasks[task];
    let (id, tenant) = (row.id, state.tenant_of(row));
    let Some(bond) = row.bond() else { return };
    let above = bond
        .parent
        .and_then(|parent| state.find_task(tenant, parent));
    let goes_on = |above: &u32| !state.tasks[*above].state().is_terminal();
    let above = above.filter(goes_on);
    let depth = above.map_or(0, |above| {
        state.tasks[above].bond().map_or(0, |bond| bond.depth) + 1
    });
    let apart = bond.parent.is_some() && above.is_none();
    let bond = bond_mut(state, task);
    (bond.apart, bond.depth) = (apart, depth);
    if let Some(above) = above {
        let children = &mut bond_mut(state, above).first_children;
        if let Some(child) = children.iter_mut().find(|child| child.task == id) {
            child.ended = 0;
        }
        count(state, task, true);
    }
    link(state, task, false);
    review(state, task);
}

/// A task has ended: it waits for nobody, and those above it wait for one less. Whoever ends by that is settled too.
pub(crate) fn ended(state: &mut State, at: &At, task: u32) {
    let row = &state.tasks[task];
    let (number, id, code) = (row.number, row.id, row.state() as u32);
    for prerequisite in prerequisites(state, task) {
        forget(state, prerequisite, number);
    }
    if let Some(parent) = parent(state, task) {
        let bond = bond_mut(state, parent);
        let known = bond
            .first_children
            .iter_mut()
            .find(|child| child.task == id);
        if let Some(child) = known {
            child.ended = code;
        }
        if bond.children.remove(&number).is_some() {
            review(state, parent);
            for above in count(state, task, false) {
                state.settle(at, above);
            }
        }
    }
    review(state, task);
}

/// A run was suspended until its task's children have ended.
pub(crate) fn fall_asleep(state: &mut State, run: u32) {
    let (task, number) = (state.runs[run].task, state.runs[run].number);
    bond_mut(state, task).sleepers.insert(number, run);
    review(state, task);
}

/// A suspended run is so no longer.
pub(crate) fn rise(state: &mut State, run: u32) {
    let row = &state.runs[run];
    let sleeps = row
        .past
        .as_ref()
        .is_some_and(|past| past.hold == Hold::Children);
    let (task, number) = (row.task, row.number);
    if sleeps {
        bond_mut(state, task).sleepers.remove(&number);
        review(state, task);
    }
}

/// Which of the three things this task owes its neighbours.
pub(super) fn owes(row: &Row) -> [bool; 3] {
    let Some(bond) = row.bond() else {
        return [false; 3];
    };
    [
        row.canceled_at().is_some() && !bond.children.is_empty(),
        bond.children.is_empty() && !bond.sleepers.is_empty(),
        !bond.dependents.is_empty() && row.state().is_terminal(),
    ]
}

/// Puts a task on the lists of what is owed, or takes it off.
pub(crate) fn review(state: &mut State, task: u32) {
    let row = &state.tasks[task];
    let (entry, owes) = ((row.number, task), owes(row));
    let owed = &mut state.owed;
    for (list, owes) in [&mut owed.sweep, &mut owed.wake, &mut owed.tell]
        .into_iter()
        .zip(owes)
    {
        if owes {
            list.insert(entry);
        } else {
            list.remove(&entry);
        }
    }
}
