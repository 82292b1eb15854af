//! Arguments of the commands that work on a data directory: serve, bench.

use std::path::PathBuf;

use super::LogArgs;
use crate::config::limits::{HISTORY, KEEP, LOW_WATER, PAYLOAD_CACHE, RETAIN, RETAIN_AGE, SEGMENT};

/// Engine and API in one process.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay serve --data-dir /var/lib/mainstay --listen 127.0.0.1:7420\n\n\
    On SIGTERM and SIGINT it stops granting work, answers what it has taken on, syncs and exits 0. A second signal ends it at once; \
    nothing that was acknowledged is lost by that.\n\n\
    A configuration file, with every key there is:\n  [log]\n  retain_bytes = \"2GiB\"        # log kept beyond what recovery needs\n  \
    retain_age = \"14d\"\n  segment_bytes = \"64MiB\"\n  [history]\n  keep = \"30d\"               # how long finished work is kept\n  \
    max_bytes = \"50GiB\"\n  audit = \"400d\"             # how long entries of the audit trail are kept\n  \
    [history.queues]\n  mail = \"7d\"                # for this queue alone\n  [search]\n  \
    off = [\"noise\"]            # queues whose work is not found by its text\n  [memory]\n  payload_cache_bytes = \"256MiB\"\n  \
    [disk]\n  low_water_bytes = \"1GiB\"     # free space below which new work is refused\n  \
    [otel]                      # traces, over OTLP/HTTP; docs/operating/observability.md has the rest\n  \
    endpoint = \"http://127.0.0.1:4318\"\n  sample = 0.1                # the share of traces that is kept\n  \
    [oidc.corp]                 # tokens of this issuer are accepted in place of keys; docs/guide/security.md has the rest\n  \
    issuer = \"https://id.example.org\"\n  audience = \"mainstay\"\n  algorithms = [\"RS256\"]\n  tenant = \"default\"\n  \
    role_claim = \"groups\"\n  [oidc.corp.roles]\n  ops = \"operator\""
)]
pub(crate) struct ServeArgs {
    /// Read settings from a TOML file; flags overrule it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7420")]
    pub(crate) listen: String,
    /// Let /metrics be read without a key
    #[arg(long)]
    pub(crate) open_metrics: bool,
    /// How long to wait for requests at the end
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    pub(crate) drain_ms: u64,
    /// Listen on other than loopback addresses without encryption
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) insecure_plaintext: bool,
    /// Encrypt with this certificate and those it was signed by, in PEM; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
}

/// Where the storage's limits are set.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct StorageArgs {
    /// How long finished work is kept, such as 30d
    #[arg(long, value_name = "SPAN", value_parser = |text: &str| KEEP.read(text))]
    pub(crate) history_keep: Option<u64>,
    /// Bytes of the store beyond which the oldest finished work goes, such as 50GiB
    #[arg(long, value_name = "BYTES", value_parser = |text: &str| HISTORY.read(text))]
    pub(crate) history_max_bytes: Option<u64>,
    /// Bytes of log kept beyond what recovery needs
    #[arg(long, value_name = "BYTES", value_parser = |text: &str| RETAIN.read(text))]
    pub(crate) log_retain_bytes: Option<u64>,
    /// How long the log is kept beyond what recovery needs
    #[arg(long, value_name = "SPAN", value_parser = |text: &str| RETAIN_AGE.read(text))]
    pub(crate) log_retain_age: Option<u64>,
    /// Bytes of one log segment
    #[arg(long, value_name = "BYTES", value_parser = |text: &str| SEGMENT.read(text))]
    pub(crate) segment_bytes: Option<u64>,
    /// Bytes of payloads kept in memory
    #[arg(long, value_name = "BYTES", value_parser = |text: &str| PAYLOAD_CACHE.read(text))]
    pub(crate) payload_cache_bytes: Option<u64>,
    /// Free bytes of the disk below which new work is refused
    #[arg(long, value_name = "BYTES", value_parser = |text: &str| LOW_WATER.read(text))]
    pub(crate) low_water_bytes: Option<u64>,
}

/// What `bench` does with the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BenchMode {
    /// Submit all
    Submit,
    /// Submit all, then claim and finish all, each phase timed alone
    Lifecycle,
}

/// A measurement.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay bench --tasks 100000 --batch 1000 --workers 4\n\n\
    Drives an embedded engine on an empty directory (a scratch directory in the current one unless --data-dir names another), or a \
    server with --url. Syncs and memory of a server are not seen from here and are null."
)]
pub(crate) struct BenchArgs {
    /// Drive the server at this address instead of an embedded engine
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// How many tasks
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) tasks: u64,
    /// How many in one call, at most 1000 for claims
    #[arg(long, value_name = "B", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) batch: u32,
    /// Bytes of each payload
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(2..=1_048_576))]
    pub(crate) payload_bytes: u32,
    /// How many callers at the same time
    #[arg(long, value_name = "W", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: u16,
    /// What to do
    #[arg(long, value_enum, default_value_t = BenchMode::Lifecycle)]
    pub(crate) mode: BenchMode,
}
