//! When actors were last heard of, in memory only.
//! Owns: the last word of each registered actor.
//! Never: decides or is logged: after a restart everybody was heard of at its beginning.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::model::Row;
use crate::time::{Steady, Timestamp};

/// The last word of each actor, by its number.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
    heard: HashMap<u64, (Steady, Timestamp), FixedState>,
}

impl Default for Presence {
    fn default() -> Self {
        Presence {
            heard: HashMap::with_hasher(FixedState::default()),
        }
    }
}

impl Presence {
    pub(crate) fn len(&self) -> usize {
        self.heard.len()
    }

    /// An actor was heard of.
    pub(crate) fn note(&mut self, number: u64, now: (Steady, Timestamp)) {
        self.heard.insert(number, now);
    }

    pub(crate) fn forget(&mut self, number: u64) {
        self.heard.remove(&number);
    }

    /// When it was last heard of, on the steady clock.
    pub(crate) fn heard(&self, row: &Row) -> Steady {
        let last = self.heard.get(&row.number);
        last.map_or(row.registered, |(steady, _)| (*steady).max(row.registered))
    }

    /// The same as people read it.
    pub(crate) fn heard_at(&self, row: &Row) -> Timestamp {
        let last = self.heard.get(&row.number);
        last.map_or(row.registered_at, |(_, wall)| {
            (*wall).max(row.registered_at)
        })
    }
}
