//! `log dump`: frames, commands and events of a data directory's log, one a line.

use std::ops::ControlFlow;

use mainstay::codec::CommandRecord;
use mainstay::events::FactValue;
use mainstay::ops::{self, Line};
use mainstay::{Entry, Event, TaskId, TenantId, Text};
use mainstay_log::Frame;
use serde_json::{Map, Value, json};

use crate::args::LogCommand;
use crate::exit::{Code, Failure};
use crate::ops::{failed, instant};
use crate::screen::Screen;
use crate::views::value_of;

/// Writes the lines asked for.
pub(crate) fn log(command: &LogCommand, screen: Screen) -> Result<Code, Failure> {
    let LogCommand::Dump {
        directory,
        from,
        limit,
        payloads,
    } = command;
    let mut left = limit.unwrap_or(u64::MAX);
    let mut unread = false;
    let dumped = ops::dump(directory, *from, &mut |line| {
        if left == 0 {
            return ControlFlow::Break(());
        }
        left -= 1;
        unread |= matches!(line, Line::Unread { .. });
        let fields = fields_of(&line, *payloads);
        let is_read = if screen.is_json() {
            screen.json(&fields)
        } else {
            screen.line(&sentence(&fields, matches!(line, Line::Event { .. })))
        };
        if is_read {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    dumped.map_err(|error| failed(directory, error))?;
    Ok(if unread {
        Code::NotUnderstood
    } else {
        Code::Done
    })
}

/// A line's fields, in the order in which they are written.
type Fields = Map<String, Value>;

fn object(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

fn fields_of(line: &Line<'_>, payloads: bool) -> Fields {
    match line {
        Line::Frame(frame) => frame_fields(frame),
        Line::Command {
            frame,
            at,
            record,
            first_sequence,
        } => {
            let mut fields = object(json!({
                "line": "command", "sequence": first_sequence, "at": instant(at.0), "type": command_name(record.kind),
                "frame": frame, "principal": &*record.principal, "events": record.event_count,
            }));
            put_text(&mut fields, "request_id", record.request_id.as_ref());
            put_text(&mut fields, "reason", record.reason.as_ref());
            put_tenant(&mut fields, record.tenant);
            if let Some(cause) = record.cause_sequence {
                fields.insert("cause_sequence".into(), json!(cause));
            }
            fields
        }
        Line::Event {
            sequence,
            at,
            entry,
            record,
        } => event_fields(*sequence, at.0, entry, record, payloads),
        Line::Unread { frame, reason } => {
            object(json!({"line": "unread", "frame": frame, "reason": reason}))
        }
    }
}

fn frame_fields(frame: &Frame<'_>) -> Fields {
    let hash: String = frame.hash[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    object(json!({
        "line": "frame", "sequence": frame.first_sequence, "at": instant(frame.wall_ms),
        "type": if frame.is_seal() { "seal" } else { "batch" }, "frame": frame.number, "incarnation": frame.incarnation,
        "commands": frame.command_count, "events": frame.event_count, "body_bytes": frame.body.len(),
        "rules_version": frame.rules_version, "hash": hash,
    }))
}

fn command_name(kind: u64) -> String {
    let known = mainstay::note_of(kind);
    known.map_or_else(|| format!("command_{kind}"), |note| note.name.to_owned())
}

fn put_text(fields: &mut Fields, name: &str, text: Option<&Text>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        fields.insert(name.into(), json!(**text));
    }
}

fn put_tenant(fields: &mut Fields, tenant: TenantId) {
    if tenant != TenantId::DEFAULT {
        fields.insert("tenant_id".into(), json!(tenant.to_string()));
    }
}

/// `RunRetryScheduled` as `run_retry_scheduled`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn event_fields(
    sequence: u64,
    at_ms: u64,
    entry: &Entry,
    record: &CommandRecord,
    payloads: bool,
) -> Fields {
    let mut fields = object(json!({
        "line": "event", "sequence": sequence, "at": instant(at_ms), "type": snake(entry.event.kind().name()),
        "principal": &*record.principal,
    }));
    put_text(&mut fields, "command_reason", record.reason.as_ref());
    put_tenant(&mut fields, entry.tenant);
    put_event(&mut fields, &entry.event, payloads);
    fields
}

/// The event's fields. Payloads, outputs and memos stand there only when they are asked for, else their length.
fn put_event(fields: &mut Fields, event: &Event, payloads: bool) {
    let kind = event.kind();
    event.fields(&mut |name, value| {
        let is_nobody = name == "by" && matches!(value, FactValue::Text(""));
        if kind.shows(name) && !is_nobody {
            put_value(fields, name, value, payloads);
        }
    });
}

fn put_value(fields: &mut Fields, name: &str, value: FactValue<'_>, payloads: bool) {
    let value = match value {
        FactValue::Json(bytes) if payloads => value_of(bytes),
        FactValue::Json(bytes) | FactValue::Bytes(bytes) => {
            fields.insert(format!("{name}_bytes"), json!(bytes.len()));
            return;
        }
        other => plain_value(other),
    };
    fields.insert(name.into(), value);
}

/// A value that is no payload.
fn plain_value(value: FactValue<'_>) -> Value {
    match value {
        FactValue::Id(id) => json!(TaskId(id).to_string()),
        FactValue::Number(number) => json!(number),
        FactValue::Signed(number) => json!(number),
        FactValue::Flag(flag) => json!(flag),
        FactValue::At(at) => json!(instant(at.0)),
        FactValue::Word(text) | FactValue::Text(text) => json!(text),
        FactValue::Json(bytes) | FactValue::Bytes(bytes) => json!(bytes.len()),
        FactValue::Digest(digest) => json!(format!("{digest:032x}")),
        FactValue::List(items) => {
            let mut list = Vec::new();
            items.items(&mut |item| list.push(plain_value(item)));
            Value::Array(list)
        }
        FactValue::Record(record) => {
            let mut inner = Fields::new();
            record.fields(&mut |name, value| put_value(&mut inner, name, value, false));
            Value::Object(inner)
        }
    }
}

/// A line for people: what it is first, then whatever else there is, events set in.
fn sentence(fields: &Fields, is_event: bool) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let of = |name: &str| fields.get(name).map(text).unwrap_or_default();
    let mut out = format!("{:>10}  {}  ", of("sequence"), of("at"));
    if is_event {
        out.push_str("  ");
    }
    let kind = of("type");
    let named = match of("line").as_str() {
        "event" => kind,
        "command" => format!("COMMAND {kind}"),
        "frame" => format!("FRAME {} {kind}", of("frame")),
        other => format!("{other} frame {}", of("frame")),
    };
    out.push_str(&named);
    let said = ["line", "sequence", "at", "type", "frame"];
    for (name, value) in fields
        .iter()
        .filter(|(name, _)| !said.contains(&name.as_str()))
    {
        out.push_str(&format!(" {name}={}", text(value)));
    }
    // Stored text must not reach a terminal as control characters.
    out.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_as_words() {
        assert_eq!(snake("RunRetryScheduled"), "run_retry_scheduled");
        assert_eq!(command_name(4), "finish");
        assert_eq!(command_name(99), "command_99");
    }

    #[test]
    fn every_command_of_the_log_has_a_name() {
        assert_eq!(command_name(mainstay::Command::Tick.code()), "tick");
    }

    #[test]
    fn stored_text_does_not_reach_the_terminal_as_control_characters() {
        let fields = object(json!({"line": "event", "type": "x", "reason": "a\u{1b}[31m\nb"}));
        assert!(!sentence(&fields, true).contains(|c: char| c.is_control()));
    }
}
