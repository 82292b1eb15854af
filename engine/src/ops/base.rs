//! States that a replay can go on from: nothing at all, a snapshot's, the store's, a backup's.
//! Owns: which of them are there, and which one is nearest.
//! Never: trusts one of another log, or one whose checks do not hold.

use std::fmt;
use std::path::{Path, PathBuf};

use mainstay_core::Machine;
use mainstay_log::{Extent, RealDisk};
use mainstay_store::{Reader, SqliteReader, StoreError};

use super::error::OpsError;
use super::label::STORE_FILE;
use super::verify::{CACHE_KIB, read_label};
use crate::recovery::{from_snapshot, from_store, reaches};
use crate::shelf::STORE_DIRECTORY;
use crate::snapshot::newest_first;

/// Where a state comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The log holds its first event.
    Start,
    /// A snapshot file.
    Snapshot,
    /// A store's file: the directory's own, or a backup's.
    Store(PathBuf),
}

/// A state to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// The last event in it.
    pub(super) sequence: u64,
    pub(super) origin: Origin,
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Start => f.write_str("the first event of the log"),
            Origin::Snapshot => write!(f, "the snapshot of event {}", self.sequence),
            Origin::Store(file) => write!(f, "{} at event {}", file.display(), self.sequence),
        }
    }
}

/// A data directory, or a backup, as something to look into.
pub(super) struct Site {
    /// The data directory's disk and log; a backup has none.
    pub(super) log: Option<(RealDisk, Extent)>,
    /// Whose states these are.
    pub(super) log_id: String,
    /// In rising order.
    pub(super) bases: Vec<Base>,
    /// The store that holds what is finished.
    pub(super) store: PathBuf,
    /// What could not be used, in words.
    pub(super) notes: Vec<String>,
}

impl Site {
    /// A backup by itself.
    pub(super) fn of_backup(backup: &Path) -> Result<Site, OpsError> {
        let label = read_label(backup)?;
        let store = backup.join(STORE_FILE);
        let base = Base {
            sequence: label.sequence,
            origin: Origin::Store(store.clone()),
        };
        Ok(Site {
            log: None,
            log_id: label.log_id,
            bases: vec![base],
            store,
            notes: Vec::new(),
        })
    }

    /// A data directory, with a backup of its log beside it or not.
    pub(super) fn of_directory(directory: &Path, backup: Option<&Path>) -> Result<Site, OpsError> {
        let disk = RealDisk::open_existing(directory).map_err(OpsError::at(directory))?;
        let extent = mainstay_log::extent(&disk)?;
        let mut site = Site {
            log: Some((disk.clone(), extent)),
            log_id: extent.log_id.to_string(),
            bases: Vec::new(),
            store: mainstay_store::file_of(&directory.join(STORE_DIRECTORY)),
            notes: Vec::new(),
        };
        if extent.oldest_sequence <= 1 {
            site.add(0, Origin::Start);
        }
        for sequence in newest_first(&disk).map_err(OpsError::at(directory))? {
            site.add(sequence, Origin::Snapshot);
        }
        if let Some(backup) = backup {
            let label = read_label(backup)?;
            if label.log_id != site.log_id {
                return Err(OpsError::Absent {
                    path: backup.to_owned(),
                    what: format!(
                        "a backup of log {}; the directory has log {}",
                        label.log_id, site.log_id
                    ),
                });
            }
            site.add(label.sequence, Origin::Store(backup.join(STORE_FILE)));
        }
        site.add_store();
        site.bases.sort_by_key(|base| base.sequence);
        Ok(site)
    }

    fn add(&mut self, sequence: u64, origin: Origin) {
        self.bases.push(Base { sequence, origin });
    }

    fn add_store(&mut self) {
        if !self.store.exists() {
            return;
        }
        let read = SqliteReader::open(&self.store, CACHE_KIB).and_then(|mut reader| reader.base());
        match read {
            Ok(base) if base.log_id == self.log_id && base.sequence > 0 => {
                let file = self.store.clone();
                self.add(base.sequence, Origin::Store(file));
            }
            Ok(_) => {}
            Err(error) => self.notes.push(format!("the store is not used: {error}")),
        }
    }

    /// Loads a state. The store moves while an engine runs: then what comes is later than what was found.
    pub(super) fn load(&self, base: &Base) -> Result<Machine, String> {
        match (&base.origin, &self.log) {
            (Origin::Snapshot, Some((disk, _))) => {
                from_snapshot(disk, 0, &self.log_id, base.sequence)
            }
            (Origin::Store(file), _) => {
                let loaded = SqliteReader::open(file, CACHE_KIB)
                    .and_then(|mut reader| from_store(0, &mut reader));
                match loaded {
                    Ok(Some((machine, found))) if found.log_id == self.log_id => Ok(machine),
                    Ok(_) => Err(format!("{} is not of this log", file.display())),
                    Err(StoreError::Damaged(what)) => Err(format!("{}: {what}", file.display())),
                    Err(error) => Err(error.to_string()),
                }
            }
            (Origin::Start | Origin::Snapshot, _) => Ok(Machine::new(0)),
        }
    }

    /// Which events can be had, in words; `last` is the last one that the log gives.
    pub(super) fn reach(&self, last: u64) -> String {
        let mut spans: Vec<(u64, u64)> = Vec::new();
        for base in &self.bases {
            let goes_on = self
                .log
                .as_ref()
                .is_some_and(|(_, extent)| reaches(base.sequence, extent.oldest_sequence));
            let until = if goes_on {
                last.max(base.sequence)
            } else {
                base.sequence
            };
            match spans.last_mut() {
                Some(span) if base.sequence <= span.1 => span.1 = span.1.max(until),
                _ => spans.push((base.sequence, until)),
            }
        }
        let words: Vec<String> = spans
            .iter()
            .map(|(from, to)| {
                if from == to {
                    format!("{from}")
                } else {
                    format!("{from} to {to}")
                }
            })
            .collect();
        let mut text = match &words[..] {
            [] => "nothing is left to begin with".to_owned(),
            words => format!("within reach: {}", words.join(", ")),
        };
        for note in &self.notes {
            text.push_str("; ");
            text.push_str(note);
        }
        text
    }
}

/// What of a log and its snapshots brings a lost store back: the event to begin after, and in which way. `None` when nothing does.
pub(crate) fn reaching(extent: &Extent, sound_snapshots: &[u64]) -> Option<(u64, String)> {
    if reaches(0, extent.oldest_sequence) {
        return Some((0, "the first event of the log".to_owned()));
    }
    // The oldest that the log goes on from: what the log still holds of the past comes back with it.
    let reach = |sequence: &u64| reaches(*sequence, extent.oldest_sequence);
    let oldest = sound_snapshots.iter().copied().filter(reach).min()?;
    Some((oldest, format!("the snapshot of event {oldest}")))
}
