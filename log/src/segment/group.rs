//! Writing a group: frames back to back, padded to a whole sector, in one vectored write.
//! Owns: frame alignment, padding, and the rule for short writes.
//! Never: syncs.

use std::io;

use crate::disk::DiskFile;
use crate::frame::FRAME_HEADER_BYTES;
use crate::options::Plant;

/// Frames in a group start at multiples of this.
pub(crate) const FRAME_ALIGN: u64 = 8;
/// Largest sector, hence the most padding.
static ZEROS: [u8; 65536] = [0; 65536];

/// The next multiple of `align`, a power of two.
pub(crate) fn align_up(offset: u64, align: u64) -> u64 {
    (offset + align - 1) & !(align - 1)
}

/// Bytes that a frame with this body takes in a group.
pub(crate) fn frame_span(body_bytes: usize) -> u64 {
    align_up((FRAME_HEADER_BYTES + body_bytes) as u64, FRAME_ALIGN)
}

/// Writes frames as one group at `offset`, which must be the start of a sector; returns the bytes written, padding
/// included.
pub(crate) fn write_group<F: DiskFile>(
    file: &F,
    offset: u64,
    sector: u32,
    frames: &[([u8; FRAME_HEADER_BYTES], &[u8])],
    plant: Plant,
) -> io::Result<u64> {
    let mut parts = Vec::with_capacity(frames.len() * 3 + 1);
    let mut bytes = 0;
    for (header, body) in frames {
        let span = frame_span(body.len());
        let padding = span as usize - FRAME_HEADER_BYTES - body.len();
        parts.push(io::IoSlice::new(header));
        if !body.is_empty() {
            parts.push(io::IoSlice::new(body));
        }
        if padding > 0 {
            parts.push(io::IoSlice::new(&ZEROS[..padding]));
        }
        bytes += span;
    }
    let total = align_up(bytes, u64::from(sector));
    if total > bytes {
        parts.push(io::IoSlice::new(&ZEROS[..(total - bytes) as usize]));
    }
    match write_fully(file, offset, &mut parts) {
        Err(_) if plant.continue_after_short_write => Ok(total),
        Err(error) => Err(error),
        Ok(()) => Ok(total),
    }
}

/// Writes all parts. A short write without an error is continued; after an error nothing more is written.
pub(crate) fn write_fully<F: DiskFile>(
    file: &F,
    mut offset: u64,
    mut parts: &mut [io::IoSlice<'_>],
) -> io::Result<()> {
    // Empty slices in front would make a write of nothing look like a full disk.
    io::IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match file.write_at(offset, parts) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero)),
            Ok(count) => {
                let left: usize = parts.iter().map(|part| part.len()).sum();
                if count > left {
                    return Err(io::Error::other(
                        "the disk claims to have written more than it was given",
                    ));
                }
                offset += count as u64;
                io::IoSlice::advance_slices(&mut parts, count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
