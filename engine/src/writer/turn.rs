//! One turn: take what waits, decide it, let time pass, append, release what is durable.
//! Owns: the order within a turn: what workers and clients report comes before what time does.
//! Never: waits to fill a batch.

use std::sync::atomic::Ordering;

use mainstay_core::{Call, Command, Outcome};
use mainstay_log::{Log, Stopped};

use super::model::{TURN_BYTES_MAX, TURN_COMMANDS_MAX, Turn, Writer};
use crate::clock::Raw;
use crate::release::{Fate, Parked};
use crate::shared::Status;

impl<L: Log> Writer<L> {
    /// Decides everything that waits, at one moment.
    ///
    /// # Errors
    /// The log's end. The writer has then answered everybody and must not be driven any more.
    pub fn turn(&mut self, raw: Raw, id_seed: u64) -> Result<Turn, Stopped> {
        let turned = self.decide_all(raw, id_seed);
        if let Err(stopped) = &turned {
            self.fail(&stopped.to_string());
        }
        turned
    }

    fn decide_all(&mut self, raw: Raw, id_seed: u64) -> Result<Turn, Stopped> {
        let (now, adopted) = self.clock.observe(raw, id_seed);
        self.now = now;
        if let Some(ahead_ms) = adopted {
            self.decide(Call::new(Command::AdoptClock { ahead_ms }))
                .ok();
        }
        let mut requests = std::mem::take(&mut self.requests);
        self.shared
            .inbox
            .take(&mut requests, TURN_COMMANDS_MAX, TURN_BYTES_MAX);
        let commands = requests.len();
        let mut frames = 0;
        let mut left = requests.drain(..);
        while let Some(request) = left.next() {
            match self
                .serve(request)
                .and_then(|more| self.sound().map(|()| more))
            {
                Ok(more) => frames += more,
                Err(stopped) => {
                    self.requests.extend(left);
                    return Err(stopped);
                }
            }
        }
        drop(left);
        self.requests = requests;
        frames += self.pass_time()?;
        self.wake_waiters();
        self.dismiss();
        self.end_waits();
        frames += self.close_frame()?;
        self.let_leave();
        self.cut_if_due();
        let counters = &self.shared.counters;
        let waiters = self.waiters.len() as u64;
        counters.waiters.store(waiters, Ordering::Relaxed);
        counters.turns.fetch_add(1, Ordering::Relaxed);
        counters.wall_ms.store(self.now.wall.0, Ordering::Relaxed);
        // What was parked may be durable already: reads, refusals, heartbeats.
        self.shared.release(self.log.durable().frame);
        Ok(Turn {
            commands,
            frames,
            next_in_ms: self.next_in_ms(),
            done: self.stopping,
        })
    }

    /// Answers everybody when the flusher has stopped meanwhile; true when it has.
    pub fn end_if_stopped(&mut self) -> bool {
        let Status::Stopped { cause } = self.shared.status() else {
            return false;
        };
        self.fail(&cause);
        true
    }

    /// Lets time pass, in bounded steps: one frame holds at most a few of them, the rest comes with the next turn.
    fn pass_time(&mut self) -> Result<u32, Stopped> {
        let mut frames = 0;
        for _ in 0..8 {
            if self.machine.next_deadline_in_ms(&self.now) != Some(0) {
                break;
            }
            let more = self.decide(Call::new(Command::Tick));
            self.count_silent();
            frames += self.close_if_full()?;
            if !matches!(more, Ok(Outcome::Ticked { more: true })) {
                break;
            }
        }
        Ok(frames)
    }

    fn next_in_ms(&self) -> Option<u64> {
        if !self.woken.is_empty() {
            return Some(0);
        }
        let wait = self
            .waiters
            .next_end()
            .map(|until| until.since_ms(self.now.steady));
        let deadline = self.machine.next_deadline_in_ms(&self.now);
        let store = self.store_next_in_ms();
        [wait, deadline, store].into_iter().flatten().min()
    }

    /// Ends everything: the frames in flight are unknown, everything else was never done.
    pub(crate) fn fail(&mut self, cause: &str) {
        self.shared.set_stopped(cause);
        self.shared.release.fail(cause);
        // Their frame was never queued; of a batch, earlier frames may have been.
        for parcel in self.parcels.drain(..) {
            let fate = match parcel.fate {
                Fate::Written if parcel.before >= self.appended => Fate::Dropped,
                fate => fate,
            };
            let sequence = self.appended;
            let ended = Parked {
                fate,
                sequence,
                ..parcel
            };
            ended.fail(cause);
        }
        while let Some(waiter) = self.waiters.take_any() {
            waiter
                .reply
                .send(Err(crate::call::CallError::Stopped {
                    cause: cause.to_owned(),
                }))
                .ok();
        }
        for request in self.requests.drain(..).chain(self.shared.inbox.close()) {
            request.refuse(cause);
        }
    }
}
