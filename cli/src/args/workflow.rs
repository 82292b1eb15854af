//! Arguments of the commands that change tasks, budgets, subscriptions, schedules and queues.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use mainstay_client::wire::RunState;

use super::submit::{Budget, budget, repeat};
use crate::span;

/// What changes of a task.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// The task's id
    pub(crate) task_id: String,
    /// Higher first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) priority: Option<i32>,
    /// All its tags from now on; may be repeated
    #[arg(long, value_name = "TAG", conflicts_with = "no_tags")]
    pub(crate) tag: Vec<String>,
    /// No tags from now on
    #[arg(long)]
    pub(crate) no_tags: bool,
    /// Text for people; an empty one takes it away
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Another cron expression for a cron task
    #[arg(long, value_name = "EXPR")]
    pub(crate) cron: Option<String>,
    /// The cron expression's time zone
    #[arg(long, value_name = "TZ", requires = "cron")]
    pub(crate) timezone: Option<String>,
    /// Stop its schedule for a while
    #[arg(long, conflicts_with = "unpause")]
    pub(crate) pause: bool,
    /// Let its schedule go on
    #[arg(long)]
    pub(crate) unpause: bool,
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Commands about what a task may spend.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum BudgetCommand {
    /// Show a task's budgets
    #[command(
        after_help = "Example:\n  mainstay task budget list 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10"
    )]
    List {
        /// The task's id
        task_id: String,
    },
    /// Set a budget, or change its limit within its period
    #[command(
        after_help = "Example:\n  mainstay task budget allocate 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 token=50000:500"
    )]
    Allocate {
        /// The task's id
        task_id: String,
        /// The dimension, the limit and what each attempt holds
        #[arg(value_name = "DIM=LIMIT[:RESERVE]", value_parser = budget)]
        budget: Budget,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Begin a new period of a budget
    #[command(
        after_help = "Example:\n  mainstay task budget replenish 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b10 token 50000"
    )]
    Replenish {
        /// The task's id
        task_id: String,
        /// The dimension
        dimension: String,
        /// How much may be spent in the new period
        new_limit: u64,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// What a task waits to hear of.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["event", "completed", "run_of", "budget_of"]))]
pub(crate) struct SubscribeArgs {
    /// The task's id
    pub(crate) task_id: String,
    /// An event of this key is published
    #[arg(long, value_name = "KEY")]
    pub(crate) event: Option<String>,
    /// This task is completed
    #[arg(long, value_name = "TASK_ID")]
    pub(crate) completed: Option<String>,
    /// A run of this task comes to the state
    #[arg(long, value_name = "TASK_ID", requires = "state")]
    pub(crate) run_of: Option<String>,
    /// The state
    #[arg(long, value_name = "STATE", requires = "run_of", value_parser = run_state())]
    pub(crate) state: Option<RunState>,
    /// This task's budget passes the percentage of its limit
    #[arg(long, value_name = "TASK_ID", requires_all = ["dimension", "percent"])]
    pub(crate) budget_of: Option<String>,
    /// The budget's dimension
    #[arg(long, value_name = "DIM", requires = "budget_of")]
    pub(crate) dimension: Option<String>,
    /// The percentage
    #[arg(long, value_name = "N", requires = "budget_of")]
    pub(crate) percent: Option<u32>,
}

pub(super) fn run_state() -> impl TypedValueParser<Value = RunState> {
    PossibleValuesParser::new(RunState::ALL.iter().map(|state| state.name()))
        .try_map(|word| RunState::from_name(&word).ok_or("not a state"))
}

/// Commands about schedules.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Show when a schedule would run, without submitting anything
    #[command(
        after_help = "Examples:\n  mainstay schedule preview --cron '0 8 * * mon-fri' --timezone Europe/Berlin\n  \
        mainstay schedule preview --repeat 10:30s --next 3"
    )]
    Preview(PreviewArgs),
    /// Show the tasks with a schedule and what is coming of each
    #[command(after_help = "Example:\n  mainstay schedule list --next 3")]
    List {
        /// Only of this task
        #[arg(long, value_name = "TASK_ID")]
        task: Option<String>,
        /// How many coming instants of each task
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        next: u32,
    },
}

/// A schedule to look at.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("schedule").required(true).args(["cron", "repeat"]))]
pub(crate) struct PreviewArgs {
    /// A cron expression
    #[arg(long, value_name = "EXPR")]
    pub(crate) cron: Option<String>,
    /// The cron expression's time zone
    #[arg(long, value_name = "TZ", requires = "cron")]
    pub(crate) timezone: Option<String>,
    /// How often and how far apart, such as 10:30s
    #[arg(long, value_name = "N:SPAN", value_parser = repeat)]
    pub(crate) repeat: Option<(u32, Duration)>,
    /// When it begins, such as 2026-11-21T08:00:00Z
    #[arg(long, value_name = "T")]
    pub(crate) start_at: Option<String>,
    /// How many instants
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) next: u32,
}

/// Commands about queues.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum QueueCommand {
    /// Show the queues with their runs by state
    #[command(after_help = "Example:\n  mainstay queue list --kinds")]
    List {
        /// One line for each kind
        #[arg(long)]
        kinds: bool,
    },
    /// Show a queue with its settings
    #[command(after_help = "Example:\n  mainstay queue show mail")]
    Show {
        /// The queue
        name: String,
    },
    /// Grant nothing from a queue; submits, finishes and reads go on
    #[command(after_help = "Example:\n  mainstay queue pause mail --reason 'provider is down'")]
    Pause {
        /// The queue
        name: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Grant a queue's runs again
    #[command(after_help = "Example:\n  mainstay queue resume mail")]
    Resume {
        /// The queue
        name: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Set what a queue allows
    #[command(
        after_help = "Examples:\n  mainstay queue set mail --concurrency-limit 20 --rate 100:1m\n  mainstay queue set mail --weight 3\n  \
        mainstay queue set mail\n\n\
        What is not given is not limited any more."
    )]
    Set {
        /// The queue
        name: String,
        /// How many of its runs workers may hold at once
        #[arg(long, value_name = "N")]
        concurrency_limit: Option<u32>,
        /// How many of its runs may start within a span, such as 100:1m
        #[arg(long, value_name = "N:SPAN", value_parser = rate)]
        rate: Option<(u64, Duration)>,
        /// Its share among the queues of one claim
        #[arg(long, value_name = "N")]
        weight: Option<u32>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Reads `N:SPAN`.
fn rate(text: &str) -> Result<(u64, Duration), String> {
    let wrong = "expected a number and a span, such as 100:1m";
    let (max, per) = text.split_once(':').ok_or(wrong)?;
    Ok((max.parse().map_err(|_| wrong)?, span::parse(per)?))
}
