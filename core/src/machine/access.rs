//! What people and programs see of keys, roles and tenants.
//! Owns: their views; how caches learn that something changed.
//! Never: changes anything.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::model::Machine;
use crate::KeyId;
use crate::limits::LIST_LIMIT_MAX;
use crate::platform::Key;
use crate::query::{KeyView, KeysOf, TenantView};
use crate::state::State;

impl Machine {
    /// A number that moves whenever who may do what changes: keys, roles, grants or tenants. It begins anew with each process.
    #[must_use]
    pub fn access_version(&self) -> u64 {
        self.state.access.version
    }
}

pub(super) fn key(state: &State, id: KeyId) -> Option<Box<KeyView>> {
    let key = state.access.key(id)?;
    Some(Box::new(view(state, id, key)))
}

pub(super) fn keys(
    state: &State,
    tenant: u32,
    of: KeysOf,
    after: KeyId,
    limit: u32,
) -> Vec<KeyView> {
    let scope = match of {
        KeysOf::Tenant => Some(tenant),
        KeysOf::All => None,
    };
    let limit = limit.min(LIST_LIMIT_MAX) as usize;
    let rows = state.access.keys(scope, after, limit).into_iter();
    rows.map(|(id, key)| view(state, id, key)).collect()
}

fn view(state: &State, id: KeyId, key: &Key) -> KeyView {
    let held = state.access.held_by_key(key);
    let end = key.revoked.as_ref();
    KeyView {
        id,
        tenant: state.tenants.get(key.scope as usize).copied(),
        name: key.name.clone(),
        role: key.role.clone(),
        actor: key.actor,
        created_at: key.created_at,
        created_by: key.created_by.clone(),
        expires_at: key.expires_at,
        revoked_at: end.map(|end| end.at),
        revoked_by: end.map(|end| end.by.clone()),
        may: held.may,
        custom: held.custom,
        digest: key.digest,
    }
}

pub(super) fn tenants(state: &State) -> Vec<TenantView> {
    let rows = state.tenants.iter().zip(&state.tenant_rows);
    rows.map(|(id, row)| TenantView {
        id: *id,
        name: row.name.clone(),
        weight: row.weight,
    })
    .collect()
}
