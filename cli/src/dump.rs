//! `log dump`: frames, commands and events of a data directory's log, one a line.

use std::ops::ControlFlow;

use mainstay::codec::CommandRecord;
use mainstay::ops::{self, Line};
use mainstay::{Bytes, Entry, Event, RunError, TaskSpec, TenantId, Text};
use mainstay_log::Frame;
use serde_json::{Map, Value, json};

use crate::args::LogCommand;
use crate::exit::{Code, Failure};
use crate::ops::{failed, instant};
use crate::screen::Screen;
use crate::views::value_of;

/// Names of commands by their number in the log.
const COMMANDS: [&str; 15] = [
    "none",
    "submit",
    "claim",
    "heartbeat",
    "finish",
    "checkpoint",
    "cancel_run",
    "cancel_task",
    "suspend_run",
    "resume_run",
    "pause_engine",
    "resume_engine",
    "start",
    "adopt_clock",
    "tick",
];

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
    let known = usize::try_from(kind)
        .ok()
        .and_then(|kind| COMMANDS.get(kind));
    known.map_or_else(|| format!("command_{kind}"), |name| (*name).to_owned())
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

/// Opaque bytes: their length, or themselves.
fn put_bytes(fields: &mut Fields, name: &str, bytes: Option<&Bytes>, shown: bool) {
    let Some(bytes) = bytes else {
        return;
    };
    if shown {
        fields.insert(name.into(), value_of(bytes));
    } else {
        fields.insert(format!("{name}_bytes"), json!(bytes.len()));
    }
}

fn put_error(fields: &mut Fields, error: Option<&RunError>) {
    if let Some(error) = error {
        let value =
            json!({"code": &*error.code, "message": &*error.message, "retryable": error.retryable});
        fields.insert("error".into(), value);
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

fn put_spec(fields: &mut Fields, spec: &TaskSpec, payloads: bool) {
    fields.insert("kind".into(), json!(*spec.kind));
    fields.insert("queue".into(), json!(*spec.queue));
    fields.insert("priority".into(), json!(spec.priority));
    let is_shown = payloads && !spec.payload.binary;
    put_bytes(fields, "payload", Some(&spec.payload.bytes), is_shown);
    let extras = spec.extras.as_deref();
    let key = extras.and_then(|extras| extras.idempotency_key.as_ref());
    put_text(fields, "idempotency_key", key);
}

fn put_event(fields: &mut Fields, event: &Event, payloads: bool) {
    let id = |id: &dyn std::fmt::Display| json!(id.to_string());
    let mut put = |name: &str, value: Value| drop(fields.insert(name.into(), value));
    match event {
        Event::TaskCreated(event) => {
            put("task_id", id(&event.task));
            put("by", json!(*event.by));
            put_spec(fields, &event.spec, payloads);
        }
        Event::RunCreated(event) => {
            put("run_id", id(&event.run));
            put("task_id", id(&event.task));
            put("scheduled_at", json!(instant(event.scheduled_at.0)));
            put("ready", json!(event.ready));
        }
        Event::RunReady(event) => put("run_id", id(&event.run)),
        Event::RunStarted(event) => {
            put("run_id", id(&event.run));
            put("attempt", json!(event.number));
            put("worker", json!(*event.worker));
            put("lease_ms", json!(event.lease_ms));
        }
        Event::LeaseExtended(event) => {
            put("run_id", id(&event.run));
            put("lease_ms", json!(event.lease_ms));
        }
        Event::CheckpointSaved(event) => {
            put("run_id", id(&event.run));
            put("name", json!(*event.name));
            put_bytes(fields, "value", Some(&event.value), payloads);
        }
        Event::TaskCanceled(event) => {
            put("task_id", id(&event.task));
            put("by", json!(*event.by));
            put_text(fields, "reason", event.reason.as_ref());
        }
        Event::ClaimRecorded(event) => {
            put("key", json!(*event.key));
            put("runs", event.runs.iter().map(|run| id(run)).collect());
        }
        Event::EnginePaused(event) => {
            put("by", json!(*event.by));
            put_text(fields, "reason", event.reason.as_ref());
        }
        Event::EngineResumed(event) => {
            put("by", json!(*event.by));
            put_text(fields, "reason", event.reason.as_ref());
        }
        Event::EngineStarted(event) => {
            put("incarnation", json!(event.incarnation));
            put("downtime_ms", json!(event.downtime_ms));
        }
        Event::ClockAdopted(event) => put("ahead_ms", json!(event.ahead_ms)),
        Event::RunCompleted(_)
        | Event::RunRetryScheduled(_)
        | Event::RunReturned(_)
        | Event::RunFailed(_)
        | Event::RunSuspended(_)
        | Event::RunCanceled(_)
        | Event::RunCancelRequested(_)
        | Event::RunSuspendRequested(_)
        | Event::RunResumed(_) => put_outcome(fields, event, payloads),
        newer => put("fact", json!(format!("{newer:?}"))),
    }
}

/// What ends an attempt, or is said to one.
fn put_outcome(fields: &mut Fields, event: &Event, payloads: bool) {
    let (run, result, by, reason, error, output) = match event {
        Event::RunCompleted(e) => (e.run, None, None, None, None, e.output.as_ref()),
        Event::RunRetryScheduled(e) => {
            fields.insert("delay_ms".into(), json!(e.delay_ms));
            let error = e.error.as_deref();
            (e.run, Some(e.result), None, None, error, e.output.as_ref())
        }
        Event::RunReturned(e) => {
            let (reason, error) = (e.reason.as_ref(), e.error.as_deref());
            (
                e.run,
                Some(e.result),
                None,
                reason,
                error,
                e.output.as_ref(),
            )
        }
        Event::RunFailed(e) => {
            fields.insert("cause".into(), json!(e.cause.name()));
            let error = e.error.as_deref();
            (e.run, Some(e.result), None, None, error, e.output.as_ref())
        }
        Event::RunSuspended(e) => {
            let (reason, error) = (e.reason.as_ref(), e.error.as_deref());
            (
                e.run,
                Some(e.result),
                None,
                reason,
                error,
                e.output.as_ref(),
            )
        }
        Event::RunCanceled(e) => {
            fields.insert("cause".into(), json!(e.cause.name()));
            let (reason, error) = (e.reason.as_ref(), e.error.as_deref());
            (
                e.run,
                e.result,
                Some(&e.by),
                reason,
                error,
                e.output.as_ref(),
            )
        }
        Event::RunCancelRequested(e) => {
            fields.insert("grace_ms".into(), json!(e.grace_ms));
            (e.run, None, Some(&e.by), e.reason.as_ref(), None, None)
        }
        Event::RunSuspendRequested(e) => (e.run, None, Some(&e.by), e.reason.as_ref(), None, None),
        Event::RunResumed(e) => {
            put_bytes(fields, "payload", e.payload.as_ref(), payloads);
            (e.run, None, Some(&e.by), None, None, None)
        }
        _ => return,
    };
    fields.insert("run_id".into(), json!(run.to_string()));
    if let Some(result) = result {
        fields.insert("result".into(), json!(result.name()));
    }
    put_text(fields, "by", by);
    put_text(fields, "reason", reason);
    put_error(fields, error);
    put_bytes(fields, "output", output, payloads);
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
        assert_eq!(mainstay::Command::Tick.code(), COMMANDS.len() as u64 - 1);
        assert_eq!(command_name(mainstay::Command::Tick.code()), "tick");
    }

    #[test]
    fn stored_text_does_not_reach_the_terminal_as_control_characters() {
        let fields = object(json!({"line": "event", "type": "x", "reason": "a\u{1b}[31m\nb"}));
        assert!(!sentence(&fields, true).contains(|c: char| c.is_control()));
    }
}
