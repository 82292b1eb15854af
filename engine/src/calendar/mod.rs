//! Calendars: cron expressions in time zones, and the instants they stand for. Pure: no clock, the same answer everywhere.

mod answer;
mod bits;
mod expression;
mod local;
mod zoned;

pub(crate) use answer::Calendars;
pub use answer::{coming_instants, schedule_preview};
pub use zoned::Calendar;
