//! A span: what one part of a trace is made of.

use std::borrow::Cow;

/// What a span's part in a conversation is; the numbers are those of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpanKind {
    /// Something inside.
    Internal = 1,
    /// A request was answered.
    Server = 2,
    /// Work was handed over.
    Producer = 4,
    /// Work was done.
    Consumer = 5,
}

/// An attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing to say.
    #[default]
    Unset,
    /// Well.
    Good,
    /// Badly: a code, never a message, which may hold anything.
    Bad(String),
}

/// One span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(super) trace: u128,
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) name: Cow<'static, str>,
    pub(super) kind: SpanKind,
    /// Nanoseconds since 1970.
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// Trace and span of what it goes on from.
    pub(super) links: Vec<(u128, u64)>,
    pub(super) outcome: Outcome,
}

impl Span {
    pub(super) fn text(&mut self, name: &'static str, value: impl Into<String>) {
        self.attributes.push((name, Value::Text(value.into())));
    }

    pub(super) fn number(&mut self, name: &'static str, value: i64) {
        self.attributes.push((name, Value::Number(value)));
    }
}
