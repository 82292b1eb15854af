//! One line, one count and perhaps one span for each request that was answered.

use std::net::IpAddr;
use std::time::Duration;

use hyper::header::HeaderValue;
use mainstay_core::{TenantId, Text};

use crate::api::Route;
use crate::edge::Edge;
use crate::traces::{Context, Served};

/// What becomes known of a request on its way.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// The key's id.
    pub(crate) key: Option<Text>,
    pub(crate) tenant: Option<TenantId>,
}

/// A request that was answered.
pub(crate) struct Told<'a> {
    pub(crate) route: Option<&'static Route>,
    pub(crate) status: u16,
    /// The error's code.
    pub(crate) code: Option<&'static str>,
    pub(crate) elapsed: Duration,
    pub(crate) request_id: &'a HeaderValue,
    pub(crate) noted: &'a Noted,
    pub(crate) peer: IpAddr,
    /// Which trace its caller named.
    pub(crate) context: Option<Context>,
}

impl Told<'_> {
    /// Tells it to whoever counts, logs and traces.
    pub(crate) fn tell(&self, edge: &Edge) {
        edge.metrics.request(self.route, self.status, self.elapsed);
        if let Some(code) = self.code {
            edge.metrics.failed(code);
            self.warn(edge, code);
        }
        let (method, path) = self
            .route
            .map_or(("-", "-"), |route| (route.method(), route.path));
        let request_id = self.request_id.to_str().unwrap_or_default();
        let key = self.noted.key.as_deref();
        tracing::debug!(
            target: "mainstay::request",
            method,
            route = path,
            status = self.status,
            ms = self.elapsed.as_secs_f64() * 1e3,
            request_id,
            tenant = self.noted.tenant.map(tracing::field::display),
            key,
            code = self.code,
            "answered"
        );
        if let Some(context) = self.context {
            edge.tracer.served(&Served {
                context,
                method,
                path,
                status: self.status,
                code: self.code,
                elapsed: self.elapsed,
                request_id,
                tenant: self.noted.tenant,
                key,
            });
        }
    }

    /// What an operator should see without asking for every request.
    fn warn(&self, edge: &Edge, code: &'static str) {
        let request_id = self.request_id.to_str().unwrap_or_default();
        let path = self.route.map_or("-", |route| route.path);
        match code {
            "internal_error" => {
                tracing::error!(
                    route = path,
                    request_id,
                    "a request failed by the server's fault"
                );
            }
            "commit_unknown" => {
                tracing::error!(
                    route = path,
                    request_id,
                    "written, but not confirmed by the disk"
                );
            }
            "unauthorized" => {
                if let Some(times) = edge.refusals.count() {
                    let peer = tracing::field::display(self.peer);
                    tracing::warn!(times, last_from = peer, "requests without a valid key");
                }
            }
            "storage_full" => {
                if let Some(times) = edge.shortages.count() {
                    tracing::warn!(times, "new work is refused: the disk is nearly full");
                }
            }
            "busy" => {
                if let Some(times) = edge.rushes.count() {
                    tracing::warn!(
                        times,
                        route = path,
                        "requests are refused: too much at once"
                    );
                }
            }
            _ => {}
        }
    }
}
