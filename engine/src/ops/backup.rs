//! Making a backup: one commit of the store as one file, proven whole, and the label last.
//! Owns: what a backup holds, and the order in which it comes to be.
//! Never: touches a backup that is there, or leaves something that looks like one and is none.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use mainstay_core::{Query, TenantId};
use mainstay_log::RealDisk;
use mainstay_store::{Keep, Retention, Unsearched};

use super::error::OpsError;
use super::files::{hash, install, make_directory, names, remove};
use super::label::{Backup, BackupFile, FORMAT, LABEL_FILE, STORE_FILE};
use super::verify::prove;
use crate::engine::Engine;
use crate::handle::Handle;
use crate::recovery::Progress;
use crate::shared::Status;
use crate::shelf::STORE_DIRECTORY;
use crate::threads::wall_ms;

/// How long the store may stand still while a backup waits for it.
const STILL_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether the engine still goes.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long an engine that was opened for a backup alone has to end.
const END_MAX: Duration = Duration::from_secs(5);

impl Handle {
    /// Makes a backup of everything durable now in the directory `into`, which must not be there or be empty: one commit of the store
    /// as one file, and a label with digests. Work goes on meanwhile. Blocks; `progress` hears how far it is.
    ///
    /// The directory is a backup only once its label is there; after an error or a crash there is none.
    ///
    /// # Errors
    /// [`OpsError`]; `Damaged` when the store itself does not hold what was written to it.
    pub fn backup(
        &self,
        into: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Backup, OpsError> {
        let directory = self.shared().directory().ok_or(OpsError::NoDirectory)?;
        expect_room(into)?;
        self.await_stored(progress)?;
        let store = mainstay_store::file_of(&directory.join(STORE_DIRECTORY));
        write(&store, into, progress)
    }

    /// Waits until the store holds what is durable now, as long as it comes nearer.
    fn await_stored(&self, progress: &mut dyn FnMut(Progress)) -> Result<(), OpsError> {
        // An answer comes from a state whose every event is durable, the engine's own start among them.
        let asked = self.ask(TenantId::DEFAULT, Query::Engine).wait();
        let needed = asked
            .map_or(0, |told| told.sequence)
            .max(self.sequence())
            .max(1);
        let (mut last, mut moved) = (self.stored(), Instant::now());
        while !self.wait_stored(needed, LOOK_EVERY) {
            let stored = self.stored();
            let behind = |why: String| OpsError::Behind {
                stored,
                needed,
                why,
            };
            match self.status() {
                Status::Stopped { cause } | Status::ReadOnly { cause } => {
                    return Err(behind(cause));
                }
                Status::Ready | Status::Draining => {}
            }
            if stored > last {
                (last, moved) = (stored, Instant::now());
            } else if moved.elapsed() > STILL_MAX {
                return Err(behind("it stands still".to_owned()));
            }
            progress(Progress {
                what: "waiting for the store".to_owned(),
                done: stored,
                total: needed,
            });
        }
        Ok(())
    }
}

/// Whether there is a log in this directory.
#[must_use]
pub fn is_data_directory(directory: &Path) -> bool {
    RealDisk::open_existing(directory).is_ok_and(|disk| mainstay_log::tail_from(&disk, 0).is_ok())
}

/// Makes a backup of a data directory that nobody holds. The directory is opened as by any start, so that the backup holds its last
/// durable event; nothing in it is retired or trimmed by that.
///
/// # Errors
/// [`OpsError`]; `Open` with `Held` when somebody holds it.
pub fn backup_directory(
    directory: &Path,
    into: &Path,
    unsearched: Unsearched,
    progress: &mut dyn FnMut(Progress),
) -> Result<Backup, OpsError> {
    if !is_data_directory(directory) {
        return Err(OpsError::Absent {
            path: directory.to_owned(),
            what: "not a data directory: there is no log in it".to_owned(),
        });
    }
    expect_room(into)?;
    let everything = Retention {
        default: Keep { age_ms: u64::MAX },
        queues: std::collections::BTreeMap::new(),
        audit: Keep { age_ms: u64::MAX },
        bytes_max: u64::MAX,
    };
    let engine = Engine::options()
        .history(everything)
        .log_retain(u64::MAX, 0)
        .snapshot_every_bytes(u64::MAX)
        .low_water_bytes(0)
        .unsearched(unsearched)
        .open_telling(directory, progress)?;
    let backup = engine.handle().backup(into, progress);
    // What was backed up is durable whatever the end of the log says; the next start tells.
    engine.shutdown(END_MAX).ok();
    backup
}

/// Refuses a directory in which anything is.
fn expect_room(into: &Path) -> Result<(), OpsError> {
    let found = match fs::symlink_metadata(into) {
        Ok(meta) if meta.is_dir() => names(into)?,
        Ok(_) => vec!["no directory".to_owned()],
        Err(_) => return Ok(()),
    };
    let has = |name: &str| found.iter().any(|one| one == name);
    let what = if found.is_empty() {
        return Ok(());
    } else if has(LABEL_FILE) {
        "there is a backup already; name another directory".to_owned()
    } else if has(STORE_FILE) {
        "there is a backup that was not finished; remove it, or name another directory".to_owned()
    } else {
        format!("not empty: {} is there; name another directory", found[0])
    };
    Err(OpsError::Occupied {
        path: into.to_owned(),
        what,
    })
}

/// What a backup that fails leaves is taken away again.
struct Unfinished<'a> {
    into: &'a Path,
    made: bool,
    done: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // Without its label it is no backup: what cannot be removed is in the way and does no harm.
        for name in [LABEL_FILE, "backup.json.tmp", STORE_FILE] {
            remove(&self.into.join(name)).ok();
        }
        if self.made {
            fs::remove_dir(self.into).ok();
        }
    }
}

/// Copies a store while it is written, proves the copy, and labels it.
fn write(
    store: &Path,
    into: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Backup, OpsError> {
    let made = make_directory(into)?;
    let mut unfinished = Unfinished {
        into,
        made,
        done: false,
    };
    let copy = into.join(STORE_FILE);
    let copied = mainstay_store::copy_store(store, &copy, &mut |done, total| {
        let what = "copying pages".to_owned();
        progress(Progress { what, done, total });
    });
    copied.map_err(OpsError::in_store(store))?;
    let (base, machine) = prove(&copy, progress)?;
    let (bytes, blake3) = hash(&copy, "hashing", progress)?;
    let mut label = Backup {
        format: FORMAT,
        log_id: base.log_id,
        sequence: base.sequence,
        wall: base.wall.0,
        created_at: wall_ms(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        live_rows: base.live_rows,
        live_sum: format!("{:016x}", base.live_sum),
        digest: machine.digest().to_string(),
        files: vec![BackupFile {
            name: STORE_FILE.to_owned(),
            bytes,
            blake3,
        }],
        check: String::new(),
    };
    let text = label.encode();
    install(into, LABEL_FILE, &text)?;
    unfinished.done = true;
    Ok(label)
}
