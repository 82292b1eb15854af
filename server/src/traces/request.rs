//! The server's part in its callers' traces: a span for each request that says which trace it belongs to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay_core::TenantId;

use super::context::Context;
use super::span::{Outcome, Span, SpanKind};

/// A request that was answered.
pub(crate) struct Served<'a> {
    pub(crate) context: Context,
    pub(crate) method: &'static str,
    /// The route's pattern.
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    /// The error's code, when it is the server's fault.
    pub(crate) code: Option<&'static str>,
    pub(crate) elapsed: Duration,
    pub(crate) request_id: &'a str,
    pub(crate) tenant: Option<TenantId>,
    /// The key's id.
    pub(crate) key: Option<&'a str>,
}

impl Served<'_> {
    /// Its span; `id` is of its own.
    pub(super) fn span(&self, id: u64) -> Span {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let end = now.map_or(0, nanos);
        let outcome = match self.code {
            Some(code) if self.status >= 500 => Outcome::Bad(code.to_owned()),
            _ => Outcome::Unset,
        };
        let mut span = Span {
            trace: self.context.trace,
            id,
            parent: Some(self.context.span),
            name: format!("{} {}", self.method, self.path).into(),
            kind: SpanKind::Server,
            begin: end.saturating_sub(nanos(self.elapsed)),
            end,
            attributes: Vec::with_capacity(8),
            links: Vec::new(),
            outcome,
        };
        span.text("http.request.method", self.method);
        span.text("http.route", self.path);
        span.number("http.response.status_code", i64::from(self.status));
        if let Some(code) = self.code {
            span.text("error.type", code);
        }
        span.text("mainstay.request_id", self.request_id);
        if let Some(tenant) = self.tenant {
            span.text("mainstay.tenant_id", tenant.to_string());
        }
        if let Some(key) = self.key {
            span.text("mainstay.key_id", key);
        }
        span
    }
}
