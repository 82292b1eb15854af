//! Drain: an actor finishes what it holds and gets nothing more.
//! Owns: the decision.
//! Never: ends a lease.

use crate::event::ActorDraining;
use crate::machine::Tx;
use crate::outcome::{ActorDrain, Outcome};
use crate::rejection::Rejection;
use crate::{ActorId, Text, limits};

/// Decides a drain. The same again is an answer, not an error.
pub(crate) fn drain(
    tx: &mut Tx<'_>,
    actor: ActorId,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    let row = tx.state().actors.find(tx.tenant, actor);
    let row = row.ok_or(Rejection::UnknownActor { actor })?;
    let (number, already) = (row.number, !row.is_active());
    if !already {
        tx.emit(ActorDraining {
            actor,
            by: tx.principal.name.clone(),
            reason: reason.cloned(),
        });
    }
    Ok(Outcome::ActorDraining(ActorDrain {
        already,
        leases: tx.state().actors.held(number) as u64,
    }))
}
