//! Facts about who may do what: keys, roles and grants.
//! Owns: their fields.
//! Never: drops or renumbers a field; old logs hold it.

use alloc::vec::Vec;

use crate::platform::KeyDigest;
use crate::time::Timestamp;
use crate::{ActorId, KeyId, Text};

facts! {
    /// A key was made.
    KeyCreated {
        /// The key.
        key_id: KeyId,
        /// Whether it is of no tenant and reaches them all.
        system: bool,
        /// A name for people.
        name: Text,
        /// What it may do.
        role: Text,
        /// The actor it acts for.
        actor: Option<ActorId>,
        /// When it ends by itself.
        expires_at: Option<Timestamp>,
        /// All that is kept of the secret.
        digest: KeyDigest,
        /** By whom. */ by: Text,
    }
    /// A key was ended.
    KeyRevoked {
        /// The key.
        key_id: KeyId,
        /// Whether it is of no tenant.
        system: bool,
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// What a role of the tenant's own holds was set.
    RoleDefined {
        /// Its name.
        role: Text,
        /// What who has it may do, in order.
        capabilities: Vec<Text>,
        /** By whom. */ by: Text,
    }
    /// A role was removed.
    RoleRemoved {
        /// Its name.
        role: Text,
        /** By whom. */ by: Text,
    }
    /// An actor was given a role.
    RoleAssigned {
        /// The actor.
        actor: ActorId,
        /// The role.
        role: Text,
        /** By whom. */ by: Text,
    }
    /// A role was taken from an actor.
    RoleRevoked {
        /// The actor.
        actor: ActorId,
        /// The role.
        role: Text,
        /** By whom. */ by: Text,
    }
    /// An actor was given a capability.
    CapabilityGranted {
        /// The actor.
        actor: ActorId,
        /// The capability.
        capability: Text,
        /** By whom. */ by: Text,
    }
    /// A capability was taken from an actor.
    CapabilityRevoked {
        /// The actor.
        actor: ActorId,
        /// The capability.
        capability: Text,
        /** By whom. */ by: Text,
    }
}
