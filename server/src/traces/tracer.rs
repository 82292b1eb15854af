//! What the edge holds of traces: whether there are any, and where its own spans go.

use std::sync::Arc;

use hyper::HeaderMap;
use mainstay::Handle;

use super::context::{Context, Sampling};
use super::export::{self, Exporter};
use super::queue::Queue;
use super::request::Served;
use super::settings::Otel;
use crate::metrics::TraceCounts;
use crate::outgoing::{Outgoing, Roots};

/// Makes spans of requests, when traces are on.
pub(crate) struct Tracer {
    otel: Option<(Otel, Outgoing)>,
    sampling: Sampling,
    queue: Arc<Queue>,
}

impl Tracer {
    /// With traces, when somebody said where they go.
    pub(crate) fn new(otel: Option<Otel>) -> std::io::Result<Tracer> {
        let spans_max = otel.as_ref().map_or(0, |otel| otel.queue_spans);
        let sampling = otel
            .as_ref()
            .map_or(Sampling::of(0.0), |otel| otel.sampling);
        let with_way = |otel: Otel| {
            let roots = otel.roots_pem.clone().map_or(Roots::System, Roots::Pem);
            let outgoing = Outgoing::new(roots);
            outgoing
                .map(|outgoing| (otel, outgoing))
                .map_err(std::io::Error::other)
        };
        Ok(Tracer {
            otel: otel.map(with_way).transpose()?,
            sampling,
            queue: Arc::new(Queue::new(spans_max)),
        })
    }

    /// Starts to read the log and to send, when traces are on.
    pub(crate) fn start(&self, handle: &Handle) -> std::io::Result<Option<Exporter>> {
        let otel = self.otel.as_ref();
        let start = |(otel, outgoing): &(Otel, Outgoing)| {
            let queue = Arc::clone(&self.queue);
            export::start(otel, outgoing.clone(), handle.clone(), queue)
        };
        otel.map(start).transpose()
    }

    pub(crate) fn counts(&self) -> &TraceCounts {
        &self.queue.counts
    }

    /// The context of a request whose span will be kept.
    pub(crate) fn context(&self, headers: &HeaderMap) -> Option<Context> {
        self.otel.as_ref()?;
        let context = Context::parse(headers.get("traceparent")?.to_str().ok()?);
        context.filter(|context| self.sampling.keeps_under(*context))
    }

    /// A request was answered.
    pub(crate) fn served(&self, served: &Served<'_>) {
        if let Ok(id) = getrandom::u64() {
            self.queue.offer(served.span(id.max(1)));
        }
    }
}
