//! What a program may want to read of a refusal, by name.
//! Owns: the names.
//! Never: says it in words.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Display;

use super::Rejection;
use crate::time::Timestamp;

/// Name, value, and whether the value is a number.
type Detail = (&'static str, String, bool);

fn text(name: &'static str, value: &dyn Display) -> Detail {
    (name, value.to_string(), false)
}

fn number(name: &'static str, value: u64) -> Detail {
    (name, value.to_string(), true)
}

fn instants(expected: (&'static str, Timestamp), provided: Timestamp) -> Vec<Detail> {
    let (name, expected) = expected;
    vec![number(name, expected.0), number("provided_ms", provided.0)]
}

fn both(expected: &dyn Display, provided: &dyn Display) -> Vec<Detail> {
    vec![text("expected", expected), text("provided", provided)]
}

impl Rejection {
    /// What a program may want to read, by name. Numbers are decimal text with `true` as their third part.
    #[must_use]
    pub fn details(&self) -> Vec<Detail> {
        if let Rejection::InList { list, index, why } = self {
            let mut details = why.details();
            for (name, value, _) in &mut details {
                if *name == "field" {
                    *value = format!("{list}.{index}.{value}");
                }
            }
            details.push(number("index", (*index).into()));
            return details;
        }
        let named = self.named().or_else(|| self.stood());
        named.or_else(|| self.asked()).unwrap_or_default()
    }

    /// Of a refusal that names one thing.
    fn named(&self) -> Option<Vec<Detail>> {
        let detail = match self {
            Rejection::TaskAlreadyExists { task }
            | Rejection::UnknownTask { task }
            | Rejection::ParentTerminal { task }
            | Rejection::DependencyCycle { task }
            | Rejection::TaskAlreadyStarted { task }
            | Rejection::UniqueKeyTaken { task }
            | Rejection::TaskIsCanceled { task } => text("task_id", task),
            Rejection::UnknownRun { run }
            | Rejection::LeaseLost { run }
            | Rejection::RunAlreadyExists { run }
            | Rejection::LeaseMissingActive { run }
            | Rejection::AttemptFinishMissingActive { run } => text("run_id", run),
            Rejection::UnknownTenant { tenant } | Rejection::TenantAlreadyExists { tenant } => {
                text("tenant_id", tenant)
            }
            Rejection::SubscriptionAlreadyExists { subscription }
            | Rejection::UnknownSubscription { subscription }
            | Rejection::SubscriptionAlreadyCanceled { subscription } => {
                text("subscription_id", subscription)
            }
            Rejection::BudgetNotAllocated { dimension } | Rejection::ZeroLimit { dimension } => {
                text("dimension", dimension)
            }
            Rejection::QueueAlreadyPaused { queue } | Rejection::QueueNotPaused { queue } => {
                text("queue", queue)
            }
            Rejection::UnknownActor { actor } | Rejection::ActorAlreadyRegistered { actor } => {
                text("actor_id", actor)
            }
            Rejection::CapabilityMissing { capability } => text("capability", capability),
            // Access.
            Rejection::Forbidden { required } => text("required", required),
            Rejection::UnknownKey { key } | Rejection::KeyAlreadyExists { key } => {
                text("key_id", key)
            }
            Rejection::UnknownRole { role } | Rejection::RoleInUse { role } => text("role", role),
            Rejection::WebhookAlreadyExists { webhook }
            | Rejection::UnknownWebhook { webhook }
            | Rejection::WebhookDisabled { webhook } => text("webhook_id", webhook),
            Rejection::UnknownDelivery { event } => text("delivery_id", event),
            Rejection::ApprovalAlreadyExists { approval }
            | Rejection::UnknownApproval { approval } => text("approval_id", approval),
            Rejection::OperationAlreadyExists { operation }
            | Rejection::UnknownOperation { operation } => text("operation_id", operation),
            Rejection::IdempotencyConflict { key } => text("idempotency_key", key),
            Rejection::CheckpointConflict { name } => text("name", name),
            Rejection::LeaseAlreadyActive { owner } => text("owner", owner),
            Rejection::AttemptAlreadyActive { attempt } => text("attempt_id", attempt),
            _ => return None,
        };
        Some(vec![detail])
    }

    /// Of a refusal that says how a run stands.
    fn stood(&self) -> Option<Vec<Detail>> {
        Some(match self {
            Rejection::RunCreateRequiresScheduled { state }
            | Rejection::RunSuspendRequiresRunning { state }
            | Rejection::RunResumeRequiresSuspended { state }
            | Rejection::AttemptStartRequiresRunning { state }
            | Rejection::AttemptFinishRequiresRunning { state } => {
                vec![text("state", &state.name())]
            }
            Rejection::LeaseInvalidRunState { state, blocked } => {
                let reason = blocked.map(|code| text("block_reason", &code));
                let state = core::iter::once(text("state", &state.name()));
                state.chain(reason).collect()
            }
            Rejection::TaskHasEnded { task, state } => {
                vec![text("task_id", task), text("state", &state.name())]
            }
            Rejection::AlreadyFinished { run, state }
            | Rejection::NotDeadLettered { run, state } => {
                vec![text("run_id", run), text("state", &state.name())]
            }
            Rejection::InvalidTransition { from, to } => {
                vec![text("from", &from.name()), text("to", &to.name())]
            }
            Rejection::ApprovalStateMismatch { state, decision } => vec![
                text("state", &state.name()),
                text("decision", &decision.name()),
            ],
            Rejection::PreviousStateMismatch { expected, actual } => vec![
                text("expected", &expected.name()),
                text("actual", &actual.name()),
            ],
            _ => return None,
        })
    }

    /// Of a refusal that holds what was asked for against what is.
    fn asked(&self) -> Option<Vec<Detail>> {
        Some(match self {
            Rejection::InvalidTask { field, .. } | Rejection::InvalidRequest { field, .. } => {
                vec![text("field", field)]
            }
            Rejection::NotSupported { field } => vec![text("field", field)],
            Rejection::LimitExceeded { limit, value } => {
                vec![text("limit", limit), number("value", *value)]
            }
            Rejection::HierarchyTooDeep { limit } => vec![number("limit", *limit)],
            Rejection::LeaseOwnerMismatch { expected, provided } => both(expected, provided),
            Rejection::AttemptMismatch { expected, provided } => both(expected, provided),
            Rejection::LeaseExpiryMismatch { expected, provided } => {
                instants(("expected_ms", *expected), *provided)
            }
            Rejection::LeaseHeartbeatExpiryRegression { current, provided } => {
                instants(("current_ms", *current), *provided)
            }
            Rejection::NonMonotonicSequence { expected, provided } => {
                vec![number("expected", *expected), number("provided", *provided)]
            }
            _ => return None,
        })
    }
}
