//! What each refusal says to people.
//! Owns: the sentences.
//! Never: adds a fact that the details do not have.

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::Rejection;
use crate::run::State;

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.of_request().or_else(|| self.of_work());
        let text = text.or_else(|| self.of_setting());
        let text = text.or_else(|| self.of_record());
        let text = text.or_else(|| self.of_actor());
        let text = text.or_else(|| self.of_access());
        f.write_str(text.as_deref().unwrap_or(self.code()))
    }
}

impl Rejection {
    /// About what was asked for, and the tasks and runs it names.
    fn of_request(&self) -> Option<String> {
        Some(match self {
            Rejection::InvalidTask { field, message }
            | Rejection::InvalidRequest { field, message } => {
                format!("{field} {message}")
            }
            Rejection::NotSupported { field } => {
                format!("{field} is not supported by this version")
            }
            Rejection::LimitExceeded { limit, value } => {
                format!("the limit {limit} of {value} is exceeded")
            }
            Rejection::TaskAlreadyExists { task } => format!("task {task} already exists"),
            Rejection::UnknownTask { .. } => "task not found".into(),
            Rejection::UnknownRun { .. } => "run not found".into(),
            Rejection::UnknownTenant { .. } => "tenant not found".into(),
            Rejection::IdempotencyConflict { .. } => {
                "the idempotency key was used for a different request".into()
            }
            Rejection::NonMonotonicSequence { expected, provided } => {
                format!("the log stands at {expected}, not at {provided}")
            }
            Rejection::ParentTerminal { task } => {
                format!("task {task} has ended: it gets no further children")
            }
            Rejection::HierarchyTooDeep { limit } => {
                format!("tasks nest at most {limit} deep")
            }
            Rejection::DependencyCycle { task } => {
                format!("task {task} would wait for itself")
            }
            Rejection::EmptyDependencyList => "depends_on must name at least one task".into(),
            Rejection::TaskAlreadyStarted { .. } => {
                "a run of the task has started: it can wait for nothing any more".into()
            }
            Rejection::RunAlreadyExists { run } => format!("run {run} already exists"),
            Rejection::RunCreateRequiresScheduled { state } => {
                format!("a run begins as scheduled, not as {}", state.name())
            }
            Rejection::TaskIsCanceled { .. } => "the task is canceled: it changes no more".into(),
            Rejection::TaskHasEnded { state, .. } => {
                format!("the task has ended as {}: it changes no more", state.name())
            }
            Rejection::UniqueKeyTaken { task } => {
                format!("task {task} has the same unique key and has not ended")
            }
            Rejection::SequenceOverflow => "the log's sequence has reached its end".into(),
            Rejection::InList { list, index, why } => format!("{list}.{index}: {why}"),
            _ => return None,
        })
    }

    /// About a run, its lease and its attempt.
    fn of_work(&self) -> Option<String> {
        Some(match self {
            Rejection::LeaseLost { .. } => {
                "the lease is no longer held with this token; nothing was changed".into()
            }
            Rejection::AlreadyFinished { state, .. } => {
                format!(
                    "this attempt has ended with another outcome; the run is {}",
                    state.name()
                )
            }
            Rejection::InvalidTransition { from, to } => {
                format!("a run cannot go from {} to {}", from.name(), to.name())
            }
            Rejection::PreviousStateMismatch { expected, actual } => {
                format!("the run is {}, not {}", actual.name(), expected.name())
            }
            Rejection::CheckpointConflict { name } => {
                format!("checkpoint {name} exists with another value")
            }
            Rejection::LeaseInvalidRunState {
                blocked: Some(code),
                ..
            } => {
                format!("the run is ready, but nobody may lease it now: {code}")
            }
            Rejection::LeaseInvalidRunState { state, .. } => {
                format!("a {} run has no lease to act on", state.name())
            }
            Rejection::LeaseAlreadyActive { owner } => format!("{owner} holds the run"),
            Rejection::LeaseMissingActive { .. } => "nobody holds the run".into(),
            Rejection::LeaseOwnerMismatch { expected, provided } => {
                format!("the lease is {expected}'s, not {provided}'s")
            }
            Rejection::LeaseExpiryMismatch { .. } => {
                "the lease ends at another time than the one named".into()
            }
            Rejection::LeaseHeartbeatExpiryRegression { .. } => {
                "a heartbeat cannot put the end of a lease earlier".into()
            }
            Rejection::AttemptStartRequiresRunning { state } => {
                format!(
                    "an attempt begins on a running run; this one is {}",
                    state.name()
                )
            }
            Rejection::AttemptAlreadyActive { attempt } => {
                format!("attempt {attempt} is on its way")
            }
            Rejection::AttemptFinishRequiresRunning { state } => {
                format!(
                    "an attempt ends on a running run; this one is {}",
                    state.name()
                )
            }
            Rejection::AttemptFinishMissingActive { .. } => "no attempt is on its way".into(),
            Rejection::AttemptMismatch { expected, provided } => {
                format!("attempt {expected} is on its way, not {provided}")
            }
            _ => return None,
        })
    }

    /// About what is set and what is set aside, and who waits for what.
    fn of_setting(&self) -> Option<String> {
        Some(match self {
            Rejection::BudgetNotAllocated { dimension } => {
                format!("no budget of {dimension} was set")
            }
            Rejection::ZeroLimit { dimension } => {
                format!("the limit of {dimension} must be at least 1")
            }
            Rejection::SubscriptionAlreadyExists { subscription } => {
                format!("subscription {subscription} already exists")
            }
            Rejection::UnknownSubscription { .. } => "subscription not found".into(),
            Rejection::SubscriptionAlreadyCanceled { .. } => {
                "the subscription is already canceled".into()
            }
            Rejection::QueueAlreadyPaused { queue } => {
                format!("queue {queue} is already paused")
            }
            Rejection::NotDeadLettered {
                state: State::Failed,
                ..
            } => "the run failed, and was tried again or cleared away since".into(),
            Rejection::NotDeadLettered { state, .. } => {
                format!(
                    "only a run that failed can be tried again or cleared away; this one is {}",
                    state.name()
                )
            }
            Rejection::QueueNotPaused { queue } => format!("queue {queue} is not paused"),
            Rejection::TenantAlreadyExists { .. } => {
                "a tenant of this id or name already exists".into()
            }
            Rejection::EngineAlreadyPaused => "the engine is already paused".into(),
            Rejection::EngineNotPaused => "the engine is not paused".into(),
            Rejection::RunSuspendRequiresRunning { state } => {
                format!(
                    "only a running run can be suspended; this one is {}",
                    state.name()
                )
            }
            Rejection::RunResumeRequiresSuspended { state } => {
                format!(
                    "only a suspended run can be resumed; this one is {}",
                    state.name()
                )
            }
            _ => return None,
        })
    }

    /// About what is on record, what acts on many, and who outside is told.
    fn of_record(&self) -> Option<String> {
        Some(match self {
            Rejection::ApprovalAlreadyExists { approval } => {
                format!("approval {approval} already exists")
            }
            Rejection::UnknownApproval { .. } => "approval not found".into(),
            Rejection::UnknownOperation { .. } => "operation not found".into(),
            Rejection::OperationAlreadyExists { operation } => {
                format!("operation {operation} already exists")
            }
            Rejection::WebhookAlreadyExists { webhook } => {
                format!("webhook {webhook} already exists")
            }
            Rejection::UnknownWebhook { .. } => "webhook not found".into(),
            Rejection::UnknownDelivery { .. } => "delivery not found".into(),
            Rejection::WebhookDisabled { .. } => "the webhook is disabled; enable it first".into(),
            Rejection::ApprovalStateMismatch { state, decision } => {
                format!(
                    "{} does not fit: the approval is {}",
                    decision.name(),
                    state.name()
                )
            }
            Rejection::SelfApproval => {
                "nobody reviews or approves what they asked for, or approves what they reviewed"
                    .into()
            }
            _ => return None,
        })
    }

    /// About who works.
    fn of_actor(&self) -> Option<String> {
        Some(match self {
            Rejection::UnknownActor { .. } => "actor not found".into(),
            Rejection::ActorAlreadyRegistered { actor } => {
                format!("actor {actor} is already registered")
            }
            Rejection::EmptyCapabilities => "an actor must have at least one capability".into(),
            Rejection::CapabilityMissing { capability } => {
                format!("the actor does not have the capability {capability}")
            }
            _ => return None,
        })
    }

    /// About who may do what.
    fn of_access(&self) -> Option<String> {
        Some(match self {
            Rejection::Forbidden { required } => {
                format!("{required} is needed for this, and to give it to others")
            }
            Rejection::UnknownKey { .. } => "key not found".into(),
            Rejection::KeyAlreadyExists { key } => format!("key {key} already exists"),
            Rejection::UnknownRole { .. } => "role not found".into(),
            Rejection::RoleInUse { role } => {
                format!("a key or an actor has the role {role}")
            }
            _ => return None,
        })
    }
}
