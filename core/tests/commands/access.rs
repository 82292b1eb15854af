//! The rows about keys, roles and what actors are given.

use mainstay_core::{
    ActorId, Command, Govern, KeyDigest, KeyId, NewKey, Registration, Text, Timestamp, limits,
};

use super::row::{OK, Row, after, row};
use super::stand::Stand;

const KEY: KeyId = KeyId(0xabc);
const ACTOR: ActorId = ActorId(0xdef);

fn ask(change: Govern) -> Command {
    Command::Govern(Box::new(change))
}

fn key(id: KeyId, name: &str, role: &str, system: bool) -> NewKey {
    NewKey {
        id,
        name: Text::from(name),
        role: Text::from(role),
        system,
        digest: KeyDigest([7; 32]),
        ..NewKey::default()
    }
}

fn create(id: u128, name: &str, role: &str, system: bool) -> Command {
    ask(Govern::CreateKey(key(KeyId(id), name, role, system)))
}

/// A key that may do everything.
pub(crate) fn admin_key() -> Command {
    create(1, "boss", "admin", false)
}

fn revoke(key: KeyId, system: bool) -> Command {
    let reason = Some(Text::from("lost"));
    ask(Govern::RevokeKey {
        key,
        system,
        reason,
    })
}

fn put(role: &str, capabilities: &[&str]) -> Command {
    ask(Govern::PutRole {
        role: Text::from(role),
        capabilities: capabilities.iter().map(|one| Text::from(*one)).collect(),
        reason: None,
    })
}

fn remove(role: &str) -> Command {
    ask(Govern::RemoveRole {
        role: Text::from(role),
        reason: None,
    })
}

fn assign(role: &str) -> Command {
    ask(Govern::AssignRole {
        actor: ACTOR,
        role: Text::from(role),
        reason: None,
    })
}

fn unassign(role: &str) -> Command {
    ask(Govern::RevokeRole {
        actor: ACTOR,
        role: Text::from(role),
        reason: None,
    })
}

fn grant(capability: &str) -> Command {
    ask(Govern::GrantCapability {
        actor: ACTOR,
        capability: Text::from(capability),
        reason: None,
    })
}

fn ungrant(capability: &str) -> Command {
    ask(Govern::RevokeCapability {
        actor: ACTOR,
        capability: Text::from(capability),
        reason: None,
    })
}

fn with_key(stand: &mut Stand) {
    stand.must(create(KEY.0, "ci", "worker", false));
}

fn with_role(stand: &mut Stand) {
    stand.must(put("deployer", &["can_submit", "deploy"]));
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = keys();
    rows.extend(roles());
    rows.extend(grants());
    rows
}

fn keys() -> Vec<Row> {
    vec![
        row("of a worker", |_| create(1, "ci", "worker", false), |_| OK),
        row("of nobody", |_| create(1, "ci", "admin", true), |_| OK),
        row(
            "of no role",
            |_| create(1, "ci", "nobody", false),
            |_| "unknown_role",
        ),
        row(
            "of nobody, of no built-in role",
            |_| create(1, "ci", "deployer", true),
            |_| "invalid_request",
        ),
        row(
            "without a name",
            |_| create(1, "", "worker", false),
            |_| "invalid_request",
        ),
        row(
            "without an id",
            |_| create(0, "ci", "worker", false),
            |_| "invalid_request",
        ),
        row(
            "of the past",
            |_| {
                ask(Govern::CreateKey(NewKey {
                    expires_at: Some(Timestamp(1)),
                    ..key(KEY, "ci", "worker", false)
                }))
            },
            |_| "invalid_request",
        ),
        row(
            "of nobody, for an actor",
            |_| {
                ask(Govern::CreateKey(NewKey {
                    actor: Some(ACTOR),
                    ..key(KEY, "ci", "worker", true)
                }))
            },
            |_| "invalid_request",
        ),
        after(
            with_key,
            "twice",
            |_| create(KEY.0, "ci", "worker", false),
            |_| "key_already_exists",
        ),
        after(with_key, "that is there", |_| revoke(KEY, false), |_| OK),
        after(
            with_key,
            "as if it were of nobody",
            |_| revoke(KEY, true),
            |_| "unknown_key",
        ),
        row(
            "that is not there",
            |_| revoke(KEY, false),
            |_| "unknown_key",
        ),
        after(
            |stand| {
                for id in 0..limits::KEYS_PER_TENANT_MAX as u128 {
                    stand.must(create(id + 1, "ci", "worker", false));
                }
            },
            "beyond the last",
            |_| create(u128::MAX, "ci", "worker", false),
            |_| "limit_exceeded",
        ),
    ]
}

fn roles() -> Vec<Row> {
    vec![
        row("new", |_| put("deployer", &["deploy"]), |_| OK),
        after(
            with_role,
            "again",
            |_| put("deployer", &["deploy", "can_submit"]),
            |_| OK,
        ),
        row(
            "that every tenant has",
            |_| put("admin", &["deploy"]),
            |_| "invalid_request",
        ),
        row(
            "of nothing",
            |_| put("deployer", &[]),
            |_| "invalid_request",
        ),
        row(
            "of what is no name",
            |_| put("deployer", &["Deploy!"]),
            |_| "invalid_request",
        ),
        row(
            "of too much",
            |_| put("deployer", &["x"; limits::CAPABILITIES_MAX + 1]),
            |_| "limit_exceeded",
        ),
        after(with_role, "that nobody has", |_| remove("deployer"), |_| OK),
        after(
            |stand| {
                with_role(stand);
                with_actor(stand);
                stand.must(assign("deployer"));
            },
            "that an actor has",
            |_| remove("deployer"),
            |_| "role_in_use",
        ),
        row(
            "that is not there",
            |_| remove("deployer"),
            |_| "unknown_role",
        ),
        row(
            "that every tenant has",
            |_| remove("worker"),
            |_| "invalid_request",
        ),
    ]
}

fn with_actor(stand: &mut Stand) {
    let told = Registration {
        actor: Some(ACTOR),
        identity: Text::from("bot"),
        capabilities: vec![Text::from("x")],
        department: None,
        heartbeat_interval_ms: 10_000,
    };
    stand.must(Command::RegisterActor(Box::new(told)));
}

fn grants() -> Vec<Row> {
    let to = |about, ask, expect| after(with_actor, about, ask, expect);
    vec![
        to("of a worker", |_| assign("worker"), |_| OK),
        to("that is not there", |_| assign("x"), |_| "unknown_role"),
        to("that it does not have", |_| unassign("worker"), |_| OK),
        to("of its own", |_| grant("deploy"), |_| OK),
        to("that is no name", |_| grant("?"), |_| "invalid_request"),
        to("that it does not have", |_| ungrant("deploy"), |_| OK),
        row("to nobody", |_| assign("worker"), |_| "unknown_actor"),
        row("from nobody", |_| unassign("worker"), |_| "unknown_actor"),
        row("to nobody", |_| grant("deploy"), |_| "unknown_actor"),
        row("from nobody", |_| ungrant("deploy"), |_| "unknown_actor"),
    ]
}
