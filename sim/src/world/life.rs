//! One process life: the real engine, its parts driven by hand on the simulated disk, and what is asked of it.

use std::sync::Arc;

use mainstay::{Call, Durability, Handle, Outcome, Pending, Rejection, Replied};
use mainstay_log::{Flushed, Stopped};

use super::clock::SimClock;
use super::crew::{Crew, SimWriter};
use super::people::as_request;
use crate::oracle::{Asked, Entry, Request, Said};
use crate::rng::Rng;

type Decided = Result<Outcome, Rejection>;

/// An answer on its way.
enum Waiting {
    Decided(Pending<Decided>),
    Many(Pending<Vec<Decided>>),
    Answer(Pending<mainstay::Answer>),
    Nobody,
}

/// One process life.
pub(super) struct Life {
    pub(super) crew: Arc<Crew>,
    pub(super) handle: Handle,
    pub(super) history: Vec<Entry>,
    waiting: Vec<Waiting>,
    pub(super) draining: bool,
}

impl Life {
    pub(super) fn new(crew: Arc<Crew>) -> Life {
        Life {
            handle: crew.handle.clone(),
            crew,
            history: Vec::new(),
            waiting: Vec::new(),
            draining: false,
        }
    }

    pub(super) fn set_clock(&self, clock: SimClock) {
        self.crew.deck(|deck| deck.clock = clock);
    }

    pub(super) fn machine<T>(&self, look: impl FnOnce(&SimWriter) -> T) -> T {
        self.crew.deck(|deck| look(&deck.writer))
    }

    /// The last event known durable.
    pub(super) fn durable(&self) -> u64 {
        self.crew.seen(|seen| seen.durable)
    }

    /// The log has stopped.
    pub(super) fn stopped(&self) -> bool {
        self.crew.seen(|seen| seen.stopped)
    }

    /// Sends one request.
    pub(super) fn ask(&mut self, id: u64, request: Request) {
        let tenant = request.tenant;
        let durability = match request.deferred {
            true => Durability::Deferred,
            false => Durability::Immediate,
        };
        let waiting = match &request.asked {
            Asked::Call(call) => {
                let call = as_request(id, tenant, (**call).clone());
                Waiting::Decided(self.handle.call_with(call, durability))
            }
            Asked::Many(calls) => {
                let calls = calls.iter().zip(id..);
                let calls = calls.map(|(call, id)| as_request(id, tenant, call.clone()));
                Waiting::Many(self.handle.call_many_with(calls.collect(), durability))
            }
            Asked::Claim(claim) => {
                let nothing = Call::new(mainstay::Command::Tick);
                let principal = as_request(id, tenant, nothing).principal;
                let wait = core::time::Duration::from_millis(request.wait_ms);
                Waiting::Decided(self.handle.claim(principal, (**claim).clone(), wait))
            }
            Asked::Query(query) => Waiting::Answer(self.handle.ask(tenant, *query)),
        };
        self.history.push(Entry {
            id,
            request,
            now: None,
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
        self.crew.turn();
        self.date();
    }

    /// Dates what was asked before the first turn since.
    pub(super) fn date(&mut self) {
        let Some(now) = self.crew.first_turn() else {
            return;
        };
        for entry in self.history.iter_mut().rev() {
            if entry.now.is_some() {
                break;
            }
            entry.now = Some(now);
        }
    }

    /// The flusher works; the answers it settles leave only with [`Crew::settle`].
    pub(super) fn flush(&mut self, seal: bool) -> Option<Result<Flushed, Stopped>> {
        let flushed = self.crew.flush(seal);
        self.date();
        flushed
    }

    /// Ends in order.
    pub(super) fn close(&mut self) -> Result<(), Stopped> {
        self.handle.stop();
        self.turn();
        let closed = self.crew.close();
        self.date();
        closed
    }

    pub(super) fn settle_close(&mut self, closed: &Result<(), Stopped>) {
        self.handle.settle_close(closed);
        self.crew.seen(|seen| seen.stopped = closed.is_err());
    }

    pub(super) fn open_count(&self) -> usize {
        let open = |waiting: &&Waiting| !matches!(waiting, Waiting::Nobody);
        self.waiting.iter().filter(open).count()
    }

    /// Callers who will never hear: with the writer, claims that wait in it go, and are told so.
    pub(super) fn stuck_count(&self, writer_is_gone: bool) -> usize {
        let both = self.waiting.iter().zip(&self.history);
        both.filter(|(waiting, entry)| {
            let told_by_drop = writer_is_gone && entry.request.wait_ms > 0;
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
        durable: replied.durable,
    }
}
