//! An open engine with its two threads: one decides, one makes durable.
//! Owns: threads, clocks, entropy, start and end of a process life.
//! Never: ends the process it lives in; a storage fault poisons the handle.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mainstay_core::{Answer, Query, RunId, RunView, Submitted, TaskSpec, TenantId};
use mainstay_log::{Cut, Flush, Log, Options, RealDisk, Stopped};

use crate::call::CallError;
use crate::clock::Raw;
use crate::handle::{Handle, SubmitError};
use crate::open;
use crate::shared::Shared;
use crate::worker::WorkerBuilder;
use crate::writer::Writer;

/// The cause that an orderly shutdown leaves behind.
pub(crate) const SHUT_DOWN: &str = "shut down";
/// How long the log is idle before its last group is sealed.
const SEAL_AFTER: Duration = Duration::from_millis(20);
/// How long an idle thread sleeps at most.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Why an engine did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory cannot be used or made.
    #[error("the data directory {directory}: {error}")]
    Directory {
        /// Its path.
        directory: String,
        /// The operating system's word.
        #[source]
        error: std::io::Error,
    },
    /// The log did not open: held, damaged, not understood, or an error of the disk.
    #[error(transparent)]
    Log(#[from] mainstay_log::OpenError),
    /// No entropy or no thread could be had from the operating system.
    #[error("the operating system refused {what}: {error}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// Its word.
        error: String,
    },
}

/// What opening found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The last event.
    pub sequence: u64,
    /// Events replayed.
    pub events: u64,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Whether the directory was new.
    pub fresh: bool,
    /// Whether the last process stopped in order.
    pub was_clean: bool,
    /// A torn tail that was cut and kept aside.
    pub cut: Option<Cut>,
    /// The number of this process life.
    pub incarnation: u64,
}

/// How an engine is opened.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    log: Options,
}

impl EngineOptions {
    /// Bytes of one log segment; 64 MiB unless set.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> EngineOptions {
        self.log.segment_bytes = bytes;
        self
    }

    /// Who opens the directory; shown to whoever finds it held.
    #[must_use]
    pub fn holder(mut self, holder: impl Into<String>) -> EngineOptions {
        self.log.holder = holder.into();
        self
    }

    /// Opens a data directory, making it when there is none.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(self, directory: impl AsRef<Path>) -> Result<Engine, OpenError> {
        let directory = directory.as_ref();
        let named = |error| OpenError::Directory {
            directory: directory.display().to_string(),
            error,
        };
        let disk = RealDisk::open(directory).map_err(named)?;
        let started = Instant::now();
        let mut entropy = [0; 64];
        let mut seed = [0; 8];
        getrandom::fill(&mut entropy)
            .and_then(|()| getrandom::fill(&mut seed))
            .map_err(|error| OpenError::System {
                what: "entropy",
                error: error.to_string(),
            })?;
        let opening = open::open(disk, self.log, read_clocks(), entropy)?;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let recovered = Recovered {
            sequence: opening.recovery.last_sequence,
            events: opening.recovery.events,
            ms,
            fresh: opening.recovery.fresh,
            was_clean: opening.recovery.was_clean,
            cut: opening.recovery.cut.clone(),
            incarnation: opening.identity.incarnation,
        };
        let handle = opening.handle;
        handle
            .shared()
            .counters
            .recovery_ms
            .store(ms, Ordering::Relaxed);
        let closing = Arc::new(AtomicBool::new(false));
        let writer = spawn("mainstay-writer", {
            let (shared, writer) = (Arc::clone(handle.shared()), opening.writer);
            move || write(writer, &shared, u64::from_le_bytes(seed))
        })?;
        let flusher = spawn("mainstay-flusher", {
            let (shared, flusher, closing) = (
                Arc::clone(handle.shared()),
                opening.flusher,
                Arc::clone(&closing),
            );
            move || flush(flusher, &shared, &closing)
        })?;
        Ok(Engine {
            handle,
            recovered,
            closing,
            writer: Some(writer),
            flusher: Some(flusher),
        })
    }
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, OpenError> {
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body);
    spawned.map_err(|error| OpenError::System {
        what: "a thread",
        error: error.to_string(),
    })
}

/// Reads both clocks. The steady one goes on while the machine sleeps.
fn read_clocks() -> Raw {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let steady = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let steady_ms = u64::try_from(steady.tv_sec).unwrap_or(0) * 1000
        + u64::try_from(steady.tv_nsec).unwrap_or(0) / 1_000_000;
    Raw {
        wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
        steady_ms,
    }
}

/// The writer's thread.
fn write<L: Log>(mut writer: Writer<L>, shared: &Shared, mut seed: u64) {
    let _end = OnPanic(shared);
    loop {
        // A Weyl sequence: the machine mixes each seed, so distinct ones are enough.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let Ok(turn) = writer.turn(read_clocks(), seed) else {
            return;
        };
        if writer.end_if_stopped() || turn.done {
            return;
        }
        while writer.is_full() && !shared.is_stopped() {
            shared.wait_for_change(Duration::from_millis(20));
        }
        let sleep = turn
            .next_in_ms
            .map_or(SLEEP_MAX, |ms| Duration::from_millis(ms).min(SLEEP_MAX));
        shared.inbox.wait(sleep);
    }
}

/// A thread that panics takes the engine with it: nobody may wait for an answer that no thread will give.
struct OnPanic<'a>(&'a Shared);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let cause = "a thread of the engine panicked";
            self.0.set_stopped(cause);
            self.0.release.fail(cause);
            for request in self.0.inbox.close() {
                request.refuse(cause);
            }
        }
    }
}

/// The flusher's thread.
fn flush<F: Flush>(mut flusher: F, shared: &Shared, closing: &AtomicBool) -> Result<(), Stopped> {
    let _end = OnPanic(shared);
    let mut sealed = false;
    loop {
        let queued = flusher.wait(if sealed { SLEEP_MAX } else { SEAL_AFTER });
        let flushed = if queued {
            sealed = false;
            flusher.flush()
        } else if closing.load(Ordering::Acquire) || shared.is_stopped() {
            let closed = flusher.close();
            shared.set_log_stats(flusher.stats());
            open::settle_close(shared, &closed);
            return closed;
        } else {
            sealed = true;
            flusher.seal()
        };
        shared.set_log_stats(flusher.stats());
        open::settle(shared, &flushed);
        flushed?;
    }
}

/// An open data directory. Dropping it shuts it down in order.
pub struct Engine {
    handle: Handle,
    recovered: Recovered,
    closing: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
    flusher: Option<JoinHandle<Result<(), Stopped>>>,
}

impl Engine {
    /// Opens a data directory with the defaults, making it when there is none.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(directory: impl AsRef<Path>) -> Result<Engine, OpenError> {
        Engine::options().open(directory)
    }

    /// Options to open with.
    #[must_use]
    pub fn options() -> EngineOptions {
        let holder = format!("process {}", std::process::id());
        EngineOptions::default().holder(holder)
    }

    /// A way to talk to it; clone it freely.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// What opening found.
    #[must_use]
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Submits a task and waits until it is durable.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn submit(&self, task: impl Into<TaskSpec>) -> Result<Submitted, SubmitError> {
        self.handle.submit(task)
    }

    /// A worker in this process for a queue.
    #[must_use]
    pub fn worker(&self, queue: &str) -> WorkerBuilder {
        WorkerBuilder::new(self.handle(), queue)
    }

    /// Blocks until a run has ended.
    ///
    /// # Errors
    /// [`CallError`]; also when there is no such run, as `Stopped`.
    pub fn wait_until_done(&self, run: RunId) -> Result<Box<RunView>, CallError> {
        let mut pause = Duration::from_millis(1);
        loop {
            match self
                .handle
                .ask(TenantId::DEFAULT, Query::Run(run))
                .wait()?
                .value
            {
                Answer::Run(view) if view.state.is_terminal() => return Ok(view),
                Answer::Run(_) => {}
                _ => {
                    return Err(CallError::Stopped {
                        cause: format!("there is no run {run}"),
                    });
                }
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Stops granting work and answers parked claims, waits for handlers in this process up to `drain`, makes everything durable and
    /// closes the log.
    ///
    /// # Errors
    /// The storage fault that ended the log before.
    pub fn shutdown(mut self, drain: Duration) -> Result<(), Stopped> {
        self.handle.drain();
        let until = Instant::now() + drain;
        while self.handle.shared().jobs() > 0 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.end()
    }

    fn end(&mut self) -> Result<(), Stopped> {
        let shared = Arc::clone(self.handle.shared());
        self.handle.stop();
        if let Some(writer) = self.writer.take() {
            writer.join().ok();
        }
        // Only now: a flusher that closed earlier would refuse the writer's last frame.
        self.closing.store(true, Ordering::Release);
        let closed = match self.flusher.take() {
            Some(flusher) => flusher.join().unwrap_or(Err(Stopped::Closed)),
            None => Ok(()),
        };
        shared.set_stopped(SHUT_DOWN);
        for request in shared.inbox.close() {
            drop(request);
        }
        closed
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.writer.is_some() {
            self.end().ok();
        }
    }
}
