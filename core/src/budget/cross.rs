//! What a budget's use comes to when it crosses a line: each is told once in a period.
//! Owns: exhaustion and thresholds.
//! Never: stops anybody: directives and claims look at the budget itself.

use alloc::vec::Vec;

use super::cover::list;
use crate::event::{BudgetExhausted, BudgetThresholdPassed};
use crate::machine::Tx;
use crate::{Text, subscription};

/// Tells what the use of a task's budgets, or the tenant's, has crossed. Gives the thresholds passed: (dimension, percent).
pub(crate) fn crossed(tx: &mut Tx<'_>, tenant: u32, task: Option<u32>) -> Vec<(Text, u32)> {
    let id = task.map(|task| tx.state().tasks[task].id);
    let mut passed = Vec::new();
    for at in 0..list(tx.state(), tenant, task).len() {
        let state = tx.state();
        let budget = &list(state, tenant, task)[at];
        let dimension = budget.dimension.clone();
        let tell = budget.is_exhausted() && !budget.told;
        let due: Vec<u32> = match id {
            Some(id) => subscription::thresholds(state, tenant, id, &dimension)
                .filter(|percent| budget.has_passed(*percent) && !budget.fired.contains(percent))
                .collect(),
            None => Vec::new(),
        };
        for percent in due {
            if let Some(task) = id {
                tx.emit_for(
                    tenant,
                    BudgetThresholdPassed {
                        task,
                        dimension: dimension.clone(),
                        percent,
                    },
                );
            }
            passed.push((dimension.clone(), percent));
        }
        if tell {
            tx.emit_for(
                tenant,
                BudgetExhausted {
                    task: id,
                    dimension,
                },
            );
        }
    }
    passed
}
