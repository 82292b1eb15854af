//! Arguments of the commands that look at and control runs, tasks and the engine.

use std::time::Duration;

use super::list::{RunListArgs, TaskListArgs};
use crate::span;

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
        /// How often to look
        #[arg(long, value_name = "SPAN", default_value = "500ms", value_parser = span::parse)]
        every: Duration,
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
