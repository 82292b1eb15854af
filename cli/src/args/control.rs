//! Arguments of the commands that look at and control runs, tasks and the engine.

use super::list::{RunListArgs, TaskListArgs};
use super::workflow::{BudgetCommand, SubscribeArgs, UpdateArgs};

/// Commands about runs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RunCommand {
    /// List runs, filtered
    List(Box<RunListArgs>),
    /// Show a run with its history
    #[command(after_help = "Example:\n  mainstay run show 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b11")]
    Show {
        /// The run's id
        run_id: String,
    },
    /// Cancel a run; the worker of a running one is told
    #[command(
        after_help = "Example:\n  mainstay run cancel 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b11 --reason 'wrong address'"
    )]
    Cancel {
        /// The run's id
        run_id: String,
        /// Do not wait for the worker of a running run
        #[arg(long)]
        force: bool,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Ask the worker of a running run to suspend it
    #[command(after_help = "Example:\n  mainstay run suspend 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b11")]
    Suspend {
        /// The run's id
        run_id: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Make a suspended run ready again
    #[command(
        after_help = "Example:\n  mainstay run resume 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b11 --payload '{\"approved\":true}'"
    )]
    Resume {
        /// The run's id
        run_id: String,
        /// What the next attempt is handed: JSON, @FILE or - for standard input
        #[arg(long, value_name = "JSON|@FILE|-")]
        payload: Option<String>,
    },
    /// Try a dead letter again: a new run of its task takes its place
    #[command(
        after_help = "Example:\n  mainstay run retry 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b11 --reason 'the mail server is back'"
    )]
    Retry {
        /// The run's id
        run_id: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Tell why a run is (not) running
    #[command(after_help = "Example:\n  mainstay run explain 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b11")]
    Explain {
        /// The run's id
        run_id: String,
    },
    /// Follow a run until it ends, and exit with its outcome
    #[command(
        after_help = "Example:\n  mainstay run watch 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b11 && echo completed"
    )]
    Watch {
        /// The run's id
        run_id: String,
    },
}

/// Commands about tasks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TaskCommand {
    /// List tasks, filtered
    List(Box<TaskListArgs>),
    /// Show a task with its runs
    #[command(
        after_help = "Example:\n  mainstay task show 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --json"
    )]
    Show {
        /// The task's id
        task_id: String,
    },
    /// Cancel a task and all its runs
    #[command(
        after_help = "Example:\n  mainstay task cancel 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --reason 'superseded'"
    )]
    Cancel {
        /// The task's id
        task_id: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Change its metadata, or a cron task's schedule
    #[command(
        after_help = "Examples:\n  mainstay task update 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --priority 5 --tag urgent\n  \
        mainstay task update 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --cron '*/10 * * * *'\n  \
        mainstay task update 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --pause\n\n\
        What is not given stays as it is."
    )]
    Update(UpdateArgs),
    /// Set, look at and renew what a task may spend
    #[command(subcommand)]
    Budget(BudgetCommand),
    /// Make a task that has not started wait for others
    #[command(
        after_help = "Example:\n  mainstay task depend 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --on 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b0f"
    )]
    Depend {
        /// The task's id
        task_id: String,
        /// A task that must be completed before; may be repeated
        #[arg(long, value_name = "TASK_ID", required = true)]
        on: Vec<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Make one more run of a task
    #[command(
        after_help = "Example:\n  mainstay task run 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --at 2026-11-21T08:00:00Z"
    )]
    Run {
        /// The task's id
        task_id: String,
        /// When it is due [default: now]
        #[arg(long, value_name = "T")]
        at: Option<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a task wait to hear of something
    #[command(
        after_help = "Examples:\n  mainstay task subscribe 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --event invoice.paid\n  \
        mainstay task subscribe 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --completed 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b0f\n  \
        mainstay task subscribe 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --run-of 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b0f --state failed\n  \
        mainstay task subscribe 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 --budget-of 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b0f --dimension token --percent 80\n\n\
        What happens releases the task's earliest scheduled run, else resumes its earliest suspended one."
    )]
    Subscribe(SubscribeArgs),
    /// Let a task wait no longer
    #[command(
        after_help = "Example:\n  mainstay task unsubscribe 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b12"
    )]
    Unsubscribe {
        /// The subscription's id
        subscription_id: String,
    },
    /// Publish an event of your own to the subscriptions that wait for it
    #[command(
        after_help = "Example:\n  mainstay task publish invoice.paid --payload '{\"invoice\":17}'"
    )]
    Publish {
        /// The event's key
        event: String,
        /// What it says: JSON, @FILE or - for standard input
        #[arg(long, value_name = "JSON|@FILE|-")]
        payload: Option<String>,
    },
}

/// Commands about the engine's switches.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EngineCommand {
    /// Stop granting work; submits, finishes and reads go on
    #[command(after_help = "Example:\n  mainstay engine pause --reason 'database migration'")]
    Pause {
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Grant work again
    #[command(after_help = "Example:\n  mainstay engine resume")]
    Resume {
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}
