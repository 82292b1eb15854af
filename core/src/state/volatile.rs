//! What heartbeats and claims tell besides facts: renewals, progress, what workers ask for; forgotten when the process ends.
//! Owns: renewals of live leases, recent claims, when actors were last heard of.
//! Never: is digested or logged; only `tick` and answers consult it.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::Bytes;
use crate::actor::Presence;
use crate::queue::Workers;
use crate::time::{Steady, Timestamp};

/// A lease's renewal in memory.
#[derive(Clone, Debug)]
pub(crate) struct Renewal {
    pub(crate) expires: Steady,
    pub(crate) expires_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) progress: Option<Bytes>,
}

/// Renewals by run handle; an entry lives no longer than its lease.
#[derive(Clone, Debug)]
pub(crate) struct Volatile {
    pub(crate) renewals: HashMap<u32, Renewal, FixedState>,
    /// What workers asked for lately.
    pub(crate) workers: Workers,
    /// When actors were last heard of.
    pub(crate) actors: Presence,
}

impl Default for Volatile {
    fn default() -> Self {
        Volatile {
            renewals: HashMap::with_hasher(FixedState::default()),
            workers: Workers::default(),
            actors: Presence::default(),
        }
    }
}

impl Volatile {
    /// When the run's lease truly ends: the recorded end or a later renewal.
    pub(crate) fn expires(&self, run: u32, recorded: Steady) -> Steady {
        self.renewals
            .get(&run)
            .map_or(recorded, |renewal| renewal.expires.max(recorded))
    }

    /// Forgets the renewals of leases that ended.
    #[inline]
    pub(crate) fn settle(&mut self, closed: &mut alloc::vec::Vec<u32>) {
        if self.renewals.is_empty() {
            closed.clear();
        }
        while let Some(run) = closed.pop() {
            self.renewals.remove(&run);
        }
    }
}
