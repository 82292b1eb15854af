//! What the writer does with each request: the machine decides, the answer is parked.
//! Owns: the path from a request to events in a frame and an answer behind it.
//! Never: lets an answer pass its frame.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mainstay_core::{
    Call, Claim, Command, Departure, Event, Fence, Finish, FinishOutcome, Outcome, Principal,
    Rejection, RunId, TenantId, codec,
};
use mainstay_log::{Log, Stopped};

use super::model::{FRAME_SOFT_BYTES, Writer};
use crate::call::{CallError, Durability, Reply};
use crate::inbox::{Decided, Request};
use crate::reads::{self, Question};
use crate::release::{Fate, Parcel, Parked};
use crate::waiters::Waiter;

impl<L: Log> Writer<L> {
    /// Serves one request. Gives the number of frames appended on the way.
    pub(super) fn serve(&mut self, request: Request) -> Result<u32, Stopped> {
        match request {
            Request::Call(call, durability, reply) => {
                let before = self.machine.sequence();
                let unkeyed = unkeyed_claim(std::slice::from_ref(&*call));
                let decided = self.decide_with(*call, durability);
                self.park_with(Parcel::Decided(reply, decided, unkeyed), before, durability);
            }
            Request::Calls(calls, durability, reply) => {
                return self.serve_many(calls, durability, reply);
            }
            Request::Claim(principal, claim, wait, reply) => {
                self.serve_claim(principal, claim, wait, reply)
            }
            Request::Ask(tenant, query, reply) => {
                let answer = self.look(tenant, &query);
                let now = self.now;
                let asked = reads::is_wanting(&answer);
                let question = asked.then_some(Question { tenant, query, now });
                let parcel = Parcel::Answer(reply, answer, question);
                self.park(parcel, self.machine.sequence());
            }
            Request::Release(principal, grants) => self.give_back(&principal, grants),
            Request::Stored(sequence) => self.note_stored(sequence),
            Request::Cut => self.desk.cut_now = true,
            Request::Drain => self.drain(),
            Request::Stop => self.stopping = true,
        }
        self.close_if_full()
    }

    fn serve_many(
        &mut self,
        calls: Vec<Call>,
        durability: Durability,
        reply: Reply<Vec<Decided>>,
    ) -> Result<u32, Stopped> {
        let before = self.machine.sequence();
        let mut frames = 0;
        let mut decided = Vec::with_capacity(calls.len());
        let unkeyed = unkeyed_claim(&calls);
        let mut closed = Ok(0);
        for call in calls {
            decided.push(self.decide_with(call, durability));
            closed = self.close_if_full();
            let Ok(more) = closed else { break };
            frames += more;
        }
        // Parked also when the log stops half-way: what it took before is unknown, not undone.
        self.park_with(Parcel::Many(reply, decided, unkeyed), before, durability);
        closed.map(|_| frames)
    }

    fn serve_claim(
        &mut self,
        principal: Principal,
        claim: Box<Claim>,
        wait: Duration,
        reply: Reply<Decided>,
    ) {
        if self.draining {
            self.park(
                Parcel::Decided(reply, Ok(Outcome::Claimed(Vec::new())), None),
                self.machine.sequence(),
            );
            return;
        }
        if reply.is_abandoned() {
            return;
        }
        if !wait.is_zero() && !self.waiters.have_room(&claim) {
            reply.send(Err(CallError::Busy { limit: "waiters" })).ok();
            return;
        }
        let until = self
            .now
            .steady
            .plus_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let waiter = Waiter {
            principal,
            claim,
            until,
            reply,
        };
        if let Some(waiter) = self.try_claim(waiter) {
            if wait.is_zero() {
                self.answer_empty(waiter);
            } else {
                self.wait(waiter);
            }
        }
    }

    /// Lets a claim wait. An actor's waits for everything that the actor is able to do.
    fn wait(&mut self, mut waiter: Waiter) {
        if waiter.claim.actor.is_some() {
            let tenant = waiter.principal.tenant;
            waiter.claim.capabilities = self.machine.able_to(tenant, &waiter.claim);
        }
        self.waiters.add(waiter);
    }

    /// Tries a claim; gives it back when there was nothing for it.
    fn try_claim(&mut self, waiter: Waiter) -> Option<Waiter> {
        let before = self.machine.sequence();
        let call = Call {
            principal: waiter.principal.clone(),
            expected_sequence: None,
            expected_state: None,
            reason: None,
            command: Command::Claim(waiter.claim.clone()),
        };
        let decided = self.decide(call);
        if matches!(&decided, Ok(Outcome::Claimed(grants)) if grants.is_empty())
            && !self.repeats(&waiter)
        {
            return Some(waiter);
        }
        let unkeyed = waiter
            .claim
            .idempotency_key
            .is_none()
            .then_some(waiter.principal);
        if self.plant.leases_leave_early {
            let sequence = self.machine.sequence();
            waiter
                .reply
                .send(Ok(crate::call::Replied {
                    value: decided,
                    sequence,
                    durable: true,
                }))
                .ok();
            return None;
        }
        self.park(Parcel::Decided(waiter.reply, decided, unkeyed), before);
        None
    }

    /// Whether the claim repeats one that was granted before: it must not wait, nor keep those behind it waiting.
    fn repeats(&mut self, waiter: &Waiter) -> bool {
        let tenant = waiter.principal.tenant;
        let key = waiter.claim.idempotency_key.as_ref();
        let Some(key) = key else { return false };
        let wanted = mainstay_core::Wanted::Key(mainstay_core::KeyClass::Claim, key.clone());
        let facts = self.recall(tenant, &[wanted]).unwrap_or_default();
        self.machine.has_claimed(&facts, tenant, key)
    }

    fn answer_empty(&mut self, waiter: Waiter) {
        let empty = Ok(Outcome::Claimed(Vec::new()));
        self.park(
            Parcel::Decided(waiter.reply, empty, None),
            self.machine.sequence(),
        );
    }

    /// Tries waiting claims where work has appeared: one after another, until of those that ask for the same one finds nothing.
    pub(super) fn wake_waiters(&mut self) {
        let mut woken = std::mem::take(&mut self.woken);
        self.machine.take_woken(&mut woken);
        if self.waiters.is_empty() {
            woken.clear();
        }
        for place in woken.drain(..) {
            let mut dry = BTreeSet::new();
            while let Some((id, place, waiter)) = self.waiters.take_for(&place, &dry) {
                if waiter.reply.is_abandoned() {
                    continue;
                }
                if let Some(waiter) = self.try_claim(waiter) {
                    self.waiters.put_back(id, waiter);
                    dry.insert(place);
                }
            }
        }
        self.woken = woken;
        // A claim that only cleared blocked runs away says that there is more to see: the next turn comes at once.
        self.machine.take_woken(&mut self.woken);
        if self.waiters.is_empty() {
            self.woken.clear();
        }
    }

    /// Answers the waiting claims of actors that get nothing any more.
    pub(super) fn dismiss(&mut self) {
        for (tenant, actor) in std::mem::take(&mut self.departed) {
            for waiter in self.waiters.take_of(tenant, actor) {
                if let Some(waiter) = self.try_claim(waiter) {
                    self.answer_empty(waiter);
                }
            }
        }
    }

    /// Notes which actors a command took out of work, for their waiting claims.
    fn note_departed(&mut self) {
        for entry in &self.events {
            match &entry.event {
                Event::ActorDraining(told) => self.departed.push((entry.tenant, told.actor)),
                Event::ActorDeregistered(told) => self.departed.push((entry.tenant, told.actor)),
                _ => {}
            }
        }
    }

    /// Answers waiting claims whose time is over.
    pub(super) fn end_waits(&mut self) {
        while let Some(waiter) = self.waiters.take_ended(self.now.steady) {
            self.answer_empty(waiter);
        }
    }

    fn drain(&mut self) {
        self.draining = true;
        self.shared.set_draining();
        while let Some(waiter) = self.waiters.take_any() {
            self.answer_empty(waiter);
        }
    }

    fn give_back(&mut self, principal: &Principal, grants: Vec<(TenantId, RunId, Fence)>) {
        for (tenant, run, fence) in grants {
            let finish = Finish {
                outcome: FinishOutcome::Released,
                ..Finish::success(run, fence, None)
            };
            let holder = Principal {
                tenant,
                ..principal.clone()
            };
            let call = Call::by(&holder, Command::Finish(Box::new(finish)));
            // A refusal means that the lease ended meanwhile: then there is nothing to give back.
            self.decide(call).ok();
        }
    }

    /// Decides one command of a caller who says when to be answered.
    fn decide_with(&mut self, call: Call, durability: Durability) -> Decided {
        if durability == Durability::Deferred && !call.command.submits() {
            return Err(Rejection::InvalidRequest {
                field: "durability",
                message: "only a submit may be deferred".into(),
            });
        }
        self.decide(call)
    }

    /// Decides one command; its events go straight into the frame being filled.
    pub(super) fn decide(&mut self, mut call: Call) -> Decided {
        if self.draining && matches!(call.command, Command::Claim(_)) {
            return Ok(Outcome::Claimed(Vec::new()));
        }
        let kind = call.command.code();
        let may_end_work = call.command.may_end_work();
        let reason = call.control_reason().map(|reason| reason.cloned());
        let first = self.machine.sequence() + 1;
        self.events.clear();
        let facts = self.facts_before(&call);
        let mut decided = self.step(&facts, &mut call);
        if let Err(refused) = &decided
            && let Some(wanted) = self.machine.wanted_after(refused)
            && let Some(facts) = self.recall(call.principal.tenant, &[wanted])
        {
            decided = self.step(&facts, &mut call);
        }
        if may_end_work && !self.waiters.is_empty() {
            self.note_departed();
        }
        if matches!(decided, Ok(Outcome::EngineResumed)) {
            self.woken.extend(self.waiters.all_queues());
        }
        if !self.events.is_empty() {
            self.publish_platform();
            if self.body_commands == 0 {
                self.body_first_sequence = first;
            }
            let control = reason.as_ref().map(Option::as_ref);
            codec::encode(
                &mut self.body,
                &call.principal,
                self.previous.as_ref(),
                kind,
                control,
                &self.events,
            );
            self.body_commands += 1;
            if let Some(reason) = reason {
                if matches!(call.command, Command::Operate(_)) {
                    self.shared.operations.ring();
                }
                self.note_control(kind, reason, &call.principal, first);
            }
            self.previous = Some(call.principal);
        }
        decided
    }

    /// Counts the actors that the tick just decided missed.
    pub(super) fn count_silent(&self) {
        let is_silence = |entry: &&mainstay_core::Entry| matches!(&entry.event, Event::ActorDeregistered(gone) if gone.cause == Departure::Silent);
        let silent = self.events.iter().filter(is_silence).count() as u64;
        if silent > 0 {
            let counter = &self.shared.counters.actors_silent;
            counter.fetch_add(silent, Ordering::Relaxed);
        }
    }

    /// Tells caches of keys to look again. Now, not when the frame is durable: what they then ask is answered behind that frame.
    fn publish_platform(&mut self) {
        let version = self.machine.access_version();
        if version != self.platform {
            self.platform = version;
            self.shared.platform.store(version, Ordering::Release);
        }
    }

    /// The end, when the store could not be read: what was decided without it must not be answered.
    pub(super) fn sound(&mut self) -> Result<(), Stopped> {
        match self.desk.broken.take() {
            None => Ok(()),
            Some(error) => Err(Stopped::Storage {
                operation: "read",
                file: "store".to_owned(),
                kind: std::io::ErrorKind::Other,
                message: error.to_string(),
            }),
        }
    }

    /// Parks an answer behind the frame being filled, or behind the last one when it wrote nothing.
    fn park(&mut self, parcel: Parcel, sequence_before: u64) {
        self.park_with(parcel, sequence_before, Durability::Immediate);
    }

    fn park_with(&mut self, parcel: Parcel, sequence_before: u64, durability: Durability) {
        let sequence = self.machine.sequence();
        let fate = match sequence > sequence_before {
            true => Fate::Written,
            false => Fate::Nothing,
        };
        self.parcels.push(Parked {
            frame: 0,
            sequence,
            fate,
            // A refusal, and a task that was found, show what may not be durable yet.
            early: durability == Durability::Deferred && parcel.is_submitted(),
            before: sequence_before,
            parcel,
        });
    }

    pub(super) fn close_if_full(&mut self) -> Result<u32, Stopped> {
        if self.body.len() >= FRAME_SOFT_BYTES {
            self.close_frame()
        } else {
            Ok(0)
        }
    }

    /// Records the start of this process life in the log, before anything is served.
    pub(crate) fn start(
        &mut self,
        raw: crate::clock::Raw,
        id_seed: u64,
        incarnation: u64,
        downtime_ms: u64,
    ) {
        let (now, _) = self.clock.observe(raw, id_seed);
        self.now = now;
        self.decide(Call::new(Command::Start {
            incarnation,
            downtime_ms,
        }))
        .ok();
        // A frame of its own: the first turn comes later, and a frame has one time. A log just opened takes it.
        self.close_frame().ok();
    }
}

/// Who claims without a key among these calls: such grants go back when nobody takes the answer.
fn unkeyed_claim(calls: &[Call]) -> Option<Principal> {
    let unkeyed = |call: &&Call| matches!(&call.command, Command::Claim(claim) if claim.idempotency_key.is_none());
    calls
        .iter()
        .find(unkeyed)
        .map(|call| call.principal.clone())
}
