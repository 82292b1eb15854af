//! Arguments of `submit`.

use std::path::PathBuf;
use std::time::Duration;

use crate::span;

/// One task, or a file of them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mainstay submit mail.send --payload '{\"to\":\"ada\"}' --max-attempts 5\n  \
    mainstay submit report.build --delay 5m --idempotency-key report-2026-11-21 --wait\n  \
    mainstay submit report.build --cron '0 8 * * mon-fri' --timezone Europe/Berlin\n  \
    mainstay submit page.fetch --budget token=50000:500 --capability gpu\n  \
    mainstay submit --batch tasks.ndjson\n  \
    mainstay submit --batch order.ndjson --atomic\n\n\
    A batch is one JSON task per line. A line without idempotency_key gets one from its text and number, so that the same \
    command after a crash creates nothing twice."
)]
pub(crate) struct SubmitArgs {
    /// Which handler: letters a-z, digits, dots, dashes, underscores
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    pub(crate) kind: Option<String>,
    /// Submit the tasks of an NDJSON file, or of standard input
    #[arg(long, value_name = "FILE|-", conflicts_with_all = [
        "payload", "queue", "priority", "run_at", "delay", "repeat", "cron", "timezone", "max_attempts", "timeout",
        "concurrency_key", "concurrency_limit", "tag", "depends_on", "parent", "budget", "capability", "fairness_key", "unique_key",
        "deferred", "idempotency_key", "wait",
    ])]
    pub(crate) batch: Option<PathBuf>,
    /// Submit the tasks of the batch in one step, all or none: at most 10,000; a line may name earlier ones, by ids of its own
    #[arg(long, requires = "batch", conflicts_with = "kind")]
    pub(crate) atomic: bool,
    /// What the handler gets: JSON, @FILE or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub(crate) payload: Option<String>,
    /// Which lane [default: default]
    #[arg(long, value_name = "NAME")]
    pub(crate) queue: Option<String>,
    /// Higher first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) priority: Option<i32>,
    /// When it is due, such as 2026-11-21T08:00:00Z; of a schedule: when it begins
    #[arg(long, value_name = "T", conflicts_with = "delay")]
    pub(crate) run_at: Option<String>,
    /// Due after this span: 250ms, 30s, 5m, 2h, 1d
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    pub(crate) delay: Option<Duration>,
    /// How often and how far apart, such as 10:30s
    #[arg(long, value_name = "N:SPAN", value_parser = repeat, conflicts_with = "cron")]
    pub(crate) repeat: Option<(u32, Duration)>,
    /// A cron expression
    #[arg(long, value_name = "EXPR")]
    pub(crate) cron: Option<String>,
    /// The cron expression's time zone
    #[arg(long, value_name = "TZ", requires = "cron")]
    pub(crate) timezone: Option<String>,
    /// Failures and timeouts until the run fails
    #[arg(long, value_name = "N")]
    pub(crate) max_attempts: Option<u32>,
    /// An attempt's deadline
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Runs with the same key run one after another
    #[arg(long, value_name = "KEY")]
    pub(crate) concurrency_key: Option<String>,
    /// How many runs may hold the concurrency key at the same time
    #[arg(long, value_name = "N", requires = "concurrency_key")]
    pub(crate) concurrency_limit: Option<u32>,
    /// What a worker must be able to do; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) capability: Vec<String>,
    /// Runs take turns by this key
    #[arg(long, value_name = "KEY")]
    pub(crate) fairness_key: Option<String>,
    /// What it may spend, and what each attempt holds meanwhile, such as token=50000 or token=50000:500; may be repeated
    #[arg(long, value_name = "DIM=LIMIT[:RESERVE]", value_parser = budget)]
    pub(crate) budget: Vec<Budget>,
    /// A tag; may be repeated
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// A task that must be completed before; may be repeated
    #[arg(long, value_name = "TASK_ID")]
    pub(crate) depends_on: Vec<String>,
    /// The task it belongs to
    #[arg(long, value_name = "TASK_ID")]
    pub(crate) parent: Option<String>,
    /// At most one task that has not ended has this key
    #[arg(long, value_name = "KEY")]
    pub(crate) unique_key: Option<String>,
    /// Do not wait until it is on disk
    #[arg(long, conflicts_with = "wait")]
    pub(crate) deferred: bool,
    /// Submitting again with this key returns the first task
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// Follow the run, write its output and exit with its outcome
    #[arg(long)]
    pub(crate) wait: bool,
}

/// Reads `N:SPAN`.
pub(super) fn repeat(text: &str) -> Result<(u32, Duration), String> {
    let (count, interval) = text
        .split_once(':')
        .ok_or("expected a count and a span, such as 10:30s")?;
    let count = count
        .parse()
        .map_err(|_| "expected a count before the colon, such as 10:30s")?;
    Ok((count, span::parse(interval)?))
}

/// What may be spent of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) dimension: String,
    pub(crate) limit: u64,
    pub(crate) reserve: Option<u64>,
}

/// Reads `DIM=LIMIT` and `DIM=LIMIT:RESERVE`.
pub(super) fn budget(text: &str) -> Result<Budget, String> {
    let wrong =
        || "expected a dimension and a limit, such as token=50000 or token=50000:500".to_owned();
    let (dimension, numbers) = text.split_once('=').ok_or_else(wrong)?;
    let (limit, reserve) = match numbers.split_once(':') {
        Some((limit, reserve)) => (limit, Some(reserve.parse().map_err(|_| wrong())?)),
        None => (numbers, None),
    };
    Ok(Budget {
        dimension: dimension.to_owned(),
        limit: limit.parse().map_err(|_| wrong())?,
        reserve,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_a_count_and_a_span() {
        assert_eq!(repeat("10:30s"), Ok((10, Duration::from_secs(30))));
        assert!(repeat("10").is_err());
        assert!(repeat("x:30s").is_err());
        assert!(repeat("10:30").is_err());
    }

    #[test]
    fn a_budget_is_a_dimension_a_limit_and_perhaps_a_reserve() {
        let budget = |text| budget(text).map(|it| (it.dimension, it.limit, it.reserve));
        assert_eq!(budget("token=5"), Ok(("token".into(), 5, None)));
        assert_eq!(budget("my.dim=5:2"), Ok(("my.dim".into(), 5, Some(2))));
        for wrong in ["token", "token=", "token=x", "token=5:", "token=5:x"] {
            assert!(
                budget(wrong).is_err_and(|message| message.contains("token=50000")),
                "{wrong}"
            );
        }
    }
}
