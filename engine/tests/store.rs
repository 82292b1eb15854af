//! An engine with its real store: what leaves memory is still there, and every way back leads to the same state.

use std::path::Path;
use std::time::{Duration, Instant};

use mainstay::{
    Answer, Call, CallError, Claim, ClaimGrant, Command, Engine, EngineOptions, Finish,
    FinishOutcome, Outcome, Principal, Query, Rejection, RunId, RunState, Submitted, Task, TaskId,
    TenantId, Text, Timestamp,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> EngineOptions {
    Engine::options().low_water_bytes(0)
}

fn claim_of(max: u32) -> Box<Claim> {
    Box::new(Claim {
        worker: Text::from("w"),
        queues: vec![Text::from("default")],
        kinds: Vec::new(),
        max,
        lease_ms: None,
        idempotency_key: None,
        ..Claim::default()
    })
}

fn decided(engine: &Engine, command: Command) -> Result<Outcome, Rejection> {
    engine
        .handle()
        .call(Call::new(command))
        .wait()
        .unwrap()
        .value
}

fn claim(engine: &Engine, max: u32) -> Vec<ClaimGrant> {
    let handle = engine.handle();
    let claimed = handle.claim(Principal::default(), *claim_of(max), Duration::ZERO);
    match claimed.wait().unwrap().value {
        Ok(Outcome::Claimed(grants)) => grants,
        other => panic!("a claim came to {other:?}"),
    }
}

fn finish(engine: &Engine, grant: &ClaimGrant) -> Result<Outcome, Rejection> {
    let output = Some(b"[1,2,3]"[..].into());
    let finish = Finish {
        outcome: FinishOutcome::Success,
        ..Finish::success(grant.run, grant.fence, output)
    };
    decided(engine, Command::Finish(Box::new(finish)))
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until everything is stored and what is finished has left memory.
fn settle(engine: &Engine, runs_left: u64) {
    let handle = engine.handle();
    assert!(handle.wait_stored(handle.sequence(), PATIENCE));
    until("the leaving of finished runs", || {
        handle.metrics().rows_runs == runs_left
    });
}

fn state_of(engine: &Engine, run: RunId) -> Option<RunState> {
    let asked = engine.handle().ask(TenantId::DEFAULT, Query::Run(run));
    match asked.wait().unwrap().value {
        Answer::Run(view) => Some(view.state),
        _ => None,
    }
}

fn payload_of(engine: &Engine, task: TaskId) -> Vec<u8> {
    let asked = engine.handle().ask(TenantId::DEFAULT, Query::Task(task));
    match asked.wait().unwrap().value {
        Answer::Task(view) => view.payload.bytes.to_vec(),
        other => panic!("a task came to {other:?}"),
    }
}

fn large(fill: u8) -> Task {
    Task::new("large").bytes(vec![fill; 5000])
}

/// Submits and finishes some work, leaves some open; gives a finished grant and an open task.
fn some_life(engine: &Engine) -> (ClaimGrant, Submitted) {
    for at in 0..20 {
        engine.submit(large(at)).unwrap();
    }
    let grants = claim(engine, 20);
    assert_eq!(grants.len(), 20);
    for grant in &grants {
        finish(engine, grant).unwrap();
    }
    let later = large(99).run_at(Timestamp(4_000_000_000_000));
    (grants[7].clone(), engine.submit(later).unwrap())
}

fn check_life(engine: &Engine, done: &ClaimGrant, open: &Submitted) {
    assert_eq!(state_of(engine, done.run), Some(RunState::Completed));
    assert_eq!(state_of(engine, open.run.run), Some(RunState::Scheduled));
    assert_eq!(payload_of(engine, done.task), vec![7; 5000]);
    assert_eq!(payload_of(engine, open.task), vec![99; 5000]);
    assert_eq!(
        state_of(engine, RunId(12345)),
        None,
        "what never was is absent"
    );
}

#[test]
fn finished_work_leaves_memory_and_is_still_known() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let (done, open) = some_life(&engine);
    settle(&engine, 1);
    check_life(&engine, &done, &open);
    let same = finish(&engine, &done);
    assert_eq!(same, Ok(Outcome::Finished(RunState::Completed)));
    let other = Finish::success(done.run, done.fence, None);
    let other = decided(&engine, Command::Finish(Box::new(other)));
    assert!(matches!(other, Err(Rejection::AlreadyFinished { .. })));
    let cancel = Command::CancelTask {
        task: done.task,
        reason: None,
    };
    let Ok(Outcome::TaskCanceled(answer)) = decided(&engine, cancel) else {
        panic!("a finished task's cancel is an answer");
    };
    assert!(answer.already_terminal);
    let again = Command::SubmitAs(done.task, Box::new(Task::new("again").into()));
    assert_eq!(
        decided(&engine, again),
        Err(Rejection::TaskAlreadyExists { task: done.task })
    );
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn a_key_finds_its_task_after_it_has_left_memory() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let keyed = || Task::new("once").idempotency_key("k");
    let first = engine.submit(keyed()).unwrap();
    let grants = claim(&engine, 1);
    finish(&engine, &grants[0]).unwrap();
    settle(&engine, 0);
    let again = engine.submit(keyed()).unwrap();
    assert_eq!((again.task, again.created), (first.task, false));
    assert_eq!(again.run.state, RunState::Completed);
    let other = engine.submit(keyed().priority(3));
    assert!(other.is_err(), "another request under the same key");
    engine.shutdown(Duration::ZERO).unwrap();
    let engine = options().open(directory.path()).unwrap();
    assert_eq!(engine.submit(keyed()).unwrap().task, first.task);
}

#[test]
fn a_batch_is_made_whole_and_found_again_after_it_has_left_memory_and_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let first = mainstay::TaskId(7);
    let batch = || {
        let mut below = Task::new("below").idempotency_key("two");
        below.spec_mut().bonds_mut().parent = Some(first);
        [
            (Some(first), Task::new("above").idempotency_key("one")),
            (None, below),
            (
                None,
                Task::new("large")
                    .json(vec![b'7'; 100_000])
                    .idempotency_key("three"),
            ),
        ]
    };
    engine.submit(Task::new("before").queue("apart")).unwrap();
    let before = engine.handle().sequence();
    let made = engine.handle().submit_all(batch()).unwrap();
    assert!(made.iter().all(|told| told.created));
    assert_eq!(engine.handle().sequence() - before, 6);
    engine.shutdown(Duration::ZERO).unwrap();
    let engine = options().open(directory.path()).unwrap();
    let again = engine.handle().submit_all(batch()).unwrap();
    let ids = |told: &[mainstay::Submitted]| told.iter().map(|it| it.task).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&made));
    for grant in claim(&engine, 3) {
        finish(&engine, &grant).unwrap();
    }
    // The one of the other queue stays.
    settle(&engine, 1);
    let again = engine.handle().submit_all(batch()).unwrap();
    assert!(again.iter().all(|told| !told.created));
    assert_eq!(ids(&again), ids(&made));
    let other = engine.handle().submit_all([
        (None, Task::new("fresh")),
        (Some(first), Task::new("taken")),
    ]);
    match other {
        Err(mainstay::CommandError::Rejected(refused)) => {
            assert_eq!(refused.code(), "task_already_exists");
        }
        other => panic!("{other:?}"),
    }
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn payloads_without_room_in_memory_come_back_with_the_claim() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options()
        .payload_cache_bytes(0)
        .open(directory.path())
        .unwrap();
    for at in 0..50 {
        engine.submit(large(at)).unwrap();
    }
    let handle = engine.handle();
    assert!(handle.wait_stored(handle.sequence(), PATIENCE));
    until("payloads leave", || handle.metrics().payload_bytes == 0);
    let grants = claim(&engine, 50);
    let fills: Vec<u8> = grants.iter().map(|grant| grant.payload.bytes[0]).collect();
    assert_eq!(fills, (0..50).collect::<Vec<u8>>());
    assert!(grants.iter().all(|grant| grant.payload.bytes.len() == 5000));
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn a_start_reads_live_rows_and_the_tail_only() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let (done, open) = some_life(&engine);
    engine.shutdown(Duration::ZERO).unwrap();
    let engine = options().open(directory.path()).unwrap();
    let recovered = engine.recovered().clone();
    assert_eq!(recovered.rebuilt_from, None);
    assert_eq!(recovered.events, 0, "an orderly end leaves no tail");
    until("the first turn", || {
        engine.handle().metrics().rows_runs == 1
    });
    check_life(&engine, &done, &open);
}

fn lose_store(directory: &Path) {
    for tail in ["", "-wal", "-shm"] {
        let path = directory.join(format!("store/mainstay.db{tail}"));
        std::fs::remove_file(path).ok();
    }
}

#[test]
fn a_lost_store_is_made_again_from_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let (done, open) = some_life(&engine);
    engine.shutdown(Duration::ZERO).unwrap();
    lose_store(directory.path());
    let engine = options().open(directory.path()).unwrap();
    assert_eq!(engine.recovered().rebuilt_from, Some(0));
    settle(&engine, 1);
    check_life(&engine, &done, &open);
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn a_damaged_store_is_kept_aside_and_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let (done, open) = some_life(&engine);
    engine.shutdown(Duration::ZERO).unwrap();
    let path = directory.path().join("store/mainstay.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[..middle].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    std::fs::remove_file(directory.path().join("store/mainstay.db-wal")).ok();
    let engine = options().open(directory.path()).unwrap();
    let recovered = engine.recovered().clone();
    assert_eq!(recovered.rebuilt_from, Some(0));
    assert!(recovered.notes[0].contains("damaged-1"), "{recovered:?}");
    check_life(&engine, &done, &open);
    engine.shutdown(Duration::ZERO).unwrap();
    assert_eq!(
        std::fs::read(directory.path().join("store/damaged-1.db")).unwrap(),
        bytes
    );
}

/// A long life in small segments, with snapshots and trims on the way, and one run that waits all the time.
fn long_life(directory: &Path) -> Submitted {
    let engine = trimming().open(directory).unwrap();
    let ancient = engine
        .submit(large(42).run_at(Timestamp(4_000_000_000_000)))
        .unwrap();
    let handle = engine.handle();
    until("a trim", || {
        for _ in 0..20 {
            let calls: Vec<Call> = (0..20)
                .map(|at| Call::new(Command::Submit(Box::new(large(at).into()))))
                .collect();
            handle.call_many(calls).wait().unwrap();
            for grant in claim(&engine, 20) {
                finish(&engine, &grant).unwrap();
            }
        }
        handle.metrics().log_oldest_sequence > 1
    });
    assert!(handle.metrics().snapshots >= 2);
    engine.shutdown(Duration::ZERO).unwrap();
    ancient
}

fn trimming() -> EngineOptions {
    options()
        .segment_bytes(1 << 20)
        .log_retain(0, 0)
        .snapshot_every_bytes(1 << 20)
}

#[test]
fn an_ancient_run_does_not_keep_the_log_and_survives_a_lost_store() {
    let directory = tempfile::tempdir().unwrap();
    let ancient = long_life(directory.path());
    lose_store(directory.path());
    let engine = trimming().open(directory.path()).unwrap();
    let recovered = engine.recovered().clone();
    assert!(
        recovered.rebuilt_from.is_some_and(|at| at > 0),
        "{recovered:?}"
    );
    assert_eq!(
        state_of(&engine, ancient.run.run),
        Some(RunState::Scheduled)
    );
    assert_eq!(payload_of(&engine, ancient.task), vec![42; 5000]);
    engine.shutdown(Duration::ZERO).unwrap();
    let engine = trimming().open(directory.path()).unwrap();
    assert_eq!(
        engine.recovered().rebuilt_from,
        None,
        "the store is whole again"
    );
}

#[test]
fn without_a_way_back_the_start_is_refused_and_names_the_backup() {
    let directory = tempfile::tempdir().unwrap();
    long_life(directory.path());
    lose_store(directory.path());
    for entry in std::fs::read_dir(directory.path().join("store")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "snap") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let refused = trimming().open(directory.path()).err().unwrap().to_string();
    assert!(refused.contains("mainstay restore"), "{refused}");
}

#[test]
fn a_store_that_lags_refuses_new_work_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options()
        .store_lag_rows(200)
        .open(directory.path())
        .unwrap();
    let handle = engine.handle();
    let submit = || {
        let calls = (0..100).map(|_| Call::new(Command::Submit(Box::new(Task::new("a").into()))));
        handle.call_many(calls.collect())
    };
    let mut busy = 0;
    until("busy", || {
        let told = submit().wait();
        let limit = "store_lag";
        busy += usize::from(told == Err(CallError::Busy { limit }));
        busy > 0
    });
    assert_eq!(claim(&engine, 1).len(), 1, "claims go on");
    until("room again", || engine.submit(Task::new("b")).is_ok());
    engine.shutdown(Duration::ZERO).unwrap();
}

/// Submits a task under an id of the caller's choice.
fn submit_as(engine: &Engine, id: TaskId) -> Result<Submitted, Rejection> {
    let spec = mainstay::TaskSpec::from(large(5));
    match decided(engine, Command::SubmitAs(id, Box::new(spec)))? {
        Outcome::Submitted(submitted) => Ok(submitted),
        other => panic!("a submit came to {other:?}"),
    }
}

#[test]
fn an_id_that_retention_freed_may_be_used_again_and_the_log_still_reads() {
    let directory = tempfile::tempdir().unwrap();
    let forgetful = || {
        options().history(mainstay::store::Retention {
            default: mainstay::store::Keep { age_ms: 0 },
            queues: std::collections::BTreeMap::new(),
            audit: mainstay::store::Keep { age_ms: 0 },
            bytes_max: u64::MAX,
        })
    };
    let id = TaskId(77);
    let engine = forgetful().open(directory.path()).unwrap();
    let first = submit_as(&engine, id).unwrap();
    let grants = claim(&engine, 1);
    finish(&engine, &grants[0]).unwrap();
    engine.shutdown(Duration::ZERO).unwrap();
    let engine = forgetful().open(directory.path()).unwrap();
    until("retention", || state_of(&engine, first.run.run).is_none());
    let second = submit_as(&engine, id).unwrap();
    assert_ne!(first.run.run, second.run.run);
    settle(&engine, 1);
    engine.shutdown(Duration::ZERO).unwrap();
    // The store is lost: the log tells of both.
    std::fs::remove_dir_all(directory.path().join("store")).unwrap();
    let engine = options().open(directory.path()).unwrap();
    assert_eq!(state_of(&engine, second.run.run), Some(RunState::Ready));
    settle(&engine, 1);
    let grants = claim(&engine, 2);
    assert_eq!((grants.len(), grants[0].run), (1, second.run.run));
    finish(&engine, &grants[0]).unwrap();
    settle(&engine, 0);
    assert_eq!(state_of(&engine, second.run.run), Some(RunState::Completed));
    engine.shutdown(Duration::ZERO).unwrap();
}
