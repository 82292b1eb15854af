//! What happens is heard by those who subscribed to it: each matching subscription wakes one run of its task.
//! Owns: which happening meets which filter.
//! Never: chooses the run: that is the run room's.

use alloc::boxed::Box;

use super::tx::Tx;
use crate::event::{SubscriptionTriggered, Why};
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::run::{Cause, State};
use crate::subscription::{self, Filter};
use crate::task::State as TaskState;
use crate::{SubscriptionId, TaskId, Text, budget, run};

/// A run came to a state.
pub(super) fn moved(tx: &mut Tx<'_>, run: u32, to: State) {
    if tx.state().watches.is_empty() {
        return;
    }
    let tenant = tx.state().runs[run].tenant;
    let task = tx.state().task_of(run).id;
    met(tx, tenant, &Filter::RunStateChanged(task, to), Some(task));
}

/// A task has ended.
pub(super) fn ended(tx: &mut Tx<'_>, task: u32) {
    if tx.state().watches.is_empty() {
        return;
    }
    let row = &tx.state().tasks[task];
    let (tenant, id) = (tx.state().tenant_of(row), row.id);
    if row.state() == TaskState::Completed {
        met(tx, tenant, &Filter::TaskCompleted(id), Some(id));
    }
}

/// A budget's use rose, or its limit fell.
pub(super) fn used(tx: &mut Tx<'_>, tenant: u32, task: Option<u32>) {
    let id = task.map(|task| tx.state().tasks[task].id);
    for (dimension, percent) in budget::crossed(tx, tenant, task) {
        if let Some(id) = id {
            let filter = Filter::BudgetThreshold(id, dimension, percent);
            met(tx, tenant, &filter, Some(id));
        }
    }
}

/// Somebody published an event.
pub(super) fn published(tx: &mut Tx<'_>, tenant: u32, key: Text) {
    met(tx, tenant, &Filter::Custom(key), None);
}

/// Acts as if what one subscription waits for had happened.
pub(super) fn trigger(tx: &mut Tx<'_>, subscription: SubscriptionId) -> Result<Outcome, Rejection> {
    subscription::task_of(tx, subscription)?;
    wake(tx, tx.tenant, subscription, None);
    Ok(Outcome::Triggered(1))
}

fn met(tx: &mut Tx<'_>, tenant: u32, filter: &Filter, source: Option<TaskId>) {
    for subscription in subscription::watchers(tx.state(), tenant, filter) {
        wake(tx, tenant, subscription, source);
    }
}

/// Wakes one run of the subscribing task, if one sleeps; only then it is told.
fn wake(tx: &mut Tx<'_>, tenant: u32, subscription: SubscriptionId, source: Option<TaskId>) {
    let Some(task) = tx.state().watches.task(tenant, subscription) else {
        return;
    };
    let why = Why {
        cause: Cause::Subscription,
        task: source,
    };
    let Some(run) = run::sleeper(tx, task) else {
        return;
    };
    let id = tx.state().runs[run].id;
    tx.emit_for(
        tenant,
        SubscriptionTriggered {
            subscription,
            run: Some(id),
        },
    );
    run::wake(tx, run, Box::new(why));
}
