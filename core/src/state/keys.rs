//! Idempotency keys: who used which key for what, held while it matters.
//! Owns: the key table and its bounded forgetting.
//! Never: forgets a key of a live task, or one younger than 24 hours.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::limits::KEY_HELD_MS;
use crate::time::Timestamp;
use crate::{RunId, Text};

/// What a key was used for; the scope is (tenant, class, key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyClass {
    Submit,
    Claim,
}

/// What a claim with a key granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimRecord {
    pub(crate) runs: Vec<RunId>,
    pub(crate) counters: Vec<u64>,
}

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Digest of the request, without minted id, key and traceparent.
    pub(crate) digest: u128,
    pub(crate) until: Timestamp,
    /// The task's handle, for submits.
    pub(crate) task: u32,
    /// For claims.
    pub(crate) claim: Option<ClaimRecord>,
}

type Scope = (u32, KeyClass, Text);

/// Every held key, and the order in which they may be forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    held: BTreeMap<Scope, Held>,
    order: VecDeque<(Timestamp, Scope)>,
}

impl Keys {
    pub(crate) fn find(&self, tenant: u32, class: KeyClass, key: &Text) -> Option<&Held> {
        if self.held.is_empty() {
            return None;
        }
        self.held.get(&(tenant, class, key.clone()))
    }

    pub(crate) fn hold(
        &mut self,
        tenant: u32,
        class: KeyClass,
        key: Text,
        now: Timestamp,
        mut held: Held,
    ) {
        held.until = now.plus_ms(KEY_HELD_MS);
        let scope = (tenant, class, key);
        self.order.push_back((held.until, scope.clone()));
        self.held.insert(scope, held);
    }

    /// Forgets at most two keys whose time has come; a key of a live task waits another round. Called with every event, so that the
    /// table stays in step with the log on every replay.
    pub(crate) fn forget(&mut self, now: Timestamp, is_live: impl Fn(u32) -> bool) {
        for _ in 0..2 {
            if self.order.front().is_none_or(|(until, _)| *until > now) {
                return;
            }
            let Some((until, scope)) = self.order.pop_front() else {
                return;
            };
            let Some(held) = self.held.get(&scope) else {
                continue;
            };
            if held.until != until {
                continue; // held again since: its newer place in the order counts
            }
            if scope.1 == KeyClass::Submit && is_live(held.task) {
                let later = now.plus_ms(KEY_HELD_MS);
                if let Some(held) = self.held.get_mut(&scope) {
                    held.until = later;
                }
                self.order.push_back((later, scope));
            } else {
                self.held.remove(&scope);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Scope, &Held)> {
        self.held.iter()
    }
}
