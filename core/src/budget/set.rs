//! Setting budgets, noting use outside attempts, and beginning new periods.
//! Owns: the three decisions.
//! Never: touches a run: those that wait follow from the budget.

use alloc::boxed::Box;

use super::check::{check_amount, check_limit, invalid};
use super::cover::{find, list};
use super::model::{Amount, Budget, BudgetScope};
use crate::event::{BudgetAllocated, BudgetConsumed, BudgetReplenished};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{TaskId, Text};

/// The task whose budgets are meant; the tenant's own when there is none. A task that has ended is done with spending.
fn scope_of(tx: &Tx<'_>, scope: BudgetScope) -> Result<(Option<TaskId>, Option<u32>), Rejection> {
    let BudgetScope::Task(id) = scope else {
        return Ok((None, None));
    };
    let task = tx.live_task(id)?;
    Ok((Some(id), Some(task)))
}

fn budget<'a>(tx: &'a Tx<'_>, task: Option<u32>, dimension: &Text) -> Option<&'a Budget> {
    find(list(tx.state(), tx.tenant, task), dimension)
}

fn known<'a>(tx: &'a Tx<'_>, task: Option<u32>, dimension: &Text) -> Result<&'a Budget, Rejection> {
    budget(tx, task, dimension).ok_or_else(|| Rejection::BudgetNotAllocated {
        dimension: dimension.clone(),
    })
}

fn stands(tx: &Tx<'_>, task: Option<u32>, dimension: &Text) -> Result<Outcome, Rejection> {
    let view = known(tx, task, dimension)?.view(task.is_none());
    Ok(Outcome::Budget(Box::new(view)))
}

/// Decides a budget, or a new limit within its period.
pub(crate) fn allocate(
    tx: &mut Tx<'_>,
    scope: BudgetScope,
    dimension: &Text,
    limit: u64,
    reserve: Option<u64>,
) -> Result<Outcome, Rejection> {
    let (id, task) = scope_of(tx, scope)?;
    let before = budget(tx, task, dimension);
    let held = reserve.unwrap_or_else(|| before.map_or(0, |budget| budget.reserve));
    check_limit(dimension, limit, held)?;
    let is_new = before.is_none();
    if is_new && list(tx.state(), tx.tenant, task).len() >= limits::BUDGETS_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "budgets",
            value: limits::BUDGETS_MAX as u64,
        });
    }
    if before.is_none_or(|before| (before.limit, before.reserve) != (limit, held)) {
        tx.emit(BudgetAllocated {
            task: id,
            dimension: dimension.clone(),
            limit,
            reserve,
            by: tx.principal.name.clone(),
        });
    }
    stands(tx, task, dimension)
}

/// Decides use of a budget outside any attempt. It counts to that budget alone.
pub(crate) fn consume(
    tx: &mut Tx<'_>,
    scope: BudgetScope,
    dimension: &Text,
    amount: u64,
) -> Result<Outcome, Rejection> {
    let (id, task) = scope_of(tx, scope)?;
    limits::check_name("dimension", dimension)?;
    check_amount("amount", amount)?;
    known(tx, task, dimension)?;
    if amount > 0 {
        tx.emit(BudgetConsumed {
            run: None,
            task: id,
            items: alloc::vec![Amount {
                dimension: dimension.clone(),
                amount,
            }],
        });
    }
    stands(tx, task, dimension)
}

/// Decides a new period.
pub(crate) fn replenish(
    tx: &mut Tx<'_>,
    scope: BudgetScope,
    dimension: &Text,
    limit: u64,
) -> Result<Outcome, Rejection> {
    let (id, task) = scope_of(tx, scope)?;
    limits::check_name("dimension", dimension)?;
    let reserve = known(tx, task, dimension)?.reserve;
    check_limit(dimension, limit, reserve).map_err(|refused| match refused {
        Rejection::InvalidRequest { message, .. } => invalid("new_limit", message),
        other => other,
    })?;
    tx.emit(BudgetReplenished {
        task: id,
        dimension: dimension.clone(),
        limit,
        by: tx.principal.name.clone(),
    });
    stands(tx, task, dimension)
}
