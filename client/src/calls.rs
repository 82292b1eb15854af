//! The typed calls: one method for every route.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::client::segment;
use crate::retry::Repeat;
use crate::wire::{
    BatchAnswer, Beat, Checkpoint, Claim, Durability, EngineChanged, EngineStatus, Explain, Finish,
    FinishAnswer, FinishOne, Heartbeat, HeartbeatAnswer, Json, Lease, ReasonBody, ResumeRun, Run,
    RunChanged, Stats, StatusBody, SubmitAnswer, SubmitDeferred, Task, TaskCanceled, TaskSpec,
};
use crate::{Client, Error};

/// A batch of tasks, whatever form each has.
#[derive(Serialize)]
struct Tasks<'a, T> {
    tasks: &'a [T],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    atomic: bool,
}

/// A batch of worker calls about leases.
#[derive(Serialize)]
struct Leases<'a, T> {
    leases: &'a [T],
}

/// A batch of finishes.
#[derive(Serialize)]
struct Results<'a, T> {
    results: &'a [T],
}

/// An answer of which only the success matters.
#[derive(Deserialize)]
struct Whatever {}

/// The answer to a claim.
#[derive(Deserialize)]
struct Granted {
    leases: Vec<Lease>,
}

fn if_keyed(keyed: bool) -> Repeat {
    if keyed {
        Repeat::Safe
    } else {
        Repeat::UnlessUncertain
    }
}

/// The body that carries a reason and nothing else.
pub(crate) fn reason_body(reason: Option<&str>) -> ReasonBody<'_> {
    ReasonBody {
        reason: reason.map(Into::into),
    }
}

/// Health.
impl Client {
    /// Whether the server answers at all.
    ///
    /// # Errors
    /// When it does not.
    pub async fn health(&self) -> Result<StatusBody, Error> {
        self.get("/healthz".into()).await
    }

    /// Whether the server takes work. While it does not, the error is a refusal with status 503.
    ///
    /// # Errors
    /// When it is away or not ready.
    pub async fn ready(&self) -> Result<StatusBody, Error> {
        self.get("/ready".into()).await
    }

    /// The counters.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn stats(&self) -> Result<Stats, Error> {
        self.get("/api/v1/stats".into()).await
    }
}

/// Tasks.
impl Client {
    /// Submits one task. Only with an idempotency key is it repeated when nobody knows whether it arrived.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn submit(&self, task: &TaskSpec<'_>) -> Result<SubmitAnswer, Error> {
        self.post(
            "/api/v1/tasks".into(),
            task,
            if_keyed(task.idempotency_key.is_some()),
        )
        .await
    }

    /// Submits one task without waiting until it is on disk: it may be lost with the machine, and nobody sees it before. Only with an
    /// idempotency key is it repeated when nobody knows whether it arrived.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn submit_deferred(&self, task: &TaskSpec<'_>) -> Result<SubmitDeferred, Error> {
        let task = TaskSpec {
            durability: Some(Durability::Deferred),
            ..task.clone()
        };
        let keyed = task.idempotency_key.is_some();
        let path = "/api/v1/tasks".into();
        self.post(path, &task, if_keyed(keyed)).await
    }

    /// Submits up to 10,000 tasks, each accepted or refused by itself. Repeated on uncertainty only when every task has an
    /// idempotency key.
    ///
    /// # Errors
    /// See [`Error`]; then no task's fate is told.
    pub async fn submit_batch(&self, tasks: &[TaskSpec<'_>]) -> Result<BatchAnswer, Error> {
        let keyed = tasks.iter().all(|task| task.idempotency_key.is_some());
        self.post_tasks(tasks, false, if_keyed(keyed)).await
    }

    /// Submits up to 10,000 tasks in one step, all or none; a task may name those before it, by ids of one's own, as its parent or its
    /// prerequisites. Repeated on uncertainty only when every task has an idempotency key.
    ///
    /// # Errors
    /// See [`Error`]; a refusal is that of the first task that is refused, its place in `details.index`, and no task was made.
    pub async fn submit_batch_atomic(&self, tasks: &[TaskSpec<'_>]) -> Result<BatchAnswer, Error> {
        let keyed = tasks.iter().all(|task| task.idempotency_key.is_some());
        self.post_tasks(tasks, true, if_keyed(keyed)).await
    }

    /// The same with tasks that are JSON text already. Each must carry an idempotency key, since the call is repeated on
    /// uncertainty.
    ///
    /// # Errors
    /// See [`Error`]; then no task's fate is told.
    pub async fn submit_batch_json(&self, tasks: &[Box<RawValue>]) -> Result<BatchAnswer, Error> {
        self.post_tasks(tasks, false, Repeat::Safe).await
    }

    /// As [`Client::submit_batch_atomic`], with tasks that are JSON text already. Each must carry an idempotency key, since the call is
    /// repeated on uncertainty.
    ///
    /// # Errors
    /// As [`Client::submit_batch_atomic`].
    pub async fn submit_batch_json_atomic(
        &self,
        tasks: &[Box<RawValue>],
    ) -> Result<BatchAnswer, Error> {
        self.post_tasks(tasks, true, Repeat::Safe).await
    }

    async fn post_tasks<T: Serialize>(
        &self,
        tasks: &[T],
        atomic: bool,
        repeat: Repeat,
    ) -> Result<BatchAnswer, Error> {
        let body = Tasks { tasks, atomic };
        let answer: BatchAnswer = self
            .post("/api/v1/tasks/batch".into(), &body, repeat)
            .await?;
        Ok(BatchAnswer {
            results: counted(answer.results, tasks.len())?,
            ..answer
        })
    }

    /// One task with everything about it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn task(&self, task_id: &str) -> Result<Task, Error> {
        self.get(format!("/api/v1/tasks/{}", segment(task_id)))
            .await
    }

    /// Cancels a task and all its runs.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel_task(
        &self,
        task_id: &str,
        reason: Option<&str>,
    ) -> Result<TaskCanceled, Error> {
        let path = format!("/api/v1/tasks/{}/cancel", segment(task_id));
        self.post(path, &reason_body(reason), Repeat::Safe).await
    }
}

/// Runs.
impl Client {
    /// One run with its history.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn run(&self, run_id: &str) -> Result<Run, Error> {
        self.get(format!("/api/v1/runs/{}", segment(run_id))).await
    }

    /// Cancels a run; `force` does not wait for the worker of a running one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel_run(
        &self,
        run_id: &str,
        force: bool,
        reason: Option<&str>,
    ) -> Result<RunChanged, Error> {
        let query = if force { "?force=true" } else { "" };
        let path = format!("/api/v1/runs/{}/cancel{query}", segment(run_id));
        self.post(path, &reason_body(reason), Repeat::Safe).await
    }

    /// Asks the worker of a running run to suspend it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn suspend_run(
        &self,
        run_id: &str,
        reason: Option<&str>,
    ) -> Result<RunChanged, Error> {
        let path = format!("/api/v1/runs/{}/suspend", segment(run_id));
        self.post(path, &reason_body(reason), Repeat::UnlessUncertain)
            .await
    }

    /// Makes a suspended run ready again and hands `payload` to its next attempt.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resume_run(
        &self,
        run_id: &str,
        payload: Option<Json<'_>>,
    ) -> Result<RunChanged, Error> {
        let path = format!("/api/v1/runs/{}/resume", segment(run_id));
        self.post(
            path,
            &ResumeRun {
                payload,
                reason: None,
            },
            Repeat::UnlessUncertain,
        )
        .await
    }

    /// Why a run is (not) running.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn explain_run(&self, run_id: &str) -> Result<Explain, Error> {
        self.get(format!("/api/v1/runs/{}/explain", segment(run_id)))
            .await
    }
}

/// Work.
impl Client {
    /// Takes work, waiting for it as long as the claim says.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Lease>, Error> {
        let wait = Duration::from_millis(claim.wait_ms.unwrap_or(0));
        let repeat = if_keyed(claim.idempotency_key.is_some());
        let granted: Granted = self
            .post_waiting("/api/v1/leases".into(), claim, repeat, wait)
            .await?;
        Ok(granted.leases)
    }

    /// Keeps one lease alive.
    ///
    /// # Errors
    /// See [`Error`]; `lease_lost` when it is another's now.
    pub async fn heartbeat(
        &self,
        run_id: &str,
        token: &str,
        lease_ms: Option<u64>,
    ) -> Result<Beat, Error> {
        let body = Heartbeat {
            token: token.into(),
            lease_ms,
            ..Heartbeat::default()
        };
        self.post(
            format!("/api/v1/runs/{}/heartbeat", segment(run_id)),
            &body,
            Repeat::Safe,
        )
        .await
    }

    /// Keeps up to 10,000 leases alive; one result per item, in order.
    ///
    /// # Errors
    /// See [`Error`]; then no lease is renewed for certain.
    pub async fn heartbeat_many(&self, leases: &[Heartbeat<'_>]) -> Result<Vec<Beat>, Error> {
        let path = "/api/v1/leases/heartbeat".into();
        let answer: HeartbeatAnswer = self.post(path, &Leases { leases }, Repeat::Safe).await?;
        counted(answer.results, leases.len())
    }

    /// Ends one attempt. The token makes a repeat harmless.
    ///
    /// # Errors
    /// See [`Error`]; `lease_lost` when the lease is another's now.
    pub async fn finish(&self, mut finish: Finish<'_>) -> Result<FinishOne, Error> {
        let run_id = finish
            .run_id
            .take()
            .ok_or_else(|| Error::Setup("a finish needs its run_id".into()))?;
        self.post(
            format!("/api/v1/runs/{}/finish", segment(&run_id)),
            &finish,
            Repeat::Safe,
        )
        .await
    }

    /// Ends up to 10,000 attempts, each by itself; one result per item, in order.
    ///
    /// # Errors
    /// See [`Error`]; then no attempt's end is told.
    pub async fn finish_many(&self, results: &[Finish<'_>]) -> Result<FinishAnswer, Error> {
        let path = "/api/v1/leases/finish".into();
        let answer: FinishAnswer = self.post(path, &Results { results }, Repeat::Safe).await?;
        Ok(FinishAnswer {
            results: counted(answer.results, results.len())?,
            ..answer
        })
    }

    /// Saves a memo inside a running attempt. The same name and value again is no conflict.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn checkpoint(
        &self,
        run_id: &str,
        token: &str,
        name: &str,
        value: Json<'_>,
    ) -> Result<(), Error> {
        let body = Checkpoint {
            token: token.into(),
            name: name.into(),
            value,
            tenant_id: None,
        };
        let path = format!("/api/v1/runs/{}/checkpoints", segment(run_id));
        let _: Whatever = self.post(path, &body, Repeat::Safe).await?;
        Ok(())
    }
}

/// The engine's switches.
impl Client {
    /// Whether the engine grants work.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn engine(&self) -> Result<EngineStatus, Error> {
        self.get("/api/v1/engine".into()).await
    }

    /// Stops granting work.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pause_engine(&self, reason: Option<&str>) -> Result<EngineChanged, Error> {
        self.post(
            "/api/v1/engine/pause".into(),
            &reason_body(reason),
            Repeat::Safe,
        )
        .await
    }

    /// Grants work again.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resume_engine(&self, reason: Option<&str>) -> Result<EngineChanged, Error> {
        self.post(
            "/api/v1/engine/resume".into(),
            &reason_body(reason),
            Repeat::Safe,
        )
        .await
    }
}

/// A batch answer must have one result per item, or nobody knows which is whose.
fn counted<T>(results: Vec<T>, items: usize) -> Result<Vec<T>, Error> {
    if results.len() == items {
        return Ok(results);
    }
    Err(Error::Answer(format!(
        "{} results for {items} items",
        results.len()
    )))
}
