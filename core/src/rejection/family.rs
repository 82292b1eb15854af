//! The stable code of each refusal, and what kind of refusal it is.
//! Owns: the table of both; the edge gives each family one status.
//! Never: knows a status code.

use super::Rejection;

/// What kind of refusal it is; the edge gives each family one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The thing named does not exist in the caller's tenant.
    NotFound,
    /// The thing exists, but its present state forbids this.
    Conflict,
    /// What was asked for is not valid whatever the state.
    Invalid,
    /// Whoever asks may not.
    Forbidden,
}

macro_rules! refusals {
    ($($name:ident $code:literal $family:ident,)+) => {
        impl Rejection {
            /// The stable code.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    $(Rejection::$name { .. } => $code,)+
                    Rejection::InList { why, .. } => why.code(),
                }
            }

            /// The family.
            #[must_use]
            pub fn family(&self) -> Family {
                match self {
                    $(Rejection::$name { .. } => Family::$family,)+
                    Rejection::InList { why, .. } => why.family(),
                }
            }
        }
    };
}

refusals! {
    InvalidTask "invalid_task" Invalid,
    InvalidRequest "invalid_request" Invalid,
    NotSupported "not_supported" Invalid,
    LimitExceeded "limit_exceeded" Invalid,
    HierarchyTooDeep "hierarchy_too_deep" Invalid,
    EmptyDependencyList "empty_dependency_list" Invalid,
    RunCreateRequiresScheduled "run_create_requires_scheduled" Invalid,
    ZeroLimit "zero_limit" Invalid,
    EmptyCapabilities "empty_capabilities" Invalid,
    CapabilityMissing "capability_missing" Invalid,
    Forbidden "forbidden" Forbidden,
    SelfApproval "self_approval" Forbidden,
    UnknownTask "unknown_task" NotFound,
    TaskHasEnded "unknown_task" NotFound,
    UnknownRun "unknown_run" NotFound,
    UnknownTenant "unknown_tenant" NotFound,
    UnknownSubscription "unknown_subscription" NotFound,
    UnknownActor "unknown_actor" NotFound,
    UnknownKey "unknown_key" NotFound,
    UnknownRole "unknown_role" NotFound,
    UnknownApproval "unknown_approval" NotFound,
    UnknownOperation "unknown_operation" NotFound,
    UnknownWebhook "unknown_webhook" NotFound,
    UnknownDelivery "unknown_delivery" NotFound,
    TaskAlreadyExists "task_already_exists" Conflict,
    IdempotencyConflict "idempotency_conflict" Conflict,
    LeaseLost "lease_lost" Conflict,
    AlreadyFinished "already_finished" Conflict,
    InvalidTransition "invalid_transition" Conflict,
    PreviousStateMismatch "previous_state_mismatch" Conflict,
    NonMonotonicSequence "non_monotonic_sequence" Conflict,
    RunSuspendRequiresRunning "run_suspend_requires_running" Conflict,
    RunResumeRequiresSuspended "run_resume_requires_suspended" Conflict,
    CheckpointConflict "checkpoint_conflict" Conflict,
    ParentTerminal "parent_terminal" Conflict,
    DependencyCycle "dependency_cycle" Conflict,
    TaskAlreadyStarted "task_already_started" Conflict,
    RunAlreadyExists "run_already_exists" Conflict,
    TaskIsCanceled "task_canceled" Conflict,
    LeaseInvalidRunState "lease_invalid_run_state" Conflict,
    LeaseAlreadyActive "lease_already_active" Conflict,
    LeaseMissingActive "lease_missing_active" Conflict,
    LeaseOwnerMismatch "lease_owner_mismatch" Conflict,
    LeaseExpiryMismatch "lease_expiry_mismatch" Conflict,
    LeaseHeartbeatExpiryRegression "lease_heartbeat_expiry_regression" Conflict,
    AttemptStartRequiresRunning "attempt_start_requires_running" Conflict,
    AttemptAlreadyActive "attempt_already_active" Conflict,
    AttemptFinishRequiresRunning "attempt_finish_requires_running" Conflict,
    AttemptFinishMissingActive "attempt_finish_missing_active" Conflict,
    AttemptMismatch "attempt_mismatch" Conflict,
    BudgetNotAllocated "budget_not_allocated" Conflict,
    SubscriptionAlreadyExists "subscription_already_exists" Conflict,
    SubscriptionAlreadyCanceled "subscription_already_canceled" Conflict,
    QueueAlreadyPaused "queue_already_paused" Conflict,
    QueueNotPaused "queue_not_paused" Conflict,
    TenantAlreadyExists "tenant_already_exists" Conflict,
    EngineAlreadyPaused "engine_already_paused" Conflict,
    EngineNotPaused "engine_not_paused" Conflict,
    ActorAlreadyRegistered "actor_already_registered" Conflict,
    KeyAlreadyExists "key_already_exists" Conflict,
    RoleInUse "role_in_use" Conflict,
    ApprovalAlreadyExists "approval_already_exists" Conflict,
    ApprovalStateMismatch "approval_state_mismatch" Conflict,
    OperationAlreadyExists "operation_already_exists" Conflict,
    WebhookAlreadyExists "webhook_already_exists" Conflict,
    WebhookDisabled "webhook_disabled" Conflict,
    SequenceOverflow "sequence_overflow" Conflict,
    NotDeadLettered "not_dead_lettered" Conflict,
    UniqueKeyTaken "unique_key_taken" Conflict,
}
