//! Arguments of the commands about keys, roles and tenants.

use super::submit::{Budget, budget};

/// Commands about keys.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; it is shown this once
    #[command(
        after_help = "Examples:\n  mainstay key create ci --role operator --tenant 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b14\n  \
        mainstay key create metrics --role auditor --expires-at 2027-01-01T00:00:00Z\n\n\
        Without --tenant a system key makes a system key, and a tenant's key one of its tenant."
    )]
    Create {
        /// A name for people
        name: String,
        /// worker, operator, auditor, gatekeeper, admin, or a role of the tenant's own
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// Its tenant: an id, or `default`
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
        /// The actor it acts for
        #[arg(long, value_name = "ACTOR_ID")]
        actor: Option<String>,
        /// When it ends by itself
        #[arg(long, value_name = "T")]
        expires_at: Option<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// List keys; never the secrets
    #[command(after_help = "Example:\n  mainstay key list --json")]
    List,
    /// End a key, at once
    #[command(
        after_help = "Example:\n  mainstay key revoke 0b5ad7f2-4c1e-4d3a-9c55-1f0e6f0a2b11 --reason 'laptop stolen'"
    )]
    Revoke {
        /// The key's id
        key_id: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Commands about roles, and what actors are given.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RoleCommand {
    /// List the built-in roles and the tenant's own
    #[command(after_help = "Example:\n  mainstay role list")]
    List,
    /// Say what a role of the tenant's own holds
    #[command(
        after_help = "Example:\n  mainstay role put deployer --capability can_submit --capability deploy"
    )]
    Put {
        /// Its name
        name: String,
        /// What who has it may do; may be repeated
        #[arg(long, value_name = "NAME", required = true)]
        capability: Vec<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Remove a role that nobody has
    #[command(after_help = "Example:\n  mainstay role remove deployer")]
    Remove {
        /// Its name
        name: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Give an actor a role
    #[command(
        after_help = "Example:\n  mainstay role assign 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 auditor"
    )]
    Assign(GrantArgs),
    /// Take a role from an actor
    #[command(
        after_help = "Example:\n  mainstay role revoke 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 auditor"
    )]
    Revoke(GrantArgs),
    /// Give an actor one capability
    #[command(
        after_help = "Example:\n  mainstay role grant 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 can_review"
    )]
    Grant(GrantArgs),
    /// Take one capability from an actor
    #[command(
        after_help = "Example:\n  mainstay role ungrant 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13 can_review"
    )]
    Ungrant(GrantArgs),
}

/// Who is given what.
#[derive(Debug, clap::Args)]
pub(crate) struct GrantArgs {
    /// The actor's id
    pub(crate) actor_id: String,
    /// The role's or capability's name
    pub(crate) name: String,
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Commands about tenants.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TenantCommand {
    /// Add a tenant
    #[command(after_help = "Example:\n  mainstay tenant create acme")]
    Create {
        /// Its name
        name: String,
        /// Its id [default: minted]
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// List tenants
    #[command(after_help = "Example:\n  mainstay tenant list --json")]
    List,
    /// Set a tenant's share of grants
    #[command(
        after_help = "Example:\n  mainstay tenant set 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b14 --weight 3"
    )]
    Set {
        /// Its id, or `default`
        tenant_id: String,
        /// 1 to 1000
        #[arg(long, value_name = "N")]
        weight: u32,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Set, look at and renew what all of a tenant's work together may spend
    #[command(subcommand)]
    Budget(TenantBudgetCommand),
}

/// Commands about what a tenant may spend.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TenantBudgetCommand {
    /// Show a tenant's budgets
    #[command(
        after_help = "Example:\n  mainstay tenant budget list 0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b14"
    )]
    List {
        /// The tenant's id, or `default`
        tenant_id: String,
    },
    /// Set a budget, or change its limit within its period
    #[command(
        after_help = "Example:\n  mainstay tenant budget allocate default cost_cents=500000 --reason 'this quarter'"
    )]
    Allocate {
        /// The tenant's id, or `default`
        tenant_id: String,
        /// The dimension, the limit and what each attempt holds
        #[arg(value_name = "DIM=LIMIT[:RESERVE]", value_parser = budget)]
        budget: Budget,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Begin a new period of a budget
    #[command(
        after_help = "Example:\n  mainstay tenant budget replenish default cost_cents 500000"
    )]
    Replenish {
        /// The tenant's id, or `default`
        tenant_id: String,
        /// The dimension
        dimension: String,
        /// How much may be spent in the new period
        new_limit: u64,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}
