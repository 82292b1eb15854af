//! Room on the disk: below the low-water mark new work is refused, while everything that moves work on goes on.
//! Owns: the watch over free space and the gate that follows from it.
//! Never: refuses a finish, a heartbeat or a cancel.

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The part of the reserve that may be written before free space is asked for again.
const SPEND_PART: u64 = 16;
/// How often free space is asked for at most.
const LOOK_EVERY: Duration = Duration::from_millis(250);

type Probe = Box<dyn Fn() -> std::io::Result<u64> + Send + Sync>;

/// The watch over free space.
#[derive(Default)]
pub(crate) struct Space {
    probe: Option<Probe>,
    low_water_bytes: u64,
    free_bytes: AtomicU64,
    short: AtomicBool,
    store_full: AtomicBool,
    looked: Mutex<Option<Instant>>,
    /// Bytes written since free space was last asked for.
    spent: AtomicU64,
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("low_water_bytes", &self.low_water_bytes)
            .field("free_bytes", &self.free_bytes)
            .finish_non_exhaustive()
    }
}

impl Space {
    pub(crate) fn new(probe: Probe, low_water_bytes: u64) -> Space {
        let space = Space {
            probe: Some(probe),
            low_water_bytes,
            ..Space::default()
        };
        space.look();
        space
    }

    /// So many bytes were just written. A good part of the reserve is never spent without asking what is left.
    pub(crate) fn spend(&self, bytes: u64) {
        let spent = self.spent.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if spent >= self.low_water_bytes / SPEND_PART {
            self.ask();
        }
    }

    /// Asks how much room there is, unless that was asked a moment ago.
    pub(crate) fn look(&self) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            *looked = Some(Instant::now());
            drop(looked);
            self.ask();
        }
    }

    fn ask(&self) {
        let Some(probe) = &self.probe else { return };
        self.spent.store(0, Ordering::Relaxed);
        if let Ok(free) = probe() {
            self.free_bytes.store(free, Ordering::Relaxed);
            let short = free < self.low_water_bytes;
            self.short.store(short, Ordering::Relaxed);
        }
    }

    /// The store had no room for its last commit, or has again.
    pub(crate) fn set_store_full(&self, full: bool) {
        self.store_full.store(full, Ordering::Relaxed);
    }

    /// Whether new work is refused for want of room.
    pub(crate) fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed) || self.store_full.load(Ordering::Relaxed)
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn low_water_bytes(&self) -> u64 {
        self.low_water_bytes
    }
}
