//! Consume: a running attempt reports what it uses as it goes.
//! Owns: the report's checks, and what the worker is told to do next.
//! Never: refuses use because a budget is spent: use is a fact.

use alloc::vec::Vec;

use super::finish::attempted;
use super::model::{Active, Fence};
use crate::budget::Amount;
use crate::event::{BudgetConsumed, RunSuspendRequested};
use crate::machine::{Tx, reach};
use crate::outcome::{Directive, Outcome};
use crate::rejection::Rejection;
use crate::{RunId, budget};

/// Decides a report.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: RunId,
    fence: Fence,
    items: &[Amount],
) -> Result<Outcome, Rejection> {
    let (run, row) = attempted(tx, id, fence)?;
    let before = row.active.as_deref().map(|active| &active.consumption[..]);
    budget::check_amounts(before.unwrap_or_default(), items)?;
    reach(tx, tx.state().runs[run].task);
    tx.about(run);
    note(tx, id, items);
    let directive = direct(tx, run);
    let budgets = budget::views(tx.state(), tx.state().task_of(run));
    Ok(Outcome::Consumed { budgets, directive })
}

/// Records what an attempt used, if it used anything.
pub(super) fn note(tx: &mut Tx<'_>, run: RunId, items: &[Amount]) {
    if items.is_empty() {
        return;
    }
    let items: Vec<Amount> = items
        .iter()
        .filter(|item| item.amount > 0)
        .cloned()
        .collect();
    if !items.is_empty() {
        tx.emit(BudgetConsumed {
            run: Some(run),
            task: None,
            items,
        });
    }
}

/// What the worker of a held run is told. That a budget made it so is recorded the first time: the end of the attempt depends on it.
pub(super) fn direct(tx: &mut Tx<'_>, run: u32) -> Directive {
    let row = &tx.state().runs[run];
    let Some(active) = row.active.as_deref() else {
        return Directive::Continue;
    };
    if active.cancel.is_some() {
        return Directive::Cancel;
    }
    if asked_by_hand(active) {
        return Directive::Suspend;
    }
    if budget::exhausted(tx.state(), run).is_none() {
        let actors = &tx.state().actors;
        let actor = active.actor.and_then(|number| actors.get(number));
        return match actor {
            Some(actor) if !actor.is_active() => Directive::Drain,
            _ => Directive::Continue,
        };
    }
    if active.suspend.is_none() {
        let run = row.id;
        tx.emit(RunSuspendRequested {
            run,
            budget: true,
            ..RunSuspendRequested::default()
        });
    }
    Directive::Suspend
}

fn asked_by_hand(active: &Active) -> bool {
    let asked = active.suspend.as_deref();
    asked.is_some_and(|suspend| !suspend.budget)
}
