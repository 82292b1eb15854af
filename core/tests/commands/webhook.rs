//! The rows about webhooks.

use mainstay_core::{Attempted, Command, Hook, Report, Text, WebhookId, WebhookSpec, limits};

use super::row::{OK, Row, after, row};
use super::stand::Stand;

const HOOK: WebhookId = WebhookId(0x800c);

fn ask(what: Hook) -> Command {
    Command::Hook(Box::new(what))
}

fn spec() -> WebhookSpec {
    WebhookSpec {
        name: Text::from("ops"),
        url: Text::from("https://example.com/hook"),
        events: vec![Text::from("*")],
        ..WebhookSpec::default()
    }
}

fn create(spec: WebhookSpec) -> Command {
    ask(Hook::Create {
        webhook: Some(HOOK),
        spec,
        reason: None,
    })
}

fn changed(change: fn(&mut WebhookSpec)) -> Command {
    let mut spec = spec();
    change(&mut spec);
    create(spec)
}

fn switch(enabled: bool) -> Command {
    ask(Hook::Switch {
        webhook: HOOK,
        enabled,
        reason: None,
    })
}

fn test() -> Command {
    ask(Hook::Test {
        webhook: HOOK,
        reason: None,
    })
}

fn redeliver(event: u64) -> Command {
    ask(Hook::Redeliver {
        webhook: HOOK,
        event,
        reason: None,
    })
}

fn made(stand: &mut Stand) {
    stand.must(create(spec()));
}

fn off(stand: &mut Stand) {
    made(stand);
    stand.must(switch(false));
}

fn tested(stand: &mut Stand) {
    made(stand);
    stand.must(test());
}

/// A failure of the test that was asked for last.
fn failed(stand: &Stand, status: u32) -> Command {
    let event = stand.machine.sequence();
    ask(Hook::Report(Report {
        webhook: HOOK,
        cursor: event,
        attempts: vec![Attempted {
            event,
            kind: Text::from("webhook_test"),
            status,
            ..Attempted::default()
        }],
        missed: None,
    }))
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = settings();
    rows.extend(others());
    rows
}

fn settings() -> Vec<Row> {
    vec![
        row("a webhook", |_| create(spec()), |_| OK),
        after(
            made,
            "a webhook that is there",
            |_| create(spec()),
            |_| "webhook_already_exists",
        ),
        row(
            "without a name",
            |_| {
                changed(|spec| {
                    spec.name = Text::from("");
                })
            },
            |_| "invalid_request",
        ),
        row(
            "to nowhere",
            |_| {
                changed(|spec| {
                    spec.url = Text::from("ftp://example.com");
                })
            },
            |_| "invalid_request",
        ),
        row(
            "to somewhere with a blank",
            |_| {
                changed(|spec| {
                    spec.url = Text::from("https://example.com/a b");
                })
            },
            |_| "invalid_request",
        ),
        row(
            "to somewhere far",
            |_| {
                changed(|spec| {
                    spec.url = format!("https://example.com/{}", "a".repeat(2048)).into();
                })
            },
            |_| "limit_exceeded",
        ),
        row(
            "of nothing",
            |_| {
                changed(|spec| {
                    spec.events.clear();
                })
            },
            |_| "invalid_request",
        ),
        row(
            "of an event that nobody knows",
            |_| {
                changed(|spec| {
                    spec.events.push(Text::from("run_danced"));
                })
            },
            |_| "invalid_request",
        ),
        row(
            "of a queue that cannot be",
            |_| {
                changed(|spec| {
                    spec.queues.push(Text::from("No"));
                })
            },
            |_| "invalid_request",
        ),
        row(
            "of too many kinds",
            |_| {
                changed(|spec| {
                    {
                        let kinds = (0..=limits::WEBHOOK_FILTER_MAX).map(|at| format!("k{at}"));
                        spec.kinds = kinds.map(Text::from).collect();
                    };
                })
            },
            |_| "limit_exceeded",
        ),
    ]
}

fn others() -> Vec<Row> {
    let update = |_: &Stand| {
        ask(Hook::Update {
            webhook: HOOK,
            spec: WebhookSpec {
                name: Text::from("other"),
                ..spec()
            },
            reason: None,
        })
    };
    let delete = |_: &Stand| {
        ask(Hook::Delete {
            webhook: HOOK,
            reason: None,
        })
    };
    let rotate = |_: &Stand| {
        ask(Hook::Rotate {
            webhook: HOOK,
            reason: None,
        })
    };
    vec![
        row("a change of no webhook", update, |_| "unknown_webhook"),
        after(made, "a change", update, |_| OK),
        row("the end of no webhook", delete, |_| "unknown_webhook"),
        after(tested, "the end of one with deliveries", delete, |_| OK),
        after(made, "a new secret", rotate, |_| OK),
        after(off, "on again", |_| switch(true), |_| OK),
        after(made, "a test", |_| test(), |_| OK),
        after(
            off,
            "a test of one that is off",
            |_| test(),
            |_| "webhook_disabled",
        ),
        after(
            made,
            "again what was never sent",
            |_| redeliver(7),
            |_| "unknown_delivery",
        ),
        after(
            tested,
            "a test again",
            |stand| redeliver(stand.machine.sequence()),
            |_| OK,
        ),
        after(tested, "a failure", |stand| failed(stand, 500), |_| OK),
        after(
            tested,
            "that nobody is there",
            |stand| failed(stand, 410),
            |_| OK,
        ),
        row(
            "a report of no webhook",
            |stand| failed(stand, 200),
            |_| "unknown_webhook",
        ),
    ]
}
