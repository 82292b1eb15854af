//! How long things took, in buckets that are at most a hundredth wide.
//! Owns: the bounds of buckets, the counting into them, and what is read from them.
//! Never: keeps a bucket that counts nothing; never a float.

use alloc::vec::Vec;

use super::view::Spans;
use crate::run::AttemptResult;

/// Spans below this many milliseconds have a bucket each; above it, every doubling has half as many.
const EXACT: u64 = 1 << EXACT_BITS;
const EXACT_BITS: u32 = 8;
/// Bits of a packed bucket that count.
const COUNT_BITS: u32 = 48;
/// The most that one bucket counts.
pub(crate) const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
/// The last bucket there is.
pub(crate) const BUCKET_MAX: u64 = 57 * (EXACT / 2) + (EXACT / 2 - 1);

/// The bucket of a span.
#[inline]
pub(super) fn bucket_of(ms: u64) -> u64 {
    let shift = (u64::BITS - EXACT_BITS).saturating_sub(ms.leading_zeros());
    u64::from(shift) * (EXACT / 2) + (ms >> shift)
}

/// The longest span of a bucket.
pub(super) fn longest(bucket: u64) -> u64 {
    if bucket < EXACT {
        return bucket;
    }
    let shift = bucket / (EXACT / 2) - 1;
    let first = bucket - shift * (EXACT / 2);
    (first << shift) + ((1 << shift) - 1)
}

/// Attempts that ended: how, and how long they took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// By result code; their sum is the sum of all buckets.
    pub(crate) results: [u64; AttemptResult::ALL.len()],
    /// All spans together; saturates.
    pub(crate) sum_ms: u64,
    /// The longest.
    pub(crate) max_ms: u64,
    /// Bucket above, count below, in the order of buckets.
    packed: Vec<u64>,
}

impl Times {
    /// One more attempt.
    #[inline]
    pub(super) fn record(&mut self, result: AttemptResult, ms: u64) {
        self.results[result as usize] += 1;
        self.sum_ms = self.sum_ms.saturating_add(ms);
        self.max_ms = self.max_ms.max(ms);
        self.count(bucket_of(ms), 1);
    }

    #[inline]
    fn count(&mut self, bucket: u64, more: u64) {
        let at = self
            .packed
            .partition_point(|packed| packed >> COUNT_BITS < bucket);
        match self.packed.get_mut(at) {
            Some(packed) if *packed >> COUNT_BITS == bucket => *packed += more,
            _ => self.packed.insert(at, bucket << COUNT_BITS | more),
        }
    }

    /// All that others count, too.
    pub(super) fn add(&mut self, other: &Times) {
        for (mine, more) in self.results.iter_mut().zip(other.results) {
            *mine += more;
        }
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
        self.max_ms = self.max_ms.max(other.max_ms);
        for (bucket, count) in other.buckets() {
            self.count(bucket, count);
        }
    }

    /// Counts nothing again, and keeps the room that it has.
    pub(super) fn clear(&mut self) {
        let mut packed = core::mem::take(&mut self.packed);
        packed.clear();
        *self = Times {
            packed,
            ..Times::default()
        };
    }

    /// How many attempts.
    pub(crate) fn total(&self) -> u64 {
        self.results
            .iter()
            .fold(0, |sum, one| sum.saturating_add(*one))
    }

    /// The buckets that count something, the shortest spans first.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let unpacked = self.packed.iter();
        unpacked.map(|packed| (packed >> COUNT_BITS, packed & COUNT_MAX))
    }

    /// From what an image holds; `None` when it could not have been counted so. `most` bounds every count.
    pub(crate) fn restore(
        results: [u64; AttemptResult::ALL.len()],
        (sum_ms, max_ms): (u64, u64),
        buckets: impl Iterator<Item = (u64, u64)>,
        most: u64,
    ) -> Option<Times> {
        let mut times = Times {
            results,
            sum_ms,
            max_ms,
            packed: Vec::new(),
        };
        let (mut total, mut last) = (0u64, None);
        for (bucket, count) in buckets {
            let fits = (1..=most.min(COUNT_MAX)).contains(&count) && bucket <= BUCKET_MAX;
            if !fits || last.is_some_and(|last| last >= bucket) {
                return None;
            }
            last = Some(bucket);
            total = total.checked_add(count).filter(|total| *total <= most)?;
            times.packed.push(bucket << COUNT_BITS | count);
        }
        let ended = results
            .iter()
            .try_fold(0u64, |sum, one| sum.checked_add(*one))?;
        let is_longest = last == (total > 0).then(|| bucket_of(max_ms));
        (ended == total && is_longest && max_ms <= sum_ms).then_some(times)
    }

    /// What people read of it.
    pub(super) fn spans(&self) -> Spans {
        let count = self.total();
        Spans {
            count,
            sum_ms: self.sum_ms,
            p50_ms: self.within(count, 50),
            p95_ms: self.within(count, 95),
            p99_ms: self.within(count, 99),
            max_ms: self.max_ms,
        }
    }

    /// The span that so many of a hundred do not exceed: the end of its bucket.
    fn within(&self, count: u64, percent: u128) -> u64 {
        let rank = (u128::from(count) * percent).div_ceil(100);
        let mut seen = 0u128;
        for (bucket, count) in self.buckets() {
            seen += u128::from(count);
            if seen >= rank {
                return longest(bucket).min(self.max_ms);
            }
        }
        self.max_ms
    }
}
