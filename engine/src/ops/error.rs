//! Why an operation on a whole data directory was not done.
//! Owns: the error type of this room, and the words for people.
//! Never: leaves out which file is meant.

use std::path::{Path, PathBuf};

use mainstay_store::StoreError;

use crate::engine::OpenError;

/// Why a backup, a restore or a look at a data directory came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum OpsError {
    /// There is something where something new is to be made. Nothing was touched.
    #[error("{}: {what}", path.display())]
    Occupied {
        /// Where.
        path: PathBuf,
        /// What is there, and what helps.
        what: String,
    },
    /// The directory is not what was asked for: no backup, or no data directory.
    #[error("{}: {what}", path.display())]
    Absent {
        /// Which directory.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// A file does not hold what was written to it.
    #[error("damage in {}: {what}", file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What does not hold.
        what: String,
    },
    /// The backup was made by another release, in a form that this one does not read.
    #[error("{} has format {found}, this release reads {known}", file.display())]
    Format {
        /// Which file.
        file: PathBuf,
        /// Its format.
        found: u64,
        /// The format that this release reads.
        known: u64,
    },
    /// The state at this event cannot be had.
    #[error("the state at event {at} cannot be had: {reach}")]
    Unreached {
        /// The event asked for.
        at: u64,
        /// What can be had, and what was wrong on the way.
        reach: String,
    },
    /// The data directory did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log could not be read or made.
    #[error(transparent)]
    Log(#[from] mainstay_log::OpenError),
    /// A frame of the log cannot be replayed.
    #[error("frame {frame} cannot be replayed: {reason}")]
    Replay {
        /// Its number.
        frame: u64,
        /// Why not.
        reason: String,
    },
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be written or read.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// The operating system's word.
        #[source]
        error: std::io::Error,
    },
    /// The store of a running engine does not catch up with its log.
    #[error("the store stands at event {stored} and does not reach {needed}: {why}")]
    Behind {
        /// The last event in the store.
        stored: u64,
        /// The last durable event when the backup was asked for.
        needed: u64,
        /// Why it does not go on, as far as that is known.
        why: String,
    },
    /// The engine has no data directory: it is simulated.
    #[error("this engine has no data directory")]
    NoDirectory,
    /// No entropy could be had from the operating system.
    #[error("the operating system refused entropy: {0}")]
    Entropy(String),
}

impl OpsError {
    /// Names the file of an io error; made for `map_err`.
    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> OpsError + use<> {
        let path = path.to_owned();
        move |error| OpsError::Io { path, error }
    }

    /// What a store's error means for this file.
    pub(crate) fn in_store(file: &Path) -> impl FnOnce(StoreError) -> OpsError + use<> {
        let file = file.to_owned();
        move |error| match error {
            StoreError::Damaged(what) => OpsError::Damaged { file, what },
            StoreError::Foreign { found } => OpsError::Damaged {
                file,
                what: format!("it belongs to another log: {found}"),
            },
            other => OpsError::Store(other),
        }
    }
}
