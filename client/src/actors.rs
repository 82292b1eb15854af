//! The typed calls about actors.

use hyper::Method;

use crate::calls::reason_body;
use crate::client::segment;
use crate::retry::Repeat;
use crate::wire::{
    Actor, ActorBeat, ActorChanged, ActorList, ActorRegistered, EmptyBody, RegisterActor,
};
use crate::{Client, Error, Page};

/// Which actors are listed. Filters are ANDed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActorFilter {
    /// Of this department.
    pub department: Option<String>,
    /// Able to do this.
    pub capability: Option<String>,
    /// `active` or `draining`.
    pub state: Option<String>,
    /// With this identity.
    pub identity: Option<String>,
}

fn actor_path(actor_id: &str, rest: &str) -> String {
    format!("/api/v1/actors/{}{rest}", segment(actor_id))
}

/// Actors.
impl Client {
    /// Registers somebody who works. Repeated on uncertainty only with an id of the caller's own.
    ///
    /// # Errors
    /// See [`Error`]; `actor_already_registered` when the chosen id is in use.
    pub async fn register_actor(
        &self,
        actor: &RegisterActor<'_>,
    ) -> Result<ActorRegistered, Error> {
        let path = "/api/v1/actors".into();
        self.post(path, actor, Repeat::UnlessUncertain).await
    }

    /// Says that an actor is there, and hears whether it drains.
    ///
    /// # Errors
    /// See [`Error`]; `actor_not_found` once it was silent for too long.
    pub async fn beat_actor(&self, actor_id: &str) -> Result<ActorBeat, Error> {
        let path = actor_path(actor_id, "/heartbeat");
        self.post(path, &EmptyBody {}, Repeat::Safe).await
    }

    /// Grants an actor nothing any more; what it holds it finishes.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn drain_actor(
        &self,
        actor_id: &str,
        reason: Option<&str>,
    ) -> Result<ActorChanged, Error> {
        let reason = reason_body(reason);
        self.post(actor_path(actor_id, "/drain"), &reason, Repeat::Safe)
            .await
    }

    /// Deregisters an actor; the leases that it still holds end.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn deregister_actor(
        &self,
        actor_id: &str,
        reason: Option<&str>,
    ) -> Result<ActorChanged, Error> {
        let reason = reason_body(reason);
        self.send(Method::DELETE, actor_path(actor_id, ""), &reason)
            .await
    }

    /// One actor.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn actor(&self, actor_id: &str) -> Result<Actor, Error> {
        self.get(actor_path(actor_id, "")).await
    }

    /// One page of actors, by id.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn actors(&self, filter: &ActorFilter, page: &Page) -> Result<ActorList, Error> {
        let mut path = String::from("/api/v1/actors?");
        let number = |given: Option<u32>| given.map(|number| number.to_string());
        let (limit, offset) = (number(page.limit), number(page.offset));
        for (name, value) in [
            ("department", &filter.department),
            ("capability", &filter.capability),
            ("state", &filter.state),
            ("identity", &filter.identity),
            ("limit", &limit),
            ("offset", &offset),
            ("cursor", &page.cursor),
        ] {
            if let Some(value) = value {
                path += &format!("{name}={}&", segment(value));
            }
        }
        path.pop();
        self.get(path).await
    }
}
