//! Typed refusals: a command that is refused changes nothing and writes nothing.
//! Owns: every rejection's stable code, family, message and details.
//! Never: knows a status code; the edge maps families to them.

use alloc::boxed::Box;
use alloc::string::String;

pub use family::Family;

use crate::ledger::{ApprovalState, Decision};
use crate::run::State;
use crate::task::State as TaskState;
use crate::time::Timestamp;
use crate::{
    ActorId, ApprovalId, AttemptId, KeyId, OperationId, RunId, SubscriptionId, TaskId, TenantId,
    Text, WebhookId,
};

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// A field of the task is missing, malformed or out of bounds.
    InvalidTask {
        /// The field's dotted path.
        field: &'static str,
        /// What it must be.
        message: String,
    },
    /// A field of another command is malformed or out of bounds.
    InvalidRequest {
        /// The field's dotted path.
        field: &'static str,
        /// What it must be.
        message: String,
    },
    /// Known, but not acted on by this version.
    NotSupported {
        /// The field's dotted path.
        field: String,
    },
    /// A limit of the system.
    LimitExceeded {
        /// Which.
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// The chosen task id is taken.
    TaskAlreadyExists {
        /// The id.
        task: TaskId,
    },
    /// No such task.
    UnknownTask {
        /// The id.
        task: TaskId,
    },
    /// No such run.
    UnknownRun {
        /// The id.
        run: RunId,
    },
    /// No such tenant.
    UnknownTenant {
        /// The id.
        tenant: TenantId,
    },
    /// The idempotency key was used for a different request.
    IdempotencyConflict {
        /// The key.
        key: Text,
    },
    /// The token is not the live one. Nothing was changed.
    LeaseLost {
        /// The run.
        run: RunId,
    },
    /// The attempt has ended with another outcome, output or error.
    AlreadyFinished {
        /// The run.
        run: RunId,
        /// Its state.
        state: State,
    },
    /// The transition table has no such edge.
    InvalidTransition {
        /// From.
        from: State,
        /// To.
        to: State,
    },
    /// The run is not in the expected state.
    PreviousStateMismatch {
        /// Expected.
        expected: State,
        /// Actual.
        actual: State,
    },
    /// The machine does not stand at the expected sequence.
    NonMonotonicSequence {
        /// The machine's sequence.
        expected: u64,
        /// The caller's.
        provided: u64,
    },
    /// Only running runs can be suspended.
    RunSuspendRequiresRunning {
        /// Its state.
        state: State,
    },
    /// Only suspended runs can be resumed.
    RunResumeRequiresSuspended {
        /// Its state.
        state: State,
    },
    /// The checkpoint exists with another value.
    CheckpointConflict {
        /// Its name.
        name: Text,
    },
    /// The task's parent, or the task of the run that submits it, has ended.
    ParentTerminal {
        /// The parent.
        task: TaskId,
    },
    /// The hierarchy would be deeper than it may be.
    HierarchyTooDeep {
        /// How deep it may be.
        limit: u64,
    },
    /// The prerequisites would wait for each other.
    DependencyCycle {
        /// The task that would wait for itself.
        task: TaskId,
    },
    /// A declaration names no task.
    EmptyDependencyList,
    /// A run of the task has started: it waits for nothing any more.
    TaskAlreadyStarted {
        /// The task.
        task: TaskId,
    },
    /// The chosen run id is taken.
    RunAlreadyExists {
        /// The id.
        run: RunId,
    },
    /// Every run begins as scheduled.
    RunCreateRequiresScheduled {
        /// What was asked for.
        state: State,
    },
    /// The task is canceled: it changes no more.
    TaskIsCanceled {
        /// The task.
        task: TaskId,
    },
    /// No task of this id goes on: it is completed, or it has failed.
    TaskHasEnded {
        /// The task.
        task: TaskId,
        /// How it ended.
        state: TaskState,
    },
    /// Only ready runs that nothing holds back can be leased, and no lease is left on a run that has ended.
    LeaseInvalidRunState {
        /// Its state.
        state: State,
        /// What holds a ready run back: the first code of its explanation.
        blocked: Option<&'static str>,
    },
    /// Somebody holds the run.
    LeaseAlreadyActive {
        /// Who.
        owner: Text,
    },
    /// Nobody holds the run.
    LeaseMissingActive {
        /// The run.
        run: RunId,
    },
    /// Somebody else holds the run.
    LeaseOwnerMismatch {
        /// Who.
        expected: Text,
        /// Who asks.
        provided: Text,
    },
    /// The lease ends at another time than the caller believes.
    LeaseExpiryMismatch {
        /// When it ends.
        expected: Timestamp,
        /// What the caller believes.
        provided: Timestamp,
    },
    /// A heartbeat would put the end of a lease earlier.
    LeaseHeartbeatExpiryRegression {
        /// When it ends.
        current: Timestamp,
        /// What was asked for.
        provided: Timestamp,
    },
    /// Attempts begin on running runs only.
    AttemptStartRequiresRunning {
        /// Its state.
        state: State,
    },
    /// An attempt is on its way.
    AttemptAlreadyActive {
        /// Which.
        attempt: AttemptId,
    },
    /// Attempts end on running runs only.
    AttemptFinishRequiresRunning {
        /// Its state.
        state: State,
    },
    /// No attempt is on its way.
    AttemptFinishMissingActive {
        /// The run.
        run: RunId,
    },
    /// Another attempt is on its way.
    AttemptMismatch {
        /// Which.
        expected: AttemptId,
        /// Which one was named.
        provided: AttemptId,
    },
    /// No budget of this dimension was set.
    BudgetNotAllocated {
        /// The dimension.
        dimension: Text,
    },
    /// A budget of nothing.
    ZeroLimit {
        /// The dimension.
        dimension: Text,
    },
    /// The chosen subscription id is taken.
    SubscriptionAlreadyExists {
        /// The id.
        subscription: SubscriptionId,
    },
    /// No such subscription.
    UnknownSubscription {
        /// The id.
        subscription: SubscriptionId,
    },
    /// The subscription was canceled before.
    SubscriptionAlreadyCanceled {
        /// The id.
        subscription: SubscriptionId,
    },
    /// The queue is paused already.
    QueueAlreadyPaused {
        /// The queue.
        queue: Text,
    },
    /// The queue is not paused.
    QueueNotPaused {
        /// The queue.
        queue: Text,
    },
    /// The chosen tenant id or name is taken.
    TenantAlreadyExists {
        /// The id.
        tenant: TenantId,
    },
    /// The engine is paused already.
    EngineAlreadyPaused,
    /// The engine is not paused.
    EngineNotPaused,
    // Actors.
    /// No such actor.
    UnknownActor {
        /// The id.
        actor: ActorId,
    },
    /// The chosen actor id is in use.
    ActorAlreadyRegistered {
        /// The id.
        actor: ActorId,
    },
    /// An actor that is able to do nothing.
    EmptyCapabilities,
    /// A claim asks with a capability that its actor does not have.
    CapabilityMissing {
        /// Which.
        capability: Text,
    },
    // Access.
    /// Whoever asks may not do this, or may not give it to others.
    Forbidden {
        /// The capability it takes.
        required: Text,
    },
    /// No such key.
    UnknownKey {
        /// The id.
        key: KeyId,
    },
    /// The chosen key id is taken.
    KeyAlreadyExists {
        /// The id.
        key: KeyId,
    },
    /// No such role.
    UnknownRole {
        /// Its name.
        role: Text,
    },
    /// A key or an actor has the role.
    RoleInUse {
        /// Its name.
        role: Text,
    },
    // Ledgers.
    /// The chosen approval id is taken.
    ApprovalAlreadyExists {
        /// The id.
        approval: ApprovalId,
    },
    /// No such approval is open.
    UnknownApproval {
        /// The id.
        approval: ApprovalId,
    },
    /// An approval is reviewed first and approved afterwards.
    ApprovalStateMismatch {
        /// Where it stands.
        state: ApprovalState,
        /// What was to be decided.
        decision: Decision,
    },
    /// Nobody reviews or approves what they asked for, or approves what they reviewed.
    SelfApproval,
    // Operations.
    /// No such operation is known.
    UnknownOperation {
        /// The id.
        operation: OperationId,
    },
    /// The chosen operation id is taken by an operation on other runs.
    OperationAlreadyExists {
        /// The id.
        operation: OperationId,
    },
    // Webhooks.
    /// The chosen webhook id is taken.
    WebhookAlreadyExists {
        /// The id.
        webhook: WebhookId,
    },
    /// No such webhook.
    UnknownWebhook {
        /// The id.
        webhook: WebhookId,
    },
    /// The webhook is switched off.
    WebhookDisabled {
        /// The id.
        webhook: WebhookId,
    },
    /// No such delivery of the webhook is known.
    UnknownDelivery {
        /// The event.
        event: u64,
    },
    /// The log's sequence has reached its end.
    SequenceOverflow,
    /// One of many things that go together is refused, and with it all of them.
    InList {
        /// What the list is called.
        list: &'static str,
        /// Its place in the list, from 0.
        index: u32,
        /// Why it is refused.
        why: Box<Rejection>,
    },
    // Dead letters and operations.
    /// The run did not fail for good, or was tried again or cleared away since.
    NotDeadLettered {
        /// The run.
        run: RunId,
        /// Its state.
        state: State,
    },
    /// Another task that has not ended has the unique key by now.
    UniqueKeyTaken {
        /// That task.
        task: TaskId,
    },
}

impl Rejection {
    /// The refusal of one of many, whatever the list.
    #[must_use]
    pub fn innermost(&self) -> &Rejection {
        match self {
            Rejection::InList { why, .. } => why.innermost(),
            alone => alone,
        }
    }

    /// The same of a thing at this place of a list.
    pub(crate) fn of_item(self, list: &'static str, index: usize) -> Rejection {
        Rejection::InList {
            list,
            index: index as u32,
            why: Box::new(self),
        }
    }
}

impl core::error::Error for Rejection {}

mod details;
mod family;
mod words;
