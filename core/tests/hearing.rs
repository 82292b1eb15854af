//! A property: random tasks that wait for each other's doings. Whatever is told to have woken a run had happened, the run was the one to wake,
//! and nobody who should have heard slept on.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    BudgetScope, BudgetSpec, Call, Claim, Command, Entry, Event, Fence, Filter, Finish,
    FinishOutcome, Hold, Machine, Now, Outcome, Rejection, RunId, RunState, Steady, SubscriptionId,
    TaskId, TaskSpec, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;

mod shelf;

use shelf::Shelf;

const KEYS: [&str; 2] = ["one", "two"];
const STATES: [RunState; 5] = [
    RunState::Ready,
    RunState::Running,
    RunState::RetryWait,
    RunState::Suspended,
    RunState::Completed,
];

#[derive(Clone, Debug)]
enum Act {
    Submit(u64),
    Custom(usize, usize),
    State(usize, usize, usize),
    Completed(usize, usize),
    Threshold(usize, usize, u32),
    Unsubscribe(usize),
    Trigger(usize),
    Publish(usize),
    Claim(u32),
    Finish(usize, FinishOutcome, Option<usize>),
    Resume(usize),
    Cancel(usize),
    Use(usize),
    Replenish(usize),
    Pass(u64),
    Restart,
    Cut,
    Reload,
}

fn act() -> impl Strategy<Value = Act> {
    let one = || 0usize..8;
    let end = prop_oneof![
        3 => Just(FinishOutcome::Success),
        2 => Just(FinishOutcome::Failure),
        5 => Just(FinishOutcome::Suspended),
        1 => Just(FinishOutcome::Released),
    ];
    let published = proptest::option::of(0usize..2);
    prop_oneof![
        6 => (0u64..90_000).prop_map(Act::Submit),
        4 => (one(), 0usize..2).prop_map(|(task, key)| Act::Custom(task, key)),
        6 => (one(), one(), 0..STATES.len()).prop_map(|(task, of, to)| Act::State(task, of, to)),
        3 => (one(), one()).prop_map(|(task, of)| Act::Completed(task, of)),
        3 => (one(), one(), 1u32..=100).prop_map(|(task, of, at)| Act::Threshold(task, of, at)),
        1 => (0usize..20).prop_map(Act::Unsubscribe),
        1 => (0usize..20).prop_map(Act::Trigger),
        4 => (0usize..2).prop_map(Act::Publish),
        6 => (1u32..3).prop_map(Act::Claim),
        7 => (one(), end, published).prop_map(|(at, end, key)| Act::Finish(at, end, key)),
        1 => one().prop_map(Act::Resume),
        1 => one().prop_map(Act::Cancel),
        4 => one().prop_map(Act::Use),
        2 => one().prop_map(Act::Replenish),
        3 => (0u64..20_000).prop_map(Act::Pass),
        1 => Just(Act::Restart),
        2 => Just(Act::Cut),
        1 => Just(Act::Reload),
    ]
}

/// A run as its events tell.
#[derive(Clone, Copy, Debug)]
struct Run {
    task: usize,
    state: RunState,
    due: Timestamp,
    hold: Hold,
}

#[derive(Clone, Debug)]
struct Waits {
    task: usize,
    filter: Filter,
    canceled: bool,
}

#[derive(Default)]
struct Life {
    machine: Option<Machine>,
    shelf: Shelf,
    log: Vec<(Now, Entry)>,
    now: Now,
    incarnation: u64,
    tasks: Vec<TaskId>,
    ended: BTreeSet<usize>,
    runs: BTreeMap<RunId, Run>,
    fences: BTreeMap<RunId, Fence>,
    waits: BTreeMap<SubscriptionId, Waits>,
    /// What happened in the command at hand, and who was woken by it.
    met: BTreeMap<SubscriptionId, usize>,
    woken: BTreeMap<SubscriptionId, usize>,
    by_hand: Option<SubscriptionId>,
    seen: BTreeSet<&'static str>,
}

impl Life {
    fn machine(&mut self) -> &mut Machine {
        self.machine.get_or_insert_with(|| Machine::new(3))
    }

    fn step(&mut self, command: Command) -> Result<Outcome, Rejection> {
        self.machine();
        let mut machine = self.machine.take().unwrap();
        let (step, _) = self.shelf.step(&mut machine, &self.now, Call::new(command));
        assert_eq!(machine.verify(), Ok(()));
        self.machine = Some(machine);
        self.met.clear();
        self.woken.clear();
        for entry in step.events {
            self.note(&entry.event);
            self.log.push((self.now, entry));
        }
        self.check_nobody_slept_on();
        step.outcome
    }

    /// Everybody who was met was woken as often, or had nobody left to wake.
    fn check_nobody_slept_on(&self) {
        for (id, met) in &self.met {
            let woken = self.woken.get(id).copied().unwrap_or(0);
            let task = self.waits[id].task;
            let ended = self.ended.contains(&task);
            let asleep = self.sleeper(task).is_some() && !ended;
            assert!(woken >= *met || !asleep, "{id:?} slept on");
        }
    }

    /// The run that a subscription of the task wakes.
    fn sleeper(&self, task: usize) -> Option<RunId> {
        let own = || self.runs.iter().filter(move |(_, run)| run.task == task);
        let early =
            own().filter(|(_, run)| run.state == RunState::Scheduled && run.due > self.now.wall);
        let suspended =
            own().filter(|(_, run)| run.state == RunState::Suspended && run.hold != Hold::Budget);
        let first = early.min_by_key(|(id, run)| (run.due, **id));
        let first = first.or_else(|| suspended.min_by_key(|(id, run)| (run.due, **id)));
        first.map(|(id, _)| *id)
    }

    fn happened(&mut self, filter: &Filter) {
        for (id, waits) in &self.waits {
            let is_live = !waits.canceled && !self.ended.contains(&waits.task);
            if is_live && waits.filter == *filter {
                *self.met.entry(*id).or_default() += 1;
            }
        }
    }

    fn moved(&mut self, id: RunId, states: &[RunState]) {
        for state in states {
            let run = self.runs.get_mut(&id).unwrap();
            run.state = *state;
            let task = run.task;
            // A canceled task has ended before its worker has; it is not completed then.
            let ends = state.is_terminal() && self.ended.insert(task);
            let watched = self.tasks[task];
            self.happened(&Filter::RunStateChanged(watched, *state));
            if ends && *state == RunState::Completed {
                self.happened(&Filter::TaskCompleted(watched));
            }
        }
    }

    fn note(&mut self, event: &Event) {
        use RunState::{Canceled, Completed, Failed, Leased, Ready, RetryWait, Running, Suspended};
        match event {
            Event::TaskCreated(made) => self.tasks.push(made.task),
            Event::RunCreated(made) => {
                let run = Run {
                    task: self.tasks.len() - 1,
                    state: if made.ready {
                        Ready
                    } else {
                        RunState::Scheduled
                    },
                    due: made.scheduled_at,
                    hold: Hold::Hand,
                };
                self.runs.insert(made.run, run);
            }
            Event::RunReady(moved) => self.moved(moved.run, &[Ready]),
            Event::RunStarted(moved) => {
                let fence = Fence {
                    incarnation: moved.incarnation,
                    counter: moved.counter,
                };
                self.fences.insert(moved.run, fence);
                self.moved(moved.run, &[Leased, Running]);
            }
            Event::RunCompleted(moved) => self.moved(moved.run, &[Completed]),
            Event::RunFailed(moved) => self.moved(moved.run, &[Failed]),
            Event::RunCanceled(moved) => self.moved(moved.run, &[Canceled]),
            Event::RunRetryScheduled(moved) => self.moved(moved.run, &[RetryWait]),
            Event::RunReturned(moved) => self.moved(moved.run, &[RetryWait, Ready]),
            Event::RunSuspended(moved) => {
                self.runs.get_mut(&moved.run).unwrap().hold = moved.hold;
                self.moved(moved.run, &[Suspended]);
            }
            Event::RunResumed(moved) => self.moved(moved.run, &[Ready]),
            Event::RunRescheduled(moved) => {
                self.runs.get_mut(&moved.run).unwrap().due = moved.scheduled_at;
            }
            Event::TaskCanceled(canceled) => {
                let task = self.tasks.iter().position(|id| *id == canceled.task);
                self.ended.insert(task.unwrap());
            }
            Event::CustomEventPublished(published) => {
                self.happened(&Filter::Custom(published.key.clone()));
            }
            Event::BudgetThresholdPassed(passed) => {
                let (task, percent) = (passed.task, passed.percent);
                self.seen.insert("threshold");
                self.happened(&Filter::BudgetThreshold(task, "token".into(), percent));
            }
            Event::SubscriptionCreated(made) => {
                let task = self.tasks.iter().position(|id| *id == made.task);
                let waits = Waits {
                    task: task.unwrap(),
                    filter: (*made.filter).clone(),
                    canceled: false,
                };
                self.waits.insert(made.subscription, waits);
            }
            Event::SubscriptionCanceled(ended) => {
                self.waits.get_mut(&ended.subscription).unwrap().canceled = true;
            }
            Event::SubscriptionTriggered(triggered) => self.triggered(
                triggered.subscription,
                triggered.run.expect("few enough to be woken at once"),
            ),
            _ => {}
        }
    }

    fn triggered(&mut self, id: SubscriptionId, run: RunId) {
        let waits = &self.waits[&id];
        assert!(!waits.canceled && !self.ended.contains(&waits.task));
        assert_eq!(Some(run), self.sleeper(waits.task), "the wrong run");
        *self.woken.entry(id).or_default() += 1;
        let met = self.met.get(&id).copied().unwrap_or(0) + usize::from(self.by_hand == Some(id));
        assert!(self.woken[&id] <= met, "woken by nothing");
        self.seen.insert(waits.filter.name());
        self.seen.insert(match self.runs[&run].state {
            RunState::Scheduled => "released",
            _ => "resumed",
        });
    }

    fn task(&self, at: usize) -> Option<TaskId> {
        let nth = at % self.tasks.len().max(1);
        self.tasks.get(nth).copied()
    }

    fn subscribe(&mut self, task: usize, filter: impl Fn(TaskId) -> Filter, of: usize) {
        let (Some(task), Some(of)) = (self.task(task), self.task(of)) else {
            return;
        };
        let (id, filter) = (None, Box::new(filter(of)));
        let _ = self.step(Command::Subscribe { task, id, filter });
    }

    fn subscription(&self, at: usize) -> Option<SubscriptionId> {
        let nth = at % self.waits.len().max(1);
        self.waits.keys().nth(nth).copied()
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Submit(later_ms) => self.submit(*later_ms),
            Act::Custom(task, key) => {
                self.subscribe(*task, |_| Filter::Custom(KEYS[*key].into()), 0);
            }
            Act::State(task, of, to) => {
                self.subscribe(*task, |of| Filter::RunStateChanged(of, STATES[*to]), *of);
            }
            Act::Completed(task, of) => self.subscribe(*task, Filter::TaskCompleted, *of),
            Act::Threshold(task, of, percent) => {
                let filter = |of| Filter::BudgetThreshold(of, "token".into(), *percent);
                self.subscribe(*task, filter, *of);
            }
            Act::Unsubscribe(at) => {
                if let Some(subscription) = self.subscription(*at) {
                    let _ = self.step(Command::Unsubscribe { subscription });
                }
            }
            Act::Trigger(at) => {
                if let Some(subscription) = self.subscription(*at) {
                    self.by_hand = Some(subscription);
                    let _ = self.step(Command::TriggerSubscription { subscription });
                    self.by_hand = None;
                }
            }
            Act::Publish(key) => {
                let (key, payload) = (KEYS[*key].into(), None);
                self.step(Command::PublishEvent { key, payload }).unwrap();
            }
            Act::Claim(max) => {
                let claim = Claim {
                    worker: "w".into(),
                    queues: vec!["default".into()],
                    max: *max,
                    ..Claim::default()
                };
                self.step(Command::Claim(Box::new(claim))).unwrap();
            }
            Act::Finish(at, end, key) => self.finish(*at, *end, *key),
            Act::Resume(at) => {
                if let Some(run) = self.runs.keys().nth(at % self.runs.len().max(1)).copied() {
                    let _ = self.step(Command::ResumeRun { run, payload: None });
                }
            }
            Act::Cancel(at) => {
                if let Some(task) = self.task(*at) {
                    let reason = None;
                    self.step(Command::CancelTask { task, reason }).unwrap();
                }
            }
            Act::Use(at) => {
                if let Some(task) = self.task(*at) {
                    let _ = self.step(Command::ConsumeBudget {
                        scope: BudgetScope::Task(task),
                        dimension: "token".into(),
                        amount: 13,
                    });
                }
            }
            Act::Replenish(at) => {
                if let Some(task) = self.task(*at) {
                    let _ = self.step(Command::ReplenishBudget {
                        scope: BudgetScope::Task(task),
                        dimension: "token".into(),
                        new_limit: 40,
                    });
                }
            }
            Act::Pass(ms) => self.pass(*ms),
            Act::Restart => {
                let machine = self.replayed(Machine::new(9));
                self.shelf = Shelf::default();
                self.begin(machine);
            }
            Act::Cut => {
                let cut = self.machine().take_cut();
                self.shelf.commit(cut);
                let through = self.shelf.through;
                while self.machine().stored(through, u64::MAX, 3) {}
            }
            Act::Reload => {
                let machine = self.replayed(self.shelf.load(5, false));
                self.begin(machine);
            }
        }
    }

    fn submit(&mut self, later_ms: u64) {
        if self.tasks.len() == 10 {
            return;
        }
        let mut spec = TaskSpec::new("work");
        // Half of them at once.
        spec.run_at = (later_ms > 45_000).then(|| self.now.wall.plus_ms(later_ms));
        spec.policy_mut().max_attempts = 3;
        spec.bonds_mut().budgets = vec![BudgetSpec {
            dimension: "token".into(),
            limit: 40,
            reserve: None,
        }];
        self.step(Command::Submit(Box::new(spec))).unwrap();
    }

    fn finish(&mut self, at: usize, outcome: FinishOutcome, key: Option<usize>) {
        let running = self.runs.iter();
        let mut running = running.filter(|(_, run)| run.state == RunState::Running);
        let count = running.clone().count().max(1);
        let Some((run, _)) = running.nth(at % count) else {
            return;
        };
        let (run, fence) = (*run, self.fences[run]);
        let well = matches!(outcome, FinishOutcome::Success | FinishOutcome::Suspended);
        let published = key.filter(|_| well).map(|key| (KEYS[key].into(), None));
        let finish = Finish {
            outcome,
            custom_events: published.into_iter().collect(),
            ..Finish::success(run, fence, None)
        };
        let outcome = self.step(Command::Finish(Box::new(finish)));
        assert!(outcome.is_ok(), "{outcome:?}");
    }

    fn pass(&mut self, ms: u64) {
        let at = self.now.steady.0 + ms;
        self.now = Now {
            wall: Timestamp(1_800_000_000_000 + at),
            steady: Steady(at),
            id_seed: at,
        };
        let now = self.now;
        while self.machine().next_deadline_in_ms(&now) == Some(0) {
            self.step(Command::Tick).unwrap();
        }
    }

    fn replayed(&mut self, mut machine: Machine) -> Machine {
        for (now, entry) in &self.log[machine.sequence() as usize..] {
            machine.replay(now, entry);
        }
        assert_eq!(machine.verify(), Ok(()));
        assert_eq!(machine.digest(), self.machine().digest());
        machine
    }

    fn begin(&mut self, machine: Machine) {
        self.machine = Some(machine);
        self.incarnation += 1;
        let incarnation = self.incarnation;
        let downtime_ms = 0;
        self.step(Command::Start {
            incarnation,
            downtime_ms,
        })
        .unwrap();
    }

    fn live(&mut self, acts: &[Act]) {
        self.pass(0);
        for act in acts {
            self.act(act);
        }
        self.act(&Act::Restart);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 192,
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn who_is_woken_had_reason_and_who_had_reason_is_woken(acts in vec(act(), 1..90)) {
        Life::default().live(&acts);
    }
}

/// What the property is about does happen.
#[test]
fn hearing_lives_meet_every_filter_and_wake_in_both_ways() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..48 {
        let acts = vec(act(), 1..90).new_tree(&mut runner).unwrap().current();
        let mut life = Life::default();
        life.live(&acts);
        seen.extend(life.seen);
    }
    let wanted = [
        "budget_threshold",
        "custom",
        "released",
        "resumed",
        "run_state_changed",
        "task_completed",
        "threshold",
    ];
    let missed: Vec<_> = wanted.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missed.is_empty(), "never met: {missed:?}");
}
