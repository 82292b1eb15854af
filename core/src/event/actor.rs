//! Facts about actors.
//! Owns: their fields.
//! Never: drops or renumbers a field; old logs hold it.

use alloc::vec::Vec;

use crate::actor::Departure;
use crate::{ActorId, Text};

facts! {
    /// Somebody who works said who it is.
    ActorRegistered {
        /// The actor.
        actor: ActorId,
        /// Who it is, in words.
        identity: Text,
        /// What it is able to do, in order.
        capabilities: Vec<Text>,
        /// Where it belongs.
        department: Option<Text>,
        /// How often it promises to be heard of, in milliseconds.
        heartbeat_interval_ms: u64,
        /** By whom. */ by: Text,
        /// Whether its id was chosen rather than minted.
        chosen: bool,
    }
    /// An actor gets nothing any more.
    ActorDraining {
        /// The actor.
        actor: ActorId,
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// An actor is registered no more; the ends of its leases follow.
    ActorDeregistered {
        /// The actor.
        actor: ActorId,
        /// Why: by request, or because it fell silent.
        cause: Departure,
        /// By whom; empty for the machine itself.
        by: Text,
        /// Why, in words.
        reason: Option<Text>,
    }
}
