//! The table of operations.
//! Owns: operations by tenant and number, by id, and those that go on.
//! Never: decides; only `apply` and the loading of rows change it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::model::{Operation, OperationState};
use crate::{OperationId, limits};

/// Where an operation is found: tenant, id.
type Scope = (u32, OperationId);

/// Every operation that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    rows: BTreeMap<Scope, Operation>,
    /// Ids by tenant and number.
    order: BTreeMap<(u32, u64), OperationId>,
    /// Those that go on, by number, with their tenants.
    running: BTreeMap<u64, u32>,
    /// Those that are over, by tenant and number.
    over: BTreeSet<(u32, u64)>,
    changed: BTreeSet<Scope>,
}

impl Operations {
    /// An operation.
    pub(crate) fn find(&self, tenant: u32, id: OperationId) -> Option<&Operation> {
        self.rows.get(&(tenant, id))
    }

    /// How many of a tenant go on.
    pub(crate) fn running(&self, tenant: u32) -> usize {
        self.running.values().filter(|of| **of == tenant).count()
    }

    /// How many of all tenants go on.
    pub(crate) fn running_of_all(&self) -> usize {
        self.running.len()
    }

    /// The first that goes on and has a greater number.
    pub(crate) fn next_running(&self, after: u64) -> Option<(u32, OperationId, &Operation)> {
        let (number, tenant) = self.running.range(after.saturating_add(1)..).next()?;
        let id = self.order.get(&(*tenant, *number))?;
        Some((*tenant, *id, self.rows.get(&(*tenant, *id))?))
    }

    /// Every operation, by tenant and id.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, OperationId, &Operation)> {
        self.rows
            .iter()
            .map(|((tenant, id), row)| (*tenant, *id, row))
    }

    /// A tenant's, the newest first, that began before one.
    pub(crate) fn before(
        &self,
        tenant: u32,
        number: u64,
    ) -> impl Iterator<Item = (OperationId, &Operation)> {
        let older = self.order.range((tenant, 0)..(tenant, number)).rev();
        older.filter_map(move |(_, id)| Some((*id, self.rows.get(&(tenant, *id))?)))
    }

    fn index(&mut self, tenant: u32, id: OperationId, number: u64, state: OperationState) {
        self.order.insert((tenant, number), id);
        match state {
            OperationState::Running => {
                self.running.insert(number, tenant);
            }
            OperationState::Done | OperationState::Canceled => {
                self.running.remove(&number);
                self.over.insert((tenant, number));
            }
        }
    }

    /// Adds one that has just begun.
    pub(super) fn add(&mut self, tenant: u32, id: OperationId, row: Operation) {
        self.changed.insert((tenant, id));
        self.index(tenant, id, row.number, row.state);
        self.rows.insert((tenant, id), row);
    }

    /// Puts one back as a checkpoint holds it; false when one of its id or number is there.
    pub(crate) fn restore(&mut self, scope: Scope, row: Operation, fresh: bool) -> bool {
        let taken = self.order.contains_key(&(scope.0, row.number));
        if taken || self.rows.contains_key(&scope) {
            return false;
        }
        if fresh {
            self.changed.insert(scope);
        }
        self.index(scope.0, scope.1, row.number, row.state);
        self.rows.insert(scope, row);
        true
    }

    /// Changes one, if it is there.
    pub(super) fn change(
        &mut self,
        tenant: u32,
        id: OperationId,
        change: impl FnOnce(&mut Operation),
    ) {
        let Some(row) = self.rows.get_mut(&(tenant, id)) else {
            return;
        };
        change(row);
        let (number, state) = (row.number, row.state);
        self.changed.insert((tenant, id));
        self.index(tenant, id, number, state);
    }

    /// Forgets the oldest of those that are over, as long as there are too many.
    pub(super) fn forget_oldest(&mut self, tenant: u32) {
        let of_tenant = (tenant, 0)..=(tenant, u64::MAX);
        while self.over.range(of_tenant.clone()).count() > limits::OPERATIONS_KEPT {
            let Some(oldest) = self.over.range(of_tenant.clone()).next().copied() else {
                return;
            };
            self.over.remove(&oldest);
            if let Some(id) = self.order.remove(&oldest) {
                self.rows.remove(&(tenant, id));
                self.changed.insert((tenant, id));
            }
        }
    }

    /// What changed or was forgotten since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<Scope> {
        core::mem::take(&mut self.changed).into_iter().collect()
    }

    /// Whether the indexes are what the rows say.
    ///
    /// # Errors
    /// The disagreement, in words.
    pub(crate) fn verify(&self, tenants: usize) -> Result<(), String> {
        let mut again = Operations::default();
        for ((tenant, id), row) in &self.rows {
            if *tenant as usize >= tenants {
                return Err("an operation of a tenant that is not there".into());
            }
            again.index(*tenant, *id, row.number, row.state);
        }
        let same = again.order == self.order && again.running == self.running;
        match same && again.over == self.over && self.order.len() == self.rows.len() {
            true => Ok(()),
            false => Err("the indexes of operations differ from their rows".into()),
        }
    }
}
