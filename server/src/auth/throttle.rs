//! How often one address, or one key's name, may fail to say who it is: a fixed number of buckets, whatever is sent.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Buckets of each table. Those who share one share its bound, which only ever touches failures.
const BUCKETS: usize = 8192;

#[derive(Clone, Copy, Default)]
struct Bucket {
    /// Failures in thousandths, as of then.
    level: u32,
    then_ms: u32,
}

/// Leaky buckets of failures: each holds so many, and loses as many in a minute.
pub(crate) struct Throttle {
    hasher: RandomState,
    begun: Instant,
    max: u32,
    buckets: Mutex<Box<[Bucket]>>,
}

impl Throttle {
    /// At most so many failures a minute; none are counted when it is 0.
    pub(crate) fn new(max: u32) -> Throttle {
        Throttle {
            hasher: RandomState::new(),
            begun: Instant::now(),
            max: max.min(1_000_000),
            buckets: Mutex::new(vec![Bucket::default(); BUCKETS].into_boxed_slice()),
        }
    }

    /// Counts a failure; true when it is one too many.
    pub(crate) fn failed(&self, who: impl Hash) -> bool {
        self.look(who, true)
    }

    /// Whether a further failure would be one too many.
    pub(crate) fn is_full(&self, who: impl Hash) -> bool {
        self.look(who, false)
    }

    fn look(&self, who: impl Hash, counts: bool) -> bool {
        if self.max == 0 {
            return false;
        }
        let now_ms = self.begun.elapsed().as_millis() as u32;
        let at = self.hasher.hash_one(who) as usize % BUCKETS;
        // Only numbers stand behind the lock, and no code panics while it holds it.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = &mut buckets[at];
        bucket.settle(now_ms, self.max);
        let full = bucket.level + 1000 > self.max * 1000;
        if counts && !full {
            bucket.level += 1000;
        }
        full
    }
}

impl Bucket {
    fn settle(&mut self, now_ms: u32, max: u32) {
        let past = u64::from(now_ms.wrapping_sub(self.then_ms));
        let leaked = past * u64::from(max) / 60;
        // What is too little to leak is kept for the next time.
        if leaked > 0 {
            let leaked = u32::try_from(leaked).unwrap_or(u32::MAX);
            self.level = self.level.saturating_sub(leaked);
            self.then_ms = now_ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Throttle};

    #[test]
    fn failures_beyond_the_bound_are_too_many_and_only_theirs() {
        let throttle = Throttle::new(3);
        for _ in 0..3 {
            assert!(!throttle.is_full("a"));
            assert!(!throttle.failed("a"));
        }
        assert!(throttle.is_full("a"));
        assert!(throttle.failed("a"));
        assert!(!throttle.failed("b"));
        let never = Throttle::new(0);
        assert!((0..1000).all(|_| !never.failed("a")));
    }

    #[test]
    fn a_bucket_leaks_its_bound_in_a_minute() {
        let mut bucket = Bucket {
            level: 60_000,
            then_ms: 0,
        };
        bucket.settle(10, 60);
        assert_eq!(bucket.level, 59_990);
        bucket.settle(30_010, 60);
        assert_eq!(bucket.level, 29_990);
        bucket.settle(u32::MAX, 60);
        assert_eq!(bucket.level, 0);
    }
}
