//! What can go wrong: why a log stopped, and why it did not open.
//! Owns: the error types and how a failed disk operation is named.
//! Never: decides what to do about an error.

use std::fmt;
use std::io;

/// A disk operation that failed, with its place.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) operation: &'static str,
    pub(crate) file: String,
    pub(crate) error: io::Error,
}

impl Fault {
    /// Names the place of an io error; made for `map_err`.
    pub(crate) fn at(operation: &'static str, file: &str) -> impl FnOnce(io::Error) -> Fault {
        let file = file.to_owned();
        move |error| Fault {
            operation,
            file,
            error,
        }
    }
}

/// Why a log takes no more: kept for ever, and returned by every later call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// A disk operation failed. What was in flight may or may not survive; the next open finds out.
    #[error("{operation} of {file} failed: {message}")]
    Storage {
        /// The failed operation, for instance `sync`.
        operation: &'static str,
        /// File name relative to the data directory.
        file: String,
        /// Kind of the io error.
        kind: io::ErrorKind,
        /// Text of the io error.
        message: String,
    },
    /// The manifest on disk is not the one this process wrote: another process took the directory over.
    #[error("the data directory was taken over: {reason}")]
    Fenced {
        /// What was found instead.
        reason: String,
    },
    /// This one draft breaks a rule and was not queued; the log itself goes on.
    #[error("the draft was refused: {reason}")]
    Refused {
        /// The broken rule.
        reason: String,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Stopped::Storage {
            operation: fault.operation,
            file: fault.file,
            kind: fault.error.kind(),
            message: fault.error.to_string(),
        }
    }
}

/// Event sequences that a damaged place covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequences {
    /// First sequence that cannot be read.
    pub first: u64,
    /// Last one, when a later frame tells.
    pub last: Option<u64>,
}

impl fmt::Display for Sequences {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(last) if last < self.first => write!(out, "none"),
            Some(last) => write!(out, "{} to {last}", self.first),
            None => write!(out, "{} and later", self.first),
        }
    }
}

/// Why a data directory did not open. In every case but `Io` during repair, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the directory.
    #[error("the data directory is held by {holder}")]
    Held {
        /// What the holder wrote about itself.
        holder: String,
    },
    /// Something that was acknowledged as durable cannot be read.
    #[error(
        "damage in {file} at offset {offset}: frame {frame}, sequences {sequences}: {reason}; {advice}"
    )]
    Damage {
        /// File name relative to the data directory.
        file: String,
        /// Byte offset in that file.
        offset: u64,
        /// Number of the first frame that cannot be read; 0 when the damage is not in a frame.
        frame: u64,
        /// Event sequences that are affected.
        sequences: Sequences,
        /// What is wrong and what proves that it was durable.
        reason: String,
        /// What to do.
        advice: String,
    },
    /// Written by another version, in a format that this one does not understand.
    #[error(
        "{file} has {found}, which this version does not understand (it understands format {supported})"
    )]
    Format {
        /// File name relative to the data directory.
        file: String,
        /// What was found.
        found: String,
        /// The newest format this version understands.
        supported: u16,
    },
    /// A disk operation failed. An unreadable block is never taken for the end of the log.
    #[error("{operation} of {file} failed: {error}")]
    Io {
        /// The failed operation.
        operation: &'static str,
        /// File name relative to the data directory.
        file: String,
        /// The error of the operating system.
        #[source]
        error: io::Error,
    },
    /// The visitor did not accept a frame.
    #[error("frame {frame} (sequences from {first_sequence}) was not understood: {reason}")]
    Refused {
        /// Frame number.
        frame: u64,
        /// First sequence of the frame.
        first_sequence: u64,
        /// The visitor's words.
        reason: String,
    },
    /// Whoever reads the log did not accept it, before any frame was read.
    #[error("the log was not accepted: {reason}")]
    Declined {
        /// The reader's words.
        reason: String,
    },
    /// Events that the reader needs are no longer in the log.
    #[error(
        "event {needs} is needed and the log was trimmed up to {oldest}; \
         restore a backup: `mainstay restore <backup> --data-dir <new data directory>`"
    )]
    Trimmed {
        /// The first event that the reader needs.
        needs: u64,
        /// The first event that the log holds.
        oldest: u64,
    },
    /// A log was to be made where there is one.
    #[error("there is a log already: {file}")]
    Occupied {
        /// What was found, relative to the data directory.
        file: String,
    },
    /// A file that must be there is not.
    #[error("{file} is missing: {reason}; {advice}")]
    Missing {
        /// File name relative to the data directory.
        file: String,
        /// What says that it must be there.
        reason: String,
        /// What to do.
        advice: String,
    },
    /// An option is out of its range.
    #[error("option {option}: {reason}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// Its range.
        reason: String,
    },
}

impl OpenError {
    /// Whether the disk, or the space that the user may take of it, is full. The directory can be opened again when
    /// there is room; until then [`crate::look`] reads it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, OpenError::Io { error, .. } if is_full(error))
    }
}

/// Whether an operation failed for want of space.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// The command that every damage message points to.
pub(crate) const ADVICE: &str = "run `mainstay doctor <data directory>`; nothing was changed";

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        OpenError::Io {
            operation: fault.operation,
            file: fault.file,
            error: fault.error,
        }
    }
}
