//! Who may do what, and what acts on many, as people and programs see it.
//! Owns: these views.
//! Never: a secret; of a key only the digest of one.

use alloc::vec::Vec;

use crate::operation::Operation;
use crate::platform::{Capabilities, KeyDigest};
use crate::time::Timestamp;
use crate::{ActorId, KeyId, OperationId, TenantId, Text};

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationView {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: OperationId,
    /// Everything else.
    pub operation: Operation,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantView {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: Text,
    /// Its share of grants.
    pub weight: u32,
}

/// A key as the shell knows it. Its digest is for comparing, not for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    /// Its id.
    pub id: KeyId,
    /// Its tenant; none for a system key.
    pub tenant: Option<TenantId>,
    /// A name for people.
    pub name: Text,
    /// Its role.
    pub role: Text,
    /// The actor it acts for.
    pub actor: Option<ActorId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Text,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// By whom.
    pub revoked_by: Option<Text>,
    /// What it may do now: its role's capabilities and its actor's.
    pub may: Capabilities,
    /// What else it may do, of the tenant's own words, in order.
    pub custom: Vec<Text>,
    /// All that is kept of its secret.
    pub digest: KeyDigest,
}
