//! A machine with rows in every state, its cut, and the way back.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::codec::Malformed;
use crate::image::{Cut, Loader, PlaceRow, RowKind};
use crate::machine::{Facts, Machine, Now};
use crate::{
    Amount, BudgetSpec, Bytes, Call, CheckpointPut, Claim, ClaimGrant, Command, Fence, Filter,
    Finish, FinishOutcome, Outcome, RunError, RunId, TaskId, TaskSpec, Text, Timestamp,
};

pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) now: Now,
}

pub(super) fn text(text: &str) -> Text {
    Text::from(text)
}

impl World {
    pub(super) fn new() -> World {
        World {
            machine: Machine::new(1),
            now: Now::at(Timestamp(1_000_000), 10),
        }
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.now.wall = self.now.wall.plus_ms(ms);
        self.now.steady = self.now.steady.plus_ms(ms);
    }

    /// One command; a refusal is no matter.
    pub(super) fn step(&mut self, command: Command) -> Option<Outcome> {
        let step = self
            .machine
            .step(&self.now, &Facts::default(), Call::new(command));
        step.outcome.ok()
    }

    pub(super) fn submit(&mut self, spec: TaskSpec) -> (TaskId, RunId) {
        match self.step(Command::Submit(Box::new(spec))) {
            Some(Outcome::Submitted(submitted)) => (submitted.task, submitted.run.run),
            other => panic!("a submit came to {other:?}"),
        }
    }

    pub(super) fn claim(&mut self, queue: &str, max: u32, key: Option<&str>) -> Vec<ClaimGrant> {
        let claim = Claim {
            worker: text("worker-1"),
            queues: vec![text(queue)],
            kinds: Vec::new(),
            max,
            lease_ms: None,
            idempotency_key: key.map(Text::from),
            ..Claim::default()
        };
        match self.step(Command::Claim(Box::new(claim))) {
            Some(Outcome::Claimed(grants)) => grants,
            _ => Vec::new(),
        }
    }

    pub(super) fn finish(&mut self, run: RunId, fence: Fence, outcome: FinishOutcome) {
        let error = RunError {
            code: text("flaky"),
            message: text("the line broke"),
            retryable: true,
        };
        self.step(Command::Finish(Box::new(Finish {
            outcome,
            error: Some(Box::new(error)),
            output: Some(Bytes::from(&b"{\"n\":1}"[..])),
            reason: Some(text("so it went")),
            ..Finish::success(run, fence, None)
        })));
    }
}

pub(super) fn spec(queue: &str) -> TaskSpec {
    let mut spec = TaskSpec::new("mail.send");
    spec.queue = text(queue);
    spec
}

fn token_budget() -> BudgetSpec {
    BudgetSpec {
        dimension: text("token"),
        limit: 1000,
        reserve: Some(30),
    }
}

pub(super) fn used(amount: u64) -> Amount {
    Amount {
        dimension: text("token"),
        amount,
    }
}

/// Tasks and runs in every state, with everything that a row can carry.
pub(super) fn lively() -> World {
    let mut world = World::new();
    world.step(Command::Start {
        incarnation: 3,
        downtime_ms: 0,
    });
    let rich = |queue: &str| {
        let mut spec = spec(queue);
        spec.priority = -7;
        let policy = spec.policy_mut();
        (policy.max_attempts, policy.timeout_ms) = (9, Some(60_000));
        policy.concurrency_key = Some(text("customer"));
        policy.concurrency_limit = 7;
        let extras = spec.extras_mut();
        extras.tags = vec![text("a"), text("b")];
        extras.description = Some(text("what it is for"));
        spec.bonds_mut().budgets = vec![token_budget()];
        spec
    };
    for (queue, outcome) in [
        ("done", FinishOutcome::Success),
        ("waits", FinishOutcome::Failure),
        ("aside", FinishOutcome::Suspended),
        ("back", FinishOutcome::Released),
        ("off", FinishOutcome::Canceled),
    ] {
        let (_, run) = world.submit(rich(queue));
        world.pass(5);
        let fence = world.claim(queue, 1, Some(queue))[0].fence;
        world.step(Command::Checkpoint(Box::new(CheckpointPut {
            run,
            fence,
            name: text("page"),
            value: Bytes::from(&b"7"[..]),
        })));
        world.finish(run, fence, outcome);
    }
    let (_, failed) = world.submit(spec("bad"));
    let fence = world.claim("bad", 1, None)[0].fence;
    world.finish(failed, fence, FinishOutcome::Failure);
    for _ in 0..2 {
        let (task, run) = world.submit(rich("held"));
        world.claim("held", 1, None);
        let reason = Some(text("enough"));
        world.step(Command::SuspendRun { run, reason });
        let reason = None;
        world.step(Command::CancelTask { task, reason });
    }
    let (_, resumed) = world.submit(rich("again"));
    let fence = world.claim("again", 1, None)[0].fence;
    world.finish(resumed, fence, FinishOutcome::Suspended);
    let payload = Some(Bytes::from(&b"[]"[..]));
    world.step(Command::ResumeRun {
        run: resumed,
        payload,
    });
    let (waiting, spent) = world.submit(rich("spent"));
    let fence = world.claim("spent", 1, None)[0].fence;
    for filter in [
        Filter::Custom(text("go")),
        Filter::BudgetThreshold(waiting, text("token"), 80),
    ] {
        world.step(Command::Subscribe {
            task: waiting,
            id: None,
            filter: Box::new(filter),
        });
    }
    world.step(Command::Consume {
        run: spent,
        fence,
        consumption: vec![used(1000)],
    });
    world.finish(spent, fence, FinishOutcome::Suspended);
    let mut heavy = spec("large");
    heavy.payload.bytes = Bytes::from(vec![b'1'; 65]);
    heavy.payload.binary = true;
    heavy.extras_mut().idempotency_key = Some(text("large-1"));
    heavy.extras_mut().expires_at = Some(world.now.wall.plus_ms(900_000));
    world.submit(heavy);
    let mut later = spec("later");
    later.run_at = Some(world.now.wall.plus_ms(77_000));
    world.submit(later);
    let (now, _) = world.submit(spec("now"));
    family(&mut world, now);
    world
}

/// Tasks that stand to each other: a coordinator that waits for its child, which waits for another task, and a parent below which one is live.
fn family(world: &mut World, other: TaskId) {
    let (_, coordinator) = world.submit(spec("family"));
    let fence = world.claim("family", 1, None)[0].fence;
    let mut child = spec("family");
    child.bonds_mut().depends_on = vec![other];
    child.extras_mut().unique_key = Some(text("only"));
    world.step(Command::Finish(Box::new(Finish {
        outcome: FinishOutcome::Suspended,
        reason: Some(text("waiting_for_children")),
        children: vec![(Some(TaskId(0xc1)), child)],
        ..Finish::success(coordinator, fence, None)
    })));
    let (parent, run) = world.submit(spec("family"));
    let fence = world.claim("family", 1, None)[0].fence;
    for _ in 0..2 {
        let mut child = spec("family");
        child.bonds_mut().parent = Some(parent);
        world.submit(child);
    }
    world.finish(run, fence, FinishOutcome::Success);
    let ended = world.claim("family", 1, None).remove(0);
    world.finish(ended.run, ended.fence, FinishOutcome::Failure);
}

/// What a store holds of a machine that was cut for the first time.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) cut: Cut,
    pub(super) tasks: Vec<Vec<u8>>,
    pub(super) runs: Vec<Vec<u8>>,
}

pub(super) fn stored(cut: Cut) -> Stored {
    let live = |kind: RowKind| {
        let mut rows: Vec<_> = cut.rows.iter().collect();
        rows.retain(|row| row.kind == kind && row.live);
        rows.sort_by_key(|row| row.number);
        let images = rows.into_iter().map(|row| cut.image(row).to_vec());
        images.collect::<Vec<_>>()
    };
    let (tasks, runs) = (live(RowKind::Task), live(RowKind::Run));
    Stored { cut, tasks, runs }
}

impl Stored {
    pub(super) fn load(&self) -> Result<Machine, Malformed> {
        let (cut, tasks, runs) = (&self.cut, &self.tasks, &self.runs);
        load_with(&cut.meta, &cut.places, tasks, runs, &cut.objects)
    }
}

pub(super) fn load(
    meta: &[u8],
    places: &[PlaceRow],
    tasks: &[Vec<u8>],
    runs: &[Vec<u8>],
) -> Result<Machine, Malformed> {
    load_with(meta, places, tasks, runs, &[])
}

fn load_with(
    meta: &[u8],
    places: &[PlaceRow],
    tasks: &[Vec<u8>],
    runs: &[Vec<u8>],
    objects: &[crate::ObjectRow],
) -> Result<Machine, Malformed> {
    let mut loader = Loader::new(2, meta, places, false)?;
    objects
        .iter()
        .try_for_each(|object| loader.object(object))?;
    tasks.iter().try_for_each(|task| loader.task(task))?;
    runs.iter().try_for_each(|run| loader.run(run))?;
    Ok(loader.finish())
}

pub(super) fn facts_of(cut: &Cut) -> Facts {
    let mut facts = Facts::default();
    cut.places.iter().for_each(|place| facts.add_place(place));
    for row in &cut.rows {
        let added = match row.kind {
            RowKind::Task => facts.add_task(cut.image(row)),
            RowKind::Run => facts.add_run(cut.image(row)),
        };
        added.unwrap();
    }
    facts
}

pub(super) fn refused(loaded: Result<Machine, Malformed>) -> String {
    match loaded {
        Err(Malformed(why)) => String::from(why),
        Ok(_) => panic!("it was loaded"),
    }
}
