//! The reference of events is written from the table of types and the fields of every fact.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use mainstay_core::events::{FieldNote, PUBLIC_TYPES, PublicType, TaskCreated};
use mainstay_core::{
    BudgetSpec, Event, Extras, Policy, Repeat, Schedule, TaskId, TaskSpec, Text, Timestamp,
};

use super::INLINE_BYTES_MAX;

/// What a task shows of itself beside its event: name, type, meaning.
const TASK_FIELDS: &[(&str, &str, &str)] = &[
    ("kind", "string", "Which handler."),
    ("queue", "string", "Which lane."),
    ("priority", "integer", "Higher first."),
    ("payload", "JSON, or its size", "What the handler gets."),
    ("run_at", "instant?", "When the run becomes due."),
    (
        "run_policy",
        "object?",
        "`repeat` or `cron`, when it is not `once`.",
    ),
    (
        "constraints",
        "object?",
        "Constraints and retry, when they are not the defaults.",
    ),
    (
        "content_type",
        "string?",
        "The payload's media type, when it is not the default.",
    ),
    ("tags", "list of string?", "Its tags."),
    ("description", "string?", "Text for people."),
    ("traceparent", "string?", "W3C trace context."),
    ("idempotency_key", "string?", "Its idempotency key."),
    ("expires_at", "instant?", "Not started by then: canceled."),
    ("unique_key", "string?", "Its unique key."),
    ("parent_task_id", "uuid?", "The task it belongs to."),
    ("depends_on", "list of uuid?", "Its prerequisites."),
    ("budgets", "list of object?", "What it may spend."),
];

/// One row of a type's table.
struct Row {
    name: String,
    kind: String,
    meaning: String,
}

fn type_of(kind: &str) -> String {
    let kind: String = kind.chars().filter(|c| !c.is_whitespace()).collect();
    let inner = |prefix: &str| kind.strip_prefix(prefix)?.strip_suffix('>').map(type_of);
    if let Some(inner) = inner("Option<") {
        return format!("{inner}?");
    }
    if let Some(inner) = inner("Box<") {
        return inner;
    }
    if let Some(inner) = inner("Vec<") {
        return format!("list of {inner}");
    }
    match kind.as_str() {
        "TaskId" | "RunId" | "TenantId" | "SubscriptionId" => "uuid",
        "ActorId" | "KeyId" | "ApprovalId" | "OperationId" | "WebhookId" => "uuid",
        "Decision" | "Action" | "OperationState" => "word",
        "Selection" => "the filter's fields",
        "Refused" => "`{run_id, code}`",
        // In no event that is told.
        "Settled" => "object",
        // Never shown.
        "KeyDigest" | "u128" => "digest",
        "u32" | "u64" | "i32" => "integer",
        "bool" => "boolean",
        "Timestamp" => "instant",
        "Text" => "string",
        "Bytes" => "JSON, or its size",
        "RunError" => "`{code, message, retryable}`",
        "Amount" => "`{dimension, amount}`",
        "Filter" => "`{type, …}`",
        "Schedule" => "`{type, …}`",
        "Tags" => "list of string",
        "Why" => "word",
        "AttemptResult" | "Cause" | "Hold" | "Origin" | "SkipCause" | "Departure"
        | "run::State" => "word",
        other => panic!("the reference does not know how {other} is shown"),
    }
    .to_owned()
}

fn rows_of(note: &FieldNote) -> Vec<Row> {
    let row = |name: &str, kind: &str, meaning: &str| Row {
        name: name.to_owned(),
        kind: kind.to_owned(),
        meaning: meaning.trim().to_owned(),
    };
    if note.kind.contains("TaskSpec") {
        let fields = TASK_FIELDS.iter();
        return fields
            .map(|(name, kind, meaning)| row(name, kind, meaning))
            .collect();
    }
    if note.kind.contains("Revived") {
        return Vec::new();
    }
    if note.kind.contains("WebhookSpec") {
        // Where it leads is not told.
        return vec![
            row("name", "string", "A name for people."),
            row("description", "string?", "What it is for."),
            row("events", "list of string", "Types of events; `*` for all."),
            row(
                "queues",
                "list of string?",
                "Only events about work in these queues.",
            ),
            row(
                "kinds",
                "list of string?",
                "Only events about work of these kinds.",
            ),
        ];
    }
    let kind = type_of(note.kind);
    if note.kind.contains("Why") {
        let task = "The task that it began with.";
        return vec![
            row("cause", &kind, note.meaning),
            row("cause_task_id", "uuid?", task),
        ];
    }
    vec![row(note.wire_name(), &kind, note.meaning)]
}

/// The data of a type: the fields of all its facts; one that is not in all of them may be absent.
fn table_of(told: &PublicType) -> Vec<Row> {
    let mut rows: Vec<(Row, usize)> = Vec::new();
    for kind in told.kinds {
        for row in kind.fields().iter().flat_map(rows_of) {
            if matches!(row.name.as_str(), "task_id" | "run_id" | "by") || !kind.shows(&row.name) {
                continue;
            }
            match rows.iter_mut().find(|(known, _)| known.name == row.name) {
                Some((_, count)) => *count += 1,
                None => rows.push((row, 1)),
            }
        }
    }
    let optional = |(mut row, count): (Row, usize)| {
        if count < told.kinds.len() && !row.kind.ends_with('?') {
            row.kind.push('?');
        }
        row
    };
    rows.into_iter().map(optional).collect()
}

fn reference() -> String {
    let mut text = format!(
        "# Events\n\n\
         Generated from `core/src/event.rs` and `core/src/event/public.rs`; do not edit. `GET /api/v1/events` answers\n\
         `{{events: [{{sequence, at, type, tenant_id, task_id?, run_id?, actor?, data}}], next}}`; `docs/guide/events.md` shows how to follow them.\n\n\
         - `sequence` is the event's number in the log: strictly increasing, never used twice, with gaps where the log holds what only\n  \
         the machine cares about.\n\
         - `at` is an instant, `actor` who did it; absent when the machine did it by itself.\n\
         - `task_id` of an event about a run is absent once nothing remembers the run.\n\
         - `data` holds the fields below; `?` marks those that may be absent. A JSON value of more than {INLINE_BYTES_MAX} bytes, and\n  \
         one of opaque bytes, is told by its size: `payload_bytes` instead of `payload`.\n\
         - Names of types and fields are for ever; new ones may come with any release.\n"
    );
    for told in PUBLIC_TYPES {
        let _ = write!(text, "\n## `{}`\n\n{}\n", told.name, told.meaning);
        let rows = table_of(told);
        if rows.is_empty() {
            continue;
        }
        text.push_str("\n| data | type | meaning |\n|---|---|---|\n");
        for row in rows {
            let _ = writeln!(text, "| `{}` | {} | {} |", row.name, row.kind, row.meaning);
        }
    }
    text
}

#[test]
fn the_event_reference_is_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/events.md");
    if std::env::var_os("MAINSTAY_BLESS").is_some() {
        std::fs::write(path, reference()).expect("docs/reference can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == reference(),
        "docs/reference/events.md differs from the code; run the test again with MAINSTAY_BLESS=1"
    );
}

#[test]
fn the_reference_names_every_field_that_a_task_shows() {
    let mut spec = TaskSpec::new("k");
    spec.run_at = Some(Timestamp(1));
    spec.policy = Some(Box::new(Policy::default()));
    spec.schedule = Some(Box::new(Schedule::Repeat(Repeat::default())));
    let text = || Some(Text::from("x"));
    spec.extras = Some(Box::new(Extras {
        content_type: text(),
        tags: vec![Text::from("t")],
        description: text(),
        traceparent: text(),
        idempotency_key: text(),
        expires_at: Some(Timestamp(1)),
        unique_key: text(),
    }));
    let bonds = spec.bonds_mut();
    bonds.parent = Some(TaskId(1));
    bonds.depends_on = vec![TaskId(2)];
    bonds.budgets = vec![BudgetSpec::default()];
    let event = Event::from(TaskCreated {
        task: TaskId(3),
        spec: Box::new(spec),
        by: Text::from("ada"),
    });
    let mut shown = BTreeSet::new();
    event.shown(&mut |name, _| {
        shown.insert(name);
    });
    let named: BTreeSet<_> = TASK_FIELDS.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(shown, named);
}
