//! What is measured of everything at once, for whoever watches a server: counters, the fullest queues, the tenants with most work.
//! Owns: the nouns of that answer.
//! Never: grows with runs, tasks, queues or tenants beyond its bounds.

use alloc::vec::Vec;

use crate::outcome::BudgetView;
use crate::query::Stats;
use crate::time::Timestamp;
use crate::{TenantId, Text};

/// Everything at once, of all tenants.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// Counters.
    pub counters: Stats,
    /// Failed runs that were neither tried again nor cleared away.
    pub dead_letters: u64,
    /// How long attempts took.
    pub execution: Execution,
    /// The queues with most unfinished work, those first; at most [`crate::limits::QUEUES_MEASURED_MAX`].
    pub queues: Vec<QueueLoad>,
    /// All other queues together; without a name.
    pub other_queues: QueueLoad,
    /// Queues that ever had work.
    pub queues_total: u64,
    /// Queues that are paused.
    pub queues_paused: u64,
    /// The tenants with most unfinished work, those first; at most [`crate::limits::TENANTS_MEASURED_MAX`].
    pub tenants: Vec<TenantLoad>,
    /// All other tenants together; without a name.
    pub other_tenants: TenantLoad,
    /// Tenants there are.
    pub tenants_total: u64,
    /// Budgets of tenants on which nothing more may be started.
    pub budgets_exhausted: u64,
    /// Runs that are suspended until a budget has room.
    pub waiting_for_budget: u64,
    /// Bulk operations that go on.
    pub operations_running: u64,
    /// Webhooks.
    pub webhooks: WebhookLoad,
}

/// How webhooks of all tenants stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookLoad {
    /// Those whose events are sent.
    pub enabled: u64,
    /// Those that somebody disabled.
    pub disabled: u64,
    /// Those that were disabled because the receiver said that it is gone.
    pub gone: u64,
    /// Those that were disabled because nothing but failures came back for days.
    pub failing: u64,
    /// Deliveries that are sent again when their time comes.
    pub pending: u64,
    /// Events of the log that the enabled webhook that is furthest behind was not looked through for.
    pub lag_events: u64,
}

/// How long attempts took, in buckets that are not cumulative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// Attempts per bucket of [`Execution::BOUNDS_MS`], and one more for what is longer than all bounds.
    pub counts: Vec<u64>,
    /// All of them together, in milliseconds.
    pub sum_ms: u64,
}

impl Execution {
    /// Upper bounds in milliseconds.
    pub const BOUNDS_MS: [u64; 15] = [
        5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15_000, 60_000, 300_000, 1_800_000,
        7_200_000,
    ];
}

/// What lies in one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueLoad {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Text,
    /// Runs by state code; terminal states count for life.
    pub runs_by_state: [u64; 9],
    /// Failed runs that were neither tried again nor cleared away.
    pub dead_letters: u64,
    /// Since when the oldest run that could be granted waits; none when there is none, or it is not among the lanes looked at.
    pub oldest_ready_at: Option<Timestamp>,
    /// Whether nothing is granted from it.
    pub paused: bool,
}

/// What one tenant has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantLoad {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: Text,
    /// Runs by state code; terminal states count for life.
    pub runs_by_state: [u64; 9],
    /// Failed runs that were neither tried again nor cleared away.
    pub dead_letters: u64,
    /// Its own budgets.
    pub budgets: Vec<BudgetView>,
}

/// Runs of these counts that have not ended.
pub(crate) fn unfinished(runs_by_state: &[u64; 9]) -> u64 {
    // The last three states are terminal.
    runs_by_state[..6].iter().sum()
}
