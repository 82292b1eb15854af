//! A small life of an engine in a directory of its own: finished, failed, running and waiting work, keys and payloads.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay::{
    Call, Claim, ClaimGrant, Command, Engine, Finish, FinishOutcome, Handle, Outcome, Principal,
    RunError, RunId, Task, TaskId, TenantId,
};
use tempfile::TempDir;

/// Longer than what stays in memory.
pub(crate) const PAYLOAD: &str =
    r#"{"text":"a payload that is long enough to be stored by itself, beside its row"}"#;

/// What every attempt that ends produces.
pub(crate) const OUTPUT: &str = r#"{"n": 1.50}"#;

/// A directory with a data directory and room for others.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.at("data")
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// What the life left.
pub(crate) struct Left {
    pub(crate) done: (TaskId, RunId),
    pub(crate) running: RunId,
    pub(crate) token: String,
    pub(crate) waiting: RunId,
}

pub(crate) fn open(directory: &Path) -> Engine {
    Engine::options()
        .low_water_bytes(0)
        .open(directory)
        .unwrap()
}

pub(crate) fn close(engine: Engine) {
    engine.shutdown(Duration::from_secs(5)).unwrap();
}

pub(crate) fn call(handle: &Handle, command: Command) -> Outcome {
    let decided = handle.call(Call::new(command)).wait().unwrap().value;
    decided.unwrap()
}

pub(crate) fn claim(handle: &Handle, queue: &str) -> ClaimGrant {
    let claim = Claim {
        worker: "w".into(),
        queues: vec![queue.into()],
        kinds: Vec::new(),
        max: 1,
        lease_ms: None,
        idempotency_key: None,
        ..Claim::default()
    };
    let wait = Duration::from_secs(10);
    let told = handle.claim(Principal::default(), claim, wait).wait();
    let told = told.unwrap().value;
    match told.unwrap() {
        Outcome::Claimed(mut grants) => grants.remove(0),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn finish(handle: &Handle, grant: &ClaimGrant, outcome: FinishOutcome) {
    let error = (outcome == FinishOutcome::Failure).then(|| {
        Box::new(RunError {
            code: "refused".into(),
            message: "no such host".into(),
            retryable: true,
        })
    });
    let output = Some(OUTPUT.as_bytes().into());
    let finish = Finish {
        outcome,
        error,
        // What is to be tried again does not come due while anybody looks.
        retry_after_ms: (outcome == FinishOutcome::Failure).then_some(3_600_000),
        ..Finish::success(grant.run, grant.fence, output)
    };
    call(handle, Command::Finish(Box::new(finish)));
}

/// Lives it.
pub(crate) fn live(handle: &Handle) -> Left {
    let task = |name: &str, queue: &str| Task::new(name).queue(queue).json(PAYLOAD);
    let done = handle
        .submit(task("done", "a").idempotency_key("once"))
        .unwrap();
    finish(handle, &claim(handle, "a"), FinishOutcome::Success);
    handle.submit(task("bad", "b")).unwrap();
    finish(handle, &claim(handle, "b"), FinishOutcome::Failure);
    handle.submit(task("again", "c").max_attempts(3)).unwrap();
    finish(handle, &claim(handle, "c"), FinishOutcome::Failure);
    handle.submit(task("long", "d")).unwrap();
    let running = claim(handle, "d");
    let waiting = handle.submit(task("waiting", "e")).unwrap().run.run;
    Left {
        done: (done.task, done.run.run),
        running: running.run,
        token: handle.token(running.run, running.fence),
        waiting,
    }
}

/// Waits until the store holds everything.
pub(crate) fn stored(handle: &Handle) {
    assert!(handle.wait_stored(handle.sequence(), Duration::from_secs(60)));
}

pub(crate) const TENANT: TenantId = TenantId::DEFAULT;
