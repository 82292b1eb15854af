//! The open segment: where the next group goes.
//! Owns: the write offset, and how a segment gets its header and its name.
//! Never: decides when to roll.

use std::io;

use crate::disk::{Disk, DiskFile};
use crate::fault::Fault;
use crate::frame::FRAME_HEADER_BYTES;
use crate::identity::Salt;
use crate::options::Plant;
use crate::segment::{LOG_DIR, SegmentHeader, align_up, segment_name, write_fully, write_group};

/// The open segment.
pub(crate) struct Tail<F> {
    parts: TailParts<F>,
}

/// What a tail is made of.
pub(crate) struct TailParts<F> {
    pub(crate) name: String,
    pub(crate) file: F,
    pub(crate) bytes: u64,
    pub(crate) offset: u64,
    pub(crate) sector: u32,
    pub(crate) salt: Salt,
    pub(crate) first_sequence: u64,
}

impl<F: DiskFile> Tail<F> {
    pub(crate) fn new(parts: TailParts<F>) -> Tail<F> {
        Tail { parts }
    }

    pub(crate) fn salt(&self) -> Salt {
        self.parts.salt
    }

    /// Length of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.bytes
    }

    pub(crate) fn first_sequence(&self) -> u64 {
        self.parts.first_sequence
    }

    /// The offset of the next group, and the file.
    pub(crate) fn into_file(self) -> (u64, F) {
        (self.parts.offset, self.parts.file)
    }

    /// Whether a group of so many bytes fits into the space that is allocated.
    pub(crate) fn fits(&self, bytes: u64) -> bool {
        self.parts
            .offset
            .saturating_add(align_up(bytes, u64::from(self.parts.sector)))
            <= self.parts.bytes
    }

    /// Takes no more than a segment holds: a tail that grew a little with each start would never be closed.
    pub(crate) fn limit(&mut self, segment_bytes: u64) {
        self.parts.bytes = self.parts.bytes.min(segment_bytes).max(self.parts.offset);
    }

    /// Whether more than half of the segment is used.
    pub(crate) fn is_half_used(&self) -> bool {
        self.parts.offset > self.parts.bytes / 2
    }

    /// Writes frames as one group in fresh sectors; returns the bytes written. Not yet durable.
    pub(crate) fn write(
        &mut self,
        frames: &[([u8; FRAME_HEADER_BYTES], &[u8])],
        bytes: u64,
        plant: Plant,
    ) -> Result<u64, Fault> {
        let parts = &mut self.parts;
        if parts
            .offset
            .saturating_add(align_up(bytes, u64::from(parts.sector)))
            > parts.bytes
        {
            let needed = parts.offset + align_up(bytes, u64::from(parts.sector));
            parts
                .file
                .allocate(needed)
                .map_err(Fault::at("allocate", &parts.name))?;
            parts.bytes = needed;
        }
        let written = write_group(&parts.file, parts.offset, parts.sector, frames, plant)
            .map_err(Fault::at("write", &parts.name))?;
        parts.offset += written;
        Ok(written)
    }

    pub(crate) fn sync(&self) -> Result<(), Fault> {
        self.parts
            .file
            .sync_data()
            .map_err(Fault::at("sync", &self.parts.name))
    }
}

/// Turns a prepared file into a segment: header, sync, name, directory sync. Until a manifest names it, nothing in it
/// counts. The next group goes to `offset`; `bytes_min` of the header is filled in here.
pub(crate) fn install<D: Disk>(
    disk: &D,
    (spare, file): (String, D::File),
    offset: u64,
    mut header: SegmentHeader,
    plant: Plant,
) -> Result<Tail<D::File>, Fault> {
    let name = segment_name(header.first_sequence);
    let bytes = file.len().map_err(Fault::at("measure", &spare))?;
    header.bytes_min = bytes;
    let block = header.encode();
    write_fully(&file, 0, &mut [io::IoSlice::new(&block)]).map_err(Fault::at("write", &spare))?;
    if !plant.rename_before_content_sync {
        file.sync_all().map_err(Fault::at("sync", &spare))?;
    }
    disk.rename(&spare, &name)
        .map_err(Fault::at("rename", &spare))?;
    if !plant.skip_dir_sync_on_segment_create {
        disk.sync_dir(LOG_DIR).map_err(Fault::at("sync", LOG_DIR))?;
    }
    if plant.rename_before_content_sync {
        file.sync_all().map_err(Fault::at("sync", &name))?;
    }
    Ok(Tail::new(TailParts {
        name,
        file,
        bytes,
        offset,
        sector: header.sector,
        salt: header.salt,
        first_sequence: header.first_sequence,
    }))
}
