//! What the writer has appended and the flusher has not yet made durable.
//! Owns: frame numbers, the durable mark, the stop, reuse of body buffers.
//! Never: touches a disk.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::api::{Draft, Durable, Queued};
use crate::fault::Stopped;
use crate::segment::frame_span;

/// Body buffers kept for reuse, and the largest one worth keeping.
const POOL_BODIES_MAX: usize = 8;
const POOL_BODY_BYTES_MAX: usize = 4 << 20;

/// A draft with its number.
pub(crate) struct Pending {
    pub(crate) number: u64,
    pub(crate) draft: Draft,
}

#[derive(Default)]
struct Queue {
    pending: VecDeque<Pending>,
    queued: Queued,
    last_number: u64,
    last_sequence: u64,
    stopped: Option<Stopped>,
    /// The writer's side is gone: nothing more will come.
    abandoned: bool,
    pool: Vec<Vec<u8>>,
}

/// Shared by both sides of a log.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    durable_frame: AtomicU64,
    durable_sequence: AtomicU64,
    frame_bytes_max: u64,
}

impl Shared {
    /// An empty queue behind a log whose last frame is durable.
    pub(crate) fn new(durable: Durable, frame_bytes_max: u64) -> Shared {
        let queue = Queue {
            last_number: durable.frame,
            last_sequence: durable.sequence,
            ..Queue::default()
        };
        Shared {
            queue: Mutex::new(queue),
            wake: Condvar::new(),
            durable_frame: AtomicU64::new(durable.frame),
            durable_sequence: AtomicU64::new(durable.sequence),
            frame_bytes_max,
        }
    }

    // A panic elsewhere cannot leave the queue half changed: every change below is complete before it can panic.
    fn hold(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn append(&self, draft: Draft) -> Result<u64, Stopped> {
        let refuse = |reason: String| Err(Stopped::Refused { reason });
        let mut queue = self.hold();
        if let Some(stopped) = &queue.stopped {
            return Err(stopped.clone());
        }
        if draft.body.len() as u64 > self.frame_bytes_max {
            return refuse(format!(
                "a body of {} bytes, more than {}",
                draft.body.len(),
                self.frame_bytes_max
            ));
        }
        if Some(draft.first_sequence) != queue.last_sequence.checked_add(1) {
            return refuse(format!(
                "sequence {} after {}",
                draft.first_sequence, queue.last_sequence
            ));
        }
        let Some(last_sequence) = queue
            .last_sequence
            .checked_add(u64::from(draft.event_count))
        else {
            return refuse(String::from("no sequences are left"));
        };
        queue.last_sequence = last_sequence;
        queue.last_number += 1;
        queue.queued.frames += 1;
        queue.queued.bytes += frame_span(draft.body.len());
        let number = queue.last_number;
        let was_empty = queue.pending.is_empty();
        queue.pending.push_back(Pending { number, draft });
        drop(queue);
        // Nobody waits while something is queued, and waking nobody is still a system call.
        if was_empty {
            self.wake.notify_one();
        }
        Ok(number)
    }

    pub(crate) fn durable(&self) -> Durable {
        // Two loads may see two different groups; each value on its own is true.
        Durable {
            frame: self.durable_frame.load(Ordering::Acquire),
            sequence: self.durable_sequence.load(Ordering::Acquire),
        }
    }

    pub(crate) fn queued(&self) -> Queued {
        self.hold().queued
    }

    pub(crate) fn spare_body(&self) -> Vec<u8> {
        self.hold().pool.pop().unwrap_or_default()
    }

    /// Takes what is queued, at least one frame and then up to `bytes_max`.
    pub(crate) fn take(&self, bytes_max: u64) -> Result<Vec<Pending>, Stopped> {
        let mut queue = self.hold();
        if let Some(stopped) = &queue.stopped {
            return Err(stopped.clone());
        }
        let mut bytes = 0;
        let fits = |pending: &&Pending| {
            bytes += frame_span(pending.draft.body.len());
            bytes <= bytes_max
        };
        let fitting = queue.pending.iter().take_while(fits).count();
        let count = fitting.max(1).min(queue.pending.len());
        Ok(queue.pending.drain(..count).collect())
    }

    /// The number for a frame that the flusher itself writes; `None` if the writer has appended something since.
    pub(crate) fn number_of_seal(&self) -> Result<Option<u64>, Stopped> {
        let mut queue = self.hold();
        if let Some(stopped) = &queue.stopped {
            return Err(stopped.clone());
        }
        if queue.queued.frames > 0 {
            return Ok(None);
        }
        queue.last_number += 1;
        Ok(Some(queue.last_number))
    }

    pub(crate) fn set_durable(&self, durable: Durable) {
        self.durable_sequence
            .store(durable.sequence, Ordering::Release);
        self.durable_frame.store(durable.frame, Ordering::Release);
    }

    /// Gives back what `take` gave, after it has become durable.
    pub(crate) fn settle(&self, batch: Vec<Pending>) {
        let mut queue = self.hold();
        for Pending { draft, .. } in batch {
            queue.queued.frames = queue.queued.frames.saturating_sub(1);
            queue.queued.bytes = queue
                .queued
                .bytes
                .saturating_sub(frame_span(draft.body.len()));
            let mut body = draft.body;
            let worth = (1..=POOL_BODY_BYTES_MAX).contains(&body.capacity());
            if worth && queue.pool.len() < POOL_BODIES_MAX {
                body.clear();
                queue.pool.push(body);
            }
        }
    }

    /// Stops for ever; the first cause stays.
    pub(crate) fn stop(&self, cause: Stopped) -> Stopped {
        let mut queue = self.hold();
        let cause = queue.stopped.get_or_insert(cause).clone();
        drop(queue);
        self.wake.notify_all();
        cause
    }

    /// Stops with `Closed` if nothing has been appended since everything became durable.
    pub(crate) fn close_if_idle(&self) -> Result<Option<u64>, Stopped> {
        let mut queue = self.hold();
        if let Some(stopped) = &queue.stopped {
            return Err(stopped.clone());
        }
        if queue.queued.frames > 0 {
            return Ok(None);
        }
        queue.stopped = Some(Stopped::Closed);
        queue.last_number += 1;
        let number = queue.last_number;
        drop(queue);
        self.wake.notify_all();
        Ok(Some(number))
    }

    /// A fault while closing: it beats `Closed`.
    pub(crate) fn stop_closing(&self, cause: Stopped) -> Stopped {
        self.hold().stopped = Some(cause.clone());
        cause
    }

    pub(crate) fn stopped(&self) -> Option<Stopped> {
        self.hold().stopped.clone()
    }

    /// Says that no more drafts will come, so that a waiting flusher wakes.
    pub(crate) fn abandon(&self) {
        self.hold().abandoned = true;
        self.wake.notify_all();
    }

    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let idle = |queue: &mut Queue| {
            queue.pending.is_empty() && queue.stopped.is_none() && !queue.abandoned
        };
        let (queue, _) = self
            .wake
            .wait_timeout_while(self.hold(), timeout, idle)
            .unwrap_or_else(PoisonError::into_inner);
        !queue.pending.is_empty() && queue.stopped.is_none()
    }
}
