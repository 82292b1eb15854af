//! The rows about budgets.

use mainstay_core::{Amount, BudgetScope, Command, Fence, RunId, TaskId, Text, limits};

use super::row::{OK, Row, after, row};
use super::stand::{At, Stand};

const NOBODY: BudgetScope = BudgetScope::Task(TaskId(0xdead));

fn token() -> Text {
    Text::from("token")
}

fn of_live_task(at: At) -> &'static str {
    if at.is_over() { "unknown_task" } else { OK }
}

/// What comes where a live task's budget is looked at.
fn of_budget(at: At, live: &'static str) -> &'static str {
    match of_live_task(at) {
        OK => live,
        refused => refused,
    }
}

fn own(stand: &Stand) -> BudgetScope {
    BudgetScope::Task(stand.task)
}

fn allocate(scope: BudgetScope, limit: u64, reserve: Option<u64>) -> Command {
    Command::AllocateBudget {
        scope,
        dimension: token(),
        limit,
        reserve,
    }
}

fn replenish(scope: BudgetScope, new_limit: u64) -> Command {
    Command::ReplenishBudget {
        scope,
        dimension: token(),
        new_limit,
    }
}

fn spend(scope: BudgetScope, amount: u64) -> Command {
    Command::ConsumeBudget {
        scope,
        dimension: token(),
        amount,
    }
}

/// The task, if it is live, and the tenant have a budget.
fn allocated(stand: &mut Stand) {
    if !stand.at.is_over() {
        let command = allocate(own(stand), 100, None);
        stand.must(command);
    }
    stand.must(allocate(BudgetScope::Tenant, 100, None));
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = set();
    rows.extend(used());
    rows
}

fn set() -> Vec<Row> {
    vec![
        row(
            "of its task",
            |stand| allocate(own(stand), 100, Some(10)),
            of_live_task,
        ),
        row(
            "of the tenant",
            |_| allocate(BudgetScope::Tenant, 100, None),
            |_| OK,
        ),
        row(
            "of nobody",
            |_| allocate(NOBODY, 100, None),
            |_| "unknown_task",
        ),
        row(
            "of nothing",
            |stand| allocate(own(stand), 0, None),
            |at| of_budget(at, "zero_limit"),
        ),
        row(
            "with more in reserve than there is",
            |stand| allocate(own(stand), 1, Some(2)),
            |at| of_budget(at, "invalid_request"),
        ),
        after(
            |stand| {
                for at in 0..limits::BUDGETS_MAX {
                    stand.must(Command::AllocateBudget {
                        scope: BudgetScope::Tenant,
                        dimension: format!("d{at}").into(),
                        limit: 1,
                        reserve: None,
                    });
                }
            },
            "of one more than there may be",
            |_| allocate(BudgetScope::Tenant, 100, None),
            |_| "limit_exceeded",
        ),
        after(
            allocated,
            "of its task",
            |stand| replenish(own(stand), 50),
            of_live_task,
        ),
        row(
            "of what was never set",
            |stand| replenish(own(stand), 50),
            |at| of_budget(at, "budget_not_allocated"),
        ),
        after(
            allocated,
            "to nothing",
            |stand| replenish(own(stand), 0),
            |at| of_budget(at, "zero_limit"),
        ),
        row("of nobody", |_| replenish(NOBODY, 50), |_| "unknown_task"),
        after(
            allocated,
            "beyond what can be counted",
            |_| replenish(BudgetScope::Tenant, u64::MAX),
            |_| "invalid_request",
        ),
    ]
}

fn report(run: RunId, fence: Fence, dimension: &str, amount: u64) -> Command {
    Command::Consume {
        run,
        fence,
        consumption: vec![Amount {
            dimension: Text::from(dimension),
            amount,
        }],
    }
}

fn of_attempt(at: At, running: &'static str) -> &'static str {
    match at {
        At::Running => running,
        _ => "lease_lost",
    }
}

fn used() -> Vec<Row> {
    vec![
        after(
            allocated,
            "of its task",
            |stand| spend(own(stand), 5),
            of_live_task,
        ),
        after(
            allocated,
            "of the tenant, all of it",
            |_| spend(BudgetScope::Tenant, 100),
            |_| OK,
        ),
        row(
            "of what was never set",
            |_| spend(BudgetScope::Tenant, 5),
            |_| "budget_not_allocated",
        ),
        row("of nobody", |_| spend(NOBODY, 5), |_| "unknown_task"),
        after(
            allocated,
            "beyond what can be counted",
            |_| spend(BudgetScope::Tenant, u64::MAX),
            |_| "invalid_request",
        ),
        after(
            allocated,
            "by its attempt",
            |stand| report(stand.run, stand.fence, "token", 5),
            |at| of_attempt(at, OK),
        ),
        after(
            allocated,
            "by its attempt, all of it",
            |stand| report(stand.run, stand.fence, "token", 100),
            |at| of_attempt(at, OK),
        ),
        row(
            "with a stale token",
            |stand| {
                let stale = Fence {
                    incarnation: 1,
                    counter: 555,
                };
                report(stand.run, stale, "token", 5)
            },
            |_| "lease_lost",
        ),
        row(
            "by a run that nobody knows",
            |stand| report(RunId(0xdead), stand.fence, "token", 5),
            |_| "unknown_run",
        ),
        row(
            "of no dimension",
            |stand| report(stand.run, stand.fence, "NO NAME", 5),
            |at| of_attempt(at, "invalid_request"),
        ),
        row(
            "of too many dimensions",
            |stand| Command::Consume {
                run: stand.run,
                fence: stand.fence,
                consumption: (0..=limits::BUDGETS_MAX)
                    .map(|at| Amount {
                        dimension: format!("d{at}").into(),
                        amount: 1,
                    })
                    .collect(),
            },
            |at| of_attempt(at, "limit_exceeded"),
        ),
    ]
}
