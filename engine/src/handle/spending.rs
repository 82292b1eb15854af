//! What work may use up.
//! Owns: one method per command of that room, typed.
//! Never: decides, or knows more than the command.

use mainstay_core::{BudgetScope, BudgetView, Command, Outcome, Text};

use super::{CommandError, Handle};

impl Handle {
    /// Sets a budget, or changes its limit within its period.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_task`, `zero_limit` or `invalid_request`.
    pub fn allocate_budget(
        &self,
        scope: BudgetScope,
        dimension: impl Into<Text>,
        limit: u64,
        reserve: Option<u64>,
    ) -> Result<BudgetView, CommandError> {
        match self.command(Command::AllocateBudget {
            scope,
            dimension: dimension.into(),
            limit,
            reserve,
        })? {
            Outcome::Budget(view) => Ok(*view),
            other => unreachable!("{other:?}"),
        }
    }

    /// Notes use of a budget outside any attempt.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_task` or `budget_not_allocated`.
    pub fn consume_budget(
        &self,
        scope: BudgetScope,
        dimension: impl Into<Text>,
        amount: u64,
    ) -> Result<BudgetView, CommandError> {
        match self.command(Command::ConsumeBudget {
            scope,
            dimension: dimension.into(),
            amount,
        })? {
            Outcome::Budget(view) => Ok(*view),
            other => unreachable!("{other:?}"),
        }
    }

    /// Begins a new period of a budget; what waited for it is ready again.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_task`, `budget_not_allocated` or `zero_limit`.
    pub fn replenish_budget(
        &self,
        scope: BudgetScope,
        dimension: impl Into<Text>,
        new_limit: u64,
    ) -> Result<BudgetView, CommandError> {
        match self.command(Command::ReplenishBudget {
            scope,
            dimension: dimension.into(),
            new_limit,
        })? {
            Outcome::Budget(view) => Ok(*view),
            other => unreachable!("{other:?}"),
        }
    }
}
