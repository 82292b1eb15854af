//! The rows about actors: who registers, claims, drains and leaves.

use mainstay_core::{ActorId, Claim, Command, Registration, Text, limits};

use super::row::{OK, Row, after, row};
use super::stand::Stand;

const GPU: ActorId = ActorId(0xac70);
const NOBODY: ActorId = ActorId(0xdead);

fn gpu() -> Registration {
    Registration {
        actor: Some(GPU),
        identity: Text::from("gpu-7"),
        capabilities: vec![Text::from("video"), Text::from("cuda")],
        department: Some(Text::from("render")),
        heartbeat_interval_ms: 10_000,
    }
}

fn register(told: Registration) -> Command {
    Command::RegisterActor(Box::new(told))
}

fn registered(stand: &mut Stand) {
    stand.must(register(gpu()));
}

fn draining(stand: &mut Stand) {
    registered(stand);
    stand.must(drain(GPU));
}

/// The actor gets the run, where it can be had.
fn at_work(stand: &mut Stand) {
    registered(stand);
    stand.must(claim(GPU, &[]));
}

/// The actor that may have got it falls silent.
fn fallen_silent(stand: &mut Stand) {
    at_work(stand);
    stand.now.wall = stand.now.wall.plus_ms(30_000);
    stand.now.steady = stand.now.steady.plus_ms(30_000);
    stand.must(Command::Tick);
}

fn drain(actor: ActorId) -> Command {
    Command::DrainActor {
        actor,
        reason: Some(Text::from("update")),
    }
}

fn leave(actor: ActorId, reason: Option<Text>) -> Command {
    Command::DeregisterActor { actor, reason }
}

fn claim(actor: ActorId, capabilities: &[&str]) -> Command {
    Command::Claim(Box::new(Claim {
        worker: Text::from("w"),
        queues: vec![Text::from("subject")],
        max: 1,
        lease_ms: Some(60_000),
        capabilities: capabilities.iter().map(|one| Text::from(*one)).collect(),
        actor: Some(actor),
        ..Claim::default()
    }))
}

fn long() -> Option<Text> {
    Some("x".repeat(limits::REASON_BYTES_MAX + 1).into())
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = registrations();
    rows.extend(departures());
    rows.extend(claims());
    rows
}

fn registrations() -> Vec<Row> {
    vec![
        row("of a new one", |_| register(gpu()), |_| OK),
        row(
            "with an id of its own",
            |_| {
                register(Registration {
                    actor: None,
                    ..gpu()
                })
            },
            |_| OK,
        ),
        after(
            registered,
            "twice",
            |_| register(gpu()),
            |_| "actor_already_registered",
        ),
        row(
            "of one that is able to do nothing",
            |_| {
                let capabilities = Vec::new();
                register(Registration {
                    capabilities,
                    ..gpu()
                })
            },
            |_| "empty_capabilities",
        ),
        row(
            "with a capability without a name",
            |_| {
                let capabilities = vec![Text::from("")];
                register(Registration {
                    capabilities,
                    ..gpu()
                })
            },
            |_| "invalid_request",
        ),
        row(
            "under no id",
            |_| {
                register(Registration {
                    actor: Some(ActorId(0)),
                    ..gpu()
                })
            },
            |_| "invalid_request",
        ),
        row(
            "of nobody",
            |_| {
                let identity = Text::from("");
                register(Registration { identity, ..gpu() })
            },
            |_| "invalid_request",
        ),
        row(
            "of no department",
            |_| {
                let department = Some(Text::from("NO NAME"));
                register(Registration {
                    department,
                    ..gpu()
                })
            },
            |_| "invalid_request",
        ),
        row(
            "that promises too much",
            |_| {
                register(Registration {
                    heartbeat_interval_ms: 999,
                    ..gpu()
                })
            },
            |_| "invalid_request",
        ),
        row(
            "that promises too little",
            |_| {
                register(Registration {
                    heartbeat_interval_ms: 86_400_001,
                    ..gpu()
                })
            },
            |_| "invalid_request",
        ),
        after(
            registered,
            "of one that is there",
            |_| Command::BeatActor { actor: GPU },
            |_| OK,
        ),
        row(
            "of nobody",
            |_| Command::BeatActor { actor: NOBODY },
            |_| "unknown_actor",
        ),
    ]
}

fn departures() -> Vec<Row> {
    vec![
        after(registered, "once", |_| drain(GPU), |_| OK),
        after(draining, "twice", |_| drain(GPU), |_| OK),
        after(at_work, "of one at work", |_| drain(GPU), |_| OK),
        row("of nobody", |_| drain(NOBODY), |_| "unknown_actor"),
        after(
            registered,
            "for too long a reason",
            |_| Command::DrainActor {
                actor: GPU,
                reason: long(),
            },
            |_| "limit_exceeded",
        ),
        after(
            registered,
            "of one that is idle",
            |_| leave(GPU, None),
            |_| OK,
        ),
        after(draining, "of a draining one", |_| leave(GPU, None), |_| OK),
        after(at_work, "of one at work", |_| leave(GPU, None), |_| OK),
        after(
            fallen_silent,
            "of a silent one",
            |_| leave(GPU, None),
            |_| "unknown_actor",
        ),
        row("of nobody", |_| leave(NOBODY, None), |_| "unknown_actor"),
        after(
            registered,
            "for too long a reason",
            |_| leave(GPU, long()),
            |_| "limit_exceeded",
        ),
    ]
}

fn claims() -> Vec<Row> {
    vec![
        after(registered, "by an actor", |_| claim(GPU, &[]), |_| OK),
        after(
            registered,
            "by an actor with less than it has",
            |_| claim(GPU, &["cuda"]),
            |_| OK,
        ),
        after(
            registered,
            "by an actor with more than it has",
            |_| claim(GPU, &["cuda", "gold"]),
            |_| "capability_missing",
        ),
        after(draining, "by a draining actor", |_| claim(GPU, &[]), |_| OK),
        row(
            "by an actor that is nobody",
            |_| claim(NOBODY, &[]),
            |_| "unknown_actor",
        ),
        after(
            registered,
            "by an actor over all tenants",
            |_| match claim(GPU, &[]) {
                Command::Claim(mut claim) => {
                    claim.all_tenants = true;
                    Command::Claim(claim)
                }
                other => other,
            },
            |_| "invalid_request",
        ),
    ]
}
