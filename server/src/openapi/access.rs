//! The shapes of keys, roles and tenants, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// What access is made of.
pub(super) const ACCESS: &[Schema] = &[
    sent(
        "NewKey",
        &[
            "name! string",
            "role! string",
            "tenant_id string?",
            "actor_id uuid?",
            "expires_at instant?",
            "reason string?",
        ],
    ),
    answered(
        "MadeKey",
        &["key_id! uuid", "key! string?", "tenant_id! uuid?"],
    ),
    answered(
        "Key",
        &[
            "key_id! uuid",
            "tenant_id! uuid?",
            "name! string",
            "role! string",
            "actor_id! uuid?",
            "capabilities! [string]",
            "created_at! instant",
            "created_by! string",
            "expires_at! instant?",
            "revoked_at! instant?",
            "revoked_by! string?",
        ],
    ),
    answered(
        "KeyList",
        &[
            "keys! [Key]",
            "limit! integer",
            "offset! integer",
            "next_cursor! string?",
        ],
    ),
    answered(
        "KeyRevoked",
        &["key_id! uuid", "status! revoked|already_revoked"],
    ),
    sent(
        "RoleSettings",
        &[
            "capabilities! [string]",
            "tenant_id string?",
            "reason string?",
        ],
    ),
    answered(
        "Role",
        &[
            "name! string",
            "capabilities! [string]",
            "built_in! boolean",
        ],
    ),
    answered("RoleList", &["roles! [Role]"]),
    answered("RoleRemoved", &["name! string", "status! removed"]),
    sent(
        "RoleGrant",
        &["role! string", "tenant_id string?", "reason string?"],
    ),
    sent(
        "CapabilityGrant",
        &["capability! string", "tenant_id string?", "reason string?"],
    ),
    answered(
        "Granted",
        &[
            "actor_id! uuid",
            "roles! [string]",
            "capabilities! [string]",
        ],
    ),
    sent(
        "NewTenant",
        &["name! string", "tenant_id uuid?", "reason string?"],
    ),
    sent("TenantSettings", &["weight! integer", "reason string?"]),
    answered(
        "Tenant",
        &["tenant_id! uuid", "name! string", "weight! integer"],
    ),
    answered("TenantList", &["tenants! [Tenant]"]),
];
