//! The shapes of keys, roles and tenants, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// What access is made of.
pub(super) const ACCESS: &[Schema] = &[
    sent(
        "NewKey",
        &[
            "name! name",
            "role! name",
            "tenant_id tenant?",
            "actor_id uuid?",
            "expires_at instant?",
            "reason reason?",
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
            "name! name",
            "role! name",
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
            "limit! limit",
            "offset! offset",
            "next_cursor! cursor?",
        ],
    ),
    answered(
        "KeyRevoked",
        &["key_id! uuid", "status! revoked|already_revoked"],
    ),
    sent(
        "RoleSettings",
        &[
            "capabilities! role_capabilities",
            "tenant_id tenant?",
            "reason reason?",
        ],
    ),
    answered(
        "Role",
        &["name! name", "capabilities! [string]", "built_in! boolean"],
    ),
    answered("RoleList", &["roles! [Role]"]),
    answered("RoleRemoved", &["name! name", "status! removed"]),
    sent(
        "RoleGrant",
        &["role! name", "tenant_id tenant?", "reason reason?"],
    ),
    sent(
        "CapabilityGrant",
        &["capability! name", "tenant_id tenant?", "reason reason?"],
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
        &["name! name", "tenant_id uuid?", "reason reason?"],
    ),
    sent("TenantSettings", &["weight! weight", "reason reason?"]),
    answered(
        "Tenant",
        &["tenant_id! uuid", "name! name", "weight! weight"],
    ),
    answered("TenantList", &["tenants! [Tenant]"]),
];
