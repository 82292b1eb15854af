//! Images of actors, of statistics and of webhooks: today's writer writes what an earlier release wrote, and reads it to the same state.

use std::fmt::Write as _;
use std::path::Path;

use mainstay_core::{
    ActorId, Attempted, Call, Claim, Command, Cut, Finish, FinishOutcome, Hook, Machine, Now,
    ObjectClass, Outcome, Registration, Report, RunError, RunId, Steady, TaskId, TaskSpec, Text,
    Timestamp, WebhookId, WebhookSpec,
};

mod shelf;

use shelf::Shelf;

const T0: u64 = 1_800_000_000_000;
const MEASURED: [ObjectClass; 2] = [ObjectClass::Actor, ObjectClass::Statistics];
const SENT: [ObjectClass; 2] = [ObjectClass::Webhook, ObjectClass::Delivery];

struct World {
    machine: Machine,
    shelf: Shelf,
    now: Now,
}

impl World {
    fn begin() -> World {
        let mut world = World {
            machine: Machine::new(1),
            shelf: Shelf::default(),
            now: Now::at(Timestamp(T0), 0),
        };
        let start = Command::Start {
            incarnation: 1,
            downtime_ms: 0,
        };
        world.step(0, start);
        world
    }

    fn hook(&mut self, at_ms: u64, hook: Hook) -> Outcome {
        self.step(at_ms, Command::Hook(Box::new(hook)))
    }

    /// A sender tells of its attempts: event, status, error.
    fn report(&mut self, at_ms: u64, webhook: WebhookId, attempts: &[(u64, u32, &str)]) {
        let attempts = attempts.iter().map(|(event, status, error)| Attempted {
            event: *event,
            kind: "run_failed".into(),
            task: (*status == 503).then_some(TaskId(0x51)),
            run: (*status == 503).then_some(RunId(0x52)),
            status: *status,
            error: (*error).into(),
            duration_ms: 77,
            ..Attempted::default()
        });
        let report = Report {
            webhook,
            cursor: self.machine.sequence(),
            attempts: attempts.collect(),
            missed: None,
        };
        self.hook(at_ms, Hook::Report(report));
    }

    fn step(&mut self, at_ms: u64, command: Command) -> Outcome {
        self.now = Now {
            wall: Timestamp(T0 + at_ms),
            steady: Steady(at_ms),
            id_seed: self.now.id_seed + 1,
        };
        let call = Call::new(command);
        let (step, _) = self.shelf.step(&mut self.machine, &self.now, call);
        step.outcome.expect("the step is accepted")
    }

    fn register(&mut self, at_ms: u64, id: u128, department: Option<&str>) -> ActorId {
        let told = Registration {
            actor: Some(ActorId(id)),
            identity: Text::from("bot 7"),
            capabilities: vec!["gpu".into(), "deploy".into()],
            department: department.map(Text::from),
            heartbeat_interval_ms: 5000,
        };
        match self.step(at_ms, Command::RegisterActor(Box::new(told))) {
            Outcome::ActorRegistered(actor) => actor,
            other => panic!("an actor: {other:?}"),
        }
    }

    /// An attempt of a kind, from an instant to another.
    fn work(&mut self, from_ms: u64, until_ms: u64, kind: &str, well: bool) {
        self.step(from_ms, Command::Submit(TaskSpec::new(kind).into()));
        let claim = Claim {
            worker: "w".into(),
            queues: vec!["default".into()],
            max: 1,
            lease_ms: Some(3_600_000),
            ..Claim::default()
        };
        let Outcome::Claimed(grants) = self.step(from_ms, Command::Claim(claim.into())) else {
            panic!("a claim answers with grants")
        };
        let mut finish = Finish::success(grants[0].run, grants[0].fence, None);
        if !well {
            finish.outcome = FinishOutcome::Failure;
            finish.error = Some(Box::new(RunError {
                code: "e".into(),
                message: "m".into(),
                retryable: false,
            }));
        }
        self.step(until_ms, Command::Finish(finish.into()));
    }
}

/// One line per object: class, key, image in hexadecimal digits.
fn told(cut: &Cut, classes: [ObjectClass; 2]) -> String {
    let mut out = String::new();
    for object in cut
        .objects
        .iter()
        .filter(|one| classes.contains(&one.class))
    {
        let _ = write!(out, "{:?} {} ", object.class, object.key);
        for byte in &object.image {
            let _ = write!(out, "{byte:02x}");
        }
        out.push('\n');
    }
    out
}

#[test]
fn the_golden_images_of_actors_and_statistics_are_read_and_written_as_ever() {
    let mut world = World::begin();
    world.register(10, 0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ab, Some("night"));
    let leaving = world.register(20, 0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ac, None);
    world.step(
        30,
        Command::DrainActor {
            actor: leaving,
            reason: None,
        },
    );
    // Now, beyond an hour ago, and both ends of what a bucket may be.
    world.work(100, 100, "mail.send", true);
    world.work(200, 17_000, "mail.send", false);
    world.work(4_000_000, 4_000_777, "mail.send", true);
    world.work(4_001_000, 7_300_000, "report", true);
    check(world, "objects_v1.txt", MEASURED, [2, 2]);
}

#[test]
fn the_golden_images_of_webhooks_and_deliveries_are_read_and_written_as_ever() {
    let mut world = World::begin();
    let first = WebhookId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ab);
    let second = WebhookId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ac);
    let full = WebhookSpec {
        name: "ops".into(),
        description: Some("tells the night shift".into()),
        url: "https://hooks.example.com/mainstay?x=1".into(),
        events: vec!["run_completed".into(), "run_failed".into()],
        queues: vec!["mail".into(), "sms".into()],
        kinds: vec!["mail.send".into()],
    };
    let plain = WebhookSpec {
        events: vec!["*".into()],
        description: None,
        queues: Vec::new(),
        kinds: Vec::new(),
        ..full.clone()
    };
    let create = |webhook, spec: &WebhookSpec| Hook::Create {
        webhook: Some(webhook),
        spec: spec.clone(),
        reason: None,
    };
    world.hook(10, create(first, &plain));
    world.hook(20, create(second, &plain));
    let (webhook, spec, reason) = (first, full, None);
    world.hook(
        30,
        Hook::Update {
            webhook,
            spec,
            reason,
        },
    );
    let reason = None;
    world.hook(40, Hook::Rotate { webhook, reason });
    let mut events = Vec::new();
    for at_ms in 50..53 {
        let reason = None;
        world.hook(at_ms, Hook::Test { webhook, reason });
        events.push(world.machine.sequence());
    }
    // One that was taken, one that waits for its next attempt, one that nobody answered; then the other webhook's receiver is gone.
    let [taken, waits, unanswered] = events[..] else {
        panic!("three tests: {events:?}")
    };
    let attempts = [
        (taken, 204, ""),
        (waits, 503, "status"),
        (unanswered, 0, "timeout"),
    ];
    world.report(60, first, &attempts);
    world.report(70, first, &[(waits, 500, "status")]);
    let (webhook, reason) = (second, None);
    world.hook(80, Hook::Test { webhook, reason });
    let event = world.machine.sequence();
    world.report(90, second, &[(event, 410, "status")]);
    check(world, "webhooks_v1.txt", SENT, [2, 4]);
}

/// The machine's cut is as the golden file has it; that is read, and written again alike.
fn check(mut world: World, file: &str, classes: [ObjectClass; 2], counts: [usize; 2]) {
    let cut = world.machine.take_cut();
    let today = told(&cut, classes);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file);
    if !path.exists() && std::env::var_os("MAINSTAY_BLESS_NEW").is_some() {
        std::fs::write(&path, &today).expect("written");
    }
    let golden = std::fs::read_to_string(&path).expect("a golden file is never removed");
    assert_eq!(today, golden);
    for (class, count) in classes.iter().zip(counts) {
        let named = format!("{class:?} ");
        let lines = golden.lines().filter(|line| line.starts_with(&named));
        assert_eq!(lines.count(), count, "{class:?}");
    }
    // What was just seen to be the golden bytes is read, and written again alike.
    world.shelf.commit(cut);
    world.shelf.check_round_trip();
    let mut again = world.shelf.load(5, true);
    assert_eq!(again.digest(), world.machine.digest());
    assert_eq!(told(&again.take_cut(), classes), golden);
}
