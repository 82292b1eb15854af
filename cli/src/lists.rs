//! `task list` and `run list`: pages as tables, or as JSON.

use mainstay_client::Client;
use mainstay_client::wire::{RunSummary, TaskSummary};
use serde::Serialize;

use crate::args::{RunListArgs, TaskListArgs};
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

/// Writes the rows; the head stands above the first ones only. False when nobody reads any more.
pub(crate) fn show_rows<T: Serialize>(
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
pub(crate) fn tell_more(screen: Screen, cursor: Option<&str>) {
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
