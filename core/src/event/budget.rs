//! Facts about budgets.
//! Owns: their fields.
//! Never: drops or renumbers a field; old logs hold it.

use alloc::vec::Vec;

use crate::budget::Amount;
use crate::{RunId, TaskId, Text};

facts! {
    /// A budget was set, or its limit changed within its period.
    BudgetAllocated {
        /// Whose: a task's, or the tenant's when absent.
        task: Option<TaskId>,
        /// Of what.
        dimension: Text,
        /// How much.
        limit: u64,
        /// What each attempt holds.
        reserve: Option<u64>,
        /** By whom. */ by: Text,
    }
    /// A running attempt, or somebody for a budget, reported use.
    BudgetConsumed {
        /// The run whose attempt used it.
        run: Option<RunId>,
        /// Whose budget, when no run used it: a task's, or the tenant's when absent.
        task: Option<TaskId>,
        /// What was used.
        items: Vec<Amount>,
    }
    /// A budget's new period began.
    BudgetReplenished {
        /// Whose: a task's, or the tenant's when absent.
        task: Option<TaskId>,
        /// Of what.
        dimension: Text,
        /// How much may be spent in the new period.
        limit: u64,
        /** By whom. */ by: Text,
    }
    /// A budget's use reached its limit.
    BudgetExhausted {
        /// Whose: a task's, or the tenant's when absent.
        task: Option<TaskId>,
        /// Of what.
        dimension: Text,
    }
    /// A budget's use passed a threshold that somebody waits for.
    BudgetThresholdPassed {
        /// The task.
        task: TaskId,
        /// Of what.
        dimension: Text,
        /// The threshold in percent of the limit.
        percent: u32,
    }
}
