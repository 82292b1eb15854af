//! The whole log, read and judged without changing anything.
//! Owns: the tail rule: damage if anything proves the broken frame durable, else a torn tail.
//! Never: writes.

use std::io;

use super::check::{Checked, SEGMENT_BYTES_MAX, check_segment, damage, image, pass_segment};
use super::read::read_whole;
use super::recover::{Proven, Reading};
use crate::disk::Disk;
use crate::fault::{Fault, OpenError};
use crate::frame::Frame;
use crate::manifest::{MANIFEST, Manifest, SegmentEntry};
use crate::options::Plant;
use crate::segment::{
    LOG_DIR, Later, Position, SegmentHeader, Stop, first_sequence_of, segment_name,
};

/// What is after the last intact frame of the open segment.
pub(crate) enum Judged {
    /// Nothing.
    End,
    /// Bytes from `offset` on that were never acknowledged.
    Torn { offset: usize },
}

/// A log that may be opened.
pub(crate) struct Survey {
    pub(crate) at: Position,
    /// Lengths of the segments before the open one, in order.
    pub(crate) sealed_bytes: Vec<u64>,
    /// The open segment; `None` if the log has no segment yet.
    pub(crate) tail: Option<(Checked, Judged)>,
}

/// Names in the log directory that are segments.
pub(crate) fn segment_names<D: Disk>(disk: &D) -> Result<Vec<u64>, Fault> {
    let names = match disk.list(LOG_DIR) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Fault::at("list", LOG_DIR)(error)),
    };
    let mut firsts: Vec<u64> = names
        .iter()
        .filter_map(|name| first_sequence_of(name))
        .collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Reads the segments that the manifest names, in order, from the one with the first frame to show.
pub(crate) fn survey<D: Disk>(
    disk: &D,
    plant: Plant,
    manifest: &Manifest,
    reading: &mut Reading<'_>,
) -> Result<Survey, OpenError> {
    let mut at = manifest.start();
    let mut sealed_bytes = Vec::with_capacity(manifest.segments.len());
    let last = manifest.segments.len().saturating_sub(1);
    let is_wanted = |entry: &SegmentEntry| {
        entry
            .sealed
            .is_none_or(|mark| !reading.passes(mark.sequence))
    };
    let first = manifest.segments.iter().position(is_wanted).unwrap_or(last);
    let mut tail = None;
    for index in 0..manifest.segments.len() {
        if index < first {
            sealed_bytes.push(pass_segment(disk, manifest, index, &mut at)?);
            continue;
        }
        let mut visit = |frame: &Frame<'_>, proven| reading.frame(frame, proven);
        match check_segment(disk, plant, manifest, index, &mut at, &mut visit)? {
            Some(checked) => {
                sealed_bytes.push(checked.bytes.len() as u64);
                tail = Some(checked);
            }
            None => break,
        }
    }
    let Some(checked) = tail else {
        refuse_unnamed_frames(disk, plant, manifest, &at)?;
        refuse_short(&at, reading.proven())?;
        return Ok(Survey {
            at,
            sealed_bytes,
            tail: None,
        });
    };
    sealed_bytes.pop();
    let judged = judge_tail(disk, plant, manifest, &checked, &at, reading.proven())?;
    if first > 0 && first == last && at.frame < checked.header.first_frame {
        // Nothing was read yet: the last frame lies in the segment before, and its times go on.
        let entry = &manifest.segments[last - 1];
        let mut before = entry.start();
        let mut pass = |_: &Frame<'_>, _| Ok(());
        check_segment(disk, plant, manifest, last - 1, &mut before, &mut pass)?;
        at = before;
    }
    Ok(Survey {
        at,
        sealed_bytes,
        tail: Some((checked, judged)),
    })
}

/// A log without segments that should hold what a checkpoint holds.
fn refuse_short(at: &Position, proven: Proven) -> Result<(), OpenError> {
    if proven.sequence <= at.sequence {
        return Ok(());
    }
    let reason = format!("there are no segments, yet {}", proven.text());
    Err(damage(MANIFEST, 0, at, Some(proven.sequence), reason))
}

/// The tail rule for the open segment, whose intact frames end at `at`.
pub(crate) fn judge_tail<D: Disk>(
    disk: &D,
    plant: Plant,
    manifest: &Manifest,
    checked: &Checked,
    at: &Position,
    proven: Proven,
) -> Result<Judged, OpenError> {
    let (offset, proof_frame, reason) = match checked.stop {
        Stop::End { offset } | Stop::Format { offset, .. } => {
            (offset, at.frame.saturating_add(1), "there is nothing")
        }
        Stop::Broken {
            offset,
            proof_frame,
            reason,
        } => (offset, proof_frame, reason),
    };
    let judged = match checked.stop {
        Stop::Broken { .. } => Judged::Torn { offset },
        _ => Judged::End,
    };
    if plant.truncate_at_first_bad {
        return Ok(judged);
    }
    if proven.sequence > at.sequence || proven.frame >= proof_frame {
        let (last, reason) = (proven.sequence, format!("{reason}, yet {}", proven.text()));
        return Err(damage(&checked.name, offset, at, Some(last), reason));
    }
    match find_proof(disk, plant, manifest, checked, at, offset, proof_frame)? {
        None => Ok(judged),
        Some(Proof { last, text }) => {
            let reason = format!("{reason}, yet {text}");
            Err(damage(&checked.name, offset, at, last, reason))
        }
    }
}

/// What shows that a frame which cannot be read was durable.
struct Proof {
    /// Last sequence that is lost, if it can be told.
    last: Option<u64>,
    text: String,
}

/// Looks for proof that frame `proof_frame` was durable: in the manifest, in the segment's header, in headers after
/// `offset`, and in segments that the manifest does not name.
fn find_proof<D: Disk>(
    disk: &D,
    plant: Plant,
    manifest: &Manifest,
    checked: &Checked,
    at: &Position,
    offset: usize,
    proof_frame: u64,
) -> Result<Option<Proof>, OpenError> {
    let floor = &manifest.floor;
    let durable_upto = checked.header.durable_upto;
    if floor.frame >= proof_frame {
        let text = format!("the manifest says that frame {} was durable", floor.frame);
        let last = Some(floor.sequence);
        return Ok(Some(Proof { last, text }));
    }
    if manifest.clean && (at.frame > floor.frame || !at.clean) {
        let text = format!(
            "the manifest says that the log was stopped cleanly at frame {}",
            floor.frame
        );
        return Ok(Some(Proof { last: None, text }));
    }
    if durable_upto >= proof_frame {
        let text = format!("the segment's header says that frame {durable_upto} was durable");
        return Ok(Some(Proof { last: None, text }));
    }
    if let Some(later) = checked.image(plant).later(offset, proof_frame) {
        let text = format!(
            "the header of frame {} at offset {} says that frame {} was durable",
            later.number, later.offset, later.durable_upto
        );
        let last = last_lost(&later, at);
        return Ok(Some(Proof { last, text }));
    }
    let after = checked.header.first_sequence.saturating_add(1);
    unnamed_proof(disk, plant, manifest, after, proof_frame)
}

fn last_lost(later: &Later, at: &Position) -> Option<u64> {
    // A header from before the break tells nothing about what was lost after it.
    (later.number > at.frame).then(|| later.first_sequence.saturating_sub(1))
}

/// A segment of this log that the manifest does not name and that begins after the open one: left by a crash between
/// its rename and the manifest, when it holds no frames; else the manifest is older than the log.
fn unnamed_proof<D: Disk>(
    disk: &D,
    plant: Plant,
    manifest: &Manifest,
    from_sequence: u64,
    proof_frame: u64,
) -> Result<Option<Proof>, OpenError> {
    for first in segment_names(disk)?
        .into_iter()
        .filter(|&first| first >= from_sequence)
    {
        let name = segment_name(first);
        let file = disk.open(&name).map_err(Fault::at("open", &name))?;
        let bytes = read_whole(&file, &name, SEGMENT_BYTES_MAX)?;
        let Ok(header) = SegmentHeader::decode(&bytes) else {
            continue;
        };
        if header.log_id != manifest.log_id {
            continue;
        }
        if header.durable_upto >= proof_frame {
            let text = format!("{name} says that frame {} was durable", header.durable_upto);
            let last = Some(header.first_sequence.saturating_sub(1));
            return Ok(Some(Proof { last, text }));
        }
        if let Some(later) = image(&bytes, &header, plant).later(header.sector as usize, 0) {
            let text = format!(
                "{name}, which the manifest does not name, holds frame {}",
                later.number
            );
            return Ok(Some(Proof { last: None, text }));
        }
    }
    Ok(None)
}

fn refuse_unnamed_frames<D: Disk>(
    disk: &D,
    plant: Plant,
    manifest: &Manifest,
    at: &Position,
) -> Result<(), OpenError> {
    match unnamed_proof(disk, plant, manifest, 0, 1)? {
        Some(Proof { last, text }) if !plant.missing_segment_is_end => {
            let reason = format!("the manifest names no segment, yet {text}");
            Err(damage(MANIFEST, 0, at, last, reason))
        }
        _ => Ok(()),
    }
}
