//! Events as the public sees them: names for ever, whom they are about, and what they show.
//! Owns: which fact has which public name, which has none, and which fields nobody outside sees.
//! Never: shows what a token is made of; forgets a name that was public once.

use super::{Event, EventKind, FactValue, Visit};
use crate::run::{AttemptResult, Cause, State};
use crate::{RunId, TaskId};

/// A type of public event.
#[derive(Clone, Copy, Debug)]
pub struct PublicType {
    /// Its name, for ever.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// The facts that are told by this name.
    pub kinds: &'static [EventKind],
}

const fn told(
    name: &'static str,
    kinds: &'static [EventKind],
    meaning: &'static str,
) -> PublicType {
    PublicType {
        name,
        meaning,
        kinds,
    }
}

use EventKind as K;

/// Every type of public event.
pub const PUBLIC_TYPES: &[PublicType] = &[
    told("task_created", &[K::TaskCreated], "A task was accepted."),
    told(
        "task_updated",
        &[K::TaskUpdated],
        "A task's metadata changed.",
    ),
    told(
        "task_canceled",
        &[K::TaskCanceled],
        "A task was canceled; its runs' own events follow.",
    ),
    told("run_created", &[K::RunCreated], "A run of a task exists."),
    told(
        "run_ready",
        &[K::RunReady, K::RunReturned, K::LeaseEnded],
        "A run came due, its retry delay passed, or a worker gave it back: it waits for a worker.",
    ),
    told(
        "run_leased",
        &[K::LeaseAcquired],
        "Somebody holds a run; no work on it has begun.",
    ),
    told(
        "run_started",
        &[K::RunStarted, K::RunBegan],
        "A worker works on a run.",
    ),
    told(
        "run_completed",
        &[K::RunCompleted, K::RunTransitioned],
        "A run ended well.",
    ),
    told(
        "run_failed",
        &[K::RunFailed, K::RunTransitioned],
        "A run ended badly: a dead letter.",
    ),
    told(
        "run_retry_scheduled",
        &[K::RunRetryScheduled, K::RunTransitioned],
        "An attempt failed or timed out and another will follow.",
    ),
    told(
        "run_suspended",
        &[K::RunSuspended, K::RunTransitioned],
        "A run was set aside until something resumes it.",
    ),
    told(
        "run_resumed",
        &[K::RunResumed],
        "A suspended run is ready again.",
    ),
    told(
        "run_cancel_requested",
        &[K::RunCancelRequested],
        "A running run's worker is told to stop.",
    ),
    told(
        "run_suspend_requested",
        &[K::RunSuspendRequested],
        "A running run's worker is told to suspend it.",
    ),
    told(
        "run_canceled",
        &[K::RunCanceled, K::RunTransitioned],
        "A run was canceled.",
    ),
    told(
        "run_rescheduled",
        &[K::RunRescheduled],
        "A run that has not started is due at another time.",
    ),
    told(
        "lease_expired",
        &[K::RunReturned, K::LeaseEnded],
        "A lease ended without a word: the run is ready again.",
    ),
    told(
        "schedule_changed",
        &[K::ScheduleChanged],
        "A task's schedule was replaced.",
    ),
    told(
        "schedule_paused",
        &[K::SchedulePaused],
        "A task's schedule makes no runs for a while.",
    ),
    told(
        "schedule_resumed",
        &[K::ScheduleResumed],
        "A task's schedule makes runs again.",
    ),
    told(
        "schedule_ended",
        &[K::ScheduleEnded],
        "A schedule will make no further run.",
    ),
    told(
        "occurrences_skipped",
        &[K::OccurrencesSkipped],
        "Instants of a schedule passed without a run of their own.",
    ),
    told(
        "dependencies_declared",
        &[K::DependenciesDeclared],
        "A task was made to depend on more tasks.",
    ),
    told(
        "dependency_satisfied",
        &[K::DependencySatisfied],
        "A prerequisite of a task is completed.",
    ),
    told(
        "budget_allocated",
        &[K::BudgetAllocated],
        "A budget was set, or its limit changed within its period.",
    ),
    told(
        "budget_consumed",
        &[K::BudgetConsumed],
        "Use of budgets was reported.",
    ),
    told(
        "budget_replenished",
        &[K::BudgetReplenished],
        "A budget's new period began.",
    ),
    told(
        "budget_exhausted",
        &[K::BudgetExhausted],
        "A budget's use reached its limit.",
    ),
    told(
        "budget_threshold",
        &[K::BudgetThresholdPassed],
        "A budget's use passed a threshold that somebody waits for.",
    ),
    told(
        "subscription_created",
        &[K::SubscriptionCreated],
        "A task waits to hear of something.",
    ),
    told(
        "subscription_canceled",
        &[K::SubscriptionCanceled],
        "A task waits no longer.",
    ),
    told(
        "subscription_triggered",
        &[K::SubscriptionTriggered],
        "What a subscription waited for has happened.",
    ),
    told(
        "custom_event",
        &[K::CustomEventPublished],
        "Somebody published an event of their own.",
    ),
    told(
        "queue_configured",
        &[K::QueueConfigured],
        "A queue's settings changed.",
    ),
    told(
        "queue_paused",
        &[K::QueuePaused],
        "Nothing is granted from a queue any more.",
    ),
    told(
        "queue_resumed",
        &[K::QueueResumed],
        "A queue's runs are granted again.",
    ),
    // Ledgers.
    told(
        "ledger_appended",
        &[K::LedgerAppended],
        "An entry was appended to a ledger.",
    ),
    told(
        "approval_requested",
        &[K::ApprovalRequested],
        "A plan waits for approval.",
    ),
    told(
        "approval_decided",
        &[K::ApprovalDecided],
        "Somebody reviewed, approved or rejected a plan.",
    ),
    // Webhooks.
    told(
        "webhook_created",
        &[K::WebhookCreated],
        "Somebody outside is to be told of events.",
    ),
    told(
        "webhook_updated",
        &[K::WebhookUpdated],
        "What a webhook is was set anew.",
    ),
    told(
        "webhook_deleted",
        &[K::WebhookDeleted],
        "A webhook is no more.",
    ),
    told(
        "webhook_rotated",
        &[K::WebhookRotated],
        "A webhook signs with a new secret; for a day the one before signs too.",
    ),
    told(
        "webhook_switched",
        &[K::WebhookSwitched],
        "A webhook is told of events again, or no more.",
    ),
    told(
        "webhook_events_missed",
        &[K::WebhookEventsMissed],
        "Events were trimmed from the log before they were sent to a webhook.",
    ),
    told(
        "engine_paused",
        &[K::EnginePaused],
        "No work is granted any more.",
    ),
    told(
        "engine_resumed",
        &[K::EngineResumed],
        "Work is granted again.",
    ),
    told(
        "task_reopened",
        &[K::TaskReopened],
        "A task that had ended goes on.",
    ),
    told(
        "run_redriven",
        &[K::RunRedriven],
        "A dead letter was tried again: a new run takes its place.",
    ),
    told(
        "dead_letter_cleared",
        &[K::DeadLetterCleared],
        "A dead letter was cleared away.",
    ),
    told(
        "operation_started",
        &[K::OperationStarted],
        "Many runs are to be acted on, a piece at a time.",
    ),
    told(
        "operation_advanced",
        &[K::OperationAdvanced],
        "A piece of an operation is done.",
    ),
    told(
        "operation_ended",
        &[K::OperationEnded],
        "An operation is done, or was canceled.",
    ),
    told("tenant_created", &[K::TenantCreated], "A tenant was added."),
    told(
        "tenant_updated",
        &[K::TenantWeighted],
        "A tenant's share of grants changed.",
    ),
    // Actors.
    told(
        "actor_registered",
        &[K::ActorRegistered],
        "Somebody who works said who it is and what it is able to do.",
    ),
    told(
        "actor_draining",
        &[K::ActorDraining],
        "An actor gets nothing any more; what it holds it finishes.",
    ),
    told(
        "actor_deregistered",
        &[K::ActorDeregistered],
        "An actor is registered no more, by request or because it fell silent; its leases end.",
    ),
    // Access.
    told(
        "key_created",
        &[K::KeyCreated],
        "A key of the tenant was made.",
    ),
    told(
        "key_revoked",
        &[K::KeyRevoked],
        "A key of the tenant was ended.",
    ),
    told(
        "role_defined",
        &[K::RoleDefined],
        "What a role of the tenant's own holds was set.",
    ),
    told(
        "role_removed",
        &[K::RoleRemoved],
        "A role of the tenant's own was removed.",
    ),
    told(
        "role_assigned",
        &[K::RoleAssigned],
        "An actor was given a role.",
    ),
    told(
        "role_revoked",
        &[K::RoleRevoked],
        "A role was taken from an actor.",
    ),
    told(
        "capability_granted",
        &[K::CapabilityGranted],
        "An actor was given a capability.",
    ),
    told(
        "capability_revoked",
        &[K::CapabilityRevoked],
        "A capability was taken from an actor.",
    ),
];

/// Facts that only the machine cares about.
pub const HIDDEN_KINDS: &[EventKind] = &[
    K::LeaseExtended,
    K::CheckpointSaved,
    K::ClaimRecorded,
    K::SubmitRecorded,
    K::EngineStarted,
    K::ClockAdopted,
    K::AttemptStarted,
    // Told to webhooks, they would bring forth themselves.
    K::WebhookReported,
    K::DeliveryRequested,
];

impl PublicType {
    /// The type with this name, if there is one.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static PublicType> {
        PUBLIC_TYPES.iter().find(|known| known.name == name)
    }
}

/// Whom a fact is about, and who did it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// The task that the fact itself names.
    pub task: Option<TaskId>,
    /// The run.
    pub run: Option<RunId>,
    /// By whom; `None` for the machine itself.
    pub actor: Option<&'a str>,
}

impl Event {
    /// The public name of a fact, for ever; `None` for those that only the machine cares about.
    #[must_use]
    pub fn public_name(&self) -> Option<&'static str> {
        Some(match self {
            Event::RunReturned(returned) => match returned.result {
                AttemptResult::LeaseExpired => "lease_expired",
                // Given back by its worker.
                _ => "run_ready",
            },
            Event::LeaseEnded(ended) if ended.cause == Cause::LeaseExpired => "lease_expired",
            Event::LeaseEnded(_) => "run_ready",
            Event::RunTransitioned(moved) => match moved.to {
                State::Completed => "run_completed",
                State::Failed => "run_failed",
                State::RetryWait => "run_retry_scheduled",
                State::Suspended => "run_suspended",
                State::Canceled => "run_canceled",
                State::Scheduled | State::Ready | State::Leased | State::Running => return None,
            },
            // A system key is no tenant's business: the audit trail alone tells of it.
            Event::KeyCreated(made) if made.system => return None,
            Event::KeyRevoked(ended) if ended.system => return None,
            other => name_of(other.kind())?,
        })
    }

    /// Whom it is about.
    #[must_use]
    pub fn about(&self) -> About<'_> {
        let mut about = About::default();
        self.fields(&mut |name, value| match (name, value) {
            ("task_id", FactValue::Id(id)) => about.task = Some(TaskId(id)),
            ("run_id", FactValue::Id(id)) => about.run = Some(RunId(id)),
            ("by" | "worker" | "owner", FactValue::Text(text)) if !text.is_empty() => {
                about.actor = Some(text);
            }
            _ => {}
        });
        about
    }

    /// Names what it shows to whoever may read, besides whom it is about.
    pub fn shown<'a>(&'a self, visit: &mut Visit<'_, 'a>) {
        let kind = self.kind();
        self.fields(&mut |name, value| {
            if !matches!(name, "task_id" | "run_id" | "by") && kind.shows(name) {
                visit(name, value);
            }
        });
    }
}

impl EventKind {
    /// Whether a field may be shown outside: what tokens are made of is not.
    #[must_use]
    pub fn shows(self, field: &str) -> bool {
        match field {
            "counter" | "counters" | "digest" => false,
            "incarnation" => self == EventKind::EngineStarted,
            "row_number" => false,
            // Where an operation stands in the store.
            "cursor" | "through" | "until" => !matches!(
                self,
                EventKind::OperationStarted | EventKind::OperationAdvanced
            ),
            // Where a webhook leads may hold a secret; who may see webhooks looks there.
            "url" => false,
            _ => true,
        }
    }
}

/// The name of a kind that has one name, or none.
fn name_of(kind: EventKind) -> Option<&'static str> {
    PUBLIC_TYPES
        .iter()
        .find(|known| known.kinds.contains(&kind))
        .map(|known| known.name)
}

#[cfg(test)]
mod tests;
