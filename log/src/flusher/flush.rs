//! Group commit: one write and one sync for whatever is queued.
//! Owns: the order of write, sync, manifest and acknowledgement.
//! Never: retries a sync, or reports anything durable after a fault.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::spare::Spares;
use super::tail::{Tail, install};
use crate::api::{Draft, Durable, Flush, Flushed, LogStats, Trim, Trimmed};
use crate::disk::{Disk, DiskFile};
use crate::fault::{Fault, Stopped};
use crate::frame::{FRAME_HEADER_BYTES, Flags, Header, body_crc, chain_hash};
use crate::identity::{Identity, RandomStream};
use crate::manifest::{self, MANIFEST, Manifest, Mark};
use crate::options::Options;
use crate::queue::{Pending, Shared};
use crate::segment::{Position, SegmentHeader, align_up, frame_span};

/// The flusher's side of a log in files on a disk `D`; made by [`crate::open`]. Holds the directory's lock.
pub struct FileFlusher<D: Disk> {
    pub(super) start: Start<D>,
    pub(super) stats: LogStats,
    groups_since_skip: u32,
}

/// What recovery hands over.
pub(crate) struct Start<D: Disk> {
    pub(crate) disk: D,
    /// Held until the flusher is dropped.
    pub(crate) _lock: D::Lock,
    pub(crate) options: Options,
    pub(crate) sector: u32,
    pub(crate) identity: Identity,
    pub(crate) manifest: Manifest,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tail: Tail<D::File>,
    pub(crate) spares: Spares<D::File>,
    pub(crate) random: RandomStream,
    /// After the last frame written.
    pub(crate) at: Position,
    /// Lengths of the segments before the open one, in order.
    pub(crate) sealed_bytes: Vec<u64>,
    /// Trimmed segments whose files could not be removed yet.
    pub(crate) garbage: Vec<u64>,
}

impl<D: Disk> std::fmt::Debug for FileFlusher<D> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FileFlusher")
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl<D: Disk> FileFlusher<D> {
    pub(crate) fn new(start: Start<D>) -> Self {
        FileFlusher {
            start,
            stats: LogStats::default(),
            groups_since_skip: 0,
        }
    }

    /// Builds the header of the next frame and moves the position over it.
    fn next_header(
        &mut self,
        number: u64,
        draft: &Draft,
        flags: Flags,
    ) -> [u8; FRAME_HEADER_BYTES] {
        let start = &mut self.start;
        let header = Header {
            flags,
            key_id: 0,
            rules_version: draft.rules_version,
            log_id: start.identity.log_id,
            salt: start.tail.salt(),
            incarnation: start.identity.incarnation,
            number,
            durable_upto: start.shared.durable().frame,
            first_sequence: draft.first_sequence,
            wall_ms: draft.wall_ms,
            steady_ms: draft.steady_ms,
            id_seed: draft.id_seed,
            event_count: draft.event_count,
            command_count: draft.command_count,
            previous_hash: start.at.hash,
            body_bytes: draft.body.len() as u32,
            body_crc: body_crc(&draft.body, start.options.plant),
        };
        let at = &mut start.at;
        at.hash = chain_hash(&header, &draft.body);
        at.frame = number;
        at.sequence += u64::from(draft.event_count);
        at.wall_ms = draft.wall_ms;
        at.steady_ms = draft.steady_ms;
        at.rules_version = draft.rules_version;
        at.sealed = flags.has(Flags::SEAL);
        at.clean = flags.has(Flags::CLEAN);
        header.encode()
    }

    /// Writes and syncs one group; everything in it is durable when this returns a value.
    fn commit(&mut self, batch: &[Pending], flags: Flags) -> Result<Flushed, Stopped> {
        let bytes = batch
            .iter()
            .map(|pending| frame_span(pending.draft.body.len()))
            .sum();
        if !flags.has(Flags::SEAL) && !self.start.tail.fits(bytes) && self.may_roll() {
            self.roll(bytes)?;
        }
        let mut frames = Vec::with_capacity(batch.len());
        for Pending { number, draft } in batch {
            frames.push((
                self.next_header(*number, draft, flags),
                draft.body.as_slice(),
            ));
        }
        let written = self
            .start
            .tail
            .write(&frames, bytes, self.start.options.plant)?;
        let durable = Durable {
            frame: self.start.at.frame,
            sequence: self.start.at.sequence,
        };
        if self.start.options.plant.ack_before_sync {
            self.start.shared.set_durable(durable);
        }
        self.sync()?;
        self.start.shared.set_durable(durable);
        self.stats.frames += frames.len() as u64;
        self.stats.bytes_written += written;
        match flags.has(Flags::SEAL) {
            true => self.stats.seals += 1,
            false => self.stats.groups += 1,
        }
        Ok(Flushed {
            durable,
            frames: frames.len() as u32,
            bytes: written,
            synced: true,
        })
    }

    fn sync(&mut self) -> Result<(), Fault> {
        let plant = self.start.options.plant;
        self.groups_since_skip += 1;
        if plant.skip_sync_every_n > 0 && self.groups_since_skip >= plant.skip_sync_every_n {
            self.groups_since_skip = 0;
            return Ok(());
        }
        let begun = Instant::now();
        let mut result = match plant.sync_wrong_file {
            false => self.start.tail.sync(),
            true => self.sync_manifest(),
        };
        if result.is_err() && plant.retry_failed_sync {
            result = self.start.tail.sync();
        }
        if !plant.ignore_sync_error {
            result?;
        }
        self.stats
            .observe_sync(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// A planted bug: syncs, but not what was written.
    fn sync_manifest(&self) -> Result<(), Fault> {
        let manifest = self.start.disk.open(MANIFEST);
        manifest
            .and_then(|file| file.sync_data())
            .map_err(Fault::at("sync", MANIFEST))
    }

    /// A segment is named after its first event, so one without events cannot be followed by another: it grows.
    fn may_roll(&self) -> bool {
        self.start.at.sequence >= self.start.tail.first_sequence()
    }

    /// Begins a new segment with room for a group of `bytes`. All frames of the old one are durable.
    fn roll(&mut self, bytes: u64) -> Result<(), Stopped> {
        self.check_fence()?;
        let start = &mut self.start;
        let sector = u64::from(start.sector);
        // Room for the group and for the seals that may follow it.
        let needed = sector + align_up(bytes, sector) + 4 * sector;
        let spare = start
            .spares
            .take(&start.disk, start.options.segment_bytes.max(needed))?;
        let at = Mark {
            frame: start.at.frame,
            sequence: start.at.sequence,
            hash: start.at.hash,
        };
        let header = SegmentHeader {
            rewritten: false,
            sector: start.sector,
            log_id: start.identity.log_id,
            salt: start.random.salt(),
            replaces: crate::identity::Salt(0),
            incarnation: start.identity.incarnation,
            first_sequence: at.sequence + 1,
            first_frame: at.frame + 1,
            durable_upto: at.frame,
            previous_hash: at.hash,
            bytes_min: 0,
        };
        let entry = header.entry();
        let tail = install(&start.disk, spare, sector, header, start.options.plant)?;
        if let Some(last) = start.manifest.segments.last_mut() {
            last.sealed = Some(at);
        }
        start.manifest.segments.push(entry);
        start.manifest.floor = at;
        manifest::replace(&start.disk, &start.manifest)?;
        start.sealed_bytes.push(start.tail.bytes());
        start.tail = tail;
        self.stats.rolls += 1;
        Ok(())
    }

    /// Before the manifest is replaced: it must still be the one this process wrote.
    pub(super) fn check_fence(&self) -> Result<(), Stopped> {
        let fenced = |reason: String| Err(Stopped::Fenced { reason });
        match manifest::load(&self.start.disk) {
            Ok(Some(found)) if found == self.start.manifest => Ok(()),
            Ok(Some(found)) => fenced(format!(
                "the manifest is of incarnation {}",
                found.incarnation
            )),
            Ok(None) => fenced(String::from("the manifest is gone")),
            Err(error) => fenced(error.to_string()),
        }
    }

    fn prepare_spare(&mut self) {
        let start = &mut self.start;
        if start.spares.are_wanted()
            && start
                .spares
                .prepare(&start.disk, start.options.segment_bytes)
                .is_err()
        {
            self.stats.spare_failures += 1;
        }
    }

    fn seal_frame(&self, number: u64) -> Pending {
        let at = &self.start.at;
        let draft = Draft {
            first_sequence: at.sequence + 1,
            wall_ms: at.wall_ms,
            steady_ms: at.steady_ms,
            rules_version: at.rules_version,
            ..Draft::default()
        };
        Pending { number, draft }
    }

    fn idle(&self) -> Flushed {
        Flushed {
            durable: self.start.shared.durable(),
            ..Flushed::default()
        }
    }

    /// The clean seal and the clean mark.
    fn finish(&mut self, number: u64) -> Result<(), Stopped> {
        let seal = self.seal_frame(number);
        self.commit(&[seal], Flags::SEAL.with(Flags::CLEAN))?;
        self.check_fence()?;
        let start = &mut self.start;
        start.manifest.floor = Mark {
            frame: start.at.frame,
            sequence: start.at.sequence,
            hash: start.at.hash,
        };
        start.manifest.clean = true;
        Ok(manifest::replace(&start.disk, &start.manifest)?)
    }
}

impl<D: Disk> Flush for FileFlusher<D> {
    fn flush(&mut self) -> Result<Flushed, Stopped> {
        let batch = self.start.shared.take(self.start.options.group_bytes_max)?;
        if batch.is_empty() {
            return Ok(self.idle());
        }
        let flushed = self
            .commit(&batch, Flags::default())
            .map_err(|cause| self.start.shared.stop(cause))?;
        self.start.shared.settle(batch);
        // Under constant load nothing is ever idle: prepare while there is still room in this segment.
        if self.start.tail.is_half_used() {
            self.prepare_spare();
        }
        Ok(flushed)
    }

    fn seal(&mut self) -> Result<Flushed, Stopped> {
        if self.start.at.sealed {
            if let Some(stopped) = self.start.shared.stopped() {
                return Err(stopped);
            }
            if self.start.shared.queued().frames == 0 {
                self.prepare_spare();
            }
            return Ok(self.idle());
        }
        let Some(number) = self.start.shared.number_of_seal()? else {
            return Ok(self.idle());
        };
        let seal = self.seal_frame(number);
        self.commit(&[seal], Flags::SEAL)
            .map_err(|cause| self.start.shared.stop(cause))
    }

    fn trim(&mut self, rule: &Trim) -> Result<Trimmed, Stopped> {
        if let Some(stopped) = self.start.shared.stopped() {
            return Err(stopped);
        }
        self.trim_segments(rule)
            .map_err(|cause| self.start.shared.stop(cause))
    }

    fn close(&mut self) -> Result<(), Stopped> {
        loop {
            match self.start.shared.close_if_idle() {
                Ok(Some(number)) => {
                    return self
                        .finish(number)
                        .map_err(|cause| self.start.shared.stop_closing(cause));
                }
                Ok(None) => {
                    self.flush()?;
                }
                Err(Stopped::Closed) => return Ok(()),
                Err(stopped) => return Err(stopped),
            }
        }
    }

    fn wait(&self, timeout: Duration) -> bool {
        self.start.shared.wait(timeout)
    }

    fn stats(&self) -> LogStats {
        self.extent()
    }
}
