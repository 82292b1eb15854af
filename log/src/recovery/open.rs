//! Opening a data directory.
//! Owns: the order of lock, survey, new incarnation and repair.
//! Never: changes anything but the lock before the survey has accepted the log.

use std::sync::Arc;

use super::make::{self, first_manifest};
use super::recover::{Known, Reading, Recover};
use super::repair::{repair, sweep};
use super::survey::{Survey, survey};
use crate::api::{Durable, Opened};
use crate::disk::{Disk, LockError};
use crate::fault::{Fault, OpenError};
use crate::file_log::FileLog;
use crate::flusher::{FileFlusher, Spares, Start};
use crate::identity::{Entropy, Identity, RandomStream};
use crate::manifest::{self, Manifest};
use crate::options::{Options, sector_is_valid};
use crate::queue::Shared;
use crate::segment::Position;

const LOCK: &str = "LOCK";
const SECTOR_BYTES_UNKNOWN: u32 = 4096;

/// A torn tail that recovery put aside. Nothing in it was ever acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment it was cut from.
    pub file: String,
    /// Where it began in that segment.
    pub offset: u64,
    /// Its length, trailing zeros not counted.
    pub bytes: u64,
    /// The file that keeps it.
    pub quarantine: String,
}

/// What recovery found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Intact frames that were shown: those after the base, seals not included.
    pub frames: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Number of the last frame, the seal that recovery wrote included; 0 if there is none.
    pub last_frame: u64,
    /// Last event sequence, shown or not; of a log without events the one before its first.
    pub last_sequence: u64,
    /// Recorded time of the last frame, Unix milliseconds; 0 if there is none.
    pub last_wall_ms: u64,
    /// Steady time of the last frame, milliseconds; 0 if there is none.
    pub last_steady_ms: u64,
    /// Chain hash of the last frame; zeros if there is none.
    pub head_hash: [u8; 32],
    /// Whether the life before ended with a clean stop.
    pub was_clean: bool,
    /// The torn tail that was cut off, if there was one.
    pub cut: Option<Cut>,
    /// Whether the data directory was made by this open.
    pub fresh: bool,
}

/// A log that was read and not changed.
#[derive(Debug)]
pub struct Looked<L> {
    /// Keeps others from the directory for as long as it lives.
    pub lock: L,
    /// Who the log is; the incarnation is that of the life before.
    pub identity: Identity,
    /// What was read. `cut` stays empty: a torn tail is left where it is, and was not shown.
    pub recovery: Recovery,
}

/// Opens the log in a data directory, makes it if the directory is empty, and recovers what a crash left.
///
/// `recover` says where to begin and gets every intact frame after that but seals, in order, before anything can be
/// appended. When this returns a value, a new incarnation is durable, and so is everything that `recover` has seen.
///
/// # Errors
/// All of [`OpenError`]. Except for `Io`, nothing but the lock file was changed; after `Io`, a full disk included, the
/// directory can be opened again once the cause is gone, and nothing is lost.
pub fn open<D: Disk>(
    disk: D,
    options: Options,
    entropy: Entropy,
    recover: &mut dyn Recover,
) -> Result<Opened<FileLog<D>, FileFlusher<D>>, OpenError> {
    options.check()?;
    let sector = sector_of(&disk, &options);
    let lock = take_lock(&disk, &options.holder)?;
    let (mut manifest, fresh) = match manifest::load(&disk)? {
        Some(manifest) => (manifest, false),
        None => (first_manifest(&disk, &entropy)?, true),
    };
    let (mut recovery, found) = read(&disk, &options, &manifest, fresh, recover)?;

    // From here on the directory is changed. What no manifest names goes first, for it may fill the disk.
    if fresh {
        make::write(&disk, &manifest)?;
    }
    sweep(&disk)?;
    // Then the new incarnation: no life may share it.
    manifest.incarnation += 1;
    manifest.clean = false;
    manifest::replace(&disk, &manifest)?;
    let mut random = RandomStream::new(&entropy, "salts", manifest.log_id, manifest.incarnation);
    let mut spares = Spares::new(options.spares);
    let repaired = repair(
        &disk,
        &options,
        sector,
        &mut manifest,
        found,
        &mut random,
        &mut spares,
    )?;

    let at = repaired.at;
    recovery.end(&at, repaired.cut);
    let durable = Durable {
        frame: at.frame,
        sequence: at.sequence,
    };
    let shared = Arc::new(Shared::new(durable, options.frame_bytes_max));
    let identity = manifest.identity();
    let log = FileLog::new(Arc::clone(&shared));
    let flusher = FileFlusher::new(Start {
        disk,
        _lock: lock,
        options,
        sector,
        identity: identity.clone(),
        manifest,
        shared,
        tail: repaired.tail,
        spares,
        random,
        at,
        sealed_bytes: repaired.sealed_bytes,
        garbage: repaired.garbage,
    });
    Ok(Opened {
        log,
        flusher,
        identity,
        recovery,
    })
}

/// Reads the log of a data directory as [`open`] does, under the lock, and changes nothing: no new incarnation, no
/// repair. For a start that may only read, for instance on a full disk. What lies after the last sync of the life before
/// may be in the page cache only.
///
/// # Errors
/// As [`open`]; `OpenError::Missing` if there is no log.
pub fn look<D: Disk>(
    disk: &D,
    options: &Options,
    recover: &mut dyn Recover,
) -> Result<Looked<D::Lock>, OpenError> {
    options.check()?;
    let lock = take_lock(disk, &options.holder)?;
    let manifest = manifest::load(disk)?.ok_or_else(|| manifest::no_log(disk))?;
    let (mut recovery, found) = read(disk, options, &manifest, false, recover)?;
    recovery.end(&found.at, None);
    Ok(Looked {
        lock,
        identity: manifest.identity(),
        recovery,
    })
}

/// Asks where to begin, then reads and judges; changes nothing.
fn read<D: Disk>(
    disk: &D,
    options: &Options,
    manifest: &Manifest,
    fresh: bool,
    recover: &mut dyn Recover,
) -> Result<(Recovery, Survey), OpenError> {
    let known = Known {
        identity: &manifest.identity(),
        fresh,
        oldest_sequence: manifest.oldest_sequence(),
        floor_sequence: manifest.floor.sequence,
    };
    let mut reading = Reading::begin(recover, &known)?;
    reading.recovery.was_clean = manifest.clean;
    let found = survey(disk, options.plant, manifest, &mut reading)?;
    Ok((reading.recovery, found))
}

impl Recovery {
    fn end(&mut self, at: &Position, cut: Option<Cut>) {
        self.last_frame = at.frame;
        self.last_sequence = at.sequence;
        self.last_wall_ms = at.wall_ms;
        self.last_steady_ms = at.steady_ms;
        self.head_hash = at.hash;
        self.cut = cut;
    }
}

pub(super) fn take_lock<D: Disk>(disk: &D, holder: &str) -> Result<D::Lock, OpenError> {
    disk.lock(LOCK, holder).map_err(|error| match error {
        LockError::Held { holder } => OpenError::Held { holder },
        LockError::Io(error) => Fault::at("lock", LOCK)(error).into(),
    })
}

fn sector_of<D: Disk>(disk: &D, options: &Options) -> u32 {
    let asked = options.sector.unwrap_or_else(|| disk.sector());
    if sector_is_valid(asked) {
        asked
    } else {
        SECTOR_BYTES_UNKNOWN
    }
}
