//! Arguments of the commands about dead letters and acts on many runs.

use mainstay_client::wire::RunFilter;

use super::list::PageArgs;

/// Commands about dead letters: runs that failed for good.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DeadLetterCommand {
    /// List dead letters, the last that failed first
    #[command(
        after_help = "Example:\n  mainstay dead-letter list --queue mail --group\n\nFilters are combined with and."
    )]
    List(DeadListArgs),
    /// Try dead letters again: those named, or all that match
    #[command(
        after_help = "Example:\n  mainstay dead-letter retry --queue mail --dry-run\n  mainstay dead-letter retry --queue mail --yes --reason 'relay is back'"
    )]
    Retry(ManyArgs),
    /// Clear dead letters away: those named, or all that match
    #[command(
        after_help = "Example:\n  mainstay dead-letter clear --kind sms --yes --reason 'no phones any more'"
    )]
    Clear(ManyArgs),
}

/// Commands about acts on many runs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum BulkCommand {
    /// List acts on many runs, the newest first
    #[command(after_help = "Example:\n  mainstay bulk list")]
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show how far an act on many runs has come
    #[command(after_help = "Example:\n  mainstay bulk show 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13")]
    Show {
        /// The operation's id
        operation_id: String,
    },
    /// Stop an act on many runs; what it did stays done
    #[command(
        after_help = "Example:\n  mainstay bulk stop 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 --reason 'wrong queue'"
    )]
    Stop {
        /// The operation's id
        operation_id: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Cancel every run that matches and has not ended
    #[command(after_help = "Example:\n  mainstay bulk cancel --queue mail --state ready --dry-run")]
    Cancel(BulkArgs),
    /// Resume every suspended run that matches
    #[command(after_help = "Example:\n  mainstay bulk resume --kind report --yes")]
    Resume(BulkArgs),
}

/// Which runs.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct FilterArgs {
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
    /// Only those that this worker last worked on
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,
    /// Only those whose last attempt ended with this error
    #[arg(long, value_name = "CODE")]
    error_code: Option<String>,
    /// Only dead letters with this fingerprint, as `dead-letter list --group` shows them
    #[arg(long, value_name = "DIGITS")]
    fingerprint: Option<String>,
    /// Only those created then or later, such as 2026-11-21T08:00:00Z
    #[arg(long, value_name = "T")]
    created_after: Option<String>,
    /// Only those created before
    #[arg(long, value_name = "T")]
    created_before: Option<String>,
    /// Only of tasks with words that begin so, in kind, tags, description or errors
    #[arg(long, value_name = "WORDS")]
    q: Option<String>,
}

impl FilterArgs {
    pub(crate) fn filter(&self) -> RunFilter<'_> {
        let text = |value: &'_ Option<String>| value.clone().map(Into::into);
        RunFilter {
            state: None,
            task_id: text(&self.task),
            queue: text(&self.queue),
            kind: text(&self.kind),
            tag: text(&self.tag),
            worker: text(&self.worker),
            error_code: text(&self.error_code),
            fingerprint: text(&self.fingerprint),
            created_after: text(&self.created_after),
            created_before: text(&self.created_before),
            q: text(&self.q),
        }
    }
}

/// Which dead letters are listed.
#[derive(Debug, clap::Args)]
pub(crate) struct DeadListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// By what they have in common, the largest group first
    #[arg(long, conflicts_with_all = ["offset", "cursor", "all"])]
    pub(crate) group: bool,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

/// How many are acted on.
#[derive(Debug, clap::Args)]
pub(crate) struct ActArgs {
    /// Change nothing; say how many match and which come first
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask first
    #[arg(long)]
    pub(crate) yes: bool,
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Dead letters to act on.
#[derive(Debug, clap::Args)]
pub(crate) struct ManyArgs {
    /// These runs, instead of all that match
    #[arg(value_name = "RUN_ID", conflicts_with_all = ["dry_run", "queue", "kind", "tag", "task", "worker", "error_code", "fingerprint", "created_after", "created_before", "q"])]
    pub(crate) runs: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// Runs to act on.
#[derive(Debug, clap::Args)]
pub(crate) struct BulkArgs {
    /// Only in this state
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

impl BulkArgs {
    pub(crate) fn filter(&self) -> RunFilter<'_> {
        RunFilter {
            state: self.state.clone().map(Into::into),
            ..self.filter.filter()
        }
    }
}
