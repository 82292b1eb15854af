//! Opening a data directory.
//! Owns: the order of lock, survey, new incarnation and repair.
//! Never: changes anything but the lock before the survey has accepted the log.

use std::sync::Arc;

use super::repair::repair;
use super::survey::{segment_names, survey};
use crate::api::{Durable, Opened};
use crate::disk::{Disk, LockError};
use crate::fault::{ADVICE, Fault, OpenError};
use crate::file_log::FileLog;
use crate::flusher::{FileFlusher, Spares, Start};
use crate::frame::{Frame, NO_HASH};
use crate::identity::{Entropy, RandomStream, fresh};
use crate::manifest::{self, MANIFEST, Manifest, Mark};
use crate::options::{Options, sector_is_valid};
use crate::queue::Shared;
use crate::segment::{LOG_DIR, Position, QUARANTINE_DIR};

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
    /// Intact frames that were read, seals not included.
    pub frames: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Number of the last frame, the seal that recovery wrote included; 0 if there is none.
    pub last_frame: u64,
    /// Last event sequence; 0 if there is none.
    pub last_sequence: u64,
    /// Recorded time of the last frame, Unix milliseconds.
    pub last_wall_ms: u64,
    /// Steady time of the last frame, milliseconds.
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

/// Opens the log in a data directory, makes it if the directory is empty, and recovers what a crash left.
///
/// `visit` gets every intact frame but seals, in order, before anything can be appended. When this returns a value, a
/// new incarnation is durable, and so is everything that `visit` has seen.
///
/// # Errors
/// All of [`OpenError`]. Except for `Io`, nothing but the lock file was changed.
pub fn open<D: Disk>(
    disk: D,
    options: Options,
    entropy: Entropy,
    visit: &mut dyn FnMut(&Frame<'_>) -> Result<(), String>,
) -> Result<Opened<FileLog<D>, FileFlusher<D>>, OpenError> {
    options.check()?;
    let sector = sector_of(&disk, &options);
    let lock = take_lock(&disk, &options.holder)?;
    let loaded = manifest::load(&disk)?;
    let mut recovery = Recovery {
        fresh: loaded.is_none(),
        ..Recovery::default()
    };
    let mut manifest = match loaded {
        Some(manifest) => manifest,
        None => begin(&disk, &entropy)?,
    };
    recovery.was_clean = manifest.clean;
    let found = survey(&disk, options.plant, &manifest, &mut |frame| {
        count(&mut recovery, frame, visit)
    })?;

    // From here on the directory is changed. The new incarnation comes first: no life may share it.
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
    });
    Ok(Opened {
        log,
        flusher,
        identity,
        recovery,
    })
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

fn take_lock<D: Disk>(disk: &D, holder: &str) -> Result<D::Lock, OpenError> {
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

fn count(
    recovery: &mut Recovery,
    frame: &Frame<'_>,
    visit: &mut dyn FnMut(&Frame<'_>) -> Result<(), String>,
) -> Result<(), OpenError> {
    if frame.is_seal() {
        return Ok(());
    }
    recovery.frames += 1;
    recovery.events += u64::from(frame.event_count);
    recovery.bytes += frame.body.len() as u64;
    visit(frame).map_err(|reason| OpenError::Refused {
        frame: frame.number,
        first_sequence: frame.first_sequence,
        reason,
    })
}

/// A new data directory. The manifest comes before the first segment, so that a crash in between does not look like
/// a log whose manifest was lost.
fn begin<D: Disk>(disk: &D, entropy: &Entropy) -> Result<Manifest, OpenError> {
    if !segment_names(disk)?.is_empty() {
        return Err(OpenError::Missing {
            file: MANIFEST.to_owned(),
            reason: format!("there are segments in {LOG_DIR}/"),
            advice: ADVICE.to_owned(),
        });
    }
    disk.create_dir(LOG_DIR)
        .map_err(Fault::at("create", LOG_DIR))?;
    disk.create_dir(QUARANTINE_DIR)
        .map_err(Fault::at("create", QUARANTINE_DIR))?;
    disk.sync_dir("")
        .map_err(Fault::at("sync", "the data directory"))?;
    let (log_id, secret) = fresh(entropy);
    let floor = Mark {
        frame: 0,
        sequence: 0,
        hash: NO_HASH,
    };
    let manifest = Manifest {
        log_id,
        incarnation: 0,
        secret,
        floor,
        clean: false,
        segments: Vec::new(),
    };
    manifest::replace(disk, &manifest)?;
    Ok(manifest)
}
