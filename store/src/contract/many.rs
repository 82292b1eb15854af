//! What every store does with tasks of several runs: some end, and leave memory, long before their task does.
//! Owns: the cases.
//! Never: knows which implementation it runs on.

use mainstay_core::{
    Command, Finish, Repeat, RunColumns, RunState, Schedule, TaskColumns, TaskId, TaskSpec,
    TenantId, Timestamp,
};

use super::world::{BEGIN, Factory, LOG_ID, World, load, spec, walk};
use crate::seam::{Reader, Store};

/// Runs every case of tasks with several runs, each on a fresh factory.
///
/// # Panics
/// If the implementation breaks the contract.
pub(super) fn many<F: Factory>(make: &mut impl FnMut() -> F) {
    the_first_thousand_runs_come_in_order(&mut make());
    runs_that_ended_stay_with_their_live_task(&mut make());
    the_output_of_a_task_is_that_of_its_last_completed_run(&mut make());
}

/// A task of so many runs in a queue, all due at once.
pub(super) fn repeat(queue: &str, count: u32) -> TaskSpec {
    let mut spec = spec("again", queue, 1);
    spec.schedule = Some(Box::new(Schedule::Repeat(Repeat {
        count,
        interval_ms: 1,
        start_at: Some(Timestamp(BEGIN - 1_000_000)),
    })));
    spec
}

fn states(reader: &mut dyn Reader, task: TaskId) -> Vec<RunState> {
    let found = reader.task(TenantId::DEFAULT, task).expect("look");
    let runs = found.expect("stored").runs;
    let state = |image: &Vec<u8>| RunColumns::read(image).expect("run").state;
    runs.iter().map(state).collect()
}

fn the_first_thousand_runs_come_in_order<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let submitted = world.submit(repeat("q", 1200));
    world.store(&mut store);
    for grant in world.claim("q", 3) {
        world.finish_with(&grant, &[7; 5000]);
    }
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let found = reader.task(TenantId::DEFAULT, submitted.task);
    let found = found.expect("look").expect("stored");
    assert_eq!(found.runs.len(), 1000);
    let first = RunColumns::read(&found.runs[0]).expect("run");
    assert_eq!(
        (first.id, first.state),
        (submitted.run.run, RunState::Completed)
    );
    let task = TaskColumns::read(&found.task).expect("task");
    let mut last = 0;
    for image in &found.runs {
        assert!(image.len() < 100, "no output comes along");
        let run = RunColumns::read(image).expect("run");
        assert!(run.number > last && run.task == task.number);
        last = run.number;
    }
    let alone = reader.run(TenantId::DEFAULT, submitted.run.run);
    let alone = alone.expect("look").expect("stored").runs;
    let run = RunColumns::read(&alone[0]).expect("run");
    assert_eq!(
        run.output.map(<[u8]>::len),
        Some(5000),
        "a run by itself is whole"
    );
}

fn runs_that_ended_stay_with_their_live_task<F: Factory>(factory: &mut F) {
    use RunState::{Completed, Failed, Ready, Running};
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let task = world.submit(repeat("q", 5)).task;
    let grants = world.claim("q", 3);
    world.complete(&grants[0]);
    world.fail(&grants[1], false);
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    assert_eq!(
        states(&mut *reader, task),
        [Completed, Failed, Running, Ready, Ready]
    );
    let walked = walk(&mut *reader);
    assert_eq!((walked.tasks.len(), walked.runs.len()), (1, 3));
    let loaded = load(&mut *reader);
    assert_eq!(loaded.verify(), Ok(()));
    assert_eq!(loaded.digest(), world.machine.digest());
    world.complete(&grants[2]);
    for grant in world.claim("q", 2) {
        world.complete(&grant);
    }
    world.store(&mut store);
    let all = [Completed, Failed, Completed, Completed, Completed];
    assert_eq!(states(&mut *reader, task), all);
    assert_eq!(walk(&mut *reader).work(), 0);
    assert_eq!(world.machine.rows(), (0, 0));
}

fn the_output_of_a_task_is_that_of_its_last_completed_run<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let one = world.submit(spec("a", "one", 1)).task;
    let many = world.submit(repeat("many", 4)).task;
    let failed = world.submit(spec("a", "failed", 1)).task;
    let grant = &world.claim("one", 1)[0];
    world.finish_with(grant, b"\"one\"");
    let grants = world.claim("many", 4);
    world.finish_with(&grants[0], b"\"first\"");
    world.finish_with(&grants[2], b"\"third\"");
    world.fail(&grants[3], false);
    let grant = &world.claim("failed", 1)[0];
    world.fail(grant, false);
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let mut output = |task| {
        let output = reader.output(TenantId::DEFAULT, task).expect("look");
        output.map(|output| String::from_utf8_lossy(&output).into_owned())
    };
    assert_eq!(output(one).as_deref(), Some("\"one\""));
    assert_eq!(output(many).as_deref(), Some("\"third\""));
    assert_eq!(output(failed), None);
    assert_eq!(output(TaskId(7)), None);
    world.finish_with(&grants[1], b"\"second\"");
    world.store(&mut store);
    let output = reader.output(TenantId::DEFAULT, many).expect("look");
    assert_eq!(output.as_deref(), Some(&b"\"third\""[..]), "by creation");
}

impl World {
    fn finish_with(&mut self, grant: &mainstay_core::ClaimGrant, output: &[u8]) {
        let finish = Finish::success(grant.run, grant.fence, Some(output.into()));
        self.step(Command::Finish(finish.into()));
    }
}
