//! Examining a data directory without changing it: frames, chain, replay, the state's own check.
//! Owns: the report that `doctor` prints.
//! Never: writes, locks or repairs.

use std::path::Path;

use mainstay_core::Machine;
use mainstay_log::{Disk, Finding, RealDisk, Report as LogReport};

use crate::recovery::replay;

/// What an examination found.
#[derive(Debug)]
pub struct Report {
    /// What the log's own inspection says: segments, frames, damage, quarantined tails, holder.
    pub log: LogReport,
    /// The last event that replays.
    pub sequence: u64,
    /// Runs that have not ended.
    pub live_runs: u64,
    /// All runs.
    pub runs: u64,
    /// Digest of the live state.
    pub digest: String,
    /// Everything that is wrong beyond what the log's inspection says, in words.
    pub findings: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong. Quarantined tails, and a torn tail that the next start will cut, are not wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.damage().next().is_none()
    }

    /// The log's damage.
    pub fn damage(&self) -> impl Iterator<Item = &Finding> {
        self.log.findings.iter().filter(|finding| finding.is_damage)
    }
}

/// Examines a data directory.
///
/// # Errors
/// When it is no directory or cannot be read at all.
pub fn examine(directory: impl AsRef<Path>) -> std::io::Result<Report> {
    let directory = directory.as_ref();
    if !directory.is_dir() {
        let missing = format!("{} is not a directory", directory.display());
        return Err(std::io::Error::new(std::io::ErrorKind::NotFound, missing));
    }
    Ok(examine_disk(&RealDisk::open_existing(directory)?))
}

/// Examines a data directory on any disk.
pub fn examine_disk<D: Disk>(disk: &D) -> Report {
    let mut machine = Machine::new(0);
    let mut findings = Vec::new();
    let log = mainstay_log::inspect(disk, &mut |frame| {
        if !findings.is_empty() {
            return; // what follows an unreadable frame cannot be judged
        }
        if let Err(reason) = replay(&mut machine, frame) {
            findings.push(format!(
                "frame {} cannot be replayed: {reason}",
                frame.number
            ));
        }
    });
    if let Err(reason) = machine.verify() {
        findings.push(format!("the replayed state contradicts itself: {reason}"));
    }
    let stats = machine.stats();
    let live_runs = stats.runs_by_state[..6].iter().sum();
    let digest = machine.digest().to_string();
    Report {
        log,
        sequence: machine.sequence(),
        live_runs,
        runs: stats.runs_total,
        digest,
        findings,
    }
}
