//! A life: a machine and the model go through the same acts, and every law is checked after each of them.

use std::collections::{BTreeSet, VecDeque};

use mainstay_core::{
    Answer, Bytes, Call, CheckpointPut, Claim, Command, Cut, Entry, Event, Facts, Fence, Finish,
    FinishOutcome, HeartbeatItem, HoldPolicy, Machine, Now, Outcome, Principal, Query, Rejection,
    RunError, RunId, RunState, RunView, SafetyLevel, TRANSITIONS, TaskId, TaskSpec, Text,
    Timestamp, codec,
};

use super::act::{Act, Wish};
use super::model::Model;
use super::shelf::looked_up_for;
use crate::shelf::Shelf;

const BASE_MS: u64 = 1_800_000_000_000;
pub(super) const QUEUES: [&str; 2] = ["one", "two"];
const KINDS: [&str; 2] = ["mail", "sms"];

/// A machine, its model and its log.
pub(crate) struct Life {
    pub(super) machine: Machine,
    pub(super) model: Model,
    pub(super) now: Now,
    ahead_ms: u64,
    incarnation: u64,
    pub(super) log: Vec<(Now, Vec<Entry>)>,
    bodies: Vec<(Now, Vec<u8>)>,
    last_task: u128,
    /// Requests that carried a key.
    keyed: Vec<Command>,
    pub(super) shelf: Shelf,
    pub(super) waiting: VecDeque<Cut>,
    pub(super) seen: BTreeSet<&'static str>,
}

fn chosen<'a>(names: &[&'a str], mask: u8) -> Vec<&'a str> {
    let named = names.iter().enumerate();
    named
        .filter(|(at, _)| mask & 1 << at != 0)
        .map(|(_, name)| *name)
        .collect()
}

pub(super) fn texts(names: &[&str]) -> Vec<Text> {
    names.iter().map(|name| Text::from(*name)).collect()
}

impl Life {
    pub(crate) fn new() -> Life {
        let mut life = Life {
            machine: Machine::new(3),
            model: Model::default(),
            now: Now::at(Timestamp(BASE_MS), 0),
            ahead_ms: 0,
            incarnation: 0,
            log: Vec::new(),
            bodies: Vec::new(),
            last_task: 0,
            keyed: Vec::new(),
            shelf: Shelf::default(),
            waiting: VecDeque::new(),
            seen: BTreeSet::new(),
        };
        life.start(0);
        life
    }

    /// Lives through the acts and checks at the end what takes longer. Gives the events and refusals that were met.
    pub(crate) fn live(mut self, acts: &[Act]) -> BTreeSet<&'static str> {
        for act in acts {
            self.act(act);
            if let Err(error) = self.machine.verify() {
                panic!("verify after {act:?}: {error}");
            }
        }
        self.check_views();
        self.check_replays();
        self.end();
        self.seen
    }

    pub(super) fn pass(&mut self, ms: u64) {
        let steady = self.now.steady.plus_ms(ms);
        self.now = Now {
            wall: Timestamp(BASE_MS + self.ahead_ms + steady.0),
            steady,
            id_seed: steady.0.wrapping_mul(31),
        };
    }

    fn step(&mut self, command: Command) -> Result<Outcome, Rejection> {
        self.call(Call::new(command))
    }

    fn call(&mut self, call: Call) -> Result<Outcome, Rejection> {
        let command = &call.command;
        let (kind, control) = (command.code(), command.control_reason().map(|r| r.cloned()));
        let before = (self.machine.digest_all(), self.machine.sequence());
        let principal = Principal::default();
        let (step, looked_up) = self.shelf.step(&mut self.machine, &self.now, call);
        if looked_up {
            self.seen.insert(looked_up_for(kind, &step.outcome));
        }
        let sequence = self.machine.sequence();
        assert_eq!(sequence, before.1 + step.events.len() as u64);
        if step.events.is_empty() {
            assert_eq!(
                before.0,
                self.machine.digest_all(),
                "no event, yet a change"
            );
        }
        if let Err(refused) = &step.outcome {
            assert!(step.events.is_empty(), "a refusal emits nothing");
            assert!(!refused.to_string().is_empty());
            self.seen.insert(refused.code());
        }
        for entry in &step.events {
            self.model.follow(&self.now, entry);
            self.seen.insert(entry.event.kind().name());
            if let Event::RunFailed(e) = &entry.event {
                self.seen.insert(e.cause.name());
            }
            if let Event::RunCanceled(e) = &entry.event {
                self.seen.insert(e.cause.name());
            }
        }
        let mut body = Vec::new();
        let control = control.as_ref().map(|reason| reason.as_ref());
        codec::encode(&mut body, &principal, None, kind, control, &step.events);
        self.bodies.push((self.now, body));
        self.log.push((self.now, step.events));
        step.outcome
    }

    fn events(&self) -> &[Entry] {
        self.log.last().map_or(&[], |(_, events)| events)
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Submit(wish) => self.submit(wish),
            Act::Claim {
                queues,
                kinds,
                max,
                lease_ms,
                idem,
            } => self.claim(*queues, *kinds, *max, *lease_ms, *idem),
            Act::Finish { .. } => self.finish(act),
            Act::Beat {
                token,
                stray,
                lease_ms,
            } => self.beat(*token, *stray, *lease_ms),
            Act::Checkpoint {
                token,
                stray,
                name,
                value,
            } => self.checkpoint(*token, *stray, *name, *value),
            Act::CancelRun { .. }
            | Act::CancelTask { .. }
            | Act::Suspend { .. }
            | Act::Resume { .. }
            | Act::Pause
            | Act::Unpause => self.control(act),
            Act::Tick => self.tick(),
            Act::Wait { ms } => self.pass(*ms),
            Act::Jump { ms } => {
                self.ahead_ms += ms;
                self.pass(0);
                let _ = self.step(Command::AdoptClock { ahead_ms: *ms });
            }
            Act::Restart { downtime_ms } => self.restart(*downtime_ms),
            Act::Repeat { back } => self.repeat(*back),
            Act::Probe => self.probe(),
            Act::Cut | Act::Store { .. } | Act::Reload { .. } => self.shelf_act(act),
        }
    }

    fn submit(&mut self, wish: &Wish) {
        let mut spec = TaskSpec::new(KINDS[usize::from(wish.kind)]);
        spec.queue = Text::from(QUEUES[usize::from(wish.queue)]);
        spec.priority = wish.priority;
        spec.payload.bytes = match wish.payload {
            4 => spec.payload.bytes,
            length => Bytes::from(format!("{:01$}", self.log.len(), length).into_bytes()),
        };
        spec.run_at = wish.delay_ms.map(|ms| self.now.wall.plus_ms(ms));
        let policy = spec.policy_mut();
        policy.max_attempts = wish.attempts;
        policy.max_lost_leases = wish.lost;
        policy.timeout_ms = wish.timeout_ms;
        policy.concurrency_key = wish.key.map(|key| Text::from(format!("key-{key}")));
        policy.concurrency_limit = wish.limit;
        if wish.release {
            policy.hold_policy = HoldPolicy::ReleaseOnRetry;
        }
        policy.safety_level = match wish.safety {
            0 => SafetyLevel::Pure,
            1 => SafetyLevel::Transactional,
            _ => SafetyLevel::Idempotent,
        };
        policy.retry.non_retryable = vec![Text::from("never")];
        if wish.idem.is_some() || wish.expires_ms.is_some() {
            spec.extras_mut().idempotency_key = wish.idem.map(|key| Text::from(format!("i-{key}")));
            spec.extras_mut().expires_at = wish.expires_ms.map(|ms| self.now.wall.plus_ms(ms));
        }
        let command = match wish.id {
            Some(id) => Command::SubmitAs(TaskId(u128::from(id)), Box::new(spec)),
            None => Command::Submit(Box::new(spec)),
        };
        if wish.idem.is_some() {
            self.keyed.push(command.clone());
        }
        self.send_submit(command);
    }

    fn send_submit(&mut self, command: Command) {
        let (Command::Submit(spec) | Command::SubmitAs(_, spec)) = &command else {
            panic!("{command:?} is no submit");
        };
        let minted = matches!(command, Command::Submit(_));
        let extras = spec.extras.as_deref();
        let key = extras.and_then(|extras| extras.idempotency_key.as_ref());
        let key = key.map(|key| format!("submit {key}"));
        let held = key.and_then(|key| self.model.key(&key, &self.now).cloned());
        let outcome = self.step(command);
        match (&outcome, &held) {
            (Ok(Outcome::Submitted(submitted)), Some(held)) => {
                assert!(!submitted.created, "a held key made a second task");
                assert_eq!(Some(submitted.task), held.task);
                assert_eq!(Some(submitted.run.run), held.run);
                let state = self.model.runs[&submitted.run.run].state;
                assert_eq!(submitted.run.state, state);
            }
            (Ok(Outcome::Submitted(submitted)), None) => assert!(submitted.created),
            (Err(Rejection::IdempotencyConflict { .. }), held) => assert!(held.is_some()),
            (other, _) => assert!(other.is_err(), "a submit came to {other:?}"),
        }
        if let Ok(Outcome::Submitted(submitted)) = &outcome
            && submitted.created
            && minted
        {
            assert!(submitted.task.0 > self.last_task);
            self.last_task = submitted.run.run.0;
        }
    }

    fn claim(&mut self, queues: u8, kinds: u8, max: u32, lease_ms: u64, idem: Option<u8>) {
        let (queues, kinds) = (chosen(&QUEUES, queues), chosen(&KINDS, kinds));
        let claim = Claim {
            worker: Text::from("w"),
            queues: texts(&queues),
            kinds: texts(&kinds),
            max,
            lease_ms: Some(lease_ms),
            idempotency_key: idem.map(|key| Text::from(format!("c-{key}"))),
            ..Claim::default()
        };
        if idem.is_some() {
            self.keyed.push(Command::Claim(Box::new(claim.clone())));
        }
        self.send_claim(claim);
    }

    fn send_claim(&mut self, claim: Claim) {
        let queues: Vec<&str> = claim.queues.iter().map(|name| &**name).collect();
        let kinds: Vec<&str> = claim.kinds.iter().map(|name| &**name).collect();
        let expected = self.model.claim(&self.now, &queues, &kinds, claim.max);
        let key = claim.idempotency_key.as_ref();
        let key = key.map(|key| format!("claim {key}"));
        let held = key.is_some_and(|key| self.model.key(&key, &self.now).is_some());
        let outcome = self.step(Command::Claim(Box::new(claim)));
        let started = self.events().iter().filter_map(|entry| match &entry.event {
            Event::RunStarted(e) => Some(e.run),
            _ => None,
        });
        let started: Vec<RunId> = started.collect();
        assert!(!held || started.is_empty(), "a held key found new work");
        let Ok(Outcome::Claimed(grants)) = outcome else {
            assert!(started.is_empty());
            return;
        };
        let granted: Vec<RunId> = grants.iter().map(|grant| grant.run).collect();
        if held {
            let live = |id: &RunId| self.model.runs[id].live.is_some();
            assert!(granted.iter().all(live), "a repeat gives live leases only");
        } else {
            assert_eq!(granted, started);
            assert_eq!(granted, expected, "claims come in order");
        }
        for grant in &grants {
            assert_eq!(self.model.runs[&grant.run].live, Some(grant.fence));
            self.check_payload(grant.task, &grant.payload, grant.stored_payload);
            if grant.stored_payload.is_some() {
                self.seen.insert("granted without payload");
            }
        }
    }

    /// A request with a key is sent again, word for word.
    fn repeat(&mut self, back: usize) {
        let last = self.keyed.len().max(1);
        match self.keyed.iter().rev().nth(back % last).cloned() {
            Some(Command::Claim(claim)) => self.send_claim(*claim),
            Some(command) => self.send_submit(command),
            None => {}
        }
    }

    /// A token that was granted once, mostly a late one; with `stray` beside a run that it does not belong to.
    fn token(&self, back: usize, stray: bool) -> Option<(RunId, Fence)> {
        let tokens = &self.model.tokens;
        let (run, fence) = *tokens.iter().rev().nth(back % tokens.len().max(1))?;
        if !stray {
            return Some((run, fence));
        }
        let mut others = self.model.order.iter().rev();
        let other = others.find(|other| **other != run);
        other.map(|other| (*other, fence))
    }

    /// Nobody but the holder of the live token changes a run through the worker's verbs.
    fn check_token(&self, run: RunId, was_live: bool, outcome: &Result<Outcome, Rejection>) {
        if was_live {
            assert!(
                !matches!(outcome, Err(Rejection::LeaseLost { .. })),
                "{run}"
            );
        } else {
            assert!(self.events().is_empty(), "a stale token changed something");
        }
    }

    fn finish(&mut self, act: &Act) {
        let Act::Finish {
            token,
            stray,
            outcome,
            output,
            error,
            after_ms,
            memo,
        } = act
        else {
            return;
        };
        let Some((run, fence)) = self.token(*token, *stray) else {
            return;
        };
        let error = (*error > 0).then(|| {
            let code = ["flaky", "never", "final"][usize::from(*error) - 1];
            let retryable = code != "final";
            let (code, message) = (Text::from(code), Text::from("m"));
            Box::new(RunError {
                code,
                message,
                retryable,
            })
        });
        let finish = Finish {
            run,
            fence,
            outcome: [
                FinishOutcome::Success,
                FinishOutcome::Failure,
                FinishOutcome::Suspended,
                FinishOutcome::Canceled,
                FinishOutcome::Released,
            ][usize::from(*outcome)],
            output: (*output > 0).then(|| Bytes::from(&b"[1]"[..])),
            error,
            retry_after_ms: *after_ms,
            reason: None,
            checkpoints: memo
                .map(|memo| {
                    (
                        Text::from(format!("n-{}", memo / 2)),
                        Bytes::from([memo % 2]),
                    )
                })
                .into_iter()
                .collect(),
            ..Finish::default()
        };
        let was_live = self.model.runs[&run].live == Some(fence);
        let told = self.step(Command::Finish(Box::new(finish.clone())));
        self.check_token(run, was_live, &told);
        if told.is_ok() {
            let again = self.step(Command::Finish(Box::new(finish)));
            assert_eq!(told, again, "the same word again is the same answer");
            assert!(self.events().is_empty());
        }
    }

    fn beat(&mut self, token: usize, stray: bool, lease_ms: u64) {
        let Some((run, fence)) = self.token(token, stray) else {
            return;
        };
        let was_live = self.model.runs[&run].live == Some(fence);
        let until = self.view(run).lease.map(|lease| lease.expires_at);
        let told = self.step(Command::Heartbeat(HeartbeatItem {
            run,
            fence,
            lease_ms: Some(lease_ms),
            progress: None,
        }));
        self.check_token(run, was_live, &told);
        if let Ok(Outcome::Beat(beat)) = told {
            assert!(Some(beat.expires_at) >= until, "a renewal never shortens");
            assert!(beat.expires_at >= self.now.wall.plus_ms(lease_ms));
        }
    }

    fn checkpoint(&mut self, token: usize, stray: bool, name: u8, value: u8) {
        let Some((run, fence)) = self.token(token, stray) else {
            return;
        };
        let was_live = self.model.runs[&run].live == Some(fence);
        let told = self.step(Command::Checkpoint(Box::new(CheckpointPut {
            run,
            fence,
            name: Text::from(format!("n-{name}")),
            value: Bytes::from([value]),
        })));
        self.check_token(run, was_live, &told);
    }

    fn any_run(&self, back: usize) -> RunId {
        let order = &self.model.order;
        let run = order.iter().rev().nth(back % order.len().max(1));
        run.copied().unwrap_or(RunId(9))
    }

    fn control(&mut self, act: &Act) {
        let reason = None;
        let command = match act {
            Act::CancelRun { run, force, .. } => Command::CancelRun {
                run: self.any_run(*run),
                force: *force,
                reason,
            },
            Act::CancelTask { task } => {
                let task = self.view_of(self.any_run(*task)).map(|view| view.task);
                let task = task.unwrap_or(TaskId(9));
                Command::CancelTask { task, reason }
            }
            Act::Suspend { run } => Command::SuspendRun {
                run: self.any_run(*run),
                reason,
            },
            Act::Resume { run, payload } => Command::ResumeRun {
                run: self.any_run(*run),
                payload: payload.then(|| Bytes::from(&b"{}"[..])),
            },
            Act::Pause => Command::PauseEngine { reason },
            _ => Command::ResumeEngine { reason },
        };
        let before = command.clone();
        let told = match (act, &before) {
            (
                Act::CancelRun {
                    expect: Some(right),
                    ..
                },
                Command::CancelRun { run, .. },
            ) if self.model.runs.contains_key(run) => self.expecting(*run, *right, command),
            _ => self.step(command),
        };
        if let (Command::CancelRun { run, force, .. }, Ok(_)) = (before, told) {
            let state = self.model.runs[&run].state;
            assert!(state.is_terminal() || !force && state.is_held());
        }
    }

    /// Asks with an expected state; only the right one is accepted, wherever the run is.
    fn expecting(
        &mut self,
        run: RunId,
        right: bool,
        command: Command,
    ) -> Result<Outcome, Rejection> {
        let actual = self.model.runs[&run].state;
        let wrong = RunState::ALL.iter().find(|state| **state != actual);
        let expected = if right {
            actual
        } else {
            *wrong.unwrap_or(&actual)
        };
        let mut call = Call::new(command);
        call.expected_state = Some(expected);
        let told = self.call(call);
        let refused = Rejection::PreviousStateMismatch { expected, actual };
        assert_eq!(told == Err(refused), !right);
        told
    }

    fn tick(&mut self) {
        loop {
            let told = self.step(Command::Tick);
            match told {
                Ok(Outcome::Ticked { more: true }) => {}
                Ok(Outcome::Ticked { more: false }) => break,
                other => panic!("a tick came to {other:?}"),
            }
        }
        let next = self.machine.next_deadline_in_ms(&self.now);
        assert_ne!(next, Some(0), "a tick leaves nothing due");
        let runs = &self.model.runs;
        for id in runs.keys().filter(|id| !runs[*id].state.is_terminal()) {
            let view = self.view(*id);
            match view.state {
                RunState::Scheduled => assert!(view.scheduled_at > self.now.wall),
                RunState::Running => {
                    let lease = view.lease.expect("a running run has a lease");
                    assert!(lease.expires_at > Timestamp(0));
                }
                _ => {}
            }
        }
    }

    pub(super) fn start(&mut self, downtime_ms: u64) {
        self.incarnation += 1;
        let started = self.step(Command::Start {
            incarnation: self.incarnation,
            downtime_ms,
        });
        assert_eq!(started, Ok(Outcome::Started));
    }

    fn restart(&mut self, downtime_ms: u64) {
        self.pass(downtime_ms);
        self.machine = self.check_replays();
        // A machine that was made from the log alone has no store: it gives every row to a new one.
        self.shelf = Shelf::default();
        self.waiting.clear();
        self.start(downtime_ms);
    }

    /// `explain` says `runnable` exactly of the runs that a claim for their queue and kind gets, as far as its own grants leave slots.
    fn probe(&mut self) {
        let places = QUEUES
            .iter()
            .flat_map(|queue| KINDS.iter().map(move |kind| (*queue, *kind)));
        for (queue, kind) in places {
            let mut drained = self.machine.clone();
            let mut got = BTreeSet::new();
            loop {
                let claim = Claim {
                    worker: Text::from("probe"),
                    queues: texts(&[queue]),
                    kinds: texts(&[kind]),
                    max: 1000,
                    lease_ms: None,
                    idempotency_key: None,
                    ..Claim::default()
                };
                let call = Call::new(Command::Claim(Box::new(claim)));
                let step = drained.step(&self.now, &Facts::default(), call);
                let Ok(Outcome::Claimed(grants)) = step.outcome else {
                    panic!("a plain claim was refused");
                };
                if grants.is_empty() {
                    break;
                }
                got.extend(grants.into_iter().map(|grant| grant.run));
            }
            for (id, run) in &self.model.runs {
                if &*run.spec.queue != queue || &*run.spec.kind != kind {
                    continue;
                }
                let explain = self.explain(&self.machine, *id);
                // That nobody asked for such work lately is advice.
                let advice = |code: &str| code == "no_capable_worker";
                let free = explain.reasons.iter().all(|reason| advice(reason.code));
                assert_eq!(explain.runnable, free && !explain.state.is_terminal());
                if got.contains(id) {
                    assert!(explain.runnable, "{id} was granted: {explain:?}");
                } else if explain.runnable {
                    let after = self.explain(&drained, *id).reasons;
                    let after: Vec<&str> = after.iter().map(|reason| reason.code).collect();
                    assert_eq!(after, ["concurrency_key_busy"], "{id} was not granted");
                }
            }
        }
    }

    fn view_of(&self, id: RunId) -> Option<Box<RunView>> {
        match self.shelf.answer(&self.machine, &self.now, Query::Run(id)) {
            Answer::Run(view) => Some(view),
            _ => None,
        }
    }

    pub(super) fn explain(&self, machine: &Machine, id: RunId) -> Box<mainstay_core::Explain> {
        match self.shelf.answer(machine, &self.now, Query::Explain(id)) {
            Answer::Explain(explain) => explain,
            other => panic!("explain came to {other:?}"),
        }
    }

    pub(super) fn view(&self, id: RunId) -> Box<RunView> {
        self.view_of(id).expect("a run that was created is there")
    }

    /// Every run's history, accounting and end.
    pub(super) fn check_views(&self) {
        for (id, run) in &self.model.runs {
            let view = self.view(*id);
            assert_eq!(view.state, run.state);
            assert_eq!(view.output, run.output, "a result never changes");
            assert_eq!(view.attempt_count, run.grants);
            assert_eq!(view.lease.is_some(), run.live.is_some());
            let policy = run.spec.policy.as_deref().expect("every wish has a policy");
            assert!(view.failures <= policy.max_attempts);
            assert!(view.lost_leases <= policy.max_lost_leases + 1);
            if view.state == RunState::Ready {
                assert!(view.failures < policy.max_attempts);
                assert!(view.lost_leases <= policy.max_lost_leases);
            }
            check_history(&view);
            check_attempts(&view);
        }
    }

    /// The log alone gives the same machine: as events, and through the codec.
    pub(super) fn check_replays(&self) -> Machine {
        let mut plain = Machine::new(99);
        for (now, events) in &self.log {
            events.iter().for_each(|entry| plain.replay(now, entry));
        }
        self.check_same(&plain);
        let mut decoded = Machine::new(0);
        for ((now, body), (_, events)) in self.bodies.iter().zip(&self.log) {
            let mut commands = 0;
            codec::decode(body, &mut |record, read| {
                commands += 1;
                assert_eq!(record.event_count as usize, read.len());
                assert_eq!(read, events);
                read.iter().for_each(|entry| decoded.replay(now, entry));
            })
            .expect("what was encoded can be read");
            assert_eq!(commands, 1);
        }
        self.check_same(&decoded);
        plain
    }

    fn check_same(&self, other: &Machine) {
        assert_eq!(other.verify(), Ok(()));
        if self.is_whole() {
            assert_eq!(other.digest_all(), self.machine.digest_all());
        }
        assert_eq!(other.digest(), self.machine.digest());
        assert_eq!(other.sequence(), self.machine.sequence());
        for id in &self.model.order {
            let shown = |machine: &Machine| {
                let answer = self.shelf.answer(machine, &self.now, Query::Run(*id));
                let Answer::Run(mut view) = answer else {
                    panic!("a run is missing");
                };
                view.lease = None; // renewals live in memory only
                format!("{view:?}")
            };
            assert_eq!(shown(other), shown(&self.machine));
        }
    }
}

fn check_history(view: &RunView) {
    let mut last = &view.changes[0];
    if last.from.is_none() {
        assert!(matches!(last.to, RunState::Scheduled | RunState::Ready));
    }
    for change in &view.changes[1..] {
        assert_eq!(change.from, Some(last.to), "histories are contiguous");
        let edge = (last.to, change.to);
        assert!(TRANSITIONS.contains(&edge), "{edge:?} is not an edge");
        assert!(change.at >= last.at && change.sequence >= last.sequence);
        last = change;
    }
    assert_eq!(last.to, view.state);
    let ends = view.changes.iter().filter(|change| change.to.is_terminal());
    assert_eq!(ends.count(), usize::from(view.state.is_terminal()));
}

fn check_attempts(view: &RunView) {
    use mainstay_core::AttemptResult::{Failure, LeaseExpired, Timeout};
    let numbers: Vec<u32> = view.attempts.iter().map(|a| a.number).collect();
    let expected: Vec<u32> = (1..=view.attempt_count).collect();
    assert_eq!(numbers, expected, "every grant is one attempt");
    let count = |kinds: &[mainstay_core::AttemptResult]| {
        let ended = view.attempts.iter().filter_map(|attempt| attempt.result);
        ended.filter(|result| kinds.contains(result)).count() as u32
    };
    assert_eq!(count(&[Failure, Timeout]), view.failures);
    assert_eq!(count(&[LeaseExpired]), view.lost_leases);
    let open = view.attempts.iter().filter(|a| a.result.is_none()).count();
    assert_eq!(open, usize::from(view.state.is_held()), "one end each");
}
