//! Adding tenants, and their shares.
//! Owns: the two decisions.
//! Never: looks at a tenant's work.

use crate::event::{TenantCreated, TenantWeighted};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{TenantId, Text};

/// Decides the creation of a tenant.
pub(crate) fn create(
    tx: &mut Tx<'_>,
    id: Option<TenantId>,
    name: &Text,
) -> Result<Outcome, Rejection> {
    limits::check_name("name", name)?;
    if id == Some(TenantId(0)) {
        return Err(Rejection::InvalidRequest {
            field: "tenant_id",
            message: "must not be the nil UUID".into(),
        });
    }
    let state = tx.state();
    let taken = state
        .tenants
        .iter()
        .zip(&state.tenant_rows)
        .find(|(known, row)| Some(**known) == id || row.name == *name);
    if let Some((tenant, _)) = taken {
        return Err(Rejection::TenantAlreadyExists { tenant: *tenant });
    }
    if state.tenants.len() >= limits::TENANTS_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "tenants",
            value: limits::TENANTS_MAX as u64,
        });
    }
    let chosen = id.is_some();
    let id = id.unwrap_or_else(|| tx.mint_tenant());
    tx.emit(TenantCreated {
        id,
        name: name.clone(),
        weight: 1,
        chosen,
    });
    Ok(Outcome::TenantCreated(id))
}

/// Decides a tenant's share.
pub(crate) fn weigh(tx: &mut Tx<'_>, weight: u32) -> Result<Outcome, Rejection> {
    if weight == 0 || weight > limits::WEIGHT_MAX {
        return Err(Rejection::InvalidRequest {
            field: "weight",
            message: "must be between 1 and 1000".into(),
        });
    }
    if tx.state().tenant_rows[tx.tenant as usize].weight != weight {
        tx.emit(TenantWeighted { weight });
    }
    Ok(Outcome::TenantWeighted)
}
