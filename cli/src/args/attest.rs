//! Arguments of the commands about ledgers and approvals.

/// Commands about ledgers.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LedgerCommand {
    /// Append an entry; nothing changes or removes it afterwards
    #[command(
        after_help = "Example:\n  mainstay ledger append incident '{\"severity\":2,\"what\":\"queue stood still\"}'\n\n\
        A ledger begins with its first entry: audit, decision, relationship, incident or any other name."
    )]
    Append {
        /// The ledger
        ledger: String,
        /// What the entry says: JSON, @FILE or - for standard input
        payload: String,
        /// The actor it is of
        #[arg(long, value_name = "ACTOR_ID")]
        actor: Option<String>,
        /// Appending again with this key finds the first entry
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// List entries, the oldest first
    #[command(after_help = "Example:\n  mainstay ledger list incident --after 48210")]
    List {
        /// Only of this ledger
        ledger: Option<String>,
        /// Only what was appended after this event
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: u64,
        /// How many entries at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
}

/// Commands about approvals.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ApprovalCommand {
    /// Let a plan wait for approval
    #[command(
        after_help = "Example:\n  mainstay approval request 'drop the old tables' --plan '{\"statements\":[\"DROP TABLE a\"]}'"
    )]
    Request {
        /// What it is about, for people
        subject: String,
        /// What is to be done: JSON, @FILE or - for standard input
        #[arg(long, value_name = "JSON|@FILE|-", default_value = "null")]
        plan: String,
        /// The ledger that its decisions are appended to [default: decision]
        #[arg(long, value_name = "LEDGER")]
        ledger: Option<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// List approvals, the oldest first
    #[command(after_help = "Example:\n  mainstay approval list --state planned")]
    List {
        /// Only in this state: planned, reviewed, approved or rejected
        #[arg(long)]
        state: Option<String>,
        /// Only those asked for after this event
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: u64,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Show a plan and what was decided about it
    #[command(
        after_help = "Example:\n  mainstay approval show 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13"
    )]
    Show {
        /// The approval's id
        approval_id: String,
    },
    /// Review, approve or reject a plan; nobody does so with their own
    #[command(
        after_help = "Example:\n  mainstay approval decide 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 review --reason 'tried on staging'"
    )]
    Decide {
        /// The approval's id
        approval_id: String,
        /// review, approve or reject
        decision: String,
        /// Why; kept in the ledger and in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}
