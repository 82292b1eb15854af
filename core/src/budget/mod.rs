//! The budget room: what work may spend, reserved at claim, settled at finish.

mod apply;
mod model;
mod room;

pub(crate) use model::Budget;
pub use model::{Amount, BudgetScope, BudgetSpec};
pub(crate) use room::{portion, refusal, refuses};
