//! The machine and what goes in and out of it.
//! Owns: `Machine`, its input `Now`, its output `Step`.
//! Never: holds truth outside `State`.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::apply;
use crate::event::Event;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::state::{At, Digest, State, Volatile, digest_all, digest_live, verify, verify_loaded};
use crate::time::{Steady, Timestamp};
use crate::{TenantId, Text, schedule};

/// The time and entropy of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Recorded time: what people call now.
    pub wall: Timestamp,
    /// Steady time: what spans run on.
    pub steady: Steady,
    /// Seed for the ids minted in this batch.
    pub id_seed: u64,
}

impl Now {
    /// A moment with seed 0, for tests and examples.
    #[must_use]
    pub fn at(wall: Timestamp, steady_ms: u64) -> Now {
        Now {
            wall,
            steady: Steady(steady_ms),
            id_seed: 0,
        }
    }
}

/// One fact with the tenant it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The tenant.
    pub tenant: TenantId,
    /// The fact.
    pub event: Event,
}

/// The facts that one command came to, in order.
pub type Events = Vec<Entry>;

/// What one command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The answer, or the refusal.
    pub outcome: Result<Outcome, Rejection>,
    /// The facts; none when it was refused.
    pub events: Events,
}

/// Where there may be work for waiting claims.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Woken {
    /// The tenant.
    pub tenant: TenantId,
    /// The queue.
    pub queue: Text,
    /// The kind; absent when the whole queue grants again.
    pub kind: Option<Text>,
    /// What a worker must be able to do, in order.
    pub capabilities: Vec<Text>,
}

/// The pure machine.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) state: State,
    pub(super) volatile: Volatile,
}

impl Machine {
    /// An empty machine. `seed` shapes hash tables only and never shows: it keeps their shape from those who choose names.
    #[must_use]
    pub fn new(seed: u64) -> Machine {
        Machine {
            state: State::new(seed),
            volatile: Volatile::default(),
        }
    }

    /// Applies a fact from the log. Cannot fail: what was logged has happened.
    ///
    /// # Panics
    /// When the log names a run or task that no earlier event created: the chain of the log rules this out.
    pub fn replay(&mut self, now: &Now, entry: &Entry) {
        let tenant = self
            .state
            .tenant(entry.tenant)
            .expect("a tenant precedes its events in the log");
        let at = At {
            wall: now.wall,
            steady: now.steady,
            tenant,
            sequence: 0,
        };
        apply(&mut self.state, at, &entry.event);
        self.volatile.settle(&mut self.state.closed);
        self.state.notes.clear();
        // Nobody waits while a log is read, and a long one must not pile up what nobody asks for.
        self.state.queues.forget_woken();
    }

    /// The number of the last event.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.state.sequence
    }

    /// Milliseconds until time alone would change something; `None` when nothing waits for time.
    #[must_use]
    pub fn next_deadline_in_ms(&self, now: &Now) -> Option<u64> {
        let state = &self.state;
        if schedule::is_due(state)
            || state.budget_waits.is_due()
            || state.watches.is_due()
            || !state.owed.is_empty()
        {
            return Some(0);
        }
        let opening = self.state.queues.next_opening_in_ms(now.steady);
        let alarm = self.state.alarms.next_in_ms(now.wall, now.steady);
        let silence = self.state.actors.next_in_ms(now.steady);
        alarm.into_iter().chain(opening).chain(silence).min()
    }

    /// Where runs became ready and queues opened since the last call: whose waiting claims may be tried again.
    pub fn take_woken(&mut self, into: &mut Vec<Woken>) {
        let mut woken = Vec::new();
        self.state.queues.take_woken(&mut woken);
        let mut seen = BTreeSet::new();
        woken.retain(|place| seen.insert(*place));
        into.extend(woken.into_iter().map(|(tenant, queue, kind, set)| Woken {
            tenant: self.state.tenants[tenant as usize],
            queue: self.state.names.text(queue).clone(),
            kind: kind.map(|kind| self.state.names.text(kind).clone()),
            capabilities: self.state.queues.sets.text(tenant, set).to_vec(),
        }));
    }

    /// Digest of the live rows and counters, independent of handles and of the order of tables. Rows that may leave memory are not in
    /// it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest_live(&self.state)
    }

    /// Digest of everything this machine holds, finished rows and histories included: what two replays of one log are compared by.
    #[must_use]
    pub fn digest_all(&self) -> Digest {
        digest_all(&self.state)
    }

    /// What a start looks at after loading a checkpoint: as [`Machine::verify`], but not whether each row is found by its id, which is how
    /// it was loaded.
    ///
    /// # Errors
    /// The first disagreement, in words.
    pub fn verify_loaded(&self) -> Result<(), alloc::string::String> {
        verify_loaded(&self.state, &self.volatile)
    }

    /// Recomputes every index from the tables.
    ///
    /// # Errors
    /// The first disagreement, in words.
    pub fn verify(&self) -> Result<(), alloc::string::String> {
        verify(&self.state, &self.volatile)
    }
}
