//! What can be asked about access, as one kind of command.
//! Owns: its nouns, and which decision each of them goes to.
//! Never: decides.

use alloc::vec::Vec;

use super::access::KeyDigest;
use super::{grant, key, role};
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::{ActorId, KeyId, Text};

/// A key to be made. Whoever asks has drawn its id and its secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// A name for people, `[a-z0-9._-]{1,128}`; it need not be unique.
    pub name: Text,
    /// What it may do: a built-in role, or one of the tenant's own.
    pub role: Text,
    /// Whether it is of no tenant and reaches them all.
    pub system: bool,
    /// The actor it acts for: what that actor was granted adds to the role.
    pub actor: Option<ActorId>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// All that is kept of the secret.
    pub digest: KeyDigest,
    /// Why.
    pub reason: Option<Text>,
}

/// A change of who may do what. All of them need `can_admin`, and nobody gives what they do not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Govern {
    /// Make a key.
    CreateKey(NewKey),
    /// End a key; it stays known for a while.
    RevokeKey {
        /// The key.
        key: KeyId,
        /// Whether a system key is meant.
        system: bool,
        /// Why.
        reason: Option<Text>,
    },
    /// Say what a role of the tenant's own holds.
    PutRole {
        /// Its name.
        role: Text,
        /// What who has it may do, at least one.
        capabilities: Vec<Text>,
        /// Why.
        reason: Option<Text>,
    },
    /// Remove a role that nobody has.
    RemoveRole {
        /// Its name.
        role: Text,
        /// Why.
        reason: Option<Text>,
    },
    /// Give an actor a role.
    AssignRole {
        /// The actor.
        actor: ActorId,
        /// The role.
        role: Text,
        /// Why.
        reason: Option<Text>,
    },
    /// Take a role from an actor.
    RevokeRole {
        /// The actor.
        actor: ActorId,
        /// The role.
        role: Text,
        /// Why.
        reason: Option<Text>,
    },
    /// Give an actor one capability.
    GrantCapability {
        /// The actor.
        actor: ActorId,
        /// The capability.
        capability: Text,
        /// Why.
        reason: Option<Text>,
    },
    /// Take one capability from an actor.
    RevokeCapability {
        /// The actor.
        actor: ActorId,
        /// The capability.
        capability: Text,
        /// Why.
        reason: Option<Text>,
    },
}

impl Govern {
    /// The stable number of this kind of command in the log's command records.
    pub(crate) fn code(&self) -> u64 {
        match self {
            Govern::CreateKey(_) => 68,
            Govern::RevokeKey { .. } => 69,
            Govern::PutRole { .. } => 70,
            Govern::RemoveRole { .. } => 71,
            Govern::AssignRole { .. } => 72,
            Govern::RevokeRole { .. } => 73,
            Govern::GrantCapability { .. } => 74,
            Govern::RevokeCapability { .. } => 75,
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Option<&Text> {
        match self {
            Govern::CreateKey(new) => new.reason.as_ref(),
            Govern::RevokeKey { reason, .. }
            | Govern::PutRole { reason, .. }
            | Govern::RemoveRole { reason, .. }
            | Govern::AssignRole { reason, .. }
            | Govern::RevokeRole { reason, .. }
            | Govern::GrantCapability { reason, .. }
            | Govern::RevokeCapability { reason, .. } => reason.as_ref(),
        }
    }
}

/// Decides a change of who may do what.
pub(crate) fn govern(tx: &mut Tx<'_>, change: &Govern) -> Result<Outcome, Rejection> {
    match change {
        Govern::CreateKey(new) => key::create_key(tx, new),
        Govern::RevokeKey {
            key,
            system,
            reason,
        } => key::revoke_key(tx, *key, *system, reason.as_ref()),
        Govern::PutRole {
            role,
            capabilities,
            reason,
        } => role::put_role(tx, role, capabilities, reason.as_ref()),
        Govern::RemoveRole { role, reason } => role::remove_role(tx, role, reason.as_ref()),
        Govern::AssignRole {
            actor,
            role,
            reason,
        } => grant::assign_role(tx, *actor, role, reason.as_ref()),
        Govern::RevokeRole {
            actor,
            role,
            reason,
        } => grant::revoke_role(tx, *actor, role, reason.as_ref()),
        Govern::GrantCapability {
            actor,
            capability,
            reason,
        } => grant::grant_capability(tx, *actor, capability, reason.as_ref()),
        Govern::RevokeCapability {
            actor,
            capability,
            reason,
        } => grant::revoke_capability(tx, *actor, capability, reason.as_ref()),
    }
}
