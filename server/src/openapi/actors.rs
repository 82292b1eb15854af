//! The shapes of bodies about actors, in the notation of `schemas.rs`.

use super::schemas::{Schema, answered, sent};

/// What actors are made of.
pub(super) const ACTORS: &[Schema] = &[
    sent(
        "RegisterActor",
        &[
            "identity! identity",
            "capabilities! some_capabilities",
            "department name?",
            "heartbeat_interval_ms beat_ms?",
            "actor_id uuid?",
            "tenant_id tenant?",
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
            "leases! count",
        ],
    ),
    answered(
        "Actor",
        &[
            "actor_id! uuid",
            "tenant_id! uuid",
            "identity! string",
            "capabilities! [string]",
            "department! name?",
            "state! active|draining",
            "draining_since instant",
            "heartbeat_interval_ms! count",
            "registered_at! instant",
            "registered_by! string",
            "last_heard_at! instant",
            "leases! count",
        ],
    ),
    answered(
        "ActorList",
        &[
            "actors! [Actor]",
            "limit! limit",
            "offset! offset",
            "next_cursor! cursor?",
        ],
    ),
];
