//! Arguments of the commands about actors.

use mainstay_client::ActorFilter;

use super::list::PageArgs;

/// Commands about actors: who works, and what each is able to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ActorCommand {
    /// List registered actors, filtered
    #[command(
        after_help = "Example:\n  mainstay actor list --department render --state active\n\nFilters are combined with and."
    )]
    List(ActorListArgs),
    /// Show one actor
    #[command(after_help = "Example:\n  mainstay actor show 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13")]
    Show {
        /// The actor's id
        actor_id: String,
    },
    /// Grant an actor nothing any more; what it holds it finishes
    #[command(
        after_help = "Example:\n  mainstay actor drain 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 --reason 'new driver'"
    )]
    Drain {
        /// The actor's id
        actor_id: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Deregister an actor; the leases that it still holds end
    #[command(
        after_help = "Example:\n  mainstay actor deregister 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 --reason 'host is gone'"
    )]
    Deregister {
        /// The actor's id
        actor_id: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Which actors are listed.
#[derive(Debug, clap::Args)]
pub(crate) struct ActorListArgs {
    /// Only of this department
    #[arg(long, value_name = "NAME")]
    department: Option<String>,
    /// Only those able to do this
    #[arg(long, value_name = "NAME")]
    capability: Option<String>,
    /// Only in this state
    #[arg(long, value_name = "STATE", value_parser = ["active", "draining"])]
    state: Option<String>,
    /// Only with this identity
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

impl ActorListArgs {
    pub(crate) fn filter(&self) -> ActorFilter {
        ActorFilter {
            department: self.department.clone(),
            capability: self.capability.clone(),
            state: self.state.clone(),
            identity: self.identity.clone(),
        }
    }
}
