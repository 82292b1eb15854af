//! Making a data directory: for a new log, or for one that goes on after a restored backup.
//! Owns: the first manifest, and the rule that it comes before the first segment.
//! Never: overwrites a log.

use super::open::take_lock;
use super::survey::segment_names;
use crate::disk::Disk;
use crate::fault::{ADVICE, Fault, OpenError};
use crate::frame::NO_HASH;
use crate::identity::{Entropy, Identity, fresh};
use crate::manifest::{self, MANIFEST, Manifest, Mark};
use crate::segment::{LOG_DIR, QUARANTINE_DIR, segment_name};

/// Where a log begins that is made by [`begin_at`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The log's first event will be the one after this; less than `u64::MAX`.
    pub sequence: u64,
    /// Who makes the directory; shown to whoever finds it held.
    pub holder: String,
}

/// Makes a log, in a directory that holds none, whose first event will be the one after `start.sequence`: for restoring
/// a backup. It gets a log id and a secret of its own, and its first open is its first life. A crash in between leaves
/// either no log or the whole of it.
///
/// # Errors
/// `OpenError::Held`; `OpenError::Occupied` if there is a manifest or any segment; `OpenError::Option` if no sequence
/// would be left; `OpenError::Io`.
pub fn begin_at<D: Disk>(
    disk: &D,
    entropy: &Entropy,
    start: &Start,
) -> Result<Identity, OpenError> {
    if start.sequence == u64::MAX {
        return Err(OpenError::Option {
            option: "sequence",
            reason: String::from("no event would be left"),
        });
    }
    let _lock = take_lock(disk, &start.holder)?;
    if manifest::load(disk)?.is_some() {
        return Err(OpenError::Occupied {
            file: MANIFEST.to_owned(),
        });
    }
    if let Some(&first) = segment_names(disk)?.first() {
        return Err(OpenError::Occupied {
            file: segment_name(first),
        });
    }
    let manifest = new_manifest(entropy, start.sequence);
    write(disk, &manifest)?;
    Ok(manifest.identity())
}

/// The manifest of a new log in an empty directory. Writes nothing.
pub(super) fn first_manifest<D: Disk>(disk: &D, entropy: &Entropy) -> Result<Manifest, OpenError> {
    if segment_names(disk)?.is_empty() {
        return Ok(new_manifest(entropy, 0));
    }
    Err(OpenError::Missing {
        file: MANIFEST.to_owned(),
        reason: format!("there are segments in {LOG_DIR}/"),
        advice: ADVICE.to_owned(),
    })
}

fn new_manifest(entropy: &Entropy, sequence: u64) -> Manifest {
    let (log_id, secret) = fresh(entropy);
    Manifest {
        log_id,
        incarnation: 0,
        secret,
        floor: Mark {
            frame: 0,
            sequence,
            hash: NO_HASH,
        },
        clean: false,
        segments: Vec::new(),
    }
}

/// Makes the directories and the manifest. The manifest comes before the first segment, so that a crash in between does
/// not look like a log whose manifest was lost.
pub(super) fn write<D: Disk>(disk: &D, manifest: &Manifest) -> Result<(), Fault> {
    disk.create_dir(LOG_DIR)
        .map_err(Fault::at("create", LOG_DIR))?;
    disk.create_dir(QUARANTINE_DIR)
        .map_err(Fault::at("create", QUARANTINE_DIR))?;
    disk.sync_dir("")
        .map_err(Fault::at("sync", "the data directory"))?;
    manifest::replace(disk, manifest)
}
