//! What would be too much for one command is done in pieces, and a process that ends between two of them loses none.

use mainstay_core::{
    Amount, Answer, BudgetScope, Call, Claim, Command, Entry, Event, Filter, Finish, FinishOutcome,
    Machine, Now, Outcome, Query, Repeat, RunId, RunState, Schedule, Step, SubscriptionId, TaskId,
    TaskSpec, TenantId, Timestamp, limits,
};

mod shelf;

use shelf::Shelf;

const MANY: usize = 2 * limits::CASCADE_MAX + 500;

struct World {
    machine: Machine,
    shelf: Shelf,
    now: Now,
    log: Vec<Entry>,
}

impl World {
    fn new() -> World {
        World {
            machine: Machine::new(1),
            shelf: Shelf::default(),
            now: Now::at(Timestamp(1_800_000_000_000), 0),
            log: Vec::new(),
        }
    }

    fn step(&mut self, command: Command) -> Outcome {
        let call = Call::new(command);
        let (step, _) = self.shelf.step(&mut self.machine, &self.now, call);
        let Step { outcome, events } = step;
        self.log.extend(events);
        outcome.unwrap()
    }

    fn submit(&mut self, later: bool) -> (TaskId, RunId) {
        let mut spec = TaskSpec::new("work");
        spec.run_at = later.then(|| self.now.wall.plus_ms(3_600_000));
        match self.step(Command::Submit(Box::new(spec))) {
            Outcome::Submitted(submitted) => (submitted.task, submitted.run.run),
            other => panic!("a submit came to {other:?}"),
        }
    }

    fn is_ready(&self, run: RunId) -> bool {
        let answer = self
            .machine
            .answer(&self.now, TenantId::DEFAULT, &Query::Run(run));
        match answer {
            Answer::Run(view) => view.state == RunState::Ready,
            _ => false,
        }
    }

    /// Another process: from the log alone, or from what was cut and the log after it.
    fn begin_again(&mut self, from_store: bool) {
        let cut = self.machine.take_cut();
        self.shelf.commit(cut);
        let mut machine = if from_store {
            self.shelf.load(9, false)
        } else {
            Machine::new(9)
        };
        for entry in &self.log[machine.sequence() as usize..] {
            machine.replay(&self.now, entry);
        }
        assert_eq!(machine.verify(), Ok(()));
        assert_eq!(machine.digest(), self.machine.digest());
        if !from_store {
            self.shelf = Shelf::default();
        }
        self.machine = machine;
    }

    /// Ticks until nothing is owed, each time in another process; gives how many ticks it took.
    fn work_off(&mut self, most: usize) -> usize {
        let mut ticks = 0;
        while self.machine.next_deadline_in_ms(&self.now) == Some(0) {
            self.begin_again(ticks % 2 == 0);
            let before = self.log.len();
            self.step(Command::Tick);
            let events = self.log.len() - before;
            assert!(0 < events && events <= most, "{events} events in one tick");
            ticks += 1;
        }
        assert_eq!(self.machine.verify(), Ok(()));
        ticks
    }
}

#[test]
fn runs_that_wait_for_one_budget_are_resumed_in_pieces() {
    let mut world = World::new();
    world.step(Command::AllocateBudget {
        scope: BudgetScope::Tenant,
        dimension: "token".into(),
        limit: 1,
        reserve: None,
    });
    let runs: Vec<RunId> = (0..MANY).map(|_| world.submit(false).1).collect();
    let mut grants = Vec::new();
    while grants.len() < MANY {
        let claim = Claim {
            worker: "w".into(),
            queues: vec!["default".into()],
            max: 1000,
            ..Claim::default()
        };
        match world.step(Command::Claim(Box::new(claim))) {
            Outcome::Claimed(granted) => grants.extend(granted),
            other => panic!("a claim came to {other:?}"),
        }
    }
    for grant in grants {
        world.step(Command::Finish(Box::new(Finish {
            outcome: FinishOutcome::Suspended,
            consumption: vec![Amount {
                dimension: "token".into(),
                amount: 1,
            }],
            ..Finish::success(grant.run, grant.fence, None)
        })));
    }
    assert!(!runs.iter().any(|run| world.is_ready(*run)));
    world.step(Command::ReplenishBudget {
        scope: BudgetScope::Tenant,
        dimension: "token".into(),
        new_limit: 5,
    });
    let at_once = runs.iter().filter(|run| world.is_ready(**run)).count();
    assert_eq!(at_once, limits::CASCADE_MAX);
    assert_eq!(world.work_off(limits::CASCADE_MAX), 2);
    assert!(runs.iter().all(|run| world.is_ready(*run)));
}

/// One task with many runs waits for one key in many subscriptions; one finish publishes the key again and again.
#[test]
fn what_is_published_often_is_noted_once_for_each_who_waits() {
    let mut world = World::new();
    let mut spec = TaskSpec::new("work");
    spec.schedule = Some(Box::new(Schedule::Repeat(Repeat {
        count: 2000,
        interval_ms: 1,
        start_at: Some(world.now.wall.plus_ms(3_600_000)),
    })));
    let Outcome::Submitted(repeat) = world.step(Command::Submit(Box::new(spec))) else {
        panic!("a submit answers a submit");
    };
    let waiting = 100;
    for _ in 0..waiting {
        world.step(Command::Subscribe {
            task: repeat.task,
            id: None,
            filter: Box::new(Filter::Custom("news".into())),
        });
    }
    let (_, teller) = world.submit(false);
    let claim = Claim {
        worker: "w".into(),
        queues: vec!["default".into()],
        max: 1,
        ..Claim::default()
    };
    let Outcome::Claimed(grants) = world.step(Command::Claim(Box::new(claim))) else {
        panic!("a claim answers a claim");
    };
    let before = world.log.len();
    let times = 50;
    let mut finish = Finish::success(teller, grants[0].fence, None);
    finish.custom_events = vec![("news".into(), None); times];
    world.step(Command::Finish(Box::new(finish)));
    let events = world.log.len() - before;
    let most = times + 3 * limits::CASCADE_MAX + waiting + 2;
    assert!(events <= most, "{events} events");
    world.work_off(4 * limits::CASCADE_MAX);
    let Answer::Task(view) =
        world
            .machine
            .answer(&world.now, TenantId::DEFAULT, &Query::Task(repeat.task))
    else {
        panic!("a task answers a task");
    };
    assert_eq!(view.runs_by_state[RunState::Scheduled as usize], 0);
}

/// Each task waits for the one before it to become ready; one event sets all of them off.
#[test]
fn a_chain_of_subscriptions_is_drawn_in_pieces() {
    let mut world = World::new();
    let tasks: Vec<(TaskId, RunId)> = (0..MANY).map(|_| world.submit(true)).collect();
    let filters = tasks.iter().map(|(before, _)| *before);
    let filters = filters.map(|before| Filter::RunStateChanged(before, RunState::Ready));
    let filters = std::iter::once(Filter::Custom("go".into())).chain(filters);
    for ((number, filter), (task, _)) in (1u128..).zip(filters).zip(&tasks) {
        world.step(Command::Subscribe {
            task: *task,
            id: Some(SubscriptionId(number)),
            filter: Box::new(filter),
        });
    }
    world.step(Command::PublishEvent {
        key: "go".into(),
        payload: None,
    });
    let ready = tasks.iter().filter(|(_, run)| world.is_ready(*run)).count();
    assert_eq!(ready, limits::CASCADE_MAX);
    assert_eq!(world.work_off(3 * limits::CASCADE_MAX + 1), 2);
    assert!(tasks.iter().all(|(_, run)| world.is_ready(*run)));
}

/// What is noted for later is owed no more often than there are runs that sleep.
#[test]
fn what_one_event_sets_off_is_drawn_in_pieces_and_owed_once() {
    let mut world = World::new();
    let tasks: Vec<(TaskId, RunId)> = (0..MANY).map(|_| world.submit(true)).collect();
    for (number, (task, _)) in (1u128..).zip(&tasks) {
        world.step(Command::Subscribe {
            task: *task,
            id: Some(SubscriptionId(number)),
            filter: Box::new(Filter::Custom("go".into())),
        });
    }
    let go = Command::PublishEvent {
        key: "go".into(),
        payload: None,
    };
    assert_eq!(
        world.step(go.clone()),
        Outcome::Triggered(u32::try_from(MANY).unwrap())
    );
    // A second one finds the same runs asleep: they are not owed twice.
    world.step(go);
    world.work_off(3 * limits::CASCADE_MAX);
    assert!(tasks.iter().all(|(_, run)| world.is_ready(*run)));
    let woken = world.log.iter().filter(|entry| match &entry.event {
        Event::SubscriptionTriggered(triggered) => triggered.run.is_some(),
        _ => false,
    });
    assert_eq!(woken.count(), MANY);
}

/// Ids are minted one after another, also when nothing else is minted between two of a kind and no time passes.
#[test]
fn ids_minted_in_one_instant_differ() {
    let mut world = World::new();
    let (task, _) = world.submit(true);
    let subscribe = |key: &str| Command::Subscribe {
        task,
        id: None,
        filter: Box::new(Filter::Custom(key.into())),
    };
    assert_ne!(world.step(subscribe("one")), world.step(subscribe("two")));
    let create = |name: &str| Command::CreateTenant {
        tenant: None,
        name: name.into(),
    };
    assert_ne!(world.step(create("one")), world.step(create("two")));
    world.begin_again(false);
    assert_ne!(world.step(subscribe("one")), world.step(subscribe("two")));
}
