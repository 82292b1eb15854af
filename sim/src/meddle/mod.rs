//! Bugs of the rules, planted beside the machine: each lies about one thing that the real machine decided.

mod actors;
mod answers;
mod bend;
mod bonds;
mod grants;
mod hearing;
mod images;
mod records;
mod schedules;
mod spending;
mod submits;
mod turns;

pub(crate) use actors::{DrainIgnored, Impatient, KeepsRuns};
pub(crate) use answers::{CalledBlocked, CalledRunnable, ShownCompleted};
pub(crate) use bend::meddler;
pub(crate) use bonds::{ChildrenForgotten, FenceIgnored, Orphaned, PrerequisiteFailed, Untold};
pub(crate) use grants::{ByHand, Newest, Overgrant, RateForgotten, Unasked};
pub(crate) use hearing::{Deaf, Echo};
pub(crate) use images::Left;
pub(crate) use records::{EntryAgain, InPart, Unrecorded, Unreviewed, Unstored};
pub(crate) use schedules::{RepeatShort, Shifted, Storm, Tampered, Timeless};
pub(crate) use spending::{Reserved, Twice, Unspent};
pub(crate) use submits::KeyIgnored;
pub(crate) use turns::TurnsIgnored;
