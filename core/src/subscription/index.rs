//! Who waits to hear of what.
//! Owns: subscriptions by id and by what they wait for, of tasks that have not ended.
//! Never: keeps what does not follow from the tasks' rows.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::model::{Filter, Subscription};
use crate::state::State;
use crate::{SubscriptionId, TaskId, Text};

/// Subscriptions by id, and by what they wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watches {
    /// The subscribing task of each, canceled ones included.
    tasks: BTreeMap<(u32, SubscriptionId), u32>,
    by_filter: BTreeMap<(u32, Filter), BTreeSet<SubscriptionId>>,
    /// Those that have happenings to act on.
    due: BTreeSet<(u32, SubscriptionId)>,
}

impl Watches {
    /// Whether nobody waits for anything: the usual case, in which nothing is looked up.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_filter.is_empty()
    }

    /// Whether a subscription has something to act on.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// The first of those that have.
    pub(crate) fn first_due(&self) -> Option<(u32, SubscriptionId)> {
        self.due.first().copied()
    }

    /// What a subscription has to act on has changed.
    pub(super) fn mark(&mut self, tenant: u32, row: &Subscription) {
        if row.pending > 0 && !row.canceled {
            self.due.insert((tenant, row.id));
        } else {
            self.due.remove(&(tenant, row.id));
        }
    }

    /// The subscribing task.
    pub(crate) fn task(&self, tenant: u32, id: SubscriptionId) -> Option<u32> {
        self.tasks.get(&(tenant, id)).copied()
    }

    /// How many wait for this.
    pub(super) fn count(&self, tenant: u32, filter: &Filter) -> usize {
        let found = self.by_filter.get(&(tenant, filter.clone()));
        found.map_or(0, BTreeSet::len)
    }

    /// A subscription exists. One whose id another task's has is nobody's.
    pub(super) fn insert(&mut self, tenant: u32, task: u32, row: &Subscription) -> bool {
        if self.tasks.contains_key(&(tenant, row.id)) {
            return false;
        }
        self.tasks.insert((tenant, row.id), task);
        self.mark(tenant, row);
        if !row.canceled {
            let waiting = self.by_filter.entry((tenant, (*row.filter).clone()));
            waiting.or_default().insert(row.id);
        }
        true
    }

    /// It waits no longer.
    pub(super) fn silence(&mut self, tenant: u32, row: &Subscription) {
        self.due.remove(&(tenant, row.id));
        let key = (tenant, (*row.filter).clone());
        if let Some(waiting) = self.by_filter.get_mut(&key) {
            waiting.remove(&row.id);
            if waiting.is_empty() {
                self.by_filter.remove(&key);
            }
        }
    }

    /// Nothing is left of it.
    pub(super) fn remove(&mut self, tenant: u32, row: &Subscription) {
        self.silence(tenant, row);
        self.tasks.remove(&(tenant, row.id));
    }
}

pub(super) fn rows(state: &State, task: u32) -> &[Subscription] {
    let rare = state.tasks[task].rare.as_deref();
    rare.map(|rare| &rare.subscriptions[..]).unwrap_or_default()
}

/// Who waits for this, in the order of their ids.
pub(crate) fn watchers(state: &State, tenant: u32, filter: &Filter) -> Vec<SubscriptionId> {
    if state.watches.is_empty() {
        return Vec::new();
    }
    let found = state.watches.by_filter.get(&(tenant, filter.clone()));
    found.map_or_else(Vec::new, |waiting| waiting.iter().copied().collect())
}

/// How many happenings a subscription has still to act on.
pub(crate) fn pending(state: &State, tenant: u32, id: SubscriptionId) -> u32 {
    let rows = state.watches.task(tenant, id).map(|task| rows(state, task));
    let row = rows
        .unwrap_or_default()
        .iter()
        .find(|row| row.id == id && !row.canceled);
    row.map_or(0, |row| row.pending)
}

/// The thresholds of a task's budget that somebody waits for, in percent.
pub(crate) fn thresholds(
    state: &State,
    tenant: u32,
    task: TaskId,
    dimension: &Text,
) -> impl Iterator<Item = u32> {
    let at = |percent| {
        let filter = Filter::BudgetThreshold(task, dimension.clone(), percent);
        (tenant, filter)
    };
    let range = state.watches.by_filter.range(at(0)..=at(u32::MAX));
    range.filter_map(|((_, filter), _)| match filter {
        Filter::BudgetThreshold(_, _, percent) => Some(*percent),
        _ => None,
    })
}

/// Puts the subscriptions of a task that came from a checkpoint into the index. False when another task has one of the same id.
pub(crate) fn link(state: &mut State, task: u32) -> bool {
    let row = &state.tasks[task];
    if row.state().is_terminal() {
        return true;
    }
    let tenant = state.tenant_of(row);
    let Some(rare) = row.rare.as_deref() else {
        return true;
    };
    let mut rows = rare.subscriptions.iter();
    rows.all(|row| state.watches.insert(tenant, task, row))
}

/// A task that had ended goes on: it waits again for what nobody canceled. What happened meanwhile is not made up for.
pub(crate) fn listen_again(state: &mut State, task: u32) {
    let row = &state.tasks[task];
    let tenant = state.tenant_of(row);
    let rows = row.rare.as_deref().map(|rare| rare.subscriptions.iter());
    for row in rows.into_iter().flatten() {
        state.watches.insert(tenant, task, row);
    }
}

/// A task has ended: it waits for nothing any more.
pub(crate) fn forget(state: &mut State, task: u32) {
    let row = &state.tasks[task];
    let tenant = state.tenant_of(row);
    if let Some(rare) = row.rare.as_deref() {
        for row in &rare.subscriptions {
            if state.watches.task(tenant, row.id) == Some(task) {
                state.watches.remove(tenant, row);
            }
        }
    }
}

/// Whether the index holds exactly what the rows say.
///
/// # Errors
/// The disagreement, in words.
pub(crate) fn verify(state: &State) -> Result<(), String> {
    let mut fresh = Watches::default();
    for (at, task) in state.tasks.iter() {
        if task.state().is_terminal() {
            continue;
        }
        for row in rows(state, at) {
            if !fresh.insert(state.tenant_of(task), at, row) {
                return Err("two subscriptions of one id".into());
            }
        }
    }
    let known = &state.watches;
    let same = (&fresh.tasks, &fresh.by_filter) == (&known.tasks, &known.by_filter);
    if same && fresh.due == known.due {
        Ok(())
    } else {
        Err("who waits to hear of what differs from the rows".into())
    }
}
