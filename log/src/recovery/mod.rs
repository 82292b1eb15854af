//! Recovery: from whatever a crash left to a log that can be appended to, or a refusal.
//! Owns: re-exports only.
//! Never: anything else.

mod check;
mod open;
mod read;
mod repair;
mod survey;
#[cfg(test)]
mod tests;

pub(crate) use check::check_segment;
pub use open::{Cut, Recovery, open};
pub(crate) use read::read_whole;
pub(crate) use survey::{Judged, judge_tail, segment_names};
