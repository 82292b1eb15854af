//! The nouns of a queue that somebody configured or paused.
//! Owns: what can be set on a queue, and the row that remembers it.
//! Never: decides.

use crate::intern::Symbol;
use crate::state::{State, Switch};

/// So many starts per span of so many milliseconds: at most that many at once, and evenly spread after them (generic cell rate algorithm,
/// ITU-T I.371, on steady time).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// The span in milliseconds, at least 1.
    pub per_ms: u64,
    /// Starts per span and in one burst, at least 1, at most a thousand per millisecond.
    pub max: u64,
}

/// What can be set on a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueConfig {
    /// How many of its runs may be held by workers at once.
    pub concurrency_limit: Option<u32>,
    /// How fast its runs may be started.
    pub rate_limit: Option<RateLimit>,
    /// Its share among the queues of one claim, 1..=1000.
    pub weight: Option<u32>,
}

/// A queue that somebody configured or paused; all others need no row.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueueRow {
    pub(crate) config: QueueConfig,
    pub(crate) switch: Switch,
    /// Its runs that workers hold.
    pub(crate) held: u32,
    /// When the next start would be on time, in microseconds of steady time: the theoretical arrival time of the generic cell rate
    /// algorithm (ITU-T I.371).
    pub(crate) arrival_us: u64,
}

/// Puts a queue's row back as a checkpoint holds it.
pub(crate) fn restore(state: &mut State, tenant: u32, queue: Symbol, row: QueueRow) {
    let weight = row.config.weight;
    state.places.name(tenant, queue);
    state.queues.rows_mut().insert((tenant, queue), row);
    if weight.is_some() {
        state.queues.weigh(tenant);
    }
}
