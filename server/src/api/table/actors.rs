//! Actors: who works, and what each is able to do.

use super::rules::{SMALL_BODY_BYTES_MAX, body, optional};
use crate::api::actors;
use crate::api::route::{Route, Verb};
use crate::auth::Needs;

const ACTOR: &[&str] = &["invalid_actor_id", "actor_not_found"];
const ACTOR_CHANGE: &[&str] = &[
    "invalid_actor_id",
    "actor_not_found",
    "limit_exceeded",
    "non_monotonic_sequence",
];

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::post(
        "/api/v1/actors",
        "Register somebody who works, with what it is able to do",
        Needs::EXECUTE,
        body("RegisterActor", SMALL_BODY_BYTES_MAX),
        &[(201, "ActorRegistered"), (200, "ActorRegistered")],
        |x| Box::pin(actors::register(x)),
    )
    .keyed()
    .errors(&[
        "invalid_actor_id",
        "actor_already_registered",
        "empty_capabilities",
        "idempotency_conflict",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/actors",
        "A page of actors, by id",
        Needs::READ,
        &[(200, "ActorList")],
        |x| Box::pin(actors::list(x)),
    )
    .all_tenants()
    .parameters(actors::PARAMETERS)
    .errors(&["invalid_pagination", "invalid_parameter"]),
    Route::get(
        "/api/v1/actors/{actor_id}",
        "One actor",
        Needs::READ,
        &[(200, "Actor")],
        |x| Box::pin(actors::get(x)),
    )
    .errors(ACTOR),
    Route::post(
        "/api/v1/actors/{actor_id}/heartbeat",
        "Say that an actor is there, and hear whether it drains",
        Needs::EXECUTE,
        optional("Empty"),
        &[(200, "ActorBeat")],
        |x| Box::pin(actors::beat(x)),
    )
    .errors(ACTOR_CHANGE),
    Route::post(
        "/api/v1/actors/{actor_id}/drain",
        "Grant an actor nothing any more; what it holds it finishes",
        Needs::CONTROL,
        optional("Reason"),
        &[(200, "ActorChanged")],
        |x| Box::pin(actors::drain(x)),
    )
    .control()
    .errors(ACTOR_CHANGE),
    Route::post(
        "/api/v1/actors/{actor_id}",
        "Deregister an actor; the leases that it still holds end",
        Needs::EXECUTE,
        optional("Reason"),
        &[(200, "ActorChanged")],
        |x| Box::pin(actors::deregister(x)),
    )
    .verb(Verb::Delete)
    .control()
    .errors(ACTOR_CHANGE),
];
