//! Random lives led by hand: leases, attempts and moves of all kinds, among claims and the words of workers, with jumps of time and restarts.
#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;

use mainstay_core::{
    Answer, AttemptId, BudgetScope, Call, Claim, Command, Entry, Event, Fence, Finish,
    FinishOutcome, HeartbeatItem, HoldPolicy, Machine, Now, Outcome, Query, Rejection, RunId,
    RunState, RunView, SafetyLevel, TRANSITIONS, TaskSpec, TenantId, Text, Timestamp,
};

mod shelf;

use shelf::Shelf;

const BASE_MS: u64 = 1_800_000_000_000;
const OWNERS: [&str; 2] = ["ann", "bob"];

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }
}

struct Life {
    dice: Dice,
    machine: Machine,
    shelf: Shelf,
    now_ms: u64,
    incarnation: u64,
    log: Vec<(Now, Entry)>,
    runs: Vec<RunId>,
    /// Every token ever granted, in order.
    fences: Vec<(RunId, Fence)>,
    seen: BTreeSet<String>,
}

impl Life {
    fn new(seed: u64) -> Life {
        let mut life = Life {
            dice: Dice(seed),
            machine: Machine::new(seed),
            shelf: Shelf::default(),
            now_ms: 0,
            incarnation: 0,
            log: Vec::new(),
            runs: Vec::new(),
            fences: Vec::new(),
            seen: BTreeSet::new(),
        };
        life.start();
        for _ in 0..4 {
            life.submit();
        }
        life
    }

    fn now(&self) -> Now {
        Now {
            id_seed: self.now_ms,
            ..Now::at(Timestamp(BASE_MS + self.now_ms), self.now_ms)
        }
    }

    fn start(&mut self) {
        self.incarnation += 1;
        let incarnation = self.incarnation;
        let downtime_ms = 0;
        self.step(Command::Start {
            incarnation,
            downtime_ms,
        })
        .unwrap();
    }

    /// One command. A refused one leaves no trace, an accepted one leaves every index right.
    fn step(&mut self, command: Command) -> Result<Outcome, Rejection> {
        let (now, before) = (self.now(), self.machine.digest_all());
        let told = format!("{command:?}");
        let call = Call::new(command);
        let (step, _) = self.shelf.step(&mut self.machine, &now, call);
        if let Err(refused) = &step.outcome {
            assert!(step.events.is_empty(), "{told}");
            assert_eq!(before, self.machine.digest_all(), "{told}");
            self.seen.insert(refused.code().to_owned());
        }
        for entry in step.events {
            self.seen.insert(entry.event.kind().name().to_owned());
            self.note(&entry.event);
            self.log.push((now, entry));
        }
        assert_eq!(self.machine.verify(), Ok(()), "{told}");
        step.outcome
    }

    fn note(&mut self, event: &Event) {
        let (run, fence) = match event {
            Event::RunCreated(made) => return self.runs.push(made.run),
            Event::RunStarted(e) => (e.run, (e.incarnation, e.counter)),
            Event::LeaseAcquired(e) => (e.run, (e.incarnation, e.counter)),
            _ => return,
        };
        let fence = Fence {
            incarnation: fence.0,
            counter: fence.1,
        };
        let last = self.fences.last().map(|(_, last)| *last);
        assert!(last.is_none_or(|last| last < fence), "tokens only rise");
        self.fences.push((run, fence));
    }

    fn submit(&mut self) {
        let mut spec = TaskSpec::new("work");
        spec.run_at = (self.dice.roll(4) == 0).then(|| self.now().wall.plus_ms(20_000));
        let policy = spec.policy_mut();
        policy.max_attempts = self.dice.one(&[1, 2, 5]);
        policy.max_lost_leases = self.dice.one(&[0, 3]);
        policy.timeout_ms = self.dice.one(&[None, Some(7000)]);
        policy.cancel_grace_ms = 3000;
        policy.hold_policy = self
            .dice
            .one(&[HoldPolicy::HoldDuringRetry, HoldPolicy::ReleaseOnRetry]);
        policy.safety_level = self
            .dice
            .one(&[SafetyLevel::Idempotent, SafetyLevel::Transactional]);
        policy.concurrency_key = self.dice.one(&[None, Some(())]).map(|()| Text::from("k"));
        policy.concurrency_limit = self.dice.one(&[1, 2]);
        if self.dice.roll(4) == 0 {
            spec.bonds_mut().budgets = vec![mainstay_core::BudgetSpec {
                dimension: Text::from("token"),
                limit: 10,
                reserve: Some(4),
            }];
        }
        self.step(Command::Submit(Box::new(spec))).unwrap();
    }

    fn view(&self, run: RunId) -> Box<RunView> {
        match self
            .shelf
            .answer(&self.machine, &self.now(), Query::Run(run))
        {
            Answer::Run(view) => view,
            other => panic!("a run came to {other:?}"),
        }
    }

    /// A lease that nothing holds back is granted; one that something holds back is not.
    fn acquire(&mut self, run: RunId) {
        let explained = self
            .machine
            .answer(&self.now(), TenantId::DEFAULT, &Query::Explain(run));
        let owner = Text::from(self.dice.one(&OWNERS));
        let lease_ms = self.dice.one(&[None, Some(2000), Some(400_000)]);
        let told = self.step(Command::AcquireLease {
            run,
            owner,
            lease_ms,
        });
        if let Answer::Explain(explained) = explained {
            assert!(
                !explained.runnable || told.is_ok(),
                "{explained:?}: {told:?}"
            );
            let ready = explained.state == RunState::Ready;
            assert!(ready || told.is_err(), "{explained:?}: {told:?}");
        }
    }

    fn lease(&mut self, view: &RunView) -> Command {
        let lease = view.lease.as_ref();
        let known = lease.map_or(self.now().wall, |lease| lease.expires_at);
        let owner = match lease {
            Some(lease) if self.dice.roll(4) > 0 => lease.owner.clone(),
            _ => Text::from(self.dice.one(&OWNERS)),
        };
        let run = view.id;
        let off = self.dice.one(&[0, 0, 0, 1]);
        let expires_at = known.plus_ms(off);
        match self.dice.roll(4) {
            0 => Command::ExpireLease {
                run,
                owner,
                expires_at,
            },
            1 => Command::ReleaseLease {
                run,
                owner,
                expires_at,
            },
            _ => Command::RenewLease {
                run,
                owner,
                expires_at: known.plus_ms(self.dice.one(&[0, 5000, 600_000])),
            },
        }
    }

    fn report(&mut self, run: RunId) -> Command {
        let token = self.fences.iter().rev().find(|(of, _)| *of == run);
        let fence = token.map_or(Fence::default(), |(_, fence)| *fence);
        let outcome = self.dice.one(&[
            FinishOutcome::Success,
            FinishOutcome::Failure,
            FinishOutcome::Suspended,
            FinishOutcome::Canceled,
            FinishOutcome::Released,
        ]);
        match self.dice.roll(3) {
            0 => Command::Heartbeat(HeartbeatItem {
                run,
                fence,
                lease_ms: self.dice.one(&[None, Some(400_000)]),
                progress: None,
            }),
            1 => Command::Finish(Box::new(Finish {
                outcome,
                ..Finish::success(run, fence, None)
            })),
            _ => Command::FinishAttempt {
                run,
                attempt: AttemptId::derive(run, self.view(run).attempt_count),
                outcome,
                output: None,
                error: None,
            },
        }
    }

    fn act(&mut self) {
        let run = self.dice.one(&self.runs.clone());
        let view = self.view(run);
        let to = self.dice.one(RunState::ALL);
        let reason = None;
        let command = match self.dice.roll(16) {
            0 => return self.submit(),
            1..=3 => return self.acquire(run),
            4 | 5 => self.lease(&view),
            6..=8 => Command::TransitionRun {
                run,
                expected: view.state,
                to,
            },
            9 | 10 => Command::StartAttempt { run },
            11 => self.report(run),
            12 => Command::Claim(Box::new(Claim {
                worker: Text::from("w"),
                queues: vec![Text::from("default")],
                max: 2,
                lease_ms: Some(4000),
                ..Claim::default()
            })),
            13 => match self.dice.roll(6) {
                0 => Command::CancelRun {
                    run,
                    force: false,
                    reason,
                },
                1 => Command::SuspendRun { run, reason },
                2 => Command::ResumeRun { run, payload: None },
                3 => Command::PauseEngine { reason },
                4 => Command::CancelTask {
                    task: view.task,
                    reason,
                },
                _ => Command::ConsumeBudget {
                    scope: BudgetScope::Task(view.task),
                    dimension: Text::from("token"),
                    amount: 7,
                },
            },
            14 => Command::ResumeEngine { reason },
            _ => return self.pass(),
        };
        self.step(command).ok();
    }

    /// Time passes; sometimes the process ends, and goes on from its log or from its store.
    fn pass(&mut self) {
        self.now_ms += self.dice.one(&[1, 1000, 5000, 30_000]);
        while self.machine.next_deadline_in_ms(&self.now()) == Some(0) {
            self.step(Command::Tick).unwrap();
        }
        match self.dice.roll(8) {
            0 => {
                self.machine = self.replayed();
                // From the log alone a new store is filled.
                self.shelf = Shelf::default();
            }
            1 => {
                self.shelf.commit(self.machine.take_cut());
                while self.machine.stored(self.shelf.through, u64::MAX, 10) {}
                return;
            }
            2 if self.shelf.through > 0 => {
                let mut machine = self.shelf.load(3, false);
                for (now, entry) in &self.log[machine.sequence() as usize..] {
                    machine.replay(now, entry);
                }
                assert_eq!(machine.digest(), self.machine.digest());
                self.machine = machine;
            }
            _ => return,
        }
        self.start();
    }

    fn replayed(&self) -> Machine {
        let mut machine = Machine::new(99);
        for (now, entry) in &self.log {
            machine.replay(now, entry);
        }
        assert_eq!(machine.digest(), self.machine.digest());
        machine
    }

    /// The statistics are those of a naive recount, by the spans of all attempts, and stay so through an image.
    fn times_are_those_of_the_attempts(&self) {
        let now = self.now();
        let (mut all, mut hour) = (Vec::new(), Vec::new());
        for run in &self.runs {
            for attempt in self.view(*run).attempts {
                let Some(end) = attempt.finished_at else {
                    continue;
                };
                let ms = end.0 - attempt.started_at.0;
                all.push(ms);
                // Of the last hour, to five minutes.
                if end.0 / 300_000 + 12 > now.wall.0 / 300_000 {
                    hour.push(ms);
                }
            }
        }
        let (tenant, query) = (TenantId::DEFAULT, Query::Report { all: false });
        let Answer::Report(report) = self.machine.answer(&now, tenant, &query) else {
            panic!("statistics");
        };
        let stats = self.machine.stats();
        let told = &report.counters;
        assert_eq!(told.attempts_by_result, stats.attempts_by_result);
        assert_eq!(told.runs_by_state, stats.runs_by_state);
        assert_eq!(
            (told.tasks_total, told.runs_total, told.attempts_total),
            (stats.tasks_total, stats.runs_total, stats.attempts_total)
        );
        for (mut spans, told) in [(all, report.life), (hour, report.hour)] {
            spans.sort_unstable();
            let longest = spans.last().copied().unwrap_or(0);
            assert_eq!(told.count, spans.len() as u64);
            assert_eq!((told.sum_ms, told.max_ms), (spans.iter().sum(), longest));
            for (percent, told) in [(50, told.p50_ms), (95, told.p95_ms), (99, told.p99_ms)] {
                let rank = (spans.len() * percent).div_ceil(100);
                let exact = rank.checked_sub(1).map_or(0, |at| spans[at]);
                assert!(
                    told >= exact && told - exact <= exact / 100,
                    "{told} for {exact}"
                );
            }
        }
        let kinds = report.kinds.iter().map(|kind| kind.life.count);
        assert_eq!(kinds.sum::<u64>(), report.life.count);
    }

    /// Every way a run has gone is one of the table's, and every attempt that began has one end at most.
    fn check(&self) {
        self.replayed();
        let (mut begun, mut working) = (0, 0);
        for run in &self.runs {
            let view = self.view(*run);
            for change in view.changes.iter().skip(1) {
                let from = change.from.expect("only the first has no beginning");
                assert!(TRANSITIONS.contains(&(from, change.to)));
            }
            let numbers: BTreeSet<u32> = view.attempts.iter().map(|one| one.number).collect();
            assert_eq!(numbers.len(), view.attempts.len(), "each attempt once");
            begun += u64::from(view.attempt_count);
            working += u64::from(view.current_attempt.is_some());
        }
        let stats = self.machine.stats();
        assert_eq!(stats.attempts_total, begun);
        let ended: u64 = stats.attempts_by_result.iter().sum();
        assert_eq!(ended + working, begun, "every attempt ends once");
        self.times_are_those_of_the_attempts();
    }
}

#[test]
fn a_life_led_by_hand_keeps_every_law() {
    let (mut seen, mut acts) = (BTreeSet::new(), 0);
    for seed in 0..200 {
        let mut life = Life::new(seed);
        for _ in 0..120 {
            life.act();
            acts += 1;
        }
        life.check();
        seen.append(&mut life.seen);
    }
    let wanted = "LeaseAcquired RunBegan LeaseEnded AttemptStarted RunTransitioned LeaseExtended RunReturned RunFailed \
        RunCanceled RunSuspended RunResumed lease_already_active lease_invalid_run_state lease_missing_active \
        lease_owner_mismatch lease_expiry_mismatch attempt_already_active attempt_start_requires_running \
        attempt_finish_requires_running attempt_finish_missing_active invalid_transition lease_lost";
    let missed: Vec<&str> = wanted
        .split_whitespace()
        .filter(|name| !seen.contains(*name))
        .collect();
    assert!(missed.is_empty(), "never met: {missed:?}");
    println!("{acts} acts of 200 lives");
}
