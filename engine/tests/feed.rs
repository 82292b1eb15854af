//! The event feed against the log itself: in order, without a gap, nothing that is not durable, from every cursor (I72).

mod bench;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bench::Bench;
use mainstay::{
    Call, Claim, Command, Engine, EngineOptions, EventsAfter, FeedError, Finish, FinishOutcome,
    Handle, Jitter, Outcome, Principal, RunError, RunId, Task, TaskId, TaskSpec, TenantId, Text,
    codec,
};
use mainstay_log::{Disk, Flush, Options, RealDisk};

/// An event as the tests compare them.
type Seen = (u64, &'static str, Option<RunId>);

/// Every public event that stands in the log, up to one.
fn told_by_log<D: Disk>(disk: &D, through: u64) -> Vec<Seen> {
    let mut seen = Vec::new();
    let read = mainstay_log::read(disk, 1, &mut |frame| {
        let mut sequence = frame.first_sequence;
        let decoded = codec::decode(frame.body, &mut |_, entries| {
            for entry in entries {
                if let Some(kind) = entry.event.public_name().filter(|_| sequence <= through) {
                    seen.push((sequence, kind, entry.event.about().run));
                }
                sequence += 1;
            }
        });
        decoded.unwrap();
        ControlFlow::Continue(())
    });
    read.unwrap();
    seen
}

/// Everything after a cursor, page by page.
fn follow(handle: &Handle, ask: &EventsAfter) -> Vec<Seen> {
    let mut ask = ask.clone();
    let mut seen = Vec::new();
    loop {
        let page = handle.events(&ask).unwrap();
        assert!(page.events.len() <= ask.limit);
        assert!(page.next >= ask.after.unwrap_or(0));
        if page.events.is_empty() {
            return seen;
        }
        seen.extend(
            page.events
                .iter()
                .map(|event| (event.sequence, event.kind, event.run)),
        );
        assert!(seen.last().unwrap().0 <= page.next);
        ask.after = Some(page.next);
    }
}

fn after(cursor: u64, limit: usize) -> EventsAfter {
    EventsAfter::all(Some(cursor), limit)
}

fn options() -> EngineOptions {
    Engine::options().low_water_bytes(0)
}

fn claim_of(handle: &Handle, queue: &str, max: u32) -> Vec<mainstay::ClaimGrant> {
    let claim = Claim {
        queues: vec![Text::from(queue)],
        ..bench::claim(max)
    };
    let claimed = handle.claim(Principal::default(), claim, Duration::ZERO);
    match claimed.wait().unwrap().value {
        Ok(Outcome::Claimed(grants)) => grants,
        other => panic!("a claim came to {other:?}"),
    }
}

fn decide(handle: &Handle, command: Command) -> Outcome {
    let decided = handle.call(Call::new(command)).wait().unwrap().value;
    decided.unwrap()
}

/// A task that is tried again, but not while the test lasts.
fn patient(kind: &str) -> Task {
    let mut task = Task::new(kind).max_attempts(2);
    let retry = &mut task.spec_mut().policy_mut().retry;
    (retry.initial_ms, retry.max_ms, retry.jitter) = (3_600_000, 3_600_000, Jitter::None);
    task
}

/// A few tasks that end in every way.
fn live(handle: &Handle, rounds: usize) {
    for at in 0..rounds {
        handle.submit(patient("a")).unwrap();
        handle.submit(Task::new("b")).unwrap();
        let canceled = handle.submit(Task::new("c").queue("other")).unwrap();
        decide(
            handle,
            Command::CancelTask {
                task: canceled.task,
                reason: None,
            },
        );
        for (index, grant) in claim_of(handle, "default", 10).iter().enumerate() {
            let mut finish = Finish::success(grant.run, grant.fence, None);
            if index == 0 && at % 2 == 0 {
                finish.outcome = FinishOutcome::Failure;
                finish.error = Some(Box::new(RunError {
                    code: Text::from("failed"),
                    message: Text::from("x"),
                    retryable: true,
                }));
            }
            decide(handle, Command::Finish(Box::new(finish)));
        }
    }
}

fn disk_of(directory: &Path) -> RealDisk {
    RealDisk::open_existing(directory).unwrap()
}

#[test]
fn the_feed_is_the_log_from_every_cursor_and_in_pages_of_any_size() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let handle = engine.handle();
    live(&handle, 6);
    let log = told_by_log(&disk_of(directory.path()), handle.sequence());
    assert!(log.len() > 40);
    for limit in [1, 3, 1000] {
        assert_eq!(follow(&handle, &after(0, limit)), log, "pages of {limit}");
    }
    assert_eq!(follow(&handle, &EventsAfter::all(None, 7)), log);
    for cursor in 0..=handle.sequence() + 3 {
        let left: Vec<Seen> = log.iter().copied().filter(|seen| seen.0 > cursor).collect();
        assert_eq!(follow(&handle, &after(cursor, 5)), left, "after {cursor}");
    }
    // From here on frames stay in memory: the same answers come from there.
    live(&handle, 3);
    let log = told_by_log(&disk_of(directory.path()), handle.sequence());
    for cursor in 0..=handle.sequence() {
        let left: Vec<Seen> = log.iter().copied().filter(|seen| seen.0 > cursor).collect();
        assert_eq!(follow(&handle, &after(cursor, 50)), left, "after {cursor}");
    }
}

#[test]
fn filters_take_their_events_and_none_else_and_the_cursor_goes_on_over_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let handle = engine.handle();
    let first = handle.submit(Task::new("old").queue("old")).unwrap();
    live(&handle, 4);
    assert!(handle.wait_stored(handle.sequence(), Duration::from_secs(20)));
    let before = handle.sequence();
    let grant = claim_of(&handle, "old", 1).remove(0);
    decide(
        &handle,
        Command::Finish(Box::new(Finish::success(grant.run, grant.fence, None))),
    );
    let all = follow(&handle, &after(0, 1000));
    let of_run = EventsAfter {
        run: Some(first.run.run),
        ..after(0, 1)
    };
    let expected: Vec<Seen> = all
        .iter()
        .copied()
        .filter(|seen| seen.2 == Some(first.run.run))
        .collect();
    assert_eq!(follow(&handle, &of_run), expected);
    // A cursor behind the run's creation: its task is looked up.
    let of_task = EventsAfter {
        task: Some(first.task),
        ..after(before, 10)
    };
    let kinds: Vec<_> = follow(&handle, &of_task)
        .iter()
        .map(|seen| seen.1)
        .collect();
    assert_eq!(kinds, ["run_started", "run_completed"]);
    let page = handle.events(&of_task).unwrap();
    assert!(
        page.events
            .iter()
            .all(|event| event.task == Some(first.task))
    );
    assert_eq!(page.events[0].actor(), Some("w"));
    let of_type = EventsAfter {
        types: vec!["task_created", "task_canceled"],
        ..after(0, 2)
    };
    let expected: Vec<Seen> = all
        .iter()
        .copied()
        .filter(|seen| matches!(seen.1, "task_created" | "task_canceled"))
        .collect();
    assert_eq!(follow(&handle, &of_type), expected);
    let nobody = EventsAfter {
        task: Some(TaskId(77)),
        ..after(0, 10)
    };
    let page = handle.events(&nobody).unwrap();
    assert!(page.events.is_empty());
    assert_eq!(
        page.next,
        handle.sequence(),
        "nothing has to be looked at again"
    );
    let foreign = EventsAfter {
        tenant: Some(TenantId(9)),
        ..after(0, 10)
    };
    assert!(handle.events(&foreign).unwrap().events.is_empty());
}

#[test]
fn a_run_that_nothing_but_memory_knows_has_its_task_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let handle = engine.handle();
    let submitted = handle.submit(Task::new("a")).unwrap();
    let cursor = handle.sequence();
    claim_of(&handle, "default", 1);
    let page = handle.events(&after(cursor, 10)).unwrap();
    assert_eq!(page.events[0].kind, "run_started");
    assert_eq!(page.events[0].task, Some(submitted.task));
}

#[test]
fn nothing_is_told_before_it_is_durable_nor_after_a_crash_that_took_it() {
    let mut bench = Bench::new();
    bench.submit(TaskSpec::new("a"));
    let durable = bench.handle.sequence();
    let told = follow(&bench.handle, &after(0, 100));
    assert_eq!(told, told_by_log(&bench.disk, durable));
    let cut = bench.disk.fork();
    for _ in 0..3 {
        // Appended: it is in the memory that tails read.
        let pending = bench.handle.call(bench::submit("lost"));
        bench.turn();
        assert_eq!(follow(&bench.handle, &after(0, 100)), told);
        // Written: it is in the file, and the engine has not heard of its sync.
        bench.flusher.flush().unwrap();
        assert_eq!(follow(&bench.handle, &after(0, 100)), told);
        let ask = EventsAfter {
            limit: 1000,
            ..EventsAfter::all(None, 1)
        };
        assert_eq!(follow(&bench.handle, &ask), told);
        drop(pending);
    }
    assert!(told_by_log(&bench.disk, u64::MAX).len() > told.len());
    drop(bench);
    let mut bench = Bench::open(cut, Options::default(), 1_000_100_000);
    assert_eq!(follow(&bench.handle, &after(0, 100)), told);
    assert_eq!(follow(&bench.handle, &after(durable, 100)), []);
    bench.submit(TaskSpec::new("b"));
    let more = follow(&bench.handle, &after(durable, 100));
    assert_eq!(more.len(), 2, "{more:?}");
    let all = told_by_log(&bench.disk, bench.handle.sequence());
    assert_eq!([told, more].concat(), all);
}

#[test]
fn readers_of_any_speed_see_every_event_once_while_work_goes_on_and_over_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let mut cursors: Vec<(usize, u64, Vec<Seen>)> =
        [1, 7, 1000].map(|limit| (limit, 0, Vec::new())).into();
    for _ in 0..3 {
        let engine = options()
            .segment_bytes(1 << 20)
            .open(directory.path())
            .unwrap();
        let handle = engine.handle();
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = cursors
            .drain(..)
            .map(|(limit, mut cursor, mut seen)| {
                let (handle, done) = (engine.handle(), Arc::clone(&done));
                std::thread::spawn(move || {
                    loop {
                        let is_last = done.load(Ordering::Acquire);
                        let ask = EventsAfter {
                            wait: Duration::from_millis(20),
                            ..after(cursor, limit)
                        };
                        let page = handle.events(&ask).unwrap();
                        seen.extend(page.events.iter().map(|e| (e.sequence, e.kind, e.run)));
                        cursor = page.next;
                        if is_last && page.events.is_empty() {
                            return (limit, cursor, seen);
                        }
                    }
                })
            })
            .collect();
        live(&handle, 40);
        done.store(true, Ordering::Release);
        cursors.extend(readers.into_iter().map(|reader| reader.join().unwrap()));
        engine.shutdown(Duration::ZERO).unwrap();
    }
    let log = told_by_log(&disk_of(directory.path()), u64::MAX);
    for (limit, _, seen) in cursors {
        assert_eq!(seen, log, "pages of {limit}");
    }
}

#[test]
fn a_cursor_below_what_is_kept_is_refused_with_the_oldest_that_works() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options()
        .segment_bytes(1 << 20)
        .log_retain(0, 0)
        .snapshot_every_bytes(1 << 20)
        .open(directory.path())
        .unwrap();
    let handle = engine.handle();
    let started = Instant::now();
    while handle.metrics().log_oldest_sequence <= 1 {
        assert!(started.elapsed() < Duration::from_secs(60), "no trim");
        let calls = (0..20).map(|_| bench::large(5000)).collect();
        handle.call_many(calls).wait().unwrap();
        for grant in claim_of(&handle, "default", 20) {
            decide(
                &handle,
                Command::Finish(Box::new(Finish::success(grant.run, grant.fence, None))),
            );
        }
    }
    let refused = handle.events(&after(0, 10)).unwrap_err();
    let FeedError::Expired { oldest } = refused else {
        panic!("{refused}")
    };
    assert!(oldest > 0);
    assert!(handle.oldest_cursor().unwrap() >= oldest);
    let oldest = handle.oldest_cursor().unwrap();
    let told = follow(&handle, &after(oldest, 1000));
    let log = told_by_log(&disk_of(directory.path()), handle.sequence());
    assert_eq!(told, log, "all that is kept");
    assert_eq!(follow(&handle, &EventsAfter::all(None, 1000)), log);
    let below = handle.events(&after(oldest - 1, 10)).unwrap_err();
    assert_eq!(below, FeedError::Expired { oldest });
}

#[test]
fn a_wait_ends_with_the_event_it_waits_for_with_its_time_or_with_the_engine() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let handle = engine.handle();
    let wait = |cursor, ms| EventsAfter {
        types: vec!["task_canceled"],
        wait: Duration::from_millis(ms),
        ..after(cursor, 10)
    };
    let started = Instant::now();
    assert!(handle.events(&wait(0, 50)).unwrap().events.is_empty());
    assert!(started.elapsed() >= Duration::from_millis(50));
    let waiting = {
        let (handle, ask) = (handle.clone(), wait(handle.sequence() + 2, 30_000));
        std::thread::spawn(move || handle.events(&ask).unwrap())
    };
    // What is not wanted does not end it.
    let submitted = handle.submit(Task::new("a")).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    assert!(!waiting.is_finished());
    decide(
        &handle,
        Command::CancelTask {
            task: submitted.task,
            reason: None,
        },
    );
    let page = waiting.join().unwrap();
    assert_eq!(page.events[0].task, Some(submitted.task));
    let waiting = {
        let (handle, ask) = (handle.clone(), wait(handle.sequence(), 30_000));
        std::thread::spawn(move || handle.events(&ask).unwrap())
    };
    std::thread::sleep(Duration::from_millis(20));
    let started = Instant::now();
    engine.shutdown(Duration::ZERO).unwrap();
    assert!(waiting.join().unwrap().events.is_empty());
    assert!(started.elapsed() < Duration::from_secs(10));
}
