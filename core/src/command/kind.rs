//! What follows from a command's kind alone.
//! Owns: its number in the log, how much it makes, whether it is an act of control.
//! Never: looks at the state.

use super::Command;
use crate::{TaskId, TaskSpec, Text};

fn runs_of(tasks: &[(Option<TaskId>, TaskSpec)]) -> usize {
    tasks.iter().map(|(_, spec)| spec.runs_at_once()).sum()
}

impl Command {
    /// Whether it asks for tasks and nothing else.
    #[must_use]
    pub fn submits(&self) -> bool {
        matches!(
            self,
            Command::Submit(_) | Command::SubmitAs(..) | Command::SubmitAll(_)
        )
    }

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
            Command::UpdateTask(_) => 15,
            Command::CreateRun { .. } => 16,
            Command::TransitionRun { .. } => 17,
            Command::AcquireLease { .. } => 18,
            Command::RenewLease { .. } => 19,
            Command::ExpireLease { .. } => 20,
            Command::ReleaseLease { .. } => 21,
            Command::StartAttempt { .. } => 22,
            Command::FinishAttempt { .. } => 23,
            Command::DeclareDependencies { .. } => 24,
            Command::AllocateBudget { .. } => 25,
            Command::Consume { .. } => 26,
            Command::ConsumeBudget { .. } => 27,
            Command::ReplenishBudget { .. } => 28,
            Command::Subscribe { .. } => 29,
            Command::Unsubscribe { .. } => 30,
            Command::TriggerSubscription { .. } => 31,
            Command::PublishEvent { .. } => 32,
            Command::ConfigureQueue { .. } => 33,
            Command::PauseQueue { .. } => 34,
            Command::ResumeQueue { .. } => 35,
            Command::CreateTenant { .. } => 36,
            Command::WeighTenant { .. } => 37,
            Command::SubmitAll(_) => 38,
            // Dead letters and operations.
            Command::RetryRun { .. } => 40,
            Command::ClearDeadLetter { .. } => 41,
            // Operations.
            Command::Operate(what) => what.code(),
            // Actors.
            Command::RegisterActor(_) => 60,
            Command::DrainActor { .. } => 61,
            Command::DeregisterActor { .. } => 62,
            Command::BeatActor { .. } => 63,
            // Access.
            Command::Govern(change) => change.code(),
            // Ledgers.
            Command::Attest(what) => what.code(),
            // Webhooks.
            Command::Hook(what) => what.code(),
        }
    }

    /// Whether it may take an actor out of work: its waiting claims are answered then.
    #[must_use]
    pub fn may_end_work(&self) -> bool {
        matches!(
            self,
            Command::Tick | Command::DrainActor { .. } | Command::DeregisterActor { .. }
        )
    }

    /// How many runs a submit makes; 0 for every other command.
    #[must_use]
    pub fn runs_made(&self) -> usize {
        match self {
            Command::Submit(spec) | Command::SubmitAs(_, spec) => spec.runs_at_once(),
            Command::SubmitAll(tasks) => runs_of(tasks),
            Command::Finish(finish) => runs_of(&finish.children),
            _ => 0,
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
            | Command::ResumeEngine { reason }
            | Command::PauseQueue { reason, .. }
            | Command::ResumeQueue { reason, .. }
            | Command::RetryRun { reason, .. }
            | Command::ClearDeadLetter { reason, .. }
            | Command::DrainActor { reason, .. }
            | Command::DeregisterActor { reason, .. } => Some(reason.as_ref()),
            // Access.
            Command::Govern(change) => Some(change.reason()),
            // Ledgers.
            Command::Attest(what) => what.control_reason(),
            // Operations.
            Command::Operate(what) => what.control_reason(),
            // Webhooks.
            Command::Hook(what) => what.control_reason(),
            Command::ResumeRun { .. }
            | Command::UpdateTask(_)
            | Command::CreateRun { .. }
            | Command::TransitionRun { .. }
            | Command::DeclareDependencies { .. }
            | Command::AllocateBudget { .. }
            | Command::ReplenishBudget { .. }
            | Command::ConfigureQueue { .. }
            | Command::CreateTenant { .. }
            | Command::WeighTenant { .. } => Some(None),
            Command::Submit(_)
            | Command::SubmitAs(..)
            | Command::SubmitAll(_)
            | Command::Claim(_)
            | Command::Heartbeat(_)
            | Command::Finish(_)
            | Command::Checkpoint(_)
            | Command::Start { .. }
            | Command::AdoptClock { .. }
            | Command::Tick
            | Command::AcquireLease { .. }
            | Command::RenewLease { .. }
            | Command::ExpireLease { .. }
            | Command::ReleaseLease { .. }
            | Command::StartAttempt { .. }
            | Command::FinishAttempt { .. }
            | Command::Consume { .. }
            | Command::ConsumeBudget { .. }
            | Command::RegisterActor(_)
            | Command::BeatActor { .. }
            | Command::Subscribe { .. }
            | Command::Unsubscribe { .. }
            | Command::TriggerSubscription { .. }
            | Command::PublishEvent { .. } => None,
        }
    }
}
