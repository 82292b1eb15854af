//! Arguments of the commands about webhooks.

/// What a webhook is.
#[derive(Debug, clap::Args)]
pub(crate) struct WebhookArgs {
    /// Where events are sent: https://…
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A type of event to send; again for more [default for a new one: all]
    #[arg(long = "event", value_name = "TYPE")]
    pub(crate) events: Vec<String>,
    /// Only events about work in this queue; again for more
    #[arg(long = "queue", value_name = "QUEUE")]
    pub(crate) queues: Vec<String>,
    /// Only events about work of this kind; again for more
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Commands about webhooks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum WebhookCommand {
    /// Make a webhook; its secret is shown once
    #[command(
        after_help = "Example:\n  mainstay webhook create ops --url https://hooks.example.com/mainstay --event run_failed"
    )]
    Create {
        /// A name for people
        name: String,
        #[command(flatten)]
        what: WebhookArgs,
    },
    /// List webhooks
    #[command(after_help = "Example:\n  mainstay webhook list --json")]
    List,
    /// Show a webhook
    #[command(
        after_help = "Example:\n  mainstay webhook show 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13"
    )]
    Show {
        /// The webhook's id
        webhook_id: String,
    },
    /// Change a webhook; what is not named stays
    #[command(
        after_help = "Example:\n  mainstay webhook update 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 --event run_failed --event run_completed"
    )]
    Update {
        /// The webhook's id
        webhook_id: String,
        /// Its name from now on
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        what: WebhookArgs,
    },
    /// Remove a webhook and its deliveries
    #[command(
        after_help = "Example:\n  mainstay webhook delete 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 --reason 'moved'"
    )]
    Delete(WebhookNamed),
    /// Send events to a webhook again, from where it stopped
    #[command(
        after_help = "Example:\n  mainstay webhook enable 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13"
    )]
    Enable(WebhookNamed),
    /// Send no events to a webhook
    #[command(
        after_help = "Example:\n  mainstay webhook disable 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 --reason 'too loud'"
    )]
    Disable(WebhookNamed),
    /// Give a webhook a new secret, shown once; for a day the old one signs too
    #[command(
        after_help = "Example:\n  mainstay webhook rotate 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13"
    )]
    Rotate(WebhookNamed),
    /// Send a webhook an event that says nothing, now
    #[command(
        after_help = "Example:\n  mainstay webhook test 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13"
    )]
    Test(WebhookNamed),
    /// List what was sent and what is to be sent again, the newest first
    #[command(
        after_help = "Example:\n  mainstay webhook deliveries 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 --state pending"
    )]
    Deliveries {
        /// The webhook's id
        webhook_id: String,
        /// Only in this state: pending, delivered or failed
        #[arg(long)]
        state: Option<String>,
        /// Only those before this one
        #[arg(long, value_name = "DELIVERY_ID")]
        before: Option<u64>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Send a webhook an event again, now
    #[command(
        after_help = "Example:\n  mainstay webhook redeliver 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 48210"
    )]
    Redeliver {
        /// The webhook's id
        webhook_id: String,
        /// The delivery's id
        delivery_id: u64,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// A webhook, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct WebhookNamed {
    /// The webhook's id
    pub(crate) webhook_id: String,
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}
