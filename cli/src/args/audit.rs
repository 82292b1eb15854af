//! Arguments of the audit trail's commands.

use std::path::PathBuf;

/// Commands about the audit trail.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// List acts of control: who did what, to what, and why
    #[command(
        after_help = "Example:\n  mainstay audit list --after 48210\n\nThe oldest entries come first; the last line tells how to go on."
    )]
    List {
        /// Only what happened after this event
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: u64,
        /// How many entries at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Write every entry as a line of JSON
    #[command(
        after_help = "Example:\n  mainstay audit export > audit.ndjson\n\nGoes page by page: nothing is held in memory. With --after it goes on where an earlier export ended."
    )]
    Export {
        /// Only what happened after this event
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: u64,
    },
    /// Verify the log and the trail: nothing was changed, taken out or put elsewhere
    #[command(
        after_help = "Examples:\n  mainstay audit verify\n  mainstay audit verify /var/lib/mainstay\n\n\
        Walks the hash chain of the log that is kept, and compares the trail in the store with it. Without DIRECTORY a server does it, \
        which also knows the end of its own log; with it the files are read directly, beside a running server or without one. Keep \
        head_hash elsewhere: it stands for everything before it. Exit 1 when something does not hold."
    )]
    Verify {
        /// A data directory to read directly
        directory: Option<PathBuf>,
    },
}
