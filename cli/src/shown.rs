//! How runs, tasks and counters look to people.

use mainstay_client::wire::{
    Attempt, Change, Explain, Run, RunState, Spans, Stats, Task, TaskCanceled,
};
use serde::Serialize;

use crate::screen::Screen;

/// An answer as JSON, or as text for people.
pub(crate) fn show<T: Serialize>(screen: Screen, answer: &T, text: impl FnOnce(Screen, &T)) {
    if screen.is_json() {
        screen.json(answer);
    } else {
        text(screen, answer);
    }
}

/// What became of a run, in one line.
pub(crate) fn status_line(screen: Screen, id: &str, status: &str) {
    screen.line(&format!("run {id}: {}", words(status)));
}

/// A status as words.
pub(crate) fn words(status: &str) -> String {
    status.replace('_', " ")
}

/// One run with its attempts and its history.
pub(crate) fn show_run(screen: Screen, run: &Run) {
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
        let head = [
            "attempt", "worker", "started", "finished", "result", "error",
        ];
        screen.line("");
        screen.table(
            &head,
            &run.attempts.iter().map(attempt_row).collect::<Vec<_>>(),
        );
    }
    let head = ["sequence", "at", "from", "to", "cause", "actor"];
    screen.line("");
    screen.table(
        &head,
        &run.state_history.iter().map(change_row).collect::<Vec<_>>(),
    );
}

fn attempt_row(attempt: &Attempt) -> Vec<String> {
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
}

fn change_row(change: &Change) -> Vec<String> {
    vec![
        change.sequence.to_string(),
        change.at.clone(),
        change.from.map_or("", RunState::name).to_owned(),
        change.to.to_string(),
        change.cause.clone(),
        change.actor.clone().unwrap_or_default(),
    ]
}

/// Why a run is (not) running.
pub(crate) fn show_explain(screen: Screen, explain: &Explain) {
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

/// One task with its runs.
pub(crate) fn show_task(screen: Screen, task: &Task) {
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
    optional("unique", task.unique_key.clone());
    optional("runs", schedule_words(task));
    optional("parent", task.parent_task_id.clone());
    optional(
        "children",
        (task.children_total > 0).then(|| {
            let (total, live) = (task.children_total, task.descendants_live);
            format!("{total} ({live} below it have not ended)")
        }),
    );
    optional(
        "waits for",
        (!task.unmet_dependencies.is_empty()).then(|| task.unmet_dependencies.join(", ")),
    );
    for budget in &task.budgets {
        optional(
            "budget",
            Some(format!(
                "{}: {} of {} used",
                budget.dimension, budget.consumed, budget.limit
            )),
        );
    }
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

/// When the runs of a task with a schedule are made.
fn schedule_words(task: &Task) -> Option<String> {
    let policy = &task.run_policy;
    if let (Some(count), Some(interval)) = (policy.count, policy.interval_ms) {
        return Some(format!("{count}, {interval} ms apart"));
    }
    let expression = policy.expression.as_deref()?;
    let timezone = policy.timezone.as_deref().unwrap_or("UTC");
    let next = task
        .schedule
        .as_ref()
        .and_then(|schedule| schedule.next.as_deref());
    let next = next.map_or("no further".to_owned(), |next| format!("next {next}"));
    let paused = if task.paused == Some(true) {
        ", paused"
    } else {
        ""
    };
    Some(format!("{expression} in {timezone}, {next}{paused}"))
}

/// What a task's cancel did.
pub(crate) fn show_task_cancel(screen: Screen, answer: &TaskCanceled) {
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

/// The counters.
pub(crate) fn show_stats(screen: Screen, stats: &Stats) {
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
    screen.line("");
    show_times(screen, stats);
}

/// How long attempts took: all of them, those of the last hour, and by kind.
fn show_times(screen: Screen, stats: &Stats) {
    let row = |name: &str, spans: &Spans| {
        let times = [spans.p50_ms, spans.p95_ms, spans.p99_ms, spans.max_ms];
        let mut row = vec![
            name.to_owned(),
            spans.count.to_string(),
            spans.avg_ms.to_string(),
        ];
        row.extend(times.map(|ms| ms.to_string()));
        row
    };
    let mut rows = vec![
        row("all", &stats.execution.life),
        row("last hour", &stats.execution.last_hour),
    ];
    for kind in &stats.execution_by_kind {
        rows.push(row(kind.kind.as_deref().unwrap_or("(others)"), &kind.life));
    }
    let head = [
        "attempts of",
        "ended",
        "avg ms",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
    ];
    screen.table(&head, &rows);
}
