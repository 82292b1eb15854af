//! What actors are given besides the roles of their keys: roles and single capabilities.
//! Owns: the four decisions.
//! Never: gives what the giver does not have.

use super::access::{Grant, Held};
use super::capability::Capabilities;
use super::key::check_hands;
use crate::event::{CapabilityGranted, CapabilityRevoked, RoleAssigned, RoleRevoked};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{ActorId, Text};

const UNCHANGED: Outcome = Outcome::AccessChanged { changed: false };
const CHANGED: Outcome = Outcome::AccessChanged { changed: true };

/// Whether an actor has one of these already.
fn has(tx: &Tx<'_>, actor: ActorId, list: fn(&Grant) -> &[Text], name: &Text) -> bool {
    let grant = tx.state().access.grant(tx.tenant, actor);
    grant.is_some_and(|grant| list(grant).contains(name))
}

/// Refuses who may not do this, whatever is asked for, and actors that are not there.
fn check(tx: &Tx<'_>, actor: ActorId, reason: Option<&Text>) -> Result<(), Rejection> {
    check_hands(tx, Capabilities::NONE)?;
    limits::check_reason(reason)?;
    match tx.state().actors.find(tx.tenant, actor) {
        Some(_) => Ok(()),
        None => Err(Rejection::UnknownActor { actor }),
    }
}

fn check_room(tx: &Tx<'_>, actor: ActorId, list: fn(&Grant) -> &[Text]) -> Result<(), Rejection> {
    let access = &tx.state().access;
    let refuse = |limit, value: usize| {
        let value = value as u64;
        Err(Rejection::LimitExceeded { limit, value })
    };
    match access.grant(tx.tenant, actor) {
        Some(grant) if list(grant).len() >= limits::CAPABILITIES_MAX => {
            refuse("capabilities", limits::CAPABILITIES_MAX)
        }
        None if access.granted(tx.tenant) >= limits::ACTORS_GRANTED_MAX => {
            refuse("actors_granted", limits::ACTORS_GRANTED_MAX)
        }
        _ => Ok(()),
    }
}

/// Decides that an actor has a role.
pub(crate) fn assign_role(
    tx: &mut Tx<'_>,
    actor: ActorId,
    role: &Text,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    check(tx, actor, reason)?;
    let held = tx.state().access.held_by_role(tx.tenant, role);
    let held = held.ok_or_else(|| Rejection::UnknownRole { role: role.clone() })?;
    check_hands(tx, held.may)?;
    if has(tx, actor, |grant| &grant.roles, role) {
        return Ok(UNCHANGED);
    }
    check_room(tx, actor, |grant| &grant.roles)?;
    tx.emit(RoleAssigned {
        actor,
        role: role.clone(),
        by: tx.principal.name.clone(),
    });
    Ok(CHANGED)
}

/// Decides that an actor has a role no more.
pub(crate) fn revoke_role(
    tx: &mut Tx<'_>,
    actor: ActorId,
    role: &Text,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    check(tx, actor, reason)?;
    limits::check_name("role", role)?;
    if !has(tx, actor, |grant| &grant.roles, role) {
        return Ok(UNCHANGED);
    }
    tx.emit(RoleRevoked {
        actor,
        role: role.clone(),
        by: tx.principal.name.clone(),
    });
    Ok(CHANGED)
}

/// Decides that an actor may do one thing more.
pub(crate) fn grant_capability(
    tx: &mut Tx<'_>,
    actor: ActorId,
    capability: &Text,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    check(tx, actor, reason)?;
    limits::check_name("capability", capability)?;
    check_hands(tx, Held::of(core::slice::from_ref(capability)).may)?;
    if has(tx, actor, |grant| &grant.capabilities, capability) {
        return Ok(UNCHANGED);
    }
    check_room(tx, actor, |grant| &grant.capabilities)?;
    tx.emit(CapabilityGranted {
        actor,
        capability: capability.clone(),
        by: tx.principal.name.clone(),
    });
    Ok(CHANGED)
}

/// Decides that an actor may do one thing less.
pub(crate) fn revoke_capability(
    tx: &mut Tx<'_>,
    actor: ActorId,
    capability: &Text,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    check(tx, actor, reason)?;
    limits::check_name("capability", capability)?;
    if !has(tx, actor, |grant| &grant.capabilities, capability) {
        return Ok(UNCHANGED);
    }
    tx.emit(CapabilityRevoked {
        actor,
        capability: capability.clone(),
        by: tx.principal.name.clone(),
    });
    Ok(CHANGED)
}
