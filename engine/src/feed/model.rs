//! What all readers of events share.
//! Owns: frames in memory, the pulse, what is known of runs.
//! Never: holds up the writer or the flusher for a reader; shows what is not durable.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mainstay_core::{RunId, TaskId, TenantId};
use mainstay_log::Draft;
use mainstay_store::Reader;
use tokio::sync::watch;

use super::ask::FeedError;
use super::frame::{KeptFrame, Told};
use super::ring::{STRETCH_BYTES, Stretch, Stretches};
use super::source::Source;
use super::tasks::{Tasks, stored_task};
use super::watch::{EventWatch, Pulse};
use crate::writer::Plant;

/// Frames that are kept after somebody has listened.
const CREDIT: u32 = 50_000;
/// Frames handed to a reader at once.
const FRAMES_MAX: usize = 256;

/// The feed of one engine.
pub(crate) struct Feed {
    source: Box<dyn Source>,
    /// Frames that are still kept for whoever listened last.
    credit: AtomicU32,
    newest: Mutex<Stretch>,
    read: Mutex<Stretches>,
    tasks: Mutex<Tasks>,
    rows: Mutex<Option<Box<dyn Reader>>>,
    /// One reader at a time reads files.
    turn: Mutex<()>,
    pulse: watch::Sender<Pulse>,
    /// A planted bug: what is queued is told.
    tells_early: AtomicBool,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Feed").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreadable(error: &mainstay_log::OpenError) -> FeedError {
    FeedError::Unreadable(error.to_string())
}

impl Feed {
    pub(crate) fn new(source: Box<dyn Source>) -> Feed {
        Feed {
            source,
            credit: AtomicU32::new(0),
            newest: Mutex::default(),
            read: Mutex::default(),
            tasks: Mutex::default(),
            rows: Mutex::default(),
            turn: Mutex::default(),
            pulse: watch::Sender::new(Pulse::default()),
            tells_early: AtomicBool::new(false),
        }
    }

    /// Where rows that have left memory are looked up.
    pub(crate) fn set_rows(&self, rows: Box<dyn Reader>) {
        *lock(&self.rows) = Some(rows);
    }

    pub(crate) fn plant(&self, plant: Plant) {
        self.tells_early
            .store(plant.feed_before_durable, Ordering::Relaxed);
    }

    pub(super) fn tells_early(&self) -> bool {
        self.tells_early.load(Ordering::Relaxed)
    }

    /// Whether the event after this one is among the newest, so that no file need be read.
    pub(super) fn is_near(&self, cursor: u64) -> bool {
        lock(&self.newest).holds(cursor.saturating_add(1))
    }

    /// The writer's side: a copy of a frame about to be appended, while somebody listens.
    pub(crate) fn copy(&self, draft: &Draft) -> Option<KeptFrame> {
        match self.credit.load(Ordering::Relaxed) {
            0 => None,
            // A reader may set it anew at the same time: then one more or one less is kept.
            left => {
                self.credit.store(left - 1, Ordering::Relaxed);
                if left == 1 {
                    lock(&self.newest).clear();
                    return None;
                }
                KeptFrame::copy(
                    draft.first_sequence,
                    draft.event_count,
                    draft.wall_ms,
                    &draft.body,
                )
            }
        }
    }

    /// The log has taken that frame. It is shown once it is durable.
    pub(crate) fn keep(&self, frame: KeptFrame) {
        lock(&self.newest).append(frame);
    }

    /// Somebody reads: what is appended from now on is kept for a while.
    pub(super) fn listen(&self) {
        self.credit.store(CREDIT, Ordering::Relaxed);
    }

    /// The durable end has moved.
    pub(crate) fn moved(&self, durable: u64) {
        self.pulse
            .send_modify(|pulse| pulse.durable = pulse.durable.max(durable));
    }

    /// The engine drains or has stopped: nobody waits any more.
    pub(crate) fn end_waits(&self) {
        self.pulse.send_modify(|pulse| pulse.ended = true);
    }

    pub(crate) fn watch(&self) -> EventWatch {
        EventWatch {
            pulse: self.pulse.subscribe(),
        }
    }

    /// The oldest cursor that works.
    pub(crate) fn oldest_cursor(&self) -> Result<u64, FeedError> {
        let oldest = self.source.oldest().map_err(|error| unreadable(&error))?;
        Ok(oldest.saturating_sub(1))
    }

    /// Frames from the one that holds event `sequence` on, which is durable. From memory if they are there, else from the log.
    pub(super) fn frames(
        &self,
        sequence: u64,
        durable: u64,
    ) -> Result<Vec<Arc<KeptFrame>>, FeedError> {
        let newest = lock(&self.newest).from(sequence, FRAMES_MAX);
        if !newest.is_empty() {
            return Ok(newest);
        }
        let read = lock(&self.read).from(sequence, FRAMES_MAX);
        if !read.is_empty() {
            return Ok(read);
        }
        let _turn = lock(&self.turn);
        // Whoever had the turn before may have read just this.
        let read = lock(&self.read).from(sequence, FRAMES_MAX);
        if !read.is_empty() {
            return Ok(read);
        }
        let stretch = self.read_stretch(sequence, durable)?;
        let frames = stretch.from(sequence, FRAMES_MAX);
        lock(&self.read).add(stretch);
        Ok(frames)
    }

    /// Reads from the log what follows, durable events only.
    fn read_stretch(&self, sequence: u64, durable: u64) -> Result<Stretch, FeedError> {
        let mut stretch = Stretch::default();
        let mut begins = None;
        let read = self.source.read(sequence, &mut |frame| {
            let (first, events) = (frame.first_sequence, frame.event_count);
            let Some(kept) = KeptFrame::copy(first, events, frame.wall_ms, frame.body) else {
                return std::ops::ControlFlow::Continue(());
            };
            begins.get_or_insert(first);
            let enough = stretch.bytes() >= STRETCH_BYTES;
            // A gap: what lies between was trimmed while this was read.
            if enough || kept.last > durable || stretch.misses(&kept) {
                return std::ops::ControlFlow::Break(());
            }
            stretch.push(Arc::new(kept));
            std::ops::ControlFlow::Continue(())
        });
        read.map_err(|error| unreadable(&error))?;
        if let Some(first) = begins.filter(|first| *first > sequence) {
            return Err(FeedError::Expired { oldest: first - 1 });
        }
        if !stretch.is_empty() {
            return Ok(stretch);
        }
        let oldest = self.oldest_cursor()?;
        if oldest >= sequence {
            return Err(FeedError::Expired { oldest });
        }
        let what = format!("event {sequence} is durable but not there");
        Err(FeedError::Unreadable(what))
    }

    /// Remembers the runs of a frame that is read for the first time.
    pub(super) fn learn(&self, told: &Told) {
        lock(&self.tasks).learn(told);
    }

    /// The task of a run: remembered, or looked up in the store, or by `ask`.
    pub(super) fn task_of(
        &self,
        tenant: TenantId,
        run: RunId,
        ask: &dyn Fn() -> Option<TaskId>,
    ) -> Option<TaskId> {
        if let Some(known) = lock(&self.tasks).find(tenant, run) {
            return known;
        }
        let stored = lock(&self.rows)
            .as_deref_mut()
            .and_then(|rows| stored_task(rows, tenant, run));
        let found = stored.or_else(ask);
        lock(&self.tasks).note(tenant, run, found);
        found
    }
}
