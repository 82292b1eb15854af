//! Making and ending keys.
//! Owns: the two decisions.
//! Never: sees a secret: only its digest comes here.

use super::access::{KeyScope, SYSTEM};
use super::capability::{BUILT_IN_ROLES, Capabilities, Capability};
use crate::event::{KeyCreated, KeyRevoked};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::platform::NewKey;
use crate::rejection::Rejection;
use crate::{KeyId, Text};

/// Refuses who may not manage access, and whoever would hand out what they do not have.
pub(super) fn check_hands(tx: &Tx<'_>, given: Capabilities) -> Result<(), Rejection> {
    let may = tx.principal.may;
    let needed = Capabilities::of(&[Capability::Admin]).with(given);
    match needed.iter().find(|one| !may.has(*one)) {
        None => Ok(()),
        Some(lacking) => Err(Rejection::Forbidden {
            required: lacking.name().into(),
        }),
    }
}

/// Decides the making of a key.
pub(crate) fn create_key(tx: &mut Tx<'_>, new: &NewKey) -> Result<Outcome, Rejection> {
    check_hands(tx, Capabilities::NONE)?;
    limits::check_reason(new.reason.as_ref())?;
    limits::check_name("name", &new.name)?;
    if new.id.0 == 0 {
        return Err(Rejection::InvalidRequest {
            field: "key_id",
            message: "must not be the nil UUID".into(),
        });
    }
    let scope = if new.system { SYSTEM } else { tx.tenant };
    check_role(tx, scope, &new.role)?;
    if new.system && new.actor.is_some() {
        return Err(Rejection::InvalidRequest {
            field: "actor_id",
            message: "is of a tenant, a system key is not".into(),
        });
    }
    if new.expires_at.is_some_and(|at| at <= tx.now.wall) {
        return Err(Rejection::InvalidRequest {
            field: "expires_at",
            message: "must be in the future".into(),
        });
    }
    let access = &tx.state().access;
    if access.key(new.id).is_some() {
        return Err(Rejection::KeyAlreadyExists { key: new.id });
    }
    if access.live_keys(scope).count() >= limits::KEYS_PER_TENANT_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "keys_per_tenant",
            value: limits::KEYS_PER_TENANT_MAX as u64,
        });
    }
    tx.emit(KeyCreated {
        key_id: new.id,
        system: new.system,
        name: new.name.clone(),
        role: new.role.clone(),
        actor: new.actor,
        expires_at: new.expires_at,
        digest: new.digest,
        by: tx.principal.name.clone(),
    });
    Ok(Outcome::KeyCreated)
}

/// The role exists, and whoever gives it has all that it holds. A system key reaches every tenant: no tenant says what it may do.
fn check_role(tx: &Tx<'_>, scope: KeyScope, role: &Text) -> Result<(), Rejection> {
    let built_in = BUILT_IN_ROLES.iter().any(|(name, _)| *name == &**role);
    if scope == SYSTEM && !built_in {
        return Err(Rejection::InvalidRequest {
            field: "role",
            message: "of a system key must be one of the built-in roles".into(),
        });
    }
    let held = tx.state().access.held_by_role(scope, role);
    let held = held.ok_or_else(|| Rejection::UnknownRole { role: role.clone() })?;
    check_hands(tx, held.may)
}

/// Decides the end of a key. One of another tenant is not there; a system key is there for those who say so.
pub(crate) fn revoke_key(
    tx: &mut Tx<'_>,
    id: KeyId,
    system: bool,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    check_hands(tx, Capabilities::NONE)?;
    limits::check_reason(reason)?;
    let scope = if system { SYSTEM } else { tx.tenant };
    let found = tx.state().access.key(id);
    let found = found.filter(|key| key.scope == scope);
    let key = found.ok_or(Rejection::UnknownKey { key: id })?;
    if key.revoked.is_some() {
        return Ok(Outcome::AccessChanged { changed: false });
    }
    tx.emit(KeyRevoked {
        key_id: id,
        system,
        by: tx.principal.name.clone(),
        reason: reason.cloned(),
    });
    Ok(Outcome::AccessChanged { changed: true })
}
