//! What each event about budgets does to the rows: the only writer of budgets.
//! Owns: budgets and what attempts used.
//! Never: fails or decides.

use super::cover::{find, find_mut, list};
use super::model::{Amount, Budget, Key};
use super::room::{reopened, unsort};
use super::wait::refresh;
use crate::event::{
    BudgetAllocated, BudgetConsumed, BudgetExhausted, BudgetReplenished, BudgetThresholdPassed,
};
use crate::machine::Apply;
use crate::state::{At, Note, State};
use crate::{TaskId, Text};

/// The budget that an event names. Its task has not ended, so it is in memory.
fn key_of(state: &State, at: &At, task: Option<TaskId>, dimension: &Text) -> Option<Key> {
    let task = match task {
        Some(id) => Some(state.find_task(at.tenant, id)?),
        None => None,
    };
    Some(Key {
        tenant: at.tenant,
        task,
        dimension: dimension.clone(),
    })
}

/// Changes a budget, and what waits for room on it follows.
fn change(state: &mut State, key: &Key, change: impl FnOnce(&mut Budget)) {
    if let Some(budget) = find_mut(state, key) {
        change(budget);
    }
    refresh(state, key);
    reopened(state, key);
}

/// Notes use of a budget, if there is one of that dimension.
fn spend(state: &mut State, key: &Key, amount: u64) {
    if find(list(state, key.tenant, key.task), &key.dimension).is_none() {
        return;
    }
    change(state, key, |budget| {
        budget.consumed = budget.consumed.saturating_add(amount);
    });
    let note = Note::BudgetUsed(key.tenant, key.task);
    if state.notes.last() != Some(&note) {
        state.notes.push(note);
    }
}

impl Apply for BudgetAllocated {
    fn apply(&self, state: &mut State, at: &At) {
        let Some(key) = key_of(state, at, self.task, &self.dimension) else {
            return;
        };
        if let Some(task) = key.task {
            unsort(state, task);
        }
        if find_mut(state, &key).is_none() {
            let budget = Budget {
                dimension: self.dimension.clone(),
                ..Budget::default()
            };
            match key.task {
                Some(task) => {
                    let rare = state.tasks[task].rare.get_or_insert_default();
                    rare.budgets.push(budget);
                    state.touch_task(task);
                }
                None => state.tenant_rows[key.tenant as usize].budgets.push(budget),
            }
        }
        change(state, &key, |budget| {
            budget.limit = self.limit;
            budget.reserve = self.reserve.unwrap_or(budget.reserve);
        });
        // A lower limit may be one that was reached already.
        state.notes.push(Note::BudgetUsed(key.tenant, key.task));
    }
}

impl Apply for BudgetConsumed {
    fn apply(&self, state: &mut State, at: &At) {
        let Some(id) = self.run else {
            for item in &self.items {
                if let Some(key) = key_of(state, at, self.task, &item.dimension) {
                    spend(state, &key, item.amount);
                }
            }
            return;
        };
        let run = state.run_of(at.tenant, id);
        let task = state.runs[run].task;
        for item in &self.items {
            if let Some(active) = state.runs[run].active.as_deref_mut() {
                Amount::add(&mut active.consumption, &item.dimension, item.amount);
            }
            for task in [Some(task), None] {
                let key = Key {
                    tenant: at.tenant,
                    task,
                    dimension: item.dimension.clone(),
                };
                spend(state, &key, item.amount);
            }
        }
    }
}

impl Apply for BudgetReplenished {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(key) = key_of(state, at, self.task, &self.dimension) {
            change(state, &key, |budget| {
                budget.before = budget.before.saturating_add(budget.consumed);
                budget.consumed = 0;
                budget.limit = self.limit;
                budget.fired.clear();
                budget.told = false;
            });
        }
    }
}

impl Apply for BudgetExhausted {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(key) = key_of(state, at, self.task, &self.dimension) {
            change(state, &key, |budget| budget.told = true);
        }
    }
}

impl Apply for BudgetThresholdPassed {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(key) = key_of(state, at, Some(self.task), &self.dimension) {
            change(state, &key, |budget| {
                if !budget.fired.contains(&self.percent) {
                    budget.fired.push(self.percent);
                }
            });
        }
    }
}
