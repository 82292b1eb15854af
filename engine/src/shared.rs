//! What the handles, the writer and the flusher share.
//! Owns: the engine's status and durable position as callers see them.
//! Never: holds state of the machine.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use mainstay_log::{Durable, LogStats};
use mainstay_store::Library;

use crate::backlog::Backlog;
use crate::call::CallError;
use crate::feed::{Feed, Source};
use crate::inbox::{Inbox, Request};
use crate::metrics::Counters;
use crate::operations::Bell;
use crate::reads::Fetches;
use crate::release::Release;
use crate::space::Space;
use crate::token::TokenKey;

/// Whether the engine serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything works.
    Ready,
    /// No work is granted any more; everything else still works.
    Draining,
    /// It started on a full disk: everything can be read, nothing changed, until there is room.
    ReadOnly {
        /// What had no room.
        cause: String,
    },
    /// A storage fault, or a shutdown, ended all writing.
    Stopped {
        /// What happened.
        cause: String,
    },
}

struct LogView {
    stats: LogStats,
    sync_sum_us: u64,
}

/// Shared by everything that belongs to one open engine.
pub(crate) struct Shared {
    pub(crate) inbox: Inbox,
    pub(crate) release: Release,
    pub(crate) feed: Feed,
    pub(crate) backlog: Backlog,
    pub(crate) fetches: Fetches,
    pub(crate) space: Space,
    /// Wakes the runner of operations.
    pub(crate) operations: Bell,
    /// Events up to here are in two verified snapshots.
    pub(crate) verified: AtomicU64,
    /// And in a store that no power cut takes back: the log need not keep them.
    pub(crate) snapped: AtomicU64,
    pub(crate) counters: Counters,
    /// Moves whenever who may do what changes, before anybody hears of it.
    pub(crate) platform: AtomicU64,
    pub(crate) tokens: TokenKey,
    pub(crate) log_id: String,
    library: OnceLock<Arc<Library>>,
    directory: OnceLock<PathBuf>,
    last_note: Mutex<Option<String>>,
    status: Mutex<Status>,
    changed: Condvar,
    log: Mutex<LogView>,
    sequence: AtomicU64,
    frame: AtomicU64,
    jobs: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        tokens: TokenKey,
        log_id: String,
        space: Space,
        source: Box<dyn Source>,
    ) -> Shared {
        Shared {
            inbox: Inbox::default(),
            release: Release::default(),
            feed: Feed::new(source),
            backlog: Backlog::default(),
            fetches: Fetches::default(),
            space,
            operations: Bell::default(),
            verified: AtomicU64::new(0),
            snapped: AtomicU64::new(0),
            counters: Counters::default(),
            platform: AtomicU64::new(0),
            tokens,
            log_id,
            library: OnceLock::new(),
            directory: OnceLock::new(),
            last_note: Mutex::new(None),
            status: Mutex::new(Status::Ready),
            changed: Condvar::new(),
            log: Mutex::new(LogView {
                stats: LogStats::default(),
                sync_sum_us: 0,
            }),
            sequence: AtomicU64::new(0),
            frame: AtomicU64::new(0),
            jobs: AtomicUsize::new(0),
        }
    }

    pub(crate) fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    pub(crate) fn set_draining(&self) {
        let mut status = lock(&self.status);
        if *status == Status::Ready {
            *status = Status::Draining;
        }
        drop(status);
        self.feed.end_waits();
    }

    /// It can be read, not changed, for want of room.
    pub(crate) fn set_read_only(&self, cause: &str) {
        *lock(&self.status) = Status::ReadOnly {
            cause: cause.to_owned(),
        };
    }

    /// There is room again.
    pub(crate) fn set_ready(&self) {
        let mut status = lock(&self.status);
        if matches!(*status, Status::ReadOnly { .. }) {
            *status = Status::Ready;
        }
    }

    /// The first cause stands; whoever waits for room or for the end wakes up.
    pub(crate) fn set_stopped(&self, cause: &str) {
        let mut status = lock(&self.status);
        if !matches!(*status, Status::Stopped { .. }) {
            *status = Status::Stopped {
                cause: cause.to_owned(),
            };
        }
        drop(status);
        self.changed.notify_all();
        self.feed.end_waits();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        matches!(*lock(&self.status), Status::Stopped { .. })
    }

    /// A part of the engine has failed: everybody who waits hears of it, and nothing goes on.
    pub(crate) fn fail(&self, cause: &str) {
        self.set_stopped(cause);
        self.release.fail(cause);
        self.close_store(cause);
        // The writer may sleep; it answers everybody who still waits.
        self.inbox.push_always(Request::Drain);
    }

    /// The same when nobody is left to answer who still asks.
    pub(crate) fn end(&self, cause: &str) {
        self.fail(cause);
        for request in self.inbox.close() {
            request.refuse(cause);
        }
    }

    /// Nothing more is fetched from the store or committed to it.
    pub(crate) fn close_store(&self, cause: &str) {
        for parked in self.fetches.close() {
            parked.fail(cause);
        }
        self.backlog.close();
        self.operations.ring();
    }

    /// The reading room over the store's file; a simulation has none.
    pub(crate) fn set_library(&self, library: Arc<Library>) {
        self.library.set(library).ok();
    }

    pub(crate) fn library(&self) -> Option<Arc<Library>> {
        self.library.get().cloned()
    }

    /// The data directory; a simulation has none.
    pub(crate) fn set_directory(&self, directory: PathBuf) {
        self.directory.set(directory).ok();
    }

    pub(crate) fn directory(&self) -> Option<PathBuf> {
        self.directory.get().cloned()
    }

    /// Keeps the last thing that went wrong without harm, for whoever asks.
    pub(crate) fn note(&self, what: String) {
        *lock(&self.last_note) = Some(what);
    }

    /// The last thing that went wrong without harm.
    pub(crate) fn last_note(&self) -> Option<String> {
        lock(&self.last_note).clone()
    }

    /// Waits until the log has moved or stopped, at most so long.
    pub(crate) fn wait_for_change(&self, timeout: Duration) {
        let status = lock(&self.status);
        if !matches!(*status, Status::Stopped { .. }) {
            drop(self.changed.wait_timeout(status, timeout));
        }
    }

    /// What a caller hears whose work has no room.
    pub(crate) fn no_room(&self) -> CallError {
        CallError::StorageFull {
            free_bytes: self.space.free_bytes(),
            needed_bytes: self.space.low_water_bytes(),
        }
    }

    /// The log is durable up to here.
    pub(crate) fn set_durable(&self, durable: Durable) {
        self.sequence.fetch_max(durable.sequence, Ordering::Release);
        self.frame.fetch_max(durable.frame, Ordering::Release);
        self.feed.moved(durable.sequence);
    }

    /// Wakes whoever waits for room in the log.
    pub(crate) fn notify_room(&self) {
        self.changed.notify_all();
    }

    pub(crate) fn durable_sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// Answers whose frames are durable leave; grants that nobody took go back to the writer.
    pub(crate) fn release(&self, durable_frame: u64) {
        for request in self.release.up_to(durable_frame, &self.fetches) {
            self.inbox.push_always(request);
        }
        self.backlog.stir();
    }

    /// A thread in this process begins to claim or to work.
    pub(crate) fn begin_job(&self) {
        self.jobs.fetch_add(1, Ordering::AcqRel);
    }

    /// It has reported, or got nothing.
    pub(crate) fn end_job(&self) {
        self.jobs.fetch_sub(1, Ordering::AcqRel);
    }

    /// Threads in this process that claim or work.
    pub(crate) fn jobs(&self) -> usize {
        self.jobs.load(Ordering::Acquire)
    }

    pub(crate) fn set_log_stats(&self, stats: LogStats) {
        let mut log = lock(&self.log);
        if stats.syncs > log.stats.syncs {
            log.sync_sum_us += stats.last_sync_micros;
        }
        log.stats = stats;
    }

    pub(crate) fn log_stats(&self) -> (LogStats, u64) {
        let log = lock(&self.log);
        (log.stats.clone(), log.sync_sum_us)
    }
}
