//! Clients, workers and operators: what they ask next, from what they were told before.

use mainstay::{
    Bytes, Call, CheckpointPut, Claim, Command, Extras, Finish, FinishOutcome, HeartbeatItem,
    HoldPolicy, Jitter, Payload, Policy, Principal, Query, Retry, RunError, RunId, SafetyLevel,
    Strategy, TaskId, TaskSpec, TenantId, Text, Timestamp,
};

use super::known::People;
use super::wide;
use crate::oracle::{Asked, Request, principal};
use crate::rng::Rng;

pub(super) const QUEUES: &[&str] = &["q1", "q2"];
pub(super) const KINDS: &[&str] = &["a", "b", "c"];
const KEYS: u64 = 5;

pub(super) fn text(of: &str) -> Text {
    Text::from(of)
}

pub(super) fn word(rng: &mut Rng, from: &[&str]) -> Text {
    text(from[rng.below(from.len() as u64) as usize])
}

pub(super) fn json(rng: &mut Rng) -> Bytes {
    let size = match rng.below(30) {
        0 => rng.below(6000),
        1..=8 => rng.below(400),
        _ => rng.below(24),
    };
    let number = rng.below(1_000_000);
    Bytes::from(
        format!(
            "{{\"n\":{number},\"pad\":\"{}\"}}",
            "x".repeat(size as usize)
        )
        .into_bytes(),
    )
}

pub(super) fn reason(rng: &mut Rng) -> Option<Text> {
    rng.chance(40).then(|| text("because"))
}

impl People {
    /// What somebody asks next.
    pub(crate) fn next(&mut self, rng: &mut Rng, wall_ms: u64) -> Request {
        if self.are_many() {
            self.here = rng.below(self.tenants.len() as u64) as usize;
            if let Some(command) = self.found_tenant(rng) {
                return self.request(Asked::Call(Box::new(Call::new(command))), 0);
            }
        }
        let (asked, wait_ms) = self.next_here(rng, wall_ms);
        let submits = match &asked {
            Asked::Call(call) => {
                matches!(call.command, Command::Submit(_) | Command::SubmitAs(..))
            }
            Asked::Many(_) => true,
            Asked::Claim(_) | Asked::Query(_) => false,
        };
        Request {
            deferred: submits && rng.chance(20),
            ..self.request(asked, wait_ms)
        }
    }

    /// Something asked for in the tenant at hand.
    pub(super) fn request(&self, asked: Asked, wait_ms: u64) -> Request {
        Request {
            asked,
            tenant: self.tenant(),
            wait_ms,
            deferred: false,
        }
    }

    /// Adds the tenant at hand if nobody was told that it is there, or changes its share. Adding is not waited for: some ask in a
    /// tenant that is not there.
    fn found_tenant(&mut self, rng: &mut Rng) -> Option<Command> {
        let tenant = self.tenant();
        if !self.known().exists && rng.chance(60) {
            self.here = 0;
            return Some(Command::CreateTenant {
                tenant: Some(tenant),
                name: format!("t{}", tenant.0).into(),
            });
        }
        let weight = *rng.pick(&[1, 1, 3, 10]);
        rng.chance(3).then_some(Command::WeighTenant { weight })
    }

    fn next_here(&mut self, rng: &mut Rng, wall_ms: u64) -> (Asked, u64) {
        if self.wide
            && rng.chance(30)
            && let Some(command) = self.wide_next(rng, wall_ms)
        {
            return (Asked::Call(Box::new(self.call(rng, command))), 0);
        }
        let command = match rng.below(100) {
            0..=25 => return (self.submit(rng, wall_ms), 0),
            26..=45 => {
                let wait = if rng.chance(35) {
                    rng.within(1, 8000)
                } else {
                    0
                };
                return (Asked::Claim(Box::new(self.claim(rng))), wait);
            }
            46..=63 => self.finish(rng, wall_ms),
            64..=70 => self.beat(rng),
            71..=74 => self.checkpoint(rng),
            75..=79 => self.run(rng).map(|run| Command::CancelRun {
                run,
                force: rng.chance(25),
                reason: reason(rng),
            }),
            80..=81 => self.task(rng).map(|task| Command::CancelTask {
                task,
                reason: reason(rng),
            }),
            82..=84 => self.run(rng).map(|run| Command::SuspendRun {
                run,
                reason: reason(rng),
            }),
            85..=88 => self.run(rng).map(|run| Command::ResumeRun {
                run,
                payload: rng.chance(50).then(|| json(rng)),
            }),
            89 => Some(Command::PauseEngine {
                reason: reason(rng),
            }),
            90..=91 => Some(Command::ResumeEngine {
                reason: reason(rng),
            }),
            _ => None,
        };
        match command {
            Some(command) => (Asked::Call(Box::new(self.call(rng, command))), 0),
            None => (Asked::Query(self.query(rng)), 0),
        }
    }

    fn call(&self, rng: &mut Rng, command: Command) -> Call {
        let mut call = Call::new(command);
        if rng.chance(3) {
            call.expected_state = Some(mainstay::RunState::Running);
        }
        if rng.chance(2) {
            call.expected_sequence = Some(rng.below(40));
        }
        call
    }

    fn submit(&mut self, rng: &mut Rng, wall_ms: u64) -> Asked {
        let one = |rng: &mut Rng, people: &mut People| {
            let spec = people.spec(rng, wall_ms);
            Call::new(if rng.chance(20) {
                let abroad = !people.lost;
                let names = &people.names_if(rng, abroad).tasks;
                let id = match names.is_empty() || rng.chance(70) {
                    true => TaskId(u128::from(rng.draw()) << 64 | u128::from(rng.draw()) | 1),
                    false => *rng.pick(names),
                };
                Command::SubmitAs(id, Box::new(spec))
            } else {
                Command::Submit(Box::new(spec))
            })
        };
        if rng.chance(15) {
            let count = rng.within(2, 5);
            Asked::Many((0..count).map(|_| one(rng, self)).collect())
        } else {
            Asked::Call(Box::new(one(rng, self)))
        }
    }

    fn spec(&mut self, rng: &mut Rng, wall_ms: u64) -> TaskSpec {
        let keyed = &self.known().keyed;
        if !keyed.is_empty() && rng.chance(12) {
            let mut again = rng.pick(keyed).clone();
            if rng.chance(30) {
                again.priority += 1;
            }
            return again;
        }
        let mut spec = TaskSpec::new(*rng.pick(KINDS));
        spec.queue = word(rng, QUEUES);
        spec.priority = rng.below(3) as i32 - 1;
        spec.payload = Payload {
            bytes: json(rng),
            binary: rng.chance(10),
        };
        if rng.chance(25) {
            spec.run_at = Some(Timestamp(wall_ms + rng.below(20_000).saturating_sub(5_000)));
        }
        if rng.chance(75) {
            spec.policy = Some(Box::new(policy(rng)));
        }
        if rng.chance(35) {
            spec.extras = Some(Box::new(extras(rng, wall_ms)));
        }
        if self.wide {
            wide::widen(self, rng, &mut spec, wall_ms);
        }
        let is_keyed = spec
            .extras
            .as_ref()
            .is_some_and(|extras| extras.idempotency_key.is_some());
        if is_keyed {
            self.known_mut().keyed.push(spec.clone());
        }
        spec
    }

    fn claim(&mut self, rng: &mut Rng) -> Claim {
        let claims = &self.known().claims;
        if !claims.is_empty() && rng.chance(10) {
            return rng.pick(claims).clone();
        }
        let both = rng.chance(60);
        let queues = if both { QUEUES } else { &QUEUES[..1] };
        let actor = self.claimant(rng);
        let claim = Claim {
            worker: word(rng, &["w1", "w2", "w3"]),
            queues: queues.iter().map(|queue| text(queue)).collect(),
            kinds: if rng.chance(20) {
                vec![text("a")]
            } else {
                Vec::new()
            },
            max: rng.within(1, 4) as u32,
            lease_ms: rng.chance(20).then(|| rng.within(1000, 400_000)),
            idempotency_key: rng
                .chance(20)
                .then(|| format!("c{}", rng.below(KEYS)).into()),
            capabilities: if self.wide && rng.chance(60) {
                vec![word(rng, wide::CAPABILITIES)]
            } else {
                Vec::new()
            },
            // The system's workers act in the first tenant.
            all_tenants: self.are_many() && self.here == 0 && actor.is_none() && rng.chance(70),
            actor,
        };
        if claim.idempotency_key.is_some() {
            self.known_mut().claims.push(claim.clone());
        }
        claim
    }

    fn finish(&mut self, rng: &mut Rng, wall_ms: u64) -> Option<Command> {
        let at = self.pick_held(rng)?;
        let held = &self.known().held[at];
        if let Some(before) = held.reported.clone().filter(|_| rng.chance(60)) {
            return Some(Command::Finish(Box::new(before)));
        }
        let mut finish = Finish::success(held.run, held.fence, rng.chance(60).then(|| json(rng)));
        finish.outcome = *rng.pick(&[
            FinishOutcome::Success,
            FinishOutcome::Success,
            FinishOutcome::Failure,
            FinishOutcome::Failure,
            FinishOutcome::Suspended,
            FinishOutcome::Canceled,
            FinishOutcome::Released,
        ]);
        if finish.outcome == FinishOutcome::Failure && rng.chance(60) {
            let code = word(rng, &["broken", "never"]);
            let error = RunError {
                code,
                message: text("it did not work"),
                retryable: rng.chance(80),
            };
            finish.error = Some(Box::new(error));
        }
        if rng.chance(10) {
            finish.retry_after_ms = Some(rng.below(3000));
        }
        if rng.chance(15) {
            finish.checkpoints = vec![(word(rng, &["m1", "m2"]), json(rng))];
        }
        finish.reason = reason(rng);
        if self.wide {
            wide::widen_finish(self, rng, &mut finish, wall_ms);
        }
        self.known_mut().held[at].reported = Some(finish.clone());
        Some(Command::Finish(Box::new(finish)))
    }

    fn beat(&self, rng: &mut Rng) -> Option<Command> {
        let held = &self.known().held[self.pick_held(rng)?];
        Some(Command::Heartbeat(HeartbeatItem {
            run: held.run,
            fence: held.fence,
            lease_ms: rng.chance(30).then(|| rng.within(1000, 900_000)),
            progress: rng.chance(20).then(|| json(rng)),
        }))
    }

    fn checkpoint(&self, rng: &mut Rng) -> Option<Command> {
        let held = &self.known().held[self.pick_held(rng)?];
        let value = if rng.chance(50) {
            Bytes::from(&b"1"[..])
        } else {
            json(rng)
        };
        Some(Command::Checkpoint(Box::new(CheckpointPut {
            run: held.run,
            fence: held.fence,
            name: word(rng, &["m1", "m2", "m3"]),
            value,
        })))
    }

    fn query(&self, rng: &mut Rng) -> Query {
        match rng.below(11) {
            0..=5 => self.run(rng).map_or(Query::Run(RunId(77)), Query::Run),
            6 | 7 => self.task(rng).map_or(Query::Task(TaskId(77)), Query::Task),
            8 => self
                .run(rng)
                .map_or(Query::Explain(RunId(77)), Query::Explain),
            9 => Query::Stats,
            _ => Query::Engine,
        }
    }
}

fn policy(rng: &mut Rng) -> Policy {
    let keyed = rng.chance(45);
    Policy {
        max_attempts: if rng.chance(2) {
            0
        } else {
            rng.within(1, 4) as u32
        },
        max_lost_leases: rng.below(3) as u32,
        timeout_ms: rng.chance(25).then(|| rng.within(200, 6000)),
        lease_ms: if rng.chance(10) {
            600_000
        } else {
            rng.within(1000, 8000)
        },
        cancel_grace_ms: rng.below(3000),
        concurrency_key: keyed.then(|| word(rng, &["k1", "k2"])),
        concurrency_limit: rng.within(1, 3) as u32,
        hold_policy: *rng.pick(&[HoldPolicy::HoldDuringRetry, HoldPolicy::ReleaseOnRetry]),
        safety_level: *rng.pick(&[
            SafetyLevel::Pure,
            SafetyLevel::Idempotent,
            SafetyLevel::Idempotent,
            SafetyLevel::Transactional,
        ]),
        retry: Retry {
            strategy: *rng.pick(&[Strategy::Fixed, Strategy::Exponential]),
            initial_ms: rng.below(3000),
            multiplier_milli: *rng.pick(&[1000, 1500, 2000, 10_000]),
            max_ms: rng.below(20_000),
            jitter: *rng.pick(&[Jitter::Full, Jitter::None]),
            non_retryable: if rng.chance(40) {
                vec![text("never")]
            } else {
                Vec::new()
            },
        },
        ..Policy::default()
    }
}

fn extras(rng: &mut Rng, wall_ms: u64) -> Extras {
    Extras {
        tags: if rng.chance(30) {
            vec![text("t")]
        } else {
            Vec::new()
        },
        idempotency_key: rng
            .chance(55)
            .then(|| format!("i{}", rng.below(KEYS)).into()),
        expires_at: rng.chance(40).then(|| Timestamp(wall_ms + rng.below(9000))),
        traceparent: rng.chance(10).then(|| text("00-0-0-00")),
        ..Extras::default()
    }
}

/// The principal of request `id`, acting in a tenant.
pub(crate) fn as_request(id: u64, tenant: TenantId, mut call: Call) -> Call {
    call.principal = Principal {
        tenant,
        name: principal(id).into(),
        ..Principal::default()
    };
    call
}
