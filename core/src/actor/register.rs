//! Register: somebody who works says who it is and what it is able to do.
//! Owns: the registration's checks.
//! Never: takes an id that is in use.

use super::model::{Registration, check, in_order};
use crate::ActorId;
use crate::event::ActorRegistered;
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;

/// Decides a registration.
pub(crate) fn register(tx: &mut Tx<'_>, told: &Registration) -> Result<Outcome, Rejection> {
    let invalid = |field, message: &str| Rejection::InvalidRequest {
        field,
        message: message.into(),
    };
    if told.actor == Some(ActorId(0)) {
        return Err(invalid("actor_id", "must not be the nil UUID"));
    }
    if told.capabilities.is_empty() {
        return Err(Rejection::EmptyCapabilities);
    }
    let interval_ms = told.heartbeat_interval_ms;
    check(&told.identity, told.department.as_ref(), interval_ms)
        .map_err(|(field, message)| invalid(field, message))?;
    let capabilities =
        in_order(&told.capabilities).map_err(|message| invalid("capabilities", &message))?;
    let actors = &tx.state().actors;
    if let Some(actor) = told.actor
        && actors.find(tx.tenant, actor).is_some()
    {
        return Err(Rejection::ActorAlreadyRegistered { actor });
    }
    if actors.is_full(tx.tenant) {
        return Err(Rejection::LimitExceeded {
            limit: "actors",
            value: limits::ACTORS_MAX as u64,
        });
    }
    let chosen = told.actor.is_some();
    let actor = told.actor.unwrap_or_else(|| tx.mint_actor());
    tx.emit(ActorRegistered {
        actor,
        identity: told.identity.clone(),
        capabilities,
        department: told.department.clone(),
        heartbeat_interval_ms: interval_ms,
        by: tx.principal.name.clone(),
        chosen,
    });
    Ok(Outcome::ActorRegistered(actor))
}
