//! The typed calls about schedules, dependencies, budgets, subscriptions and queues.

use hyper::Method;

use crate::calls::reason_body;
use crate::client::segment;
use crate::retry::Repeat;
use crate::wire::{
    AllocateBudget, BudgetView, Consume, Consumed, CustomEvent, Dependencies, DependenciesDeclared,
    EmptyBody, EngineChanged, FilterSpec, NewRun, Occurrences, PreviewBody, QueueCounts,
    QueueSettings, Replenish, RunBrief, RunPolicySpec, Str, Subscribe, Subscribed, Task, TaskPatch,
    Triggered, Unsubscribed,
};
use crate::{Client, Error};

fn task_path(task_id: &str, rest: &str) -> String {
    format!("/api/v1/tasks/{}{rest}", segment(task_id))
}

/// Changes to a task.
impl Client {
    /// Changes a task's metadata, or a cron task's schedule; what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn update_task(&self, task_id: &str, patch: &TaskPatch<'_>) -> Result<Task, Error> {
        self.send(Method::PATCH, task_path(task_id, ""), patch)
            .await
    }

    /// Makes a task that has not started wait for others.
    ///
    /// # Errors
    /// See [`Error`]; `dependency_cycle` when it would wait for itself.
    pub async fn declare_dependencies(
        &self,
        task_id: &str,
        depends_on: &[&str],
        reason: Option<&str>,
    ) -> Result<DependenciesDeclared, Error> {
        let body = Dependencies {
            depends_on: depends_on.iter().map(|id| Str::from(*id)).collect(),
            reason: reason.map(Str::from),
        };
        self.post(task_path(task_id, "/dependencies"), &body, Repeat::Safe)
            .await
    }

    /// Makes one more run of a task. Repeated on uncertainty only with a run id of the caller's own.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_run(&self, task_id: &str, run: &NewRun<'_>) -> Result<RunBrief, Error> {
        let path = task_path(task_id, "/runs");
        self.post(path, run, Repeat::UnlessUncertain).await
    }
}

/// Schedules.
impl Client {
    /// The coming instants of a task.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn task_schedule(&self, task_id: &str, next: u32) -> Result<Occurrences, Error> {
        self.get(task_path(task_id, &format!("/schedule?next={next}")))
            .await
    }

    /// The first instants of a schedule that would begin now.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn preview_schedule(
        &self,
        run_policy: RunPolicySpec<'_>,
        next: u32,
    ) -> Result<Occurrences, Error> {
        let body = PreviewBody {
            run_policy,
            next: Some(next),
        };
        let path = "/api/v1/schedule/preview".into();
        self.post(path, &body, Repeat::Safe).await
    }
}

/// The path of a tenant's budgets.
fn tenant_path(tenant_id: &str, rest: &str) -> String {
    format!("/api/v1/tenants/{}/budgets{rest}", segment(tenant_id))
}

/// Budgets.
impl Client {
    /// The budgets that cover all of a tenant's work.
    ///
    /// # Errors
    /// See [`Error`]; `tenant_not_found` for a tenant that this key does not reach.
    pub async fn tenant_budgets(&self, tenant_id: &str) -> Result<Vec<BudgetView>, Error> {
        self.get(tenant_path(tenant_id, "")).await
    }

    /// Sets a budget of a tenant, or changes its limit within its period. For system keys.
    ///
    /// # Errors
    /// See [`Error`]; `tenant_not_found`, `zero_limit`, `limit_exceeded`.
    pub async fn allocate_tenant_budget(
        &self,
        tenant_id: &str,
        budget: &AllocateBudget<'_>,
    ) -> Result<BudgetView, Error> {
        self.send(Method::PUT, tenant_path(tenant_id, ""), budget)
            .await
    }

    /// Begins a new period of a tenant's budget. For system keys. Not repeated when nobody knows whether it arrived: each one is a period
    /// of its own.
    ///
    /// # Errors
    /// See [`Error`]; `tenant_not_found`, `budget_not_allocated`, `zero_limit`.
    pub async fn replenish_tenant_budget(
        &self,
        tenant_id: &str,
        dimension: &str,
        period: &Replenish<'_>,
    ) -> Result<BudgetView, Error> {
        let path = tenant_path(tenant_id, &format!("/{}/replenish", segment(dimension)));
        self.post(path, period, Repeat::UnlessUncertain).await
    }

    /// A task's budgets.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn budgets(&self, task_id: &str) -> Result<Vec<BudgetView>, Error> {
        self.get(task_path(task_id, "/budgets")).await
    }

    /// Sets a budget, or changes its limit within its period.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn allocate_budget(
        &self,
        task_id: &str,
        budget: &AllocateBudget<'_>,
    ) -> Result<BudgetView, Error> {
        self.post(task_path(task_id, "/budgets"), budget, Repeat::Safe)
            .await
    }

    /// Begins a new period of a budget. Not repeated when nobody knows whether it arrived: each one is a period of its own.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn replenish_budget(
        &self,
        task_id: &str,
        dimension: &str,
        period: &Replenish<'_>,
    ) -> Result<BudgetView, Error> {
        let path = task_path(
            task_id,
            &format!("/budgets/{}/replenish", segment(dimension)),
        );
        self.post(path, period, Repeat::UnlessUncertain).await
    }

    /// Reports what a running attempt used since it last reported. Not repeated when nobody knows whether it arrived: it would count
    /// twice.
    ///
    /// # Errors
    /// See [`Error`]; `lease_lost` when the lease is another's now.
    pub async fn consume(&self, run_id: &str, consume: &Consume<'_>) -> Result<Consumed, Error> {
        let path = format!("/api/v1/runs/{}/consume", segment(run_id));
        self.post(path, consume, Repeat::UnlessUncertain).await
    }
}

/// Subscriptions and events.
impl Client {
    /// Lets a task wait to hear of something.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn subscribe(
        &self,
        task_id: &str,
        filter: FilterSpec<'_>,
    ) -> Result<Subscribed, Error> {
        let body = Subscribe {
            filter,
            subscription_id: None,
        };
        let path = task_path(task_id, "/subscriptions");
        self.post(path, &body, Repeat::UnlessUncertain).await
    }

    /// Lets a task wait no longer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn unsubscribe(&self, subscription_id: &str) -> Result<Unsubscribed, Error> {
        let path = format!("/api/v1/subscriptions/{}", segment(subscription_id));
        self.send(Method::DELETE, path, &EmptyBody {}).await
    }

    /// Publishes an event of one's own. Not repeated when nobody knows whether it arrived.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn publish(&self, event: &CustomEvent<'_>) -> Result<Triggered, Error> {
        let path = "/api/v1/custom-events".into();
        self.post(path, event, Repeat::UnlessUncertain).await
    }
}

/// Queues.
impl Client {
    /// One queue: its settings and its runs.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn queue(&self, name: &str) -> Result<QueueCounts, Error> {
        self.get(queue_path(name, "")).await
    }

    /// Sets what a queue allows; what is absent is not limited any more.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn configure_queue(
        &self,
        name: &str,
        settings: &QueueSettings<'_>,
    ) -> Result<QueueCounts, Error> {
        self.send(Method::PUT, queue_path(name, ""), settings).await
    }

    /// Grants nothing from a queue.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pause_queue(
        &self,
        name: &str,
        reason: Option<&str>,
    ) -> Result<EngineChanged, Error> {
        self.switch_queue(name, "/pause", reason).await
    }

    /// Grants a queue's runs again.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resume_queue(
        &self,
        name: &str,
        reason: Option<&str>,
    ) -> Result<EngineChanged, Error> {
        self.switch_queue(name, "/resume", reason).await
    }

    async fn switch_queue(
        &self,
        name: &str,
        switch: &str,
        reason: Option<&str>,
    ) -> Result<EngineChanged, Error> {
        let path = queue_path(name, switch);
        self.post(path, &reason_body(reason), Repeat::Safe).await
    }
}

fn queue_path(name: &str, rest: &str) -> String {
    format!("/api/v1/queues/{}{rest}", segment(name))
}
