//! Random lives of tasks that stand to others: nobody is ever stranded, wherever the process ends.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Answer, Call, Claim, Command, Cut, Entry, Event, Fence, Finish, FinishOutcome, HeartbeatItem,
    Machine, Now, Outcome, Query, Rejection, Repeat, RunId, Schedule, TaskId, TaskSpec, TaskState,
    TenantId, Text, Timestamp,
};

mod shelf;

use shelf::Shelf;

const BASE_MS: u64 = 1_800_000_000_000;
const DAY_MS: u64 = 86_400_000;
const WAITING: &str = "waiting_for_children";

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as usize
    }

    fn often(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

/// Every state that is not terminal has no run in it.
fn all_ended(machine: &Machine) -> bool {
    machine.stats().runs_by_state[..6]
        .iter()
        .all(|count| *count == 0)
}

fn claim_of(max: u32) -> Command {
    Command::Claim(Box::new(Claim {
        worker: "w".into(),
        queues: vec!["default".into()],
        max,
        ..Claim::default()
    }))
}

fn at(ms: u64) -> Now {
    Now {
        id_seed: ms.wrapping_mul(31),
        ..Now::at(Timestamp(BASE_MS + ms), ms)
    }
}

struct Life {
    dice: Dice,
    machine: Machine,
    now_ms: u64,
    /// One entry per command that changed something.
    log: Vec<(Now, Vec<Entry>)>,
    tasks: Vec<TaskId>,
    bonds: BTreeMap<TaskId, (Option<TaskId>, BTreeSet<TaskId>)>,
    held: Vec<(RunId, Fence)>,
    shelf: Shelf,
    waiting: Vec<Cut>,
    last: u128,
    seen: BTreeSet<&'static str>,
}

impl Life {
    fn new(seed: u64) -> Life {
        let mut life = Life {
            dice: Dice(seed),
            machine: Machine::new(seed),
            now_ms: 0,
            log: Vec::new(),
            tasks: Vec::new(),
            bonds: BTreeMap::new(),
            held: Vec::new(),
            shelf: Shelf::default(),
            waiting: Vec::new(),
            last: 1000,
            seen: BTreeSet::new(),
        };
        let start = Command::Start {
            incarnation: 1,
            downtime_ms: 0,
        };
        life.step(start).unwrap();
        life
    }

    fn step(&mut self, command: Command) -> Result<Outcome, Rejection> {
        let now = at(self.now_ms);
        let (step, _) = self.shelf.step(&mut self.machine, &now, Call::new(command));
        for entry in &step.events {
            self.seen.insert(entry.event.kind().name());
            self.note(&entry.event);
        }
        if let Err(refused) = &step.outcome {
            self.seen.insert(refused.code());
        }
        if !step.events.is_empty() {
            self.log.push((now, step.events));
        }
        let verified = self.machine.verify();
        assert_eq!(verified, Ok(()), "after {:?}", self.log.last());
        step.outcome
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::TaskCreated(made) => {
                let bonds = made.spec.bonds.as_deref();
                let parent = bonds.and_then(|bonds| bonds.parent);
                let after = bonds.map_or(&[][..], |bonds| &bonds.depends_on);
                let after = after.iter().copied().collect();
                self.bonds.insert(made.task, (parent, after));
                self.tasks.push(made.task);
            }
            Event::DependenciesDeclared(declared) => {
                let after = &mut self.bonds.get_mut(&declared.task).unwrap().1;
                after.extend(declared.unmet.iter().chain(&declared.met));
            }
            Event::RunStarted(started) => self.check_start(started.run),
            _ => {}
        }
    }

    fn state(&self, task: TaskId) -> TaskState {
        match self.ask(Query::Task(task)) {
            Answer::Task(view) => view.state,
            _ => panic!("task {task} is known"),
        }
    }

    fn ask(&self, query: Query) -> Answer {
        self.shelf.answer(&self.machine, &at(self.now_ms), query)
    }

    /// A run that a worker was granted: its prerequisites are completed, and nobody above it is canceled.
    fn check_start(&self, run: RunId) {
        let Answer::Run(view) = self.ask(Query::Run(run)) else {
            panic!("a run that was granted is known");
        };
        let (above, after) = &self.bonds[&view.task];
        let mut above = *above;
        for prerequisite in after {
            assert_eq!(self.state(*prerequisite), TaskState::Completed);
        }
        while let Some(task) = above {
            assert_ne!(
                self.state(task),
                TaskState::Canceled,
                "granted below a fence"
            );
            above = self.bonds[&task].0;
        }
    }

    fn some_task(&mut self) -> Option<TaskId> {
        let count = self.tasks.len();
        (count > 0).then(|| {
            // Newer ones more often: older ones have ended.
            let near = self.dice.roll(count).max(self.dice.roll(count));
            self.tasks[near]
        })
    }

    fn spec(&mut self) -> TaskSpec {
        let mut spec = TaskSpec::new("work");
        if self.dice.often(30) {
            spec.run_at = Some(Timestamp(
                BASE_MS + self.now_ms + self.dice.roll(60_000) as u64,
            ));
        } else if self.dice.often(15) {
            spec.schedule = Some(Box::new(Schedule::Repeat(Repeat {
                count: 1 + self.dice.roll(3) as u32,
                interval_ms: 1000,
                start_at: None,
            })));
        }
        if self.dice.often(8) {
            let expires = Timestamp(BASE_MS + self.now_ms + 20_000);
            spec.extras_mut().expires_at = Some(expires);
        }
        if self.dice.often(10) {
            spec.extras_mut().unique_key = Some(["k", "l"][self.dice.roll(2)].into());
        }
        if self.dice.often(50) {
            for _ in 0..1 + self.dice.roll(2) {
                let prerequisite = self.some_task();
                spec.bonds_mut().depends_on.extend(prerequisite);
            }
        }
        spec
    }

    fn next_id(&mut self) -> TaskId {
        self.last += 1;
        TaskId(self.last)
    }

    fn submit(&mut self) {
        let mut spec = self.spec();
        if self.dice.often(40) {
            spec.bonds_mut().parent = self.some_task();
        }
        let id = self.next_id();
        self.step(Command::SubmitAs(id, Box::new(spec))).ok();
    }

    fn finish(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let at = self.dice.roll(self.held.len());
        let (run, fence) = self.held.swap_remove(at);
        let mut finish = Finish::success(run, fence, None);
        match self.dice.roll(10) {
            0 => finish.outcome = FinishOutcome::Failure,
            1 => finish.outcome = FinishOutcome::Released,
            2 => finish.outcome = FinishOutcome::Canceled,
            3..6 => {
                finish.outcome = FinishOutcome::Suspended;
                finish.reason = Some(Text::from(WAITING));
            }
            _ => {}
        }
        if self.dice.often(30) {
            for _ in 0..self.dice.roll(3) {
                let (id, spec) = (self.next_id(), self.spec());
                finish.children.push((Some(id), spec));
            }
        }
        self.step(Command::Finish(Box::new(finish))).ok();
    }

    fn act(&mut self) {
        match self.dice.roll(20) {
            0..6 => self.submit(),
            6..9 => {
                let claim = claim_of(1 + self.dice.roll(3) as u32);
                if let Ok(Outcome::Claimed(grants)) = self.step(claim) {
                    let held = grants.iter().map(|grant| (grant.run, grant.fence));
                    self.held.extend(held);
                }
            }
            9..14 => self.finish(),
            14 => {
                if let Some(task) = self.some_task().filter(|_| self.dice.often(40)) {
                    let reason = None;
                    self.step(Command::CancelTask { task, reason }).ok();
                }
            }
            15 => {
                if let Some(task) = self.some_task() {
                    let depends_on = self.some_task().into_iter().collect();
                    self.step(Command::DeclareDependencies { task, depends_on })
                        .ok();
                }
            }
            16 => {
                if let Some((run, fence)) = self.held.last().copied() {
                    self.step(Command::Heartbeat(HeartbeatItem {
                        run,
                        fence,
                        lease_ms: None,
                        progress: None,
                    }))
                    .ok();
                }
            }
            17 => self.store(),
            _ => {
                self.now_ms += 1 + self.dice.roll(9000) as u64;
                self.step(Command::Tick).unwrap();
            }
        }
    }

    /// Cuts, and now and then commits and begins again from what was committed and the log after it.
    fn store(&mut self) {
        self.waiting.push(self.machine.take_cut());
        if self.dice.often(50) {
            for cut in self.waiting.drain(..) {
                self.shelf.commit(cut);
            }
            while self.machine.stored(self.shelf.through, u64::MAX, 3) {}
        }
        if self.dice.often(30) {
            self.waiting.clear();
            self.shelf.check_round_trip();
            let fresh = self.dice.often(30);
            self.machine = self.loaded(fresh);
            if fresh {
                self.shelf.forget_live();
                let cut = self.machine.take_cut();
                self.shelf.commit(cut);
            }
        }
        assert_eq!(self.machine.verify(), Ok(()));
        for (run, _) in &self.held {
            let known = self
                .machine
                .answer(&at(0), TenantId::DEFAULT, &Query::Run(*run));
            let gone = matches!(known, Answer::Absent);
            assert!(!gone || self.shelf.holds_end_of(*run), "a run is nowhere");
        }
    }

    /// From what was committed and the log after it; `fresh` as from a snapshot, for a store that has none of the live rows.
    fn loaded(&self, fresh: bool) -> Machine {
        let mut machine = self.shelf.load(9, fresh);
        let entries = self.log.iter();
        let entries =
            entries.flat_map(|(now, events)| events.iter().map(move |event| (now, event)));
        for (now, entry) in entries.skip(machine.sequence() as usize) {
            machine.replay(now, entry);
        }
        assert_eq!(machine.digest(), self.machine.digest());
        machine
    }

    /// What a process makes of the log's first so many frames.
    fn replayed(&self, frames: usize) -> Machine {
        let mut machine = Machine::new(77);
        for (now, events) in &self.log[..frames] {
            for entry in events {
                machine.replay(now, entry);
            }
        }
        machine
    }
}

/// Lets time pass and every run succeed, until nothing happens any more.
fn bring_to_an_end(machine: &mut Machine, mut now_ms: u64) {
    for _ in 0..64 {
        if all_ended(machine) {
            break;
        }
        now_ms += DAY_MS;
        let mut step = |command| {
            let step = machine.step(&at(now_ms), &Default::default(), Call::new(command));
            step.outcome
                .expect("nobody refuses a tick, a claim or a finish")
        };
        while step(Command::Tick) == (Outcome::Ticked { more: true }) {}
        let Outcome::Claimed(grants) = step(claim_of(1000)) else {
            panic!("a claim answers with grants");
        };
        for grant in grants {
            let finish = Finish::success(grant.run, grant.fence, None);
            step(Command::Finish(Box::new(finish)));
        }
    }
    assert!(all_ended(machine), "stranded: {:?}", machine.stats());
    let idle = machine.next_deadline_in_ms(&at(now_ms));
    assert_eq!(idle, None, "nothing is owed and nothing is due");
}

/// How everybody stands when all is over, as far as these frames tell of them.
fn check_end(frames: &[(Now, Vec<Entry>)], machine: &Machine) {
    let mut after: BTreeMap<TaskId, Vec<TaskId>> = BTreeMap::new();
    for entry in frames.iter().flat_map(|(_, events)| events) {
        match &entry.event {
            Event::TaskCreated(made) => {
                let bonds = made.spec.bonds.clone().unwrap_or_default();
                after.insert(made.task, bonds.depends_on);
            }
            Event::DependenciesDeclared(declared) => {
                let after = after.entry(declared.task).or_default();
                after.extend(declared.unmet.iter().chain(&declared.met));
            }
            _ => {}
        }
    }
    let state = |task: TaskId| match machine.answer(&at(0), TenantId::DEFAULT, &Query::Task(task)) {
        Answer::Task(view) => view.state,
        _ => panic!("a log alone forgets no task"),
    };
    for (task, after) in &after {
        let own = state(*task);
        assert!(own.is_terminal(), "{task} is {}", own.name());
        let fell = |task: &TaskId| matches!(state(*task), TaskState::Failed | TaskState::Canceled);
        let ran = own == TaskState::Completed && after.iter().any(fell);
        assert!(!ran, "{task} ran nevertheless");
    }
}

#[test]
fn nobody_is_stranded_wherever_the_process_ends() {
    let mut seen = BTreeSet::new();
    for seed in 0..24 {
        let mut life = Life::new(seed * 7919 + 1);
        for _ in 0..110 {
            life.act();
        }
        for frames in 1..=life.log.len() {
            let mut machine = life.replayed(frames);
            assert_eq!(machine.verify(), Ok(()), "seed {seed}, {frames} frames");
            bring_to_an_end(&mut machine, life.now_ms);
            assert_eq!(machine.verify(), Ok(()), "seed {seed}, {frames} frames");
            check_end(&life.log[..frames], &machine);
        }
        // The life itself, with what its store holds.
        let mut machine = life.loaded(false);
        bring_to_an_end(&mut machine, life.now_ms);
        assert_eq!(machine.verify(), Ok(()));
        seen.extend(life.seen);
    }
    let wanted = "DependenciesDeclared DependencySatisfied RunResumed TaskCanceled RunCancelRequested dependency_cycle \
        task_already_started parent_terminal";
    let missed: Vec<&str> = wanted
        .split_whitespace()
        .filter(|name| !seen.contains(name))
        .collect();
    assert!(missed.is_empty(), "never met: {missed:?}");
}
