//! Bugs of budgets: what an attempt held stays held, what it used counts twice or not at all.

use std::collections::BTreeMap;

use mainstay::events::BudgetConsumed;
use mainstay::{Amount, Command, Event, Events, Outcome, Rejection, RunId, TaskId, Text};

use super::bend::{Bug, Scene, fact, run_of, task_of};

type Decided = Result<Outcome, Rejection>;

/// What an attempt held of its task's budgets is never given back.
#[derive(Default)]
pub(crate) struct Reserved {
    kept: BTreeMap<(TaskId, Text), u64>,
}

impl Reserved {
    fn keep(&mut self, scene: &Scene<'_>, event: &Event) {
        let ended = match event {
            Event::RunCompleted(_)
            | Event::RunFailed(_)
            | Event::RunRetryScheduled(_)
            | Event::RunReturned(_)
            | Event::RunSuspended(_) => scene.subject(event),
            _ => None,
        };
        let Some(view) = ended.and_then(|task| task_of(scene.before, scene.now, task)) else {
            return;
        };
        for budget in view.budgets.iter().filter(|budget| !budget.of_tenant) {
            let name = (view.id, budget.dimension.clone());
            *self.kept.entry(name).or_default() += budget.reserve;
        }
    }

    fn has_room(&self, scene: &Scene<'_>, run: RunId) -> bool {
        let view = scene.run(run).and_then(|run| scene.task(run.task));
        view.is_none_or(|view| {
            view.budgets.iter().all(|budget| {
                let name = (view.id, budget.dimension.clone());
                let kept = self.kept.get(&name).copied().unwrap_or(0);
                let held = budget.consumed.saturating_add(budget.reserved);
                budget.of_tenant || held.saturating_add(kept) <= budget.limit
            })
        })
    }
}

impl Bug for Reserved {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        for entry in events.iter() {
            self.keep(scene, &entry.event);
        }
        let (Command::Claim(claim), Ok(Outcome::Claimed(grants))) = (&scene.asked.command, decided)
        else {
            return false;
        };
        let count = grants.len();
        if claim.idempotency_key.is_none() {
            grants.retain(|grant| self.has_room(scene, grant.run));
        }
        let granted = |run: &RunId| grants.iter().any(|grant| grant.run == *run);
        events.retain(|entry| match &entry.event {
            Event::RunStarted(fact) => claim.idempotency_key.is_some() || granted(&fact.run),
            _ => true,
        });
        grants.len() < count
    }
}

fn used(items: &[Amount]) -> Vec<Amount> {
    let items = items.iter().filter(|item| item.amount > 0);
    items.cloned().collect()
}

/// A repeated finish counts what the attempt used once more.
pub(crate) struct Twice;

impl Bug for Twice {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        let (Command::Finish(finish), Ok(_)) = (&scene.asked.command, decided) else {
            return false;
        };
        let items = used(&finish.consumption);
        let row = run_of(scene.before, scene.now, finish.run);
        let is_there = row.is_some_and(|row| !row.state.is_terminal());
        if !events.is_empty() || items.is_empty() || !is_there {
            return false;
        }
        events.push(fact(BudgetConsumed {
            run: Some(finish.run),
            task: None,
            items,
        }));
        true
    }
}

/// What a finish says that its attempt used is not noted.
pub(crate) struct Unspent;

impl Bug for Unspent {
    const ANYWHERE: bool = true;

    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let is_finish = matches!(scene.asked.command, Command::Finish(_));
        let count = events.len();
        events.retain(|entry| {
            !is_finish
                || !matches!(
                    entry.event,
                    Event::BudgetConsumed(_)
                        | Event::BudgetExhausted(_)
                        | Event::BudgetThresholdPassed(_)
                )
        });
        events.len() < count
    }
}
