//! Every rule that budgets and reports of use must meet before anything is written.
//! Owns: the limits of their fields.
//! Never: looks at the state.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::model::{Amount, Budget, BudgetSpec};
use crate::rejection::Rejection;
use crate::{Text, limits};

pub(super) fn invalid(field: &'static str, message: impl Into<String>) -> Rejection {
    Rejection::InvalidRequest {
        field,
        message: message.into(),
    }
}

fn is_spec(spec: &BudgetSpec) -> Result<(), String> {
    if !limits::is_name(&spec.dimension) {
        return Err("need a dimension that matches [a-z0-9._-]{1,128}".into());
    }
    if spec.limit == 0 || spec.limit > limits::BUDGET_LIMIT_MAX {
        let most = limits::BUDGET_LIMIT_MAX;
        return Err(format!("need a limit between 1 and {most}"));
    }
    if spec.reserve.is_some_and(|reserve| reserve > spec.limit) {
        return Err("reserve at most their limit".into());
    }
    Ok(())
}

/// Checks the budgets that a task is submitted with.
pub(crate) fn check_specs(specs: &[BudgetSpec]) -> Result<(), Rejection> {
    let refused = |message: String| Rejection::InvalidTask {
        field: "budgets",
        message,
    };
    if specs.len() > limits::BUDGETS_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "budgets",
            value: limits::BUDGETS_MAX as u64,
        });
    }
    for (at, spec) in specs.iter().enumerate() {
        is_spec(spec).map_err(refused)?;
        let before = &specs[..at];
        if before.iter().any(|other| other.dimension == spec.dimension) {
            return Err(refused("name each dimension once".into()));
        }
    }
    Ok(())
}

/// The rows that a task's budgets begin as.
pub(crate) fn open(specs: &[BudgetSpec]) -> Vec<Budget> {
    let open = |spec: &BudgetSpec| Budget {
        dimension: spec.dimension.clone(),
        limit: spec.limit,
        reserve: spec.reserve.unwrap_or(0),
        ..Budget::default()
    };
    specs.iter().map(open).collect()
}

/// Checks what an attempt reports to have used. `before` is what it reported earlier.
pub(crate) fn check_amounts(before: &[Amount], items: &[Amount]) -> Result<(), Rejection> {
    let is_new = |item: &&Amount| {
        let same = |other: &Amount| other.dimension == item.dimension;
        !before.iter().any(same)
    };
    if items.len() > limits::BUDGETS_MAX
        || items.iter().filter(is_new).count() + before.len() > limits::BUDGETS_MAX
    {
        return Err(Rejection::LimitExceeded {
            limit: "consumption_dimensions",
            value: limits::BUDGETS_MAX as u64,
        });
    }
    for (at, item) in items.iter().enumerate() {
        limits::check_name("consumption", &item.dimension)?;
        check_amount("consumption", item.amount)?;
        let before = &items[..at];
        if before.iter().any(|other| other.dimension == item.dimension) {
            return Err(invalid("consumption", "must name each dimension once"));
        }
    }
    Ok(())
}

pub(super) fn check_amount(field: &'static str, amount: u64) -> Result<(), Rejection> {
    if amount <= limits::BUDGET_LIMIT_MAX {
        Ok(())
    } else {
        let most = limits::BUDGET_LIMIT_MAX;
        Err(invalid(field, format!("must be at most {most}")))
    }
}

/// A limit of a budget that is set or begins anew, and what attempts hold of it.
pub(super) fn check_limit(dimension: &Text, limit: u64, reserve: u64) -> Result<(), Rejection> {
    limits::check_name("dimension", dimension)?;
    if limit == 0 {
        return Err(Rejection::ZeroLimit {
            dimension: dimension.clone(),
        });
    }
    check_amount("limit", limit)?;
    if reserve > limit {
        return Err(invalid("limit", "must be at least the reserve"));
    }
    Ok(())
}
