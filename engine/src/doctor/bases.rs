//! What an engine could begin with, each looked at by itself: the store and the snapshots.
//! Owns: the verdict on each, before the log is asked.
//! Never: ends at the first thing that is wrong.

use std::fmt;
use std::path::{Path, PathBuf};

use mainstay_core::{Digest, Machine};
use mainstay_log::Disk;
use mainstay_store::{SqliteReader, StoreError, examine, file_of};

use super::{Report, SnapshotReport, StoreReport, StoreSeen};
use crate::recovery::{Progress, from_snapshot, from_store};
use crate::snapshot::newest_first;

/// KiB of pages that a reader keeps while it goes through a store once.
const CACHE_KIB: u32 = 8 << 10;

/// What the log must come to at an event, because a state that was loaded says so.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) sequence: u64,
    pub(super) digest: Digest,
    pub(super) is_snapshot: bool,
}

impl Mark {
    fn of(machine: &Machine, is_snapshot: bool) -> Mark {
        Mark {
            sequence: machine.sequence(),
            digest: machine.digest(),
            is_snapshot,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_snapshot {
            "the snapshot of"
        } else {
            "the store at"
        };
        write!(f, "{what} event {}", self.sequence)
    }
}

/// The store's live state.
pub(super) struct Kept {
    pub(super) mark: Mark,
    pub(super) machine: Box<Machine>,
}

/// Compares everything inside the store, and loads its live state.
pub(super) fn check_store(
    directory: &Path,
    log_id: &str,
    report: &mut Report,
    listener: &mut dyn FnMut(Progress),
) -> Option<Kept> {
    let file = file_of(directory);
    if !file.exists() {
        report.store = StoreReport::Missing;
        return None;
    }
    let unusable = |report: &mut Report, what: String| {
        report.store = StoreReport::Unusable;
        report.findings.push(format!("{}: {what}", file.display()));
    };
    let examined = examine(&file, &mut |done| listener(checking(done)));
    let examined = match examined {
        Ok(examined) => examined,
        Err(error) => {
            unusable(report, told(&error));
            return None;
        }
    };
    if examined.base.log_id != log_id {
        let what = format!(
            "it is the store of log {}, and the directory's log is {log_id}",
            examined.base.log_id
        );
        unusable(report, what);
        return None;
    }
    let loaded =
        SqliteReader::open(&file, CACHE_KIB).and_then(|mut reader| from_store(0, &mut reader));
    let (machine, base) = match loaded {
        Ok(Some(loaded)) => loaded,
        Ok(None) => {
            report
                .notes
                .push("the store is new: nothing was stored yet".to_owned());
            report.store = StoreReport::Missing;
            return None;
        }
        Err(error) => {
            unusable(report, told(&error));
            return None;
        }
    };
    if let Err(reason) = machine.verify() {
        unusable(report, format!("its state contradicts itself: {reason}"));
        return None;
    }
    let kept = Kept {
        mark: Mark::of(&machine, false),
        machine: Box::new(machine),
    };
    report.store = StoreReport::Sound(StoreSeen {
        sequence: base.sequence,
        tasks: examined.tasks,
        runs: examined.runs,
        live_rows: base.live_rows,
        payloads: examined.payloads,
        digest: kept.mark.digest.to_string(),
    });
    Some(kept)
}

fn checking(done: u64) -> Progress {
    Progress {
        what: "checking the store's rows".to_owned(),
        done,
        total: 0,
    }
}

fn told(error: &StoreError) -> String {
    match error {
        StoreError::Damaged(what) => what.clone(),
        StoreError::Foreign { found } => format!("it belongs to another log: {found}"),
        other => other.to_string(),
    }
}

/// Reads every snapshot to its end; gives what those say that can be trusted, the oldest first. Only one is in memory at a time.
pub(super) fn check_snapshots<D: Disk>(
    disk: &D,
    log_id: &str,
    report: &mut Report,
    listener: &mut dyn FnMut(Progress),
) -> Vec<Mark> {
    let listed = match newest_first(disk) {
        Ok(listed) => listed,
        Err(error) => {
            let text = format!("the snapshots cannot be listed: {error}");
            report.findings.push(text);
            return Vec::new();
        }
    };
    let mut sound = Vec::new();
    for (done, &sequence) in listed.iter().enumerate() {
        listener(Progress {
            what: "checking snapshots".to_owned(),
            done: done as u64,
            total: listed.len() as u64,
        });
        let loaded = from_snapshot(disk, 0, log_id, sequence)
            .and_then(|machine| machine.verify().map(|()| machine));
        let problem = match loaded {
            Ok(machine) => {
                sound.push(Mark::of(&machine, true));
                None
            }
            Err(reason) => {
                report.findings.push(reason.clone());
                Some(reason)
            }
        };
        report.snapshots.push(SnapshotReport { sequence, problem });
    }
    sound.reverse();
    sound
}

/// Files beside the store that nobody needs.
pub(super) fn leftovers(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let is_needed = |name: &str| {
        name.starts_with(mainstay_store::STORE_FILE)
            || (name.starts_with("snapshot-") && name.ends_with(".snap"))
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut found: Vec<PathBuf> = names
        .filter(|name| !name.to_str().is_some_and(is_needed))
        .map(|name| Path::new(crate::shelf::STORE_DIRECTORY).join(name))
        .collect();
    found.sort_unstable();
    found
}
