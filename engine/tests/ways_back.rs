//! Every way back (the store, the store and a tail, a snapshot, the log alone) leads to the same tenants, queues and tasks.

use std::path::Path;
use std::time::{Duration, Instant};

use mainstay::{
    Call, Claim, ClaimGrant, Command, Engine, EngineOptions, Finish, Outcome, Principal, Rejection,
    Task, TenantId, Text,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn options() -> EngineOptions {
    Engine::options().low_water_bytes(0)
}

fn trimming() -> EngineOptions {
    options()
        .segment_bytes(1 << 20)
        .log_retain(0, 0)
        .snapshot_every_bytes(1 << 20)
}

fn decided(engine: &Engine, command: Command) -> Result<Outcome, Rejection> {
    let call = Call::new(command);
    engine.handle().call(call).wait().unwrap().value
}

fn claim(engine: &Engine, queue: &str, max: u32) -> Vec<ClaimGrant> {
    let claim = Claim {
        worker: Text::from("w"),
        queues: vec![Text::from(queue)],
        max,
        ..Claim::default()
    };
    let handle = engine.handle();
    let claimed = handle.claim(Principal::default(), claim, Duration::ZERO);
    match claimed.wait().unwrap().value {
        Ok(Outcome::Claimed(grants)) => grants,
        other => panic!("a claim came to {other:?}"),
    }
}

fn finish(engine: &Engine, grant: &ClaimGrant) -> Result<Outcome, Rejection> {
    let output = Some(b"[1,2,3]"[..].into());
    let finish = Finish::success(grant.run, grant.fence, output);
    decided(engine, Command::Finish(Box::new(finish)))
}

fn lose_store(directory: &Path) {
    for tail in ["", "-wal", "-shm"] {
        let path = directory.join(format!("store/mainstay.db{tail}"));
        std::fs::remove_file(path).ok();
    }
}

/// What a killed process leaves: everything that was answered, nothing of an orderly end.
fn killed(directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let mut left = vec![std::path::PathBuf::new()];
    while let Some(inner) = left.pop() {
        std::fs::create_dir_all(copy.path().join(&inner)).unwrap();
        for entry in std::fs::read_dir(directory.join(&inner)).unwrap() {
            let entry = entry.unwrap();
            let name = inner.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                left.push(name);
            } else {
                std::fs::copy(entry.path(), copy.path().join(&name)).unwrap();
            }
        }
    }
    copy
}

/// Work that fills the log until its beginning is gone: only snapshots hold what was before.
fn outlive_the_log(engine: &Engine) {
    let handle = engine.handle();
    until("a trim", || {
        let filler = |at| Task::new("filler").queue("filler").bytes(vec![at; 5000]);
        let calls = (0..100).map(|at| Call::new(Command::Submit(Box::new(filler(at).into()))));
        handle.call_many(calls.collect()).wait().unwrap();
        for grant in claim(engine, "filler", 100) {
            finish(engine, &grant).unwrap();
        }
        let metrics = handle.metrics();
        metrics.log_oldest_sequence > 1 && metrics.snapshots >= 2
    });
}

/// Lives, comes back in every way there is, and checks what came back each time.
fn every_way_back<T>(live: impl Fn(&Engine) -> T, check: impl Fn(&Engine, &T)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = options().open(path).unwrap();
    let lived = live(&engine);
    let copy = killed(path);
    engine.shutdown(Duration::ZERO).unwrap();
    let after_kill = options().open(copy.path()).unwrap();
    check(&after_kill, &lived);
    drop(after_kill);
    let from_store = options().open(path).unwrap();
    assert_eq!(from_store.recovered().rebuilt_from, None);
    check(&from_store, &lived);
    from_store.shutdown(Duration::ZERO).unwrap();
    lose_store(path);
    let from_log = options().open(path).unwrap();
    assert_eq!(from_log.recovered().rebuilt_from, Some(0));
    check(&from_log, &lived);
    from_log.shutdown(Duration::ZERO).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = trimming().open(path).unwrap();
    let lived = live(&engine);
    outlive_the_log(&engine);
    engine.shutdown(Duration::ZERO).unwrap();
    lose_store(path);
    let from_snapshot = trimming().open(path).unwrap();
    let recovered = from_snapshot.recovered().clone();
    assert!(
        recovered.rebuilt_from.is_some_and(|at| at > 0),
        "{recovered:?}"
    );
    check(&from_snapshot, &lived);
    from_snapshot.shutdown(Duration::ZERO).unwrap();
    let whole_again = trimming().open(path).unwrap();
    assert_eq!(whole_again.recovered().rebuilt_from, None);
    check(&whole_again, &lived);
}

#[test]
fn tenants_survive() {
    let create = |engine: &Engine, tenant| {
        let name = Text::from("acme");
        decided(engine, Command::CreateTenant { tenant, name })
    };
    every_way_back(
        |engine| match create(engine, None) {
            Ok(Outcome::TenantCreated(tenant)) => tenant,
            other => panic!("a new tenant came to {other:?}"),
        },
        |engine, tenant| {
            let known = Err(Rejection::TenantAlreadyExists { tenant: *tenant });
            assert_eq!(create(engine, None), known);
            assert_eq!(create(engine, Some(TenantId(77))), known);
        },
    );
}
