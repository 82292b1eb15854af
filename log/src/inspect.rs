//! Read-only verification of a data directory, for `doctor`.
//! Owns: the report.
//! Never: changes a file, or takes the lock.

use std::collections::BTreeSet;
use std::io;

use crate::disk::Disk;
use crate::fault::OpenError;
use crate::frame::Frame;
use crate::identity::LogId;
use crate::manifest::{self, MANIFEST, Manifest, SegmentEntry};
use crate::options::Plant;
use crate::recovery::{Judged, Proven, check_segment, judge_tail, segment_names};
use crate::segment::{LOG_DIR, Position, QUARANTINE_DIR, first_sequence_of, segment_name};

/// Something that is wrong, or only worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// File name relative to the data directory.
    pub file: String,
    /// Byte offset in it; 0 if the finding is about the whole file.
    pub offset: u64,
    /// First frame it is about; 0 if it is about none.
    pub frame: u64,
    /// What it is.
    pub explanation: String,
    /// Whether [`crate::open`] would refuse because of it.
    pub is_damage: bool,
}

/// One segment that the manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentReport {
    /// File name relative to the data directory.
    pub file: String,
    /// Length of the file in bytes; 0 if it could not be read.
    pub bytes: u64,
    /// Bytes up to the end of its last intact frame.
    pub used_bytes: u64,
    /// Number of its first frame.
    pub first_frame: u64,
    /// Sequence of its first event.
    pub first_sequence: u64,
    /// Number of its last intact frame; one less than `first_frame` if there is none.
    pub last_frame: u64,
    /// Last sequence in it.
    pub last_sequence: u64,
    /// Whether the manifest says that nothing more is written to it.
    pub is_sealed: bool,
    /// Whether everything about it holds.
    pub is_intact: bool,
}

/// What a read-only look at a data directory found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Who holds the directory now, if the disk can tell. Then the end of the log may move while it is read.
    pub held_by: Option<String>,
    /// Id of the log, from the manifest.
    pub log_id: Option<LogId>,
    /// Incarnation, from the manifest.
    pub incarnation: u64,
    /// Whether the manifest says that the log was stopped cleanly.
    pub is_clean: bool,
    /// Intact frames, seals included.
    pub frames: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Number of the last intact frame.
    pub last_frame: u64,
    /// The first event that the log holds, or will hold; more than 1 if the log was trimmed or began at a backup.
    pub oldest_sequence: u64,
    /// Last intact sequence.
    pub last_sequence: u64,
    /// Chain hash of the last intact frame.
    pub head_hash: [u8; 32],
    /// The segments that the manifest names, in order.
    pub segments: Vec<SegmentReport>,
    /// What recoveries cut off and kept.
    pub quarantine: Vec<String>,
    /// Files in the log directory that the manifest does not name; they are ignored. Segments left by a trim are among
    /// them until the next open.
    pub unnamed: Vec<String>,
    /// Everything found, in the order of the log.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing was found for which an open would be refused.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.findings.iter().any(|finding| finding.is_damage)
    }

    fn damage(&mut self, error: &OpenError) {
        let (file, offset, frame) = match error {
            OpenError::Damage {
                file,
                offset,
                frame,
                ..
            } => (file.clone(), *offset, *frame),
            OpenError::Format { file, .. }
            | OpenError::Io { file, .. }
            | OpenError::Missing { file, .. } => (file.clone(), 0, 0),
            _ => (String::new(), 0, 0),
        };
        self.findings.push(Finding {
            file,
            offset,
            frame,
            explanation: error.to_string(),
            is_damage: true,
        });
    }

    fn note(&mut self, file: String, offset: u64, frame: u64, explanation: &str) {
        self.findings.push(Finding {
            file,
            offset,
            frame,
            explanation: explanation.to_owned(),
            is_damage: false,
        });
    }
}

/// Verifies frames, chain, segments and manifest. `visit` gets every intact frame, seals included, in order; after
/// damage it goes on with the next segment. A frame is not undone when damage is found after it.
pub fn inspect<D: Disk>(disk: &D, visit: &mut dyn FnMut(&Frame<'_>)) -> Report {
    let mut inspection = Inspection::begin(disk);
    while inspection.step(disk, visit) {}
    inspection.end()
}

/// An inspection in pieces of one segment each. What is written meanwhile may be seen or not.
#[derive(Default)]
pub struct Inspection {
    report: Report,
    manifest: Option<Manifest>,
    /// The segment that comes next.
    index: usize,
    /// Where the one before ended, when it was sound.
    before: Option<Position>,
}

impl Inspection {
    /// Looks at everything but the segments.
    pub fn begin<D: Disk>(disk: &D) -> Inspection {
        let mut inspection = Inspection::default();
        let report = &mut inspection.report;
        match disk.lock_holder("LOCK") {
            Ok(holder) => report.held_by = holder,
            Err(error) => report.note(
                String::from("LOCK"),
                0,
                0,
                &format!("who holds it cannot be told: {error}"),
            ),
        }
        report.quarantine = list(disk, QUARANTINE_DIR, report);
        match manifest::load(disk) {
            Ok(Some(manifest)) => {
                report.log_id = Some(manifest.log_id);
                report.incarnation = manifest.incarnation;
                report.is_clean = manifest.clean;
                list_unnamed(disk, &manifest, report);
                report.oldest_sequence = manifest.oldest_sequence();
                report.last_sequence = manifest.start().sequence;
                inspection.manifest = Some(manifest);
            }
            Ok(None) => inspect_without_manifest(disk, report),
            Err(error) => report.damage(&error),
        }
        inspection
    }

    /// The first event of the segment that comes next; `None` when there is none left.
    #[must_use]
    pub fn next_sequence(&self) -> Option<u64> {
        let segments = &self.manifest.as_ref()?.segments;
        segments.get(self.index).map(|entry| entry.first_sequence)
    }

    /// What was found so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Reads the next segment; false when there is none left.
    pub fn step<D: Disk>(&mut self, disk: &D, visit: &mut dyn FnMut(&Frame<'_>)) -> bool {
        let Some(manifest) = &self.manifest else {
            return false;
        };
        let index = self.index;
        let Some(entry) = manifest.segments.get(index) else {
            return false;
        };
        self.index += 1;
        // After damage, the manifest itself says where the next segment goes on.
        let mut at = self.before.take().unwrap_or_else(|| entry.start());
        self.before =
            inspect_segment(disk, manifest, index, &mut at, &mut self.report, visit).then_some(at);
        true
    }

    /// Everything that was found.
    #[must_use]
    pub fn end(self) -> Report {
        self.report
    }
}

fn list<D: Disk>(disk: &D, dir: &str, report: &mut Report) -> Vec<String> {
    match disk.list(dir) {
        Ok(mut names) => {
            names.sort_unstable();
            names
                .into_iter()
                .map(|name| format!("{dir}/{name}"))
                .collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            report.note(
                dir.to_owned(),
                0,
                0,
                &format!("the directory cannot be read: {error}"),
            );
            Vec::new()
        }
    }
}

fn inspect_without_manifest<D: Disk>(disk: &D, report: &mut Report) {
    match segment_names(disk) {
        Ok(names) if names.is_empty() => {
            report.note(MANIFEST.to_owned(), 0, 0, "there is no log here")
        }
        Ok(_) => {
            let explanation = String::from("the manifest is missing, yet there are segments");
            let file = MANIFEST.to_owned();
            report.findings.push(Finding {
                file,
                offset: 0,
                frame: 0,
                explanation,
                is_damage: true,
            });
        }
        Err(fault) => report.damage(&fault.into()),
    }
}

fn list_unnamed<D: Disk>(disk: &D, manifest: &Manifest, report: &mut Report) {
    let named: BTreeSet<u64> = manifest
        .segments
        .iter()
        .map(|entry| entry.first_sequence)
        .collect();
    let is_named = |name: &String| {
        let inside = name
            .strip_prefix(LOG_DIR)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(name);
        first_sequence_of(inside).is_some_and(|first| named.contains(&first))
    };
    let names = list(disk, LOG_DIR, report);
    report.unnamed = names.into_iter().filter(|name| !is_named(name)).collect();
}

/// Reads one segment, from where the one before ended. True when the next one goes on where it ended itself.
fn inspect_segment<D: Disk>(
    disk: &D,
    manifest: &Manifest,
    index: usize,
    at: &mut Position,
    report: &mut Report,
    visit: &mut dyn FnMut(&Frame<'_>),
) -> bool {
    let (plant, entry) = (Plant::default(), &manifest.segments[index]);
    let mut tell = |frame: &Frame<'_>, _| {
        report.frames += 1;
        report.events += u64::from(frame.event_count);
        report.bytes += frame.body.len() as u64;
        visit(frame);
        Ok(())
    };
    let checked = check_segment(disk, plant, manifest, index, at, &mut tell);
    let is_last = index + 1 == manifest.segments.len();
    let (mut bytes, mut used_bytes) = (0, 0);
    let judged = checked.and_then(|checked| match checked {
        Some(checked) => {
            (bytes, used_bytes) = (checked.bytes.len() as u64, checked.end as u64);
            if is_last {
                judge_tail(disk, plant, manifest, &checked, at, Proven::default())
            } else {
                Ok(Judged::End)
            }
        }
        None => Ok(Judged::End),
    });
    if let Err(OpenError::Missing { file, .. }) = &judged
        && is_trimmed_now(disk, entry)
    {
        let explanation = "trimmed by the process that holds the log, before it was inspected";
        report.note(file.clone(), 0, 0, explanation);
        return false;
    }
    if report.segments.is_empty() {
        report.oldest_sequence = entry.first_sequence;
    }
    report.segments.push(SegmentReport {
        file: segment_name(entry.first_sequence),
        bytes,
        used_bytes,
        first_frame: entry.first_frame,
        first_sequence: entry.first_sequence,
        last_frame: at.frame,
        last_sequence: at.sequence,
        is_sealed: entry.sealed.is_some(),
        is_intact: judged.is_ok(),
    });
    (report.last_frame, report.last_sequence, report.head_hash) = (at.frame, at.sequence, at.hash);
    match judged {
        Ok(Judged::End) => return true,
        Ok(Judged::Torn { offset }) => report.note(
            segment_name(entry.first_sequence),
            offset as u64,
            at.frame + 1,
            "a torn tail that was never acknowledged; the next start cuts it into quarantine",
        ),
        Err(error) => report.damage(&error),
    }
    false
}

/// Whether a segment that an inspection did not find is one that the log has given up since.
fn is_trimmed_now<D: Disk>(disk: &D, entry: &SegmentEntry) -> bool {
    let now = manifest::load(disk).ok().flatten();
    now.is_some_and(|now| now.oldest_sequence() > entry.first_sequence)
}
