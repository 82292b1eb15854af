//! The nouns of budgets.
//! Owns: what a client asks for, and the row of one dimension.
//! Never: decides.

use alloc::vec::Vec;

use crate::outcome::BudgetView;
use crate::{TaskId, Text};

/// What may be spent of one dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetSpec {
    /// `token`, `cost_cents`, `time_secs` or a name of the user's own.
    pub dimension: Text,
    /// How much may be spent in a period, at least 1.
    pub limit: u64,
    /// How much each attempt holds from its claim to its finish, at most the limit.
    pub reserve: Option<u64>,
}

/// How much of one dimension was used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Of what.
    pub dimension: Text,
    /// How much.
    pub amount: u64,
}

/// Whose budget it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetScope {
    /// One task's: it covers that task's runs.
    Task(TaskId),
    /// The caller's tenant's: it covers all of its work.
    Tenant,
}

/// One dimension of a task's or tenant's budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) dimension: Text,
    pub(crate) limit: u64,
    /// What each attempt holds; 0 for nothing.
    pub(crate) reserve: u64,
    /// Spent in this period.
    pub(crate) consumed: u64,
    /// Held by running attempts.
    pub(crate) reserved: u64,
    /// Spent in the periods before.
    pub(crate) before: u64,
    /// Thresholds, in percent, that this period has passed while somebody waited for them, or had passed before.
    pub(crate) fired: Vec<u32>,
    /// That it is exhausted was told in this period.
    pub(crate) told: bool,
}

/// Which budget: whose, and of what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) tenant: u32,
    /// A task's handle; the tenant's own budget when absent.
    pub(crate) task: Option<u32>,
    pub(crate) dimension: Text,
}

impl Amount {
    /// Adds to a list that has each dimension once.
    pub(crate) fn add(list: &mut Vec<Amount>, dimension: &Text, amount: u64) {
        match list.iter_mut().find(|item| item.dimension == *dimension) {
            Some(item) => item.amount = item.amount.saturating_add(amount),
            None => list.push(Amount {
                dimension: dimension.clone(),
                amount,
            }),
        }
    }
}

impl Budget {
    /// Whether an attempt that holds so much may start on it.
    pub(crate) fn has_room(&self, reserve: u64) -> bool {
        let taken = self.consumed.saturating_add(self.reserved);
        !self.is_exhausted() && taken.saturating_add(reserve) <= self.limit
    }

    /// Whether so many percent of the limit are used.
    pub(crate) fn has_passed(&self, percent: u32) -> bool {
        u128::from(self.consumed) * 100 >= u128::from(self.limit) * u128::from(percent)
    }

    /// Whether nothing more may be started on it.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.consumed >= self.limit
    }

    /// As people and programs see it.
    pub(crate) fn view(&self, of_tenant: bool) -> BudgetView {
        BudgetView {
            dimension: self.dimension.clone(),
            limit: self.limit,
            reserve: self.reserve,
            consumed: self.consumed,
            reserved: self.reserved,
            consumed_total: self.before.saturating_add(self.consumed),
            exhausted: self.is_exhausted(),
            of_tenant,
        }
    }
}
