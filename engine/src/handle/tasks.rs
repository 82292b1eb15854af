//! Tasks, what they wait for, and what they wait to hear of.
//! Owns: one method per command of that room, typed.
//! Never: decides, or knows more than the command.

use mainstay_core::{
    Bytes, Command, Filter, Outcome, RunId, RunState, Submitted, SubmittedRun, SubscriptionId,
    TaskCancel, TaskId, TaskPatch, TaskSpec, Text, Timestamp,
};

use super::{CommandError, Handle};

impl Handle {
    /// Submits a task.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `invalid_task`, `idempotency_conflict`, `unknown_task`, `parent_terminal`, `dependency_cycle`,
    /// `hierarchy_too_deep`, `lease_lost` or `limit_exceeded`.
    pub fn submit(&self, task: impl Into<TaskSpec>) -> Result<Submitted, CommandError> {
        match self.command(Command::Submit(Box::new(task.into())))? {
            Outcome::Submitted(told) => Ok(told),
            other => unreachable!("{other:?}"),
        }
    }

    /// Submits a task under an id of one's own.
    ///
    /// # Errors
    /// [`CommandError`]; as [`Handle::submit`], and `task_already_exists`.
    pub fn submit_as(
        &self,
        id: TaskId,
        task: impl Into<TaskSpec>,
    ) -> Result<Submitted, CommandError> {
        match self.command(Command::SubmitAs(id, Box::new(task.into())))? {
            Outcome::Submitted(told) => Ok(told),
            other => unreachable!("{other:?}"),
        }
    }

    /// Submits many tasks in one step, all or none, each with an id of one's own if there is one. A task may name those before it as its
    /// parent or its prerequisites. Gives what each came to, in order.
    ///
    /// # Errors
    /// [`CommandError`]; the refusal of the first task that is refused, with its place: as [`Handle::submit_as`].
    pub fn submit_all<T: Into<TaskSpec>>(
        &self,
        tasks: impl IntoIterator<Item = (Option<TaskId>, T)>,
    ) -> Result<Vec<Submitted>, CommandError> {
        let tasks = tasks.into_iter().map(|(id, task)| (id, task.into()));
        match self.command(Command::SubmitAll(tasks.collect()))? {
            Outcome::SubmittedAll(told) => Ok(told),
            other => unreachable!("{other:?}"),
        }
    }

    /// Changes a task's priority, tags, description or schedule; what is `None` stays.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_task`, also when it has ended, `task_canceled` or `invalid_task`.
    pub fn update_task(&self, patch: TaskPatch) -> Result<(), CommandError> {
        match self.command(Command::UpdateTask(Box::new(patch)))? {
            Outcome::TaskUpdated => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Cancels a task with all its runs and everything below it. Canceling again is an answer, not an error.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_task`.
    pub fn cancel_task(
        &self,
        task: TaskId,
        reason: Option<Text>,
    ) -> Result<TaskCancel, CommandError> {
        match self.command(Command::CancelTask { task, reason })? {
            Outcome::TaskCanceled(told) => Ok(told),
            other => unreachable!("{other:?}"),
        }
    }

    /// Makes one more run of a task, beside its policy; due at once when no instant is given.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_task`, `run_already_exists` or `task_canceled`.
    pub fn create_run(
        &self,
        task: TaskId,
        run: Option<RunId>,
        scheduled_at: Option<Timestamp>,
    ) -> Result<SubmittedRun, CommandError> {
        match self.command(Command::CreateRun {
            task,
            run,
            state: RunState::Scheduled,
            scheduled_at,
        })? {
            Outcome::RunCreated(told) => Ok(told),
            other => unreachable!("{other:?}"),
        }
    }

    /// Makes a task that has not started wait for others. Gives how many of them are not completed.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_task`, `empty_dependency_list`, `dependency_cycle` or `task_already_started`.
    pub fn declare_dependencies(
        &self,
        task: TaskId,
        depends_on: Vec<TaskId>,
    ) -> Result<u32, CommandError> {
        match self.command(Command::DeclareDependencies { task, depends_on })? {
            Outcome::DependenciesDeclared { unmet } => Ok(unmet),
            other => unreachable!("{other:?}"),
        }
    }

    /// Lets a task hear of something. Its id is minted when none is given.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_task`, `subscription_already_exists` or `limit_exceeded`.
    pub fn subscribe(
        &self,
        task: TaskId,
        id: Option<SubscriptionId>,
        filter: Filter,
    ) -> Result<SubscriptionId, CommandError> {
        match self.command(Command::Subscribe {
            task,
            id,
            filter: Box::new(filter),
        })? {
            Outcome::Subscribed(told) => Ok(told),
            other => unreachable!("{other:?}"),
        }
    }

    /// Lets a task hear of it no longer.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_subscription` or `subscription_already_canceled`.
    pub fn unsubscribe(&self, subscription: SubscriptionId) -> Result<(), CommandError> {
        match self.command(Command::Unsubscribe { subscription })? {
            Outcome::Unsubscribed => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Acts as if what a subscription waits for had happened.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_subscription` or `subscription_already_canceled`.
    pub fn trigger_subscription(&self, subscription: SubscriptionId) -> Result<u32, CommandError> {
        match self.command(Command::TriggerSubscription { subscription })? {
            Outcome::Triggered(count) => Ok(count),
            other => unreachable!("{other:?}"),
        }
    }

    /// Publishes an event of one's own; the payload is JSON text. Gives how many subscriptions it met.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `invalid_request` or `limit_exceeded`.
    pub fn publish(
        &self,
        key: impl Into<Text>,
        payload: Option<Bytes>,
    ) -> Result<u32, CommandError> {
        match self.command(Command::PublishEvent {
            key: key.into(),
            payload,
        })? {
            Outcome::Triggered(count) => Ok(count),
            other => unreachable!("{other:?}"),
        }
    }
}
