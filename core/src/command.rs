//! What callers ask the machine to do. Commands are not logged; the events they become are.
//! Owns: the nouns of every mutation.
//! Never: decides.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::run::{Fence, RunError, State};
use crate::{Bytes, RunId, TaskId, TaskSpec, TenantId, Text};

/// Who asks: recorded beside each command and in histories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The tenant acted in.
    pub tenant: TenantId,
    /// The key's, person's or program's name.
    pub name: Text,
    /// The request's id, when it came with one.
    pub request_id: Option<Text>,
}

impl Default for Principal {
    /// The embedding program itself, in tenant `default`.
    fn default() -> Self {
        Principal {
            tenant: TenantId::DEFAULT,
            name: Text::from("local"),
            request_id: None,
        }
    }
}

/// One command with who asks and what must hold for it to be considered at all.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asks.
    pub principal: Principal,
    /// Refused as `non_monotonic_sequence` unless the machine stands exactly here.
    pub expected_sequence: Option<u64>,
    /// Refused as `previous_state_mismatch` unless the named run is in this state.
    pub expected_state: Option<State>,
    /// What to do.
    pub command: Command,
}

impl Call {
    /// A call by the embedding program, without expectations.
    #[must_use]
    pub fn new(command: Command) -> Call {
        Call::by(&Principal::default(), command)
    }

    /// A call by somebody, without expectations. Many calls by the same principal share its name.
    #[must_use]
    pub fn by(principal: &Principal, command: Command) -> Call {
        Call {
            principal: principal.clone(),
            expected_sequence: None,
            expected_state: None,
            command,
        }
    }
}

/// Take up to `max` runs: select, lease and start in one act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who works.
    pub worker: Text,
    /// The queues to take from, at least one.
    pub queues: Vec<Text>,
    /// Only these kinds; empty means every kind.
    pub kinds: Vec<Text>,
    /// How many at most, 1..=1000.
    pub max: u32,
    /// The lease in milliseconds; the task's own when absent.
    pub lease_ms: Option<u64>,
    /// Repeating the claim with this key returns the same leases, as far as they still live.
    pub idempotency_key: Option<Text>,
}

/// "I am still on it", for one lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatItem {
    /// The run.
    pub run: RunId,
    /// The lease's token.
    pub fence: Fence,
    /// The new lease from now on, in milliseconds; the lease's first length when absent.
    pub lease_ms: Option<u64>,
    /// A note on progress (JSON text), kept in memory only.
    pub progress: Option<Bytes>,
}

/// How an attempt ended, in the worker's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Success,
    /// It did not work.
    Failure,
    /// The handler asks to be woken later.
    Suspended,
    /// The handler stopped on a cancel directive, or gave up for good.
    Canceled,
    /// Given back untouched.
    Released,
}

/// The end of one attempt, with everything it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// The run.
    pub run: RunId,
    /// The lease's token.
    pub fence: Fence,
    /// How it ended.
    pub outcome: Outcome,
    /// What it produced (JSON text).
    pub output: Option<Bytes>,
    /// What went wrong; a failure without one gets code `failed`, retryable.
    pub error: Option<Box<RunError>>,
    /// Overrides the retry policy's delay.
    pub retry_after_ms: Option<u64>,
    /// Why it suspends, cancels or releases.
    pub reason: Option<Text>,
    /// Memos saved together with the outcome: (name, JSON text).
    pub checkpoints: Vec<(Text, Bytes)>,
}

impl Finish {
    /// A success with this output (JSON text).
    #[must_use]
    pub fn success(run: RunId, fence: Fence, output: Option<Bytes>) -> Finish {
        Finish {
            run,
            fence,
            outcome: Outcome::Success,
            output,
            error: None,
            retry_after_ms: None,
            reason: None,
            checkpoints: Vec::new(),
        }
    }
}

/// Save a named memo inside a running attempt. The same name and value again is no conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointPut {
    /// The run.
    pub run: RunId,
    /// The lease's token.
    pub fence: Fence,
    /// The memo's name, 1..=255 bytes.
    pub name: Text,
    /// The memo (JSON text).
    pub value: Bytes,
}

/// Everything that can be asked of the machine.
#[derive(Clone, Debug)]
pub enum Command {
    /// Create a task and its run.
    Submit(Box<TaskSpec>),
    /// The same under an id chosen by the client.
    SubmitAs(TaskId, Box<TaskSpec>),
    /// Take work.
    Claim(Box<Claim>),
    /// Keep a lease alive. No event unless it extends the lease by more than 5 minutes.
    Heartbeat(HeartbeatItem),
    /// End an attempt.
    Finish(Box<Finish>),
    /// Save a memo.
    Checkpoint(Box<CheckpointPut>),
    /// Cancel one run; `force` does not wait for its worker.
    CancelRun {
        /// The run.
        run: RunId,
        /// Cancel a running run at once.
        force: bool,
        /// Why.
        reason: Option<Text>,
    },
    /// Cancel a task and all its runs.
    CancelTask {
        /// The task.
        task: TaskId,
        /// Why.
        reason: Option<Text>,
    },
    /// Tell a running run's worker to suspend it.
    SuspendRun {
        /// The run.
        run: RunId,
        /// Why.
        reason: Option<Text>,
    },
    /// Make a suspended run ready again.
    ResumeRun {
        /// The run.
        run: RunId,
        /// Handed to the next attempt (JSON text).
        payload: Option<Bytes>,
    },
    /// Stop granting work.
    PauseEngine {
        /// Why.
        reason: Option<Text>,
    },
    /// Grant work again.
    ResumeEngine {
        /// Why.
        reason: Option<Text>,
    },
    /// A process has opened the data directory.
    Start {
        /// Its incarnation, greater than any before.
        incarnation: u64,
        /// Recorded milliseconds since the last frame before it.
        downtime_ms: u64,
    },
    /// The wall clock was ahead long enough to be believed.
    AdoptClock {
        /// By how many milliseconds recorded time jumps.
        ahead_ms: u64,
    },
    /// Let time pass: expire, time out, promote what is due.
    Tick,
}

impl Command {
    /// The stable number of this kind of command in the log's command records. Never reused.
    #[must_use]
    pub fn code(&self) -> u64 {
        match self {
            Command::Submit(_) | Command::SubmitAs(..) => 1,
            Command::Claim(_) => 2,
            Command::Heartbeat(_) => 3,
            Command::Finish(_) => 4,
            Command::Checkpoint(_) => 5,
            Command::CancelRun { .. } => 6,
            Command::CancelTask { .. } => 7,
            Command::SuspendRun { .. } => 8,
            Command::ResumeRun { .. } => 9,
            Command::PauseEngine { .. } => 10,
            Command::ResumeEngine { .. } => 11,
            Command::Start { .. } => 12,
            Command::AdoptClock { .. } => 13,
            Command::Tick => 14,
        }
    }

    /// Whether a person's or program's control is recorded with reason and request id: the audit trail's commands.
    #[must_use]
    pub fn control_reason(&self) -> Option<Option<&Text>> {
        match self {
            Command::CancelRun { reason, .. }
            | Command::CancelTask { reason, .. }
            | Command::SuspendRun { reason, .. }
            | Command::PauseEngine { reason }
            | Command::ResumeEngine { reason } => Some(reason.as_ref()),
            Command::ResumeRun { .. } => Some(None),
            Command::Submit(_)
            | Command::SubmitAs(..)
            | Command::Claim(_)
            | Command::Heartbeat(_)
            | Command::Finish(_)
            | Command::Checkpoint(_)
            | Command::Start { .. }
            | Command::AdoptClock { .. }
            | Command::Tick => None,
        }
    }
}
