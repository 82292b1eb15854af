//! Examining a data directory without changing it: log, store and snapshots, each by itself and against the others.
//! Owns: the report that `doctor` prints, and what is damage and what is only worth telling.
//! Never: changes what an engine will read; takes the lock only to set a store aside.

mod bases;
mod repair;
mod walk;

use std::path::{Path, PathBuf};
use std::time::Instant;

use mainstay_log::{Disk, Extent, Finding, RealDisk, Report as LogReport};

use crate::ops::reaching;
use crate::recovery::Progress;
use crate::shelf::STORE_DIRECTORY;
use bases::{Kept, Mark, check_snapshots, check_store, leftovers};
pub use repair::{Repaired, set_store_aside};
use walk::Walk;

/// What an examination found.
#[derive(Debug, Default)]
pub struct Report {
    /// What the log's own inspection says: segments, frames, damage, quarantined tails, holder.
    pub log: LogReport,
    /// The last event that replays.
    pub sequence: u64,
    /// The event that the replay began after: 0 when the log holds its first event.
    pub base_sequence: u64,
    /// Runs that have not ended.
    pub live_runs: u64,
    /// All runs.
    pub runs: u64,
    /// Digest of the live state.
    pub digest: String,
    /// The store.
    pub store: StoreReport,
    /// The snapshots, the newest first.
    pub snapshots: Vec<SnapshotReport>,
    /// Files that nobody needs: stores that were set aside, halves of writes, segments that no manifest names.
    pub leftovers: Vec<PathBuf>,
    /// Everything that is wrong beyond what the log's inspection says, in words.
    pub findings: Vec<String>,
    /// What is worth telling and not wrong.
    pub notes: Vec<String>,
}

/// What was found of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreReport {
    /// It was not looked for: the disk is no directory, or has no log.
    #[default]
    Unasked,
    /// It is not there. The next start makes it again from what the notes say.
    Missing,
    /// It cannot be used: the findings say why.
    Unusable,
    /// Every check in it holds.
    Sound(StoreSeen),
}

/// A store whose checks hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSeen {
    /// The last event that it reflects.
    pub sequence: u64,
    /// Tasks, live and finished.
    pub tasks: u64,
    /// Runs, live and finished.
    pub runs: u64,
    /// Rows that recovery needs.
    pub live_rows: u64,
    /// Payloads that are stored by themselves.
    pub payloads: u64,
    /// Digest of the live state in it.
    pub digest: String,
}

/// One snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotReport {
    /// The last event in it.
    pub sequence: u64,
    /// What is wrong with it.
    pub problem: Option<String>,
}

impl Report {
    /// Whether nothing is wrong. Quarantined tails, leftovers, a missing store that can be made again, and a torn tail that the next
    /// start will cut, are not wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.damage().next().is_none()
    }

    /// The log's damage.
    pub fn damage(&self) -> impl Iterator<Item = &Finding> {
        self.log.findings.iter().filter(|finding| finding.is_damage)
    }
}

/// Examines a data directory, beside whoever is writing it.
///
/// # Errors
/// When it is no directory or cannot be read at all.
pub fn examine(directory: impl AsRef<Path>) -> std::io::Result<Report> {
    examine_telling(directory, &mut |_| {})
}

/// The same; `listener` hears how far it is.
///
/// # Errors
/// When it is no directory or cannot be read at all.
pub fn examine_telling(
    directory: impl AsRef<Path>,
    listener: &mut dyn FnMut(Progress),
) -> std::io::Result<Report> {
    let directory = directory.as_ref();
    if !directory.is_dir() {
        let missing = format!("{} is not a directory", directory.display());
        return Err(std::io::Error::new(std::io::ErrorKind::NotFound, missing));
    }
    let disk = RealDisk::open_existing(directory)?;
    let mut report = Report::default();
    let mut kept = None;
    // The store first: the log, read later, then holds all that the store was made of, although both grow.
    if let Ok(extent) = mainstay_log::extent(&disk) {
        let store = directory.join(STORE_DIRECTORY);
        let log_id = extent.log_id.to_string();
        kept = check_store(&store, &log_id, &mut report, listener);
        report.leftovers = leftovers(&store);
    }
    if directory.join(crate::ops::UNFINISHED_RESTORE).exists() {
        let text = "a restore was begun here and not finished; give the same command again";
        report.findings.push(text.to_owned());
    }
    examine_log(&disk, kept, &mut report, listener);
    let unnamed = report.log.unnamed.iter();
    let unneeded = unnamed.filter(|name| !name.starts_with("log/spare-"));
    report.leftovers.extend(unneeded.map(PathBuf::from));
    Ok(report)
}

/// Examines log and snapshots of a data directory on any disk.
pub fn examine_disk<D: Disk>(disk: &D) -> Report {
    let mut report = Report::default();
    examine_log(disk, None, &mut report, &mut |_| {});
    report
}

fn examine_log<D: Disk>(
    disk: &D,
    store: Option<Kept>,
    report: &mut Report,
    listener: &mut dyn FnMut(Progress),
) {
    let extent = mainstay_log::extent(disk).ok();
    let snapshots = match &extent {
        Some(extent) => check_snapshots(disk, &extent.log_id.to_string(), report, listener),
        None => Vec::new(),
    };
    let store_sequence = store.as_ref().map(|kept| kept.mark.sequence);
    let mut walk = Walk::new(extent.as_ref(), &snapshots, store, listener);
    walk.begin(disk, extent.as_ref());
    let begun = Instant::now();
    report.log = mainstay_log::inspect(disk, &mut |frame| walk.frame(frame));
    let seconds = begun.elapsed().as_secs_f64();
    let has_damage = report.damage().next().is_some();
    let walked = walk.end(report.log.last_sequence, has_damage);
    report.findings.extend(walked.findings);
    report.base_sequence = walked.begun;
    report.sequence = walked.machine.sequence();
    let stats = walked.machine.stats();
    report.live_runs = stats.runs_by_state[..6].iter().sum();
    report.runs = stats.runs_total;
    report.digest = walked.machine.digest().to_string();
    let Some(extent) = extent else {
        return;
    };
    let events = report.sequence - walked.begun.min(report.sequence);
    if let (Some(stored), false) = (store_sequence, has_damage)
        && stored > report.log.last_sequence
    {
        report.findings.push(format!(
            "the store holds event {stored}, and the log ends at {}: the end of the log was lost",
            report.log.last_sequence
        ));
    }
    if report.store == StoreReport::Missing {
        tell_missing(
            report,
            &extent,
            &snapshots,
            events as f64 / seconds.max(1e-6),
        );
    }
}

/// What the next start will do without a store.
fn tell_missing(report: &mut Report, extent: &Extent, snapshots: &[Mark], events_per_s: f64) {
    let sound: Vec<u64> = snapshots.iter().map(|mark| mark.sequence).collect();
    match reaching(extent, &sound) {
        Some((after, way)) => {
            let events = report.log.last_sequence.saturating_sub(after);
            let seconds = (events as f64 / events_per_s.max(1.0)).ceil();
            report.notes.push(format!(
                "the store is missing: the next start makes it again from {way}, {events} events of the log, in about {seconds} s"
            ));
        }
        None => report.findings.push(format!(
            "the store is missing, and neither a snapshot nor the log, which begins at event {}, brings it back: restore a backup",
            extent.oldest_sequence
        )),
    }
}
