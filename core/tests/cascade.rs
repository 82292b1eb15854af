//! Consequences without bound: each command and each tick draws its share, and what is not drawn yet already holds.

use mainstay_core::{
    Answer, Bytes, Call, Claim, ClaimGrant, Command, Directive, Fence, Finish, FinishOutcome,
    HeartbeatItem, Machine, Now, Outcome, Query, Rejection, RunId, RunState, Step, TaskId,
    TaskSpec, TaskState, TenantId, Timestamp, limits,
};

/// Events that one command may come to here: its share of consequences, for a tick that of what was owed before too, and a few of its own.
const EVENTS_MAX: usize = 2 * limits::CASCADE_MAX + 16;

struct World {
    machine: Machine,
    now_ms: u64,
    most: usize,
}

impl World {
    fn new() -> World {
        let mut world = World {
            machine: Machine::new(1),
            now_ms: 0,
            most: 0,
        };
        let start = Command::Start {
            incarnation: 1,
            downtime_ms: 0,
        };
        world.step(start).outcome.unwrap();
        world
    }

    fn now(&self) -> Now {
        Now::at(Timestamp(1_800_000_000_000 + self.now_ms), self.now_ms)
    }

    fn step(&mut self, command: Command) -> Step {
        let now = self.now();
        let step = self
            .machine
            .step(&now, &Default::default(), Call::new(command));
        self.most = self.most.max(step.events.len());
        assert!(
            step.events.len() <= EVENTS_MAX,
            "{} events",
            step.events.len()
        );
        step
    }

    fn submit(
        &mut self,
        id: u128,
        change: impl FnOnce(&mut TaskSpec),
    ) -> Result<Outcome, Rejection> {
        let mut spec = TaskSpec::new("work");
        change(&mut spec);
        self.step(Command::SubmitAs(TaskId(id), Box::new(spec)))
            .outcome
    }

    fn claim(&mut self, max: u32) -> Vec<ClaimGrant> {
        let claim = Claim {
            worker: "w".into(),
            queues: vec!["default".into()],
            max,
            ..Claim::default()
        };
        match self.step(Command::Claim(Box::new(claim))).outcome {
            Ok(Outcome::Claimed(grants)) => grants,
            other => panic!("{other:?}"),
        }
    }

    fn finish(
        &mut self,
        run: RunId,
        fence: Fence,
        outcome: FinishOutcome,
    ) -> Result<Outcome, Rejection> {
        let finish = Finish {
            outcome,
            ..Finish::success(run, fence, None)
        };
        self.step(Command::Finish(Box::new(finish))).outcome
    }

    fn cancel(&mut self, id: u128) -> Outcome {
        let cancel = Command::CancelTask {
            task: TaskId(id),
            reason: None,
        };
        self.step(cancel).outcome.unwrap()
    }

    /// Ticks as long as something is owed; gives how many ticks it took.
    fn settle(&mut self) -> usize {
        let mut ticks = 0;
        while self.machine.next_deadline_in_ms(&self.now()) == Some(0) {
            self.step(Command::Tick).outcome.unwrap();
            ticks += 1;
        }
        assert_eq!(self.machine.verify(), Ok(()));
        ticks
    }

    fn state(&self, id: u128) -> TaskState {
        let query = Query::Task(TaskId(id));
        match self.machine.answer(&self.now(), TenantId::DEFAULT, &query) {
            Answer::Task(view) => view.state,
            other => panic!("{other:?}"),
        }
    }

    fn runs(&self, state: RunState) -> u64 {
        self.machine.stats().runs_by_state[state as usize]
    }
}

#[test]
fn a_chain_of_ten_thousand_falls_over_ticks() {
    let mut world = World::new();
    world.submit(1, |_| {}).unwrap();
    for id in 2..=10_000 {
        let after = |spec: &mut TaskSpec| spec.bonds_mut().depends_on = vec![TaskId(id - 1)];
        world.submit(id, after).unwrap();
    }
    world.cancel(1);
    assert_eq!(world.state(2), TaskState::Canceled);
    assert_eq!(world.state(10_000), TaskState::Active);
    // A process that ends here finds the rest in its rows.
    let ticks = world.settle();
    assert!((9..=16).contains(&ticks), "{ticks} ticks");
    assert_eq!(world.state(10_000), TaskState::Canceled);
    assert_eq!(world.runs(RunState::Canceled), 10_000);
}

#[test]
fn fifty_thousand_dependents_hear_of_one_end_over_ticks() {
    for (outcome, heard) in [
        (FinishOutcome::Success, RunState::Ready),
        (FinishOutcome::Failure, RunState::Canceled),
    ] {
        let mut world = World::new();
        world.submit(1, |_| {}).unwrap();
        for id in 2..=50_001 {
            let after = |spec: &mut TaskSpec| spec.bonds_mut().depends_on = vec![TaskId(1)];
            world.submit(id, after).unwrap();
        }
        let grant = world.claim(1).remove(0);
        world.finish(grant.run, grant.fence, outcome).unwrap();
        assert!((400..=1000).contains(&world.runs(heard)));
        let ticks = world.settle();
        assert!((49..=100).contains(&ticks), "{ticks} ticks");
        assert_eq!(world.runs(heard), 50_000);
        if heard == RunState::Ready {
            // In the order they were submitted.
            let first: Vec<u128> = world.claim(3).iter().map(|grant| grant.task.0).collect();
            assert_eq!(first, [2, 3, 4]);
        }
    }
}

fn below(parent: u128) -> impl Fn(&mut TaskSpec) {
    move |spec| spec.bonds_mut().parent = Some(TaskId(parent))
}

/// A parent with 3000 children, of which the last three run and one is suspended, canceled just now.
fn fenced() -> (World, Vec<ClaimGrant>) {
    let mut world = World::new();
    world.submit(1, |spec| spec.queue = "other".into()).unwrap();
    for id in 2..=3001 {
        let last = id > 2998;
        let child = |spec: &mut TaskSpec| {
            below(1)(spec);
            spec.priority = i32::from(last);
            spec.extras_mut().unique_key = (id == 3000).then(|| "k".into());
        };
        world.submit(id, child).unwrap();
    }
    let grants = world.claim(3);
    assert_eq!(grants[0].task, TaskId(2999));
    world.now_ms = 1000;
    match world.cancel(1) {
        Outcome::TaskCanceled(canceled) => assert_eq!(canceled.descendants_canceled, 3000),
        other => panic!("{other:?}"),
    }
    (world, grants)
}

#[test]
fn below_a_canceled_task_nothing_is_granted_though_the_sweep_is_on_its_way() {
    let (mut world, _) = fenced();
    let ready = world.runs(RunState::Ready);
    assert!(ready > 2000, "the sweep has its share");
    assert_eq!(world.claim(1000).len(), 0);
    let cleared = ready - world.runs(RunState::Ready);
    assert_eq!(cleared as usize, limits::CLAIM_SWEEP_MAX);
    assert_eq!(world.state(2998), TaskState::Canceled, "as people see it");
    world.settle();
    assert_eq!(world.runs(RunState::Ready), 0);
    assert_eq!(world.runs(RunState::Running), 3);
    assert_eq!(world.claim(1000).len(), 0);
    assert_eq!(world.state(2998), TaskState::Canceled);
}

/// The sweep has its share of a tick, and so has what comes due below it: `step` holds both to it.
#[test]
fn what_comes_due_below_a_canceled_task_is_called_off_in_pieces() {
    let mut world = World::new();
    world.submit(1, |_| {}).unwrap();
    let due = world.now().wall.plus_ms(1000);
    for id in 2..=6001 {
        let later = |spec: &mut TaskSpec| {
            below(1)(spec);
            spec.run_at = Some(due);
        };
        world.submit(id, later).unwrap();
    }
    world.cancel(1);
    world.now_ms = 1000;
    let ticks = world.settle();
    assert!((4..=12).contains(&ticks), "{ticks} ticks");
    assert_eq!(world.runs(RunState::Canceled), 6001);
}

#[test]
fn a_worker_below_a_canceled_task_is_told_before_the_sweep_comes() {
    let (mut world, grants) = fenced();
    let beat = HeartbeatItem {
        run: grants[0].run,
        fence: grants[0].fence,
        lease_ms: None,
        progress: None,
    };
    match world.step(Command::Heartbeat(beat)).outcome {
        Ok(Outcome::Beat(beat)) => assert_eq!(beat.directive, Directive::Cancel),
        other => panic!("{other:?}"),
    }
    // A success counts, the task stays canceled; anything else is a cancel, never a retry.
    let (done, failed) = (&grants[1], &grants[2]);
    let finished = world.finish(done.run, done.fence, FinishOutcome::Success);
    assert_eq!(finished, Ok(Outcome::Finished(RunState::Completed)));
    assert_eq!(world.state(done.task.0), TaskState::Canceled);
    let finished = world.finish(failed.run, failed.fence, FinishOutcome::Failure);
    assert_eq!(finished, Ok(Outcome::Finished(RunState::Canceled)));
    world.settle();
    assert_eq!(world.state(done.task.0), TaskState::Canceled);
    // Its grace has run since the cancel, not since the sweep.
    world.now_ms = 6000;
    world.step(Command::Tick).outcome.unwrap();
    assert_eq!(world.runs(RunState::Running), 0);
    assert_eq!(world.machine.verify(), Ok(()));
}

#[test]
fn what_is_fenced_counts_as_canceled_for_everybody_who_names_it() {
    let (mut world, grants) = fenced();
    let refused = world.submit(9001, below(2998));
    let parent = TaskId(2998);
    assert_eq!(refused, Err(Rejection::ParentTerminal { task: parent }));
    let after = |spec: &mut TaskSpec| spec.bonds_mut().depends_on = vec![TaskId(2998)];
    match world.submit(9002, after) {
        Ok(Outcome::Submitted(made)) => assert_eq!(made.run.state, RunState::Canceled),
        other => panic!("{other:?}"),
    }
    let unique = |spec: &mut TaskSpec| spec.extras_mut().unique_key = Some("k".into());
    match world.submit(9003, unique) {
        Ok(Outcome::Submitted(made)) => assert!(made.created, "its holder is canceled"),
        other => panic!("{other:?}"),
    }
    match world.cancel(2997) {
        Outcome::TaskCanceled(canceled) => assert!(canceled.already_canceled),
        other => panic!("{other:?}"),
    }
    let child = Finish {
        children: vec![(None, TaskSpec::new("work"))],
        ..Finish::success(grants[0].run, grants[0].fence, None)
    };
    let refused = world.step(Command::Finish(Box::new(child))).outcome;
    let refused = refused.as_ref().map_err(Rejection::innermost);
    let parent = grants[0].task;
    assert_eq!(refused, Err(&Rejection::ParentTerminal { task: parent }));
    world.settle();
    assert_eq!(world.state(9003), TaskState::Active);
}

#[test]
fn a_parent_of_very_many_children_is_resumed_once_and_shows_the_first_of_them() {
    let mut world = World::new();
    world.submit(1, |_| {}).unwrap();
    let parent = world.claim(1).remove(0);
    for id in 2..=1501 {
        world.submit(id, below(1)).unwrap();
    }
    let suspended = Finish {
        outcome: FinishOutcome::Suspended,
        reason: Some("waiting_for_children".into()),
        ..Finish::success(parent.run, parent.fence, None)
    };
    world
        .step(Command::Finish(Box::new(suspended)))
        .outcome
        .unwrap();
    let output: Bytes = vec![b'1'; 100_000].into();
    for _ in 0..2 {
        for grant in world.claim(1000) {
            let finish = Finish::success(grant.run, grant.fence, Some(output.clone()));
            world
                .step(Command::Finish(Box::new(finish)))
                .outcome
                .unwrap();
        }
    }
    let again = world.claim(2);
    assert_eq!(again.len(), 1);
    let rare = again[0].rare.as_deref().unwrap();
    assert_eq!(rare.children_count, (1500, 0));
    assert_eq!(rare.children.len(), limits::CHILDREN_SHOWN_MAX);
    let outputs = rare
        .children
        .iter()
        .filter_map(|child| child.output.as_ref());
    let bytes: usize = outputs.map(|output| output.len()).sum();
    assert!(bytes <= limits::CHILD_OUTPUT_BYTES_MAX && bytes > limits::CHILD_OUTPUT_BYTES_MAX / 2);
    assert!(
        rare.children
            .iter()
            .all(|child| child.state == TaskState::Completed)
    );
    assert_eq!(world.machine.verify(), Ok(()));
}

#[test]
fn the_search_for_a_circle_has_an_end() {
    let mut world = World::new();
    world.submit(1, |_| {}).unwrap();
    let wait = |after: Vec<u128>| {
        move |spec: &mut TaskSpec| {
            spec.bonds_mut().depends_on = after.iter().map(|id| TaskId(*id)).collect();
        }
    };
    // A parent that nobody waits for costs its children no search.
    for id in 2..=limits::DEPENDENCY_VISITS_MAX as u128 + 10 {
        world.submit(id, wait(vec![id - 1])).unwrap();
    }
    let last = limits::DEPENDENCY_VISITS_MAX as u128 + 10;
    world.submit(20_000, |_| {}).unwrap();
    let child = |spec: &mut TaskSpec| {
        below(20_000)(spec);
        spec.bonds_mut().depends_on = vec![TaskId(last)];
    };
    world.submit(20_001, child).unwrap();
    // One that somebody waits for does, up to the limit.
    world.submit(20_002, wait(vec![20_000])).unwrap();
    let refused = world.submit(20_003, child);
    let limit = limits::DEPENDENCY_VISITS_MAX as u64;
    assert_eq!(
        refused,
        Err(Rejection::LimitExceeded {
            limit: "dependency_visits",
            value: limit
        })
    );
    let near = |spec: &mut TaskSpec| {
        below(20_000)(spec);
        spec.bonds_mut().depends_on = vec![TaskId(20)];
    };
    world.submit(20_004, near).unwrap();
    let circle = |spec: &mut TaskSpec| {
        below(20_000)(spec);
        spec.bonds_mut().depends_on = vec![TaskId(20_002)];
    };
    let task = TaskId(20_000);
    let refused = world.submit(20_005, circle);
    assert_eq!(refused, Err(Rejection::DependencyCycle { task }));
    let many = (1..=limits::DEPENDS_ON_MAX as u128 + 1).collect();
    let refused = world.submit(20_006, wait(many)).unwrap_err();
    assert_eq!(refused.code(), "limit_exceeded");
}

#[test]
fn of_too_many_prerequisites_no_more_are_looked_up_than_a_task_may_have() {
    let world = World::new();
    let many: Vec<TaskId> = (100_001..=140_000).map(TaskId).collect();
    let mut spec = TaskSpec::new("work");
    spec.bonds_mut().depends_on.clone_from(&many);
    let declare = Command::DeclareDependencies {
        task: TaskId(1),
        depends_on: many,
    };
    for command in [Command::Submit(Box::new(spec)), declare] {
        let (now, mut looked_up) = (world.now(), 0);
        let call = Call::new(command);
        world.machine.wanted_before(&now, &call, |_| looked_up += 1);
        assert!(looked_up <= limits::DEPENDS_ON_MAX + 1, "{looked_up}");
    }
}
