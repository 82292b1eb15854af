//! Arguments of lists, SQL and queues.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use mainstay_client::wire::{RunState, TaskState};
use mainstay_client::{EventFilter, Page, RunFilter, TaskFilter};

use super::workflow::run_state;

/// Which page of a list.
#[derive(Debug, clap::Args)]
pub(crate) struct PageArgs {
    /// Rows at most, up to 1000 [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Rows to skip, up to 100000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000), conflicts_with_all = ["cursor", "all"])]
    offset: Option<u32>,
    /// Go on where a page ended
    #[arg(long, value_name = "CURSOR", conflicts_with = "all")]
    cursor: Option<String>,
    /// Every page, one after the other; with --json one row a line
    #[arg(long)]
    pub(crate) all: bool,
}

impl PageArgs {
    pub(crate) fn limit(&self) -> Option<u32> {
        self.limit
    }

    pub(crate) fn page(&self) -> Page {
        Page {
            limit: self.limit,
            offset: self.offset,
            cursor: self.cursor.clone(),
        }
    }
}

/// Durable events.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay events --last 20\n  mainstay events --follow --type run_failed --json\n\n\
    In the order of the log. Without --after it begins with the oldest event that is kept; the number of the last event that was seen is \
    the cursor to go on from. Filters are combined with and; of several types any one. Exit 1 with cursor_expired when events after the \
    cursor are no longer kept."
)]
pub(crate) struct EventsArgs {
    /// Go on with what happens, without an end
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Only events after this one
    #[arg(long, value_name = "SEQUENCE", conflicts_with = "last")]
    pub(crate) after: Option<u64>,
    /// Begin so many numbers before the end of the log
    #[arg(long, value_name = "N")]
    pub(crate) last: Option<u64>,
    /// Stop after so many events
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Only of this type, such as run_failed; may be given again
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only about this task and its runs
    #[arg(long = "task", value_name = "TASK_ID")]
    task_id: Option<String>,
    /// Only about this run
    #[arg(long = "run", value_name = "RUN_ID")]
    run_id: Option<String>,
}

impl EventsArgs {
    pub(crate) fn filter(&self) -> EventFilter {
        EventFilter {
            types: self.types.clone(),
            task_id: self.task_id.clone(),
            run_id: self.run_id.clone(),
        }
    }
}

/// Tasks, filtered.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay task list --state failed --queue mail --created-after 2026-11-20T00:00:00Z\n\n\
    Highest priority first, then oldest first. Filters are combined with and."
)]
pub(crate) struct TaskListArgs {
    /// Only in this state
    #[arg(long, value_name = "STATE", value_parser = task_state())]
    state: Option<TaskState>,
    /// Only in this queue
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Only of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only children of this task
    #[arg(long, value_name = "TASK_ID")]
    parent: Option<String>,
    /// Only those created then or later, such as 2026-11-21T08:00:00Z
    #[arg(long, value_name = "T")]
    created_after: Option<String>,
    /// Only those created before
    #[arg(long, value_name = "T")]
    created_before: Option<String>,
    /// Only with words that begin so, in kind, tags, description or errors
    #[arg(long, value_name = "WORDS")]
    q: Option<String>,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

impl TaskListArgs {
    pub(crate) fn filter(&self) -> TaskFilter {
        TaskFilter {
            kind: self.kind.clone(),
            queue: self.queue.clone(),
            tag: self.tag.clone(),
            state: self.state,
            parent_task_id: self.parent.clone(),
            created_after: self.created_after.clone(),
            created_before: self.created_before.clone(),
            q: self.q.clone(),
        }
    }
}

/// Runs, filtered.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay run list --state failed --error-code smtp_refused --all --json\n\n\
    What is due first stands first. Filters are combined with and."
)]
pub(crate) struct RunListArgs {
    /// Only in this state
    #[arg(long, value_name = "STATE", value_parser = run_state())]
    state: Option<RunState>,
    /// Only in this queue
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Only of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only of tasks with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only of this task
    #[arg(long, value_name = "TASK_ID")]
    task: Option<String>,
    /// Only those that this worker holds or last worked on
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,
    /// Only those whose last attempt ended with this error
    #[arg(long, value_name = "CODE")]
    error_code: Option<String>,
    /// Only those created then or later, such as 2026-11-21T08:00:00Z
    #[arg(long, value_name = "T")]
    created_after: Option<String>,
    /// Only those created before
    #[arg(long, value_name = "T")]
    created_before: Option<String>,
    /// Only of tasks with words that begin so, in kind, tags, description or errors
    #[arg(long, value_name = "WORDS")]
    q: Option<String>,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

impl RunListArgs {
    pub(crate) fn filter(&self) -> RunFilter {
        RunFilter {
            state: self.state,
            task_id: self.task.clone(),
            queue: self.queue.clone(),
            kind: self.kind.clone(),
            tag: self.tag.clone(),
            worker: self.worker.clone(),
            error_code: self.error_code.clone(),
            created_after: self.created_after.clone(),
            created_before: self.created_before.clone(),
            q: self.q.clone(),
        }
    }
}

/// A question in SQL.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay query \"select queue, state, count(*) from runs group by queue, state\"\n  \
    mainstay query \"select run_id from runs where kind = ?1\" --param mail.send --csv\n\n\
    One statement that only reads, over the views tasks, runs, attempts, queues and events_recent."
)]
pub(crate) struct QueryArgs {
    /// The statement
    pub(crate) sql: String,
    /// The value of ?1, ?2, …: a number, true, false, null, or text; may be repeated
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) param: Vec<String>,
    /// Rows at most, up to 10000 [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: Option<u32>,
    /// Write comma-separated values with a head
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

fn task_state() -> impl TypedValueParser<Value = TaskState> {
    PossibleValuesParser::new(TaskState::ALL.iter().map(|state| state.name()))
        .try_map(|word| TaskState::from_name(&word).ok_or("not a state"))
}
