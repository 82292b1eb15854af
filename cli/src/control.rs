//! The commands that look at and control runs, tasks and the engine.

use mainstay_client::Client;
use mainstay_client::wire::{Explain, Run, RunState, Stats, Task, TaskCanceled};
use serde::Serialize;

use crate::args::{EngineCommand, Global, RunCommand, TaskCommand};
use crate::connection::{self, LONG_PATIENCE, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;
use crate::{follow, payload};

/// `run …`
pub(crate) async fn run(
    global: &Global,
    command: &RunCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        RunCommand::Show { run_id } => show(screen, &client.run(run_id).await?, show_run),
        RunCommand::Cancel {
            run_id,
            force,
            reason,
        } => {
            let answer = client.cancel_run(run_id, *force, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                status_line(screen, &answer.run_id, &answer.status)
            })
        }
        RunCommand::Suspend { run_id, reason } => {
            let answer = client.suspend_run(run_id, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                status_line(screen, &answer.run_id, &answer.status)
            })
        }
        RunCommand::Resume { run_id, payload } => {
            let payload = payload.as_deref().map(payload::read).transpose()?;
            let answer = client.resume_run(run_id, payload).await?;
            show(screen, &answer, |screen, answer| {
                status_line(screen, &answer.run_id, &answer.status)
            })
        }
        RunCommand::Explain { run_id } => {
            show(screen, &client.explain_run(run_id).await?, show_explain)
        }
        RunCommand::Watch { run_id, every } => {
            return follow::watch(&client.with_patience(LONG_PATIENCE), run_id, *every, screen)
                .await;
        }
    }
    Ok(Code::Done)
}

/// `task …`
pub(crate) async fn task(
    global: &Global,
    command: &TaskCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        TaskCommand::Show { task_id } => show(screen, &client.task(task_id).await?, show_task),
        TaskCommand::Cancel { task_id, reason } => {
            let answer = client.cancel_task(task_id, reason.as_deref()).await?;
            show(screen, &answer, show_task_cancel);
        }
    }
    Ok(Code::Done)
}

/// `engine …`
pub(crate) async fn engine(
    global: &Global,
    command: &EngineCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    let answer = match command {
        EngineCommand::Pause { reason } => client.pause_engine(reason.as_deref()).await?,
        EngineCommand::Resume { reason } => client.resume_engine(reason.as_deref()).await?,
    };
    show(screen, &answer, |screen, answer| {
        screen.line(&format!("engine {}", words(&answer.status)));
    });
    Ok(Code::Done)
}

/// `stats`
pub(crate) async fn stats(global: &Global, screen: Screen) -> Result<Code, Failure> {
    let client: Client = connection::client(global, SHORT_PATIENCE)?;
    show(screen, &client.stats().await?, show_stats);
    Ok(Code::Done)
}

fn show<T: Serialize>(screen: Screen, answer: &T, text: impl FnOnce(Screen, &T)) {
    if screen.is_json() {
        screen.json(answer);
    } else {
        text(screen, answer);
    }
}

fn status_line(screen: Screen, id: &str, status: &str) {
    screen.line(&format!("run {id}: {}", words(status)));
}

fn words(status: &str) -> String {
    status.replace('_', " ")
}

fn show_run(screen: Screen, run: &Run) {
    let mut pairs = vec![
        ("run", run.run_id.clone()),
        ("task", run.task_id.clone()),
        ("kind", run.kind.clone()),
        ("queue", run.queue.clone()),
        ("state", run.state.to_string()),
        ("created", run.created_at.clone()),
        ("due", run.scheduled_at.clone()),
        (
            "attempts",
            format!(
                "{} ({} failed, {} lost)",
                run.attempt_count, run.failures, run.lost_leases
            ),
        ),
    ];
    let mut optional = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    optional("key", run.concurrency_key.clone());
    optional("waits for", run.block_reason.clone());
    optional("reason", run.reason.clone());
    optional("retry at", run.retry_at.clone());
    optional(
        "lease",
        run.lease
            .as_ref()
            .map(|lease| format!("{} until {}", lease.owner, lease.expires_at)),
    );
    optional(
        "cancel",
        run.cancel_requested
            .as_ref()
            .map(|c| format!("asked for by {}, forced at {}", c.by, c.force_at)),
    );
    optional(
        "output",
        run.output.as_ref().map(|output| output.get().to_owned()),
    );
    screen.pairs(&pairs);
    if !run.attempts.is_empty() {
        let row = |attempt: &mainstay_client::wire::Attempt| {
            let error = attempt
                .error
                .as_ref()
                .map(|error| format!("{}: {}", error.code, error.message));
            vec![
                attempt.number.to_string(),
                attempt.worker.clone(),
                attempt.started_at.clone(),
                attempt.finished_at.clone().unwrap_or_default(),
                attempt.result.clone().unwrap_or_else(|| "running".into()),
                error.unwrap_or_default(),
            ]
        };
        screen.line("");
        let head = [
            "attempt", "worker", "started", "finished", "result", "error",
        ];
        screen.table(&head, &run.attempts.iter().map(row).collect::<Vec<_>>());
    }
    let row = |change: &mainstay_client::wire::Change| {
        let from = change.from.map_or("", RunState::name).to_owned();
        let actor = change.actor.clone().unwrap_or_default();
        vec![
            change.sequence.to_string(),
            change.at.clone(),
            from,
            change.to.to_string(),
            change.cause.clone(),
            actor,
        ]
    };
    screen.line("");
    let head = ["sequence", "at", "from", "to", "cause", "actor"];
    screen.table(
        &head,
        &run.state_history.iter().map(row).collect::<Vec<_>>(),
    );
}

fn show_explain(screen: Screen, explain: &Explain) {
    let runnable = if explain.runnable { "yes" } else { "no" };
    let mut pairs = vec![
        ("state", explain.state.to_string()),
        ("runnable", runnable.to_owned()),
    ];
    pairs.extend(
        explain
            .position
            .map(|position| ("position", position.to_string())),
    );
    pairs.extend(
        explain
            .reasons
            .iter()
            .map(|reason| ("because", format!("{}: {}", reason.code, reason.message))),
    );
    pairs.push(("would run", explain.would_run_when.clone()));
    screen.pairs(&pairs);
}

fn show_task(screen: Screen, task: &Task) {
    let mut pairs = vec![
        ("task", task.id.clone()),
        ("kind", task.kind.clone()),
        ("queue", task.queue.clone()),
        ("state", task.state.to_string()),
        ("priority", task.metadata.priority.to_string()),
        (
            "created",
            format!("{} by {}", task.created_at, task.created_by),
        ),
    ];
    let mut optional = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    optional(
        "tags",
        (!task.metadata.tags.is_empty()).then(|| task.metadata.tags.join(", ")),
    );
    optional("key", task.idempotency_key.clone());
    optional("canceled", task.canceled_at.clone());
    optional(
        "payload",
        task.payload
            .as_ref()
            .map(|payload| payload.get().to_owned()),
    );
    optional(
        "payload",
        task.payload_base64
            .as_ref()
            .map(|text| format!("{} as base64: {text}", task.content_type)),
    );
    screen.pairs(&pairs);
    screen.line("");
    let rows = task.runs.iter().map(|run| {
        vec![
            run.run_id.clone(),
            run.state.to_string(),
            run.scheduled_at.clone(),
        ]
    });
    screen.table(&["run", "state", "due"], &rows.collect::<Vec<_>>());
}

fn show_task_cancel(screen: Screen, answer: &TaskCanceled) {
    screen.line(&format!(
        "task {}: {} ({} of {} runs canceled, {} told to stop, {} had ended)",
        answer.task_id,
        words(&answer.status),
        answer.runs_canceled,
        answer.runs_total,
        answer.runs_cancel_requested,
        answer.runs_already_terminal
    ));
}

fn show_stats(screen: Screen, stats: &Stats) {
    let runs = &stats.runs_by_state;
    let mut pairs = vec![
        ("tasks", stats.total_tasks.to_string()),
        ("runs", stats.total_runs.to_string()),
        ("attempts", stats.attempts_total.to_string()),
        ("sequence", stats.latest_sequence.to_string()),
        (
            "engine",
            if stats.paused {
                "paused"
            } else {
                "granting work"
            }
            .to_owned(),
        ),
    ];
    pairs.extend(stats.oldest_ready_at.clone().map(|at| ("oldest ready", at)));
    screen.pairs(&pairs);
    screen.line("");
    let counts = [
        ("scheduled", runs.scheduled),
        ("ready", runs.ready),
        ("leased", runs.leased),
        ("running", runs.running),
        ("retry_wait", runs.retry_wait),
        ("suspended", runs.suspended),
        ("completed", runs.completed),
        ("failed", runs.failed),
        ("canceled", runs.canceled),
    ];
    let rows: Vec<_> = counts
        .iter()
        .map(|(name, count)| vec![(*name).to_owned(), count.to_string()])
        .collect();
    screen.table(&["state", "runs"], &rows);
}
