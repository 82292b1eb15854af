//! What is counted of traces: spans made, sent, lost.

use std::sync::atomic::{AtomicU64, Ordering};

use super::text::Text;

/// Counters of the exporter.
#[derive(Debug, Default)]
pub(crate) struct TraceCounts {
    /// Spans that the collector took.
    pub(crate) exported: AtomicU64,
    /// Spans for which there was no room.
    pub(crate) dropped: AtomicU64,
    /// Spans that were given up because the collector did not take them.
    pub(crate) failed: AtomicU64,
    /// Batches that the collector did not take.
    pub(crate) refusals: AtomicU64,
    /// Spans that wait.
    pub(crate) queued: AtomicU64,
    /// Events that spans are not made of yet.
    pub(crate) lag: AtomicU64,
}

impl TraceCounts {
    pub(super) fn write(&self, text: &mut Text) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        text.family("mainstay_trace_spans_total");
        for (outcome, counter) in [
            ("exported", &self.exported),
            ("dropped", &self.dropped),
            ("failed", &self.failed),
        ] {
            text.sample(&[outcome], load(counter));
        }
        for (name, counter) in [
            ("mainstay_trace_exports_failed_total", &self.refusals),
            ("mainstay_trace_queue_spans", &self.queued),
            ("mainstay_trace_lag_events", &self.lag),
        ] {
            text.single(name, load(counter));
        }
    }
}
