//! The shapes of bodies about actors, in the notation of `schemas.rs`.

use super::schemas::{Schema, answered, sent};

/// What actors are made of.
pub(super) const ACTORS: &[Schema] = &[
    sent(
        "RegisterActor",
        &[
            "identity! string",
            "capabilities! [string]",
            "department string?",
            "heartbeat_interval_ms integer?",
            "actor_id uuid?",
            "tenant_id string?",
        ],
    ),
    answered("ActorRegistered", &["actor_id! uuid"]),
    answered(
        "ActorBeat",
        &[
            "actor_id! uuid",
            "expires_at! instant",
            "directive! continue|drain",
        ],
    ),
    answered(
        "ActorChanged",
        &[
            "actor_id! uuid",
            "status! draining|already_draining|deregistered",
            "leases! integer",
        ],
    ),
    answered(
        "Actor",
        &[
            "actor_id! uuid",
            "tenant_id! uuid",
            "identity! string",
            "capabilities! [string]",
            "department! string?",
            "state! active|draining",
            "draining_since instant",
            "heartbeat_interval_ms! integer",
            "registered_at! instant",
            "registered_by! string",
            "last_heard_at! instant",
            "leases! integer",
        ],
    ),
    answered(
        "ActorList",
        &[
            "actors! [Actor]",
            "limit! integer",
            "offset! integer",
            "next_cursor! string?",
        ],
    ),
];
