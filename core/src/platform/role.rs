//! Roles of a tenant's own: what each of them holds.
//! Owns: the two decisions.
//! Never: changes a role that every tenant has.

use alloc::vec::Vec;

use super::access::{Held, put_name};
use super::capability::{BUILT_IN_ROLES, Capabilities};
use super::key::check_hands;
use crate::Text;
use crate::event::{RoleDefined, RoleRemoved};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;

/// Refuses names of roles that every tenant has.
fn check_own(role: &Text) -> Result<(), Rejection> {
    limits::check_name("role", role)?;
    if BUILT_IN_ROLES.iter().any(|(name, _)| *name == &**role) {
        return Err(Rejection::InvalidRequest {
            field: "role",
            message: "is one of the built-in roles, which do not change".into(),
        });
    }
    Ok(())
}

/// Decides what a role holds from now on.
pub(crate) fn put_role(
    tx: &mut Tx<'_>,
    role: &Text,
    capabilities: &[Text],
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    check_hands(tx, Capabilities::NONE)?;
    limits::check_reason(reason)?;
    check_own(role)?;
    let mut ordered = Vec::with_capacity(capabilities.len().min(limits::CAPABILITIES_MAX));
    if capabilities.is_empty() {
        return Err(Rejection::InvalidRequest {
            field: "capabilities",
            message: "must name at least one".into(),
        });
    }
    if capabilities.len() > limits::CAPABILITIES_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "capabilities",
            value: limits::CAPABILITIES_MAX as u64,
        });
    }
    for capability in capabilities {
        limits::check_name("capabilities", capability)?;
        put_name(&mut ordered, capability);
    }
    check_hands(tx, Held::of(&ordered).may)?;
    let access = &tx.state().access;
    let known = access.role(tx.tenant, role);
    if known == Some(&ordered[..]) {
        return Ok(Outcome::AccessChanged { changed: false });
    }
    if known.is_none() && access.roles(tx.tenant).count() >= limits::ROLES_PER_TENANT_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "roles_per_tenant",
            value: limits::ROLES_PER_TENANT_MAX as u64,
        });
    }
    tx.emit(RoleDefined {
        role: role.clone(),
        capabilities: ordered,
        by: tx.principal.name.clone(),
    });
    Ok(Outcome::AccessChanged { changed: true })
}

/// Decides the end of a role. One that a key or an actor has stays: a role of the same name made later would give them something else.
pub(crate) fn remove_role(
    tx: &mut Tx<'_>,
    role: &Text,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    check_hands(tx, Capabilities::NONE)?;
    limits::check_reason(reason)?;
    check_own(role)?;
    let access = &tx.state().access;
    if access.role(tx.tenant, role).is_none() {
        return Err(Rejection::UnknownRole { role: role.clone() });
    }
    let of_key = access.live_keys(tx.tenant).any(|key| key.role == *role);
    if of_key || access.is_assigned(tx.tenant, role) {
        return Err(Rejection::RoleInUse { role: role.clone() });
    }
    tx.emit(RoleRemoved {
        role: role.clone(),
        by: tx.principal.name.clone(),
    });
    Ok(Outcome::AccessChanged { changed: true })
}
