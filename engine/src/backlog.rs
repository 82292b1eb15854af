//! Cuts between the writer, which takes them, and the keeper, which commits them.
//! Owns: what waits for the store, how far the store has come, and who waits for it.
//! Never: commits, or lets anybody see what is not committed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mainstay_core::Cut;

#[derive(Debug, Default)]
struct Waiting {
    cuts: VecDeque<Cut>,
    /// Rows of each cut that is not committed, by its sequence.
    uncommitted: VecDeque<(u64, u64)>,
    rows: u64,
    bytes: usize,
    /// The keeper should look again.
    stirred: bool,
    closed: bool,
}

/// What waits for the store.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    stored: AtomicU64,
}

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a cut over.
    pub(crate) fn push(&self, cut: Cut) {
        let mut waiting = self.lock();
        let rows = cut.rows.len() as u64;
        waiting.uncommitted.push_back((cut.through, rows));
        waiting.rows += rows;
        waiting.bytes += cut.bytes();
        waiting.cuts.push_back(cut);
        waiting.stirred = true;
        drop(waiting);
        self.changed.notify_all();
    }

    /// The log has moved: cuts that waited for it may be committed.
    pub(crate) fn stir(&self) {
        let mut waiting = self.lock();
        if !waiting.uncommitted.is_empty() {
            waiting.stirred = true;
            drop(waiting);
            self.changed.notify_all();
        }
    }

    /// Takes the cuts that wait.
    pub(crate) fn take(&self) -> VecDeque<Cut> {
        let mut waiting = self.lock();
        waiting.stirred = false;
        waiting.bytes = 0;
        std::mem::take(&mut waiting.cuts)
    }

    /// Sleeps until there is something to do, the end, or the timeout. False at the end.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let waiting = self.lock();
        if waiting.stirred || waiting.closed {
            return !waiting.closed;
        }
        let (waiting, _) = self
            .changed
            .wait_timeout(waiting, timeout)
            .unwrap_or_else(PoisonError::into_inner);
        !waiting.closed
    }

    /// The store has committed everything up to here.
    pub(crate) fn set_stored(&self, sequence: u64) {
        let mut waiting = self.lock();
        while let Some((through, rows)) = waiting.uncommitted.front().copied() {
            if through > sequence {
                break;
            }
            waiting.uncommitted.pop_front();
            waiting.rows -= rows;
        }
        // Under the lock: who has just looked and is about to sleep would miss it.
        self.stored.fetch_max(sequence, Ordering::Release);
        drop(waiting);
        self.changed.notify_all();
    }

    /// The last event that the store holds.
    pub(crate) fn stored(&self) -> u64 {
        self.stored.load(Ordering::Acquire)
    }

    /// Rows in cuts that are not committed.
    pub(crate) fn rows(&self) -> u64 {
        self.lock().rows
    }

    /// Bytes of cuts that the keeper has not taken.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Waits until the store holds everything up to here; false when it does not in time.
    pub(crate) fn wait_stored(&self, sequence: u64, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut waiting = self.lock();
        while self.stored() < sequence {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || waiting.closed {
                return false;
            }
            waiting = self
                .changed
                .wait_timeout(waiting, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Nobody commits any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}
