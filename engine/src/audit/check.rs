//! Verifying the retained log and the trail against each other, a segment at a time.
//! Owns: the walk, and which events a break of the chain puts in doubt.
//! Never: changes a file, takes a lock, or runs on the writer's thread.

use std::path::Path;

use mainstay_core::codec::{self, CommandRecord};
use mainstay_core::{AuditRow, Entry, Timestamp};
use mainstay_log::{Disk, Finding, Frame, Inspection, RealDisk};
use mainstay_store::{Reader, SqliteReader, file_of};

use super::compare::Entries;
use super::report::{AuditGap, AuditReport};
use crate::handle::Handle;
use crate::ops::OpsError;
use crate::shelf::STORE_DIRECTORY;

/// KiB of pages that the reader of the trail keeps.
const CACHE_KIB: u32 = 1 << 10;

/// What a running engine knows of the end of its log, whatever the files say.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    sequence: u64,
    frame: u64,
    hash: [u8; 32],
}

/// What was seen of the segment at hand.
#[derive(Debug, Default)]
struct Seen {
    /// The first event of the last frame that was read.
    last_first: Option<u64>,
    gaps: Vec<AuditGap>,
}

/// A verification in pieces of one segment of the log each. Blocks: it reads files.
pub struct AuditCheck<D: Disk = RealDisk> {
    disk: D,
    inspection: Inspection,
    entries: Option<Entries>,
    head: Option<Head>,
    report: AuditReport,
    /// Findings that were told.
    told: usize,
}

/// Verifies a data directory, beside whoever is writing it.
///
/// # Errors
/// [`OpsError::Io`] when the directory cannot be read; whatever is wrong inside it is in the report.
pub fn verify_audit(directory: impl AsRef<Path>) -> Result<AuditReport, OpsError> {
    let mut check = AuditCheck::begin(directory.as_ref())?;
    while check.step() {}
    Ok(check.end())
}

impl AuditCheck {
    /// Begins with a data directory.
    ///
    /// # Errors
    /// As [`verify_audit`].
    pub fn begin(directory: &Path) -> Result<AuditCheck, OpsError> {
        let disk = RealDisk::open_existing(directory).map_err(OpsError::at(directory))?;
        let file = file_of(&directory.join(STORE_DIRECTORY));
        let reader = match std::fs::symlink_metadata(&file) {
            Ok(_) => Some(SqliteReader::open(&file, CACHE_KIB).map_err(OpsError::in_store(&file))?),
            Err(_) => None,
        };
        let reader = reader.map(|reader| Box::new(reader) as Box<dyn Reader>);
        Ok(AuditCheck::over(disk, reader))
    }
}

impl Handle {
    /// Begins to verify the log and the trail of this engine, its own knowledge of the log's end included; `None` in a simulation.
    ///
    /// # Errors
    /// As [`verify_audit`].
    pub fn check_audit(&self) -> Option<Result<AuditCheck, OpsError>> {
        let directory = self.shared().directory()?;
        // What is known of the end first: the files, read later, hold it.
        let (log, _) = self.shared().log_stats();
        let head = Head {
            sequence: self.sequence(),
            frame: log.head_frame,
            hash: log.head_hash,
        };
        let begun = AuditCheck::begin(&directory);
        Some(begun.map(|check| AuditCheck {
            head: Some(head),
            ..check
        }))
    }
}

impl<D: Disk> AuditCheck<D> {
    /// Begins with a log on any disk, and a trail if there is one.
    pub fn over(disk: D, trail: Option<Box<dyn Reader>>) -> AuditCheck<D> {
        // The trail is read after the log's manifest, so that retention and trims in between take nothing that is still looked for.
        let inspection = Inspection::begin(&disk);
        AuditCheck {
            disk,
            inspection,
            entries: trail.map(Entries::new),
            head: None,
            report: AuditReport::default(),
            told: 0,
        }
    }

    /// Verifies one segment; false when there is none left.
    pub fn step(&mut self) -> bool {
        let Some(begins) = self.inspection.next_sequence() else {
            return false;
        };
        let AuditCheck {
            disk,
            inspection,
            entries,
            head,
            ..
        } = self;
        if let Some(entries) = entries.as_mut().filter(|_| self.report.from == 0) {
            let report = &mut self.report;
            entries.pass(begins, u64::MAX, &mut |gap| report.add(gap));
        }
        if self.report.from == 0 {
            self.report.from = begins;
        }
        let mut seen = Seen::default();
        inspection.step(disk, &mut |frame| {
            seen.frame(frame, entries.as_mut(), head.as_ref())
        });
        for gap in seen.gaps {
            self.report.add(gap);
        }
        self.judge(seen.last_first.unwrap_or(begins));
        true
    }

    /// Tells what the inspection found since the last time: everything from `doubtful` to the next segment is in doubt, because only a
    /// frame that another one follows is proven.
    fn judge(&mut self, doubtful: u64) {
        let findings = &self.inspection.report().findings;
        let known_end = self.head.map_or(0, |head| head.sequence);
        let end = self
            .inspection
            .next_sequence()
            .map_or(known_end, |next| next - 1);
        for found in findings[self.told..].iter().filter(|found| found.is_damage) {
            self.report.add(of_finding(found, doubtful, end));
        }
        self.told = findings.len();
    }

    /// Everything that was found.
    pub fn end(mut self) -> AuditReport {
        // Without a manifest there was no segment to look at.
        self.judge(self.report.from.max(1));
        let seen = self.inspection.report();
        let (oldest, last) = (seen.oldest_sequence, seen.last_sequence);
        let mut report = std::mem::take(&mut self.report);
        report.from = oldest;
        report.to = last;
        report.head_hash = seen.head_hash;
        if let Some(head) = self.head.filter(|head| head.sequence > last)
            && report.is_whole()
        {
            report.add(AuditGap {
                from: last + 1,
                to: head.sequence,
                file: "log".to_owned(),
                offset: 0,
                frame: seen.last_frame + 1,
                message: format!(
                    "the log ends at event {last}, and event {} was acknowledged",
                    head.sequence
                ),
            });
        }
        if let Some(entries) = self.entries.take() {
            finish_entries(entries, &mut report, self.head.is_some());
        }
        report.gaps.sort_by_key(|gap| (gap.from, gap.to));
        report
    }
}

/// The entries after the last one that the log asked for, and those it never asked for.
fn finish_entries(mut entries: Entries, report: &mut AuditReport, is_running: bool) {
    let (from, to) = (report.from, report.to);
    let mut found = Vec::new();
    // A running engine goes on: what it has written since is not looked at.
    let before = if is_running { to + 1 } else { u64::MAX };
    entries.pass(before, from, &mut |gap| found.push(gap));
    let broken: Vec<(u64, u64)> = report.gaps.iter().map(|gap| (gap.from, gap.to)).collect();
    let is_told = |at: &u64| broken.iter().any(|(from, to)| from <= at && at <= to);
    let unmatched = entries.unmatched.iter().filter(|at| !is_told(at));
    found.extend(unmatched.map(|at| Entries::not_in_the_log(*at)));
    found.into_iter().for_each(|gap| report.add(gap));
    report.entries = entries.compared;
    report.trail_after = entries.after;
}

fn of_finding(found: &Finding, from: u64, to: u64) -> AuditGap {
    AuditGap {
        from,
        to: to.max(from),
        file: found.file.clone(),
        offset: found.offset,
        frame: found.frame,
        message: found.explanation.clone(),
    }
}

impl Seen {
    fn frame(&mut self, frame: &Frame<'_>, entries: Option<&mut Entries>, head: Option<&Head>) {
        if frame.event_count > 0 {
            self.last_first = Some(frame.first_sequence);
        }
        let in_frame = |message: String| AuditGap {
            from: frame.first_sequence,
            to: frame.last_sequence().max(frame.first_sequence),
            file: "log".to_owned(),
            offset: 0,
            frame: frame.number,
            message,
        };
        if let Some(head) = head.filter(|head| head.frame == frame.number && head.frame > 0)
            && head.hash != frame.hash
        {
            let message = "the log on the disk is another one than this process wrote";
            self.gaps.push(in_frame(message.to_owned()));
        }
        let Some(entries) = entries else { return };
        let at = Timestamp(frame.wall_ms);
        let mut first = frame.first_sequence;
        let gaps = &mut self.gaps;
        let mut compare = |record: &CommandRecord, events: &[Entry]| {
            if let Some(row) = AuditRow::of(record, events, first, at) {
                entries.expect(&row, &mut |gap| gaps.push(gap));
            }
            first += events.len() as u64;
        };
        if let Err(error) = codec::decode(frame.body, &mut compare) {
            self.gaps
                .push(in_frame(format!("the frame cannot be read: {error}")));
        }
    }
}
