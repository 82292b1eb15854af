//! Idempotency keys that no cut has taken to the store yet, or all of them when there is no store.
//! Owns: the key table.
//! Never: judges whether a key still holds; who finds it does, by its time and its task.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::image::KeyClass;
use crate::limits::KEY_HELD_MS;
use crate::time::Timestamp;
use crate::{RunId, TaskId, TenantId, Text};

/// What a claim with a key granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClaimRecord {
    pub(crate) runs: Vec<RunId>,
    pub(crate) counters: Vec<u64>,
    /// The runs' tenants, when they may differ.
    pub(crate) tenants: Vec<TenantId>,
}

/// What a key stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Digest of the request, without minted id, key and traceparent.
    pub(crate) digest: u128,
    /// Held at least until then.
    pub(crate) until: Timestamp,
    /// The task it made, for submits.
    pub(crate) task: Option<TaskId>,
    /// The entry of a ledger, for appends.
    pub(crate) entry: Option<u64>,
    /// For claims.
    pub(crate) claim: Option<alloc::boxed::Box<ClaimRecord>>,
}

/// Where a key is unique: tenant, class, key.
pub(crate) type Scope = (u32, KeyClass, Text);

/// Keys in memory, and those that the next cut must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    held: BTreeMap<Scope, Held>,
    dirty: Vec<Scope>,
}

impl Keys {
    pub(crate) fn find(&self, tenant: u32, class: KeyClass, key: &Text) -> Option<&Held> {
        if self.held.is_empty() {
            return None;
        }
        self.held.get(&(tenant, class, key.clone()))
    }

    /// Holds a key from now on; what it stood for before is forgotten.
    pub(crate) fn hold(&mut self, scope: Scope, now: Timestamp, mut held: Held) {
        held.until = now.plus_ms(KEY_HELD_MS);
        self.dirty.push(scope.clone());
        self.held.insert(scope, held);
    }

    /// Puts a key back as a store holds it.
    pub(crate) fn restore(&mut self, scope: Scope, held: Held) {
        self.held.insert(scope, held);
    }

    /// The keys held since the last call.
    pub(crate) fn take_dirty(&mut self) -> Vec<(Scope, Held)> {
        let dirty = core::mem::take(&mut self.dirty);
        let found = dirty.into_iter().filter_map(|scope| {
            let held = self.held.get(&scope)?.clone();
            Some((scope, held))
        });
        found.collect()
    }

    /// Forgets a key that a store holds now, unless it was held anew since.
    pub(crate) fn leave(&mut self, scope: &Scope, until: Timestamp) {
        if self.held.get(scope).is_some_and(|held| held.until == until) {
            self.held.remove(scope);
        }
    }
}
