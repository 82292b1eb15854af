//! Who works: registering, being there, draining, leaving.
//! Owns: one method per command of that room, typed, and the reading of actors page by page.
//! Never: decides, or knows more than the command.

use mainstay_core::{
    ActorBeat, ActorDrain, ActorId, ActorView, Answer, Command, Outcome, Query, Registration, Text,
    limits,
};

use super::{CommandError, Handle};
use crate::call::CallError;

impl Handle {
    /// Registers an actor with what it is able to do. Its id is minted when none is given.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `actor_already_registered`, `empty_capabilities`, `invalid_request` or `limit_exceeded`.
    pub fn register_actor(&self, told: Registration) -> Result<ActorId, CommandError> {
        match self.command(Command::RegisterActor(Box::new(told)))? {
            Outcome::ActorRegistered(actor) => Ok(actor),
            other => unreachable!("{other:?}"),
        }
    }

    /// Says that an actor is there, and hears whether it drains. Nothing is written. Silent for three of its intervals, an actor is
    /// deregistered and its leases end.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_actor`.
    pub fn beat_actor(&self, actor: ActorId) -> Result<ActorBeat, CommandError> {
        match self.command(Command::BeatActor { actor })? {
            Outcome::ActorBeat(beat) => Ok(beat),
            other => unreachable!("{other:?}"),
        }
    }

    /// Grants an actor nothing any more; what it holds it finishes. The same again is an answer, not an error.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_actor` or `limit_exceeded`.
    pub fn drain_actor(
        &self,
        actor: ActorId,
        reason: Option<Text>,
    ) -> Result<ActorDrain, CommandError> {
        match self.command(Command::DrainActor { actor, reason })? {
            Outcome::ActorDraining(drain) => Ok(drain),
            other => unreachable!("{other:?}"),
        }
    }

    /// Deregisters an actor; the leases that it still holds end as if their time had come. Gives how many there were.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_actor` or `limit_exceeded`.
    pub fn deregister_actor(
        &self,
        actor: ActorId,
        reason: Option<Text>,
    ) -> Result<u64, CommandError> {
        match self.command(Command::DeregisterActor { actor, reason })? {
            Outcome::ActorDeregistered { leases } => Ok(leases),
            other => unreachable!("{other:?}"),
        }
    }

    /// One actor of the tenant acted in, if it is registered.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn actor(&self, actor: ActorId) -> Result<Option<ActorView>, CallError> {
        let answer = self
            .ask(self.principal.tenant, Query::Actor(actor))
            .wait()?;
        match answer.value {
            Answer::Actor(view) => Ok(Some(*view)),
            _ => Ok(None),
        }
    }

    /// Every actor of the tenant acted in, by id.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn actors(&self) -> Result<Vec<ActorView>, CallError> {
        let (mut found, mut after) = (Vec::new(), None);
        let (all, limit) = (false, limits::LIST_LIMIT_MAX);
        loop {
            let page = self.ask(self.principal.tenant, Query::Actors { all, after, limit });
            let Answer::Actors(page) = page.wait()?.value else {
                return Ok(found);
            };
            let is_last = page.len() < limit as usize;
            after = page.last().map(|last| (last.tenant, last.id));
            found.extend(page);
            if is_last {
                return Ok(found);
            }
        }
    }
}
