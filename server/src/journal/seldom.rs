//! Says at most once in a while what may happen a thousand times a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often at most.
const EVERY: Duration = Duration::from_secs(10);

/// Counts what is not said.
#[derive(Debug)]
pub(crate) struct Seldom {
    begun: Instant,
    /// When it was last said, in milliseconds since then; 0 for never.
    said_ms: AtomicU64,
    unsaid: AtomicU64,
}

impl Default for Seldom {
    fn default() -> Seldom {
        Seldom {
            begun: Instant::now(),
            said_ms: AtomicU64::new(0),
            unsaid: AtomicU64::new(0),
        }
    }
}

impl Seldom {
    /// Counts one; when it is to be said, how many there were since the last time, this one among them.
    pub(crate) fn count(&self) -> Option<u64> {
        let now = self.begun.elapsed();
        self.count_at(u64::try_from(now.as_millis()).unwrap_or(u64::MAX).max(1))
    }

    fn count_at(&self, now_ms: u64) -> Option<u64> {
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        let said = self.said_ms.load(Ordering::Relaxed);
        let due = said == 0 || now_ms.saturating_sub(said) >= EVERY.as_millis() as u64;
        let mine = due
            && self
                .said_ms
                .compare_exchange(said, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        mine.then(|| self.unsaid.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::Seldom;

    #[test]
    fn what_is_not_said_is_counted_into_the_next_time() {
        let seldom = Seldom::default();
        assert_eq!(seldom.count_at(1), Some(1));
        assert!((2..=10_000).all(|now| seldom.count_at(now).is_none()));
        assert_eq!(seldom.count_at(10_001), Some(10_000));
        assert_eq!(seldom.count_at(10_002), None);
    }
}
