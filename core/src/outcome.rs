//! What an accepted command answers.
//! Owns: the answers' nouns.
//! Never: formats them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ledger::ApprovalState;
use crate::operation::OperationState;
use crate::run::{Fence, State};
use crate::task::Payload;
use crate::time::Timestamp;
use crate::{
    ActorId, ApprovalId, AttemptId, Bytes, OperationId, RunId, SubscriptionId, TaskId, TenantId,
    Text, WebhookId,
};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The task.
    pub task: TaskId,
    /// Its first run.
    pub run: SubmittedRun,
    /// Its further runs in order, with the first at most 1000.
    pub more: Vec<SubmittedRun>,
    /// How many runs it has.
    pub runs_total: u32,
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
    /// The budgets that cover the run.
    pub budgets: Vec<BudgetView>,
    /// Its task's children, the first 100 of them, with their outputs.
    pub children: Vec<ChildView>,
    /// How many children its task has, and how many of them have not ended.
    pub children_count: (u32, u32),
}

/// A budget as people and programs see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetView {
    /// Of what.
    pub dimension: Text,
    /// How much may be spent in this period.
    pub limit: u64,
    /// What each attempt holds.
    pub reserve: u64,
    /// Spent in this period.
    pub consumed: u64,
    /// Held by running attempts.
    pub reserved: u64,
    /// Spent in all periods together.
    pub consumed_total: u64,
    /// Whether nothing more may be started on it.
    pub exhausted: bool,
    /// Whether it is the tenant's rather than the task's.
    pub of_tenant: bool,
}

/// A child of a task, as a claim of the task shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildView {
    /// The child.
    pub task: TaskId,
    /// Where it stands.
    pub state: crate::task::State,
    /// What its last completed run produced, if that is in memory.
    pub output: Option<Bytes>,
    /// Whether its output is to be looked up: it has left memory.
    pub stored: bool,
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
    /// Finish what is held, and ask for nothing more: the actor is draining.
    Drain,
}

impl Directive {
    /// The wire name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Directive::Continue => "continue",
            Directive::Cancel => "cancel",
            Directive::Suspend => "suspend",
            Directive::Drain => "drain",
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

/// The answer to an actor's heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActorBeat {
    /// When it is taken for gone unless it is heard of again.
    pub expires_at: Timestamp,
    /// What to do: go on, or drain.
    pub directive: Directive,
}

/// The answer to an actor's drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActorDrain {
    /// It was draining before.
    pub already: bool,
    /// Runs that it still holds.
    pub leases: u64,
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
    /// Tasks below it that had not ended.
    pub descendants_canceled: u32,
}

/// What an accepted command answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A submit: new, or found by its key.
    Submitted(Submitted),
    /// Many tasks at once: what each came to, in order.
    SubmittedAll(Vec<Submitted>),
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
    /// The task's metadata or schedule is changed, or was so already.
    TaskUpdated,
    /// The task has one more run.
    RunCreated(SubmittedRun),
    /// Where the run stands after it was moved.
    RunTransitioned(State),
    /// The run is held.
    LeaseAcquired {
        /// The core of the token.
        fence: Fence,
        /// When the lease ends.
        expires_at: Timestamp,
    },
    /// The lease ends then.
    LeaseRenewed {
        /// When the lease ends.
        expires_at: Timestamp,
    },
    /// The lease has ended; where the run stands after it.
    LeaseEnded(State),
    /// An attempt has begun.
    AttemptStarted {
        /// Its id.
        attempt: AttemptId,
        /// Its number, from 1.
        number: u32,
    },
    /// The task depends on them, so many of which are not completed.
    DependenciesDeclared {
        /// Prerequisites that are not completed.
        unmet: u32,
    },
    /// The budget stands so.
    Budget(Box<BudgetView>),
    /// What an attempt used is noted.
    Consumed {
        /// The budgets that cover the run.
        budgets: Vec<BudgetView>,
        /// What to do.
        directive: Directive,
    },
    /// The subscription exists.
    Subscribed(SubscriptionId),
    /// The subscription is canceled.
    Unsubscribed,
    /// An event, or a subscription by hand: how many subscriptions it met.
    Triggered(u32),
    /// The queue's settings hold.
    QueueConfigured,
    /// The queue is paused.
    QueuePaused,
    /// The queue's runs are granted again.
    QueueResumed,
    /// The tenant exists.
    TenantCreated(TenantId),
    /// The tenant's share is set.
    TenantWeighted,
    /// The engine is paused.
    EnginePaused,
    /// The engine grants work again.
    EngineResumed,
    /// A dead letter is tried again.
    RunRetried {
        /// The run that takes its place.
        run: RunId,
        /// The dead letter.
        retry_of: RunId,
    },
    /// The dead letter is cleared away.
    DeadLetterCleared,
    /// The operation goes on, or is over already when there was nothing to do.
    OperationStarted {
        /// Its id.
        operation: OperationId,
        /// False when the same request had begun it before.
        created: bool,
    },
    /// A piece of an operation is done.
    OperationAdvanced {
        /// Runs of it that were acted on.
        done: u64,
        /// Runs of it that were refused.
        refused: u64,
    },
    /// The operation is over: how it ended.
    OperationEnded(OperationState),
    /// The process start is recorded.
    Started,
    /// The clock's jump is recorded.
    ClockAdopted,
    /// Time has passed; true when due work is left for the next tick.
    Ticked {
        /// Whether alarms that are due were left for the next tick.
        more: bool,
    },
    // Actors.
    /// The actor is registered.
    ActorRegistered(ActorId),
    /// The actor was heard of.
    ActorBeat(ActorBeat),
    /// The actor gets nothing more.
    ActorDraining(ActorDrain),
    /// The actor is registered no more.
    ActorDeregistered {
        /// Runs that it held: their leases end.
        leases: u64,
    },
    // Access.
    /// The key is there.
    KeyCreated,
    /// Who may do what is as asked.
    AccessChanged {
        /// False when it was so already.
        changed: bool,
    },
    // Ledgers.
    /// The entry is in its ledger.
    LedgerAppended {
        /// Its sequence.
        sequence: u64,
        /// False when the same key had appended it before.
        created: bool,
    },
    /// The plan waits for approval.
    ApprovalRequested(ApprovalId),
    /// The approval stands here now.
    ApprovalDecided(ApprovalState),
    // Webhooks.
    /// The webhook is there.
    WebhookCreated(WebhookId),
    /// The webhook is as asked.
    WebhookChanged {
        /// False when it was so already.
        changed: bool,
    },
    /// The webhook has a new secret.
    WebhookRotated {
        /// How many it has had.
        generation: u32,
    },
    /// What was sent is known.
    WebhookReported,
    /// The event is sent.
    DeliveryRequested {
        /// Its sequence.
        event: u64,
    },
}
