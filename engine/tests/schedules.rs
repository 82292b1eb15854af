//! Schedules in a whole engine: calendars in zones, long sleeps, and clocks that jump.

mod bench;

use std::collections::BTreeSet;

use bench::{Bench, claim};
use mainstay::{
    Answer, Call, Command, Cron, FinishOutcome, Misfire, Outcome, Overlap, Query, Rejection,
    RunState, Schedule, SubmittedRun, TaskId, TaskPatch, TaskSpec, TaskView, TenantId, Text,
    Timestamp, coming_instants, schedule_preview, store::MemoryShelf,
};
use mainstay_log::{Options, RamDisk};

const DAY: u64 = 86_400_000;
const YEAR: u64 = 365 * DAY;

fn at(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap();
    Timestamp(instant.as_millisecond() as u64)
}

fn cron(expression: &str) -> Cron {
    Cron {
        expression: Text::from(expression),
        ..Cron::default()
    }
}

fn spec(cron: Cron) -> TaskSpec {
    TaskSpec {
        schedule: Some(Box::new(Schedule::Cron(Box::new(cron)))),
        ..TaskSpec::new("tick")
    }
}

fn submit(bench: &mut Bench, cron: Cron) -> TaskId {
    match bench.call(Command::Submit(Box::new(spec(cron)))) {
        Ok(Outcome::Submitted(submitted)) => submitted.task,
        other => panic!("a submit came to {other:?}"),
    }
}

fn task(bench: &mut Bench, id: TaskId) -> Box<TaskView> {
    let pending = bench.handle.ask(TenantId::DEFAULT, Query::Task(id));
    bench.round();
    match pending.wait().unwrap().value {
        Answer::Task(view) => view,
        other => panic!("a task came to {other:?}"),
    }
}

/// A life that begins at this moment, on this disk and store.
fn live(disk: RamDisk, shelf: MemoryShelf, wall: Timestamp, steady_ms: u64) -> Bench {
    let raw = mainstay::Raw {
        wall_ms: wall.0,
        steady_ms,
    };
    let entropy = [(wall.0 % 251) as u8; 64];
    Bench::open_with(disk, shelf, Options::default(), raw, entropy)
}

/// Takes turns until nothing is due; gives how many, and the most events of one.
fn settle(bench: &mut Bench) -> (usize, u64) {
    let (mut turns, mut most) = (0, 0);
    loop {
        let before = bench.writer.machine().sequence();
        let turn = bench.round();
        turns += 1;
        most = most.max(bench.writer.machine().sequence() - before);
        if turn.next_in_ms != Some(0) {
            return (turns, most);
        }
        assert!(turns < 1000, "time never comes to an end");
    }
}

#[test]
fn a_year_asleep_makes_no_storm_under_any_policy() {
    let start = at("2026-11-21T12:00:30Z");
    for (expression, span) in [("* * * * *", 60_000), ("* * * * * *", 1000)] {
        for (misfire, caught) in [
            (Misfire::Skip, 0),
            (Misfire::RunOnce, 1),
            (Misfire::RunAll, 100),
        ] {
            let (disk, shelf) = (RamDisk::default(), MemoryShelf::default());
            let mut bench = live(disk, shelf.clone(), start, 7);
            let id = submit(
                &mut bench,
                Cron {
                    misfire,
                    ..cron(expression)
                },
            );
            let disk = bench.close();
            let mut bench = live(disk, shelf, Timestamp(start.0 + YEAR), 9);
            let (turns, most) = settle(&mut bench);
            let view = task(&mut bench, id);
            let schedule = view.schedule.as_deref().unwrap();
            let passed = (start.0 + YEAR) / span - start.0 / span;
            assert_eq!(schedule.occurrences, passed, "{expression} {misfire:?}");
            assert_eq!(
                schedule.next,
                Some(Timestamp(((start.0 + YEAR) / span + 1) * span))
            );
            // Those within the minute of grace, those caught up, and the future one.
            let fresh = 60_000 / span + u64::from(span == 1000);
            let runs = u64::from(view.runs_total);
            assert_eq!(runs, fresh.max(1) + caught + 1, "{expression} {misfire:?}");
            assert!(
                turns <= 4 && most <= 500,
                "{turns} turns, {most} events in one"
            );
            let scheduled = view.runs_by_state[RunState::Scheduled as usize];
            assert_eq!(scheduled, 1, "one future run");
        }
    }
}

#[test]
fn thousands_of_schedules_that_slept_are_moved_on_in_pieces() {
    let start = at("2026-11-21T12:30:30Z");
    let (disk, shelf) = (RamDisk::default(), MemoryShelf::default());
    let mut bench = live(disk, shelf.clone(), start, 7);
    let calls = (0..2000).map(|_| Call::new(Command::Submit(Box::new(spec(cron("0 * * * *"))))));
    let pending = bench.handle.call_many(calls.collect());
    settle(&mut bench);
    pending.wait().unwrap();
    let disk = bench.close();
    let mut bench = live(disk, shelf, Timestamp(start.0 + YEAR), 9);
    let (_, most) = settle(&mut bench);
    assert!(most <= 8 * 64 * 5, "{most} events in one turn");
    let pending = bench.handle.ask(TenantId::DEFAULT, Query::Stats);
    bench.round();
    let Answer::Stats(stats) = pending.wait().unwrap().value else {
        panic!("stats");
    };
    assert_eq!(stats.runs_by_state[RunState::Ready as usize], 2000);
    assert_eq!(stats.runs_by_state[RunState::Scheduled as usize], 2000);
}

/// Every instant that a task's runs in memory stand for, each once.
fn instants(bench: &mut Bench, runs: &[SubmittedRun]) -> BTreeSet<Timestamp> {
    let mut instants = BTreeSet::new();
    for run in runs {
        let occurrence = bench.view(run.run).occurrence.unwrap();
        assert!(instants.insert(occurrence), "instant {occurrence:?} twice");
    }
    instants
}

#[test]
fn clocks_that_jump_ten_years_either_way_double_no_instant_and_lose_none() {
    let start = at("2026-11-21T12:00:30Z");
    let mut bench = live(RamDisk::default(), MemoryShelf::default(), start, 7);
    let id = submit(
        &mut bench,
        Cron {
            misfire: Misfire::Skip,
            ..cron("*/10 * * * *")
        },
    );
    let mut accounted = 0;
    for jump in [0, 10, -10, 0, 10, -20, 10, 5] {
        bench.raw.wall_ms = bench
            .raw
            .wall_ms
            .checked_add_signed(jump * YEAR as i64)
            .unwrap();
        // Long enough for a jump to be believed.
        for _ in 0..90 {
            bench.pass(60_000);
            settle(&mut bench);
        }
        let view = task(&mut bench, id);
        let schedule = view.schedule.as_deref().unwrap();
        let now = bench.writer.now().wall;
        let next = schedule.next.unwrap();
        assert!(
            next > now && next.0 - now.0 <= 600_000,
            "{jump}: {next:?} after {now:?}"
        );
        // Every instant since the start has come to a run or is told as skipped.
        assert_eq!(
            schedule.occurrences,
            now.0 / 600_000 - start.0 / 600_000,
            "{jump}"
        );
        assert!(schedule.occurrences >= accounted);
        accounted = schedule.occurrences;
        let runs = instants(&mut bench, &view.runs);
        assert!(runs.iter().all(|instant| instant.0 % 600_000 == 0));
        assert_eq!(runs.last(), Some(&next));
    }
}

#[test]
fn a_zone_says_when_and_a_restart_says_the_same() {
    let start = at("2026-03-07T12:00:00Z");
    let (disk, shelf) = (RamDisk::default(), MemoryShelf::default());
    let mut bench = live(disk, shelf.clone(), start, 7);
    let berlin = Cron {
        timezone: Text::from("America/New_York"),
        overlap: Overlap::Skip,
        ..cron("30 2 * * *")
    };
    let id = submit(&mut bench, berlin);
    let next = |view: &TaskView| view.schedule.as_deref().unwrap().next;
    // Clocks go forward on that night: right after the gap.
    assert_eq!(
        next(&task(&mut bench, id)),
        Some(at("2026-03-08T07:00:00Z"))
    );
    bench.pass(DAY);
    settle(&mut bench);
    let view = task(&mut bench, id);
    assert_eq!(next(&view), Some(at("2026-03-09T06:30:00Z")));
    assert_eq!(
        coming_instants(&view, 3).unwrap(),
        [
            at("2026-03-09T06:30:00Z"),
            at("2026-03-10T06:30:00Z"),
            at("2026-03-11T06:30:00Z")
        ]
    );
    let digest = bench.writer.machine().digest();
    let disk = bench.close();
    let mut bench = live(disk, shelf, Timestamp(start.0 + DAY + 1000), 9);
    assert_ne!(
        bench.writer.machine().digest(),
        digest,
        "the start is an event"
    );
    assert_eq!(
        next(&task(&mut bench, id)),
        Some(at("2026-03-09T06:30:00Z"))
    );
    bench.writer.machine().verify().unwrap();
    let pending = bench.handle.claim(
        mainstay::Principal::default(),
        claim(1),
        std::time::Duration::ZERO,
    );
    bench.round();
    let grant = bench::grants(pending.wait()).remove(0);
    bench.finish(&grant, FinishOutcome::Success).unwrap();
    assert_eq!(
        task(&mut bench, id).runs_by_state[RunState::Completed as usize],
        1
    );
}

#[test]
fn calendars_are_refused_by_field_and_changed_by_patch() {
    let mut bench = live(
        RamDisk::default(),
        MemoryShelf::default(),
        at("2026-11-21T12:00:30Z"),
        7,
    );
    let sequence = bench.writer.machine().sequence();
    let mut refused = |cron: Cron| match bench.call(Command::Submit(Box::new(spec(cron)))) {
        Err(Rejection::InvalidTask { field, .. }) => field,
        other => panic!("a submit came to {other:?}"),
    };
    assert_eq!(refused(cron("61 * * * *")), "run_policy.expression");
    assert_eq!(refused(cron("0 0 30 2 *")), "run_policy.expression");
    assert_eq!(refused(cron("0 0 0 1 1 * 2020")), "run_policy.expression");
    let nowhere = Cron {
        timezone: Text::from("Mars/Olympus"),
        ..cron("* * * * *")
    };
    assert_eq!(refused(nowhere), "run_policy.timezone");
    assert_eq!(
        bench.writer.machine().sequence(),
        sequence,
        "nothing is written"
    );
    let id = submit(&mut bench, cron("0 0 * * *"));
    let patch = TaskPatch {
        task: id,
        schedule: Some(Box::new(Schedule::Cron(Box::new(cron("0 18 * * sat"))))),
        ..TaskPatch::default()
    };
    bench.call(Command::UpdateTask(Box::new(patch))).unwrap();
    let view = task(&mut bench, id);
    assert_eq!(
        view.schedule.as_deref().unwrap().next,
        Some(at("2026-11-21T18:00:00Z"))
    );
    assert_eq!(view.updated_at, Some(at("2026-11-21T12:00:30Z")));
}

#[test]
fn a_preview_shows_what_a_submit_would_come_to() {
    let from = at("2026-11-21T12:00:30Z");
    let weekly = Schedule::Cron(Box::new(Cron {
        max_occurrences: Some(2),
        start_at: Some(at("2026-12-06T00:00:00Z")),
        ..cron("0 0 * * sun")
    }));
    let expected = [at("2026-12-06T00:00:00Z"), at("2026-12-13T00:00:00Z")];
    assert_eq!(schedule_preview(&weekly, from, 10).unwrap(), expected);
    let secondly = Schedule::Cron(Box::new(cron("* * * * * *")));
    assert_eq!(schedule_preview(&secondly, from, 5000).unwrap().len(), 1000);
    let wrong = Schedule::Cron(Box::new(cron("* * * *")));
    assert_eq!(
        schedule_preview(&wrong, from, 1).unwrap_err().field,
        "run_policy.expression"
    );
}
