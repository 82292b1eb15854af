//! The schedule room: tasks with more than one run, by count or by calendar.

mod advance;
mod apply;
mod census;
mod change;
mod check;
mod index;
mod instants;
mod model;

pub(crate) use advance::{
    Rung, advance, come_due, earlier, holds_back, overtakes, release_queued, waits,
};
pub(crate) use apply::{left, link, made, moved, stop};
pub(crate) use census::{census, is_stalled};
pub(crate) use change::{ask_change, change, check_change, first_of};
pub use check::check;
pub(crate) use index::{Index, is_due, reopen, stall};
pub use instants::{Ask, Instants, Unfit};
pub(crate) use instants::{ask_due, ask_submit};
pub(crate) use model::Clockwork;
pub use model::{Cron, Misfire, Overlap, Repeat, Schedule, SkipCause};
