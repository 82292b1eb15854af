//! Past states of runs and tasks as JSON with the names of the API.

use mainstay::{AttemptView, ChangeView, RunView, TaskView};
use serde_json::{Map, Value, json};

use crate::ops::instant;

/// JSON text as a value; text that is none as a string.
pub(crate) fn value_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// A run.
pub(crate) fn run_json(run: &RunView) -> Value {
    let lease = run.lease.as_ref().map(|lease| {
        json!({
            "owner": &*lease.owner, "expires_at": instant(lease.expires_at.0), "acquired_at": instant(lease.acquired_at.0),
            "updated_at": instant(lease.updated_at.0),
        })
    });
    let cancel = run.cancel_requested.as_ref().map(|cancel| {
        json!({
            "at": instant(cancel.at.0), "by": &*cancel.by, "reason": cancel.reason.as_deref(),
            "force_at": instant(cancel.force_at.0),
        })
    });
    let checkpoints: Map<String, Value> = run
        .checkpoints
        .iter()
        .map(|(name, memo)| (name.to_string(), value_of(memo)))
        .collect();
    json!({
        "run_id": run.id.to_string(), "task_id": run.task.to_string(), "kind": &*run.kind, "queue": &*run.queue,
        "state": run.state.name(), "created_at": instant(run.created_at.0), "scheduled_at": instant(run.scheduled_at.0),
        "attempt_count": run.attempt_count, "failures": run.failures, "lost_leases": run.lost_leases,
        "concurrency_key": run.concurrency_key.as_deref(),
        "current_attempt_id": run.current_attempt.map(|id| id.to_string()),
        "state_history": run.changes.iter().map(change_json).collect::<Vec<_>>(),
        "attempts": run.attempts.iter().map(attempt_json).collect::<Vec<_>>(),
        "lease": lease, "cancel_requested": cancel, "suspend_requested": run.suspend_requested,
        "block_reason": run.block_reason, "reason": run.reason.as_deref(),
        "output": run.output.as_deref().map(value_of), "checkpoints": checkpoints,
        "retry_at": run.retry_at.map(|at| instant(at.0)),
    })
}

fn change_json(change: &ChangeView) -> Value {
    json!({
        "from": change.from.map(|state| state.name()), "to": change.to.name(), "at": instant(change.at.0),
        "sequence": change.sequence, "cause": change.cause.name(), "actor": change.actor.as_deref(),
    })
}

fn attempt_json(attempt: &AttemptView) -> Value {
    let error = attempt.error.as_ref().map(|error| {
        json!({"code": &*error.code, "message": &*error.message, "retryable": error.retryable})
    });
    json!({
        "attempt_id": attempt.id.to_string(), "number": attempt.number, "worker": &*attempt.worker,
        "started_at": instant(attempt.started_at.0), "finished_at": attempt.finished_at.map(|at| instant(at.0)),
        "result": attempt.result.map(|result| result.name()), "error": error,
        "output": attempt.output.as_deref().map(value_of),
    })
}

/// A task.
pub(crate) fn task_json(task: &TaskView) -> Value {
    let runs: Vec<Value> = task
        .runs
        .iter()
        .map(|run| {
            json!({
                "run_id": run.run.to_string(), "state": run.state.name(), "scheduled_at": instant(run.scheduled_at.0),
            })
        })
        .collect();
    let payload = if task.payload.binary {
        json!({"bytes": task.payload.bytes.len()})
    } else {
        value_of(&task.payload.bytes)
    };
    json!({
        "id": task.id.to_string(), "kind": &*task.kind, "queue": &*task.queue, "priority": task.priority,
        "state": task.state.name(), "created_at": instant(task.created_at.0), "created_by": &*task.created_by,
        "canceled_at": task.canceled_at.map(|at| instant(at.0)), "scheduled_at": instant(task.scheduled_at.0),
        "max_attempts": task.policy.max_attempts, "idempotency_key": task.extras.idempotency_key.as_deref(),
        "payload": payload, "runs": runs, "runs_total": task.runs_total,
    })
}
