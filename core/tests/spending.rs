//! A property: random claims, reports, ends, limits and new periods beside a naive sum of what budgets say.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Amount, Answer, BudgetScope, BudgetSpec, BudgetView, Call, Claim, Command, Directive, Entry,
    Event, Explain, Fence, Finish, FinishOutcome, HeartbeatItem, Hold, Machine, Now, Outcome,
    Query, Rejection, RunId, RunState, Steady, TaskId, TaskSpec, Text, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;

mod shelf;

use shelf::Shelf;

const DIMENSIONS: [&str; 2] = ["cost", "token"];

/// A budget as `None` for the tenant or the number of a task, and a dimension.
type Name = (Option<usize>, usize);

#[derive(Clone, Debug)]
enum Act {
    /// Budgets by dimension: limit and reserve.
    Submit([Option<(u64, u64)>; 2]),
    Claim(u32),
    Consume(usize, [u64; 2]),
    Beat(usize),
    Finish(usize, FinishOutcome, bool, [u64; 2]),
    Suspend(usize),
    Resume(usize),
    Cancel(usize),
    Allocate(Option<usize>, usize, u64, Option<u64>),
    Use(Option<usize>, usize, u64),
    Replenish(Option<usize>, usize, u64),
    Pass(u64),
    Restart,
    Cut,
    Reload,
}

fn act() -> impl Strategy<Value = Act> {
    let amounts = || [0u64..30, 0u64..30];
    let whose = || proptest::option::weighted(0.7, 0usize..8);
    let own = || proptest::option::of((1u64..60, 0u64..30));
    let end = prop_oneof![
        3 => Just(FinishOutcome::Success),
        2 => Just(FinishOutcome::Failure),
        4 => Just(FinishOutcome::Suspended),
        2 => Just(FinishOutcome::Canceled),
        1 => Just(FinishOutcome::Released),
    ];
    prop_oneof![
        4 => [own(), own()].prop_map(Act::Submit),
        8 => (1u32..4).prop_map(Act::Claim),
        6 => (0usize..8, amounts()).prop_map(|(at, used)| Act::Consume(at, used)),
        2 => (0usize..8).prop_map(Act::Beat),
        7 => (0usize..8, end, any::<bool>(), amounts())
            .prop_map(|(at, end, reason, used)| Act::Finish(at, end, reason, used)),
        1 => (0usize..8).prop_map(Act::Suspend),
        1 => (0usize..8).prop_map(Act::Resume),
        1 => (0usize..8).prop_map(Act::Cancel),
        4 => (whose(), 0usize..2, 1u64..90, proptest::option::of(0u64..30))
            .prop_map(|(whose, of, limit, reserve)| Act::Allocate(whose, of, limit, reserve)),
        2 => (whose(), 0usize..2, 0u64..30).prop_map(|(whose, of, used)| Act::Use(whose, of, used)),
        5 => (whose(), 0usize..2, 1u64..90)
            .prop_map(|(whose, of, limit)| Act::Replenish(whose, of, limit)),
        2 => (0u64..40_000).prop_map(Act::Pass),
        1 => Just(Act::Restart),
        2 => Just(Act::Cut),
        1 => Just(Act::Reload),
    ]
}

/// One budget, summed up by hand.
#[derive(Clone, Debug, Default)]
struct Sum {
    limit: u64,
    reserve: u64,
    consumed: u64,
    before: u64,
}

/// An attempt on its way, as its grant and what came after tell.
#[derive(Clone, Debug)]
struct Attempt {
    task: usize,
    fence: Fence,
    held: Vec<(Name, u64)>,
    /// Who told its worker to suspend: a budget, or somebody.
    told: Option<Hold>,
}

#[derive(Default)]
struct Life {
    machine: Option<Machine>,
    shelf: Shelf,
    log: Vec<(Now, Entry)>,
    now: Now,
    incarnation: u64,
    tasks: Vec<TaskId>,
    runs: Vec<RunId>,
    task_of: BTreeMap<RunId, usize>,
    sums: BTreeMap<Name, Sum>,
    attempts: BTreeMap<RunId, Attempt>,
    /// Suspended runs that a budget releases.
    waiting: BTreeSet<RunId>,
    met: BTreeSet<&'static str>,
}

impl Life {
    fn machine(&mut self) -> &mut Machine {
        self.machine.get_or_insert_with(|| Machine::new(3))
    }

    fn ask(&self, query: Query) -> Answer {
        let machine = self.machine.as_ref().unwrap();
        self.shelf.answer(machine, &self.now, query)
    }

    fn explain(&self, run: RunId) -> Explain {
        match self.ask(Query::Explain(run)) {
            Answer::Explain(explain) => *explain,
            other => panic!("no explanation: {other:?}"),
        }
    }

    fn step(&mut self, command: Command) -> Result<Outcome, Rejection> {
        self.machine();
        let mut machine = self.machine.take().unwrap();
        let (step, _) = self.shelf.step(&mut machine, &self.now, Call::new(command));
        self.machine = Some(machine);
        for entry in &step.events {
            self.log.push((self.now, entry.clone()));
            self.note(&entry.event);
        }
        step.outcome
    }

    /// Every budget that covers a task's runs, with what its attempts hold of it.
    fn covering(&self, task: usize) -> Vec<(Name, u64)> {
        let mut covering = Vec::new();
        for of in 0..DIMENSIONS.len() {
            let own = self.sums.get(&(Some(task), of));
            let shared = self.sums.get(&(None, of));
            if let Some(own) = own {
                covering.push(((Some(task), of), own.reserve));
            }
            if let Some(shared) = shared {
                covering.push(((None, of), own.unwrap_or(shared).reserve));
            }
        }
        covering
    }

    fn name(&self, task: Option<TaskId>, dimension: &Text) -> Name {
        let task = task.map(|id| self.tasks.iter().position(|known| *known == id).unwrap());
        let of = DIMENSIONS.iter().position(|name| *name == &**dimension);
        (task, of.unwrap())
    }

    fn reserved(&self, name: Name) -> u64 {
        let held = self.attempts.values().flat_map(|attempt| &attempt.held);
        held.filter(|(of, _)| *of == name)
            .map(|(_, held)| held)
            .sum()
    }

    fn may_start(&self, task: usize) -> bool {
        self.covering(task).into_iter().all(|(name, reserve)| {
            let sum = &self.sums[&name];
            sum.consumed < sum.limit && sum.consumed + self.reserved(name) + reserve <= sum.limit
        })
    }

    fn is_spent(&self, task: usize) -> bool {
        let covering = self.covering(task).into_iter();
        covering.into_iter().any(|(name, _)| {
            let sum = &self.sums[&name];
            sum.consumed >= sum.limit
        })
    }

    fn used(&mut self, task: usize, items: &[Amount]) {
        for item in items {
            let of = DIMENSIONS.iter().position(|name| *name == &*item.dimension);
            let of = of.expect("a dimension of this life");
            for whose in [Some(task), None] {
                if let Some(sum) = self.sums.get_mut(&(whose, of)) {
                    sum.consumed += item.amount;
                }
            }
        }
    }

    /// Follows what happened, checking each grant against the rule as it comes.
    fn note(&mut self, event: &Event) {
        match event {
            Event::RunStarted(started) => {
                let task = self.task_of[&started.run];
                assert!(self.may_start(task), "granted beyond a budget");
                let held = self.covering(task);
                let attempt = Attempt {
                    task,
                    fence: Fence {
                        incarnation: started.incarnation,
                        counter: started.counter,
                    },
                    held: held.into_iter().filter(|(_, held)| *held > 0).collect(),
                    told: None,
                };
                self.attempts.insert(started.run, attempt);
            }
            Event::BudgetConsumed(used) => match used.run {
                Some(run) => self.used(self.task_of[&run], &used.items),
                None => {
                    let name = self.name(used.task, &used.items[0].dimension);
                    self.sums.get_mut(&name).unwrap().consumed += used.items[0].amount;
                }
            },
            Event::BudgetAllocated(set) => {
                let name = self.name(set.task, &set.dimension);
                let sum = self.sums.entry(name).or_default();
                sum.limit = set.limit;
                sum.reserve = set.reserve.unwrap_or(sum.reserve);
            }
            Event::BudgetReplenished(set) => {
                let name = self.name(set.task, &set.dimension);
                let sum = self.sums.get_mut(&name).unwrap();
                sum.before += sum.consumed;
                (sum.consumed, sum.limit) = (0, set.limit);
            }
            Event::RunSuspendRequested(asked) => {
                let told = if asked.budget {
                    Hold::Budget
                } else {
                    Hold::Hand
                };
                self.attempts.get_mut(&asked.run).unwrap().told = Some(told);
            }
            Event::RunSuspended(suspended) => {
                if suspended.hold == Hold::Budget {
                    self.waiting.insert(suspended.run);
                    self.met.insert("waits for a budget");
                }
                self.attempts.remove(&suspended.run);
            }
            Event::RunResumed(resumed) => {
                let waited = self.waiting.remove(&resumed.run);
                if resumed.cause.is_some() {
                    assert!(waited, "resumed for a budget that it did not wait for");
                    assert!(!self.is_spent(self.task_of[&resumed.run]));
                    self.met.insert("resumed by a budget");
                }
            }
            Event::RunCompleted(ended) => self.ended(ended.run),
            Event::RunRetryScheduled(ended) => self.ended(ended.run),
            Event::RunReturned(ended) => self.ended(ended.run),
            Event::RunFailed(ended) => self.ended(ended.run),
            Event::RunCanceled(ended) => self.ended(ended.run),
            _ => {}
        }
    }

    fn ended(&mut self, run: RunId) {
        self.attempts.remove(&run);
        self.waiting.remove(&run);
    }

    fn held(&self, at: usize) -> Option<(RunId, Attempt)> {
        let nth = at % self.attempts.len().max(1);
        let found = self.attempts.iter().nth(nth)?;
        Some((*found.0, found.1.clone()))
    }

    fn whose(&self, whose: Option<usize>) -> Option<usize> {
        whose.map(|task| task % self.tasks.len().max(1))
    }

    fn scope(&self, whose: Option<usize>) -> BudgetScope {
        match whose.and_then(|task| self.tasks.get(task)) {
            Some(task) => BudgetScope::Task(*task),
            None => BudgetScope::Tenant,
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Submit(budgets) => self.submit(budgets),
            Act::Claim(max) => self.claim(*max),
            Act::Consume(at, used) => self.consume(*at, used),
            Act::Beat(at) => self.beat(*at),
            Act::Finish(at, end, reason, used) => self.finish(*at, *end, *reason, used),
            Act::Suspend(at) => {
                if let Some((run, _)) = self.held(*at) {
                    self.step(Command::SuspendRun { run, reason: None })
                        .unwrap();
                }
            }
            Act::Resume(at) => {
                if !self.runs.is_empty() {
                    let run = self.runs[at % self.runs.len()];
                    let _ = self.step(Command::ResumeRun { run, payload: None });
                }
            }
            Act::Cancel(at) => {
                if let Some((run, _)) = self.held(*at) {
                    let force = at % 2 == 0;
                    let reason = None;
                    self.step(Command::CancelRun { run, force, reason })
                        .unwrap();
                }
            }
            Act::Allocate(whose, of, limit, reserve) => {
                self.allocate(self.whose(*whose), *of, *limit, *reserve);
            }
            Act::Use(whose, of, amount) => self.use_up(self.whose(*whose), *of, *amount),
            Act::Replenish(whose, of, limit) => self.replenish(self.whose(*whose), *of, *limit),
            Act::Pass(ms) => self.pass(*ms),
            Act::Restart => self.restart(),
            Act::Cut => {
                let cut = self.machine().take_cut();
                self.shelf.commit(cut);
                let through = self.shelf.through;
                while self.machine().stored(through, u64::MAX, 3) {}
            }
            Act::Reload => self.reload(),
        }
    }

    fn submit(&mut self, budgets: &[Option<(u64, u64)>; 2]) {
        if self.tasks.len() == 8 {
            return;
        }
        let mut spec = TaskSpec::new("work");
        spec.policy_mut().max_attempts = 1000;
        spec.policy_mut().max_lost_leases = 1000;
        spec.policy_mut().retry.max_ms = 1000;
        let task = self.tasks.len();
        let mut rows = Vec::new();
        for (of, (limit, reserve)) in (0..).zip(budgets).filter_map(|(of, it)| Some((of, (*it)?))) {
            let reserve = reserve.min(limit);
            rows.push(BudgetSpec {
                dimension: DIMENSIONS[of].into(),
                limit,
                reserve: Some(reserve),
            });
            let sum = Sum {
                limit,
                reserve,
                ..Sum::default()
            };
            self.sums.insert((Some(task), of), sum);
        }
        spec.bonds_mut().budgets = rows;
        let Ok(Outcome::Submitted(submitted)) = self.step(Command::Submit(Box::new(spec))) else {
            panic!("a task is accepted");
        };
        self.tasks.push(submitted.task);
        self.runs.push(submitted.run.run);
        self.task_of.insert(submitted.run.run, task);
    }

    /// Whoever may start is started, as long as there is room in the answer.
    fn claim(&mut self, max: u32) {
        let claim = Claim {
            worker: "w".into(),
            queues: vec!["default".into()],
            max,
            ..Claim::default()
        };
        let Ok(Outcome::Claimed(grants)) = self.step(Command::Claim(Box::new(claim))) else {
            panic!("a claim is answered");
        };
        if grants.len() < max as usize {
            for run in self.runs.clone() {
                assert!(!self.explain(run).runnable, "left alone without a reason");
            }
        }
    }

    fn amounts(used: &[u64; 2]) -> Vec<Amount> {
        let items = DIMENSIONS.iter().zip(used);
        let items = items.map(|(name, amount)| Amount {
            dimension: Text::from(*name),
            amount: *amount,
        });
        items.collect()
    }

    /// What the worker must be told.
    fn directive(&self, run: RunId, canceling: bool) -> Directive {
        let attempt = &self.attempts[&run];
        if canceling {
            Directive::Cancel
        } else if attempt.told == Some(Hold::Hand) || self.is_spent(attempt.task) {
            Directive::Suspend
        } else {
            Directive::Continue
        }
    }

    fn canceling(&self, run: RunId) -> bool {
        match self.ask(Query::Run(run)) {
            Answer::Run(view) => view.cancel_requested.is_some(),
            _ => false,
        }
    }

    fn consume(&mut self, at: usize, used: &[u64; 2]) {
        let Some((run, attempt)) = self.held(at) else {
            return;
        };
        let canceling = self.canceling(run);
        let outcome = self.step(Command::Consume {
            run,
            fence: attempt.fence,
            consumption: Self::amounts(used),
        });
        let Ok(Outcome::Consumed { directive, .. }) = outcome else {
            panic!("a report is taken: {outcome:?}");
        };
        assert_eq!(directive, self.directive(run, canceling));
    }

    fn beat(&mut self, at: usize) {
        let Some((run, attempt)) = self.held(at) else {
            return;
        };
        let canceling = self.canceling(run);
        let outcome = self.step(Command::Heartbeat(HeartbeatItem {
            run,
            fence: attempt.fence,
            lease_ms: None,
            progress: None,
        }));
        let Ok(Outcome::Beat(beat)) = outcome else {
            panic!("a heartbeat is taken: {outcome:?}");
        };
        assert_eq!(beat.directive, self.directive(run, canceling));
    }

    fn finish(&mut self, at: usize, outcome: FinishOutcome, reason: bool, used: &[u64; 2]) {
        let Some((run, attempt)) = self.held(at) else {
            return;
        };
        let canceling = self.canceling(run);
        let finish = Finish {
            outcome,
            reason: reason.then(|| "approval".into()),
            consumption: Self::amounts(used),
            ..Finish::success(run, attempt.fence, None)
        };
        let before = self.log.len();
        self.step(Command::Finish(Box::new(finish))).unwrap();
        let suspended = self.log[before..]
            .iter()
            .find_map(|(_, entry)| match &entry.event {
                Event::RunSuspended(suspended) => Some(suspended.hold),
                _ => None,
            });
        // Before anything else of the frame: what the budgets were when the attempt ended.
        let spent = self.is_spent(attempt.task);
        let stops = match outcome {
            FinishOutcome::Canceled => true,
            FinishOutcome::Suspended => !reason,
            _ => false,
        };
        let ends_well = outcome == FinishOutcome::Success;
        let expected = match attempt.told {
            _ if ends_well || canceling => None,
            Some(Hold::Hand) => Some(Hold::Hand),
            Some(_) if spent || stops => Some(Hold::Budget),
            _ if outcome != FinishOutcome::Suspended => None,
            _ if spent && !reason => Some(Hold::Budget),
            _ => Some(Hold::Hand),
        };
        assert_eq!(suspended, expected, "{attempt:?}");
    }

    fn allocate(&mut self, whose: Option<usize>, of: usize, limit: u64, reserve: Option<u64>) {
        let reserve = reserve.map(|reserve| reserve.min(limit));
        let outcome = self.step(Command::AllocateBudget {
            scope: self.scope(whose),
            dimension: DIMENSIONS[of].into(),
            limit,
            reserve,
        });
        // Refused when the task has ended, or when attempts hold more than the limit.
        if let Ok(Outcome::Budget(view)) = outcome {
            assert_eq!(view.limit, limit);
        }
    }

    fn use_up(&mut self, whose: Option<usize>, of: usize, amount: u64) {
        let _ = self.step(Command::ConsumeBudget {
            scope: self.scope(whose),
            dimension: DIMENSIONS[of].into(),
            amount,
        });
    }

    fn replenish(&mut self, whose: Option<usize>, of: usize, new_limit: u64) {
        let _ = self.step(Command::ReplenishBudget {
            scope: self.scope(whose),
            dimension: DIMENSIONS[of].into(),
            new_limit,
        });
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

    fn begin(&mut self) {
        self.incarnation += 1;
        let incarnation = self.incarnation;
        let downtime_ms = 0;
        let start = Command::Start {
            incarnation,
            downtime_ms,
        };
        self.step(start).unwrap();
    }

    fn replayed(&self, mut machine: Machine) -> Machine {
        for (now, entry) in &self.log[machine.sequence() as usize..] {
            machine.replay(now, entry);
        }
        assert_eq!(machine.verify(), Ok(()));
        machine
    }

    fn restart(&mut self) {
        let digest = self.machine().digest();
        let machine = self.replayed(Machine::new(77));
        assert_eq!(machine.digest(), digest);
        self.machine = Some(machine);
        self.shelf = Shelf::default();
        self.begin();
    }

    fn reload(&mut self) {
        let digest = self.machine().digest();
        let machine = self.replayed(self.shelf.load(5, false));
        assert_eq!(machine.digest(), digest);
        self.machine = Some(machine);
        self.begin();
    }

    fn check(&self) {
        let machine = self.machine.as_ref().unwrap();
        assert_eq!(machine.verify(), Ok(()));
        for (at, task) in self.tasks.iter().enumerate() {
            let Answer::Task(view) = self.ask(Query::Task(*task)) else {
                panic!("a task is found");
            };
            self.check_budgets(Some(at), &view.budgets);
        }
        let Answer::Budgets(shared) = self.ask(Query::Budgets) else {
            panic!("the tenant is found");
        };
        self.check_budgets(None, &shared);
        for run in &self.runs {
            self.check_run(*run);
        }
    }

    fn check_budgets(&self, whose: Option<usize>, views: &[BudgetView]) {
        let count = self.sums.keys().filter(|name| name.0 == whose).count();
        assert_eq!(views.len(), count);
        for view in views {
            let of = DIMENSIONS.iter().position(|name| *name == &*view.dimension);
            let name = (whose, of.unwrap());
            let sum = &self.sums[&name];
            let shown = (
                view.limit,
                view.consumed,
                view.consumed_total,
                view.reserved,
            );
            let total = sum.before + sum.consumed;
            let summed = (sum.limit, sum.consumed, total, self.reserved(name));
            assert_eq!(shown, summed, "{name:?}");
        }
    }

    fn check_run(&self, run: RunId) {
        let (explain, task) = (self.explain(run), self.task_of[&run]);
        let codes: Vec<&str> = explain.reasons.iter().map(|reason| reason.code).collect();
        match explain.state {
            RunState::Ready => {
                // One that may start by itself still comes after those before it, who may take what is left.
                let mut details = explain.reasons.iter().flat_map(|reason| &reason.details);
                let outrun = details.any(|(name, ..)| *name == "ahead");
                assert_eq!(
                    explain.runnable || outrun,
                    self.may_start(task),
                    "{codes:?}"
                );
            }
            RunState::Suspended => {
                let waits = self.waiting.contains(&run);
                assert!(!waits || self.is_spent(task), "waits for nothing");
                assert_eq!(codes.contains(&"budget_exhausted"), waits);
                assert!(codes.contains(&"suspended"));
            }
            RunState::Leased | RunState::Running => assert!(self.attempts.contains_key(&run)),
            _ => assert!(!self.waiting.contains(&run)),
        }
        if explain.state == RunState::Ready && !explain.runnable {
            assert_eq!(codes, ["budget_exhausted"]);
        }
    }

    fn live(&mut self, acts: &[Act]) {
        self.pass(0);
        self.begin();
        for act in acts {
            self.act(act);
            self.check();
        }
        self.restart();
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn budgets_say_what_was_used_and_is_held(acts in vec(act(), 1..90)) {
        Life::default().live(&acts);
    }
}

/// What the property is about does happen.
#[test]
fn spending_lives_wait_for_budgets_and_are_resumed_by_them() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..32 {
        let acts = vec(act(), 1..90).new_tree(&mut runner).unwrap().current();
        let mut life = Life::default();
        life.live(&acts);
        met.extend(life.met);
    }
    assert!(met.contains("waits for a budget") && met.contains("resumed by a budget"));
}
