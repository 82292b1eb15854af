//! The rows about queues, the engine, tenants and time.

use mainstay_core::{Command, QueueConfig, TenantId, Text, limits};

use super::row::{OK, Row, after, row};
use super::stand::Stand;

fn queue() -> Text {
    Text::from("subject")
}

fn long() -> Option<Text> {
    Some("x".repeat(limits::REASON_BYTES_MAX + 1).into())
}

fn queue_paused(stand: &mut Stand) {
    stand.must(Command::PauseQueue {
        queue: queue(),
        reason: None,
    });
}

fn paused(stand: &mut Stand) {
    stand.must(Command::PauseEngine { reason: None });
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = queues();
    rows.extend(engine());
    rows.extend(tenants());
    rows
}

fn configure(queue: Text, weight: u32) -> Command {
    let config = QueueConfig {
        concurrency_limit: Some(1),
        weight: Some(weight),
        ..QueueConfig::default()
    };
    Command::ConfigureQueue { queue, config }
}

fn queues() -> Vec<Row> {
    let pause = |_: &Stand| Command::PauseQueue {
        queue: queue(),
        reason: None,
    };
    let resume = |_: &Stand| Command::ResumeQueue {
        queue: queue(),
        reason: None,
    };
    vec![
        row("of its queue", |_| configure(queue(), 7), |_| OK),
        row(
            "without weight",
            |_| configure(queue(), 0),
            |_| "invalid_request",
        ),
        row(
            "of no queue",
            |_| configure(Text::from("NO NAME"), 7),
            |_| "invalid_request",
        ),
        row("of its queue", pause, |_| OK),
        after(queue_paused, "twice", pause, |_| "queue_already_paused"),
        row(
            "for too long a reason",
            |_| Command::PauseQueue {
                queue: queue(),
                reason: long(),
            },
            |_| "limit_exceeded",
        ),
        row(
            "of no queue",
            |_| Command::PauseQueue {
                queue: Text::from(""),
                reason: None,
            },
            |_| "invalid_request",
        ),
        after(queue_paused, "of its queue", resume, |_| OK),
        row("of an open queue", resume, |_| "queue_not_paused"),
        row(
            "for too long a reason",
            |_| Command::ResumeQueue {
                queue: queue(),
                reason: long(),
            },
            |_| "limit_exceeded",
        ),
    ]
}

fn engine() -> Vec<Row> {
    let pause = |_: &Stand| Command::PauseEngine { reason: None };
    let resume = |_: &Stand| Command::ResumeEngine { reason: None };
    vec![
        row("once", pause, |_| OK),
        after(paused, "twice", pause, |_| "engine_already_paused"),
        row(
            "for too long a reason",
            |_| Command::PauseEngine { reason: long() },
            |_| "limit_exceeded",
        ),
        after(paused, "once", resume, |_| OK),
        row("of an open engine", resume, |_| "engine_not_paused"),
        row(
            "for too long a reason",
            |_| Command::ResumeEngine { reason: long() },
            |_| "limit_exceeded",
        ),
        row(
            "of a process",
            |_| Command::Start {
                incarnation: 2,
                downtime_ms: 5000,
            },
            |_| OK,
        ),
        row("of a jump", |_| Command::AdoptClock { ahead_ms: 9 }, |_| OK),
        row("at once", |_| Command::Tick, |_| OK),
        after(
            |stand| {
                stand.now.wall = stand.now.wall.plus_ms(7_200_000);
                stand.now.steady = stand.now.steady.plus_ms(7_200_000);
            },
            "two hours later",
            |_| Command::Tick,
            |_| OK,
        ),
    ]
}

fn tenants() -> Vec<Row> {
    vec![
        row(
            "by name",
            |_| Command::CreateTenant {
                tenant: None,
                name: Text::from("acme"),
            },
            |_| OK,
        ),
        row(
            "twice",
            |_| Command::CreateTenant {
                tenant: None,
                name: Text::from("default"),
            },
            |_| "tenant_already_exists",
        ),
        row(
            "without a name",
            |_| Command::CreateTenant {
                tenant: Some(TenantId(7)),
                name: Text::from(""),
            },
            |_| "invalid_request",
        ),
        row("by share", |_| Command::WeighTenant { weight: 9 }, |_| OK),
        row(
            "without a share",
            |_| Command::WeighTenant { weight: 0 },
            |_| "invalid_request",
        ),
    ]
}
