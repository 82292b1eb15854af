//! The one repair there is: a store that cannot be used is set aside, so that the next start makes a new one.
//! Owns: the proof that something brings it back, before it is touched.
//! Never: deletes a file, or repairs the log.

use std::path::{Path, PathBuf};

use mainstay_log::{Disk, LockError, OpenError, RealDisk};

use super::Report;
use super::bases::check_snapshots;
use crate::ops::{OpsError, reaching};
use crate::recovery::Progress;
use crate::shelf::STORE_DIRECTORY;

/// What setting the store aside came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Where the store is now; `None` when there was none.
    pub kept_as: Option<PathBuf>,
    /// What the next start makes it from, for people.
    pub from: String,
}

/// Sets the store aside when the log or a snapshot brings back what is live in it. Finished work that the log no longer holds is then
/// in the file that was set aside alone. Takes the directory's lock meanwhile.
///
/// # Errors
/// [`OpsError`]; `Log` with `Held` when somebody holds it, `Absent` when nothing brings the store back: nothing was changed.
pub fn set_store_aside(
    directory: &Path,
    listener: &mut dyn FnMut(Progress),
) -> Result<Repaired, OpsError> {
    let told = |error| OpsError::Io {
        path: directory.to_owned(),
        error,
    };
    let disk = RealDisk::open_existing(directory).map_err(told)?;
    let extent = mainstay_log::extent(&disk)?;
    let holder = format!("mainstay doctor, process {}", std::process::id());
    let _lock = disk.lock("LOCK", &holder).map_err(|error| match error {
        LockError::Held { holder } => OpenError::Held { holder }.into(),
        LockError::Io(error) => told(error),
    })?;
    let mut report = Report::default();
    let log_id = extent.log_id.to_string();
    let snapshots = check_snapshots(&disk, &log_id, &mut report, listener);
    let sound: Vec<u64> = snapshots.iter().map(|mark| mark.sequence).collect();
    let Some((_, from)) = reaching(&extent, &sound) else {
        return Err(OpsError::Absent {
            path: directory.to_owned(),
            what: format!(
                "the log begins at event {}, and no sound snapshot reaches it: nothing would bring the store back; restore a backup",
                extent.oldest_sequence
            ),
        });
    };
    let kept_as = mainstay_store::set_aside(&directory.join(STORE_DIRECTORY))?;
    Ok(Repaired { kept_as, from })
}
