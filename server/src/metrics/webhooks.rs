//! What is counted of webhooks: attempts by what came of them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::text::Text;

/// Counters of the senders.
#[derive(Debug, Default)]
pub(crate) struct WebhookCounts {
    /// Attempts that the receiver took.
    pub(crate) delivered: AtomicU64,
    /// Attempts that it did not take.
    pub(crate) failed: AtomicU64,
}

impl WebhookCounts {
    pub(super) fn write(&self, text: &mut Text) {
        text.family("mainstay_webhook_attempts_total");
        for (result, counter) in [("delivered", &self.delivered), ("failed", &self.failed)] {
            text.sample(&[result], counter.load(Ordering::Relaxed) as f64);
        }
    }
}
