//! Tenants do not hear each other: whatever one of them does, with the same ids and names, the other is answered the same.
//!
//! `MAINSTAY_TENANCY_CALLS=200000 cargo nextest run -p mainstay-core tenancy` makes it as long as wanted.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use mainstay_core::{
    ActorId, Amount, BudgetScope, BudgetSpec, Call, Claim, Command, Facts, Fence, Filter, Finish,
    FinishOutcome, Govern, HeartbeatItem, Jitter, KeyDigest, KeyId, KeysOf, Machine, NewKey, Now,
    Outcome, Principal, Query, QueueConfig, RateLimit, Registration, Repeat, RunId, RunState,
    Schedule, SubscriptionId, TaskId, TaskPatch, TaskSpec, TenantId, Text,
};

/// SplitMix64.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn name(&mut self, of: &str, count: usize) -> Text {
        Text::from(format!("{of}{}", self.below(count)))
    }
}

/// What a tenant was told of: ids that the machine minted, in the order in which they came.
#[derive(Default)]
struct Known {
    runs: Vec<RunId>,
    leases: Vec<(RunId, Fence)>,
    subscriptions: Vec<SubscriptionId>,
    /// What stands for an id or a token in texts that are compared.
    names: BTreeMap<String, usize>,
}

impl Known {
    fn hear(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Submitted(made) => {
                self.runs.push(made.run.run);
                self.runs.extend(made.more.iter().map(|run| run.run));
            }
            Outcome::Claimed(grants) => {
                let leases = grants.iter().map(|grant| (grant.run, grant.fence));
                self.leases.extend(leases);
            }
            Outcome::RunCreated(run) => self.runs.push(run.run),
            Outcome::Subscribed(id) => self.subscriptions.push(*id),
            _ => {}
        }
    }

    fn pick<T: Copy>(list: &[T], random: &mut Random, otherwise: T) -> T {
        let at = random.below(list.len().max(1));
        // Mostly what is young: the old has ended.
        let young = list.len().saturating_sub(1 + at.min(random.below(40)));
        list.get(young).copied().unwrap_or(otherwise)
    }

    fn run(&self, random: &mut Random) -> RunId {
        Known::pick(&self.runs, random, RunId(7))
    }

    fn lease(&self, random: &mut Random) -> (RunId, Fence) {
        Known::pick(&self.leases, random, (RunId(7), Fence::default()))
    }

    /// The text without what another tenant's activity shifts: minted ids and tokens stand for the order in which they came, and the
    /// position in the log, the one accepted leak, for nothing.
    fn plain(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(id) = rest.get(..36).filter(|id| is_id(id)) {
                let next = self.names.len();
                let at = *self.names.entry(id.to_owned()).or_insert(next);
                out.push_str(&format!("<{at}>"));
                rest = &rest[36..];
                continue;
            }
            let counted = ["counter: ", "sequence: ", "expected: "];
            if let Some(word) = counted.into_iter().find(|word| rest.starts_with(word)) {
                let digits = rest[word.len()..].find(|c: char| !c.is_ascii_digit());
                let end = word.len() + digits.unwrap_or(rest.len() - word.len());
                if word == "counter: " {
                    let next = self.names.len();
                    let at = *self.names.entry(rest[..end].to_owned()).or_insert(next);
                    out.push_str(&format!("<{at}>"));
                }
                rest = &rest[end..];
                continue;
            }
            let one = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..one]);
            rest = &rest[one..];
        }
        out
    }
}

fn is_id(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

fn spec(random: &mut Random) -> TaskSpec {
    let mut spec = TaskSpec::new(random.name("kind", 3));
    spec.queue = random.name("queue", 3);
    spec.priority = random.below(3) as i32;
    let policy = spec.policy_mut();
    policy.max_attempts = 1 + random.below(3) as u32;
    // What is drawn from ids differs with them: whoever waits waits as long as the policy says.
    policy.retry.jitter = Jitter::None;
    policy.retry.initial_ms = 500;
    policy.lease_ms = 2000;
    if random.one_in(3) {
        policy.concurrency_key = Some(random.name("key", 2));
        policy.concurrency_limit = 1 + random.below(2) as u32;
    }
    if random.one_in(4) {
        policy.required_capabilities = vec![random.name("able", 2)];
    }
    if random.one_in(4) {
        policy.fairness_key = Some(random.name("fair", 2));
    }
    if random.one_in(4) {
        spec.extras_mut().idempotency_key = Some(random.name("idem", 20));
    }
    if random.one_in(5) {
        spec.extras_mut().unique_key = Some(random.name("unique", 3));
    }
    if random.one_in(8) {
        spec.bonds_mut().depends_on = vec![task(random)];
    }
    if random.one_in(8) {
        spec.bonds_mut().parent = Some(task(random));
    }
    if random.one_in(6) {
        spec.bonds_mut().budgets = vec![BudgetSpec {
            dimension: Text::from("token"),
            limit: 5,
            reserve: None,
        }];
    }
    if random.one_in(10) {
        spec.schedule = Some(Box::new(Schedule::Repeat(Repeat {
            count: 3,
            interval_ms: 1500,
            start_at: None,
        })));
    }
    spec
}

/// The same few ids for everybody.
fn task(random: &mut Random) -> TaskId {
    TaskId(0x7a5c_0000 + random.below(400) as u128)
}

fn actor(random: &mut Random) -> ActorId {
    ActorId(0xac70 + random.below(4) as u128)
}

fn govern(random: &mut Random) -> Command {
    let role = random.name("role", 3);
    let reason = None;
    let key = KeyId(0x6e70 + random.below(30) as u128);
    let actor = actor(random);
    Command::Govern(Box::new(match random.below(7) {
        // Ids of keys are drawn, not chosen: no two tenants ever have the same.
        0 => Govern::RevokeKey {
            key,
            system: false,
            reason,
        },
        1 => Govern::PutRole {
            role,
            capabilities: vec![random.name("able", 4)],
            reason,
        },
        2 => Govern::RemoveRole { role, reason },
        3 => Govern::AssignRole {
            actor,
            role,
            reason,
        },
        4 => Govern::RevokeRole {
            actor,
            role,
            reason,
        },
        5 => Govern::GrantCapability {
            actor,
            capability: random.name("able", 3),
            reason,
        },
        _ => Govern::RevokeCapability {
            actor,
            capability: random.name("able", 3),
            reason,
        },
    }))
}

fn key_of(random: &mut Random, of: u128) -> Command {
    Command::Govern(Box::new(Govern::CreateKey(NewKey {
        id: KeyId(of << 64 | random.below(200) as u128 | 1 << 32),
        name: random.name("key", 3),
        role: random.name("role", 3),
        digest: KeyDigest([1; 32]),
        ..NewKey::default()
    })))
}

fn work(random: &mut Random, known: &Known) -> Command {
    let (run, fence) = known.lease(random);
    match random.below(8) {
        0..=2 => Command::Claim(Box::new(Claim {
            worker: random.name("worker", 3),
            queues: (0..3).map(|at| Text::from(format!("queue{at}"))).collect(),
            max: 1 + random.below(3) as u32,
            idempotency_key: random.one_in(5).then(|| random.name("claim", 20)),
            capabilities: vec![random.name("able", 2)],
            actor: random.one_in(6).then(|| actor(random)),
            ..Claim::default()
        })),
        3 => Command::Heartbeat(HeartbeatItem {
            run,
            fence,
            lease_ms: None,
            progress: None,
        }),
        4 => Command::Consume {
            run,
            fence,
            consumption: vec![Amount {
                dimension: Text::from("token"),
                amount: 1,
            }],
        },
        _ => {
            let outcomes = [
                FinishOutcome::Success,
                FinishOutcome::Success,
                FinishOutcome::Failure,
                FinishOutcome::Suspended,
                FinishOutcome::Released,
            ];
            Command::Finish(Box::new(Finish {
                outcome: outcomes[random.below(outcomes.len())],
                ..Finish::success(run, fence, None)
            }))
        }
    }
}

fn control(random: &mut Random, known: &Known) -> Command {
    let (run, task, queue) = (known.run(random), task(random), random.name("queue", 3));
    let reason = None;
    match random.below(14) {
        0 => Command::CancelRun {
            run,
            force: random.one_in(2),
            reason,
        },
        1 => Command::CancelTask { task, reason },
        2 => Command::SuspendRun { run, reason },
        3 => Command::ResumeRun { run, payload: None },
        4 => Command::PauseQueue { queue, reason },
        5 | 6 => Command::ResumeQueue { queue, reason },
        7 => {
            let rate = RateLimit {
                per_ms: 1000,
                max: 20,
            };
            let config = QueueConfig {
                concurrency_limit: random.one_in(2).then_some(8),
                rate_limit: random.one_in(2).then_some(rate),
                weight: None,
            };
            Command::ConfigureQueue { queue, config }
        }
        8 => Command::UpdateTask(Box::new(TaskPatch {
            task,
            priority: Some(random.below(5) as i32),
            ..TaskPatch::default()
        })),
        9 => Command::CreateRun {
            task,
            run: None,
            state: RunState::Scheduled,
            scheduled_at: None,
        },
        10 => Command::ReplenishBudget {
            scope: if random.one_in(2) {
                BudgetScope::Tenant
            } else {
                BudgetScope::Task(task)
            },
            dimension: Text::from("token"),
            new_limit: 50,
        },
        11 => Command::AllocateBudget {
            scope: if random.one_in(2) {
                BudgetScope::Tenant
            } else {
                BudgetScope::Task(task)
            },
            dimension: Text::from("token"),
            limit: 100,
            reserve: None,
        },
        12 => Command::DeclareDependencies {
            task,
            depends_on: vec![self::task(random)],
        },
        _ => Command::WeighTenant {
            weight: 1 + random.below(5) as u32,
        },
    }
}

/// What is asked for next: the same for the same random numbers, with the ids that this tenant was told.
fn command(random: &mut Random, known: &Known, of: u128) -> Command {
    match random.below(20) {
        0..=5 => Command::SubmitAs(task(random), Box::new(spec(random))),
        6 => Command::Submit(Box::new(spec(random))),
        7..=12 => work(random, known),
        13 | 14 => control(random, known),
        15 => Command::Subscribe {
            task: task(random),
            id: None,
            filter: Box::new(Filter::Custom(random.name("event", 3))),
        },
        16 => Command::PublishEvent {
            key: random.name("event", 3),
            payload: None,
        },
        17 => {
            let unknown = SubscriptionId(9);
            let subscription = Known::pick(&known.subscriptions, random, unknown);
            Command::Unsubscribe { subscription }
        }
        18 if random.one_in(2) => Command::RegisterActor(Box::new(Registration {
            actor: Some(actor(random)),
            identity: Text::from("bot"),
            capabilities: vec![random.name("able", 2)],
            department: None,
            heartbeat_interval_ms: 5000,
        })),
        18 => key_of(random, of),
        _ => govern(random),
    }
}

fn question(random: &mut Random, known: &Known) -> Query {
    match random.below(9) {
        0 => Query::Task(task(random)),
        1 => Query::Run(known.run(random)),
        2 | 3 => Query::Explain(known.run(random)),
        4 => Query::Queues,
        5 => Query::Budgets,
        6 => Query::Roles,
        7 => Query::Keys {
            of: KeysOf::Tenant,
            after: KeyId(0),
            limit: 1000,
        },
        _ => Query::Actor(actor(random)),
    }
}

struct World {
    machine: Machine,
    now: Now,
}

impl World {
    fn new(tenants: [TenantId; 2]) -> World {
        let mut world = World {
            machine: Machine::new(1),
            now: Now::at(mainstay_core::Timestamp(1_800_000_000_000), 0),
        };
        world.ask(
            TenantId::DEFAULT,
            Command::Start {
                incarnation: 1,
                downtime_ms: 0,
            },
        );
        for (tenant, name) in tenants.into_iter().zip(["a", "b"]) {
            let tenant = Some(tenant);
            world.ask(
                TenantId::DEFAULT,
                Command::CreateTenant {
                    tenant,
                    name: name.into(),
                },
            );
        }
        world
    }

    fn ask(&mut self, tenant: TenantId, command: Command) -> mainstay_core::Step {
        let principal = Principal {
            tenant,
            ..Principal::default()
        };
        self.machine
            .step(&self.now, &Facts::default(), Call::by(&principal, command))
    }

    /// Time passes for everybody, and all that is due is done.
    fn pass(&mut self, ms: u64) {
        self.now.wall = self.now.wall.plus_ms(ms);
        self.now.steady = self.now.steady.plus_ms(ms);
        loop {
            let step = self.ask(TenantId::DEFAULT, Command::Tick);
            if !matches!(step.outcome, Ok(Outcome::Ticked { more: true })) {
                break;
            }
        }
    }
}

#[test]
fn what_one_tenant_does_changes_no_answer_of_another() {
    let calls: u32 = std::env::var("MAINSTAY_TENANCY_CALLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    let (one, other) = (TenantId(0xa), TenantId(0xb));
    // In the first world both live; in the second the other is alone.
    let (mut both, mut alone) = (World::new([one, other]), World::new([one, other]));
    let (mut noise, mut seen, mut told) = (Known::default(), Known::default(), Known::default());
    let mut random = Random(20_261_121);
    let (mut compared, mut refused, mut noisy, mut asked) = (0u32, 0u32, 0u32, 0u32);
    while compared + noisy < calls {
        if random.one_in(12) {
            let ms = random.below(900) as u64;
            both.pass(ms);
            alone.pass(ms);
        }
        if random.one_in(2) {
            let command = command(&mut random, &noise, one.0);
            if let Ok(outcome) = both.ask(one, command).outcome {
                noise.hear(&outcome);
            }
            noisy += 1;
            continue;
        }
        let mut same = random.clone();
        let here = command(&mut random, &seen, other.0);
        let there = command(&mut same, &told, other.0);
        let about = format!("{here:?}");
        let here = both.ask(other, here).outcome;
        let there = alone.ask(other, there).outcome;
        refused += u32::from(here.is_err());
        let (with, without) = (format!("{here:?}"), format!("{there:?}"));
        assert_eq!(seen.plain(&with), told.plain(&without), "{about}");
        if let (Ok(here), Ok(there)) = (here, there) {
            seen.hear(&here);
            told.hear(&there);
        }
        compared += 1;
        if random.one_in(4) {
            let mut same = random.clone();
            let (here, there) = (question(&mut random, &seen), question(&mut same, &told));
            let with = format!("{:?}", both.machine.answer(&both.now, other, &here));
            let without = format!("{:?}", alone.machine.answer(&alone.now, other, &there));
            assert_eq!(seen.plain(&with), told.plain(&without), "{here:?}");
            asked += 1;
        }
    }
    both.machine.verify().expect("whole");
    println!(
        "{compared} calls of one tenant beside {noisy} of another, {refused} refused, {asked} questions: all answered alike"
    );
    assert!(refused * 4 > compared / 4 && refused < compared);
}
