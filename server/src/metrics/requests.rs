//! Counts of requests by route and status: one atomic each, all made at start, so that no caller can add a label.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::api::{ROUTES, Route};
use crate::edge::CODES;

/// Upper bounds of the duration buckets, in microseconds.
pub(super) const BOUNDS_US: [u64; 12] = [
    250, 500, 1000, 2500, 5000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000, 60_000_000,
];

/// One route's counts.
pub(super) struct OfRoute {
    /// By place in [`Metrics::statuses`].
    pub(super) statuses: Vec<AtomicU64>,
    /// By bucket; one more for what is slower than all bounds.
    pub(super) buckets: [AtomicU64; BOUNDS_US.len() + 1],
    pub(super) sum_us: AtomicU64,
}

/// What the edge counts.
pub(crate) struct Metrics {
    pub(super) statuses: Vec<u16>,
    /// One per route of the table; the last is for requests that found none.
    pub(super) routes: Vec<OfRoute>,
    pub(super) accept_failures: AtomicU64,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut statuses: Vec<u16> = CODES
            .iter()
            .map(|code| code.status)
            .chain([200, 201])
            .collect();
        statuses.sort_unstable();
        statuses.dedup();
        let of_route = || OfRoute {
            statuses: statuses.iter().map(|_| AtomicU64::new(0)).collect(),
            buckets: [const { AtomicU64::new(0) }; BOUNDS_US.len() + 1],
            sum_us: AtomicU64::new(0),
        };
        Metrics {
            routes: (0..=ROUTES.len()).map(|_| of_route()).collect(),
            statuses,
            accept_failures: AtomicU64::new(0),
        }
    }

    /// A request was answered.
    pub(crate) fn request(&self, route: Option<&Route>, status: u16, elapsed: Duration) {
        let index = route.map_or(ROUTES.len(), Route::index);
        let Some(of_route) = self.routes.get(index) else {
            return;
        };
        if let Ok(place) = self.statuses.binary_search(&status) {
            of_route.statuses[place].fetch_add(1, Ordering::Relaxed);
        }
        let us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        of_route.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        of_route.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// The system refused to hand over a connection.
    pub(crate) fn accept_failed(&self) {
        self.accept_failures.fetch_add(1, Ordering::Relaxed);
    }
}
