//! Keys, roles and tenants: bodies and answers.

use serde::{Deserialize, Serialize};

use super::text::Str;

/// Body of `POST /api/v1/keys`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey<'a> {
    /// A name for people, `[a-z0-9._-]{1,128}`.
    #[serde(borrow)]
    pub name: Str<'a>,
    /// What it may do: `worker`, `operator`, `auditor`, `gatekeeper`, `admin`, or a role of the tenant's own.
    #[serde(borrow)]
    pub role: Str<'a>,
    /// Its tenant; a system key's request that names none makes a system key.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
    /// The actor it acts for.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Str<'a>>,
    /// When it ends by itself (RFC 3339).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Str<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Answer of `POST /api/v1/keys`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeKey {
    /// Its id.
    pub key_id: String,
    /// The key itself, shown this once; absent when the same `Idempotency-Key` made it before.
    #[serde(default)]
    pub key: Option<String>,
    /// Its tenant; none for a system key.
    pub tenant_id: Option<String>,
}

impl std::fmt::Debug for MadeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key never stands in what is printed for people who look for faults.
        f.debug_struct("MadeKey")
            .field("key_id", &self.key_id)
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

/// A key, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id.
    pub key_id: String,
    /// Its tenant; none for a system key.
    pub tenant_id: Option<String>,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub role: String,
    /// The actor it acts for.
    pub actor_id: Option<String>,
    /// What that comes to now.
    pub capabilities: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// By whom.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// By whom.
    pub revoked_by: Option<String>,
}

/// Answer of `GET /api/v1/keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyList {
    /// The rows, by id.
    pub keys: Vec<Key>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Answer of `DELETE /api/v1/keys/{key_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRevoked {
    /// The key.
    pub key_id: String,
    /// `revoked` or `already_revoked`.
    pub status: String,
}

/// Body of `PUT /api/v1/roles/{name}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSettings<'a> {
    /// What who has it may do, at least one.
    #[serde(borrow)]
    pub capabilities: Vec<Str<'a>>,
    /// Whose role; the request's tenant when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What who has it may do.
    pub capabilities: Vec<String>,
    /// Whether every tenant has it, and nobody changes it.
    pub built_in: bool,
}

/// Answer of `GET /api/v1/roles`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleList {
    /// The built-in ones first, then the tenant's own by name.
    pub roles: Vec<Role>,
}

/// Body of `POST` and `DELETE /api/v1/actors/{actor_id}/roles`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleGrant<'a> {
    /// The role.
    #[serde(borrow)]
    pub role: Str<'a>,
    /// Whose actor; the request's tenant when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Body of `POST` and `DELETE /api/v1/actors/{actor_id}/capabilities`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityGrant<'a> {
    /// The capability.
    #[serde(borrow)]
    pub capability: Str<'a>,
    /// Whose actor; the request's tenant when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// What an actor was given: the answer of every change of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The actor.
    pub actor_id: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its single capabilities.
    pub capabilities: Vec<String>,
}

/// Body of `POST /api/v1/tenants`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTenant<'a> {
    /// Its name, `[a-z0-9._-]{1,128}`, unique.
    #[serde(borrow)]
    pub name: Str<'a>,
    /// Chosen by the client; minted when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Body of `PUT /api/v1/tenants/{tenant_id}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings<'a> {
    /// Its share of grants, 1..=1000.
    pub weight: u32,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub tenant_id: String,
    /// Its name.
    pub name: String,
    /// Its share of grants.
    pub weight: u32,
}

/// Answer of `GET /api/v1/tenants`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantList {
    /// In the order in which they were made.
    pub tenants: Vec<Tenant>,
}
