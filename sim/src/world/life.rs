//! One process life: the real writer and flusher, driven by hand on the simulated disk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mainstay::{
    Call, Handle, Now, Opening, Outcome, Pending, Rejection, Replied, TenantId, Writer,
};
use mainstay_log::{FileFlusher, FileLog, Flush, Flushed, Stopped};

use super::clock::SimClock;
use super::people::as_request;
use crate::disk::SimDisk;
use crate::oracle::{Asked, Entry, Said};
use crate::rng::Rng;

type Decided = Result<Outcome, Rejection>;
type SimWriter = Writer<FileLog<SimDisk>>;

/// An answer on its way.
enum Waiting {
    Decided(Pending<Decided>),
    Many(Pending<Vec<Decided>>),
    Answer(Pending<mainstay::Answer>),
    Nobody,
}

/// What a turn needs, shared with the hook that takes turns inside a flush.
pub(super) struct Deck {
    writer: SimWriter,
    rng: Rng,
    clock: SimClock,
    /// The writer has answered everybody and is done.
    over: bool,
    /// The moment of the first turn since requests were last looked at.
    first_turn: Option<Now>,
    inside: u64,
    /// When the writer wants its next turn.
    next_in_ms: Option<u64>,
}

impl Deck {
    fn turn(&mut self) {
        if self.over {
            return;
        }
        let seed = self.rng.draw();
        let turned = self.writer.turn(self.clock.raw(), seed);
        self.over = match turned {
            Err(_) => true,
            Ok(turn) => {
                self.next_in_ms = turn.next_in_ms;
                self.writer.end_if_stopped() || turn.done
            }
        };
        let now = self.writer.now();
        self.first_turn.get_or_insert(now);
    }
}

/// One process life.
pub(super) struct Life {
    deck: Arc<Mutex<Deck>>,
    flusher: FileFlusher<SimDisk>,
    pub(super) handle: Handle,
    pub(super) history: Vec<Entry>,
    waiting: Vec<Waiting>,
    pub(super) draining: bool,
    /// The last event known durable.
    pub(super) durable: u64,
    /// The log has stopped.
    pub(super) stopped: bool,
    pub(super) seals: u64,
}

fn hold(deck: &Mutex<Deck>) -> MutexGuard<'_, Deck> {
    deck.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Life {
    pub(super) fn new(
        opening: Opening<SimDisk>,
        rng: Rng,
        clock: SimClock,
        plant: mainstay::Plant,
    ) -> Life {
        let mut writer = opening.writer;
        writer.plant(plant);
        let deck = Deck {
            writer,
            rng,
            clock,
            over: false,
            first_turn: None,
            inside: 0,
            next_in_ms: None,
        };
        Life {
            deck: Arc::new(Mutex::new(deck)),
            flusher: opening.flusher,
            handle: opening.handle,
            history: Vec::new(),
            waiting: Vec::new(),
            draining: false,
            durable: opening.recovery.last_sequence,
            stopped: false,
            seals: 0,
        }
    }

    /// Lets the writer take turns while the flusher is between two disk calls, as its own thread does.
    pub(super) fn hook(&self, disk: &SimDisk) {
        let deck = Arc::clone(&self.deck);
        disk.set_hook(Some(Arc::new(move || {
            let mut deck = hold(&deck);
            if deck.rng.chance(25) {
                deck.inside += 1;
                deck.turn();
            }
        })));
    }

    /// When the writer wants its next turn, in milliseconds; `None` if nothing waits for time.
    pub(super) fn next_in_ms(&self) -> Option<u64> {
        hold(&self.deck).next_in_ms
    }

    pub(super) fn turns_inside(&self) -> u64 {
        hold(&self.deck).inside
    }

    pub(super) fn set_clock(&self, clock: SimClock) {
        hold(&self.deck).clock = clock;
    }

    pub(super) fn machine<T>(&self, look: impl FnOnce(&SimWriter) -> T) -> T {
        look(&hold(&self.deck).writer)
    }

    /// Sends one request.
    pub(super) fn ask(&mut self, id: u64, asked: Asked, wait_ms: u64) {
        let waiting = match &asked {
            Asked::Call(call) => {
                Waiting::Decided(self.handle.call(as_request(id, (**call).clone())))
            }
            Asked::Many(calls) => {
                let calls = calls.iter().zip(id..);
                let calls = calls.map(|(call, id)| as_request(id, call.clone()));
                Waiting::Many(self.handle.call_many(calls.collect()))
            }
            Asked::Claim(claim) => {
                let principal = as_request(id, Call::new(mainstay::Command::Tick)).principal;
                let wait = core::time::Duration::from_millis(wait_ms);
                Waiting::Decided(self.handle.claim(principal, (**claim).clone(), wait))
            }
            Asked::Query(query) => Waiting::Answer(self.handle.ask(TenantId::DEFAULT, *query)),
        };
        self.history.push(Entry {
            id,
            asked,
            now: None,
            wait_ms,
            dropped: false,
            draining: false,
            answer: None,
        });
        self.waiting.push(waiting);
    }

    /// Somebody hangs up.
    pub(super) fn hang_up(&mut self, rng: &mut Rng) {
        let open: Vec<usize> = (0..self.waiting.len())
            .filter(|at| matches!(self.waiting[*at], Waiting::Decided(_)))
            .collect();
        if open.is_empty() {
            return;
        }
        let at = *rng.pick(&open);
        self.waiting[at] = Waiting::Nobody;
        self.history[at].dropped = true;
    }

    /// The writer takes a turn.
    pub(super) fn turn(&mut self) {
        hold(&self.deck).turn();
        self.date();
    }

    /// Dates what was asked before the first turn since.
    fn date(&mut self) {
        let Some(now) = hold(&self.deck).first_turn.take() else {
            return;
        };
        for entry in self.history.iter_mut().rev() {
            if entry.now.is_some() {
                break;
            }
            entry.now = Some(now);
        }
    }

    /// The flusher works; the answers it settles leave only with [`Life::settle`].
    pub(super) fn flush(&mut self, seal: bool) -> Result<Flushed, Stopped> {
        let flushed = if seal {
            self.flusher.seal()
        } else {
            self.flusher.flush()
        };
        self.seals += u64::from(seal && flushed.as_ref().is_ok_and(|done| done.synced));
        self.date();
        flushed
    }

    pub(super) fn settle(&mut self, flushed: &Result<Flushed, Stopped>) {
        if let Ok(done) = flushed {
            self.durable = self.durable.max(done.durable.sequence);
        } else {
            self.stopped = true;
        }
        self.handle.settle(flushed);
    }

    /// Ends in order.
    pub(super) fn close(&mut self) -> Result<(), Stopped> {
        self.handle.stop();
        self.turn();
        let closed = self.flusher.close();
        self.date();
        if closed.is_ok() {
            self.durable = self.machine(|writer| writer.machine().sequence());
        }
        closed
    }

    pub(super) fn settle_close(&mut self, closed: &Result<(), Stopped>) {
        self.handle.settle_close(closed);
        self.stopped = closed.is_err();
    }

    /// Whether the writer is done for good.
    pub(super) fn is_over(&self) -> bool {
        hold(&self.deck).over
    }

    pub(super) fn open_count(&self) -> usize {
        let open = |waiting: &&Waiting| !matches!(waiting, Waiting::Nobody);
        self.waiting.iter().filter(open).count()
    }

    /// Callers who will never hear: with the writer, claims that wait in it go, and are told so.
    pub(super) fn stuck_count(&self, writer_is_gone: bool) -> usize {
        let both = self.waiting.iter().zip(&self.history);
        both.filter(|(waiting, entry)| {
            let told_by_drop = writer_is_gone && entry.wait_ms > 0;
            !matches!(waiting, Waiting::Nobody) && !told_by_drop
        })
        .count()
    }

    /// Takes the answers that have left since; gives their places in the history.
    pub(super) fn collect(&mut self) -> Vec<usize> {
        let mut arrived = Vec::new();
        for (at, waiting) in self.waiting.iter_mut().enumerate() {
            let answer = match waiting {
                Waiting::Decided(pending) => pending
                    .try_take()
                    .map(|answer| answer.map(|replied| replied_as(replied, Said::Decided))),
                Waiting::Many(pending) => pending
                    .try_take()
                    .map(|answer| answer.map(|replied| replied_as(replied, Said::Many))),
                Waiting::Answer(pending) => pending.try_take().map(|answer| {
                    answer
                        .map(|replied| replied_as(replied, |answer| Said::Answer(Box::new(answer))))
                }),
                Waiting::Nobody => None,
            };
            if let Some(answer) = answer {
                self.history[at].answer = Some(answer);
                self.history[at].draining = self.draining;
                *waiting = Waiting::Nobody;
                arrived.push(at);
            }
        }
        arrived
    }
}

fn replied_as<T>(replied: Replied<T>, say: impl FnOnce(T) -> Said) -> Replied<Said> {
    Replied {
        value: say(replied.value),
        sequence: replied.sequence,
    }
}
