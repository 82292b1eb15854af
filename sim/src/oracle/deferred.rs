//! Submits that do not wait for the disk: told before they are durable, and never told more than that they were accepted.

use mainstay::{Outcome, Rejection, Replied};

use super::history::{Entry, Said};
use super::model::{Verdict, demand};

/// An answer left whose events are not durable: only a submit that asked for it is told so, and only what it made.
pub(super) fn judge(entry: &Entry, told: &Replied<Said>) -> Verdict {
    let made = |one: &Result<Outcome, Rejection>| matches!(one, Ok(Outcome::Submitted(done)) if done.created);
    let accepted = match &told.value {
        Said::Decided(one) => made(one),
        Said::Many(parts) => parts.iter().all(made),
        Said::Answer(_) => false,
    };
    demand!(
        entry.request.deferred && accepted,
        "told before it was durable: {:?}",
        told.value
    );
    Ok(())
}

/// Whether a request was told that its events are not durable, and the log ends before the last of them: a crash may lose it, whole.
pub(super) fn is_lost(entry: &Entry, durable: u64) -> bool {
    matches!(&entry.answer, Some(Ok(replied)) if !replied.durable && replied.sequence > durable)
}
