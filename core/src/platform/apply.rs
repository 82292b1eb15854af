//! What each event about tenants does to their rows: the only writer of those rows.
//! Owns: tenants.
//! Never: fails or decides.

use super::model::Tenant;
use crate::event::{TenantCreated, TenantWeighted};
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
    }
}

impl Apply for TenantWeighted {
    fn apply(&self, state: &mut State, at: &At) {
        state.tenant_rows[at.tenant as usize].weight = self.weight;
        state.touch_tenant(at.tenant);
    }
}
