//! The log as it stands: every frame, its commands, their events, read beside whoever is writing it.
//! Owns: the order of lines.
//! Never: takes a lock, or leaves out a frame that it cannot read.

use std::ops::ControlFlow;
use std::path::Path;

use mainstay_core::codec::{self, CommandRecord};
use mainstay_core::{Entry, Timestamp};
use mainstay_log::{Frame, RealDisk};

use super::error::OpsError;

/// One line of a dump.
#[derive(Clone, Copy, Debug)]
pub enum Line<'a> {
    /// A frame; its commands follow.
    Frame(&'a Frame<'a>),
    /// A command; its events follow.
    Command {
        /// The frame's number.
        frame: u64,
        /// When it was decided.
        at: Timestamp,
        /// What was asked, and by whom.
        record: &'a CommandRecord,
        /// The sequence of its first event; of the next event when it has none.
        first_sequence: u64,
    },
    /// An event.
    Event {
        /// Its number.
        sequence: u64,
        /// When it happened.
        at: Timestamp,
        /// What happened.
        entry: &'a Entry,
        /// The command that it came of.
        record: &'a CommandRecord,
    },
    /// A body that this release does not understand.
    Unread {
        /// The frame's number.
        frame: u64,
        /// Why.
        reason: &'a str,
    },
}

/// Gives the lines of a log from the frame that holds event `from` on, until `visit` has enough. Frames that hold nothing, those that
/// only close a group, are among them.
///
/// # Errors
/// [`OpsError::Log`] as [`mainstay_log::read`] has them, [`OpsError::Io`].
pub fn dump(
    directory: &Path,
    from: u64,
    visit: &mut dyn FnMut(Line<'_>) -> ControlFlow<()>,
) -> Result<(), OpsError> {
    let disk = RealDisk::open_existing(directory).map_err(OpsError::at(directory))?;
    mainstay_log::read(&disk, from, &mut |frame| {
        visit(Line::Frame(frame))?;
        body(frame, from, visit)
    })?;
    Ok(())
}

fn body(
    frame: &Frame<'_>,
    from: u64,
    visit: &mut dyn FnMut(Line<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let at = Timestamp(frame.wall_ms);
    let number = frame.number;
    let mut next = frame.first_sequence;
    let mut flow = ControlFlow::Continue(());
    let mut commands = |record: &CommandRecord, events: &[Entry]| -> ControlFlow<()> {
        let first_sequence = next;
        next += events.len() as u64;
        if next <= from && !events.is_empty() {
            return ControlFlow::Continue(());
        }
        visit(Line::Command {
            frame: number,
            at,
            record,
            first_sequence,
        })?;
        for (sequence, entry) in (first_sequence..).zip(events) {
            if sequence >= from {
                visit(Line::Event {
                    sequence,
                    at,
                    entry,
                    record,
                })?;
            }
        }
        ControlFlow::Continue(())
    };
    let read = codec::decode(frame.body, &mut |record, events| {
        if flow.is_continue() {
            flow = commands(record, events);
        }
    });
    flow?;
    match read {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => visit(Line::Unread {
            frame: number,
            reason: &error.to_string(),
        }),
    }
}
