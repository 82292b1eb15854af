//! One row of the table: a command, how it is asked for, and what comes of it for a run in each state.

use mainstay_core::Command;

use super::stand::{At, Stand};

/// The command is accepted.
pub(crate) const OK: &str = "accepted";

/// One row.
pub(crate) struct Row {
    /// What is special about it.
    pub(crate) about: &'static str,
    /// What happens before.
    pub(crate) arrange: fn(&mut Stand),
    /// What is asked.
    pub(crate) ask: fn(&Stand) -> Command,
    /// What comes: [`OK`] or the refusal's code.
    pub(crate) expect: fn(At) -> &'static str,
}

/// A row without an arrangement.
pub(crate) fn row(
    about: &'static str,
    ask: fn(&Stand) -> Command,
    expect: fn(At) -> &'static str,
) -> Row {
    Row {
        about,
        arrange: |_| {},
        ask,
        expect,
    }
}

/// A row that something precedes.
pub(crate) fn after(
    arrange: fn(&mut Stand),
    about: &'static str,
    ask: fn(&Stand) -> Command,
    expect: fn(At) -> &'static str,
) -> Row {
    Row {
        about,
        arrange,
        ask,
        expect,
    }
}
