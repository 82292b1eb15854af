//! Arguments of `work`.

use std::ffi::OsString;
use std::time::Duration;

use crate::span;

/// A worker for any language.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay work --queue mail --kind mail.send --concurrency 4 -- python3 send.py\n\n\
    The program gets the payload on standard input and MAINSTAY_RUN_ID, MAINSTAY_TASK_ID, MAINSTAY_ATTEMPT, MAINSTAY_KIND and \
    MAINSTAY_TOKEN in its environment. What it writes to standard output is the run's output: JSON when it parses as JSON, text \
    without its last line feed otherwise, at most 1 MiB. It exits with 0 for success, 75 for a failure worth another attempt, \
    76 to be suspended, anything else for failure; the end of its standard error becomes the message. On a cancel it gets \
    SIGTERM, and SIGKILL after the grace. The worker itself leaves on SIGTERM when what runs is done; a second one kills."
)]
pub(crate) struct WorkArgs {
    /// The queue to take from; may be repeated [default: default]
    #[arg(long, value_name = "NAME")]
    pub(crate) queue: Vec<String>,
    /// Only this kind; may be repeated
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// What this worker is able to do: work that needs more is left alone; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) capability: Vec<String>,
    /// Register as an actor of this name: it is listed by `actor list` and leaves when it is told to drain
    #[arg(long, value_name = "NAME", requires = "capability")]
    pub(crate) actor: Option<String>,
    /// The department that the actor belongs to
    #[arg(long, value_name = "NAME", requires = "actor")]
    pub(crate) department: Option<String>,
    /// How many programs run at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) concurrency: u16,
    /// Leave when there is no work and nothing runs
    #[arg(long)]
    pub(crate) until_idle: bool,
    /// The worker's name in leases and histories [default: host name and process id]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// From SIGTERM to SIGKILL after a cancel
    #[arg(long, value_name = "SPAN", default_value = "5s", value_parser = span::parse)]
    pub(crate) grace: Duration,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}
