//! Looks at the engine now and then and tells what changed: its state, slow syncs, a store that lags, a disk that fills up, actors that
//! fell silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use mainstay::{Handle, Histogram, Metrics, Status};

/// How often. A plain thread looks: a timer of the runtime would wake several.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Syncs slower than this are told.
const SLOW_SYNC_US: u64 = 1_000_000;
/// A store that is so many events behind is told.
const LAG_EVENTS: u64 = 100_000;

/// The look-out, until it is dropped.
pub(crate) struct Facts {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Facts {
    pub(crate) fn watch(handle: Handle) -> std::io::Result<Facts> {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let thread = std::thread::Builder::new()
            .name("mainstay-journal".into())
            .spawn(move || {
                let mut before = Before::of(&handle.metrics());
                before.state = "ready";
                while !seen.load(Ordering::Acquire) {
                    before.look(&handle.status(), &handle.metrics());
                    std::thread::park_timeout(LOOK_EVERY);
                }
            })?;
        Ok(Facts {
            ended,
            thread: Some(thread),
        })
    }
}

impl Drop for Facts {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It ends by itself; if it failed there is nothing to tell any more.
            let _ = thread.join();
        }
    }
}

/// What was seen last.
#[derive(Debug, Default)]
struct Before {
    state: &'static str,
    slow_syncs: u64,
    append_failures: u64,
    lags: bool,
    short: bool,
    silent: u64,
}

impl Before {
    fn of(metrics: &Metrics) -> Before {
        Before {
            slow_syncs: slow(&metrics.sync_us),
            append_failures: metrics.append_failures,
            silent: metrics.actors_silent,
            ..Before::default()
        }
    }

    fn look(&mut self, status: &Status, metrics: &Metrics) {
        self.look_at_state(status);
        let slow = slow(&metrics.sync_us);
        let more = slow.saturating_sub(self.slow_syncs);
        if more > 0 {
            tracing::warn!(
                syncs = more,
                "the disk took more than a second to sync the log"
            );
        }
        let failed = metrics.append_failures.saturating_sub(self.append_failures);
        if failed > 0 {
            tracing::error!(frames = failed, "the log could not be written");
        }
        let lag = metrics.store_lag_events;
        if lag >= LAG_EVENTS && !self.lags {
            tracing::warn!(
                events = lag,
                "the store, which lists and SQL read, lags behind"
            );
        } else if lag < LAG_EVENTS / 2 && self.lags {
            tracing::info!("the store has caught up");
        }
        let (free, low) = (metrics.disk_free_bytes, metrics.disk_low_water_bytes);
        let short = free < low;
        if short && !self.short {
            tracing::error!(
                free_bytes = free,
                low_water_bytes = low,
                "the disk is nearly full: new work is refused"
            );
        } else if !short && self.short {
            tracing::info!(free_bytes = free, "there is room on the disk again");
        }
        let silent = metrics.actors_silent.saturating_sub(self.silent);
        if silent > 0 {
            tracing::warn!(
                actors = silent,
                "actors fell silent and are registered no more; their leases end"
            );
        }
        // Between the two bounds it stays as it was.
        let lags = lag >= LAG_EVENTS || self.lags && lag >= LAG_EVENTS / 2;
        *self = Before {
            state: self.state,
            lags,
            short,
            ..Before::of(metrics)
        };
    }

    fn look_at_state(&mut self, status: &Status) {
        let state = match status {
            Status::Ready => "ready",
            Status::Draining => "draining",
            Status::ReadOnly { .. } => "read_only",
            Status::Stopped { .. } => "stopped",
        };
        if state == self.state {
            return;
        }
        self.state = state;
        match status {
            Status::Stopped { cause } | Status::ReadOnly { cause } => {
                tracing::error!(state, cause, "the engine changes nothing any more");
            }
            Status::Ready | Status::Draining => tracing::info!(state, "the engine"),
        }
    }
}

/// Syncs in the buckets above the bound.
fn slow(syncs: &Histogram) -> u64 {
    let from = syncs.bounds.partition_point(|bound| *bound <= SLOW_SYNC_US);
    syncs.counts.iter().skip(from).sum()
}

#[cfg(test)]
mod tests {
    use super::slow;
    use mainstay::Histogram;

    #[test]
    fn only_what_is_slower_than_the_bound_is_slow() {
        let syncs = Histogram {
            bounds: vec![1000, 1_000_000, 5_000_000],
            counts: vec![9, 8, 2, 1],
            sum: 0,
        };
        assert_eq!(slow(&syncs), 3);
        assert_eq!(slow(&Histogram::default()), 0);
    }
}
