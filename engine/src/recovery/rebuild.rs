//! Recovery: the best base there is, then the tail of the log. A store that was lost is filled again on the way.
//! Owns: the choice between the ways back, and the words when there is none.
//! Never: trusts the store where the log or a check says otherwise; never deletes what it cannot read.

use mainstay_core::{AuditRow, Machine, Now, Timestamp, codec};
use mainstay_log::{Base as LogBase, Disk, Frame, Known, Recover};
use mainstay_store::{Store, StoreError};

use super::base::{Shelf, Way, from_snapshot, from_store, reaches};
use super::replay::{moment_of, replay_into};
use crate::snapshot::newest_first;
use crate::writer::Plant;

/// Ordinary cuts whose rows make a cut due in replay, so that a long one does not hold the past in memory.
const REPLAY_CUTS: usize = 3;
/// Bytes of payloads, beside those that may stay in memory, that make a cut due in replay whatever the number of its rows.
const REPLAY_BYTES: u64 = 512 << 20;
/// Frames between two reports of progress.
const PROGRESS_FRAMES: u64 = 256;

/// What long work has done so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, for people.
    pub what: String,
    /// How much of it is done.
    pub done: u64,
    /// How much there is, as far as that is known; 0 when it is not.
    pub total: u64,
}

/// Hears of progress.
pub(crate) type Listener<'a> = &'a mut dyn FnMut(Progress);

/// How an engine works with its store, beside what the log's options say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What finished work is kept.
    pub retention: mainstay_store::Retention,
    /// Bytes of log segments kept beyond what recovery needs.
    pub log_retain_bytes: u64,
    /// Milliseconds after which segments go although there are fewer bytes; 0 keeps them.
    pub log_retain_ms: u64,
    /// Bytes of large payloads kept in memory.
    pub payload_cache_bytes: u64,
    /// Free bytes below which new work is refused.
    pub low_water_bytes: u64,
    /// Rows changed and not yet stored beyond which new work is refused.
    pub store_lag_rows: u64,
    /// Bytes of log between two snapshots at least.
    pub snapshot_every_bytes: u64,
    /// Rows changed since the last cut that make the next one due.
    pub cut_rows: usize,
    /// Milliseconds after which a smaller change is cut too.
    pub cut_ms: u64,
    /// Test power: planted bugs. Leave at its default.
    #[doc(hidden)]
    pub plant: Plant,
}

/// A machine on its way back.
pub(crate) struct Rebuild<'a, D: Disk> {
    pub(crate) seed: u64,
    pub(crate) disk: &'a D,
    pub(crate) shelf: &'a mut dyn Shelf,
    pub(crate) settings: &'a Settings,
    pub(crate) listener: Listener<'a>,
    pub(crate) machine: Option<Machine>,
    pub(crate) store: Option<Box<dyn Store>>,
    /// Which way it came back.
    pub(crate) way: Way,
    /// What was wrong on the way, for people.
    pub(crate) notes: Vec<String>,
    /// What was read of the audit trail and is in no cut yet.
    pub(crate) trail: Vec<AuditRow>,
    pub(crate) frames: u64,
    pub(crate) total: u64,
    /// Whether it failed for want of room.
    pub(crate) full: bool,
    /// Of planted bugs: the base, and the last frame in it.
    base: u64,
    before: Option<(Now, Vec<u8>)>,
}

impl<'a, D: Disk> Rebuild<'a, D> {
    pub(crate) fn new(
        seed: u64,
        disk: &'a D,
        shelf: &'a mut dyn Shelf,
        settings: &'a Settings,
        listener: Listener<'a>,
    ) -> Rebuild<'a, D> {
        Rebuild {
            seed,
            disk,
            shelf,
            settings,
            listener,
            machine: None,
            store: None,
            way: Way::Log,
            notes: Vec::new(),
            trail: Vec::new(),
            frames: 0,
            total: 0,
            full: false,
            base: 0,
            before: None,
        }
    }

    /// A failure of the store, in words; whether room was wanting is remembered.
    fn told(&mut self, error: &StoreError) -> String {
        self.full |= matches!(error, StoreError::Full(_));
        error.to_string()
    }

    fn open_store(&mut self, log_id: &str) -> Result<Box<dyn Store>, StoreError> {
        match self.shelf.open(log_id) {
            Err(problem @ (StoreError::Damaged(_) | StoreError::Foreign { .. })) => {
                let name = self.shelf.set_aside()?;
                self.notes.push(format!(
                    "the store could not be used ({problem}): kept as {name}"
                ));
                self.shelf.open(log_id)
            }
            other => other,
        }
    }

    /// The store's own live rows, if they are there, whole, and near enough for the log to go on from them.
    fn try_store(&mut self, known: &Known<'_>) -> Result<Option<Machine>, StoreError> {
        let log_id = known.identity.log_id.to_string();
        let mut store = self.open_store(&log_id)?;
        let loaded = store
            .reader()
            .and_then(|mut reader| from_store(self.seed, reader.as_mut()));
        let problem = match loaded {
            Ok(Some((machine, base))) if reaches(base.sequence, known.oldest_sequence) => {
                match machine.verify_loaded() {
                    Ok(()) => {
                        self.store = Some(store);
                        return Ok(Some(machine));
                    }
                    Err(error) => error,
                }
            }
            Ok(Some((_, base))) => format!(
                "it ends at event {}, and the log was trimmed up to {}",
                base.sequence, known.oldest_sequence
            ),
            Ok(None) => {
                self.store = Some(store);
                return Ok(None);
            }
            Err(StoreError::Damaged(what)) => what,
            Err(error) => return Err(error),
        };
        drop(store);
        let name = self.shelf.set_aside()?;
        self.notes.push(format!(
            "the store could not be used ({problem}): kept as {name}"
        ));
        store = self.shelf.open(&log_id)?;
        self.store = Some(store);
        Ok(None)
    }

    /// The oldest snapshot that can be trusted and that the log goes on from: what finished before a snapshot is in none, so as much as
    /// possible is read from the log.
    fn try_snapshots(&mut self, known: &Known<'_>) -> Option<Machine> {
        let log_id = known.identity.log_id.to_string();
        let found = newest_first(self.disk).unwrap_or_default();
        let reach = |sequence: &u64| reaches(*sequence, known.oldest_sequence);
        for sequence in found.into_iter().rev().filter(reach) {
            match from_snapshot(self.disk, self.seed, &log_id, sequence) {
                Ok(machine) => {
                    self.way = Way::Snapshot(sequence);
                    self.notes.push(format!(
                        "idempotency keys used up to event {sequence}, and work that finished by then, are not in a snapshot: they are forgotten"
                    ));
                    return Some(machine);
                }
                Err(reason) => self.notes.push(format!("a snapshot is not used: {reason}")),
            }
        }
        None
    }

    /// Puts everything that changed into the store and lets go of what is finished. Only for events known to be durable.
    fn settle(&mut self) -> Result<(), StoreError> {
        let (Some(machine), Some(store)) = (self.machine.as_mut(), self.store.as_mut()) else {
            return Ok(());
        };
        let mut cut = machine.take_cut();
        let through = cut.through;
        cut.audit = std::mem::take(&mut self.trail);
        // The trail up to a snapshot stood in the store that was lost, and is in no snapshot.
        cut.audit_after = (self.way == Way::Snapshot(through)).then_some(through);
        store.put(cut)?;
        store.durable(through)?;
        while machine.stored(through, self.settings.payload_cache_bytes, usize::MAX) {}
        Ok(())
    }

    /// What was filled from a snapshot is not taken back by a power cut. Otherwise it could be taken back altogether once this snapshot has
    /// given way to newer ones, and what finished between them and it would be in none of them.
    fn secure(&mut self) -> Result<(), StoreError> {
        if let Some(store) = self
            .store
            .as_mut()
            .filter(|_| !self.settings.plant.fill_unsynced)
        {
            store.sync()?;
        }
        Ok(())
    }

    /// Rows that may wait for the store in memory. The tail behind a store is as short as its lag was allowed to be, and the keeper takes
    /// it over once the engine serves; the whole past of a log must not pile up.
    fn most_dirty(&self) -> usize {
        match self.way {
            Way::Store => usize::try_from(self.settings.store_lag_rows).unwrap_or(usize::MAX),
            Way::Snapshot(_) | Way::Log => self.settings.cut_rows.saturating_mul(REPLAY_CUTS),
        }
    }

    fn tell(&mut self, what: &str) {
        let done = self.machine.as_ref().map_or(0, Machine::sequence);
        (self.listener)(Progress {
            what: what.to_owned(),
            done,
            total: self.total,
        });
    }
}

impl<D: Disk> Recover for Rebuild<'_, D> {
    fn begin(&mut self, known: &Known<'_>) -> Result<LogBase, String> {
        self.total = known.floor_sequence;
        let stored = self.try_store(known);
        let stored = stored.map_err(|error| self.told(&error))?;
        let proven = match &stored {
            Some(machine) => machine.sequence(),
            None => 0,
        };
        let machine = match stored {
            Some(machine) => {
                self.way = Way::Store;
                machine
            }
            None if reaches(0, known.oldest_sequence) => Machine::new(self.seed),
            None => match self.try_snapshots(known) {
                Some(machine) => machine,
                None => {
                    return Err(format!(
                        "neither the store nor a snapshot reaches event {}, where the log begins; {}restore a backup: \
                         `mainstay restore <backup> --data-dir <new data directory>`",
                        known.oldest_sequence,
                        self.notes
                            .iter()
                            .map(|note| format!("{note}; "))
                            .collect::<String>(),
                    ));
                }
            },
        };
        let from_sequence = machine.sequence();
        let is_snapshot = matches!(self.way, Way::Snapshot(_));
        self.machine = Some(machine);
        if is_snapshot {
            self.tell("filling the store from a snapshot");
            // A snapshot was taken from commits, and these only of durable events.
            let settled = self.settle().and_then(|()| self.secure());
            settled.map_err(|error| self.told(&error))?;
        }
        let base = LogBase {
            from_sequence,
            proven_sequence: proven.max(from_sequence),
        };
        Ok(self.misplace(base, known.oldest_sequence))
    }

    fn frame(&mut self, frame: &Frame<'_>, proven: bool) -> Result<(), String> {
        let Some(machine) = self.machine.as_mut() else {
            return Err("a frame came before the base".to_owned());
        };
        if self.base > 0 {
            self.misread(frame);
            return Ok(());
        }
        replay_into(machine, frame, &mut self.trail)?;
        self.frames += 1;
        let dirty = machine.dirty_rows();
        let most_bytes = self
            .settings
            .payload_cache_bytes
            .saturating_add(REPLAY_BYTES);
        let is_heavy = machine.payload_bytes() > most_bytes;
        if proven && dirty > 0 && (is_heavy || dirty >= self.most_dirty()) {
            let settled = self.settle();
            settled.map_err(|error| self.told(&error))?;
        }
        if self.frames.is_multiple_of(PROGRESS_FRAMES) {
            self.tell("reading the log");
        }
        Ok(())
    }
}

/// The planted bugs of this room.
impl<D: Disk> Rebuild<'_, D> {
    fn misplace(&mut self, base: LogBase, oldest_sequence: u64) -> LogBase {
        let plant = self.settings.plant;
        if plant.replay_begins_late || plant.replay_begins_early {
            self.base = base.from_sequence;
        }
        LogBase {
            from_sequence: match plant.replay_begins_early {
                true => oldest_sequence - 1,
                false => base.from_sequence,
            },
            ..base
        }
    }

    /// Reads a frame without looking whether it continues the state.
    fn misread(&mut self, frame: &Frame<'_>) {
        let is_before = frame.last_sequence() <= self.base;
        let body = (moment_of(frame), frame.body.to_vec());
        if is_before {
            self.before = Some(body);
            return;
        }
        self.frames += 1;
        let left_out = self.frames == 1 && self.settings.plant.replay_begins_late;
        let (Some(machine), false) = (self.machine.as_mut(), left_out) else {
            return;
        };
        for (now, body) in self.before.take().into_iter().chain([body]) {
            let read = codec::decode(&body, &mut |_, events| {
                events.iter().for_each(|entry| machine.replay(&now, entry));
            });
            read.unwrap_or_default();
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        const DAY_MS: u64 = 86_400_000;
        Settings {
            retention: mainstay_store::Retention {
                default: mainstay_store::Keep {
                    age_ms: 30 * DAY_MS,
                },
                queues: std::collections::BTreeMap::new(),
                audit: mainstay_store::Keep {
                    age_ms: 400 * DAY_MS,
                },
                bytes_max: 64 << 30,
            },
            log_retain_bytes: 1 << 30,
            log_retain_ms: 7 * DAY_MS,
            payload_cache_bytes: 64 << 20,
            low_water_bytes: 256 << 20,
            store_lag_rows: 400_000,
            snapshot_every_bytes: 256 << 20,
            cut_rows: 20_000,
            cut_ms: 100,
            plant: Plant::default(),
        }
    }
}

impl Settings {
    /// What the log may give up now: `snapped` is the older of two verified snapshots, 0 when there are not two.
    #[doc(hidden)]
    #[must_use]
    pub fn trim(&self, snapped: u64, now: Timestamp) -> mainstay_log::Trim {
        let older_than_wall_ms = if self.log_retain_ms == 0 {
            0
        } else {
            now.0.saturating_sub(self.log_retain_ms)
        };
        mainstay_log::Trim {
            through_sequence: snapped,
            bytes_kept: self.log_retain_bytes,
            older_than_wall_ms,
        }
    }
}
