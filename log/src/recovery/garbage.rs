//! Files of segments that were trimmed: the manifest has given them up, a crash has left them.
//! Owns: what counts as such a file, and its removal.
//! Never: removes anything before a manifest without it is durable, or what is not certainly a segment of this log.

use std::io;

use super::read::read_start;
use super::survey::segment_names;
use crate::disk::Disk;
use crate::fault::Fault;
use crate::manifest::Manifest;
use crate::segment::{LOG_DIR, SegmentHeader, segment_name};

/// Most bytes of a segment's first sector.
const HEADER_BYTES_MAX: u64 = 64 << 10;

/// Removes the segments of this log that lie before the first one that `manifest`, which is durable, names. Gives those
/// that could not be removed: they cost room and nothing else.
pub(super) fn remove_garbage<D: Disk>(disk: &D, manifest: &Manifest) -> Result<Vec<u64>, Fault> {
    let Some(first) = manifest.segments.first() else {
        return Ok(Vec::new());
    };
    let garbage = segment_names(disk)?
        .into_iter()
        .filter(|&name| name < first.first_sequence && is_ours(disk, manifest, name))
        .collect();
    Ok(remove_files(disk, garbage))
}

fn is_ours<D: Disk>(disk: &D, manifest: &Manifest, first_sequence: u64) -> bool {
    let name = segment_name(first_sequence);
    // What cannot be read is not certainly ours: it stays.
    let Ok(file) = disk.open(&name) else {
        return false;
    };
    let Ok(bytes) = read_start(&file, &name, HEADER_BYTES_MAX) else {
        return false;
    };
    SegmentHeader::decode(&bytes).is_ok_and(|header| {
        header.log_id == manifest.log_id && header.first_sequence == first_sequence
    })
}

/// Removes the files of segments; gives those that are still there, or may be after a power cut.
pub(crate) fn remove_files<D: Disk>(disk: &D, segments: Vec<u64>) -> Vec<u64> {
    if segments.is_empty() {
        return segments;
    }
    let is_left = |first: &u64| {
        let removed = disk.remove(&segment_name(*first));
        removed.is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
    };
    let left = segments.into_iter().filter(is_left).collect();
    // If this fails, a power cut may bring the names back; the next open removes them.
    let _ = disk.sync_dir(LOG_DIR);
    left
}
