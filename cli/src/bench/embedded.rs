//! Drives an engine inside this process with many threads at the same time.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mainstay::{CallError, Engine, Handle};
use mainstay_core::{
    Bytes, Call, Claim, ClaimGrant, Command, Finish, Outcome, Payload, Principal, Rejection,
    TaskSpec, Text,
};

use super::measure::{LEASE_MS, Phase, Plan, QUEUE, payload, sample};
use crate::exit::{Code, Failure};
use crate::serve;

/// How long a refused caller waits before it tries again.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

/// An engine on a directory of its own.
pub(crate) struct Embedded {
    engine: Engine,
    handle: Handle,
}

impl Embedded {
    pub(crate) fn open(directory: &Path) -> Result<Embedded, Failure> {
        let engine = Engine::open(directory).map_err(|error| serve::refused(directory, &error))?;
        let handle = engine.handle();
        Ok(Embedded { engine, handle })
    }

    /// Syncs of log files and bytes written to them so far.
    pub(crate) fn log(&self) -> (u64, u64) {
        let metrics = self.handle.metrics();
        (metrics.syncs, metrics.bytes_written)
    }

    pub(crate) fn close(self) -> Result<(), Failure> {
        let closed = self.engine.shutdown(Duration::from_secs(30));
        closed.map_err(|error| Failure::new(Code::Storage, "storage_fault", error.to_string()))
    }

    /// Submits all of the phase's tasks; how long that took.
    pub(crate) fn submit(&self, plan: Plan, phase: &Phase) -> Result<Duration, Failure> {
        self.all(plan.workers, || submit_some(&self.handle, plan, phase))
    }

    /// Claims and finishes all of the phase's runs; how long that took.
    pub(crate) fn work(&self, plan: Plan, phase: &Phase) -> Result<Duration, Failure> {
        self.all(plan.workers, || work_some(&self.handle, phase))
    }

    fn all(
        &self,
        workers: usize,
        caller: impl Fn() -> Result<(), Failure> + Sync,
    ) -> Result<Duration, Failure> {
        let start = Instant::now();
        thread::scope(|scope| {
            let callers: Vec<_> = (0..workers).map(|_| scope.spawn(&caller)).collect();
            callers
                .into_iter()
                .try_for_each(|caller| match caller.join() {
                    Ok(result) => result,
                    Err(_) => Err(Failure::new(
                        Code::Failed,
                        "caller_panicked",
                        "a caller panicked",
                    )),
                })
        })?;
        Ok(start.elapsed())
    }
}

fn submit_some(handle: &Handle, plan: Plan, phase: &Phase) -> Result<(), Failure> {
    let (kind, principal) = (Text::from(QUEUE), Principal::default());
    let mut samples = Vec::new();
    let mut number = 0;
    while let Some(piece) = phase.take() {
        let first = number;
        number += piece;
        let calls = || {
            (first..first + piece)
                .map(|number| Call::by(&principal, task(&kind, plan.payload_bytes, number)))
                .collect()
        };
        let mut prepared: Vec<Call> = calls();
        loop {
            let start = Instant::now();
            match handle.call_many(prepared).wait() {
                Ok(replied) => {
                    samples.push(sample(start));
                    replied
                        .value
                        .into_iter()
                        .try_for_each(|outcome| accepted(outcome).map(drop))?;
                    break;
                }
                Err(CallError::Busy { .. }) => thread::sleep(BUSY_PAUSE),
                Err(error) => return Err(stopped(&error)),
            }
            prepared = calls();
        }
        phase.done(piece);
    }
    phase.hand_in(samples);
    Ok(())
}

fn task(kind: &Text, payload_bytes: usize, number: u64) -> Command {
    let mut spec = TaskSpec::new(kind.clone());
    spec.queue = kind.clone();
    spec.payload = Payload {
        bytes: Bytes::from(payload(payload_bytes, number)),
        binary: false,
    };
    Command::Submit(Box::new(spec))
}

fn work_some(handle: &Handle, phase: &Phase) -> Result<(), Failure> {
    let queue = Text::from(QUEUE);
    while let Some(piece) = phase.take() {
        let claim = Claim {
            worker: queue.clone(),
            queues: vec![queue.clone()],
            kinds: Vec::new(),
            max: piece as u32,
            lease_ms: Some(LEASE_MS),
            idempotency_key: None,
            ..Claim::default()
        };
        let grants = match handle
            .claim(Principal::default(), claim, Duration::ZERO)
            .wait()
        {
            Ok(replied) => match accepted(replied.value)? {
                Outcome::Claimed(grants) => grants,
                other => {
                    return Err(Failure::new(
                        Code::Failed,
                        "unexpected",
                        format!("{other:?}"),
                    ));
                }
            },
            Err(CallError::Busy { .. }) => Vec::new(),
            Err(error) => return Err(stopped(&error)),
        };
        let count = grants.len() as u64;
        phase.put_back(piece - count);
        if grants.is_empty() {
            thread::sleep(BUSY_PAUSE);
            continue;
        }
        finish(handle, &grants)?;
        phase.done(count);
    }
    Ok(())
}

fn finish(handle: &Handle, grants: &[ClaimGrant]) -> Result<(), Failure> {
    let principal = Principal::default();
    loop {
        let end = |grant: &ClaimGrant| {
            let finish = Finish::success(grant.run, grant.fence, None);
            Call::by(&principal, Command::Finish(Box::new(finish)))
        };
        match handle.call_many(grants.iter().map(end).collect()).wait() {
            Ok(replied) => {
                return replied
                    .value
                    .into_iter()
                    .try_for_each(|outcome| accepted(outcome).map(drop));
            }
            Err(CallError::Busy { .. }) => thread::sleep(BUSY_PAUSE),
            Err(error) => return Err(stopped(&error)),
        }
    }
}

fn accepted(outcome: Result<Outcome, Rejection>) -> Result<Outcome, Failure> {
    outcome.map_err(|rejection| Failure::new(Code::Failed, rejection.code(), rejection.to_string()))
}

fn stopped(error: &CallError) -> Failure {
    Failure::new(Code::Storage, "engine_stopped", error.to_string())
}
