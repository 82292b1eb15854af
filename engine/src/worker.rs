//! A worker inside the process: threads that claim, run a handler and report.
//! Owns: the claim loop, heartbeats, the handler's view of its job.
//! Never: knows more about the engine than any other caller.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use mainstay_core::{
    Bytes, Call, CheckpointPut, Claim, ClaimGrant, Command, Directive, Fence, Finish,
    FinishOutcome, HeartbeatItem, Outcome, Principal, Rejection, RunError, RunId, Text,
};

use crate::call::CallError;
use crate::handle::Handle;

/// How long a claim waits for work before it asks again.
const POLL: Duration = Duration::from_secs(60);
/// How long a worker pauses after a refusal.
const PAUSE: Duration = Duration::from_millis(500);
/// How often leases are renewed: a third of the shortest lease.
const BEAT: Duration = Duration::from_millis(300);

/// Why a handler did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    error: RunError,
    outcome: FinishOutcome,
}

impl JobError {
    /// A failure that another attempt may mend.
    #[must_use]
    pub fn retryable(code: &str, message: impl ToString) -> JobError {
        JobError::failure(code, message, true)
    }

    /// A failure that no other attempt will mend.
    #[must_use]
    pub fn fatal(code: &str, message: impl ToString) -> JobError {
        JobError::failure(code, message, false)
    }

    /// Not an error: the run is set aside until somebody resumes it.
    #[must_use]
    pub fn suspend(reason: impl ToString) -> JobError {
        JobError {
            outcome: FinishOutcome::Suspended,
            ..JobError::retryable("suspended", reason)
        }
    }

    /// Not an error: the handler stopped because it was told to.
    #[must_use]
    pub fn canceled() -> JobError {
        JobError {
            outcome: FinishOutcome::Canceled,
            ..JobError::retryable("canceled", "")
        }
    }

    fn failure(code: &str, message: impl ToString, retryable: bool) -> JobError {
        let mut message = message.to_string();
        message
            .truncate(message.floor_char_boundary(mainstay_core::limits::ERROR_MESSAGE_BYTES_MAX));
        let code = &code[..code.floor_char_boundary(mainstay_core::limits::ERROR_CODE_BYTES_MAX)];
        let error = RunError {
            code: Text::from(if code.is_empty() { "failed" } else { code }),
            message: Text::from(message),
            retryable,
        };
        JobError {
            error,
            outcome: FinishOutcome::Failure,
        }
    }
}

impl<E: std::error::Error> From<E> for JobError {
    /// Any error is a retryable failure with code `failed`.
    fn from(error: E) -> JobError {
        JobError::retryable("failed", error)
    }
}

/// What a handler works on.
pub struct Job {
    grant: ClaimGrant,
    handle: Handle,
    directive: Arc<Beating>,
}

impl Job {
    /// The payload: JSON text, or bytes if it was submitted as such.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.grant.payload.bytes
    }

    /// Everything else about the lease.
    #[must_use]
    pub fn grant(&self) -> &ClaimGrant {
        &self.grant
    }

    /// Whether the handler is asked to stop: the run is being canceled or suspended, or its lease is lost.
    #[must_use]
    pub fn should_stop(&self) -> bool {
        self.directive.of(self.grant.fence) != Some(Directive::Continue)
    }

    /// Saves a named memo (JSON text); a later attempt finds it among its checkpoints.
    ///
    /// # Errors
    /// The refusal or the missing answer, as a retryable failure.
    pub fn checkpoint(&self, name: &str, json: impl AsRef<[u8]>) -> Result<(), JobError> {
        let put = CheckpointPut {
            run: self.grant.run,
            fence: self.grant.fence,
            name: Text::from(name),
            value: Bytes::from(json.as_ref()),
        };
        self.handle
            .call(Call::new(Command::Checkpoint(Box::new(put))))
            .wait()?
            .value?;
        Ok(())
    }
}

/// The leases that are being renewed, and what their workers are told. A run whose lease was lost may be here twice.
#[derive(Default)]
struct Beating {
    leases: Mutex<BTreeMap<Fence, (RunId, Directive)>>,
    /// There is a lease to renew.
    begun: Condvar,
}

impl Beating {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Fence, (RunId, Directive)>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps while there is nothing to renew, until the worker is done.
    fn wait(&self, done: &AtomicBool) {
        let idle = |leases: &mut BTreeMap<_, _>| leases.is_empty() && !done.load(Ordering::Acquire);
        drop(self.begun.wait_while(self.lock(), idle));
    }

    fn of(&self, fence: Fence) -> Option<Directive> {
        self.lock().get(&fence).map(|(_, directive)| *directive)
    }
}

/// A worker in the making.
pub struct WorkerBuilder {
    handle: Handle,
    claim: Claim,
    concurrency: usize,
}

impl WorkerBuilder {
    pub(crate) fn new(handle: Handle, queue: &str) -> WorkerBuilder {
        let claim = Claim {
            worker: Text::from(format!("process-{}", std::process::id())),
            queues: vec![Text::from(queue)],
            kinds: Vec::new(),
            max: 1,
            lease_ms: None,
            idempotency_key: None,
            ..Claim::default()
        };
        WorkerBuilder {
            handle,
            claim,
            concurrency: 1,
        }
    }

    /// Only this kind, and others named so; every kind when none is named.
    #[must_use]
    pub fn kind(mut self, kind: &str) -> WorkerBuilder {
        self.claim.kinds.push(Text::from(kind));
        self
    }

    /// How many runs at once; 1 unless set.
    #[must_use]
    pub fn concurrency(mut self, runs: usize) -> WorkerBuilder {
        self.concurrency = runs.max(1);
        self
    }

    /// Starts the worker. The handler gives the output as JSON text; empty means none.
    pub fn run<F>(self, handler: F) -> Worker
    where
        F: Fn(&Job) -> Result<Vec<u8>, JobError> + Send + Sync + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let beating = Arc::new(Beating::default());
        let handler: Arc<Handler> = Arc::new(handler);
        let mut threads = Vec::new();
        for _ in 0..self.concurrency {
            let (handle, claim) = (self.handle.clone(), self.claim.clone());
            let (handler, stop, beating) = (
                Arc::clone(&handler),
                Arc::clone(&stop),
                Arc::clone(&beating),
            );
            threads.push(std::thread::spawn(move || {
                work(&handle, &claim, &*handler, &stop, &beating)
            }));
        }
        let done = Arc::new(AtomicBool::new(false));
        let (handle, over) = (self.handle, Arc::clone(&done));
        let leases = Arc::clone(&beating);
        let beats = std::thread::spawn(move || beat(&handle, &leases, &over));
        Worker {
            stop,
            done,
            beating,
            threads,
            beats: Some(beats),
        }
    }
}

/// A running worker. Dropping it stops it as [`Worker::stop`] does.
pub struct Worker {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicBool>,
    beating: Arc<Beating>,
    threads: Vec<JoinHandle<()>>,
    beats: Option<JoinHandle<()>>,
}

impl Worker {
    /// Claims nothing more and waits for the handlers that run.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            thread.join().ok();
        }
        self.done.store(true, Ordering::Release);
        if let Some(beats) = self.beats.take() {
            drop(self.beating.lock());
            self.beating.begun.notify_all();
            beats.thread().unpark();
            beats.join().ok();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

type Handler = dyn Fn(&Job) -> Result<Vec<u8>, JobError> + Send + Sync;

/// A thread that claims or works, as a shutdown counts it.
struct Counted<'a>(&'a Handle);

impl<'a> Counted<'a> {
    fn new(handle: &'a Handle) -> Counted<'a> {
        handle.shared().begin_job();
        Counted(handle)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.shared().end_job();
    }
}

fn work(
    handle: &Handle,
    claim: &Claim,
    handler: &Handler,
    stop: &AtomicBool,
    beating: &Arc<Beating>,
) {
    while !stop.load(Ordering::Acquire) {
        // Counted from before the claim on, so that a shutdown does not overlook a grant that is on its way.
        let counted = Counted::new(handle);
        let claimed = handle
            .claim(Principal::default(), claim.clone(), POLL)
            .wait_unless(stop);
        let Some(claimed) = claimed else { return };
        let grants = match claimed.map(|replied| replied.value) {
            Ok(Ok(Outcome::Claimed(grants))) => grants,
            Ok(_) | Err(CallError::Busy { .. }) => {
                drop(counted);
                std::thread::sleep(PAUSE);
                continue;
            }
            Err(_) => return,
        };
        if grants.is_empty() && matches!(handle.status(), crate::Status::Draining) {
            drop(counted);
            std::thread::sleep(BEAT);
            continue;
        }
        for grant in grants {
            perform(handle, grant, handler, beating);
        }
    }
}

/// Runs the handler on one lease and reports until the report is accepted or the lease is lost.
fn perform(handle: &Handle, grant: ClaimGrant, handler: &Handler, beating: &Arc<Beating>) {
    let (run, fence) = (grant.run, grant.fence);
    beating.lock().insert(fence, (run, Directive::Continue));
    beating.begun.notify_all();
    let job = Job {
        grant,
        handle: handle.clone(),
        directive: Arc::clone(beating),
    };
    let result = catch_unwind(AssertUnwindSafe(|| handler(&job)));
    let finish = match result {
        Ok(Ok(output)) => Finish::success(
            run,
            fence,
            (!output.is_empty()).then(|| Bytes::from(output)),
        ),
        Ok(Err(error)) => failed(run, fence, error),
        Err(_) => failed(
            run,
            fence,
            JobError::retryable("panic", "the handler panicked"),
        ),
    };
    // A report that breaks a limit would leave the run to the end of its lease, and to the same report again.
    if let Some(refused) = report(handle, finish) {
        let error = JobError::fatal(refused.code(), &refused);
        report(handle, failed(run, fence, error));
    }
    beating.lock().remove(&fence);
}

/// Reports until there is an answer. Gives the refusal when the report itself is wrong.
fn report(handle: &Handle, finish: Finish) -> Option<Rejection> {
    loop {
        let call = Call::new(Command::Finish(Box::new(finish.clone())));
        match handle.call(call).wait().map(|replied| replied.value) {
            Err(CallError::Busy { .. }) => std::thread::sleep(Duration::from_millis(20)),
            Ok(Err(
                refused @ (Rejection::LimitExceeded { .. } | Rejection::InvalidRequest { .. }),
            )) => return Some(refused),
            Ok(_) | Err(_) => return None,
        }
    }
}

fn failed(run: RunId, fence: Fence, error: JobError) -> Finish {
    let words = &error.error.message;
    let words = &words[..words.floor_char_boundary(mainstay_core::limits::REASON_BYTES_MAX)];
    let reason = (error.outcome == FinishOutcome::Suspended).then(|| Text::from(words));
    let carried = (error.outcome == FinishOutcome::Failure).then(|| Box::new(error.error));
    Finish {
        outcome: error.outcome,
        error: carried,
        reason,
        ..Finish::success(run, fence, None)
    }
}

/// Renews every lease in time, until the worker is done.
fn beat(handle: &Handle, beating: &Beating, done: &AtomicBool) {
    while !done.load(Ordering::Acquire) {
        beating.wait(done);
        std::thread::park_timeout(BEAT);
        let items: Vec<HeartbeatItem> = beating
            .lock()
            .iter()
            .map(|(fence, (run, _))| HeartbeatItem {
                run: *run,
                fence: *fence,
                lease_ms: None,
                progress: None,
            })
            .collect();
        if items.is_empty() {
            continue;
        }
        let calls = items
            .iter()
            .cloned()
            .map(|item| Call::new(Command::Heartbeat(item)))
            .collect();
        let Ok(replied) = handle.call_many(calls).wait() else {
            continue;
        };
        let mut leases = beating.lock();
        for (item, beat) in items.iter().zip(replied.value) {
            let directive = match beat {
                Ok(Outcome::Beat(beat)) => Some(beat.directive),
                Err(Rejection::LeaseLost { .. }) => None,
                Ok(_) | Err(_) => continue,
            };
            match directive {
                Some(directive) => {
                    leases
                        .entry(item.fence)
                        .and_modify(|lease| lease.1 = directive);
                }
                None => drop(leases.remove(&item.fence)),
            }
        }
    }
}
