//! What happens is heard by those who subscribed to it: each matching subscription wakes one run of its task.
//! Owns: which happening meets which filter.
//! Never: chooses the run: that is the run room's.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::tx::Tx;
use crate::event::{SubscriptionTriggered, Why};
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::run::{Cause, State};
use crate::subscription::{self, Filter};
use crate::task::State as TaskState;
use crate::{SubscriptionId, TaskId, Text, budget, run};

/// What happened in one round of consequences, with how often: what happens a thousand times is heard of once.
pub(super) type Happenings = BTreeMap<(u32, Filter), (u32, Option<TaskId>)>;

fn note(happened: &mut Happenings, tenant: u32, filter: Filter, source: Option<TaskId>) {
    let times = happened.entry((tenant, filter)).or_insert((0, source));
    times.0 = times.0.saturating_add(1);
}

/// A run came to a state.
pub(super) fn moved(tx: &Tx<'_>, run: u32, to: State, happened: &mut Happenings) {
    if tx.state().watches.is_empty() {
        return;
    }
    let tenant = tx.state().runs[run].tenant;
    let task = tx.state().task_of(run).id;
    let filter = Filter::RunStateChanged(task, to);
    note(happened, tenant, filter, Some(task));
}

/// A task has ended.
pub(super) fn ended(tx: &Tx<'_>, task: u32, happened: &mut Happenings) {
    if tx.state().watches.is_empty() {
        return;
    }
    let row = &tx.state().tasks[task];
    let (tenant, id) = (tx.state().tenant_of(row), row.id);
    if row.state() == TaskState::Completed {
        note(happened, tenant, Filter::TaskCompleted(id), Some(id));
    }
}

/// A budget's use rose, or its limit fell.
pub(super) fn used(tx: &mut Tx<'_>, tenant: u32, task: Option<u32>, left: &mut usize) {
    let id = task.map(|task| tx.state().tasks[task].id);
    for (dimension, percent) in budget::crossed(tx, tenant, task) {
        if let Some(id) = id {
            let filter = Filter::BudgetThreshold(id, dimension, percent);
            met(tx, tenant, &filter, 1, Some(id), left);
        }
    }
}

/// Somebody published an event.
pub(super) fn published(tenant: u32, key: Text, happened: &mut Happenings) {
    note(happened, tenant, Filter::Custom(key), None);
}

/// Everybody who waits for one of these hears of it.
pub(super) fn tell(tx: &mut Tx<'_>, happened: Happenings, left: &mut usize) {
    for ((tenant, filter), (times, source)) in happened {
        met(tx, tenant, &filter, times, source, left);
    }
}

/// Acts as if what one subscription waits for had happened.
pub(super) fn trigger(tx: &mut Tx<'_>, subscription: SubscriptionId) -> Result<Outcome, Rejection> {
    subscription::task_of(tx, subscription)?;
    hear(tx, tx.tenant, subscription, 1, None, &mut 1);
    Ok(Outcome::Triggered(1))
}

fn met(
    tx: &mut Tx<'_>,
    tenant: u32,
    filter: &Filter,
    times: u32,
    source: Option<TaskId>,
    left: &mut usize,
) {
    for subscription in subscription::watchers(tx.state(), tenant, filter) {
        hear(tx, tenant, subscription, times, source, left);
    }
}

/// One subscription hears, so many times, of what it waits for. Beyond what is `left` to be done at once it is noted in one event, and
/// acted on later.
fn hear(
    tx: &mut Tx<'_>,
    tenant: u32,
    subscription: SubscriptionId,
    mut times: u32,
    source: Option<TaskId>,
    left: &mut usize,
) {
    let Some(task) = tx.state().watches.task(tenant, subscription) else {
        return;
    };
    let pending = subscription::pending(tx.state(), tenant, subscription);
    while *left > 0 && pending == 0 && times > 0 {
        if !wake(tx, tenant, subscription, source, left) {
            return;
        }
        times -= 1;
    }
    if times == 0 {
        return;
    }
    // Only as often as there are runs that it could wake.
    let most = pending.saturating_add(times);
    let most = run::sleepers(tx, task, most as usize) as u32;
    if most > pending {
        let noted = SubscriptionTriggered {
            subscription,
            run: None,
            pending: most,
        };
        tx.emit_for(tenant, noted);
    }
}

/// Acts on what was noted, as far as `left` goes.
pub(super) fn catch_up(tx: &mut Tx<'_>, left: &mut usize) {
    while *left > 0
        && let Some((tenant, subscription)) = tx.state().watches.first_due()
    {
        wake(tx, tenant, subscription, None, left);
    }
}

/// Wakes one run of the subscribing task, if one sleeps; only then, or when that was owed, it is told. Whether one was woken.
fn wake(
    tx: &mut Tx<'_>,
    tenant: u32,
    subscription: SubscriptionId,
    source: Option<TaskId>,
    left: &mut usize,
) -> bool {
    let Some(task) = tx.state().watches.task(tenant, subscription) else {
        return false;
    };
    let pending = subscription::pending(tx.state(), tenant, subscription);
    let run = run::sleeper(tx, task);
    if run.is_none() && pending == 0 {
        return false;
    }
    *left = left.saturating_sub(1);
    let triggered = SubscriptionTriggered {
        subscription,
        run: run.map(|run| tx.state().runs[run].id),
        // With nobody left to wake there is nothing left to act on.
        pending: run.map_or(0, |_| pending.saturating_sub(1)),
    };
    tx.emit_for(tenant, triggered);
    if let Some(run) = run {
        let why = Why {
            cause: Cause::Subscription,
            task: source,
        };
        run::wake(tx, run, Box::new(why));
    }
    run.is_some()
}
