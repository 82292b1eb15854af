//! What each event about subscriptions does to the rows: the only writer of subscriptions.
//! Owns: subscriptions.
//! Never: fails or decides.

use super::index::rows;
use super::model::{Filter, Subscription};
use crate::event::{
    CustomEventPublished, SubscriptionCanceled, SubscriptionCreated, SubscriptionTriggered,
};
use crate::id::Minted;
use crate::limits::SUBSCRIPTIONS_MAX;
use crate::machine::Apply;
use crate::state::{At, Note, State};
use crate::{SubscriptionId, TaskId, Text};

impl Apply for CustomEventPublished {
    fn apply(&self, state: &mut State, at: &At) {
        if !state.watches.is_empty() {
            let note = Note::Published(at.tenant, self.key.clone());
            state.notes.push(note);
        }
    }
}

impl Apply for SubscriptionCreated {
    fn apply(&self, state: &mut State, at: &At) {
        let Some(task) = state.find_task(at.tenant, self.task) else {
            return;
        };
        if !self.chosen {
            state.minted = state.minted.max(Minted::of(self.subscription.0));
        }
        forget_oldest(state, at.tenant, task);
        let row = Subscription {
            id: self.subscription,
            filter: self.filter.clone(),
            ..Subscription::default()
        };
        if state.watches.insert(at.tenant, task, &row) {
            let rare = state.tasks[task].rare.get_or_insert_default();
            rare.subscriptions.push(row);
            state.touch_task(task);
        }
        if let Filter::BudgetThreshold(watched, dimension, percent) = &*self.filter {
            note_passed(state, at, *watched, dimension, *percent);
        }
    }
}

/// Makes way in a full row: canceled subscriptions are remembered only so long.
fn forget_oldest(state: &mut State, tenant: u32, task: u32) {
    if rows(state, task).len() < SUBSCRIPTIONS_MAX {
        return;
    }
    let Some(oldest) = rows(state, task).iter().position(|row| row.canceled) else {
        return;
    };
    if let Some(rare) = state.tasks[task].rare.as_deref_mut() {
        let row = rare.subscriptions.remove(oldest);
        state.watches.remove(tenant, &row);
    }
}

/// A threshold that was passed before anybody waited for it is not passed again in this period.
fn note_passed(state: &mut State, at: &At, watched: TaskId, dimension: &Text, percent: u32) {
    let Some(task) = state.find_task(at.tenant, watched) else {
        return;
    };
    let budgets = state.tasks[task].rare.as_deref_mut();
    let budget = budgets.and_then(|rare| {
        let mut budgets = rare.budgets.iter_mut();
        budgets.find(|budget| budget.dimension == *dimension)
    });
    if let Some(budget) = budget
        && budget.has_passed(percent)
        && !budget.fired.contains(&percent)
    {
        budget.fired.push(percent);
        state.touch_task(task);
    }
}

/// The row that an event names, with its task.
fn find<'a>(state: &'a mut State, at: &At, id: SubscriptionId) -> Option<&'a mut Subscription> {
    let task = state.watches.task(at.tenant, id)?;
    state.touch_task(task);
    let rare = state.tasks[task].rare.as_deref_mut()?;
    rare.subscriptions.iter_mut().find(|row| row.id == id)
}

impl Apply for SubscriptionCanceled {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(row) = find(state, at, self.subscription) {
            row.canceled = true;
            let row = row.clone();
            state.watches.silence(at.tenant, &row);
        }
    }
}

impl Apply for SubscriptionTriggered {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(row) = find(state, at, self.subscription) {
            row.triggered = row.triggered.saturating_add(self.run.is_some().into());
            row.pending = self.pending;
            let row = row.clone();
            state.watches.mark(at.tenant, &row);
        }
    }
}
