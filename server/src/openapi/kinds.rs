//! The kinds of values that bodies and parameters are made of: bounds, form, and an example of each.

use mainstay::store::SqlAsk;
use mainstay_core::events::PUBLIC_TYPES;
use mainstay_core::limits;
use mainstay_core::{RunState, TaskState};
use serde_json::{Value, json};

use crate::edge::CODES;

/// A text: its name, the least and the most it is long, an example. The server counts bytes of UTF-8: no text has fewer than characters.
type TextKind = (&'static str, usize, usize, &'static str);
/// A whole number: its name, the least, the most, an example.
type NumberKind = (&'static str, i128, i128, i128);
/// A list: its name, the kind of its items, the fewest and the most.
type ListKind = (&'static str, &'static str, usize, usize);
/// A text of a form: its name, the expression that it matches, an example.
type FormKind = (&'static str, &'static str, &'static str);

const MOST: i128 = u64::MAX as i128;
const SPAN: i128 = limits::SPAN_MS_MAX as i128;
const AMOUNT: i128 = limits::BUDGET_LIMIT_MAX as i128;

const TEXTS: &[TextKind] = &[
    ("reason", 0, limits::REASON_BYTES_MAX, "mended upstream"),
    ("subject", 1, limits::REASON_BYTES_MAX, "drop a table"),
    ("worker", 1, limits::WORKER_BYTES_MAX, "worker-1"),
    ("identity", 1, limits::IDENTITY_BYTES_MAX, "worker-1"),
    ("tag", 1, limits::TAG_BYTES_MAX, "urgent"),
    (
        "description",
        0,
        limits::DESCRIPTION_BYTES_MAX,
        "what it is for",
    ),
    (
        "content_type",
        0,
        limits::CONTENT_TYPE_BYTES_MAX,
        "text/plain",
    ),
    ("traceparent", 0, limits::TRACEPARENT_BYTES_MAX, TRACE),
    ("capability", 1, limits::CAPABILITY_BYTES_MAX, "gpu"),
    (
        "fairness_key",
        0,
        limits::FAIRNESS_KEY_BYTES_MAX,
        "customer-7",
    ),
    (
        "concurrency_key",
        1,
        limits::CONCURRENCY_KEY_BYTES_MAX,
        "db",
    ),
    ("unique_key", 1, limits::UNIQUE_KEY_BYTES_MAX, "report-2026"),
    (
        "idempotency_key",
        1,
        limits::IDEMPOTENCY_KEY_BYTES_MAX,
        "order-1",
    ),
    ("event_key", 1, limits::EVENT_KEY_BYTES_MAX, "order.paid"),
    (
        "checkpoint_name",
        1,
        limits::CHECKPOINT_NAME_BYTES_MAX,
        "half",
    ),
    ("error_code", 1, limits::ERROR_CODE_BYTES_MAX, "smtp"),
    ("retry_code", 0, limits::ERROR_CODE_BYTES_MAX, "smtp"),
    ("error_message", 0, limits::ERROR_MESSAGE_BYTES_MAX, "550"),
    (
        "cron_expression",
        1,
        limits::EXPRESSION_BYTES_MAX,
        "*/5 * * * *",
    ),
    ("timezone", 1, limits::EXPRESSION_BYTES_MAX, "Europe/Berlin"),
];
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const NUMBERS: &[NumberKind] = &[
    ("count", 0, MOST, 1),
    ("position", 0, MOST, 17),
    ("limit", 1, limits::LIST_LIMIT_MAX as i128, 10),
    ("offset", 0, limits::LIST_OFFSET_MAX as i128, 0),
    ("sql_limit", 1, SqlAsk::LIMIT_MAX as i128, 10),
    ("wait_ms", 0, limits::CLAIM_WAIT_MS_MAX as i128, 0),
    ("page", 1, limits::LIST_OFFSET_MAX as i128 + 1, 1),
    ("next", 1, 1000, 10),
    ("priority", i32::MIN as i128, i32::MAX as i128, 0),
    ("attempts", 1, limits::ATTEMPTS_MAX as i128, 3),
    ("lost_leases", 0, limits::LOST_LEASES_MAX as i128, 10),
    ("timeout_ms", 1, SPAN, 60_000),
    (
        "lease_ms",
        limits::LEASE_MS_MIN as i128,
        limits::LEASE_MS_MAX as i128,
        30_000,
    ),
    ("grace_ms", 0, limits::CANCEL_GRACE_MS_MAX as i128, 10_000),
    ("span_ms", 0, SPAN, 1000),
    ("interval_ms", 1, SPAN, 1000),
    ("jitter_ms", 0, limits::JITTER_MS_MAX as i128, 0),
    ("holders", 1, limits::CONCURRENCY_LIMIT_MAX as i128, 5),
    ("repeats", 1, limits::REPEAT_COUNT_MAX as i128, 3),
    ("occurrences", 1, limits::OCCURRENCES_MAX as i128, 10),
    ("catch_up", 1, limits::CATCH_UP_MAX as i128, 10),
    ("budget_limit", 1, AMOUNT, 100),
    ("amount", 0, AMOUNT, 3),
    ("percent", 1, 100, 80),
    ("weight", 1, limits::WEIGHT_MAX as i128, 2),
    ("claim_max", 1, limits::CLAIM_LEASES_MAX as i128, 1),
    ("rate_max", 1, SPAN * 1000, 10),
    (
        "beat_ms",
        limits::HEARTBEAT_INTERVAL_MS_MIN as i128,
        limits::HEARTBEAT_INTERVAL_MS_MAX as i128,
        30_000,
    ),
    ("status_code", 200, 599, 201),
];

const LISTS: &[ListKind] = &[
    ("tags", "tag", 0, limits::TAGS_MAX),
    ("capabilities", "capability", 0, limits::CAPABILITIES_MAX),
    (
        "some_capabilities",
        "capability",
        1,
        limits::CAPABILITIES_MAX,
    ),
    ("role_capabilities", "name", 1, limits::CAPABILITIES_MAX),
    ("queues", "name", 1, limits::CLAIM_FILTER_MAX),
    ("kinds", "name", 0, limits::CLAIM_FILTER_MAX),
    ("retry_codes", "retry_code", 0, limits::NON_RETRYABLE_MAX),
    ("prerequisites", "uuid", 0, limits::DEPENDS_ON_MAX),
    ("some_prerequisites", "uuid", 1, limits::DEPENDS_ON_MAX),
    ("budgets", "BudgetSpec", 0, limits::BUDGETS_MAX),
    ("amounts", "AmountSpec", 0, limits::BUDGETS_MAX),
    ("children", "ChildSpec", 0, limits::CHILDREN_PER_FINISH_MAX),
    (
        "custom_events",
        "CustomEvent",
        0,
        limits::CUSTOM_EVENTS_PER_FINISH_MAX,
    ),
    ("task_specs", "TaskSpec", 0, limits::BATCH_ITEMS_MAX),
    ("heartbeats", "Heartbeat", 0, limits::BATCH_ITEMS_MAX),
    ("finishes", "Finish", 0, limits::BATCH_ITEMS_MAX),
    (
        "webhook_events",
        "webhook_event",
        1,
        limits::WEBHOOK_FILTER_MAX,
    ),
    ("webhook_names", "name", 0, limits::WEBHOOK_FILTER_MAX),
];

const UUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
const FORMS: &[FormKind] = &[
    ("name", "^[a-z0-9._-]{1,128}$", "mail.send"),
    // What a header may hold: visible ASCII, and spaces within.
    ("header_key", "^[!-~]([ -~]{0,253}[!-~])?$", "order-1"),
    (
        "log_id",
        "^[0-9a-f-]+$",
        "0190f000-0000-7000-8000-000000000001",
    ),
    ("cursor", "^[A-Za-z0-9_-]+$", "AAAA"),
    ("fingerprint", "^[0-9a-f]{16}$", "00c0ffee00c0ffee"),
    ("hash", "^[0-9a-f]{64}$", HASH),
    ("base64", BASE64, "aGk="),
];
/// With its padding, and no bits that mean nothing.
const BASE64: &str =
    "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
const HASH: &str = "00000000000000000000000000000000000000000000000000000000c0ffee00";

/// A host with a name, a port that may be reached, a path and a query. Other spellings may be taken too, if the operator allows them.
const WEBHOOK_URL: &str = r"^https://([a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\.){1,4}[a-z]{2,12}(:(443|[2-9][0-9]{3}))?(/[A-Za-z0-9._~-]{0,40}){0,8}(\?[A-Za-z0-9=&._~-]{0,100})?$";

/// The schema of a kind that is in none of the other lists.
fn special(kind: &str) -> Option<Value> {
    let words = |words: Vec<&str>| json!({"type": "string", "enum": words});
    Some(match kind {
        "any" => json!({}),
        "map" | "object" => json!({"type": "object"}),
        "boolean" | "string" | "number" | "integer" => json!({"type": kind}),
        "uuid" => json!({
            "type": "string",
            "format": "uuid",
            "not": {"const": "00000000-0000-0000-0000-000000000000"},
            "examples": ["0190f000-0000-7000-8000-000000000001"],
        }),
        // The engine's time begins in 1970; the year of an instant near its bounds is that in UTC.
        "instant" => json!({
            "type": "string",
            "format": "date-time",
            "pattern": "^(19[7-9][0-9]|[2-9][0-9]{3})-",
            "examples": ["2030-01-02T03:04:05.678Z"],
        }),
        "tenant" => json!({
            "type": "string",
            "pattern": format!("^(default|{UUID})$"),
            "examples": ["default"],
        }),
        "any_tenant" => json!({
            "type": "string",
            "pattern": format!("^(\\*|default|{UUID})$"),
            "examples": ["default"],
        }),
        "sql_value" => json!({"anyOf": [
            {"type": ["null", "boolean", "string"]},
            {"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX},
            {"type": "number"},
            {"$ref": "#/components/schemas/Base64Value"},
        ]}),
        "multiplier" => json!({"type": "number", "minimum": 1, "maximum": 1000, "examples": [2]}),
        "share" => json!({"type": "number", "minimum": 0, "maximum": 100}),
        "mean_ms" => json!({"type": "number", "minimum": 0}),
        "run_state" => words(RunState::ALL.iter().map(|state| state.name()).collect()),
        "task_state" => words(TaskState::ALL.iter().map(|state| state.name()).collect()),
        "error" => words(CODES.iter().map(|code| code.name).collect()),
        "webhook_event" => words(
            std::iter::once("*")
                .chain(PUBLIC_TYPES.iter().map(|known| known.name))
                .collect(),
        ),
        "url" => json!({
            "type": "string",
            "format": "uri",
            "maxLength": limits::WEBHOOK_URL_BYTES_MAX,
            "pattern": WEBHOOK_URL,
            "examples": ["https://hooks.example.com/mainstay"],
        }),
        "event_type" => words(PUBLIC_TYPES.iter().map(|known| known.name).collect()),
        _ => return None,
    })
}

fn listed(kind: &str) -> Option<Value> {
    if let Some((_, least, most, example)) = TEXTS.iter().find(|(name, ..)| *name == kind) {
        let mut text = json!({"type": "string", "maxLength": most, "examples": [example]});
        if *least > 0 {
            text["minLength"] = json!(least);
        }
        return Some(text);
    }
    if let Some((_, least, most, example)) = NUMBERS.iter().find(|(name, ..)| *name == kind) {
        return Some(
            json!({"type": "integer", "minimum": least, "maximum": most, "examples": [example]}),
        );
    }
    if let Some((_, form, example)) = FORMS.iter().find(|(name, ..)| *name == kind) {
        return Some(json!({"type": "string", "pattern": form, "examples": [example]}));
    }
    let (_, item, fewest, most) = LISTS.iter().find(|(name, ..)| *name == kind)?;
    let mut list = json!({"type": "array", "items": value(item), "maxItems": most});
    if *fewest > 0 {
        list["minItems"] = json!(fewest);
    }
    Some(list)
}

/// A reference to a schema of the document.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// What the notation says, as JSON Schema: a kind of this file, a schema's name, words, `=word` where a kind has the word's name, `[T]`
/// or `T?`.
pub(super) fn value(notation: &str) -> Value {
    if let Some(inner) = notation.strip_suffix('?') {
        return nullable(value(inner));
    }
    let inner = notation.strip_prefix('[');
    if let Some(inner) = inner.and_then(|rest| rest.strip_suffix(']')) {
        return json!({"type": "array", "items": value(inner)});
    }
    if let Some(word) = notation.strip_prefix('=') {
        return json!({"type": "string", "enum": [word]});
    }
    if let Some(found) = special(notation).or_else(|| listed(notation)) {
        return found;
    }
    if notation.starts_with(|first: char| first.is_ascii_uppercase()) {
        return reference(notation);
    }
    json!({"type": "string", "enum": notation.split('|').collect::<Vec<_>>()})
}

fn nullable(mut inner: Value) -> Value {
    let kind = inner.get("type").and_then(Value::as_str).map(str::to_owned);
    match kind {
        Some(name) if inner.get("enum").is_none() => {
            inner["type"] = json!([name, "null"]);
            inner
        }
        _ => json!({"anyOf": [inner, {"type": "null"}]}),
    }
}

#[cfg(test)]
mod tests {
    use super::{FORMS, LISTS, NUMBERS, TEXTS, value};
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_stands_once_and_its_example_is_within_its_bounds() {
        let mut names = BTreeSet::new();
        let texts = TEXTS.iter().map(|kind| kind.0);
        let numbers = NUMBERS.iter().map(|kind| kind.0);
        let forms = FORMS.iter().map(|kind| kind.0);
        for name in texts
            .chain(numbers)
            .chain(forms)
            .chain(LISTS.iter().map(|kind| kind.0))
        {
            assert!(names.insert(name), "{name} stands twice");
            assert!(value(name).get("enum").is_none(), "{name}");
        }
        for (name, least, most, example) in TEXTS {
            assert!((*least..=*most).contains(&example.len()), "{name}");
        }
        for (name, least, most, example) in NUMBERS {
            assert!((least..=most).contains(&example), "{name}");
        }
    }
}
