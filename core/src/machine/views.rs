//! What people and programs see of the rarer sides of a task, and of queues with settings.
//! Owns: the views of schedules, bonds, budgets, subscriptions and queue rows.
//! Never: changes anything.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::outcome::BudgetView;
use crate::query::{BondView, QueueView, ScheduleView, SubscriptionView};
use crate::run::State as RunState;
use crate::state::State;
use crate::task::Row;

/// Its runs by state code, those that have left memory too: they have ended, and the row counted how.
pub(super) fn run_counts(state: &State, task: &Row) -> [u64; 9] {
    let mut counts = [0; 9];
    let mut left = u64::from(task.runs_total);
    for run in task.runs() {
        counts[state.runs[run].state as usize] += 1;
        left = left.saturating_sub(1);
    }
    // Those that are live and not here (of a list's row, whose runs are not looked up) are in none of the states.
    left = left.saturating_sub(u64::from(task.runs_live).saturating_sub(counts[..6].iter().sum()));
    let failed = task.rare.as_deref().map_or(0, |rare| rare.runs_failed);
    for (ended, all) in [
        (RunState::Completed, task.runs_completed),
        (RunState::Failed, failed),
    ] {
        let more = u64::from(all)
            .saturating_sub(counts[ended as usize])
            .min(left);
        counts[ended as usize] += more;
        left -= more;
    }
    counts[RunState::Canceled as usize] += left;
    counts
}

pub(super) fn schedule(task: &Row) -> Option<Box<ScheduleView>> {
    let clockwork = task.rare.as_deref()?.clockwork.as_deref()?;
    Some(Box::new(ScheduleView {
        schedule: (*clockwork.schedule).clone(),
        paused: clockwork.paused,
        ended: clockwork.ended,
        occurrences: clockwork.occurrences,
        next: clockwork.next,
    }))
}

pub(super) fn bond(task: &Row) -> Option<Box<BondView>> {
    let bond = task.bond()?;
    Some(Box::new(BondView {
        parent: bond.parent,
        depends_on: bond.depends_on.clone(),
        unmet: bond.unmet.clone(),
        children_total: bond.children_total,
        descendants_live: bond.descendants_live,
    }))
}

/// The task's own budgets.
pub(super) fn task_budgets(task: &Row) -> Vec<BudgetView> {
    let budgets = task.rare.as_deref().map(|rare| rare.budgets.as_slice());
    let budgets = budgets.unwrap_or_default().iter();
    budgets.map(|budget| budget.view(false)).collect()
}

pub(super) fn subscriptions(task: &Row) -> Vec<SubscriptionView> {
    let rows = task
        .rare
        .as_deref()
        .map(|rare| rare.subscriptions.as_slice());
    let live = rows.unwrap_or_default().iter().filter(|row| !row.canceled);
    live.map(|row| SubscriptionView {
        id: row.id,
        filter: (*row.filter).clone(),
        triggered: row.triggered,
    })
    .collect()
}

/// A tenant's queues with settings of their own, by name.
pub(super) fn queues(state: &State, tenant: u32) -> Vec<QueueView> {
    let own = state.queues.rows().filter(|((at, _), _)| *at == tenant);
    let mut views: Vec<QueueView> = own
        .map(|((_, queue), row)| {
            let used = row.switch.since.0 > 0;
            QueueView {
                name: state.names.text(*queue).clone(),
                config: row.config.clone(),
                paused: row.switch.paused,
                since: used.then_some(row.switch.since),
                by: used.then(|| row.switch.by.clone()),
                reason: row.switch.reason.clone(),
                held: row.held,
            }
        })
        .collect();
    views.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    views
}
