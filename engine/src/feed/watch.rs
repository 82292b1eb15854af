//! Waiting for the log to move on.
//! Owns: the pulse of the durable end.
//! Never: holds up what it waits for.

use tokio::sync::watch;

/// Where the durable end is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulse {
    pub(super) durable: u64,
    /// Nothing waits any more.
    pub(super) ended: bool,
}

/// Waits for events to become durable.
#[derive(Clone, Debug)]
pub struct EventWatch {
    pub(super) pulse: watch::Receiver<Pulse>,
}

impl EventWatch {
    /// Waits until an event after this one is durable; false when the engine drains or has stopped, and nobody waits any more.
    pub async fn past(&mut self, sequence: u64) -> bool {
        let moved = |pulse: &Pulse| pulse.durable > sequence || pulse.ended;
        match self.pulse.wait_for(moved).await {
            Ok(pulse) => pulse.durable > sequence,
            Err(_) => false,
        }
    }

    /// Whether the engine drains or has stopped.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.pulse.borrow().ended
    }
}
