//! An open engine with its two threads: one decides, one makes durable.
//! Owns: threads, clocks, entropy, start and end of a process life.
//! Never: ends the process it lives in; a storage fault poisons the handle.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mainstay_core::{Answer, Query, RunId, RunView, Submitted, TaskSpec, TenantId};
use mainstay_log::{Cut, Options, RealDisk, Stopped};
use mainstay_store::{Retention, Unsearched};

use crate::call::CallError;
use crate::handle::{CommandError, Handle};
use crate::open::Opening;
use crate::ops;
use crate::recovery::{Progress, Settings};
use crate::shelf::FileShelf;
use crate::start::{Start, Threads, lock};
use crate::worker::WorkerBuilder;

/// The cause that an orderly shutdown leaves behind.
pub(crate) const SHUT_DOWN: &str = "shut down";
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// The event from which the state was read from the log because the store could not be used, 0 for the first; `None` when the store
    /// was the base.
    pub rebuilt_from: Option<u64>,
    /// What was wrong on the way, for people.
    pub notes: Vec<String>,
}

/// How an engine is opened.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    log: Options,
    settings: Settings,
    unsearched: Unsearched,
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

    /// How much of the log is kept beyond what recovery needs: so many bytes, and those only until they are so old; 1 GiB and 7 days
    /// unless set. An age of 0 keeps the bytes whatever their age.
    #[must_use]
    pub fn log_retain(mut self, bytes: u64, age_ms: u64) -> EngineOptions {
        self.settings.log_retain_bytes = bytes;
        self.settings.log_retain_ms = age_ms;
        self
    }

    /// What finished work is kept: 30 days and 64 GiB unless set.
    #[must_use]
    pub fn history(mut self, retention: Retention) -> EngineOptions {
        self.settings.retention = retention;
        self
    }

    /// Queues whose work is not found by its text; none unless set.
    #[must_use]
    pub fn unsearched(mut self, queues: Unsearched) -> EngineOptions {
        self.unsearched = queues;
        self
    }

    /// Bytes of payloads above 64 bytes that stay in memory beside the store; 64 MiB unless set.
    #[must_use]
    pub fn payload_cache_bytes(mut self, bytes: u64) -> EngineOptions {
        self.settings.payload_cache_bytes = bytes;
        self
    }

    /// Free bytes on the disk below which new work is refused; 256 MiB unless set.
    #[must_use]
    pub fn low_water_bytes(mut self, bytes: u64) -> EngineOptions {
        self.settings.low_water_bytes = bytes;
        self
    }

    /// Rows changed and not yet in the store beyond which new work is refused; 400,000 unless set. It bounds the tail that a start has to read after a crash.
    #[must_use]
    pub fn store_lag_rows(mut self, rows: u64) -> EngineOptions {
        self.settings.store_lag_rows = rows;
        self
    }

    /// Bytes of log between two snapshots at least; 256 MiB unless set.
    #[must_use]
    pub fn snapshot_every_bytes(mut self, bytes: u64) -> EngineOptions {
        self.settings.snapshot_every_bytes = bytes;
        self
    }

    /// Opens a data directory, making it when there is none.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(self, directory: impl AsRef<Path>) -> Result<Engine, OpenError> {
        self.open_telling(directory, &mut |_| {})
    }

    /// The same; `listener` hears of progress when recovery takes long.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_telling(
        self,
        directory: impl AsRef<Path>,
        listener: &mut dyn FnMut(Progress),
    ) -> Result<Engine, OpenError> {
        let directory = directory.as_ref();
        let named = |error| OpenError::Directory {
            directory: directory.display().to_string(),
            error,
        };
        let disk = RealDisk::open(directory).map_err(named)?;
        ops::expect_finished(directory)?;
        let started = Instant::now();
        let mut entropy = [0; 64];
        let mut seed = [0; 8];
        getrandom::fill(&mut entropy)
            .and_then(|()| getrandom::fill(&mut seed))
            .map_err(|error| OpenError::System {
                what: "entropy",
                error: error.to_string(),
            })?;
        let start = Start {
            home: std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()),
            shelf: FileShelf::new(directory, self.unsearched),
            disk,
            log: self.log,
            settings: self.settings,
            entropy,
            seed: u64::from_le_bytes(seed),
        };
        match start.open(None, listener) {
            Err(full) if full.is_full() => start.read_only(full),
            Err(error) => Err(error.into()),
            Ok(opening) => {
                let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                Engine::run(&start, opening, ms)
            }
        }
    }
}

/// An open data directory. Dropping it shuts it down in order.
pub struct Engine {
    handle: Handle,
    recovered: Recovered,
    /// The threads; none yet after a start that may only read.
    threads: Arc<Mutex<Option<Threads>>>,
    /// Serves what can be read until there is room.
    waiting: Option<JoinHandle<()>>,
}

impl Engine {
    /// Gives an opened engine its threads.
    fn run(start: &Start, opening: Opening<RealDisk>, ms: u64) -> Result<Engine, OpenError> {
        let handle = opening.handle.clone();
        let recovered = Recovered {
            sequence: opening
                .recovery
                .last_sequence
                .max(opening.writer.machine().sequence()),
            events: opening.recovery.events,
            ms,
            fresh: opening.recovery.fresh,
            was_clean: opening.recovery.was_clean,
            cut: opening.recovery.cut.clone(),
            incarnation: opening.identity.incarnation,
            rebuilt_from: opening.rebuilt_from,
            notes: opening.notes.clone(),
        };
        let threads = start.run(opening, ms)?;
        Ok(Engine {
            handle,
            recovered,
            threads: Arc::new(Mutex::new(Some(threads))),
            waiting: None,
        })
    }

    /// An engine that answers from what could be read, and goes on in full once there is room.
    pub(crate) fn reading(
        handle: Handle,
        sequence: u64,
        threads: Arc<Mutex<Option<Threads>>>,
        waiting: JoinHandle<()>,
    ) -> Engine {
        let recovered = Recovered {
            sequence,
            ..Recovered::default()
        };
        Engine {
            handle,
            recovered,
            threads,
            waiting: Some(waiting),
        }
    }

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
        let program = std::env::current_exe();
        let name = program
            .ok()
            .and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
        let holder = name.unwrap_or_else(|| "a program".to_owned());
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
    /// [`CommandError`].
    pub fn submit(&self, task: impl Into<TaskSpec>) -> Result<Submitted, CommandError> {
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
        if let Some(waiting) = self.waiting.take() {
            waiting.join().ok();
        }
        let threads = lock(&self.threads).take();
        let closed = threads.map_or(Ok(()), |threads| threads.end(&shared));
        shared.set_stopped(SHUT_DOWN);
        for request in shared.inbox.close() {
            request.refuse(SHUT_DOWN);
        }
        closed
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.waiting.is_some() || lock(&self.threads).is_some() {
            self.end().ok();
        }
    }
}
