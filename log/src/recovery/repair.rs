//! Making a surveyed log ready for appending.
//! Owns: quarantine of a torn tail and the rewrite of the open segment; every step may be cut off by a crash.
//! Never: changes bytes in place, or removes anything but its own temporary files.

use std::io;

use super::check::Checked;
use super::garbage::remove_garbage;
use super::open::Cut;
use super::survey::{Judged, Survey};
use crate::disk::{Disk, DiskFile};
use crate::fault::{Fault, OpenError};
use crate::flusher::{Spares, Tail, TailParts, install};
use crate::frame::{FRAME_HEADER_BYTES, Flags, Header, body_crc, chain_hash};
use crate::identity::{RandomStream, Salt};
use crate::manifest::{self, Manifest, Mark};
use crate::options::Options;
use crate::segment::{
    LOG_DIR, Position, QUARANTINE_DIR, SegmentHeader, TAIL_TEMPORARY, Visited, align_up,
    frame_span, is_spare, segment_name, write_fully,
};

/// Frames of a rewrite go out in writes of about this size.
const REWRITE_BYTES: u64 = 1 << 20;
const QUARANTINE_NAMES_MAX: u32 = 1000;

/// The log after repair.
pub(crate) struct Repaired<F> {
    pub(crate) at: Position,
    pub(crate) tail: Tail<F>,
    pub(crate) cut: Option<Cut>,
    /// Lengths of the segments before the open one, in order.
    pub(crate) sealed_bytes: Vec<u64>,
    /// Trimmed segments whose files could not be removed.
    pub(crate) garbage: Vec<u64>,
}

/// Brings a surveyed log into its next life. `manifest` is already that of the new incarnation, and durable.
pub(crate) fn repair<D: Disk>(
    disk: &D,
    options: &Options,
    sector: u32,
    manifest: &mut Manifest,
    survey: Survey,
    random: &mut RandomStream,
    spares: &mut Spares<D::File>,
) -> Result<Repaired<D::File>, OpenError> {
    let garbage = remove_garbage(disk, manifest)?;
    let (mut at, sealed_bytes) = (survey.at, survey.sealed_bytes);
    let Some((checked, judged)) = survey.tail else {
        let tail = begin(disk, options, sector, manifest, random, spares)?;
        return Ok(Repaired {
            at,
            tail,
            cut: None,
            sealed_bytes,
            garbage,
        });
    };
    let cut = match judged {
        Judged::Torn { offset } => Some(quarantine(disk, manifest, &checked, offset)?),
        Judged::End => None,
    };
    if options.plant.serve_before_tail_rewrite {
        let tail = go_on_in(disk, &checked)?;
        return Ok(Repaired {
            at,
            tail,
            cut,
            sealed_bytes,
            garbage,
        });
    }
    let rewrite = Rewrite {
        disk,
        options,
        sector,
        manifest,
        checked: &checked,
        salt: random.salt(),
    };
    let tail = rewrite
        .run(&mut at)
        .inspect_err(|error| give_room_back(disk, cut.as_ref(), error))?;
    if let Some(entry) = manifest.segments.last_mut() {
        entry.salt = tail.salt();
    }
    manifest.floor = Mark {
        frame: at.frame,
        sequence: at.sequence,
        hash: at.hash,
    };
    manifest::replace(disk, manifest)?;
    Ok(Repaired {
        at,
        tail,
        cut,
        sealed_bytes,
        garbage,
    })
}

/// Removes the copy of what is cut off if there was no room for the new tail. It is certainly still in the old one, and
/// the next open copies it again: starts that fail for want of space must not take more of it each time.
fn give_room_back<D: Disk>(disk: &D, cut: Option<&Cut>, error: &OpenError) {
    if let (Some(cut), OpenError::Io { file, .. }) = (cut, error)
        && file == TAIL_TEMPORARY
        && error.is_full()
    {
        // Best effort: a copy too many costs only room.
        let _ = disk.remove(&cut.quarantine);
    }
}

/// Removes what an earlier life prepared and no manifest ever named.
pub(super) fn sweep<D: Disk>(disk: &D) -> Result<(), Fault> {
    let names = disk.list(LOG_DIR).map_err(Fault::at("list", LOG_DIR))?;
    for name in names {
        let is_temporary = is_spare(&name);
        let name = format!("{LOG_DIR}/{name}");
        if !is_temporary && name != TAIL_TEMPORARY {
            continue;
        }
        disk.remove(&name).map_err(Fault::at("remove", &name))?;
    }
    Ok(())
}

/// The first segment of a log.
fn begin<D: Disk>(
    disk: &D,
    options: &Options,
    sector: u32,
    manifest: &mut Manifest,
    random: &mut RandomStream,
    spares: &mut Spares<D::File>,
) -> Result<Tail<D::File>, Fault> {
    let start = manifest.start();
    let header = SegmentHeader {
        rewritten: false,
        sector,
        log_id: manifest.log_id,
        salt: random.salt(),
        replaces: Salt(0),
        incarnation: manifest.incarnation,
        first_sequence: start.sequence + 1,
        first_frame: start.frame + 1,
        durable_upto: 0,
        previous_hash: start.hash,
        bytes_min: 0,
    };
    let entry = header.entry();
    let spare = spares.take(disk, options.segment_bytes.max(u64::from(sector) * 4))?;
    let tail = install(disk, spare, u64::from(sector), header, options.plant)?;
    manifest.segments = vec![entry];
    manifest::replace(disk, manifest)?;
    Ok(tail)
}

/// Copies what is cut off, before the file that holds it is replaced.
fn quarantine<D: Disk>(
    disk: &D,
    manifest: &Manifest,
    checked: &Checked,
    offset: usize,
) -> Result<Cut, Fault> {
    let after = checked.bytes.get(offset..).unwrap_or_default();
    let length = after
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    disk.create_dir(QUARANTINE_DIR)
        .map_err(Fault::at("create", QUARANTINE_DIR))?;
    let first = checked.header.first_sequence;
    let stem = format!(
        "{QUARANTINE_DIR}/{first:020}-at-{offset}-life-{}",
        manifest.incarnation
    );
    let name = keep(disk, &stem, &after[..length])?;
    Ok(Cut {
        file: checked.name.clone(),
        offset: offset as u64,
        bytes: length as u64,
        quarantine: name,
    })
}

/// Writes what is cut off into a new file, durable under its name.
fn keep<D: Disk>(disk: &D, stem: &str, after: &[u8]) -> Result<String, Fault> {
    let (name, file) = new_name(disk, stem)?;
    let write = || {
        write_fully(&file, 0, &mut [io::IoSlice::new(after)]).map_err(Fault::at("write", &name))?;
        file.sync_all().map_err(Fault::at("sync", &name))?;
        disk.sync_dir(QUARANTINE_DIR)
            .map_err(Fault::at("sync", QUARANTINE_DIR))?;
        disk.sync_dir("")
            .map_err(Fault::at("sync", "the data directory"))
    };
    if let Err(fault) = write() {
        // Half a copy is no copy, and a full disk needs the room. The next open makes it anew.
        let _ = disk.remove(&name);
        return Err(fault);
    }
    Ok(name)
}

/// A file that nothing had before: what an earlier recovery put aside stays.
fn new_name<D: Disk>(disk: &D, stem: &str) -> Result<(String, D::File), Fault> {
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for number in 0..QUARANTINE_NAMES_MAX {
        let name = if number == 0 {
            format!("{stem}.cut")
        } else {
            format!("{stem}-{number}.cut")
        };
        match disk.create(&name) {
            Ok(file) => return Ok((name, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(Fault::at("create", &name)(error)),
        }
    }
    Err(Fault::at("create", stem)(last))
}

/// Planted bug: appends behind what may be only in the page cache.
fn go_on_in<D: Disk>(disk: &D, checked: &Checked) -> Result<Tail<D::File>, Fault> {
    let header = &checked.header;
    let file = disk
        .open(&checked.name)
        .map_err(Fault::at("open", &checked.name))?;
    Ok(Tail::new(TailParts {
        name: segment_name(header.first_sequence),
        file,
        bytes: checked.bytes.len() as u64,
        offset: align_up(checked.end as u64, u64::from(header.sector)),
        sector: header.sector,
        salt: header.salt,
        first_sequence: header.first_sequence,
    }))
}

/// The copy of an open segment into a new file.
struct Rewrite<'a, D: Disk> {
    disk: &'a D,
    options: &'a Options,
    sector: u32,
    manifest: &'a Manifest,
    checked: &'a Checked,
    salt: Salt,
}

type Encoded<'a> = ([u8; FRAME_HEADER_BYTES], &'a [u8]);

impl<D: Disk> Rewrite<'_, D> {
    /// Writes, syncs and renames the copy. It ends with a seal, and everything in it says that all of it is durable:
    /// it gets its name only after that is true.
    fn run(&self, at: &mut Position) -> Result<Tail<D::File>, OpenError> {
        let old = &self.checked.header;
        let last = if at.sealed { at.frame } else { at.frame + 1 };
        let mut tail = self.temporary()?;
        let mut group: Vec<Encoded<'_>> = Vec::new();
        let mut bytes = 0;
        let mut walked = Position::before(old.first_frame, old.first_sequence, old.previous_hash);
        let image = self.checked.image(self.options.plant);
        image.walk(
            old.sector as usize,
            &mut walked,
            &mut |visited: &Visited<'_>| {
                // The last seal has a sector of its own.
                if bytes >= REWRITE_BYTES || visited.header.number == last {
                    self.write(&mut tail, &mut group, &mut bytes)?;
                }
                bytes += frame_span(visited.frame.body.len());
                let header = Header {
                    flags: visited.header.flags.with(Flags::REWRITTEN),
                    salt: self.salt,
                    durable_upto: last,
                    ..visited.header.clone()
                };
                group.push((header.encode(), visited.frame.body));
                Ok::<(), Fault>(())
            },
        )?;
        self.write(&mut tail, &mut group, &mut bytes)?;
        if !at.sealed {
            let header = self.seal(at, last);
            group.push((header.encode(), &[]));
            bytes = frame_span(0);
            self.write(&mut tail, &mut group, &mut bytes)?;
            at.hash = chain_hash(&header, &[]);
            at.frame = last;
            at.incarnation = self.manifest.incarnation;
            at.sealed = true;
            at.clean = false;
        }
        let (offset, file) = tail.into_file();
        let named = (String::from(TAIL_TEMPORARY), file);
        let mut tail = install(
            self.disk,
            named,
            offset,
            self.header(last),
            self.options.plant,
        )?;
        tail.limit(self.options.segment_bytes);
        Ok(tail)
    }

    fn temporary(&self) -> Result<Tail<D::File>, Fault> {
        match self.disk.remove(TAIL_TEMPORARY) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Fault::at("remove", TAIL_TEMPORARY)(error)),
        }
        let file = self
            .disk
            .create(TAIL_TEMPORARY)
            .map_err(Fault::at("create", TAIL_TEMPORARY))?;
        let sector = u64::from(self.sector);
        let used = align_up(self.checked.end as u64, sector) + 8 * sector;
        let bytes = self.options.segment_bytes.max(used);
        if let Err(error) = file.allocate(bytes) {
            // What could be allocated of it would only keep a full disk full.
            let _ = self.disk.remove(TAIL_TEMPORARY);
            return Err(Fault::at("allocate", TAIL_TEMPORARY)(error));
        }
        Ok(Tail::new(TailParts {
            name: String::from(TAIL_TEMPORARY),
            file,
            bytes,
            offset: u64::from(self.sector),
            sector: self.sector,
            salt: self.salt,
            first_sequence: self.checked.header.first_sequence,
        }))
    }

    fn write(
        &self,
        tail: &mut Tail<D::File>,
        group: &mut Vec<Encoded<'_>>,
        bytes: &mut u64,
    ) -> Result<(), Fault> {
        if !group.is_empty() {
            tail.write(group, *bytes, self.options.plant)?;
            group.clear();
            *bytes = 0;
        }
        Ok(())
    }

    fn header(&self, last: u64) -> SegmentHeader {
        let old = &self.checked.header;
        // What the manifest names, not what is on disk: a rewrite of a rewrite still replaces the former.
        let named = self
            .manifest
            .segments
            .last()
            .map_or(old.salt, |entry| entry.salt);
        SegmentHeader {
            rewritten: true,
            sector: self.sector,
            salt: self.salt,
            replaces: named,
            incarnation: self.manifest.incarnation,
            durable_upto: last,
            ..old.clone()
        }
    }

    fn seal(&self, at: &Position, number: u64) -> Header {
        Header {
            flags: Flags::SEAL.with(Flags::REWRITTEN),
            key_id: 0,
            rules_version: at.rules_version,
            log_id: self.manifest.log_id,
            salt: self.salt,
            incarnation: self.manifest.incarnation,
            number,
            durable_upto: number,
            first_sequence: at.sequence + 1,
            wall_ms: at.wall_ms,
            steady_ms: at.steady_ms,
            id_seed: 0,
            event_count: 0,
            command_count: 0,
            previous_hash: at.hash,
            body_bytes: 0,
            body_crc: body_crc(&[], self.options.plant),
        }
    }
}
