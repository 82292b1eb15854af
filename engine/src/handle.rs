//! The door for callers: cheap to clone, usable from any thread.
//! Owns: the calls an embedding program, the server and the tests make.
//! Never: decides.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mainstay_core::{
    Answer, Bytes, Call, Claim, Command, Fence, Outcome, Payload, Principal, Query, Rejection,
    RunId, TaskSpec, TenantId, Text, Timestamp, limits,
};

use crate::call::{CallError, Durability, Pending, Replied, Reply};
use crate::inbox::{Decided, Refused, Request};
use crate::metrics::Metrics;
use crate::shared::{Shared, Status};

mod actors;
mod attest;
mod lane;
mod operations;
mod spending;
mod tasks;
mod tenants;
mod work;

/// A way to talk to an open engine.
///
/// [`Handle::call`] asks for any command and answers later. The methods named after commands block until the answer is durable, so they are
/// not for use inside async code; they act as the embedding program in tenant `default` unless [`Handle::acting_as`] says otherwise.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    principal: Principal,
    /// Why its named methods act, for the audit trail.
    reason: Option<Text>,
}

/// Why a command did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The machine refused it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// There was no answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Handle {
        Handle {
            shared,
            principal: Principal::default(),
            reason: None,
        }
    }

    /// The same door, with its named methods acting for somebody else or in another tenant.
    #[must_use]
    pub fn acting_as(&self, principal: Principal) -> Handle {
        Handle {
            shared: Arc::clone(&self.shared),
            principal,
            reason: self.reason.clone(),
        }
    }

    /// The same door, with a reason that the audit trail keeps beside each act of control of its named methods.
    #[must_use]
    pub fn because(&self, reason: impl Into<Text>) -> Handle {
        Handle {
            reason: Some(reason.into()),
            ..self.clone()
        }
    }

    /// Asks for one command and waits until its answer is durable. `expected_sequence` and `expected_state` go with [`Handle::call`].
    ///
    /// # Errors
    /// [`CommandError`]: the machine's refusal, or how far the call had come when the engine stopped.
    pub fn command(&self, command: Command) -> Result<Outcome, CommandError> {
        let call = Call {
            reason: self.reason.clone(),
            ..Call::by(&self.principal, command)
        };
        Ok(self.call(call).wait()?.value?)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Asks for one command to be decided.
    pub fn call(&self, call: Call) -> Pending<Decided> {
        self.call_with(call, Durability::Immediate)
    }

    /// Asks for one command to be decided, answered when `durability` says. What is not a submit and asks for
    /// [`Durability::Deferred`] is refused as `invalid_request` with field `durability`; a submit that finds an earlier task by its key
    /// is answered once that task is durable.
    pub fn call_with(&self, call: Call, durability: Durability) -> Pending<Decided> {
        let (reply, pending) = Pending::new();
        self.push(Request::Call(Box::new(call), durability, reply));
        pending
    }

    /// Asks for several commands to be decided in order, each atomic by itself. `Busy` refuses them whole, and so does a sum of runs
    /// beyond [`limits::RUNS_PER_REQUEST_MAX`]: each is refused as `limit_exceeded` then.
    pub fn call_many(&self, calls: Vec<Call>) -> Pending<Vec<Decided>> {
        self.call_many_with(calls, Durability::Immediate)
    }

    /// The same, answered when `durability` says: before they are durable only when every one of them made a task.
    pub fn call_many_with(
        &self,
        calls: Vec<Call>,
        durability: Durability,
    ) -> Pending<Vec<Decided>> {
        let (reply, pending) = Pending::new();
        let runs: usize = calls.iter().map(|call| call.command.runs_made()).sum();
        if runs > limits::RUNS_PER_REQUEST_MAX {
            let refused = Rejection::LimitExceeded {
                limit: "runs_per_request",
                value: limits::RUNS_PER_REQUEST_MAX as u64,
            };
            let value = calls.iter().map(|_| Err(refused.clone())).collect();
            let sequence = self.sequence();
            let durable = true;
            let told = Replied {
                value,
                sequence,
                durable,
            };
            reply.send(Ok(told)).ok();
            return pending;
        }
        self.push(Request::Calls(calls, durability, reply));
        pending
    }

    /// Claims work, waiting for some when there is none. Dropping the pending answer gives up the wait, and gives back what was
    /// granted meanwhile.
    pub fn claim(&self, principal: Principal, claim: Claim, wait: Duration) -> Pending<Decided> {
        let (reply, pending) = Pending::new();
        self.push(Request::Claim(principal, Box::new(claim), wait, reply));
        pending
    }

    /// Gives grants back whose answer could not be delivered: their runs are ready again at once, and it counts to nothing.
    /// Each is named with its tenant, which a claim over all tenants tells.
    pub fn release(&self, principal: Principal, grants: Vec<(TenantId, RunId, Fence)>) {
        self.shared
            .inbox
            .push_always(Request::Release(principal, grants));
    }

    /// Asks a question.
    pub fn ask(&self, tenant: TenantId, query: Query) -> Pending<Answer> {
        let (reply, pending) = Pending::new();
        self.push(Request::Ask(tenant, query, reply));
        pending
    }

    /// The token text of a granted lease: `incarnation.counter.mac`.
    #[must_use]
    pub fn token(&self, run: RunId, fence: Fence) -> String {
        self.shared.tokens.write(run, fence)
    }

    /// The core of a token text, if this data directory made it for this run.
    #[must_use]
    pub fn read_token(&self, run: RunId, text: &str) -> Option<Fence> {
        self.shared.tokens.read(run, text)
    }

    /// The log's id as UUID text.
    #[must_use]
    pub fn log_id(&self) -> String {
        self.shared.log_id.clone()
    }

    /// The last durable event.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.shared.durable_sequence()
    }

    /// A number that moves whenever who may do what changes: keys, roles, grants or tenants. It moves before anybody hears of the
    /// change, and what is asked of the engine afterwards is answered with it: what was asked under the same number still holds.
    #[must_use]
    pub fn platform_version(&self) -> u64 {
        self.shared.platform.load(Ordering::Acquire)
    }

    /// Whether the engine serves.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// The engine's counters.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let (log, sync_sum_us) = self.shared.log_stats();
        let shared = &self.shared;
        let stored = shared.backlog.stored();
        let applied = shared.counters.applied.load(Ordering::Relaxed);
        Metrics {
            store_lag_events: applied.saturating_sub(stored),
            store_checkpoint: stored,
            disk_free_bytes: shared.space.free_bytes(),
            disk_low_water_bytes: shared.space.low_water_bytes(),
            ..shared
                .counters
                .snapshot(&log, sync_sum_us, shared.inbox.len())
        }
    }

    /// Waits until the store, which lists and SQL read, holds everything up to this event; false when it does not in time. The cut is
    /// taken at once for whoever waits.
    #[must_use]
    pub fn wait_stored(&self, sequence: u64, timeout: Duration) -> bool {
        if self.shared.backlog.stored() >= sequence {
            return true;
        }
        self.shared.inbox.push_always(Request::Cut);
        self.shared.backlog.wait_stored(sequence, timeout)
    }

    /// Lists, search and SQL over what the store holds; `None` in a simulation, which has no file.
    #[must_use]
    pub fn library(&self) -> Option<Arc<mainstay_store::Library>> {
        self.shared.library()
    }

    /// The last thing that went wrong without harm: a snapshot that could not be written.
    #[must_use]
    pub fn last_note(&self) -> Option<String> {
        self.shared.last_note()
    }

    /// The last event that the store holds.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.shared.backlog.stored()
    }

    /// Grants nothing any more and answers parked claims with an empty list.
    pub fn drain(&self) {
        self.shared.set_draining();
        self.shared.inbox.push_always(Request::Drain);
    }

    fn push(&self, request: Request) {
        let short = self.shared.space.is_short();
        let Err(refused) = self.shared.inbox.push(request, short) else {
            return;
        };
        let (request, error) = match *refused {
            Refused::Busy(request, limit) => {
                self.shared.counters.busy.fetch_add(1, Ordering::Relaxed);
                (request, CallError::Busy { limit })
            }
            Refused::Full(request) => {
                self.shared.counters.busy.fetch_add(1, Ordering::Relaxed);
                (request, self.shared.no_room())
            }
            Refused::Closed(request) => (request, self.closed()),
        };
        let tell = |reply: Reply<Decided>| drop(reply.send(Err(error.clone())));
        match request {
            Request::Call(_, _, reply) | Request::Claim(_, _, _, reply) => tell(reply),
            Request::Calls(_, _, reply) => drop(reply.send(Err(error))),
            Request::Ask(_, _, reply) => drop(reply.send(Err(error))),
            Request::Release(..)
            | Request::Stored(_)
            | Request::Cut
            | Request::Drain
            | Request::Stop => {}
        }
    }

    fn closed(&self) -> CallError {
        match self.status() {
            Status::Stopped { cause } if cause != crate::engine::SHUT_DOWN => {
                CallError::Stopped { cause }
            }
            Status::Ready | Status::Draining | Status::ReadOnly { .. } | Status::Stopped { .. } => {
                CallError::ShuttingDown
            }
        }
    }
}

/// A task in the making.
#[derive(Clone, Debug)]
pub struct Task(TaskSpec);

impl Task {
    /// A task of this kind in queue `default`, with payload `null` and every default.
    #[must_use]
    pub fn new(kind: impl Into<Text>) -> Task {
        Task(TaskSpec::new(kind))
    }

    /// The queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<Text>) -> Task {
        self.0.queue = queue.into();
        self
    }

    /// The payload as JSON text. It is kept byte for byte and not parsed.
    #[must_use]
    pub fn json(mut self, text: impl AsRef<[u8]>) -> Task {
        self.0.payload = Payload {
            bytes: Bytes::from(text.as_ref()),
            binary: false,
        };
        self
    }

    /// The payload as opaque bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: impl AsRef<[u8]>) -> Task {
        self.0.payload = Payload {
            bytes: Bytes::from(bytes.as_ref()),
            binary: true,
        };
        self
    }

    /// Higher first; 0 unless set.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Task {
        self.0.priority = priority;
        self
    }

    /// When it becomes due; now unless set.
    #[must_use]
    pub fn run_at(mut self, at: Timestamp) -> Task {
        self.0.run_at = Some(at);
        self
    }

    /// Failures and timeouts until the run fails; 1 unless set.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Task {
        self.0.policy_mut().max_attempts = attempts;
        self
    }

    /// Submitting again with this key finds the first task.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<Text>) -> Task {
        self.0.extras_mut().idempotency_key = Some(key.into());
        self
    }

    /// Everything else.
    pub fn spec_mut(&mut self) -> &mut TaskSpec {
        &mut self.0
    }
}

impl From<Task> for TaskSpec {
    fn from(task: Task) -> TaskSpec {
        task.0
    }
}
