//! Images of actors and of statistics: today's writer writes what an earlier release wrote, and reads it to the same state.

use std::fmt::Write as _;
use std::path::Path;

use mainstay_core::{
    ActorId, Call, Claim, Command, Cut, Finish, FinishOutcome, Machine, Now, ObjectClass, Outcome,
    Registration, RunError, Steady, TaskSpec, Text, Timestamp,
};

mod shelf;

use shelf::Shelf;

const T0: u64 = 1_800_000_000_000;
const GOLDEN: [ObjectClass; 2] = [ObjectClass::Actor, ObjectClass::Statistics];

struct World {
    machine: Machine,
    shelf: Shelf,
    now: Now,
}

impl World {
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
fn told(cut: &Cut) -> String {
    let mut out = String::new();
    for object in cut.objects.iter().filter(|one| GOLDEN.contains(&one.class)) {
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
    let cut = world.machine.take_cut();
    let today = told(&cut);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/objects_v1.txt");
    if !path.exists() && std::env::var_os("MAINSTAY_BLESS_NEW").is_some() {
        std::fs::write(&path, &today).expect("written");
    }
    let golden = std::fs::read_to_string(&path).expect("a golden file is never removed");
    assert_eq!(today, golden);
    for class in ["Actor", "Statistics"] {
        assert_eq!(
            golden
                .lines()
                .filter(|line| line.starts_with(class))
                .count(),
            2
        );
    }
    // What was just seen to be the golden bytes is read, and written again alike.
    world.shelf.commit(cut);
    world.shelf.check_round_trip();
    let mut again = world.shelf.load(5, true);
    assert_eq!(again.digest(), world.machine.digest());
    assert_eq!(told(&again.take_cut()), golden);
}
