//! The single writer: it owns the machine and the log's writing side.
//! Owns: the order of everything that happens.
//! Never: reads a clock, sleeps or spawns; a thread or the simulator drives it.

use std::sync::Arc;

use mainstay_core::{ActorId, Entry, Machine, Now, Principal, TenantId, Woken};
use mainstay_log::{Draft, Log, Stopped};

use super::cut::Desk;
use super::meddler::{Meddler, Meddling};
use crate::clock::Clock;
use crate::inbox::Request;
use crate::release::{Fate, Parked};
use crate::shared::Shared;
use crate::waiters::Waiters;

/// Version of the rules in `decide`; it stands in every frame so that a reader can tell who decided what.
pub(crate) const RULES_VERSION: u32 = 1;
/// A frame is closed when its body reaches this size.
pub(crate) const FRAME_SOFT_BYTES: usize = 1 << 20;
/// Commands of one turn.
pub(crate) const TURN_COMMANDS_MAX: usize = 4096;
/// Bytes of requests of one turn.
pub(crate) const TURN_BYTES_MAX: usize = 8 << 20;
/// Bytes in the log's queue beyond which the writer waits for the flusher.
pub(crate) const QUEUED_BYTES_MAX: u64 = 32 << 20;

/// Bugs that the simulator plants to prove that its checkers see them. Test power.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plant {
    /// Answers leave when their frame is queued.
    pub ack_before_durable: bool,
    /// Events are told when their frame is queued.
    pub feed_before_durable: bool,
    /// Questions are answered from state that is not durable.
    pub reads_see_undurable: bool,
    /// Claims are answered before their grants are durable.
    pub leases_leave_early: bool,
    /// Deferred submits are answered early and called durable.
    pub deferred_called_durable: bool,
    /// Cuts are committed although their events are not durable.
    pub cut_before_durable: bool,
    /// Finished rows leave memory when their cut is taken, not when it is committed.
    pub rows_leave_early: bool,
    /// The log is trimmed up to the newest snapshot instead of the one before.
    pub trim_to_newest_snapshot: bool,
    /// A snapshot is trusted without being read again.
    pub snapshot_unread: bool,
    /// A snapshot is trusted without being synced.
    pub snapshot_unsynced: bool,
    /// The log is trimmed although a power cut may take back what the store holds.
    pub store_unsynced: bool,
    /// A store that recovery filled from a snapshot may be taken back by a power cut.
    pub fill_unsynced: bool,
    /// Recovery leaves out the first frame after its base.
    pub replay_begins_late: bool,
    /// Recovery reads the last frame of its base once more.
    pub replay_begins_early: bool,
    /// Payloads that are in the store alone are answered as nothing.
    pub payload_not_fetched: bool,
    /// Idempotency keys are not looked up in the store.
    pub keys_forgotten: bool,
    /// A bug of the rules: who stands between the writer and the machine.
    pub meddling: Option<Meddling>,
}

impl Plant {
    fn lets_out_early(self) -> bool {
        self.ack_before_durable || self.reads_see_undurable
    }
}

/// What a turn came to, for whoever drives the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Commands decided.
    pub commands: usize,
    /// Frames appended.
    pub frames: u32,
    /// When the next turn is needed even if nothing arrives, in milliseconds; 0 at once; `None` never.
    pub next_in_ms: Option<u64>,
    /// The writer has been told to stop and has nothing left to do.
    pub done: bool,
}

/// The single writer over any log.
pub struct Writer<L> {
    pub(super) machine: Machine,
    pub(super) log: L,
    pub(super) clock: Clock,
    pub(super) shared: Arc<Shared>,
    pub(super) waiters: Waiters,
    pub(super) now: Now,
    /// The frame being filled.
    pub(super) body: Vec<u8>,
    pub(super) body_commands: u32,
    pub(super) body_first_sequence: u64,
    pub(super) previous: Option<Principal>,
    /// The machine's access version as the handles know it.
    pub(super) platform: u64,
    pub(super) events: Vec<Entry>,
    pub(super) requests: Vec<Request>,
    pub(super) woken: Vec<Woken>,
    /// Actors that get nothing any more, until their waiting claims are answered.
    pub(super) departed: Vec<(TenantId, ActorId)>,
    /// Answers of the frame being filled: their frame number is not known yet.
    pub(super) parcels: Vec<Parked>,
    pub(super) last_frame: u64,
    /// The last event in a frame that the log took.
    pub(super) appended: u64,
    pub(super) desk: Desk,
    pub(super) draining: bool,
    pub(super) stopping: bool,
    pub(super) plant: Plant,
    /// A planted bug of the rules.
    pub(super) meddler: Option<Box<dyn Meddler>>,
}

impl<L: Log> Writer<L> {
    pub(crate) fn new(
        machine: Machine,
        log: L,
        clock: Clock,
        shared: Arc<Shared>,
        last_frame: u64,
        desk: Desk,
        plant: Plant,
    ) -> Writer<L> {
        let now = Now::default();
        let appended = machine.sequence();
        Writer {
            machine,
            log,
            clock,
            shared,
            waiters: Waiters::default(),
            now,
            body: Vec::new(),
            body_commands: 0,
            body_first_sequence: 0,
            previous: None,
            platform: 0,
            events: Vec::new(),
            requests: Vec::new(),
            woken: Vec::new(),
            departed: Vec::new(),
            parcels: Vec::new(),
            last_frame,
            appended,
            desk,
            draining: false,
            stopping: false,
            plant,
            meddler: plant.meddling.map(|bug| (bug.make)()),
        }
    }

    /// The machine, for checkers.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The moment of the last turn.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Whether the log's queue is so full that a turn should wait for the flusher.
    pub(crate) fn is_full(&self) -> bool {
        self.log.queued().bytes > QUEUED_BYTES_MAX
    }

    /// Appends the frame being filled, if anything is in it, and parks the answers that wait for it.
    pub(super) fn close_frame(&mut self) -> Result<u32, Stopped> {
        // What was decided without the store, when it should have been asked, must not become durable.
        self.sound()?;
        let mut appended = 0;
        // The last frame of an orderly end may be empty: it says how late it was, so that quiet time is no downtime.
        if self.body_commands > 0 || self.stopping {
            let last = self.machine.sequence();
            if self.body_commands == 0 {
                self.body_first_sequence = last + 1;
            }
            self.shared.space.spend(self.body.len() as u64);
            let spare = self.log.spare_body();
            let draft = Draft {
                first_sequence: self.body_first_sequence,
                event_count: (last + 1 - self.body_first_sequence) as u32,
                command_count: self.body_commands,
                wall_ms: self.now.wall.0,
                steady_ms: self.now.steady.0,
                rules_version: RULES_VERSION,
                id_seed: self.now.id_seed,
                body: std::mem::replace(&mut self.body, spare),
            };
            self.shared
                .counters
                .observe_batch(u64::from(self.body_commands));
            self.body_commands = 0;
            self.previous = None;
            let kept = self.shared.feed.copy(&draft);
            self.last_frame = self.log.append(draft)?;
            if let Some(kept) = kept {
                self.shared.feed.keep(kept);
            }
            self.appended = last;
            appended = 1;
        }
        self.let_out_deferred();
        if self.plant.lets_out_early() {
            self.let_out_early();
        }
        for parcel in &mut self.parcels {
            parcel.frame = self.last_frame;
        }
        self.shared.release.park(&mut self.parcels);
        Ok(appended)
    }

    /// Submits whose callers do not wait for the disk: the log has taken their frame.
    fn let_out_deferred(&mut self) {
        if !self.parcels.iter().any(|parcel| parcel.early) {
            return;
        }
        let (early, rest) = self.parcels.drain(..).partition(|parcel| parcel.early);
        self.parcels = rest;
        let mut early: Vec<Parked> = early;
        if self.plant.deferred_called_durable {
            early.iter_mut().for_each(|parcel| parcel.early = false);
        }
        // Nothing comes back: they hold no grants.
        early.into_iter().filter_map(Parked::deliver).for_each(drop);
    }

    /// The planted bugs of this room: answers that pass their frame.
    fn let_out_early(&mut self) {
        let plant = self.plant;
        let (early, rest) = self.parcels.drain(..).partition(|parcel| {
            plant.ack_before_durable || (plant.reads_see_undurable && parcel.fate == Fate::Nothing)
        });
        self.parcels = rest;
        let early: Vec<Parked> = early;
        early
            .into_iter()
            .filter_map(Parked::deliver)
            .for_each(|request| self.shared.inbox.push_always(request));
    }
}
