//! What an accepted command answers.
//! Owns: the answers' nouns.
//! Never: formats them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::run::{Fence, State};
use crate::task::Payload;
use crate::time::Timestamp;
use crate::{AttemptId, Bytes, RunId, TaskId, TenantId, Text};

/// A run as its submit answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmittedRun {
    /// The run.
    pub run: RunId,
    /// Where it stands.
    pub state: State,
    /// When it is due.
    pub scheduled_at: Timestamp,
}

/// The answer to a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The task.
    pub task: TaskId,
    /// Its run.
    pub run: SubmittedRun,
    /// False when the idempotency key found the task already there.
    pub created: bool,
}

/// One granted lease, with all a handler needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimGrant {
    /// The tenant of the run.
    pub tenant: TenantId,
    /// The run.
    pub run: RunId,
    /// Its task.
    pub task: TaskId,
    /// The attempt's id.
    pub attempt_id: AttemptId,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The core of the token.
    pub fence: Fence,
    /// Which handler.
    pub kind: Text,
    /// Which lane.
    pub queue: Text,
    /// What the handler gets.
    pub payload: Payload,
    /// Where the payload is to be looked up when it is in the store alone; `payload` is empty then.
    pub stored_payload: Option<u64>,
    /// The task's priority.
    pub priority: i32,
    /// When the lease ends unless renewed.
    pub expires_at: Timestamp,
    /// The lease in milliseconds.
    pub lease_ms: u64,
    /// When the attempt times out.
    pub deadline_at: Option<Timestamp>,
    /// What only some runs have.
    pub rare: Option<Box<GrantRare>>,
}

/// What only some grants carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantRare {
    /// Memos of earlier attempts: (name, JSON text), by name.
    pub checkpoints: Vec<(Text, Bytes)>,
    /// What the resume handed over (JSON text).
    pub resume_payload: Option<Bytes>,
    /// The task's rarer fields.
    pub extras: crate::task::Extras,
}

/// What a worker is told with each heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// Go on.
    Continue,
    /// Stop: the run is being canceled.
    Cancel,
    /// Stop and report `suspended`.
    Suspend,
}

impl Directive {
    /// The wire name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Directive::Continue => "continue",
            Directive::Cancel => "cancel",
            Directive::Suspend => "suspend",
        }
    }
}

/// The answer to a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When the lease ends unless renewed again.
    pub expires_at: Timestamp,
    /// What to do.
    pub directive: Directive,
}

/// The answer to a task's cancel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCancel {
    /// It was canceled before.
    pub already_canceled: bool,
    /// It had ended before.
    pub already_terminal: bool,
    /// Runs canceled at once.
    pub runs_canceled: u32,
    /// Running runs whose workers are told.
    pub runs_cancel_requested: u32,
    /// Runs that had ended before.
    pub runs_already_terminal: u32,
    /// All its runs.
    pub runs_total: u32,
}

/// What an accepted command answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A submit: new, or found by its key.
    Submitted(Submitted),
    /// A claim: the leases granted, possibly none.
    Claimed(Vec<ClaimGrant>),
    /// A heartbeat.
    Beat(Beat),
    /// A finish: where the run stands after it.
    Finished(State),
    /// A checkpoint is saved, or was already.
    CheckpointSaved,
    /// The run is canceled now.
    RunCanceled,
    /// The run's worker is told; it is forced after its grace.
    RunCancelRequested,
    /// The run was canceled before.
    RunAlreadyCanceled,
    /// The run had ended otherwise before.
    RunAlreadyTerminal,
    /// The task's cancel.
    TaskCanceled(TaskCancel),
    /// The run's worker is told to suspend it.
    RunSuspendRequested,
    /// The run is ready again.
    RunResumed,
    /// The engine is paused.
    EnginePaused,
    /// The engine grants work again.
    EngineResumed,
    /// The process start is recorded.
    Started,
    /// The clock's jump is recorded.
    ClockAdopted,
    /// Time has passed; true when due work is left for the next tick.
    Ticked {
        /// Whether alarms that are due were left for the next tick.
        more: bool,
    },
}
