//! Recovery: from whatever a crash left to a log that can be appended to, or a refusal.
//! Owns: re-exports only.
//! Never: anything else.

mod check;
mod garbage;
mod make;
mod open;
mod read;
mod recover;
mod repair;
mod survey;
#[cfg(test)]
mod tests;

pub(crate) use check::check_segment;
pub(crate) use garbage::remove_files;
pub use make::{Start, begin_at};
pub use open::{Cut, Looked, Recovery, look, open};
pub(crate) use read::{read_start, read_whole};
pub use recover::{Base, FromOldest, FromStart, Known, Recover};
pub(crate) use recover::{Proven, Reading};
pub(crate) use survey::{Judged, judge_tail, segment_names};
