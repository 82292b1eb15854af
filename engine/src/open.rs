//! Opening: the log's frames are replayed into a machine, and the two halves of an engine come out.
//! Owns: recovery as the engine sees it.
//! Never: serves before the log's own recovery is complete and the start is recorded.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mainstay_core::{AuditRow, Machine, Steady, Timestamp};
use mainstay_log::{
    Disk, Durable, Entropy, FileFlusher, FileLog, Flushed, Identity, Log, LogStats, Opened,
    Options, Recovery, Stopped,
};
use mainstay_store::{Store, StoreError};

use crate::clock::{Clock, Raw};
use crate::feed::Files;
use crate::inbox::Request;
use crate::keeper::Keeper;
use crate::reads::Reads;
use crate::recovery::{Progress, Rebuild, Settings, Shelf, Way};
use crate::shared::Shared;
use crate::snapshot::Snapper;
use crate::space::Space;
use crate::token::TokenKey;
use crate::writer::{Desk, StoreRules, Writer};
use crate::{Handle, metrics};

/// An engine that is open but has no threads yet: a program gives it some, the simulator drives it by hand.
pub struct Opening<D: Disk> {
    /// Decides.
    pub writer: Writer<FileLog<D>>,
    /// Makes durable.
    pub flusher: FileFlusher<D>,
    /// Commits cuts to the store.
    pub keeper: Keeper,
    /// Completes answers that need the store.
    pub reads: Reads,
    /// Writes snapshots.
    pub snapper: Snapper<D>,
    /// Asks.
    pub handle: Handle,
    /// Whose log this is.
    pub identity: Identity,
    /// What recovery found.
    pub recovery: Recovery,
    /// The event from which the state was read from the log because the store could not be used, 0 for the first; `None` when the store
    /// was the base.
    pub rebuilt_from: Option<u64>,
    /// What was wrong on the way, for people.
    pub notes: Vec<String>,
}

impl Handle {
    /// Lets out, or fails, what a call of the flusher has settled. For whoever drives the halves of an engine by hand.
    #[doc(hidden)]
    pub fn settle(&self, flushed: &Result<Flushed, Stopped>) {
        settle(self.shared(), flushed);
    }

    /// The same after the flusher's close: the writer has ended before.
    #[doc(hidden)]
    pub fn settle_close(&self, closed: &Result<(), Stopped>) {
        settle_close(self.shared(), closed);
        self.shared().set_stopped(crate::engine::SHUT_DOWN);
        drop(self.shared().inbox.close());
    }

    /// Notes what the flusher counts, as its thread does after each call.
    #[doc(hidden)]
    pub fn note_log(&self, stats: LogStats) {
        self.shared().set_log_stats(stats);
    }

    /// The event up to which two verified snapshots reach; 0 while there are not two.
    #[doc(hidden)]
    #[must_use]
    pub fn snapped(&self) -> u64 {
        self.shared().snapped.load(Ordering::Acquire)
    }

    /// Nothing is fetched any more: whoever still waits for the store is told.
    #[doc(hidden)]
    pub fn close_store(&self) {
        self.shared().close_store("the engine is shutting down");
    }

    /// Tells the writer to decide what waits and nothing more.
    #[doc(hidden)]
    pub fn stop(&self) {
        self.shared().inbox.push_always(Request::Stop);
    }
}

/// What follows each call of the flusher: answers whose frames are durable leave, or all that wait end with an error.
pub(crate) fn settle(shared: &Shared, flushed: &Result<Flushed, Stopped>) {
    match flushed {
        Ok(flushed) => {
            shared.set_durable(flushed.durable);
            shared.release(flushed.durable.frame);
            shared.notify_room();
        }
        Err(stopped) => {
            shared.fail(&stopped.to_string());
        }
    }
}

/// What follows the flusher's close: it has made everything durable that was ever appended, or has stopped.
pub(crate) fn settle_close(shared: &Shared, closed: &Result<(), Stopped>) {
    match closed {
        Ok(()) => {
            shared.set_durable(Durable {
                frame: 0,
                sequence: shared.counters.applied.load(Ordering::Acquire),
            });
            shared.release(u64::MAX);
        }
        Err(stopped) => settle(shared, &Err(stopped.clone())),
    }
}

/// Opens a data directory on any disk, without threads.
///
/// # Errors
/// What the log says: held by another process, damaged, not understood, or an error of the disk. What the store says, when it cannot
/// be used and not be made anew.
pub fn open<D: Disk>(
    disk: D,
    options: Options,
    settings: &Settings,
    shelf: &mut dyn Shelf,
    listener: &mut dyn FnMut(Progress),
    raw: Raw,
    entropy: [u8; 64],
) -> Result<Opening<D>, mainstay_log::OpenError> {
    open_as(None, disk, options, settings, shelf, listener, raw, entropy)
}

/// The same for handles that are out already: those of a start that could only read.
pub(crate) fn open_as<D: Disk>(
    known: Option<Arc<Shared>>,
    disk: D,
    options: Options,
    settings: &Settings,
    shelf: &mut dyn Shelf,
    listener: &mut dyn FnMut(Progress),
    raw: Raw,
    entropy: [u8; 64],
) -> Result<Opening<D>, mainstay_log::OpenError> {
    let mut seed = [0; 8];
    seed.copy_from_slice(&blake3::hash(&entropy).as_bytes()[..8]);
    let seed = u64::from_le_bytes(seed);
    let mut rebuild = Rebuild::new(seed, &disk, shelf, settings, listener);
    let opened = mainstay_log::open(disk.clone(), options, Entropy(entropy), &mut rebuild);
    if opened.is_err() && rebuild.full {
        return Err(no_room());
    }
    let opened = opened?;
    let Rebuild {
        machine,
        store,
        way,
        notes,
        trail,
        ..
    } = rebuild;
    let declined = |reason: String| mainstay_log::OpenError::Declined { reason };
    let (Some(machine), Some(store)) = (machine, store) else {
        return Err(declined("the log was opened without its base".to_owned()));
    };
    let shared = known.unwrap_or_else(|| share(&disk, settings, &opened.identity));
    let parts = Parts {
        disk,
        settings,
        shared,
        machine,
        store,
        trail,
    };
    let opening = parts.assemble(opened, raw, seed);
    let mut opening = opening.map_err(|error| declined(error.to_string()))?;
    opening.notes = notes;
    opening.rebuilt_from = match way {
        Way::Store => None,
        Way::Snapshot(sequence) => Some(sequence),
        Way::Log => Some(0),
    };
    Ok(opening)
}

/// What recovery brought back, on its way to an engine.
struct Parts<'a, D> {
    disk: D,
    settings: &'a Settings,
    shared: Arc<Shared>,
    machine: Machine,
    store: Box<dyn Store>,
    trail: Vec<AuditRow>,
}

impl<D: Disk> Parts<'_, D> {
    fn assemble(
        self,
        opened: Opened<FileLog<D>, FileFlusher<D>>,
        raw: Raw,
        seed: u64,
    ) -> Result<Opening<D>, StoreError> {
        let Parts {
            disk,
            settings,
            shared,
            machine,
            store,
            trail,
        } = self;
        let (identity, recovery) = (opened.identity, opened.recovery);
        // The log may hold no frame after the checkpoint: then the state knows the last times.
        let moment = machine.moment();
        let (clock, downtime_ms) = Clock::start(
            raw,
            Timestamp(recovery.last_wall_ms.max(moment.wall.0)),
            Steady(recovery.last_steady_ms.max(moment.steady.0)),
        );
        record_recovery(&shared.counters, recovery.events);
        let durable = opened.log.durable();
        shared.set_durable(durable);
        shared.backlog.set_stored(store.checkpoint());
        let desk = Desk::new(store.reader()?, rules(settings), store.checkpoint(), trail);
        let (known, plant) = (|| Arc::clone(&shared), settings.plant);
        let (log, frame) = (opened.log, durable.frame);
        let mut writer = Writer::new(machine, log, clock, known(), frame, desk, plant);
        writer.start(raw, seed, identity.incarnation, downtime_ms);
        let readers = (store.reader()?, store.reader()?);
        shared.feed.set_rows(store.reader()?);
        shared.feed.plant(settings.plant);
        let retention = settings.retention.clone();
        Ok(Opening {
            writer,
            flusher: opened.flusher,
            reads: Reads::new(store.reader()?, known(), plant),
            snapper: Snapper::new(disk, readers, known(), settings),
            keeper: Keeper::new(store, known(), retention, plant),
            handle: Handle::new(known()),
            identity,
            recovery,
            rebuilt_from: None,
            notes: Vec::new(),
        })
    }
}

fn rules(settings: &Settings) -> StoreRules {
    StoreRules {
        payload_bytes: settings.payload_cache_bytes,
        lag_rows: settings.store_lag_rows,
        cut_rows: settings.cut_rows,
        cut_ms: settings.cut_ms,
    }
}

/// What handles and threads of an engine share, before it has any.
pub(crate) fn share<D: Disk>(disk: &D, settings: &Settings, identity: &Identity) -> Arc<Shared> {
    let probe = disk.clone();
    let space = Space::new(
        Box::new(move || probe.free_bytes()),
        settings.low_water_bytes,
    );
    let tokens = TokenKey::new(identity.secret, identity.log_id.0);
    let source = Box::new(Files(disk.clone()));
    Arc::new(Shared::new(
        tokens,
        identity.log_id.to_string(),
        space,
        source,
    ))
}

/// The store has no room to be filled: the same as when the log has none.
fn no_room() -> mainstay_log::OpenError {
    mainstay_log::OpenError::Io {
        operation: "fill",
        file: "store".to_owned(),
        error: std::io::ErrorKind::StorageFull.into(),
    }
}

fn record_recovery(counters: &metrics::Counters, events: u64) {
    counters
        .recovered_events
        .store(events, std::sync::atomic::Ordering::Relaxed);
}
