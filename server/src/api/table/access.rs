//! Keys, roles, what actors are given, and tenants.

use super::rules::{SMALL_BODY_BYTES_MAX, body, optional};
use crate::api::keys::KEY_PARAMETERS;
use crate::api::route::{Route, Verb};
use crate::api::{budgets, keys, roles, tenants};
use crate::auth::Needs;
use mainstay_core::Capability;

const KEY: &[&str] = &["invalid_key_id", "key_not_found"];
const ROLE: &[&str] = &[
    "forbidden",
    "role_not_found",
    "role_in_use",
    "limit_exceeded",
    "non_monotonic_sequence",
];
const GRANT: &[&str] = &[
    "invalid_actor_id",
    "actor_not_found",
    "role_not_found",
    "limit_exceeded",
    "non_monotonic_sequence",
];

const TENANT_BUDGET: &[&str] = &[
    "budget_not_allocated",
    "zero_limit",
    "limit_exceeded",
    "non_monotonic_sequence",
];

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/api/v1/keys",
        "Keys by id; a system key sees those of all tenants and of none",
        Needs::ADMIN,
        &[(200, "KeyList")],
        |x| Box::pin(keys::list(x)),
    )
    .all_tenants()
    .parameters(KEY_PARAMETERS)
    .errors(&["invalid_pagination"]),
    Route::post(
        "/api/v1/keys",
        "Make a key; it is shown this once",
        Needs::ADMIN,
        body("NewKey", SMALL_BODY_BYTES_MAX),
        &[(201, "MadeKey"), (200, "MadeKey")],
        |x| Box::pin(keys::create(x)),
    )
    .keyed()
    .control()
    .errors(&[
        "invalid_actor_id",
        "role_not_found",
        "key_already_exists",
        "idempotency_conflict",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/keys/{key_id}",
        "One key",
        Needs::ADMIN,
        &[(200, "Key")],
        |x| Box::pin(keys::one(x)),
    )
    .errors(KEY),
    Route::post(
        "/api/v1/keys/{key_id}",
        "End a key, at once",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "KeyRevoked")],
        |x| Box::pin(keys::revoke(x)),
    )
    .verb(Verb::Delete)
    .control()
    .errors(&[
        "invalid_key_id",
        "key_not_found",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/roles",
        "The roles that every tenant has, and the tenant's own",
        Needs::READ,
        &[(200, "RoleList")],
        |x| Box::pin(roles::list(x)),
    ),
    Route::post(
        "/api/v1/roles/{name}",
        "Say what a role of the tenant's own holds",
        Needs::ADMIN,
        body("RoleSettings", SMALL_BODY_BYTES_MAX),
        &[(200, "Role")],
        |x| Box::pin(roles::put(x)),
    )
    .verb(Verb::Put)
    .control()
    .errors(ROLE),
    Route::post(
        "/api/v1/roles/{name}",
        "Remove a role that nobody has",
        Needs::ADMIN,
        optional("Reason"),
        &[(200, "RoleRemoved")],
        |x| Box::pin(roles::remove(x)),
    )
    .verb(Verb::Delete)
    .control()
    .errors(ROLE),
    Route::get(
        "/api/v1/actors/{actor_id}/roles",
        "What an actor was given besides the roles of its keys",
        Needs::READ,
        &[(200, "Granted")],
        |x| Box::pin(roles::of_actor(x)),
    )
    .errors(&["invalid_actor_id", "actor_not_found"]),
    Route::post(
        "/api/v1/actors/{actor_id}/roles",
        "Give an actor a role",
        Needs::ADMIN,
        body("RoleGrant", SMALL_BODY_BYTES_MAX),
        &[(200, "Granted")],
        |x| Box::pin(roles::assign(x)),
    )
    .control()
    .errors(GRANT),
    Route::post(
        "/api/v1/actors/{actor_id}/roles",
        "Take a role from an actor",
        Needs::ADMIN,
        body("RoleGrant", SMALL_BODY_BYTES_MAX),
        &[(200, "Granted")],
        |x| Box::pin(roles::unassign(x)),
    )
    .verb(Verb::Delete)
    .control()
    .errors(GRANT),
    Route::post(
        "/api/v1/actors/{actor_id}/capabilities",
        "Give an actor one capability",
        Needs::ADMIN,
        body("CapabilityGrant", SMALL_BODY_BYTES_MAX),
        &[(200, "Granted")],
        |x| Box::pin(roles::grant(x)),
    )
    .control()
    .errors(GRANT),
    Route::post(
        "/api/v1/actors/{actor_id}/capabilities",
        "Take one capability from an actor",
        Needs::ADMIN,
        body("CapabilityGrant", SMALL_BODY_BYTES_MAX),
        &[(200, "Granted")],
        |x| Box::pin(roles::ungrant(x)),
    )
    .verb(Verb::Delete)
    .control()
    .errors(GRANT),
    Route::get(
        "/api/v1/tenants",
        "Every tenant, in the order in which they were made",
        Needs::System(Capability::Read),
        &[(200, "TenantList")],
        |x| Box::pin(tenants::list(x)),
    ),
    Route::post(
        "/api/v1/tenants",
        "Add a tenant",
        Needs::System(Capability::Admin),
        body("NewTenant", SMALL_BODY_BYTES_MAX),
        &[(201, "Tenant"), (200, "Tenant")],
        |x| Box::pin(tenants::create(x)),
    )
    .keyed()
    .control()
    .errors(&[
        "tenant_already_exists",
        "idempotency_conflict",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::post(
        "/api/v1/tenants/{tenant_id}",
        "Set a tenant's share of grants",
        Needs::System(Capability::Admin),
        body("TenantSettings", SMALL_BODY_BYTES_MAX),
        &[(200, "Tenant")],
        |x| Box::pin(tenants::put(x)),
    )
    .verb(Verb::Put)
    .control()
    .errors(&["non_monotonic_sequence"]),
    Route::get(
        "/api/v1/tenants/{tenant_id}/budgets",
        "What all of a tenant's work together may spend",
        Needs::READ,
        &[(200, "[Budget]")],
        |x| Box::pin(budgets::of_tenant(x)),
    ),
    Route::post(
        "/api/v1/tenants/{tenant_id}/budgets",
        "Set a budget of a tenant, or change its limit within its period",
        Needs::System(Capability::Admin),
        body("AllocateBudget", SMALL_BODY_BYTES_MAX),
        &[(200, "Budget")],
        |x| Box::pin(budgets::allocate_tenant(x)),
    )
    .verb(Verb::Put)
    .control()
    .errors(TENANT_BUDGET),
    Route::post(
        "/api/v1/tenants/{tenant_id}/budgets/{dimension}/replenish",
        "Begin a new period of a tenant's budget",
        Needs::System(Capability::Admin),
        body("Replenish", SMALL_BODY_BYTES_MAX),
        &[(200, "Budget")],
        |x| Box::pin(budgets::replenish_tenant(x)),
    )
    .control()
    .errors(TENANT_BUDGET),
];
