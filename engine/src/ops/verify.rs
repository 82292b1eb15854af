//! Proving a backup: its label, its files, every check in its store, and the digest of the state that comes of it.
//! Owns: what a sound backup is.
//! Never: changes it.

use std::path::Path;

use mainstay_core::Machine;
use mainstay_store::{Base, SqliteReader};

use super::error::OpsError;
use super::files::{hash, read_small};
use super::label::{Backup, LABEL_BYTES_MAX, LABEL_FILE, STORE_FILE};
use crate::recovery::{Progress, from_store};

/// KiB of pages that a reader keeps while it goes through a store once.
pub(super) const CACHE_KIB: u32 = 8 << 10;

/// Reads a backup's label.
///
/// # Errors
/// [`OpsError::Absent`] when the directory is no backup; `Damaged`, `Format`, `Io`.
pub(super) fn read_label(backup: &Path) -> Result<Backup, OpsError> {
    let file = backup.join(LABEL_FILE);
    if std::fs::symlink_metadata(&file).is_err() {
        return Err(OpsError::Absent {
            path: backup.to_owned(),
            what: format!("not a backup, or one that was not finished: there is no {LABEL_FILE}"),
        });
    }
    let text = read_small(&file, LABEL_BYTES_MAX)?;
    Backup::decode(&file, &text)
}

/// Compares everything in a backup that can be compared: the label with itself, each file with its digest, every check inside the
/// store, and the state that comes of it with the label's digest. `progress` hears how far it is.
///
/// # Errors
/// [`OpsError`]; `Damaged` names the file.
pub fn verify_backup(
    backup: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Backup, OpsError> {
    let label = read_label(backup)?;
    let store = backup.join(STORE_FILE);
    let damaged = |what: String| OpsError::Damaged {
        file: store.clone(),
        what,
    };
    if std::fs::symlink_metadata(&store).is_err() {
        return Err(damaged("it is missing".to_owned()));
    }
    expect_hashed(
        &label,
        &store,
        &hash(&store, "comparing digests", progress)?,
    )?;
    let (base, machine) = prove(&store, progress)?;
    let said = (
        &label.log_id,
        label.sequence,
        label.wall,
        label.live_rows,
        &label.live_sum,
    );
    let sum = format!("{:016x}", base.live_sum);
    let found = (
        &base.log_id,
        base.sequence,
        base.wall.0,
        base.live_rows,
        &sum,
    );
    if said != found {
        return Err(damaged(format!(
            "it holds {found:?}, the label says {said:?}"
        )));
    }
    let digest = machine.digest().to_string();
    if digest != label.digest {
        return Err(damaged(format!(
            "its state has digest {digest}, the label says {}",
            label.digest
        )));
    }
    Ok(label)
}

/// Compares a file's length and hash with the label.
pub(super) fn expect_hashed(
    label: &Backup,
    store: &Path,
    (bytes, blake3): &(u64, String),
) -> Result<(), OpsError> {
    let damaged = |what: String| OpsError::Damaged {
        file: store.to_owned(),
        what,
    };
    let file = label.files.first();
    let file = file.ok_or_else(|| damaged("the label does not name it".to_owned()))?;
    if *bytes != file.bytes {
        return Err(damaged(format!(
            "it has {bytes} bytes, the label says {}",
            file.bytes
        )));
    }
    if *blake3 != file.blake3 {
        return Err(damaged(format!(
            "its digest is {blake3}, the label says {}",
            file.blake3
        )));
    }
    Ok(())
}

/// Reads a whole store file: every check in it, and the state that its live rows come to.
pub(super) fn prove(
    store: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Base, Machine), OpsError> {
    let examined = mainstay_store::examine(store, &mut |done| {
        progress(Progress {
            what: "checking rows".to_owned(),
            done,
            total: 0,
        });
    });
    examined.map_err(OpsError::in_store(store))?;
    let damaged = |what: String| OpsError::Damaged {
        file: store.to_owned(),
        what,
    };
    let loaded = SqliteReader::open(store, CACHE_KIB)
        .and_then(|mut reader| from_store(0, &mut reader))
        .map_err(OpsError::in_store(store))?;
    let (machine, base) = loaded.ok_or_else(|| damaged("nothing was ever stored".to_owned()))?;
    machine.verify().map_err(damaged)?;
    Ok((base, machine))
}
