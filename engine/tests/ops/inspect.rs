//! Looks into the past.

use std::ops::ControlFlow;

use mainstay::codec;
use mainstay::ops::{self, InspectAsk, Inspection, Line, OpsError};
use mainstay::{Answer, Engine, Machine, Now, Query, RunState, Steady, Task, Timestamp, doctor};
use mainstay_log::RealDisk;

use crate::life::{PAYLOAD, Place, TENANT, close, live, open, stored};

fn at(directory: &std::path::Path, at: u64) -> Result<Inspection, OpsError> {
    let ask = InspectAsk {
        directory,
        at: Some(at),
        backup: None,
    };
    ops::inspect_at(&ask, &mut |_| {})
}

#[test]
fn the_state_at_every_event_is_what_a_replay_comes_to_there() {
    let place = Place::new();
    let engine = open(&place.data());
    live(&engine.handle());
    let last = engine.handle().sequence();
    // Beside the running engine, one event after the other.
    let mut machine = Machine::new(0);
    let mut digests = vec![machine.digest()];
    let disk = RealDisk::open_existing(place.data()).unwrap();
    mainstay_log::read(&disk, 1, &mut |frame| {
        let now = Now {
            wall: Timestamp(frame.wall_ms),
            steady: Steady(frame.steady_ms),
            id_seed: frame.id_seed,
        };
        codec::decode(frame.body, &mut |_, events| {
            for entry in events {
                machine.replay(&now, entry);
                digests.push(machine.digest());
            }
        })
        .unwrap();
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(last > 15 && digests.len() as u64 > last);
    for (sequence, digest) in (0..=last).zip(&digests) {
        let seen = at(&place.data(), sequence).unwrap();
        assert_eq!((seen.sequence(), seen.digest()), (sequence, *digest));
        assert!(!seen.is_whole || seen.verify().is_ok(), "event {sequence}");
    }
    close(engine);
}

#[test]
fn an_event_that_is_not_there_is_answered_with_those_that_are() {
    let place = Place::new();
    let engine = open(&place.data());
    live(&engine.handle());
    stored(&engine.handle());
    let last = engine.handle().sequence();
    close(engine);
    let error = at(&place.data(), 1_000_000).unwrap_err().to_string();
    let reach = error.contains("within reach: 0 to ");
    assert!(error.contains("event 1000000") && reach, "{error}");
    assert!(at(&place.data(), last).is_ok());
}

#[test]
fn a_past_state_answers_about_a_task_and_a_run() {
    let place = Place::new();
    let engine = open(&place.data());
    let left = live(&engine.handle());
    let backup = engine.handle().backup(&place.at("b"), &mut |_| {}).unwrap();
    let last = engine.handle().sequence();
    close(engine);
    for directory in [place.data(), place.at("b")] {
        let seen = at(&directory, last).unwrap();
        assert_eq!(seen.sequence(), backup.sequence);
        let stats = seen.stats();
        assert_eq!((stats.tasks_total, seen.places().len()), (5, 5));
        let Answer::Run(run) = seen.answer(TENANT, &Query::Run(left.done.1)).unwrap() else {
            panic!("no run in {}", directory.display());
        };
        assert_eq!(run.state, RunState::Completed);
        let Answer::Task(task) = seen.answer(TENANT, &Query::Task(left.done.0)).unwrap() else {
            panic!("no task in {}", directory.display());
        };
        assert_eq!(&*task.payload.bytes, PAYLOAD.as_bytes());
    }
    let early = at(&place.data(), 2).unwrap();
    let unknown = early.answer(TENANT, &Query::Run(left.waiting)).unwrap();
    assert!(matches!(unknown, Answer::Absent));
}

#[test]
fn a_backup_is_a_base_for_its_own_log_and_for_no_other() {
    let place = Place::new();
    let engine = open(&place.data());
    engine.handle().backup(&place.at("b"), &mut |_| {}).unwrap();
    live(&engine.handle());
    let last = engine.handle().sequence();
    close(engine);
    let (data, backup) = (place.data(), place.at("b"));
    let ask = |directory| InspectAsk {
        directory,
        at: Some(last - 1),
        backup: Some(&*backup),
    };
    let seen = ops::inspect_at(&ask(&data), &mut |_| {}).unwrap();
    assert!(seen.base.contains("store.db"), "{}", seen.base);
    assert_eq!(seen.digest(), at(&data, last - 1).unwrap().digest());
    close(open(&place.at("other")));
    let other = place.at("other");
    let refused = ops::inspect_at(&ask(&other), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, OpsError::Absent { .. }), "{refused}");
}

#[test]
fn of_a_trimmed_log_the_past_is_within_reach_from_its_oldest_snapshot_on() {
    let place = Place::new();
    let options = Engine::options()
        .low_water_bytes(0)
        .segment_bytes(8192)
        .log_retain(0, 1)
        .snapshot_every_bytes(1);
    let engine = options.open(place.data()).unwrap();
    let handle = engine.handle();
    live(&handle);
    let backup = handle.backup(&place.at("b"), &mut |_| {}).unwrap();
    let disk = RealDisk::open_existing(place.data()).unwrap();
    let begin = || mainstay_log::extent(&disk).unwrap().oldest_sequence;
    while begin() <= backup.sequence + 1 {
        for _ in 0..10 {
            handle.submit(Task::new("k").json(PAYLOAD)).unwrap();
        }
        stored(&handle);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let last = handle.sequence();
    close(engine);
    let report = doctor::examine(place.data()).unwrap();
    assert!(report.is_clean() && report.base_sequence > 0, "{report:?}");
    let snapshot = report.snapshots.last().unwrap().sequence;
    for sequence in [snapshot, last - 1, last] {
        let seen = at(&place.data(), sequence).unwrap();
        assert_eq!(seen.sequence(), sequence);
    }
    let (data, backed) = (place.data(), place.at("b"));
    let with = |sequence| {
        let ask = InspectAsk {
            directory: &data,
            at: Some(sequence),
            backup: Some(&*backed),
        };
        ops::inspect_at(&ask, &mut |_| {})
    };
    // The backup itself needs no log; the events after it are gone.
    let seen = with(backup.sequence).unwrap();
    assert_eq!(seen.digest().to_string(), backup.digest);
    let error = with(backup.sequence + 1).unwrap_err().to_string();
    let reach = format!("within reach: {}, {snapshot} to ", backup.sequence);
    assert!(error.contains(&reach), "{error}");

    let before = report.digest;
    std::fs::remove_file(data.join("store").join("mainstay.db")).unwrap();
    for tail in ["mainstay.db-wal", "mainstay.db-shm"] {
        std::fs::remove_file(data.join("store").join(tail)).ok();
    }
    let report = doctor::examine(&data).unwrap();
    assert!(report.is_clean() && report.digest == before, "{report:?}");
    assert!(
        report.notes[0].contains("the snapshot of event"),
        "{report:?}"
    );
    for snapshot in &report.snapshots {
        let name = format!("snapshot-{:020}.snap", snapshot.sequence);
        std::fs::remove_file(data.join("store").join(name)).unwrap();
    }
    assert!(
        !doctor::examine(&data).unwrap().is_clean(),
        "nothing reaches"
    );
}

#[test]
fn a_dump_has_every_event_once_and_in_order_from_where_it_was_asked() {
    let place = Place::new();
    let engine = open(&place.data());
    live(&engine.handle());
    let last = engine.handle().sequence();
    close(engine);
    for from in [1, 2, last / 2, last] {
        let mut next = from;
        let (mut frames, mut commands) = (0, 0);
        ops::dump(&place.data(), from, &mut |line| {
            match line {
                Line::Frame(_) => frames += 1,
                Line::Command { .. } => commands += 1,
                Line::Event { sequence, .. } => {
                    assert_eq!(sequence, next);
                    next += 1;
                }
                Line::Unread { reason, .. } => panic!("{reason}"),
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(next > last && frames > 0 && commands > 0, "from {from}");
    }
    let mut lines = 0;
    ops::dump(&place.data(), 1, &mut |_| {
        lines += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(lines, 1);
}
