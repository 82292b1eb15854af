//! Random lives of schedules: whatever happens between two ticks, every instant is accounted for once, and there is one future run.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Call, Claim, Command, Cron, Entry, Event, Finish, FinishOutcome, Machine, Misfire, Now,
    Outcome, Overlap, RunId, Schedule, Steady, TaskId, TaskPatch, TaskSpec, Text, Timestamp,
};

mod shelf;

use shelf::Shelf;

const BASE_MS: u64 = 1_800_000_000_000;

/// A small generator (SplitMix64): lives are told from their seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ value >> 31) % sides
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len() as u64) as usize]
    }
}

/// What the events say about one schedule.
#[derive(Default)]
struct Told {
    every_ms: u64,
    began: Timestamp,
    most: Option<u64>,
    /// The instant that each run stands for.
    runs: BTreeMap<RunId, Timestamp>,
    skipped: u64,
    through: Timestamp,
    ended: bool,
    canceled: bool,
}

struct Life {
    machine: Machine,
    shelf: Shelf,
    log: Vec<(Now, Entry)>,
    now: Now,
    told: BTreeMap<TaskId, Told>,
    tasks: Vec<TaskId>,
    leased: Vec<Finish>,
    incarnation: u64,
    paused: bool,
    /// The most events that one tick made.
    most: usize,
}

impl Life {
    fn new() -> Life {
        let mut life = Life {
            machine: Machine::new(7),
            shelf: Shelf::default(),
            log: Vec::new(),
            now: Now::at(Timestamp(BASE_MS), 0),
            told: BTreeMap::new(),
            tasks: Vec::new(),
            leased: Vec::new(),
            incarnation: 0,
            paused: false,
            most: 0,
        };
        life.start();
        life
    }

    fn start(&mut self) {
        self.incarnation += 1;
        self.act(Command::Start {
            incarnation: self.incarnation,
            downtime_ms: 0,
        });
    }

    fn act(&mut self, command: Command) -> Option<Outcome> {
        self.now.id_seed += 1;
        let (step, _) = self
            .shelf
            .step(&mut self.machine, &self.now, Call::new(command));
        for entry in &step.events {
            self.hear(&entry.event);
            self.log.push((self.now, entry.clone()));
        }
        self.most = self.most.max(step.events.len());
        step.outcome.ok()
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::RunCreated(made) => {
                if let (Some(instant), Some(told)) =
                    (made.occurrence, self.told.get_mut(&made.task))
                {
                    told.stand(made.run, instant);
                }
            }
            Event::RunRescheduled(moved) => {
                if let Some(instant) = moved.occurrence {
                    let told = self.told.values_mut();
                    let told = { told }.find(|told| told.runs.contains_key(&moved.run));
                    told.expect("a run of a schedule").stand(moved.run, instant);
                }
            }
            Event::OccurrencesSkipped(skipped) => {
                let told = self.told.get_mut(&skipped.task).expect("a schedule");
                assert!(skipped.from <= skipped.through && skipped.count > 0);
                assert!(skipped.through <= self.now.wall, "skipped before it came");
                assert!(!told.instants().contains(&skipped.through) || skipped.count > 0);
                told.skipped += skipped.count;
                told.through = told.through.max(skipped.through);
            }
            Event::ScheduleEnded(ended) => {
                self.told.get_mut(&ended.task).expect("a schedule").ended = true;
            }
            Event::TaskCanceled(canceled) => {
                self.told
                    .get_mut(&canceled.task)
                    .expect("a schedule")
                    .canceled = true;
            }
            _ => {}
        }
    }

    fn submit(&mut self, dice: &mut Dice) {
        let every_ms = dice.pick(&[1000, 7000, 60_000, 3_600_000]);
        let most = dice.pick(&[None, None, Some(5), Some(200)]);
        let cron = Cron {
            expression: Text::from(format!("every:{every_ms}").as_str()),
            misfire: dice.pick(&[Misfire::Skip, Misfire::RunOnce, Misfire::RunAll]),
            misfire_grace_ms: dice.pick(&[0, 5000, 60_000]),
            catch_up_max: dice.pick(&[1, 3, 10]),
            overlap: dice.pick(&[
                Overlap::Allow,
                Overlap::Skip,
                Overlap::QueueOne,
                Overlap::CancelPrevious,
            ]),
            max_occurrences: most,
            jitter_ms: dice.pick(&[0, 0, 500, 20_000]),
            ..Cron::default()
        };
        let id = TaskId(self.tasks.len() as u128 + 1);
        let told = Told {
            every_ms,
            began: self.now.wall,
            most,
            through: self.now.wall,
            ..Told::default()
        };
        self.told.insert(id, told);
        let spec = TaskSpec {
            schedule: Some(Box::new(Schedule::Cron(Box::new(cron)))),
            ..TaskSpec::new("work")
        };
        self.act(Command::SubmitAs(id, Box::new(spec)))
            .expect("a good schedule");
        self.tasks.push(id);
    }

    fn pass(&mut self, ms: u64) {
        self.now.wall = self.now.wall.plus_ms(ms);
        self.now.steady = Steady(self.now.steady.0 + ms);
    }

    /// Ticks until nothing is due.
    fn settle(&mut self) {
        let mut ticks = 0;
        while self.machine.next_deadline_in_ms(&self.now) == Some(0) {
            self.act(Command::Tick);
            ticks += 1;
            assert!(ticks < 500, "time never comes to an end");
        }
    }

    fn random_act(&mut self, dice: &mut Dice) {
        let task = dice.pick(&self.tasks);
        match dice.roll(20) {
            0..=5 => {
                let ms = dice.pick(&[1, 400, 1000, 9000, 61_000, 600_000, 40_000_000]);
                self.pass(ms);
                if dice.roll(4) > 0 {
                    self.act(Command::Tick);
                } else {
                    self.settle();
                }
            }
            6..=8 => self.claim(),
            9..=11 => self.finish(dice),
            12 => {
                let paused = Some(dice.roll(2) == 0);
                let patch = TaskPatch {
                    task,
                    paused,
                    ..TaskPatch::default()
                };
                self.act(Command::UpdateTask(Box::new(patch)));
            }
            13 => {
                self.paused = !self.paused;
                let reason = None;
                self.act(if self.paused {
                    Command::PauseEngine { reason }
                } else {
                    Command::ResumeEngine { reason }
                });
            }
            14 => self.cancel_one(dice, task),
            15 => {
                self.act(Command::CreateRun {
                    task,
                    run: None,
                    state: mainstay_core::RunState::Scheduled,
                    scheduled_at: None,
                });
            }
            16 | 17 => {
                let cut = self.machine.take_cut();
                self.shelf.commit(cut);
                while self.machine.stored(self.shelf.through, u64::MAX, 7) {}
            }
            18 => self.reload(),
            _ => {
                let priority = Some(dice.roll(3) as i32);
                let patch = TaskPatch {
                    task,
                    priority,
                    ..TaskPatch::default()
                };
                self.act(Command::UpdateTask(Box::new(patch)));
            }
        }
    }

    fn claim(&mut self) {
        let claim = Claim {
            worker: Text::from("w"),
            queues: vec![Text::from("default")],
            max: 3,
            lease_ms: Some(80_000_000),
            ..Claim::default()
        };
        if let Some(Outcome::Claimed(grants)) = self.act(Command::Claim(Box::new(claim))) {
            let finishes = grants.iter();
            let finishes = finishes.map(|grant| Finish::success(grant.run, grant.fence, None));
            self.leased.extend(finishes);
        }
    }

    fn finish(&mut self, dice: &mut Dice) {
        if self.leased.is_empty() {
            return;
        }
        let at = dice.roll(self.leased.len() as u64) as usize;
        let mut finish = self.leased.swap_remove(at);
        finish.outcome = dice.pick(&[
            FinishOutcome::Success,
            FinishOutcome::Failure,
            FinishOutcome::Released,
            FinishOutcome::Canceled,
        ]);
        self.act(Command::Finish(Box::new(finish)));
    }

    /// Cancels any run of a task, the future one too; once in a while the task.
    fn cancel_one(&mut self, dice: &mut Dice, task: TaskId) {
        if dice.roll(12) == 0 {
            self.act(Command::CancelTask { task, reason: None });
            return;
        }
        let runs: Vec<RunId> = self.told[&task].runs.keys().copied().collect();
        let run = dice.pick(&runs[runs.len().saturating_sub(3)..]);
        self.act(Command::CancelRun {
            run,
            force: dice.roll(2) == 0,
            reason: None,
        });
    }

    fn reload(&mut self) {
        self.shelf.check_round_trip();
        let mut machine = self.shelf.load(99, false);
        for (now, entry) in &self.log[machine.sequence() as usize..] {
            machine.replay(now, entry);
        }
        assert_eq!(machine.verify(), Ok(()));
        assert_eq!(machine.digest(), self.machine.digest());
        self.machine = machine;
        self.start();
    }

    /// Everything goes on, and nothing is due any more.
    fn come_to_rest(&mut self) {
        if self.paused {
            self.act(Command::ResumeEngine { reason: None });
        }
        for task in self.tasks.clone() {
            let paused = Some(false);
            let patch = TaskPatch {
                task,
                paused,
                ..TaskPatch::default()
            };
            self.act(Command::UpdateTask(Box::new(patch)));
        }
        self.settle();
    }

    fn check(&self) {
        for (id, told) in &self.told {
            told.check(*id, self.now.wall);
        }
        let mut replayed = Machine::new(3);
        for (now, entry) in &self.log {
            replayed.replay(now, entry);
        }
        assert_eq!(replayed.verify(), Ok(()));
        assert_eq!(replayed.digest(), self.machine.digest());
    }
}

impl Told {
    fn instants(&self) -> BTreeSet<Timestamp> {
        self.runs.values().copied().collect()
    }

    /// A run stands for an instant now; no other run ever did.
    fn stand(&mut self, run: RunId, instant: Timestamp) {
        assert_eq!(instant.0 % self.every_ms, 0, "no instant of the calendar");
        let others = self.runs.iter().filter(|(known, _)| **known != run);
        assert!(
            { others }.all(|(_, known)| *known != instant),
            "two runs of one instant"
        );
        self.runs.insert(run, instant);
    }

    fn check(&self, id: TaskId, now: Timestamp) {
        let instants = self.instants();
        assert_eq!(instants.len(), self.runs.len(), "task {id}");
        let come = instants.iter().filter(|instant| **instant <= now).count() as u64;
        let passed = now.0 / self.every_ms - self.began.0 / self.every_ms;
        let due = self.most.map_or(passed, |most| passed.min(most));
        let future = instants.iter().filter(|instant| **instant > now).count();
        if self.canceled {
            assert!(
                come + self.skipped <= due,
                "task {id}: {come} {} {due}",
                self.skipped
            );
            return;
        }
        // A future run that somebody canceled was followed by the next: it stands for its instant all the same.
        assert_eq!(come + self.skipped, due, "task {id}: instants that came");
        if !self.ended {
            assert!(future >= 1, "task {id}: a future run");
        }
    }
}

#[test]
fn every_instant_of_a_random_life_is_accounted_for_once() {
    let (mut events, mut skipped, mut most) = (0, 0, 0);
    for seed in 0..120 {
        let mut dice = Dice(seed);
        let mut life = Life::new();
        for _ in 0..1 + dice.roll(3) {
            life.submit(&mut dice);
            life.pass(1234);
        }
        for _ in 0..120 {
            life.random_act(&mut dice);
            assert_eq!(life.machine.verify(), Ok(()), "seed {seed}");
        }
        life.come_to_rest();
        life.check();
        events += life.log.len();
        skipped += life.told.values().map(|told| told.skipped).sum::<u64>();
        most = most.max(life.most);
    }
    assert!(events > 8000 && skipped > 1000, "{events} {skipped}");
    assert!(most < 3000, "{most} events by one command");
}
