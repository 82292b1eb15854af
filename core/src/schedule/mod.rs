//! The schedule room: tasks with more than one run, by count or by calendar.

mod apply;
mod change;
mod check;
mod model;

pub(crate) use change::{change, check_change};
pub(crate) use check::check;
pub(crate) use model::Clockwork;
pub use model::{Cron, Misfire, Overlap, Repeat, Schedule, SkipCause};
