//! One segment against what the manifest says about it.
//! Owns: the checks of a segment's header, of its place in the chain, and of a sealed segment's end.
//! Never: changes a file; judges the open tail.

use std::io;

use super::read::read_prefix;
use crate::disk::{Disk, DiskFile};
use crate::fault::{ADVICE, Fault, OpenError, Sequences};
use crate::frame::Frame;
use crate::manifest::{MANIFEST, Manifest, SegmentEntry};
use crate::options::Plant;
use crate::segment::{
    FORMAT, Image, Position, SegmentHeader, SegmentHeaderFault, Stop, Visited, segment_name,
};

/// Most bytes of one segment: the largest allowed segment and then the largest group.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 3 << 30;

/// A segment that was read and, as far as `stop`, found intact.
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) header: SegmentHeader,
    pub(crate) stop: Stop,
    /// The place after the last intact frame.
    pub(crate) end: usize,
}

impl Checked {
    pub(crate) fn image(&self, plant: Plant) -> Image<'_> {
        image(&self.bytes, &self.header, plant)
    }
}

pub(crate) fn image<'a>(bytes: &'a [u8], header: &SegmentHeader, plant: Plant) -> Image<'a> {
    Image {
        bytes,
        sector: u64::from(header.sector),
        log_id: header.log_id,
        salt: header.salt,
        plant,
    }
}

pub(crate) fn damage(
    file: &str,
    offset: usize,
    at: &Position,
    last: Option<u64>,
    reason: String,
) -> OpenError {
    OpenError::Damage {
        file: file.to_owned(),
        offset: offset as u64,
        frame: at.frame.saturating_add(1),
        sequences: Sequences {
            first: at.sequence.saturating_add(1),
            last,
        },
        reason,
        advice: ADVICE.to_owned(),
    }
}

/// Goes over sealed segment `index` of the manifest without reading it; gives its length. It must be there.
pub(crate) fn pass_segment<D: Disk>(
    disk: &D,
    manifest: &Manifest,
    index: usize,
    at: &mut Position,
) -> Result<u64, OpenError> {
    let entry = &manifest.segments[index];
    let name = segment_name(entry.first_sequence);
    let file = disk.open(&name).map_err(|error| absent(&name, error))?;
    check_chain(manifest, entry, at)?;
    if let Some(mark) = entry.sealed {
        *at = mark.after();
    }
    Ok(file.len().map_err(Fault::at("measure", &name))?)
}

fn absent(name: &str, error: io::Error) -> OpenError {
    if error.kind() != io::ErrorKind::NotFound {
        return Fault::at("open", name)(error).into();
    }
    OpenError::Missing {
        file: name.to_owned(),
        reason: String::from("the manifest names it"),
        advice: ADVICE.to_owned(),
    }
}

/// Reads segment `index` of the manifest and moves `at` over its intact frames; `visit` also learns whether a frame is
/// known durable whatever comes after it. `None` only with a planted bug.
pub(crate) fn check_segment<D: Disk>(
    disk: &D,
    plant: Plant,
    manifest: &Manifest,
    index: usize,
    at: &mut Position,
    visit: &mut dyn FnMut(&Frame<'_>, bool) -> Result<(), OpenError>,
) -> Result<Option<Checked>, OpenError> {
    let entry = &manifest.segments[index];
    let name = segment_name(entry.first_sequence);
    let file = match disk.open(&name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && plant.missing_segment_is_end => {
            return Ok(None);
        }
        Err(error) => return Err(absent(&name, error)),
    };
    let (bytes, fault) = read_prefix(&file, &name, SEGMENT_BYTES_MAX)?;
    match fault {
        Some(_) if plant.eio_is_end_of_log => {}
        Some(fault) => return Err(fault.into()),
        None => {}
    }
    check_chain(manifest, entry, at)?;
    let is_last = index + 1 == manifest.segments.len();
    let header = check_header(&name, &bytes, manifest, entry, is_last, at, plant)?;
    let image = image(&bytes, &header, plant);
    let mut end = header.sector as usize;
    let proven_frame = match entry.sealed {
        Some(_) => u64::MAX,
        None => manifest.floor.frame.max(header.durable_upto),
    };
    let stop = image.walk(end, at, &mut |visited: &Visited<'_>| {
        check_frame(&name, manifest, visited)?;
        end = visited.end;
        visit(&visited.frame, visited.header.number <= proven_frame)
    })?;
    if let Stop::Format { found, .. } = stop {
        return Err(OpenError::Format {
            file: name,
            found,
            supported: FORMAT,
        });
    }
    check_sealed(&name, entry, &stop, at)?;
    Ok(Some(Checked {
        name,
        header,
        stop,
        end,
        bytes,
    }))
}

fn check_chain(manifest: &Manifest, entry: &SegmentEntry, at: &Position) -> Result<(), OpenError> {
    let follows = at.frame.checked_add(1) == Some(entry.first_frame)
        && at.sequence.checked_add(1) == Some(entry.first_sequence)
        && at.hash == entry.previous_hash;
    if follows {
        return Ok(());
    }
    let reason = String::from("the manifest names a segment that does not follow the one before");
    Err(damage(
        MANIFEST,
        0,
        at,
        Some(manifest.floor.sequence),
        reason,
    ))
}

fn check_header(
    name: &str,
    bytes: &[u8],
    manifest: &Manifest,
    entry: &SegmentEntry,
    is_last: bool,
    at: &Position,
    plant: Plant,
) -> Result<SegmentHeader, OpenError> {
    // Whatever the manifest names had its header durable before.
    let refuse = |reason: &str| {
        Err(damage(
            name,
            0,
            at,
            entry.sealed.map(|mark| mark.sequence),
            reason.to_owned(),
        ))
    };
    let header = match SegmentHeader::decode(bytes) {
        Ok(header) => header,
        Err(SegmentHeaderFault::Broken(reason)) => return refuse(reason),
        Err(SegmentHeaderFault::Format(found)) => {
            let found = format!("a segment header of format {found}");
            return Err(OpenError::Format {
                file: name.to_owned(),
                found,
                supported: FORMAT,
            });
        }
    };
    // Between the rename of a rewritten tail and the new manifest, the file is newer than the manifest.
    let is_its_rewrite = is_last && header.rewritten && header.replaces == entry.salt;
    let is_named = header.log_id == manifest.log_id
        && header.first_sequence == entry.first_sequence
        && header.first_frame == entry.first_frame
        && header.previous_hash == entry.previous_hash
        && (header.salt == entry.salt || is_its_rewrite);
    if !is_named {
        return refuse("the segment is not the one that the manifest names");
    }
    if header.incarnation > manifest.incarnation {
        return refuse("the segment is newer than the manifest");
    }
    if (bytes.len() as u64) < header.bytes_min && !plant.eio_is_end_of_log {
        return refuse("the file is shorter than it was when it was made");
    }
    Ok(header)
}

fn check_frame(name: &str, manifest: &Manifest, visited: &Visited<'_>) -> Result<(), OpenError> {
    let refuse = |reason: &str| {
        let header = &visited.header;
        Err(OpenError::Damage {
            file: name.to_owned(),
            offset: visited.offset as u64,
            frame: header.number,
            sequences: Sequences {
                first: header.first_sequence,
                last: header.last_sequence(),
            },
            reason: reason.to_owned(),
            advice: ADVICE.to_owned(),
        })
    };
    if visited.header.incarnation > manifest.incarnation {
        return refuse("the frame is newer than the manifest");
    }
    if visited.header.number == manifest.floor.frame && visited.frame.hash != manifest.floor.hash {
        return refuse("the frame is not the one that the manifest knows to be durable");
    }
    Ok(())
}

fn check_sealed(
    name: &str,
    entry: &SegmentEntry,
    stop: &Stop,
    at: &Position,
) -> Result<(), OpenError> {
    let Some(mark) = entry.sealed else {
        return Ok(());
    };
    let (offset, reason) = match stop {
        Stop::End { offset } => (*offset, "nothing but zeros"),
        Stop::Broken { offset, reason, .. } => (*offset, *reason),
        Stop::Format { offset, .. } => (*offset, "an unknown format"),
    };
    let is_whole = at.frame == mark.frame && at.sequence == mark.sequence && at.hash == mark.hash;
    if is_whole && matches!(stop, Stop::End { .. }) {
        return Ok(());
    }
    let reason = format!(
        "{reason}; the manifest says that this segment was sealed after frame {}",
        mark.frame
    );
    Err(damage(name, offset, at, Some(mark.sequence), reason))
}
