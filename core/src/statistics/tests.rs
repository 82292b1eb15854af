//! Statistics against a naive recount.

use alloc::vec::Vec;

use super::histogram::{Times, bucket_of, longest};
use crate::run::AttemptResult;

/// Spans of every size, the same in every run of the tests.
fn spans(seed: u64, many: usize) -> Vec<u64> {
    let mut at = seed;
    let mut next = || {
        at = at
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        at >> 17
    };
    (0..many).map(|_| next() >> (next() % 47)).collect()
}

#[test]
fn every_span_is_in_a_bucket_that_is_at_most_a_hundredth_wide() {
    let around =
        (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1, u64::MAX >> bit]);
    for ms in around.chain(0..5_000).chain(spans(7, 5_000)) {
        let bucket = bucket_of(ms);
        let last = longest(bucket);
        assert!(bucket <= super::histogram::BUCKET_MAX, "{ms}");
        assert!(last >= ms, "{ms} beyond its bucket's end {last}");
        assert!(
            last - ms <= ms / 100,
            "{ms} in a bucket that ends at {last}"
        );
        assert_eq!(bucket_of(last), bucket);
        assert!(last == u64::MAX || bucket_of(last + 1) == bucket + 1);
    }
}

#[test]
fn percentiles_are_those_of_the_sorted_spans_to_a_hundredth() {
    for many in [1usize, 2, 3, 19, 20, 100, 101, 1_000] {
        let mut all = spans(many as u64, many);
        let mut times = Times::default();
        for ms in &all {
            times.record(AttemptResult::Success, *ms);
        }
        all.sort_unstable();
        let read = times.spans();
        let sum = all.iter().fold(0u64, |sum, ms| sum.saturating_add(*ms));
        assert_eq!(
            (read.count, read.sum_ms, read.max_ms),
            (many as u64, sum, all[many - 1])
        );
        for (percent, told) in [(50, read.p50_ms), (95, read.p95_ms), (99, read.p99_ms)] {
            let true_one = all[(many * percent).div_ceil(100) - 1];
            assert!(
                told >= true_one && told - true_one <= true_one / 100,
                "{many} {percent}: {told} for {true_one}"
            );
        }
    }
}

#[test]
fn nothing_counted_reads_as_zeros() {
    assert_eq!(Times::default().spans(), super::Spans::default());
}

#[test]
fn times_come_back_from_their_buckets_and_nothing_else_does() {
    let mut times = Times::default();
    for (at, ms) in spans(3, 300).into_iter().enumerate() {
        times.record(AttemptResult::ALL[at % 7], ms);
    }
    let sums = (times.sum_ms, times.max_ms);
    let back = |buckets: &[(u64, u64)], sums| {
        Times::restore(times.results, sums, buckets.iter().copied(), 300)
    };
    let buckets: Vec<(u64, u64)> = times.buckets().collect();
    assert_eq!(back(&buckets, sums), Some(times.clone()));
    let mut wrong = buckets.clone();
    wrong.swap(0, 1);
    assert_eq!(back(&wrong, sums), None, "out of order");
    let mut wrong = buckets.clone();
    wrong[0].1 += 1;
    assert_eq!(back(&wrong, sums), None, "more than ended");
    wrong[0].1 = 0;
    assert_eq!(back(&wrong, sums), None, "a bucket of nothing");
    assert_eq!(back(&buckets[1..], sums), None, "one is missing");
    assert_eq!(
        back(&buckets, (sums.0, sums.1 / 2)),
        None,
        "the longest is not in the last"
    );
}
