//! Spans as OTLP says them in JSON: ids in hex, times and integers as text, enumerations as numbers.

use std::fmt;

use super::span::{Outcome, Span, Value};
use crate::json::Writer;

/// Who says it.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    /// `service.name`.
    pub(super) service: String,
    /// `service.instance.id`: the log's id.
    pub(super) instance: String,
}

/// An id of so many hex digits.
struct Hex<const DIGITS: usize>(u128);

impl<const DIGITS: usize> fmt::Display for Hex<DIGITS> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:01$x}", self.0, DIGITS)
    }
}

/// An `ExportTraceServiceRequest`.
pub(super) fn request(speaker: &Speaker, spans: &[Span]) -> Vec<u8> {
    let mut json = Writer::with_capacity(512 + spans.len() * 768);
    json.object().name("resourceSpans").array().object();
    json.name("resource").object().name("attributes").array();
    for (name, value) in [
        ("service.name", speaker.service.as_str()),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", speaker.instance.as_str()),
    ] {
        write_attribute(&mut json, name, &Value::Text(value.to_owned()));
    }
    json.end_array().end_object();
    json.name("scopeSpans").array().object();
    json.name("scope").object();
    json.string_field("name", "mainstay").end_object();
    json.name("spans").array();
    for span in spans {
        write_span(&mut json, span);
    }
    json.end_array().end_object().end_array();
    json.end_object().end_array().end_object();
    json.done()
}

fn write_span(json: &mut Writer, span: &Span) {
    json.object()
        .plain_field("traceId", &Hex::<32>(span.trace))
        .plain_field("spanId", &Hex::<16>(span.id.into()));
    if let Some(parent) = span.parent {
        json.plain_field("parentSpanId", &Hex::<16>(parent.into()));
    }
    json.string_field("name", &span.name)
        .number_field("kind", span.kind as i64)
        .plain_field("startTimeUnixNano", &span.begin)
        .plain_field("endTimeUnixNano", &span.end);
    json.name("attributes").array();
    for (name, value) in &span.attributes {
        write_attribute(json, name, value);
    }
    json.end_array();
    if !span.links.is_empty() {
        json.name("links").array();
        for (trace, id) in &span.links {
            json.object()
                .plain_field("traceId", &Hex::<32>(*trace))
                .plain_field("spanId", &Hex::<16>((*id).into()))
                .end_object();
        }
        json.end_array();
    }
    let (code, message) = match &span.outcome {
        Outcome::Unset => (0, None),
        Outcome::Good => (1, None),
        Outcome::Bad(code) => (2, Some(code)),
    };
    json.name("status").object();
    if code > 0 {
        json.number_field("code", code);
    }
    if let Some(message) = message {
        json.string_field("message", message);
    }
    json.end_object().end_object();
}

fn write_attribute(json: &mut Writer, name: &str, value: &Value) {
    json.object().string_field("key", name);
    json.name("value").object();
    match value {
        Value::Text(text) => json.string_field("stringValue", text),
        // 64-bit integers are text in the JSON of protocol buffers.
        Value::Number(number) => json.plain_field("intValue", number),
    };
    json.end_object().end_object();
}

#[cfg(test)]
mod tests {
    use super::{Speaker, request};
    use crate::traces::span::{Outcome, Span, SpanKind};

    #[test]
    fn a_request_is_written_as_the_protocol_says() {
        let mut span = Span {
            trace: 0xab,
            id: 0xcd,
            parent: Some(1),
            name: "attempt \"a\"".into(),
            kind: SpanKind::Consumer,
            begin: 1_700_000_000_000_000_000,
            end: 1_700_000_000_001_000_000,
            attributes: Vec::new(),
            links: vec![(0xab, 2)],
            outcome: Outcome::Bad("e\n".into()),
        };
        span.text("mainstay.queue", "q");
        span.number("mainstay.attempt", 2);
        let speaker = Speaker {
            service: "mainstay".into(),
            instance: "i".into(),
        };
        let text = String::from_utf8(request(&speaker, &[span])).expect("text");
        let expected = concat!(
            r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"mainstay"}},"#,
            r#"{"key":"service.version","value":{"stringValue":"VERSION"}},{"key":"service.instance.id","value":{"stringValue":"i"}}]},"#,
            r#""scopeSpans":[{"scope":{"name":"mainstay"},"spans":[{"traceId":"000000000000000000000000000000ab","spanId":"00000000000000cd","#,
            r#""parentSpanId":"0000000000000001","name":"attempt \"a\"","kind":5,"startTimeUnixNano":"1700000000000000000","#,
            r#""endTimeUnixNano":"1700000000001000000","attributes":[{"key":"mainstay.queue","value":{"stringValue":"q"}},"#,
            r#"{"key":"mainstay.attempt","value":{"intValue":"2"}}],"links":[{"traceId":"000000000000000000000000000000ab","#,
            r#""spanId":"0000000000000002"}],"status":{"code":2,"message":"e\n"}}]}]}]}"#,
        );
        assert_eq!(text, expected.replace("VERSION", env!("CARGO_PKG_VERSION")));
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}
