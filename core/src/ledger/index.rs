//! Approvals that are not decided, and what the next cut takes to the store.
//! Owns: the table of approvals, and the entries and decisions that wait for a cut.
//! Never: keeps an entry or a decided approval once a cut has it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::model::{Approval, LedgerRow};
use crate::ApprovalId;

/// Where an approval is found: tenant, id.
type Scope = (u32, ApprovalId);

/// Approvals and what is on its way to the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Approvals {
    open: BTreeMap<Scope, Approval>,
    /// Decided, and in no cut yet.
    decided: BTreeMap<Scope, Approval>,
    changed: BTreeSet<Scope>,
    entries: Vec<LedgerRow>,
}

/// An approval for a cut, and whether it is still open.
pub(crate) type Changed = (Scope, bool, Approval);

impl Approvals {
    /// One that is not decided.
    pub(crate) fn find(&self, tenant: u32, id: ApprovalId) -> Option<&Approval> {
        self.open.get(&(tenant, id))
    }

    /// Whether the id is taken, as far as is remembered.
    pub(crate) fn has(&self, tenant: u32, id: ApprovalId) -> bool {
        let scope = (tenant, id);
        self.open.contains_key(&scope) || self.decided.contains_key(&scope)
    }

    /// How many of a tenant are not decided.
    pub(crate) fn count(&self, tenant: u32) -> usize {
        let from = (tenant, ApprovalId(0));
        let to = (tenant, ApprovalId(u128::MAX));
        self.open.range(from..=to).count()
    }

    /// Every one that is not decided, in order.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&Scope, &Approval)> {
        self.open.iter()
    }

    /// Puts one as it stands from now on; a decided one leaves.
    pub(super) fn put(&mut self, scope: Scope, row: Approval) {
        self.changed.insert(scope);
        if row.state.is_final() {
            self.open.remove(&scope);
            self.decided.insert(scope, row);
        } else {
            self.open.insert(scope, row);
        }
    }

    /// Puts one back as a checkpoint holds it; false when it is there.
    pub(crate) fn restore(&mut self, scope: Scope, row: Approval, fresh: bool) -> bool {
        if fresh {
            self.changed.insert(scope);
        }
        self.open.insert(scope, row).is_none()
    }

    pub(super) fn append(&mut self, row: LedgerRow) {
        self.entries.push(row);
    }

    /// What changed since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<Changed> {
        let mut decided = core::mem::take(&mut self.decided);
        let changed = core::mem::take(&mut self.changed).into_iter();
        let rows = changed.filter_map(|scope| match decided.remove(&scope) {
            Some(row) => Some((scope, false, row)),
            None => Some((scope, true, self.open.get(&scope)?.clone())),
        });
        rows.collect()
    }

    /// The entries since the last call, in order.
    pub(crate) fn take_entries(&mut self) -> Vec<LedgerRow> {
        core::mem::take(&mut self.entries)
    }
}
