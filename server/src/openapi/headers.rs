//! The headers of requests and answers: which there are, and which a route takes and gives.

use serde_json::{Map, Value, json};

use super::kinds;
use crate::api::Route;
use crate::auth::Needs;

/// A header: its name in the document, its name, its kind, what it means.
type Header = (&'static str, &'static str, &'static str, &'static str);

const ASKED: &[Header] = &[
    (
        "RequestId",
        "X-Request-Id",
        "string",
        "A name of the caller's own for the request, 1 to 128 printable characters of ASCII: the answer repeats it and the audit trail keeps it. In the place of anything else the server makes one.",
    ),
    (
        "Tenant",
        "Mainstay-Tenant",
        "tenant",
        "The tenant that is meant, for system keys; `default` when absent.",
    ),
    (
        "TenantOrAll",
        "Mainstay-Tenant",
        "any_tenant",
        "The tenant that is meant, for system keys; all of them when absent or `*`.",
    ),
    (
        "IfSequence",
        "If-Sequence",
        "position",
        "Do it only if nothing was written to the log after this position.",
    ),
    (
        "WaitFor",
        "Mainstay-Wait-For",
        "position",
        "Answer once what is read reflects this log position; after a second without, the answer has `Mainstay-Stale`.",
    ),
    (
        "IdempotencyKey",
        "Idempotency-Key",
        "header_key",
        "The same key and body again is the same thing: it is made once.",
    ),
    (
        "LastEventId",
        "Last-Event-ID",
        "position",
        "The last event that was seen; takes the place of `after`.",
    ),
    (
        "OfLog",
        "Mainstay-Log",
        "string",
        "The log that the cursor is of; another one is answered `cursor_expired`.",
    ),
];

const ANSWERED: &[Header] = &[
    (
        "Sequence",
        "Mainstay-Sequence",
        "position",
        "The log position that the answer reflects.",
    ),
    ("Log", "Mainstay-Log", "log_id", "The id of the log."),
    (
        "Request",
        "X-Request-Id",
        "string",
        "The request's id: the caller's own, or one that the server made.",
    ),
    (
        "Stale",
        "Mainstay-Stale",
        "true",
        "The list could not catch up with the last write within a second.",
    ),
    (
        "RetryAfter",
        "Retry-After",
        "count",
        "Seconds after which to come again.",
    ),
    (
        "Authenticate",
        "WWW-Authenticate",
        "string",
        "How to say who asks.",
    ),
];
/// What every answer has.
const ALWAYS: &[&str] = &["Sequence", "Log", "Request"];

/// The headers that requests may have, as components.
pub(super) fn header_parameters() -> Value {
    let parameter = |(key, name, kind, meaning): &Header| {
        let schema = kinds::value(kind);
        let described =
            json!({"name": name, "in": "header", "description": meaning, "schema": schema});
        ((*key).to_owned(), described)
    };
    Value::Object(ASKED.iter().map(parameter).collect())
}

/// The headers of answers, as components.
pub(super) fn headers() -> Value {
    let header = |(key, _, kind, meaning): &Header| {
        let required = ALWAYS.contains(key);
        let schema = kinds::value(kind);
        let described = json!({"description": meaning, "required": required, "schema": schema});
        ((*key).to_owned(), described)
    };
    Value::Object(ANSWERED.iter().map(header).collect())
}

/// The headers that a route takes, by their names in the document.
pub(super) fn request_headers(route: &Route) -> Vec<&'static str> {
    let follows = route
        .answers
        .iter()
        .any(|(_, form)| *form == "text/event-stream");
    let keyed = route.needs != Needs::Open;
    let takes = [
        ("RequestId", true),
        ("TenantOrAll", keyed && route.all_tenants),
        ("Tenant", keyed && !route.all_tenants),
        ("IfSequence", route.takes_if_sequence()),
        ("WaitFor", keyed && !route.changes()),
        ("IdempotencyKey", route.keyed),
        ("LastEventId", follows),
        ("OfLog", follows),
    ];
    let taken = takes.into_iter().filter(|(_, takes)| *takes);
    taken.map(|(name, _)| name).collect()
}

/// The headers of a route's answers with this status.
pub(super) fn answer_headers(route: &Route, status: u16) -> Value {
    let reads = status < 300 && !route.changes() && route.needs != Needs::Open;
    let sometimes = [
        ("Stale", reads),
        ("RetryAfter", matches!(status, 429 | 503)),
        ("Authenticate", status == 401),
    ];
    let sometimes = sometimes.into_iter().filter(|(_, gives)| *gives);
    let mut all = Map::new();
    let keys = ALWAYS.iter().copied().chain(sometimes.map(|(key, _)| key));
    for key in keys {
        let name = ANSWERED.iter().find(|(known, ..)| *known == key);
        let name = name.map_or(key, |(_, name, ..)| name);
        all.insert(
            name.into(),
            json!({"$ref": format!("#/components/headers/{key}")}),
        );
    }
    Value::Object(all)
}
