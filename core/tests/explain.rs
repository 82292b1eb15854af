//! The promise of `explain`: a run is called runnable exactly when a claim for its queue and kind, by a worker that is able to do what it
//! requires, would get it at that moment. Random lives with everything that holds runs back; every state on the way is checked.
#![allow(clippy::print_stdout)]
#![allow(clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Answer, BudgetScope, BudgetSpec, Call, Claim, ClaimGrant, Command, Explain, Facts, Finish,
    FinishOutcome, HoldPolicy, Machine, Now, Outcome, Query, QueueConfig, RateLimit, Rejection,
    RunId, RunState, TaskId, TaskSpec, TenantId, Text, Timestamp,
};

const QUEUES: [&str; 3] = ["east", "west", "north"];
const KINDS: [&str; 2] = ["mail", "sms"];
const ABLE: [&str; 2] = ["gpu", "tpu"];
const LIVES: u64 = 36;
const ACTS: usize = 160;

/// A small random number generator (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len() as u64) as usize]
    }

    fn some<T>(&mut self, chance: u64, of: impl FnOnce(&mut Dice) -> T) -> Option<T> {
        (self.roll(100) < chance).then(|| of(self))
    }

    fn names(&mut self, of: &[&str]) -> Vec<Text> {
        let mask = self.roll(1 << of.len());
        let chosen = of.iter().enumerate();
        let chosen = chosen.filter(|(at, _)| mask & 1 << at != 0);
        chosen.map(|(_, name)| Text::from(*name)).collect()
    }
}

/// What a claim must ask for to be the one that a run waits for.
type Wanted = (Text, Text, Vec<Text>);

struct Life {
    machine: Machine,
    now: Now,
    dice: Dice,
    grants: Vec<ClaimGrant>,
    wanted: BTreeMap<RunId, Wanted>,
    tasks: Vec<TaskId>,
    codes: BTreeMap<&'static str, u64>,
    cases: u64,
}

impl Life {
    fn new(seed: u64) -> Life {
        Life {
            machine: Machine::new(seed),
            now: Now::at(Timestamp(1_800_000_000_000), 5_000),
            dice: Dice(seed * 2 + 1),
            grants: Vec::new(),
            wanted: BTreeMap::new(),
            tasks: Vec::new(),
            codes: BTreeMap::new(),
            cases: 0,
        }
    }

    fn step(&mut self, command: Command) -> Result<Outcome, Rejection> {
        let step = self
            .machine
            .step(&self.now, &Facts::default(), Call::new(command));
        step.outcome
    }

    fn pass(&mut self, ms: u64) {
        self.now.wall = self.now.wall.plus_ms(ms);
        self.now.steady = self.now.steady.plus_ms(ms);
        self.now.id_seed += 1;
    }

    fn submit(&mut self) {
        let dice = &mut self.dice;
        let mut spec = TaskSpec::new(dice.one(&KINDS));
        spec.queue = Text::from(dice.one(&QUEUES));
        spec.priority = dice.roll(3) as i32;
        spec.run_at = dice.some(15, |dice| self.now.wall.plus_ms(dice.roll(300)));
        if let Some(ms) = dice.some(10, |dice| dice.roll(400)) {
            spec.extras_mut().expires_at = Some(self.now.wall.plus_ms(ms));
        }
        let policy = spec.policy_mut();
        policy.max_attempts = 3;
        policy.retry.initial_ms = 100;
        policy.required_capabilities = match dice.roll(3) {
            0 => dice.names(&ABLE),
            _ => Vec::new(),
        };
        policy.fairness_key = dice.some(40, |dice| Text::from(dice.one(&["ann", "bob", "eve"])));
        policy.concurrency_key = dice.some(35, |dice| Text::from(dice.one(&["k", "l"])));
        policy.concurrency_limit = 1 + dice.roll(4) as u32;
        if dice.roll(2) == 0 {
            policy.hold_policy = HoldPolicy::ReleaseOnRetry;
        }
        if let Some(limit) = dice.some(25, |dice| 2 + dice.roll(6)) {
            let budget = BudgetSpec {
                dimension: Text::from(dice.one(&["token", "cost_cents"])),
                limit,
                reserve: dice.some(70, |dice| 1 + dice.roll(limit)),
            };
            spec.bonds_mut().budgets = vec![budget];
        }
        let mut required = policy_of(&spec);
        required.sort_unstable();
        let wanted = (spec.queue.clone(), spec.kind.clone(), required);
        if let Ok(Outcome::Submitted(submitted)) = self.step(Command::Submit(Box::new(spec))) {
            self.tasks.push(submitted.task);
            self.wanted.insert(submitted.run.run, wanted);
        }
    }

    fn claim(&mut self) {
        let dice = &mut self.dice;
        let mut queues = dice.names(&QUEUES);
        if queues.is_empty() {
            queues.push(Text::from(QUEUES[0]));
        }
        let claim = Claim {
            worker: Text::from("w"),
            queues,
            kinds: dice.names(&KINDS),
            max: 1 + dice.roll(5) as u32,
            lease_ms: Some(1000 + dice.roll(1000)),
            capabilities: dice.names(&ABLE),
            all_tenants: dice.roll(4) == 0,
            ..Claim::default()
        };
        if let Ok(Outcome::Claimed(grants)) = self.step(Command::Claim(Box::new(claim))) {
            self.grants.extend(grants);
        }
    }

    fn finish(&mut self) {
        if self.grants.is_empty() {
            return;
        }
        let at = self.dice.roll(self.grants.len() as u64) as usize;
        let grant = self.grants.swap_remove(at);
        let outcome = match self.dice.roll(6) {
            0 => FinishOutcome::Failure,
            1 => FinishOutcome::Suspended,
            2 => FinishOutcome::Released,
            _ => FinishOutcome::Success,
        };
        let finish = Finish {
            outcome,
            ..Finish::success(grant.run, grant.fence, None)
        };
        let _ = self.step(Command::Finish(Box::new(finish)));
    }

    fn set_queue(&mut self) {
        let dice = &mut self.dice;
        let queue = Text::from(dice.one(&QUEUES));
        let command = match dice.roll(5) {
            0 => Command::PauseQueue {
                queue,
                reason: None,
            },
            1 | 2 => Command::ResumeQueue {
                queue,
                reason: None,
            },
            _ => Command::ConfigureQueue {
                queue,
                config: QueueConfig {
                    concurrency_limit: dice.some(60, |dice| 1 + dice.roll(4) as u32),
                    rate_limit: dice.some(40, |dice| RateLimit {
                        per_ms: 1 + dice.roll(300),
                        max: 1 + dice.roll(3),
                    }),
                    weight: dice.some(30, |dice| 1 + dice.roll(5) as u32),
                },
            },
        };
        let _ = self.step(command);
    }

    fn control(&mut self) {
        let (dice, live) = (&mut self.dice, self.wanted.len() as u64);
        let run = self
            .wanted
            .keys()
            .nth(dice.roll(live.max(1)) as usize)
            .copied();
        let Some(run) = run else { return };
        let token = || Text::from("token");
        let command = match dice.roll(9) {
            0 if dice.roll(3) == 0 => Command::PauseEngine { reason: None },
            0..=2 => Command::ResumeEngine { reason: None },
            3 => Command::CancelRun {
                run,
                force: dice.roll(2) == 0,
                reason: None,
            },
            4 | 5 => Command::ResumeRun { run, payload: None },
            6 => Command::AllocateBudget {
                scope: BudgetScope::Tenant,
                dimension: token(),
                limit: 6 + dice.roll(20),
                reserve: dice.some(50, |dice| 1 + dice.roll(5)),
            },
            7 => Command::ReplenishBudget {
                scope: BudgetScope::Tenant,
                dimension: token(),
                new_limit: 6 + dice.roll(20),
            },
            _ => Command::AcquireLease {
                run,
                owner: Text::from("hand"),
                lease_ms: Some(1000),
            },
        };
        let _ = self.step(command);
    }

    fn act(&mut self) {
        match self.dice.roll(20) {
            0..=7 => self.submit(),
            8..=10 => self.claim(),
            11..=13 => self.finish(),
            14 => self.set_queue(),
            15 => self.control(),
            16 | 17 => {
                let ms = self.dice.roll(60);
                self.pass(ms);
            }
            _ => {
                let _ = self.step(Command::Tick);
            }
        }
    }

    fn explain(&self, run: RunId) -> Option<Box<Explain>> {
        let query = Query::Explain(run);
        match self.machine.answer(&self.now, TenantId::DEFAULT, &query) {
            Answer::Explain(explain) => Some(explain),
            _ => None,
        }
    }

    /// What a claim would get, asked of a copy.
    fn gets(&self, wanted: &Wanted) -> BTreeSet<RunId> {
        let (queue, kind, able) = wanted.clone();
        let claim = Claim {
            worker: Text::from("probe"),
            queues: vec![queue],
            kinds: vec![kind],
            max: 1000,
            capabilities: able,
            ..Claim::default()
        };
        let mut copy = self.machine.clone();
        let call = Call::new(Command::Claim(Box::new(claim)));
        match copy.step(&self.now, &Facts::default(), call).outcome {
            Ok(Outcome::Claimed(grants)) => grants.iter().map(|grant| grant.run).collect(),
            other => panic!("a claim came to {other:?}"),
        }
    }

    fn check(&mut self) {
        let mut asked: BTreeMap<Wanted, BTreeSet<RunId>> = BTreeMap::new();
        for (run, wanted) in &self.wanted {
            let explain = self.explain(*run).expect("nothing leaves memory here");
            if explain.state.is_terminal() {
                assert!(!explain.runnable);
                continue;
            }
            let got = asked
                .entry(wanted.clone())
                .or_insert_with(|| self.gets(wanted));
            self.cases += 1;
            let codes = explain.reasons.iter().map(|reason| reason.code);
            let details = explain.reasons.iter().flat_map(|reason| &reason.details);
            let ahead = details
                .filter(|(name, ..)| *name == "ahead")
                .map(|_| "foreseen");
            for code in codes
                .chain(explain.runnable.then_some("runnable"))
                .chain(ahead)
            {
                *self.codes.entry(code).or_default() += 1;
            }
            assert_eq!(
                explain.runnable,
                got.contains(run),
                "{run}: {explain:?}\na claim would get {got:?}"
            );
            let real = |code: &str| code != "no_capable_worker";
            let held_back = explain.reasons.iter().any(|reason| real(reason.code));
            assert!(explain.runnable != held_back, "{explain:?}");
            assert!(explain.runnable || explain.state != RunState::Ready || held_back);
        }
    }
}

fn policy_of(spec: &TaskSpec) -> Vec<Text> {
    let policy = spec.policy.as_deref();
    policy.map_or_else(Vec::new, |policy| policy.required_capabilities.clone())
}

#[test]
fn a_run_is_called_runnable_exactly_when_a_claim_would_get_it() {
    let (mut cases, mut codes) = (0, BTreeMap::<&str, u64>::new());
    for seed in 1..=LIVES {
        let mut life = Life::new(seed);
        for _ in 0..ACTS {
            life.act();
            life.check();
            life.machine.verify().expect("every index agrees");
        }
        cases += life.cases;
        for (code, count) in life.codes {
            *codes.entry(code).or_default() += count;
        }
    }
    eprintln!("explain and claim agree in {cases} cases: {codes:?}");
    let met = "runnable waiting_for_time concurrency_key_busy queue_busy rate_limited queue_paused engine_paused \
        budget_exhausted no_capable_worker leased retry_backoff suspended expired foreseen";
    let missed: Vec<&str> = met
        .split_whitespace()
        .filter(|code| !codes.contains_key(code))
        .collect();
    assert!(missed.is_empty(), "never met: {missed:?}");
}
