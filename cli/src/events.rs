//! `events`: what has happened, one event a line, and what happens from now on.

use mainstay_client::wire::Event;
use serde_json::Value;

use crate::args::{EventsArgs, Global};
use crate::connection::{self, LONG_PATIENCE, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;

/// Writes events until the end, or without one.
pub(crate) async fn events(
    global: &Global,
    args: &EventsArgs,
    screen: Screen,
) -> Result<Code, Failure> {
    let patience = if args.follow {
        LONG_PATIENCE
    } else {
        SHORT_PATIENCE
    };
    let client = connection::client(global, patience)?;
    let after = match args.last {
        Some(count) => Some(client.stats().await?.latest_sequence.saturating_sub(count)),
        None => args.after,
    };
    let mut events = client.follow(args.filter(), after);
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let event = if args.follow {
            events.next().await?
        } else {
            match events.next_now().await? {
                Some(event) => event,
                None => break,
            }
        };
        left -= 1;
        let is_read = if screen.is_json() {
            screen.json(&event)
        } else {
            screen.line(&sentence(&event))
        };
        if !is_read {
            break;
        }
    }
    Ok(Code::Done)
}

/// A line for people: what and when, whom it is about, and what else it says.
fn sentence(event: &Event) -> String {
    let mut line = format!("{:>10}  {}  {}", event.sequence, event.at, event.kind);
    let about = [
        ("task", &event.task_id),
        ("run", &event.run_id),
        ("by", &event.actor),
    ];
    for (name, value) in about {
        if let Some(value) = value {
            line.push_str(&format!(" {name}={value}"));
        }
    }
    for (name, value) in &event.data {
        match value {
            Value::String(text) => line.push_str(&format!(" {name}={text}")),
            other => line.push_str(&format!(" {name}={other}")),
        }
    }
    // Stored text must not reach a terminal as control characters.
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let event: Event = serde_json::from_value(serde_json::json!({
            "sequence": 7, "at": "2026-01-01T00:00:00.000Z", "type": "run_failed", "run_id": "r", "actor": "ada",
            "data": {"cause": "finish", "error": {"message": "a\u{1b}[31m\nb"}},
        }))
        .expect("an event");
        let line = sentence(&event);
        assert!(line.starts_with(
            "         7  2026-01-01T00:00:00.000Z  run_failed run=r by=ada cause=finish"
        ));
        assert!(!line.contains(|c: char| c.is_control()), "{line}");
    }
}
