//! Spans that wait for the collector: a bounded queue that refuses rather than grows.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::span::Span;
use crate::metrics::TraceCounts;

/// How long whoever reads the log waits for room before it looks again.
const ROOM_LOOK: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Waiting {
    spans: VecDeque<Span>,
    /// The last event whose spans are in, were sent, or had no room.
    told: u64,
    /// Some were taken, and nobody knows yet what became of them.
    in_flight: bool,
    /// Nothing comes any more.
    closed: bool,
}

impl Waiting {
    fn is_settled(&self) -> bool {
        self.spans.is_empty() && !self.in_flight
    }
}

/// The queue, with what is counted of it.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    spans_max: usize,
    came: Notify,
    /// Whether the collector took what it was last sent.
    healthy: AtomicBool,
    /// Events up to here need not be told again.
    settled: AtomicU64,
    pub(super) counts: TraceCounts,
}

impl Queue {
    pub(super) fn new(spans_max: usize) -> Queue {
        Queue {
            waiting: Mutex::default(),
            spans_max,
            came: Notify::new(),
            healthy: AtomicBool::new(true),
            settled: AtomicU64::new(0),
            counts: TraceCounts::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a span if there is room; it is counted as dropped if there is none.
    pub(super) fn offer(&self, span: Span) {
        let mut waiting = self.lock();
        if waiting.closed || waiting.spans.len() >= self.spans_max {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.spans.push_back(span);
        self.note(&waiting);
        drop(waiting);
        self.came.notify_one();
    }

    /// Adds what events up to `told` came to. While the collector takes spans this waits for room, for the log holds what is to come;
    /// while it does not, what finds no room is dropped. Blocks.
    pub(super) fn tell(&self, spans: Vec<Span>, told: u64) {
        let mut spans = spans.into_iter();
        while let Some(span) = spans.next() {
            while self.healthy.load(Ordering::Relaxed) && self.is_full() {
                std::thread::sleep(ROOM_LOOK);
            }
            if self.is_full() {
                let rest = 1 + spans.len() as u64;
                self.counts.dropped.fetch_add(rest, Ordering::Relaxed);
                break;
            }
            self.offer(span);
        }
        let mut waiting = self.lock();
        waiting.told = told;
        if waiting.is_settled() {
            self.settled.fetch_max(told, Ordering::Relaxed);
        }
        drop(waiting);
        self.came.notify_one();
    }

    fn is_full(&self) -> bool {
        self.lock().spans.len() >= self.spans_max
    }

    fn note(&self, waiting: &Waiting) {
        let queued = waiting.spans.len() as u64;
        self.counts.queued.store(queued, Ordering::Relaxed);
    }

    /// Nothing comes any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.came.notify_one();
    }

    /// Waits for spans and takes some; nothing once it is closed and empty.
    pub(super) async fn take(&self, most: usize, gather: Duration) -> Option<Vec<Span>> {
        loop {
            let (some, full, closed) = {
                let waiting = self.lock();
                let count = waiting.spans.len();
                (count > 0, count >= most.min(self.spans_max), waiting.closed)
            };
            if some && !full && !closed {
                // More may come: a batch costs a request.
                let _ = tokio::time::timeout(gather, self.came.notified()).await;
                tokio::time::sleep(gather / 4).await;
            }
            if some {
                let mut waiting = self.lock();
                let count = waiting.spans.len().min(most);
                let taken = waiting.spans.drain(..count).collect();
                waiting.in_flight = true;
                self.note(&waiting);
                return Some(taken);
            }
            if closed {
                return None;
            }
            self.came.notified().await;
        }
    }

    /// A batch was sent, or given up: if nothing waits behind it, all that was told is settled.
    pub(super) fn settle(&self) {
        let mut waiting = self.lock();
        waiting.in_flight = false;
        if waiting.is_settled() {
            self.settled.fetch_max(waiting.told, Ordering::Relaxed);
        }
    }

    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    pub(super) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }
}
