//! What is seen of actors: each of them, and all of them beside the work that waits.
//! Owns: the nouns of those answers.
//! Never: decides.

use alloc::vec::Vec;

use crate::time::Timestamp;
use crate::{ActorId, TenantId, Text};

/// An actor as people and programs see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorView {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: ActorId,
    /// Who it is, in words.
    pub identity: Text,
    /// What it is able to do, in order.
    pub capabilities: Vec<Text>,
    /// Where it belongs.
    pub department: Option<Text>,
    /// How often it promises to be heard of, in milliseconds.
    pub heartbeat_interval_ms: u64,
    /// When it registered.
    pub registered_at: Timestamp,
    /// By whom.
    pub registered_by: Text,
    /// When it was last heard of, as far as this process knows.
    pub last_heard_at: Timestamp,
    /// Since when it gets nothing any more.
    pub draining_since: Option<Timestamp>,
    /// Runs that it holds.
    pub leases: u64,
}

/// Who is there to work, and what waits though somebody is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workforce {
    /// Registered actors.
    pub actors: u64,
    /// Of these, draining.
    pub draining: u64,
    /// Of these, neither draining nor holding a run.
    pub idle: u64,
    /// Ready runs that a claim could get now, and that nobody who is there is able to take: no actor, nor anybody who claimed lately.
    pub unserved: u64,
    /// Ready runs that a claim could get now, and that an idle actor is able to take: it does not ask for them.
    pub passed_by: u64,
}
