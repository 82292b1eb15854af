//! A start on a real disk: in full when there is room, else reading only until there is.
//! Owns: what every try needs, and the threads that come of one that succeeds.
//! Never: gives up a directory for want of room.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use mainstay_log::{Disk, Options, RealDisk, Stopped};

use crate::Handle;
use crate::engine::{Engine, OpenError};
use crate::open::{self, Opening};
use crate::read_only::{Ended, ReadOnly};
use crate::recovery::{Progress, Settings};
use crate::shared::Shared;
use crate::shelf::FileShelf;
use crate::threads::{self, read_clocks, spawn};
use crate::{keeper, operations, reads};

/// Segments' worth of room that a full start waits for: the open one is written anew, and one is kept ready.
const SEGMENTS_NEEDED: u64 = 2;

/// The threads of an open engine.
pub(crate) struct Threads {
    closing: Arc<AtomicBool>,
    writer: JoinHandle<()>,
    flusher: JoinHandle<Result<(), Stopped>>,
    store: Vec<JoinHandle<()>>,
}

pub(crate) fn lock(threads: &Mutex<Option<Threads>>) -> MutexGuard<'_, Option<Threads>> {
    threads.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Threads {
    /// Lets them end in order; the writer has been told to stop.
    pub(crate) fn end(self, shared: &Shared) -> Result<(), Stopped> {
        self.writer.join().ok();
        // Only now: a flusher that closed earlier would refuse the writer's last frame.
        self.closing.store(true, Ordering::Release);
        let closed = self.flusher.join().unwrap_or(Err(Stopped::Closed));
        // The keeper commits what is durable now, and ends.
        shared.close_store("the engine is shutting down");
        for thread in self.store {
            thread.join().ok();
        }
        closed
    }
}

/// Everything a start needs, as often as it is tried.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) home: PathBuf,
    pub(crate) shelf: FileShelf,
    pub(crate) disk: RealDisk,
    pub(crate) log: Options,
    pub(crate) settings: Settings,
    pub(crate) entropy: [u8; 64],
    pub(crate) seed: u64,
}

impl Start {
    /// Tries a full start.
    pub(crate) fn open(
        &self,
        known: Option<Arc<Shared>>,
        listener: &mut dyn FnMut(Progress),
    ) -> Result<Opening<RealDisk>, mainstay_log::OpenError> {
        let mut shelf = self.shelf.clone();
        let (disk, log) = (self.disk.clone(), self.log.clone());
        open::open_as(
            known,
            disk,
            log,
            &self.settings,
            &mut shelf,
            listener,
            read_clocks(),
            self.entropy,
        )
    }

    /// Gives an opened engine its threads.
    pub(crate) fn run(&self, opening: Opening<RealDisk>, ms: u64) -> Result<Threads, OpenError> {
        let shared = Arc::clone(opening.handle.shared());
        shared.counters.recovery_ms.store(ms, Ordering::Relaxed);
        self.furnish(&shared);
        let seed = self.seed;
        let closing = Arc::new(AtomicBool::new(false));
        let writer = spawn("mainstay-writer", {
            let (shared, writer) = (Arc::clone(&shared), opening.writer);
            move || threads::write(writer, &shared, seed)
        })?;
        let flusher = spawn("mainstay-flusher", {
            let (shared, flusher) = (Arc::clone(&shared), opening.flusher);
            let (closing, settings) = (Arc::clone(&closing), self.settings.clone());
            move || threads::flush(flusher, &shared, &closing, &settings)
        })?;
        let keeper = spawn("mainstay-keeper", {
            let (shared, keeper) = (Arc::clone(&shared), opening.keeper);
            move || drop(threads::tend(&shared, || keeper::keep(keeper)))
        })?;
        let reads = spawn("mainstay-reader", {
            let (shared, reads) = (Arc::clone(&shared), opening.reads);
            move || drop(threads::tend(&shared, || reads::read(reads)))
        })?;
        let snapper = spawn("mainstay-snap", {
            let (shared, snapper) = (Arc::clone(&shared), opening.snapper);
            move || threads::snapshots(snapper, &shared)
        })?;
        let operations = spawn("mainstay-operate", {
            let shared = Arc::clone(&shared);
            move || operations::run(shared)
        })?;
        Ok(Threads {
            closing,
            writer,
            flusher,
            store: vec![keeper, reads, snapper, operations],
        })
    }

    fn furnish(&self, shared: &Shared) {
        shared.set_library(self.shelf.library());
        shared.set_directory(self.home.clone());
    }

    /// Reads what is there, and serves it until there is room for a full start.
    pub(crate) fn read_only(self, full: mainstay_log::OpenError) -> Result<Engine, OpenError> {
        let looked = match ReadOnly::look(&self.disk, &self.log, &mut self.shelf.clone()) {
            // There is nothing to read yet: that there is no room to begin is what there is to say.
            Err(mainstay_log::OpenError::Missing { .. }) => return Err(full.into()),
            looked => looked?,
        };
        let shared = open::share(&self.disk, &self.settings, looked.identity());
        shared.set_read_only(&full.to_string());
        self.furnish(&shared);
        let (handle, sequence) = (Handle::new(Arc::clone(&shared)), looked.sequence());
        let threads = Arc::new(Mutex::new(None));
        let waiting = spawn("mainstay-waiting", {
            let threads = Arc::clone(&threads);
            move || self.wait(looked, &shared, &threads)
        })?;
        Ok(Engine::reading(handle, sequence, threads, waiting))
    }

    fn has_room(&self) -> bool {
        let needed = self.log.segment_bytes.saturating_mul(SEGMENTS_NEEDED);
        self.disk.free_bytes().is_ok_and(|free| free >= needed)
    }

    /// Serves, and tries a full start whenever there seems to be room.
    fn wait(
        self,
        mut looked: ReadOnly<RealDisk>,
        shared: &Arc<Shared>,
        threads: &Mutex<Option<Threads>>,
    ) {
        while looked.serve(shared) == Ended::Try {
            if !self.has_room() {
                continue;
            }
            drop(looked); // its lock, for the start that follows
            let opened = self.open(Some(Arc::clone(shared)), &mut |_| {});
            let error = match opened {
                Ok(opening) => match self.run(opening, 0) {
                    Ok(running) => {
                        *lock(threads) = Some(running);
                        shared.set_ready();
                        return;
                    }
                    Err(error) => error.to_string(),
                },
                Err(error) if error.is_full() => {
                    match ReadOnly::look(&self.disk, &self.log, &mut self.shelf.clone()) {
                        Ok(again) => {
                            looked = again;
                            continue;
                        }
                        Err(error) => error.to_string(),
                    }
                }
                Err(error) => error.to_string(),
            };
            shared.end(&error);
            return;
        }
    }
}
