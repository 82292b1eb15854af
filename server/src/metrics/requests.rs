//! What the edge counts: requests by route and status, errors by code, connections. All counters are made at start, so that no caller can
//! add a label.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::text::Text;
use crate::api::{ROUTES, Route};
use crate::edge::CODES;

/// Upper bounds of the duration buckets, in microseconds.
const BOUNDS_US: [u64; 12] = [
    250, 500, 1000, 2500, 5000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000, 60_000_000,
];

/// One route's counts.
struct OfRoute {
    /// By place in [`Metrics::statuses`].
    statuses: Vec<AtomicU64>,
    /// By bucket; one more for what is slower than all bounds.
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// What the edge counts.
pub(crate) struct Metrics {
    statuses: Vec<u16>,
    /// One per route of the table; the last is for requests that found none.
    routes: Vec<OfRoute>,
    /// By place in the table of codes.
    errors: Vec<AtomicU64>,
    accept_failures: AtomicU64,
    handshake_failures: AtomicU64,
    refused: AtomicU64,
    in_flight: AtomicU64,
    pub(super) started: Instant,
    /// The same instant in seconds since 1970.
    pub(super) started_at: f64,
}

/// A request that is being worked on, until it is dropped.
pub(crate) struct InFlight<'a>(&'a Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut statuses: Vec<u16> = CODES
            .iter()
            .map(|code| code.status)
            .chain([200, 201, 202, 204])
            .collect();
        statuses.sort_unstable();
        statuses.dedup();
        let of_route = || OfRoute {
            statuses: statuses.iter().map(|_| AtomicU64::new(0)).collect(),
            buckets: [const { AtomicU64::new(0) }; BOUNDS_US.len() + 1],
            sum_us: AtomicU64::new(0),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Metrics {
            routes: (0..=ROUTES.len()).map(|_| of_route()).collect(),
            statuses,
            errors: CODES.iter().map(|_| AtomicU64::new(0)).collect(),
            accept_failures: AtomicU64::new(0),
            handshake_failures: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            started: Instant::now(),
            started_at: now.map_or(0.0, |since| since.as_secs_f64()),
        }
    }

    /// A request is being worked on.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
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

    /// A request was answered with this error.
    pub(crate) fn failed(&self, code: &str) {
        if let Some(at) = CODES.iter().position(|known| known.name == code) {
            self.errors[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The system refused to hand over a connection.
    pub(crate) fn accept_failed(&self) {
        self.accept_failures.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection ended before it was encrypted.
    pub(crate) fn handshake_failed(&self) {
        self.handshake_failures.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection was turned away.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, text: &mut Text) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let named = |index: usize| {
            let route = ROUTES.get(index);
            route.map_or_else(
                || "none".to_owned(),
                |route| format!("{} {}", route.method(), route.path),
            )
        };
        let routes: Vec<(String, &OfRoute)> = self
            .routes
            .iter()
            .enumerate()
            .map(|(index, of_route)| (named(index), of_route))
            .collect();
        text.family("mainstay_http_requests_total");
        for (route, of_route) in &routes {
            for (status, counter) in self.statuses.iter().zip(&of_route.statuses) {
                let value = load(counter);
                if value > 0 {
                    text.sample(&[route, &status.to_string()], value as f64);
                }
            }
        }
        text.family("mainstay_http_request_seconds");
        for (route, of_route) in &routes {
            let counts = of_route.buckets.each_ref().map(load);
            if counts.iter().any(|count| *count > 0) {
                let sum = load(&of_route.sum_us);
                text.histogram(&[route], 1e6, (&BOUNDS_US, &counts), sum);
            }
        }
        text.family("mainstay_http_errors_total");
        for (code, counter) in CODES.iter().zip(&self.errors) {
            // Those that somebody wants to be woken by are there from the start.
            let always = matches!(
                code.name,
                "unauthorized" | "rate_limited" | "internal_error" | "busy" | "storage_full"
            );
            let value = load(counter);
            if value > 0 || always {
                text.sample(&[code.name], value as f64);
            }
        }
        for (name, counter) in [
            ("mainstay_http_requests_in_flight", &self.in_flight),
            ("mainstay_http_connections_refused_total", &self.refused),
            ("mainstay_http_accept_failures_total", &self.accept_failures),
            (
                "mainstay_http_tls_handshake_failures_total",
                &self.handshake_failures,
            ),
        ] {
            text.single(name, load(counter) as f64);
        }
    }
}
