//! What kind of refusal each is.
//! Owns: the families; the edge gives each one status.
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

impl Rejection {
    /// The family.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Rejection::InvalidTask { .. }
            | Rejection::InvalidRequest { .. }
            | Rejection::NotSupported { .. }
            | Rejection::LimitExceeded { .. }
            | Rejection::HierarchyTooDeep { .. }
            | Rejection::EmptyDependencyList
            | Rejection::EmptyCapabilities
            | Rejection::CapabilityMissing { .. }
            | Rejection::RunCreateRequiresScheduled { .. }
            | Rejection::ZeroLimit { .. } => Family::Invalid,
            Rejection::Forbidden { .. } | Rejection::SelfApproval => Family::Forbidden,
            Rejection::UnknownTask { .. }
            | Rejection::TaskHasEnded { .. }
            | Rejection::UnknownRun { .. }
            | Rejection::UnknownSubscription { .. }
            | Rejection::UnknownActor { .. }
            | Rejection::UnknownTenant { .. }
            | Rejection::UnknownKey { .. }
            | Rejection::UnknownRole { .. }
            | Rejection::UnknownApproval { .. }
            | Rejection::UnknownOperation { .. }
            | Rejection::UnknownWebhook { .. }
            | Rejection::UnknownDelivery { .. } => Family::NotFound,
            Rejection::TaskAlreadyExists { .. }
            | Rejection::IdempotencyConflict { .. }
            | Rejection::LeaseLost { .. }
            | Rejection::AlreadyFinished { .. }
            | Rejection::InvalidTransition { .. }
            | Rejection::PreviousStateMismatch { .. }
            | Rejection::NonMonotonicSequence { .. }
            | Rejection::RunSuspendRequiresRunning { .. }
            | Rejection::RunResumeRequiresSuspended { .. }
            | Rejection::CheckpointConflict { .. }
            | Rejection::ParentTerminal { .. }
            | Rejection::DependencyCycle { .. }
            | Rejection::TaskAlreadyStarted { .. }
            | Rejection::RunAlreadyExists { .. }
            | Rejection::TaskIsCanceled { .. }
            | Rejection::LeaseInvalidRunState { .. }
            | Rejection::LeaseAlreadyActive { .. }
            | Rejection::LeaseMissingActive { .. }
            | Rejection::LeaseOwnerMismatch { .. }
            | Rejection::LeaseExpiryMismatch { .. }
            | Rejection::LeaseHeartbeatExpiryRegression { .. }
            | Rejection::AttemptStartRequiresRunning { .. }
            | Rejection::AttemptAlreadyActive { .. }
            | Rejection::AttemptFinishRequiresRunning { .. }
            | Rejection::AttemptFinishMissingActive { .. }
            | Rejection::AttemptMismatch { .. }
            | Rejection::BudgetNotAllocated { .. }
            | Rejection::SubscriptionAlreadyExists { .. }
            | Rejection::SubscriptionAlreadyCanceled { .. }
            | Rejection::QueueAlreadyPaused { .. }
            | Rejection::QueueNotPaused { .. }
            | Rejection::TenantAlreadyExists { .. }
            | Rejection::ActorAlreadyRegistered { .. }
            | Rejection::KeyAlreadyExists { .. }
            | Rejection::ApprovalAlreadyExists { .. }
            | Rejection::OperationAlreadyExists { .. }
            | Rejection::ApprovalStateMismatch { .. }
            | Rejection::WebhookAlreadyExists { .. }
            | Rejection::WebhookDisabled { .. }
            | Rejection::RoleInUse { .. }
            | Rejection::EngineAlreadyPaused
            | Rejection::EngineNotPaused
            | Rejection::SequenceOverflow
            | Rejection::NotDeadLettered { .. }
            | Rejection::UniqueKeyTaken { .. } => Family::Conflict,
            Rejection::InList { why, .. } => why.family(),
        }
    }
}
