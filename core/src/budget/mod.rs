//! The budget room: what work may spend, reserved at claim, settled at finish.

mod apply;
mod check;
mod cover;
mod cross;
mod model;
mod room;
mod set;
mod wait;

pub(crate) use check::{check_amounts, check_specs, open};
pub(crate) use cover::{
    Blocked, blocks, covers, exhausted, forget_reserved, is_covered, is_spending, link, release,
    reserve, views,
};
pub(crate) use cross::crossed;
pub use model::{Amount, BudgetScope, BudgetSpec};
pub(crate) use model::{Budget, Key};
pub(crate) use room::{portion, refusal, refuses};
pub(crate) use set::{allocate, consume, replenish};
pub(crate) use wait::{Waits, resume_due, verify, wait, wait_again, wait_ended, waiting};
