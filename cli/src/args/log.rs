//! Arguments that say what a server writes to its log, and how.

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// What goes to the log, on standard error.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// How lines of the log are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// What is logged: off, error, warn, info, debug, trace, or by part as in info,mainstay::request=debug
    #[arg(
        long,
        value_name = "LEVEL",
        env = "MAINSTAY_LOG",
        default_value = "info"
    )]
    pub(crate) log_level: String,
}
