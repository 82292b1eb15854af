//! Trimming: the oldest segments leave the log.
//! Owns: which segments may go, and the order of manifest, files and directory.
//! Never: touches the open segment, or removes a file that the durable manifest names.

use super::flush::FileFlusher;
use crate::api::{LogStats, SEGMENTS_TRIMMED_MAX, Trim, Trimmed};
use crate::disk::Disk;
use crate::fault::Stopped;
use crate::frame::{FRAME_HEADER_BYTES, Header};
use crate::manifest::{self, SegmentEntry};
use crate::recovery::{read_start, remove_files};
use crate::segment::{SegmentHeader, segment_name};

/// The largest sector, for the segment's header, and the header of its first frame.
const START_BYTES: u64 = (64 << 10) + FRAME_HEADER_BYTES as u64;

impl<D: Disk> FileFlusher<D> {
    /// Counters, and what the log consists of.
    pub(super) fn extent(&self) -> LogStats {
        let start = &self.start;
        LogStats {
            segments: start.manifest.segments.len() as u64,
            bytes_kept: start.sealed_bytes.iter().sum::<u64>() + start.tail.bytes(),
            oldest_sequence: start.manifest.oldest_sequence(),
            head_frame: start.at.frame,
            head_hash: start.at.hash,
            ..self.stats.clone()
        }
    }

    /// See `Flush::trim`.
    pub(super) fn trim_segments(&mut self, rule: &Trim) -> Result<Trimmed, Stopped> {
        let count = self.count_trimmable(rule);
        let mut bytes = 0;
        if count > 0 {
            self.check_fence()?;
            let start = &mut self.start;
            let gone = start.manifest.segments.drain(..count);
            start.garbage.extend(gone.map(|entry| entry.first_sequence));
            manifest::replace(&start.disk, &start.manifest)?;
            bytes = start.sealed_bytes.drain(..count).sum();
        }
        let start = &mut self.start;
        start.garbage = remove_files(&start.disk, std::mem::take(&mut start.garbage));
        self.stats.trim_failures += start.garbage.len() as u64;
        Ok(Trimmed {
            segments: count as u32,
            bytes,
            oldest_sequence: start.manifest.oldest_sequence(),
        })
    }

    /// How many of the oldest segments may go.
    fn count_trimmable(&self, rule: &Trim) -> usize {
        let segments = &self.start.manifest.segments;
        let mut bytes_left = self.extent().bytes_kept;
        let mut count = 0;
        while count < SEGMENTS_TRIMMED_MAX as usize
            && let (Some(first), Some(second)) = (segments.get(count), segments.get(count + 1))
            && let Some(bytes) = self.start.sealed_bytes.get(count)
            && first
                .sealed
                .is_some_and(|mark| mark.sequence <= rule.through_sequence)
        {
            bytes_left -= bytes;
            if bytes_left < rule.bytes_kept && !self.begins_before(second, rule.older_than_wall_ms)
            {
                break;
            }
            count += 1;
        }
        count
    }

    /// Whether the first frame of a segment, and with it all of the segment before, was recorded before `wall_ms`. One
    /// whose start cannot be read counts as new.
    fn begins_before(&self, entry: &SegmentEntry, wall_ms: u64) -> bool {
        self.first_wall_ms(entry)
            .is_some_and(|first_wall_ms| first_wall_ms < wall_ms)
    }

    fn first_wall_ms(&self, entry: &SegmentEntry) -> Option<u64> {
        let start = &self.start;
        let name = segment_name(entry.first_sequence);
        let file = start.disk.open(&name).ok()?;
        let bytes = read_start(&file, &name, START_BYTES).ok()?;
        let header = SegmentHeader::decode(&bytes).ok()?;
        let frame = bytes.get(header.sector as usize..)?;
        let plant = start.options.plant;
        let first = Header::decode(frame, start.identity.log_id, entry.salt, plant).ok()?;
        Some(first.wall_ms)
    }
}
