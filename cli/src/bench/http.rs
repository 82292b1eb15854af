//! Drives a server over HTTP with many callers at the same time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_client::wire::{Claim, Finish, FinishOutcome, Json, TaskSpec};
use mainstay_client::{Client, Error};
use tokio::task::JoinSet;

use super::measure::{LEASE_MS, Phase, Plan, QUEUE, payload, sample};
use crate::exit::{Code, Failure};

/// Submits all of the phase's tasks; how long that took.
pub(crate) async fn submit(
    client: &Client,
    plan: Plan,
    phase: &Arc<Phase>,
) -> Result<Duration, Failure> {
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..plan.workers {
        callers.spawn(submit_some(client.clone(), plan, Arc::clone(phase)));
    }
    all(callers).await?;
    Ok(start.elapsed())
}

async fn submit_some(client: Client, plan: Plan, phase: Arc<Phase>) -> Result<(), Failure> {
    let mut samples = Vec::new();
    let mut number = 0;
    while let Some(piece) = phase.take() {
        let mut tasks = Vec::new();
        for _ in 0..piece {
            number += 1;
            let text = String::from_utf8(payload(plan.payload_bytes, number));
            let text = text.map_err(|error| invalid(&error))?;
            let payload = Json::parse(text).map_err(|error| invalid(&error))?;
            tasks.push(TaskSpec {
                kind: QUEUE.into(),
                queue: Some(QUEUE.into()),
                payload: Some(payload),
                ..TaskSpec::default()
            });
        }
        let start = Instant::now();
        if let [task] = &tasks[..] {
            client.submit(task).await?;
        } else {
            let answer = client.submit_batch(&tasks).await?;
            if let Some(item) = answer.results.iter().find(|item| item.error.is_some()) {
                return Err(refused(item.error.as_deref(), item.message.as_deref()));
            }
        }
        samples.push(sample(start));
        phase.done(piece);
    }
    phase.hand_in(samples);
    Ok(())
}

/// Claims and finishes all of the phase's runs; how long that took.
pub(crate) async fn work(
    client: &Client,
    plan: Plan,
    phase: &Arc<Phase>,
) -> Result<Duration, Failure> {
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..plan.workers {
        callers.spawn(work_some(client.clone(), Arc::clone(phase)));
    }
    all(callers).await?;
    Ok(start.elapsed())
}

async fn work_some(client: Client, phase: Arc<Phase>) -> Result<(), Failure> {
    while let Some(piece) = phase.take() {
        let claim = Claim {
            worker: QUEUE.into(),
            queues: Some(vec![QUEUE.into()]),
            max: Some(piece as u32),
            lease_ms: Some(LEASE_MS),
            ..Claim::default()
        };
        let leases = client.claim(&claim).await?;
        let count = leases.len() as u64;
        phase.put_back(piece - count);
        if leases.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        }
        let finish = |lease| {
            let mainstay_client::wire::Lease { run_id, token, .. } = lease;
            Finish::new(run_id, token, FinishOutcome::Success)
        };
        let finishes: Vec<_> = leases.into_iter().map(finish).collect();
        let answer = client.finish_many(&finishes).await?;
        if let Some(item) = answer.results.iter().find(|item| item.error.is_some()) {
            return Err(refused(item.error.as_deref(), item.message.as_deref()));
        }
        phase.done(count);
    }
    Ok(())
}

async fn all(mut callers: JoinSet<Result<(), Failure>>) -> Result<(), Failure> {
    while let Some(ended) = callers.join_next().await {
        ended
            .map_err(|error| Failure::new(Code::Failed, "caller_panicked", error.to_string()))??;
    }
    Ok(())
}

fn refused(code: Option<&str>, message: Option<&str>) -> Failure {
    let code = code.unwrap_or("error");
    Failure::new(
        Code::Failed,
        code,
        format!("{code}: {}", message.unwrap_or_default()),
    )
}

fn invalid(error: &dyn std::error::Error) -> Failure {
    Failure::from(Error::Setup(error.to_string()))
}
