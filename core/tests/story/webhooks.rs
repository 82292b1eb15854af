//! The verbs about webhooks.

use mainstay_core::{
    Answer, Attempted, Command, DeliveriesOf, Hook, Query, Report, Text, WebhookId, WebhookSpec,
};

use super::line::Line;
use super::world::World;

fn webhook(line: &Line) -> Result<WebhookId, String> {
    let id = line.number::<u128>("hook")?;
    Ok(WebhookId(id.ok_or("`hook` is missing")?))
}

fn list(line: &Line, name: &str) -> Vec<Text> {
    let text = line.find(name).unwrap_or_default();
    let names = text.split(',').filter(|name| !name.is_empty());
    names.map(Text::from).collect()
}

impl World {
    /// `hook hook=1 to=https://example.com events=run_failed`, with `queues=` and `kinds=`; `rehook` sets all of it anew.
    pub(crate) fn set_hook(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["hook", "to", "events", "queues", "kinds", "by", "may"])?;
        let spec = WebhookSpec {
            name: Text::from("ops"),
            description: None,
            url: Text::from(line.get("to")?),
            events: list(line, "events"),
            queues: list(line, "queues"),
            kinds: list(line, "kinds"),
        };
        let (webhook, reason) = (webhook(line)?, None);
        let what = match line.verb.as_str() {
            "hook" => Hook::Create {
                webhook: Some(webhook),
                spec,
                reason,
            },
            _ => Hook::Update {
                webhook,
                spec,
                reason,
            },
        };
        Ok(self.hook(line, what))
    }

    /// `unhook hook=1`, `rotate`, `enable`, `disable`, `test`, and `redeliver hook=1 event=7`.
    pub(crate) fn change_hook(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["hook", "event", "by", "may"])?;
        let (webhook, reason) = (webhook(line)?, None);
        let what = match line.verb.as_str() {
            "unhook" => Hook::Delete { webhook, reason },
            "rotate" => Hook::Rotate { webhook, reason },
            "enable" | "disable" => Hook::Switch {
                webhook,
                enabled: line.verb == "enable",
                reason,
            },
            "test" => Hook::Test { webhook, reason },
            _ => Hook::Redeliver {
                webhook,
                event: line.number("event")?.ok_or("`event` is missing")?,
                reason,
            },
        };
        Ok(self.hook(line, what))
    }

    /// `sent hook=1 upto=9 event=7 status=500`, with `after=ms` that the receiver asks for, `error=timeout`, `lost=yes`,
    /// `missed=3-5`; without an event it says only how far it looked.
    pub(crate) fn sent(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[
            "hook", "upto", "event", "status", "error", "after", "lost", "missed",
        ])?;
        let missed = line.find("missed").and_then(|span| {
            let (first, last) = span.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        });
        let event = line.number("event")?;
        let attempts = event.map(|event| {
            Ok::<_, String>(Attempted {
                event,
                kind: Text::from("run_failed"),
                status: line.number("status")?.unwrap_or(0),
                error: Text::from(line.find("error").unwrap_or_default()),
                retry_after_ms: line.number("after")?.unwrap_or(0),
                is_lost: line.find("lost").is_some(),
                duration_ms: 12,
                ..Attempted::default()
            })
        });
        let report = Report {
            webhook: webhook(line)?,
            cursor: line.number("upto")?.unwrap_or(0),
            attempts: attempts.transpose()?.into_iter().collect(),
            missed,
        };
        Ok(self.hook(line, Hook::Report(report)))
    }

    fn hook(&mut self, line: &Line, what: Hook) -> String {
        self.answer(line, "", Command::Hook(Box::new(what)))
    }

    /// `hooked hook=1`: how a webhook stands.
    pub(crate) fn show_hook(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["hook"])?;
        let Answer::Webhook(view) = self.ask(Query::Webhook(webhook(line)?)) else {
            return Ok("absent".into());
        };
        let row = view.webhook;
        let off = row
            .disabled
            .map_or("on".to_owned(), |off| format!("off={}", off.why));
        let failing = row
            .failing_since
            .map_or("no".to_owned(), |at| at.0.to_string());
        Ok(format!(
            "{off} cursor={} generation={} pending={} failing={failing}",
            row.cursor, row.generation, view.pending
        ))
    }

    /// `deliveries hook=1`: newest first; with `due=ms` those that are due by then.
    pub(crate) fn show_deliveries(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["hook", "due"])?;
        let by = line.number("due")?.map(mainstay_core::Timestamp);
        let query = Query::Deliveries {
            webhook: webhook(line)?,
            of: by.map_or(DeliveriesOf::All, DeliveriesOf::DueBy),
            before: u64::MAX,
            limit: 100,
        };
        let Answer::Deliveries(rows) = self.ask(query) else {
            return Ok("absent".into());
        };
        let told = rows.iter().map(|row| {
            let (state, next) = (row.state.name(), row.next_at.0);
            let at = if row.ended == 0 {
                format!("@{next}")
            } else {
                String::new()
            };
            format!("{}:{state}{at}/{}", row.event, row.attempts)
        });
        let told: Vec<String> = told.collect();
        Ok(if told.is_empty() {
            "none".into()
        } else {
            told.join(" ")
        })
    }
}
