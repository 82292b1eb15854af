//! The program's own arguments and the list of its commands.

use std::path::PathBuf;

use super::{
    ActorCommand, ApprovalCommand, AuditCommand, BackupArgs, BenchArgs, BulkCommand,
    DeadLetterCommand, DoctorArgs, EngineCommand, EventsArgs, InspectArgs, KeyCommand,
    LedgerCommand, LogCommand, QueryArgs, QueueCommand, RestoreArgs, RoleCommand, RunCommand,
    ScheduleCommand, ServeArgs, SubmitArgs, TaskCommand, TenantCommand, WebhookCommand, WorkArgs,
};

/// The durable engine for work that must not be lost.
#[derive(Debug, clap::Parser)]
#[command(
    name = "mainstay",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  mainstay serve &\n  mainstay submit mail.send --payload '{\"to\":\"ada\"}' --wait\n\n\
        Exit codes: 0 done, 1 failed, 2 canceled, 64 usage, 69 server not reachable, 73 cannot create, 74 storage fault, \
    75 data directory held by another process, 77 not allowed, 78 configuration or format not understood."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Global {
    /// The server's address [default: MAINSTAY_URL, else http://127.0.0.1:7420]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The API key [default: MAINSTAY_API_KEY, else admin.key in the data directory]
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Trust the certificates that this PEM file holds the roots of, not the system's [default: MAINSTAY_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The data directory [default: MAINSTAY_DATA_DIR, else ./mainstay-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Write JSON instead of text for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run the engine and its API in one process
    Serve(ServeArgs),
    /// Submit one task, or a file of them
    Submit(Box<SubmitArgs>),
    /// Work on runs with a program of any language
    Work(WorkArgs),
    /// List runs, look at one and control it
    #[command(subcommand)]
    Run(RunCommand),
    /// List tasks, look at one, change and control it
    #[command(subcommand)]
    Task(TaskCommand),
    /// List dead letters, try them again, clear them away
    #[command(subcommand)]
    DeadLetter(DeadLetterCommand),
    /// Act on many runs at once
    #[command(subcommand)]
    Bulk(BulkCommand),
    /// Show the counters
    #[command(after_help = "Example:\n  mainstay stats --json")]
    Stats,
    /// Show what has happened, and follow what happens
    Events(EventsArgs),
    /// Look at queues, set what they allow, pause and resume them
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Look at who works, drain and deregister them
    #[command(subcommand)]
    Actor(ActorCommand),
    /// Make, list and revoke keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look at roles, make some of the tenant's own, and give them to actors
    #[command(subcommand)]
    Role(RoleCommand),
    /// Add, list and weigh tenants
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Look at what is coming
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Ask in SQL, reading only
    Query(QueryArgs),
    /// Stop and start the granting of work
    #[command(subcommand)]
    Engine(EngineCommand),
    /// Append to ledgers and look at them
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Let plans wait for approval, and decide about them
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// Tell others of events
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Look at the audit trail, write it out, verify it
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copy everything that is durable into a new directory
    Backup(BackupArgs),
    /// Make a data directory from a backup
    Restore(RestoreArgs),
    /// Check a data directory without changing it
    Doctor(DoctorArgs),
    /// Show the state as it was at an event
    Inspect(InspectArgs),
    /// Look into the log of a data directory
    #[command(subcommand)]
    Log(LogCommand),
    /// Measure the engine on this machine
    Bench(BenchArgs),
    /// Write shell completions
    #[command(
        after_help = "Example:\n  mainstay completions bash > /etc/bash_completion.d/mainstay"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}
