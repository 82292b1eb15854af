//! What each event about tenants and access does to their rows: the only writer of those rows.
//! Owns: tenants, keys, roles, grants.
//! Never: fails or decides.

use super::access::{Key, Revoked, SYSTEM, drop_name, put_name};
use super::model::Tenant;
use crate::event::{
    CapabilityGranted, CapabilityRevoked, KeyCreated, KeyRevoked, RoleAssigned, RoleDefined,
    RoleRemoved, RoleRevoked, TenantCreated, TenantWeighted,
};
use crate::id::Minted;
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for TenantCreated {
    fn apply(&self, state: &mut State, _at: &At) {
        if !self.chosen {
            state.minted = state.minted.max(Minted::of(self.id.0));
        }
        let tenant = state.admit(self.id);
        state.tenant_rows[tenant as usize] = Tenant {
            name: self.name.clone(),
            weight: self.weight,
            ..Tenant::default()
        };
        state.touch_tenant(tenant);
        state.access.version += 1;
    }
}

impl Apply for TenantWeighted {
    fn apply(&self, state: &mut State, at: &At) {
        state.tenant_rows[at.tenant as usize].weight = self.weight;
        state.touch_tenant(at.tenant);
    }
}

impl Apply for KeyCreated {
    fn apply(&self, state: &mut State, at: &At) {
        let scope = if self.system { SYSTEM } else { at.tenant };
        let key = Key {
            scope,
            name: self.name.clone(),
            role: self.role.clone(),
            actor: self.actor,
            created_at: at.wall,
            created_by: self.by.clone(),
            expires_at: self.expires_at,
            revoked: None,
            digest: self.digest,
        };
        state.access.put_key(self.key_id, key);
        state.access.changed.keys.insert((scope, self.key_id));
        state.access.version += 1;
    }
}

impl Apply for KeyRevoked {
    fn apply(&self, state: &mut State, at: &At) {
        let end = Revoked {
            at: at.wall,
            sequence: at.sequence,
            by: self.by.clone(),
        };
        state.access.revoke(self.key_id, end);
        state.access.version += 1;
    }
}

impl Apply for RoleDefined {
    fn apply(&self, state: &mut State, at: &At) {
        let access = &mut state.access;
        access.put_role(at.tenant, self.role.clone(), self.capabilities.clone());
        access.changed.roles.insert((at.tenant, self.role.clone()));
        access.version += 1;
    }
}

impl Apply for RoleRemoved {
    fn apply(&self, state: &mut State, at: &At) {
        let access = &mut state.access;
        access.remove_role(at.tenant, &self.role);
        access.changed.roles.insert((at.tenant, self.role.clone()));
        access.version += 1;
    }
}

impl Apply for RoleAssigned {
    fn apply(&self, state: &mut State, at: &At) {
        let access = &mut state.access;
        access.regrant(at.tenant, self.actor, |grant| {
            put_name(&mut grant.roles, &self.role);
        });
        access.version += 1;
    }
}

impl Apply for RoleRevoked {
    fn apply(&self, state: &mut State, at: &At) {
        let access = &mut state.access;
        access.regrant(at.tenant, self.actor, |grant| {
            drop_name(&mut grant.roles, &self.role);
        });
        access.version += 1;
    }
}

impl Apply for CapabilityGranted {
    fn apply(&self, state: &mut State, at: &At) {
        let access = &mut state.access;
        access.regrant(at.tenant, self.actor, |grant| {
            put_name(&mut grant.capabilities, &self.capability);
        });
        access.version += 1;
    }
}

impl Apply for CapabilityRevoked {
    fn apply(&self, state: &mut State, at: &At) {
        let access = &mut state.access;
        access.regrant(at.tenant, self.actor, |grant| {
            drop_name(&mut grant.capabilities, &self.capability);
        });
        access.version += 1;
    }
}
