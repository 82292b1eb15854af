//! Statistics: equal after a start from an image and after a replay of the whole log, bounded in kinds, and of the last hour alone.

use mainstay_core::limits::{KINDS_SHOWN_MAX, KINDS_TIMED_MAX};
use mainstay_core::{
    Answer, Call, Claim, Command, Entry, Finish, FinishOutcome, Machine, Now, Outcome, Query,
    RunError, Spans, StatsReport, Steady, TaskSpec, Text, Timestamp,
};

mod shelf;

use shelf::Shelf;

const MINUTE: u64 = 60_000;
/// At the beginning of a stretch of five minutes.
const T0: u64 = 1_800_000_000_000;

struct World {
    machine: Machine,
    shelf: Shelf,
    now: Now,
    log: Vec<(Now, Entry)>,
}

impl World {
    fn new() -> World {
        let mut world = World {
            machine: Machine::new(1),
            shelf: Shelf::default(),
            now: Now::at(Timestamp(T0), 0),
            log: Vec::new(),
        };
        world.step(Command::Start {
            incarnation: 1,
            downtime_ms: 0,
        });
        world
    }

    fn step(&mut self, command: Command) -> Outcome {
        self.now.id_seed += 1;
        let call = Call::new(command);
        let (step, _) = self.shelf.step(&mut self.machine, &self.now, call);
        let entries = step.events.iter().map(|entry| (self.now, entry.clone()));
        self.log.extend(entries);
        step.outcome.expect("the step is accepted")
    }

    fn pass(&mut self, ms: u64) {
        let at = self.now.steady.0 + ms;
        self.now.wall = Timestamp(T0 + at);
        self.now.steady = Steady(at);
        while self.machine.next_deadline_in_ms(&self.now) == Some(0) {
            self.step(Command::Tick);
        }
    }

    fn cut(&mut self) {
        self.shelf.commit(self.machine.take_cut());
    }

    /// A run of this kind whose attempt takes so long.
    fn work(&mut self, kind: &str, ms: u64, well: bool) {
        self.step(Command::Submit(TaskSpec::new(kind).into()));
        let claim = Claim {
            worker: "w".into(),
            queues: vec!["default".into()],
            max: 1,
            lease_ms: Some(3_600_000),
            ..Claim::default()
        };
        let Outcome::Claimed(grants) = self.step(Command::Claim(claim.into())) else {
            panic!("a claim answers with grants")
        };
        self.pass(ms);
        let mut finish = Finish::success(grants[0].run, grants[0].fence, None);
        if !well {
            finish.outcome = FinishOutcome::Failure;
            finish.error = Some(Box::new(RunError {
                code: "e".into(),
                message: "m".into(),
                retryable: false,
            }));
        }
        self.step(Command::Finish(finish.into()));
    }

    fn report(&self) -> StatsReport {
        self.report_of(&self.machine)
    }

    fn report_of(&self, machine: &Machine) -> StatsReport {
        let query = Query::Report { all: true };
        let Answer::Report(report) = self.shelf.answer(machine, &self.now, query) else {
            panic!("a report")
        };
        *report
    }

    /// The machine after a start from what was committed, and after a replay of everything.
    fn started(&self) -> [Machine; 2] {
        [self.shelf.load(5, false), Machine::new(77)].map(|mut machine| {
            for (now, entry) in &self.log[machine.sequence() as usize..] {
                machine.replay(now, entry);
            }
            assert_eq!(machine.verify(), Ok(()));
            machine
        })
    }

    /// Whatever way it starts, it counts the same.
    fn check_starts(&self) {
        for machine in self.started() {
            assert_eq!(machine.digest(), self.machine.digest());
            assert_eq!(self.report_of(&machine), self.report());
        }
    }
}

/// What a naive sum of spans is, to a hundredth where it is a percentile.
fn check(spans: Spans, taken: &[u64]) {
    let mut sorted = taken.to_vec();
    sorted.sort_unstable();
    assert_eq!(spans.count, taken.len() as u64);
    assert_eq!(spans.sum_ms, taken.iter().sum::<u64>());
    let Some(longest) = sorted.last() else { return };
    assert_eq!(spans.max_ms, *longest);
    for (percent, told) in [(50, spans.p50_ms), (95, spans.p95_ms), (99, spans.p99_ms)] {
        let exact = sorted[(sorted.len() * percent).div_ceil(100) - 1];
        assert!(
            told >= exact && told <= exact + exact / 100 + 1,
            "p{percent}: {told} is not {exact}"
        );
    }
}

#[test]
fn statistics_are_the_same_after_a_start_from_an_image_and_after_a_replay() {
    let mut world = World::new();
    let mut dice = 7u64;
    let (mut all, mut mail) = (Vec::new(), Vec::new());
    for at in 0..300u64 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let ms = 1 + (dice >> 33) % 20_000;
        let kind = if at % 3 == 0 { "mail" } else { "report" };
        world.work(kind, ms, at % 7 != 0);
        all.push(ms);
        if at % 3 == 0 {
            mail.push(ms);
        }
        // Committed now and then: what an image holds is a part, and the log the rest.
        if at % 41 == 40 {
            world.cut();
            world.shelf.check_round_trip();
            world.check_starts();
        }
    }
    world.check_starts();
    let told = world.report();
    check(told.life, &all);
    let of_mail = told
        .kinds
        .iter()
        .find(|one| one.kind == Some("mail".into()));
    check(of_mail.expect("a kind").life, &mail);
    assert_eq!(told.dead_letters, 300u64.div_ceil(7));
}

#[test]
fn kinds_beyond_the_bound_are_counted_together() {
    let mut world = World::new();
    let (bound, more) = (u64::from(KINDS_TIMED_MAX), 25);
    for at in 0..bound + more {
        world.work(&format!("k{at}"), 10, true);
    }
    // Those of the first are found again, and those beyond stay together.
    world.work("k0", 10, true);
    world.work(&format!("k{bound}"), 10, true);
    world.cut();
    world.work("k0", 10, true);
    world.work("brand.new", 10, true);
    world.check_starts();
    let told = world.report();
    assert_eq!(told.life.count, bound + more + 4);
    assert_eq!(told.kinds.len(), KINDS_SHOWN_MAX);
    let counts: Vec<(Option<Text>, u64)> = told
        .kinds
        .iter()
        .take(3)
        .map(|one| (one.kind.clone(), one.life.count))
        .collect();
    assert_eq!(counts[0], (None, more + 2));
    assert_eq!(counts[1], (Some("k0".into()), 3));
    assert_eq!(counts[2].1, 1);
}

#[test]
fn the_last_hour_forgets_what_is_older_and_life_does_not() {
    let mut world = World::new();
    let mut taken = Vec::new();
    // One attempt every five minutes, for three hours.
    for at in 0..36u64 {
        let ms = 100 + at;
        world.work("k", ms, true);
        taken.push(ms);
        let told = world.report();
        check(told.life, &taken);
        check(told.hour, &taken[taken.len().saturating_sub(12)..]);
        check(told.kinds[0].hour, &taken[taken.len().saturating_sub(12)..]);
        let begun = world.now.steady.0 / (5 * MINUTE) * (5 * MINUTE);
        world.pass(begun + 5 * MINUTE - world.now.steady.0);
        if at % 5 == 0 {
            world.cut();
        }
        world.check_starts();
    }
    // Nothing ends any more: the hour empties by itself, without an event.
    world.pass(30 * MINUTE);
    assert_eq!(world.report().hour.count, 5);
    world.pass(60 * MINUTE);
    assert_eq!(world.report().hour, Spans::default());
    check(world.report().life, &taken);
    world.check_starts();
}
