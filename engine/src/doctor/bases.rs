//! What an engine could begin with, each looked at by itself: the store and the snapshots.
//! Owns: the verdict on each, before the log is asked.
//! Never: ends at the first thing that is wrong.

use std::path::{Path, PathBuf};

use mainstay_core::{Digest, Machine};
use mainstay_log::Disk;
use mainstay_store::{SqliteReader, StoreError, examine, file_of};

use super::{Report, SnapshotReport, StoreReport, StoreSeen};
use crate::recovery::{Progress, from_snapshot, from_store};
use crate::snapshot::newest_first;

/// KiB of pages that a reader keeps while it goes through a store once.
const CACHE_KIB: u32 = 8 << 10;

/// A state that was loaded, and what the log must come to at the same event.
pub(super) struct Kept {
    /// For people.
    pub(super) what: String,
    pub(super) machine: Box<Machine>,
    pub(super) digest: Digest,
}

impl Kept {
    fn new(what: String, machine: Machine) -> Kept {
        Kept {
            what,
            digest: machine.digest(),
            machine: Box::new(machine),
        }
    }

    pub(super) fn machine_sequence(&self) -> u64 {
        self.machine.sequence()
    }
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
    let examined = examine(&file, &mut |done| {
        listener(Progress {
            what: "checking the store's rows".to_owned(),
            done,
            total: 0,
        });
    });
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
    let what = format!("the store at event {}", base.sequence);
    let kept = Kept::new(what, machine);
    report.store = StoreReport::Sound(StoreSeen {
        sequence: base.sequence,
        tasks: examined.tasks,
        runs: examined.runs,
        live_rows: base.live_rows,
        payloads: examined.payloads,
        digest: kept.digest.to_string(),
    });
    Some(kept)
}

fn told(error: &StoreError) -> String {
    match error {
        StoreError::Damaged(what) => what.clone(),
        StoreError::Foreign { found } => format!("it belongs to another log: {found}"),
        other => other.to_string(),
    }
}

/// Reads every snapshot to its end; gives those that can be trusted, the oldest first.
pub(super) fn check_snapshots<D: Disk>(
    disk: &D,
    log_id: &str,
    report: &mut Report,
    listener: &mut dyn FnMut(Progress),
) -> Vec<Kept> {
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
                let what = format!("the snapshot of event {sequence}");
                sound.push(Kept::new(what, machine));
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
