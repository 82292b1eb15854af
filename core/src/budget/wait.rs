//! Runs that are suspended until a budget has room: each waits with one exhausted budget that covers it.
//! Owns: that index, and the resuming of those whose budget is no longer exhausted, in bounded pieces.
//! Never: keeps a fact: the index follows from the rows, so a process that ends between two pieces goes on where it was.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use super::cover::{exhausted, find, list};
use super::model::Key;
use crate::event::{RunResumed, Why};
use crate::machine::Tx;
use crate::run::{Cause, Hold, State as RunState};
use crate::state::State;

/// Who waits for which budget.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits {
    /// Runs by number under the budget they wait for.
    by_budget: BTreeMap<Key, BTreeMap<u64, u32>>,
    /// Of these, budgets that are not exhausted any more.
    loose: BTreeSet<Key>,
    /// Where each run waits.
    at: BTreeMap<u32, Key>,
}

impl Waits {
    /// Whether somebody waits for a budget that is not exhausted any more.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        !self.loose.is_empty()
    }

    fn first_due(&self) -> Option<u32> {
        let key = self.loose.first()?;
        let (_, run) = self.by_budget.get(key)?.first_key_value()?;
        Some(*run)
    }
}

/// How many runs wait, with so many budgets at most.
pub(crate) fn waiting(state: &State, budgets_max: usize) -> usize {
    let waits = state.budget_waits.by_budget.values().take(budgets_max);
    waits.map(BTreeMap::len).sum()
}

/// A run that was suspended for want of a budget waits with the first one that is exhausted; with any of them when none is any more.
pub(crate) fn wait(state: &mut State, run: u32) {
    let (tenant, task) = (state.runs[run].tenant, state.runs[run].task);
    let found = exhausted(state, run).map(|cover| cover.key(tenant, task));
    let key = found.unwrap_or(Key {
        tenant,
        task: Some(task),
        dimension: "".into(),
    });
    let number = state.runs[run].number;
    let waits = &mut state.budget_waits;
    waits
        .by_budget
        .entry(key.clone())
        .or_default()
        .insert(number, run);
    waits.at.insert(run, key.clone());
    refresh(state, &key);
}

/// The run does not wait any more.
pub(crate) fn wait_ended(state: &mut State, run: u32) {
    let Some(key) = state.budget_waits.at.remove(&run) else {
        return;
    };
    let number = state.runs[run].number;
    if let Some(runs) = state.budget_waits.by_budget.get_mut(&key) {
        runs.remove(&number);
        if runs.is_empty() {
            state.budget_waits.by_budget.remove(&key);
        }
    }
    refresh(state, &key);
}

/// The run's budget has room, another one that covers it has not: it waits with that one.
pub(crate) fn wait_again(state: &mut State, run: u32) {
    wait_ended(state, run);
    wait(state, run);
}

/// A budget changed: whoever waits for it may be due, or not any more.
pub(super) fn refresh(state: &mut State, key: &Key) {
    if !state.budget_waits.by_budget.contains_key(key) {
        state.budget_waits.loose.remove(key);
        return;
    }
    if is_spent(state, key) {
        state.budget_waits.loose.remove(key);
    } else {
        state.budget_waits.loose.insert(key.clone());
    }
}

fn is_spent(state: &State, key: &Key) -> bool {
    let budget = find(list(state, key.tenant, key.task), &key.dimension);
    budget.is_some_and(super::Budget::is_exhausted)
}

/// Resumes runs whose budgets are not exhausted any more, as many as are `left`, which it counts down.
pub(crate) fn resume_due(tx: &mut Tx<'_>, left: &mut usize) {
    while *left > 0 {
        let Some(run) = tx.state().budget_waits.first_due() else {
            return;
        };
        *left -= 1;
        if exhausted(tx.state(), run).is_some() {
            tx.wait_again(run);
            continue;
        }
        let row = &tx.state().runs[run];
        let (tenant, id) = (row.tenant, row.id);
        tx.about(run);
        tx.emit_for(
            tenant,
            RunResumed {
                run: id,
                cause: Some(Box::new(Why {
                    cause: Cause::Replenish,
                    task: None,
                })),
                ..RunResumed::default()
            },
        );
    }
}

/// Whether every waiting run is in the index, where it belongs, and nobody else is.
///
/// # Errors
/// The first disagreement, in words.
pub(crate) fn verify(state: &State) -> Result<(), String> {
    let waits = &state.budget_waits;
    let holds = |row: &crate::run::Row| {
        let past = row.past.as_deref();
        row.state == RunState::Suspended && past.is_some_and(|past| past.hold == Hold::Budget)
    };
    let mut waiting = 0;
    for (at, row) in state.runs.iter().filter(|(_, row)| holds(row)) {
        waiting += 1;
        let key = waits.at.get(&at);
        let found = key.and_then(|key| waits.by_budget.get(key)?.get(&row.number));
        if found != Some(&at) {
            return Err("a run waits for a budget, and no budget knows".into());
        }
    }
    let indexed: usize = waits.by_budget.values().map(BTreeMap::len).sum();
    if (indexed, waits.at.len()) != (waiting, waiting) {
        return Err("a budget knows of a run that does not wait for it".into());
    }
    let loose = waits.by_budget.keys().filter(|key| !is_spent(state, key));
    if !loose.eq(&waits.loose) {
        return Err("a budget with room is not due, or one without is".into());
    }
    check_reserved(state)
}

/// What budgets say is held of them is what attempts hold.
fn check_reserved(state: &State) -> Result<(), String> {
    let mut held: BTreeMap<Key, u64> = BTreeMap::new();
    for (_, row) in state.runs.iter() {
        let Some(active) = row.active.as_deref() else {
            continue;
        };
        let own = active.reserved.iter().map(|item| (Some(row.task), item));
        let shared = active.reserved_of_tenant.iter().map(|item| (None, item));
        for (task, item) in own.chain(shared) {
            let key = Key {
                tenant: row.tenant,
                task,
                dimension: item.dimension.clone(),
            };
            let sum = held.entry(key).or_default();
            *sum = sum.saturating_add(item.amount);
        }
    }
    let tasks = state.tasks.iter().filter_map(|(at, task)| {
        let rare = task.rare.as_deref()?;
        Some((state.tenant_of(task), Some(at), &rare.budgets[..]))
    });
    let tenants = state.tenant_rows.iter().enumerate();
    let tenants = tenants.map(|(at, row)| (at as u32, None, &row.budgets[..]));
    for (tenant, task, budgets) in tasks.chain(tenants) {
        for budget in budgets {
            let key = Key {
                tenant,
                task,
                dimension: budget.dimension.clone(),
            };
            if budget.reserved != held.remove(&key).unwrap_or(0) {
                return Err("what is held of a budget differs from what attempts hold".into());
            }
        }
    }
    if held.is_empty() {
        Ok(())
    } else {
        Err("an attempt holds of a budget that is not there".into())
    }
}
