//! What requests say in headers and query strings, read strictly.

use hyper::HeaderMap;
use hyper::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};

use mainstay_core::limits::IDEMPOTENCY_KEY_BYTES_MAX;

use super::failure::Failure;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const SEQUENCE: HeaderName = HeaderName::from_static("mainstay-sequence");
pub(crate) const LOG: HeaderName = HeaderName::from_static("mainstay-log");
pub(crate) const TENANT: HeaderName = HeaderName::from_static("mainstay-tenant");
pub(crate) const IF_SEQUENCE: HeaderName = HeaderName::from_static("if-sequence");
pub(crate) const WAIT_FOR: HeaderName = HeaderName::from_static("mainstay-wait-for");
pub(crate) const STALE: HeaderName = HeaderName::from_static("mainstay-stale");
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

const REQUEST_ID_BYTES_MAX: usize = 128;
const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// The caller's request id, when it is printable ASCII of a decent length.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    let value = headers.get(REQUEST_ID)?;
    let bytes = value.as_bytes();
    let fits = !bytes.is_empty() && bytes.len() <= REQUEST_ID_BYTES_MAX;
    (fits && bytes.iter().all(|byte| (0x20..0x7f).contains(byte))).then_some(value)
}

/// A header's text; given twice or not plain text is refused.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.map(Some).ok_or_else(|| invalid(name))
}

/// A header that holds a log position.
pub(crate) fn position(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Failure> {
    let Some(text) = single(headers, name)? else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| invalid(name))
}

/// The key under which a request may be repeated.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let key = single(headers, &IDEMPOTENCY_KEY)?;
    match key.map(str::len) {
        None | Some(1..=IDEMPOTENCY_KEY_BYTES_MAX) => Ok(key),
        Some(_) => Err(invalid(&IDEMPOTENCY_KEY)),
    }
}

/// What a reader of events says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Following {
    /// Whether it takes a stream.
    pub(crate) streams: bool,
    /// The last event that it has seen.
    pub(crate) last_event: Option<u64>,
    /// The log that its cursor is of.
    pub(crate) log: Option<String>,
}

/// `Accept: text/event-stream`, `Last-Event-ID` and `Mainstay-Log`.
pub(crate) fn following(headers: &HeaderMap) -> Result<Following, Failure> {
    let accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut accepted = accepted.flat_map(|value| value.split(','));
    let is_stream = |media: &str| {
        let essence = media.split(';').next().unwrap_or("").trim();
        essence.eq_ignore_ascii_case("text/event-stream")
    };
    Ok(Following {
        streams: accepted.any(is_stream),
        last_event: position(headers, &LAST_EVENT_ID)?,
        log: single(headers, &LOG)?.map(str::to_owned),
    })
}

fn invalid(name: &HeaderName) -> Failure {
    Failure::new(
        "invalid_header",
        format!("the header {name} is not of its form"),
    )
    .text("header", name.to_string())
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Lines,
}

/// The form that the body's headers declare; `None` when there is no `Content-Type` at all.
pub(crate) fn body_form(headers: &HeaderMap, lines_allowed: bool) -> Result<Option<Form>, Failure> {
    const BOTH: &[&str] = &[JSON, LINES];
    let expected = if lines_allowed { BOTH } else { &BOTH[..1] };
    let refuse = |what: &str| {
        Failure::new(
            "unsupported_media_type",
            format!("{what}; send {}", expected.join(" or ")),
        )
        .list("expected", expected)
    };
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| value != "identity")
    {
        return Err(refuse("compressed bodies are not taken"));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(None);
    };
    let essence = value
        .to_str()
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim();
    if essence.eq_ignore_ascii_case(JSON) {
        Ok(Some(Form::Json))
    } else if lines_allowed && essence.eq_ignore_ascii_case(LINES) {
        Ok(Some(Form::Lines))
    } else {
        Err(refuse("this Content-Type is not taken"))
    }
}

/// A `Content-Type` that is missing where a body is required.
pub(crate) fn form_missing(lines_allowed: bool) -> Failure {
    let expected: &'static [&'static str] = if lines_allowed {
        &[JSON, LINES]
    } else {
        &[JSON]
    };
    Failure::new(
        "unsupported_media_type",
        format!(
            "the body needs a Content-Type; send {}",
            expected.join(" or ")
        ),
    )
    .list("expected", expected)
}

/// The parameters of a query string, all of them among `known`. What is known stands as `name type`; only one of type `[…]` may
/// be given more than once.
pub(crate) fn parameters(
    query: Option<&str>,
    known: &[&'static str],
) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for pair in query
        .unwrap_or("")
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        let known = known.iter().find(|known| name_of(known) == name);
        let Some(known) = known else {
            let message = format!("there is no parameter {name}");
            return Err(Failure::new("unknown_parameter", message).text("parameter", name));
        };
        let (name, repeats) = (name_of(known), known.contains(" ["));
        if !repeats && found.iter().any(|(other, _)| *other == name) {
            return Err(invalid_parameter(name, "is given twice"));
        }
        found.push((name, value));
    }
    Ok(found)
}

/// The name in `name type`.
fn name_of(parameter: &'static str) -> &'static str {
    parameter
        .split_once(' ')
        .map_or(parameter, |(name, _)| name)
}

/// A parameter whose value is not of its form.
pub(crate) fn invalid_parameter(name: &'static str, what: &str) -> Failure {
    Failure::new("invalid_parameter", format!("{name} {what}")).text("parameter", name)
}

/// A part of a query string.
fn decode(text: &str) -> String {
    unescape(&text.replace('+', " "))
}

/// Text with its percent escapes resolved.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'%' => {
                let rest = bytes.as_slice();
                let pair = rest
                    .get(..2)
                    .and_then(|pair| std::str::from_utf8(pair).ok());
                match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                    Some(value) => {
                        out.push(value);
                        bytes.nth(1);
                    }
                    None => out.push(b'%'),
                }
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn parameters_are_decoded_and_unknown_ones_refused() {
        let known: &[&'static str] = &["force true|false", "q string"];
        assert_eq!(
            parameters(Some("q=a%20b%2b+c&force"), known).expect("known"),
            [("q", "a b+ c".to_owned()), ("force", String::new())]
        );
        assert_eq!(
            parameters(Some("fort=1"), known)
                .expect_err("unknown")
                .code(),
            "unknown_parameter"
        );
        assert_eq!(
            parameters(Some("q=1&q=2"), known)
                .expect_err("twice")
                .code(),
            "invalid_parameter"
        );
        assert_eq!(
            parameters(Some("q=%zz%"), known).expect("kept"),
            [("q", "%zz%".to_owned())]
        );
    }
}
