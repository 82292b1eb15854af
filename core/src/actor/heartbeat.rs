//! Heartbeat of an actor: it is there.
//! Owns: the answer to it.
//! Never: an event: that somebody is there is kept in memory only.

use crate::ActorId;
use crate::machine::Tx;
use crate::outcome::{ActorBeat, Directive, Outcome};
use crate::rejection::Rejection;

/// Decides a heartbeat.
pub(crate) fn heartbeat(tx: &mut Tx<'_>, actor: ActorId) -> Result<Outcome, Rejection> {
    let row = tx.state().actors.find(tx.tenant, actor);
    let row = row.ok_or(Rejection::UnknownActor { actor })?;
    let (number, is_active) = (row.number, row.is_active());
    let silence_ms = row.gone_at(tx.now.steady).since_ms(tx.now.steady);
    tx.heard(number);
    Ok(Outcome::ActorBeat(ActorBeat {
        expires_at: tx.now.wall.plus_ms(silence_ms),
        directive: if is_active {
            Directive::Continue
        } else {
            Directive::Drain
        },
    }))
}
