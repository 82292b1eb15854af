//! `task list`, `run list` and `queue list`: pages as tables, or as JSON.

use mainstay_client::Client;
use mainstay_client::wire::{QueueList, RunSummary, RunsByState, TaskSummary};
use serde::Serialize;

use crate::args::{Global, QueueCommand, RunListArgs, TaskListArgs};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;
use crate::shown::show;

const TASK_HEAD: [&str; 7] = [
    "task", "kind", "queue", "state", "priority", "created", "tags",
];
const RUN_HEAD: [&str; 6] = ["run", "kind", "queue", "state", "due", "attempts"];

/// `task list`
pub(crate) async fn tasks(
    client: &Client,
    args: &TaskListArgs,
    screen: Screen,
) -> Result<Code, Failure> {
    if args.page.all {
        let mut pages = client.task_pages(args.filter(), Some(args.page.limit().unwrap_or(1000)));
        let mut head = &TASK_HEAD[..];
        while let Some(rows) = pages.next().await? {
            if !show_rows(screen, &mut head, &rows, task_row) {
                break;
            }
        }
        return Ok(Code::Done);
    }
    let list = client.list_tasks(&args.filter(), &args.page.page()).await?;
    show(screen, &list, |screen, list| {
        show_rows(screen, &mut &TASK_HEAD[..], &list.tasks, task_row);
        tell_more(screen, list.next_cursor.as_deref());
    });
    Ok(Code::Done)
}

/// `run list`
pub(crate) async fn runs(
    client: &Client,
    args: &RunListArgs,
    screen: Screen,
) -> Result<Code, Failure> {
    if args.page.all {
        let mut pages = client.run_pages(args.filter(), Some(args.page.limit().unwrap_or(1000)));
        let mut head = &RUN_HEAD[..];
        while let Some(rows) = pages.next().await? {
            if !show_rows(screen, &mut head, &rows, run_row) {
                break;
            }
        }
        return Ok(Code::Done);
    }
    let list = client.list_runs(&args.filter(), &args.page.page()).await?;
    show(screen, &list, |screen, list| {
        show_rows(screen, &mut &RUN_HEAD[..], &list.runs, run_row);
        tell_more(screen, list.next_cursor.as_deref());
    });
    Ok(Code::Done)
}

/// `queue …`
pub(crate) async fn queue(
    global: &Global,
    command: &QueueCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    let QueueCommand::List { kinds } = command;
    show(screen, &client.queues().await?, |screen, list| {
        show_queues(screen, list, *kinds);
    });
    Ok(Code::Done)
}

/// Writes the rows; the head stands above the first ones only. False when nobody reads any more.
fn show_rows<T: Serialize>(
    screen: Screen,
    head: &mut &[&str],
    rows: &[T],
    row: fn(&T) -> Vec<String>,
) -> bool {
    if screen.is_json() {
        return rows.iter().all(|row| screen.json(row));
    }
    if rows.is_empty() && head.is_empty() {
        return true;
    }
    let rows: Vec<_> = rows.iter().map(row).collect();
    screen.table(std::mem::take(head), &rows)
}

/// How to see the rest.
fn tell_more(screen: Screen, cursor: Option<&str>) {
    if let Some(cursor) = cursor {
        screen.note(&format!("there is more: --cursor {cursor}, or --all"));
    }
}

fn task_row(task: &TaskSummary) -> Vec<String> {
    vec![
        task.id.clone(),
        task.kind.clone(),
        task.queue.clone(),
        task.state.to_string(),
        task.metadata.priority.to_string(),
        task.created_at.clone(),
        task.metadata.tags.join(", "),
    ]
}

fn run_row(run: &RunSummary) -> Vec<String> {
    vec![
        run.run_id.clone(),
        run.kind.clone(),
        run.queue.clone(),
        run.state.to_string(),
        run.scheduled_at.clone(),
        run.attempt_count.to_string(),
    ]
}

fn show_queues(screen: Screen, list: &QueueList, kinds: bool) {
    let mut head = vec!["queue"];
    if kinds {
        head.push("kind");
    }
    head.extend([
        "scheduled",
        "ready",
        "running",
        "retry_wait",
        "suspended",
        "completed",
        "failed",
        "canceled",
    ]);
    let mut rows = Vec::new();
    for queue in &list.queues {
        if kinds {
            for of_kind in &queue.kinds {
                let mut row = vec![queue.name.clone(), of_kind.kind.clone()];
                row.extend(counts(&of_kind.runs_by_state));
                rows.push(row);
            }
        } else {
            let mut row = vec![queue.name.clone()];
            row.extend(counts(&queue.runs_by_state));
            rows.push(row);
        }
    }
    screen.table(&head, &rows);
    if list.truncated {
        screen.note("there are more queues and kinds than are shown");
    }
}

fn counts(runs: &RunsByState) -> [String; 8] {
    [
        runs.scheduled,
        runs.ready,
        runs.leased + runs.running,
        runs.retry_wait,
        runs.suspended,
        runs.completed,
        runs.failed,
        runs.canceled,
    ]
    .map(|count| count.to_string())
}
