//! The schedule room: tasks with more than one run, by count or by calendar.

mod apply;
mod model;

pub(crate) use model::Clockwork;
pub use model::{Cron, Misfire, Overlap, Repeat, Schedule, SkipCause};
