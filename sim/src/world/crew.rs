//! The engine's threads as parts: each may take a step wherever another one is between two disk calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use mainstay::store::MemoryShelf;
use mainstay::{Handle, Keeper, Now, Opening, Reads, Settings, Snapper, Timestamp, Writer};
use mainstay_log::{FileFlusher, FileLog, Flush, Flushed, Options, Stopped};

use super::clock::SimClock;
use crate::disk::SimDisk;
use crate::marks::Marks;
use crate::oracle::{Kept, witness};
use crate::rng::Rng;

pub(super) type SimWriter = Writer<FileLog<SimDisk>>;

/// What the writer's thread works with.
pub(super) struct Deck {
    pub(super) writer: SimWriter,
    rng: Rng,
    pub(super) clock: SimClock,
    /// The writer has answered everybody and is done.
    over: bool,
    /// The moment of the first turn since requests were last looked at.
    first_turn: Option<Now>,
    /// When the writer wants its next turn.
    next_in_ms: Option<u64>,
}

/// What was seen of all parts.
#[derive(Default)]
pub(super) struct Seen {
    /// The last event known durable.
    pub(super) durable: u64,
    /// The log has stopped.
    pub(super) stopped: bool,
    /// Turns taken inside a call of another part.
    pub(super) inside: u64,
    pub(super) seals: u64,
    /// The first event that the log may still hold.
    pub(super) oldest: u64,
    /// The most segments that the log consisted of.
    pub(super) segments: u64,
    /// Segments begun.
    pub(super) rolls: u64,
    pub(super) marks: Marks,
    /// Frames of this life that may have been trimmed, and up to where they reach.
    pub(super) witnessed: Vec<Kept>,
    witnessed_to: u64,
    /// The first thing that must not happen.
    trouble: Option<String>,
}

/// The parts of one open engine.
pub(super) struct Crew {
    deck: Mutex<Deck>,
    flusher: Mutex<FileFlusher<SimDisk>>,
    keeper: Mutex<Keeper>,
    reads: Mutex<Reads>,
    snapper: Mutex<Snapper<SimDisk>>,
    seen: Mutex<Seen>,
    rng: Mutex<Rng>,
    pub(super) handle: Handle,
    disk: SimDisk,
    shelf: MemoryShelf,
    options: Options,
    settings: Settings,
    blind: bool,
}

/// What a crew works on.
pub(super) struct Ground {
    pub(super) disk: SimDisk,
    pub(super) shelf: MemoryShelf,
    pub(super) options: Options,
    pub(super) settings: Settings,
    pub(super) blind: bool,
}

fn hold<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The part, unless it is at work: then it is further up the stack.
fn at_rest<T>(part: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match part.try_lock() {
        Ok(part) => Some(part),
        Err(TryLockError::Poisoned(part)) => Some(part.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Crew {
    pub(super) fn new(
        opening: Opening<SimDisk>,
        mut rng: Rng,
        clock: SimClock,
        on: Ground,
    ) -> Arc<Crew> {
        let own = Rng::new(rng.draw(), 4);
        let deck = Deck {
            writer: opening.writer,
            rng,
            clock,
            over: false,
            first_turn: None,
            next_in_ms: None,
        };
        let stats = opening.flusher.stats();
        let seen = Seen {
            durable: opening.recovery.last_sequence,
            oldest: stats.oldest_sequence,
            segments: stats.segments,
            witnessed_to: opening.recovery.last_sequence,
            ..Seen::default()
        };
        opening.handle.note_log(stats);
        Arc::new(Crew {
            deck: Mutex::new(deck),
            flusher: Mutex::new(opening.flusher),
            keeper: Mutex::new(opening.keeper),
            reads: Mutex::new(opening.reads),
            snapper: Mutex::new(opening.snapper),
            seen: Mutex::new(seen),
            rng: Mutex::new(own),
            handle: opening.handle,
            disk: on.disk,
            shelf: on.shelf,
            options: on.options,
            settings: on.settings,
            blind: on.blind,
        })
    }

    pub(super) fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut hold(&self.seen))
    }

    pub(super) fn deck<T>(&self, look: impl FnOnce(&mut Deck) -> T) -> T {
        look(&mut hold(&self.deck))
    }

    fn hit(&self, mark: &'static str) {
        self.seen(|seen| seen.marks.hit(mark));
    }

    fn must_not(&self, what: String) {
        self.seen(|seen| {
            seen.trouble.get_or_insert(what);
        });
    }

    /// What must not have happened, if it has.
    pub(super) fn trouble(&self) -> Result<(), String> {
        self.seen(|seen| seen.trouble.take()).map_or(Ok(()), Err)
    }

    /// Lets the other parts work while one is between two disk calls, as their own threads do.
    pub(super) fn hook(self: &Arc<Crew>) {
        let crew = Arc::downgrade(self);
        let step = move || {
            if let Some(crew) = crew.upgrade() {
                crew.step_inside();
            }
        };
        self.disk.set_hook(Some(Arc::new(step)));
    }

    fn step_inside(&self) {
        let draw = hold(&self.rng).below(100);
        match draw {
            0..=24 => {
                self.seen(|seen| seen.inside += 1);
                self.turn();
            }
            25..=32 => self.commit(),
            33..=37 => drop(self.answer()),
            38..=41 => {
                let in_flush = at_rest(&self.flusher).is_none();
                if self.snapshot() && in_flush {
                    self.hit("snapshot inside a flush");
                }
            }
            42..=50 => {
                if let Some(flushed) = self.flush(false) {
                    self.settle(&flushed);
                    self.hit("flush inside a snapshot");
                }
            }
            _ => {}
        }
    }

    pub(super) fn turn(&self) {
        let Some(mut deck) = at_rest(&self.deck) else {
            return;
        };
        if deck.over {
            return;
        }
        let seed = deck.rng.draw();
        let raw = deck.clock.raw();
        deck.over = match deck.writer.turn(raw, seed) {
            Err(stopped) => {
                let known = self.seen(|seen| seen.stopped) || self.disk.is_dead();
                if !known && self.disk.faults_shown() == 0 {
                    self.must_not(format!("the writer stopped by itself: {stopped}"));
                }
                true
            }
            Ok(turn) => {
                deck.next_in_ms = turn.next_in_ms;
                deck.writer.end_if_stopped() || turn.done
            }
        };
        let now = deck.writer.now();
        deck.first_turn.get_or_insert(now);
    }

    /// The keeper commits what is durable.
    pub(super) fn commit(&self) {
        let Some(mut keeper) = at_rest(&self.keeper) else {
            return;
        };
        if self.disk.is_dead() {
            return;
        }
        if let Err(error) = keeper.commit() {
            self.must_not(format!("the keeper: {error}"));
        }
        let (stored, durable) = (self.shelf.checkpoint(), self.seen(|seen| seen.durable));
        if !self.blind && stored > durable {
            self.must_not(format!(
                "the store holds event {stored}, only {durable} are durable"
            ));
        }
    }

    /// One answer is completed from the store, if one waits.
    pub(super) fn answer(&self) -> bool {
        let Some(mut reads) = at_rest(&self.reads) else {
            return false;
        };
        if self.disk.is_dead() {
            return false;
        }
        match reads.step() {
            Ok(done) => done,
            Err(error) => {
                self.must_not(format!("an answer from the store: {error}"));
                false
            }
        }
    }

    /// A snapshot is written if one is due.
    pub(super) fn snapshot(&self) -> bool {
        let Some(mut snapper) = at_rest(&self.snapper) else {
            return false;
        };
        if self.disk.is_dead() || !snapper.is_due() {
            return false;
        }
        let shown = self.disk.faults_shown();
        let written = snapper.write();
        if self.disk.is_dead() {
            self.hit("crash in a snapshot");
            return false;
        }
        match written {
            Ok(Some(_)) => self.hit("snapshot written"),
            Ok(None) => {}
            Err(_) if self.disk.faults_shown() > shown => {
                self.hit("snapshot given up after a fault")
            }
            Err(reason) => self.must_not(format!("no snapshot on a healthy disk: {reason}")),
        }
        true
    }

    /// The flusher works; the answers it settles leave only with [`Crew::settle`]. `None` when it is at work already.
    pub(super) fn flush(&self, seal: bool) -> Option<Result<Flushed, Stopped>> {
        let mut flusher = at_rest(&self.flusher)?;
        if self.disk.is_dead() || self.seen(|seen| seen.stopped) {
            return None;
        }
        let grave = self.disk.grave_faults();
        let flushed = if seal {
            flusher.seal()
        } else {
            flusher.flush()
        };
        self.note(&flusher);
        self.seen(|seen| {
            seen.seals += u64::from(seal && flushed.as_ref().is_ok_and(|done| done.synced));
            // The writer's thread may be anywhere when the flusher returns: what is durable may have been told already.
            if let Ok(done) = &flushed {
                seen.durable = seen.durable.max(done.durable.sequence);
            }
        });
        let passed_over = self.disk.grave_faults() > grave && flushed.is_ok();
        if passed_over && !self.blind && !self.disk.is_dead() {
            self.must_not(String::from(
                "the flusher went on after an error of the disk",
            ));
        }
        Some(flushed)
    }

    pub(super) fn settle(&self, flushed: &Result<Flushed, Stopped>) {
        if self.disk.is_dead() {
            return;
        }
        if flushed.is_err() {
            self.seen(|seen| seen.stopped = true);
        }
        self.handle.settle(flushed);
    }

    fn note(&self, flusher: &FileFlusher<SimDisk>) {
        let stats = flusher.stats();
        self.seen(|seen| {
            seen.segments = seen.segments.max(stats.segments);
            seen.rolls = stats.rolls;
        });
        self.handle.note_log(stats);
    }

    /// The log gives up what it may.
    pub(super) fn trim(&self, wall_ms: u64) {
        let snapped = self.handle.snapped();
        let Some(mut flusher) = at_rest(&self.flusher) else {
            return;
        };
        if snapped == 0 || self.disk.is_dead() || self.seen(|seen| seen.stopped) {
            return;
        }
        let last = self.seen(|seen| seen.witnessed.last().map_or(0, |kept| kept.number));
        if snapped > self.seen(|seen| seen.witnessed_to) {
            match witness(&self.disk, &self.options, snapped) {
                Ok(frames) => self.seen(|seen| {
                    seen.witnessed_to = snapped;
                    let fresh = frames.into_iter().filter(|kept| kept.number > last);
                    seen.witnessed.extend(fresh);
                }),
                Err(error) => self.must_not(error),
            }
        }
        let rule = self.settings.trim(snapped, Timestamp(wall_ms));
        self.disk.trims(true);
        let grave = self.disk.grave_faults();
        let trimmed = flusher.trim(&rule);
        self.disk.trims(false);
        self.note(&flusher);
        let oldest = match &trimmed {
            Ok(trimmed) => trimmed.oldest_sequence,
            Err(_) => snapped + 1,
        };
        self.seen(|seen| seen.oldest = seen.oldest.max(oldest));
        if self.disk.is_dead() {
            self.hit("crash in a trim");
            return;
        }
        if !self.blind && self.disk.grave_faults() > grave && trimmed.is_ok() {
            self.must_not(String::from("a trim went on after an error of the disk"));
        }
        match trimmed {
            Ok(trimmed) if trimmed.segments > 0 && oldest > snapped + 1 => self.must_not(format!(
                "the log begins at {}, two snapshots reach {snapped}",
                trimmed.oldest_sequence
            )),
            Ok(trimmed) if trimmed.segments > 0 => self.hit("segments trimmed"),
            Ok(_) => {}
            Err(stopped) => {
                drop(flusher);
                self.settle(&Err(stopped));
            }
        }
    }

    /// The flusher's part of an orderly end.
    pub(super) fn close(&self) -> Result<(), Stopped> {
        let closed = hold(&self.flusher).close();
        if closed.is_ok() {
            let last = self.deck(|deck| deck.writer.machine().sequence());
            self.seen(|seen| seen.durable = last);
        }
        closed
    }

    /// Whether the writer is done for good.
    pub(super) fn is_over(&self) -> bool {
        self.deck(|deck| deck.over)
    }

    /// When the writer wants its next turn, in milliseconds; `None` if nothing waits for time.
    pub(super) fn next_in_ms(&self) -> Option<u64> {
        self.deck(|deck| deck.next_in_ms)
    }

    /// The moment of the first turn since the last call.
    pub(super) fn first_turn(&self) -> Option<Now> {
        self.deck(|deck| deck.first_turn.take())
    }
}
