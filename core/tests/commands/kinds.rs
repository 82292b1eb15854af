//! The names of every command and of every refusal. A new variant does not compile until it is here, and is then missed by the table.

use mainstay_core::{Command, Rejection, RunId};

macro_rules! commands {
    ($($name:ident),+ $(,)?) => {
        /// Every command.
        pub(crate) const COMMANDS: &[&str] = &[$(stringify!($name)),+];

        /// A command's name.
        pub(crate) fn command_kind(command: &Command) -> &'static str {
            match command {
                $(Command::$name { .. } => stringify!($name),)+
            }
        }
    };
}

commands!(
    Submit,
    SubmitAs,
    SubmitAll,
    Claim,
    Heartbeat,
    Finish,
    Checkpoint,
    CancelRun,
    CancelTask,
    SuspendRun,
    ResumeRun,
    PauseEngine,
    ResumeEngine,
    Start,
    AdoptClock,
    Tick,
    UpdateTask,
    CreateRun,
    TransitionRun,
    AcquireLease,
    RenewLease,
    ExpireLease,
    ReleaseLease,
    StartAttempt,
    FinishAttempt,
    DeclareDependencies,
    AllocateBudget,
    Consume,
    ConsumeBudget,
    ReplenishBudget,
    Subscribe,
    Unsubscribe,
    TriggerSubscription,
    PublishEvent,
    ConfigureQueue,
    PauseQueue,
    ResumeQueue,
    CreateTenant,
    WeighTenant,
    RetryRun,
    ClearDeadLetter,
    // Operations.
    Operate,
    // Actors.
    RegisterActor,
    DrainActor,
    DeregisterActor,
    BeatActor,
    // Access.
    Govern,
    Attest,
    Hook,
);

macro_rules! refusals {
    ($($name:ident),+ $(,)?) => {
        /// Every refusal.
        pub(crate) const REFUSALS: &[&str] = &[$(stringify!($name)),+];

        /// A refusal's name.
        pub(crate) fn refusal_kind(refused: &Rejection) -> &'static str {
            match refused {
                $(Rejection::$name { .. } => stringify!($name),)+
            }
        }
    };
}

refusals!(
    InvalidTask,
    InvalidRequest,
    NotSupported,
    LimitExceeded,
    TaskAlreadyExists,
    UnknownTask,
    UnknownRun,
    UnknownTenant,
    IdempotencyConflict,
    LeaseLost,
    AlreadyFinished,
    InvalidTransition,
    PreviousStateMismatch,
    NonMonotonicSequence,
    RunSuspendRequiresRunning,
    RunResumeRequiresSuspended,
    CheckpointConflict,
    ParentTerminal,
    HierarchyTooDeep,
    DependencyCycle,
    EmptyDependencyList,
    TaskAlreadyStarted,
    RunAlreadyExists,
    RunCreateRequiresScheduled,
    TaskIsCanceled,
    TaskHasEnded,
    LeaseInvalidRunState,
    LeaseAlreadyActive,
    LeaseMissingActive,
    LeaseOwnerMismatch,
    LeaseExpiryMismatch,
    LeaseHeartbeatExpiryRegression,
    AttemptStartRequiresRunning,
    AttemptAlreadyActive,
    AttemptFinishRequiresRunning,
    AttemptFinishMissingActive,
    AttemptMismatch,
    BudgetNotAllocated,
    ZeroLimit,
    SubscriptionAlreadyExists,
    UnknownSubscription,
    SubscriptionAlreadyCanceled,
    QueueAlreadyPaused,
    QueueNotPaused,
    TenantAlreadyExists,
    EngineAlreadyPaused,
    EngineNotPaused,
    // Actors.
    UnknownActor,
    ActorAlreadyRegistered,
    EmptyCapabilities,
    CapabilityMissing,
    // Access.
    Forbidden,
    UnknownKey,
    KeyAlreadyExists,
    UnknownRole,
    RoleInUse,
    ApprovalAlreadyExists,
    UnknownApproval,
    ApprovalStateMismatch,
    SelfApproval,
    // Operations.
    UnknownOperation,
    OperationAlreadyExists,
    WebhookAlreadyExists,
    UnknownWebhook,
    WebhookDisabled,
    UnknownDelivery,
    SequenceOverflow,
    NotDeadLettered,
    UniqueKeyTaken,
    InList,
);

/// The run that a command names, whose state a caller may expect.
pub(crate) fn names_run(command: &Command) -> Option<RunId> {
    match command {
        Command::Heartbeat(beat) => Some(beat.run),
        Command::Finish(finish) => Some(finish.run),
        Command::Checkpoint(put) => Some(put.run),
        Command::CancelRun { run, .. }
        | Command::SuspendRun { run, .. }
        | Command::ResumeRun { run, .. }
        | Command::TransitionRun { run, .. }
        | Command::AcquireLease { run, .. }
        | Command::RenewLease { run, .. }
        | Command::ExpireLease { run, .. }
        | Command::ReleaseLease { run, .. }
        | Command::StartAttempt { run }
        | Command::FinishAttempt { run, .. }
        | Command::Consume { run, .. }
        | Command::RetryRun { run, .. }
        | Command::ClearDeadLetter { run, .. } => Some(*run),
        _ => None,
    }
}
