//! Bodies about actors: who works, and what each is able to do.

use serde::{Deserialize, Serialize};

use super::text::Str;
use super::words::Directive;

/// Body of `POST /api/v1/actors`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterActor<'a> {
    /// Who it is, in words, 1..=255 bytes.
    #[serde(borrow)]
    pub identity: Str<'a>,
    /// What it is able to do, at least one.
    #[serde(borrow)]
    pub capabilities: Vec<Str<'a>>,
    /// Where it belongs: a word that lists are filtered by.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Str<'a>>,
    /// How often it promises to be heard of, 1000..=86400000; 10000 when absent. Silent for three of them, it is deregistered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_interval_ms: Option<u64>,
    /// Its id; minted when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Str<'a>>,
    /// The tenant, for system keys.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
}

/// Answer of `POST /api/v1/actors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorRegistered {
    /// The actor.
    pub actor_id: String,
}

/// Answer of `POST /api/v1/actors/{actor_id}/heartbeat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorBeat {
    /// The actor.
    pub actor_id: String,
    /// When it is taken for gone unless it is heard of again.
    pub expires_at: String,
    /// `continue`, or `drain`: finish what is held and claim no more.
    pub directive: Directive,
}

/// Answer of `POST /api/v1/actors/{actor_id}/drain` and of `DELETE /api/v1/actors/{actor_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorChanged {
    /// The actor.
    pub actor_id: String,
    /// `draining`, `already_draining` or `deregistered`.
    pub status: String,
    /// Runs that it holds, or held: with a deregistration their leases end.
    pub leases: u64,
}

/// A registered actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Its id.
    pub actor_id: String,
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Who it is, in words.
    pub identity: String,
    /// What it is able to do, in order.
    pub capabilities: Vec<String>,
    /// Where it belongs.
    #[serde(default)]
    pub department: Option<String>,
    /// `active` or `draining`.
    pub state: String,
    /// Since when it is draining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draining_since: Option<String>,
    /// How often it promises to be heard of.
    pub heartbeat_interval_ms: u64,
    /// When it registered.
    pub registered_at: String,
    /// By whom.
    pub registered_by: String,
    /// When it was last heard of, as far as the server knows since it started.
    pub last_heard_at: String,
    /// Runs that it holds.
    pub leases: u64,
}

/// `GET /api/v1/actors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorList {
    /// By id.
    pub actors: Vec<Actor>,
    /// Rows at most.
    pub limit: u32,
    /// Rows skipped.
    pub offset: u32,
    /// Where the next page begins; none at the end.
    pub next_cursor: Option<String>,
}
