//! Arguments of the commands that look after a data directory: backup, restore, doctor, inspect, log.

use std::path::PathBuf;

/// A copy to restore from.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay backup /backups/2026-11-21 --data-dir /var/lib/mainstay\n\n\
    Holds everything acknowledged when it was asked for, as one consistent state with digests that are checked before this ends. When a \
    server holds the data directory the backup is made by it, while it works, and downloaded; with --server (or MAINSTAY_URL) always. \
    Otherwise the directory is read directly. The new directory must not be there or be empty; without backup.json in it, it is no \
    backup. The admin key is not part of a backup."
)]
pub(crate) struct BackupArgs {
    /// The new directory
    pub(crate) into: PathBuf,
}

/// A data directory made from a backup.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay restore /backups/2026-11-21 --data-dir /var/lib/mainstay-new\n\n\
    Every digest in the backup is verified first. The new data directory has a log of its own: leases and event cursors from before are \
    refused as lease_lost and cursor_expired, and runs that were being worked on come back when their leases end. Everything else, ids, \
    idempotency keys and history included, goes on where the backup ended. After a crash give the same command again."
)]
pub(crate) struct RestoreArgs {
    /// The backup's directory
    pub(crate) backup: PathBuf,
}

/// A check that changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay doctor /var/lib/mainstay\n\n\
    Reads every frame of the log, checks its sums and the chain, and replays it; reads every row of the store and every snapshot, and \
    compares their state with what the log comes to at the same event. Works beside a running server. Exit 0 when all is well, 1 when \
    damage is found. Quarantined tails (never acknowledged), leftovers, and a missing store that the next start makes again are listed \
    and are no damage.\n\n\
    --repair store sets the store aside, so that the next start makes it again, and only if the log or a snapshot brings back what is \
    live in it. Nothing is deleted.")]
pub(crate) struct DoctorArgs {
    /// The data directory
    pub(crate) directory: PathBuf,
    /// What to repair: store
    #[arg(long, value_name = "WHAT")]
    pub(crate) repair: Option<String>,
}

/// The state as it was.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay inspect /var/lib/mainstay --at 48210 --run 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b11\n\n\
    Begins with the nearest of the log's start, a snapshot, the store and --backup, and replays the log up to exactly that event. Takes \
    no lock and writes nothing: it works beside a running server. DIRECTORY may be a backup too."
)]
pub(crate) struct InspectArgs {
    /// The data directory, or a backup
    pub(crate) directory: PathBuf,
    /// The event [default: the last one]
    #[arg(long, value_name = "SEQ")]
    pub(crate) at: Option<u64>,
    /// A backup of the same log to begin with
    #[arg(long, value_name = "DIR")]
    pub(crate) backup: Option<PathBuf>,
    /// Show this run as it was
    #[arg(long, value_name = "RUN_ID")]
    pub(crate) run: Option<String>,
    /// Show this task as it was
    #[arg(long, value_name = "TASK_ID")]
    pub(crate) task: Option<String>,
    /// The run's or task's tenant [default: the default tenant]
    #[arg(long, value_name = "TENANT_ID")]
    pub(crate) tenant: Option<String>,
}

/// Commands about the log of a data directory.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LogCommand {
    /// Write the log's frames, commands and events
    #[command(
        after_help = "Example:\n  mainstay log dump /var/lib/mainstay --from 48200 --limit 100 --json\n\n\
        Takes no lock: it works beside a running server. With --json one object per line."
    )]
    Dump {
        /// The data directory
        directory: PathBuf,
        /// The first event
        #[arg(long, value_name = "SEQ", default_value_t = 1)]
        from: u64,
        /// How many lines at most
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
        /// Write payloads, outputs and memos, not only their lengths
        #[arg(long)]
        payloads: bool,
    },
}
