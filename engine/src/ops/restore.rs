//! Restoring a backup: a new data directory with a log of its own that goes on after the backup's last event.
//! Owns: the order in which a restored directory comes to be, and the mark on one that is not finished.
//! Never: writes into a directory that holds anything; brings an old log's id, secret or tokens back.

use std::fs;
use std::path::{Path, PathBuf};

use mainstay_log::{Disk, Entropy, OpenError, RamDisk, RealDisk, Start};

use super::error::OpsError;
use super::files::{copy, create, make_directory, names, remove, sync_directory};
use super::label::{Backup, STORE_FILE};
use super::verify::{expect_hashed, verify_backup};
use crate::recovery::Progress;
use crate::shelf::STORE_DIRECTORY;

/// The mark on a directory whose restore was begun and not finished.
pub(crate) const MARK: &str = "restore.unfinished";
const LOCK: &str = "LOCK";
const HOLDER: &str = "mainstay restore";

/// What a restore came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The new data directory.
    pub directory: PathBuf,
    /// Id of its log. Tokens and cursors of the old one are refused.
    pub log_id: String,
    /// What was restored.
    pub backup: Backup,
}

/// Makes a data directory from a backup. Everything in the backup is verified before anything is made; the directory must not be there
/// or be empty, or be one whose restore was not finished. The new log has an id, a secret and a first life of its own: fencing tokens
/// and cursors from before are refused.
///
/// After a crash on the way the directory does not open, and the same command may be given again.
///
/// # Errors
/// [`OpsError`]; `Damaged` names the file of the backup, `Occupied` what is in the way.
pub fn restore(
    backup: &Path,
    directory: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, OpsError> {
    expect_room(directory)?;
    let label = verify_backup(backup, progress)?;
    let mut entropy = [0; 64];
    getrandom::fill(&mut entropy).map_err(|error| OpsError::Entropy(error.to_string()))?;
    let entropy = Entropy(entropy);
    make_directory(directory)?;
    let disk = RealDisk::open_existing(directory).map_err(OpsError::at(directory))?;
    let start = Start {
        sequence: label.sequence,
        holder: HOLDER.to_owned(),
    };
    // The id of a new log comes of its entropy alone: a rehearsal in memory tells it before anything names the log.
    let rehearsed = mainstay_log::begin_at(&RamDisk::default(), &entropy, &start)?;
    let log_id = rehearsed.log_id.to_string();
    let lock = take_lock(&disk)?;
    // Only now nobody else can be at it.
    expect_room(directory)?;
    clear(directory)?;
    place_store(backup, directory, &label, &log_id, progress)?;
    // The log takes the lock itself.
    drop(lock);
    let identity = mainstay_log::begin_at(&disk, &entropy, &start)?;
    debug_assert_eq!(identity.log_id, rehearsed.log_id);
    remove(&directory.join(MARK))?;
    sync_directory(directory)?;
    Ok(Restored {
        directory: directory.to_owned(),
        log_id,
        backup: label,
    })
}

/// Refuses to open a directory whose restore was not finished.
pub(crate) fn expect_finished(directory: &Path) -> Result<(), OpenError> {
    if !directory.join(MARK).exists() {
        return Ok(());
    }
    Err(OpenError::Declined {
        reason: format!(
            "a restore was begun here and not finished; give it again: `mainstay restore <backup> --data-dir {}`",
            directory.display()
        ),
    })
}

fn take_lock(disk: &RealDisk) -> Result<<RealDisk as Disk>::Lock, OpsError> {
    disk.lock(LOCK, HOLDER).map_err(|error| match error {
        mainstay_log::LockError::Held { holder } => OpenError::Held { holder }.into(),
        mainstay_log::LockError::Io(error) => OpsError::at(Path::new(LOCK))(error),
    })
}

/// Refuses a directory that holds anything but what an unfinished restore left.
fn expect_room(directory: &Path) -> Result<(), OpsError> {
    let found = match fs::symlink_metadata(directory) {
        Ok(meta) if meta.is_dir() => names(directory)?,
        Ok(_) => vec!["no directory".to_owned()],
        Err(_) => return Ok(()),
    };
    let occupied = |what: String| OpsError::Occupied {
        path: directory.to_owned(),
        what,
    };
    let is_ours = found.iter().any(|name| name == MARK);
    for name in &found {
        let may_stay = [LOCK, "lost+found"].contains(&name.as_str());
        let may_go = is_ours
            && [MARK, "manifest", "log", "quarantine", STORE_DIRECTORY].contains(&name.as_str());
        if !may_stay && !may_go {
            return Err(occupied(format!(
                "not empty: {name} is there; a backup is restored into a new directory"
            )));
        }
    }
    for inside in ["log", "quarantine"] {
        if let Some(name) = names(&directory.join(inside))?.first() {
            return Err(occupied(format!("not empty: {inside}/{name} is there")));
        }
    }
    Ok(())
}

/// Marks the directory, and takes away what an earlier restore left.
fn clear(directory: &Path) -> Result<(), OpsError> {
    let mark = directory.join(MARK);
    if !mark.exists() {
        create(&mark)?.sync_all().map_err(OpsError::at(&mark))?;
        sync_directory(directory)?;
    }
    remove(&directory.join("manifest"))?;
    let store = directory.join(STORE_DIRECTORY);
    for name in names(&store)? {
        remove(&store.join(name))?;
    }
    Ok(())
}

fn place_store(
    backup: &Path,
    directory: &Path,
    label: &Backup,
    log_id: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), OpsError> {
    let from = backup.join(STORE_FILE);
    let store = directory.join(STORE_DIRECTORY);
    make_directory(&store)?;
    let to = mainstay_store::file_of(&store);
    let hashed = copy(&from, &to, "copying the store", progress)?;
    expect_hashed(label, &from, &hashed)?;
    mainstay_store::adopt(&to, log_id).map_err(OpsError::in_store(&to))?;
    sync_directory(&store)
}
