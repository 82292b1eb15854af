//! Deregister: an actor is registered no more, by request or because it fell silent.
//! Owns: both decisions.
//! Never: ends its leases itself: they are the run room's, and `machine/react.rs` draws that consequence.

use super::model::Departure;
use crate::event::ActorDeregistered;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{ActorId, Text, limits};

/// Decides a deregistration by request.
pub(crate) fn deregister(
    tx: &mut Tx<'_>,
    actor: ActorId,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    let row = tx.state().actors.find(tx.tenant, actor);
    let number = row.ok_or(Rejection::UnknownActor { actor })?.number;
    let leases = tx.state().actors.held(number) as u64;
    tx.emit(ActorDeregistered {
        actor,
        cause: Departure::Requested,
        by: tx.principal.name.clone(),
        reason: reason.cloned(),
    });
    tx.forget_actor(number);
    Ok(Outcome::ActorDeregistered { leases })
}

/// Time passes: those who were not heard of for too long are registered no more. Looks at no more than `left` and counts them down; true
/// when there is more to look at.
pub(crate) fn silent(tx: &mut Tx<'_>, left: &mut usize) -> bool {
    while let Some(number) = tx.state().actors.due(tx.now.steady) {
        if *left == 0 {
            return true;
        }
        *left -= 1;
        let Some(row) = tx.state().actors.get(number) else {
            return false;
        };
        let gone_at = row.gone_at(tx.volatile().actors.heard(row));
        if gone_at > tx.now.steady {
            tx.watch_actor(number, gone_at);
            continue;
        }
        let (tenant, actor) = (row.tenant, row.id);
        let silent = ActorDeregistered {
            actor,
            cause: Departure::Silent,
            ..ActorDeregistered::default()
        };
        tx.emit_for(tenant, silent);
        tx.forget_actor(number);
    }
    false
}
