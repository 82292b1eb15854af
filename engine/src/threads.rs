//! The threads of an open engine: one decides, one makes durable, one keeps the store, one reads it, one writes snapshots.
//! Owns: what each thread waits for, and how one that fails takes the engine with it.
//! Never: decides anything about tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mainstay_core::Timestamp;
use mainstay_log::{Disk, Flush, Log, Stopped};
use mainstay_store::StoreError;

use crate::clock::Raw;
use crate::engine::OpenError;
use crate::open;
use crate::recovery::Settings;
use crate::shared::Shared;
use crate::snapshot::Snapper;
use crate::writer::Writer;

/// How long the log is idle before its last group is sealed.
const SEAL_AFTER: Duration = Duration::from_millis(20);
/// How long an idle thread sleeps at most.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// How often the age of segments is looked at.
const TRIM_EVERY: Duration = Duration::from_secs(600);

pub(crate) fn spawn<T: Send + 'static>(
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

/// The wall clock, milliseconds since the Unix epoch.
pub(crate) fn wall_ms() -> u64 {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)
}

/// Reads both clocks. The steady one goes on while the machine sleeps.
pub(crate) fn read_clocks() -> Raw {
    let steady = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let steady_ms = u64::try_from(steady.tv_sec).unwrap_or(0) * 1000
        + u64::try_from(steady.tv_nsec).unwrap_or(0) / 1_000_000;
    Raw {
        wall_ms: wall_ms(),
        steady_ms,
    }
}

/// The writer's thread.
pub(crate) fn write<L: Log>(mut writer: Writer<L>, shared: &Shared, mut seed: u64) {
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
            self.0.end("a thread of the engine panicked");
        }
    }
}

/// The flusher's thread.
pub(crate) fn flush<F: Flush>(
    mut flusher: F,
    shared: &Shared,
    closing: &AtomicBool,
    settings: &Settings,
) -> Result<(), Stopped> {
    let _end = OnPanic(shared);
    let mut sealed = false;
    let mut trim = TrimWatch::default();
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
        if trim.is_due(shared, flusher.stats().rolls) {
            let snapped = shared.snapped.load(Ordering::Acquire);
            let trimmed = flusher.trim(&settings.trim(snapped, Timestamp(wall_ms())));
            shared.set_log_stats(flusher.stats());
            trim.more = trimmed.as_ref().is_ok_and(|trimmed| trimmed.segments > 0);
            if let Err(stopped) = trimmed {
                open::settle(shared, &Err(stopped.clone()));
                return Err(stopped);
            }
        }
    }
}

/// When the log may have something to give up: a new snapshot, a new segment, or enough time.
#[derive(Default)]
struct TrimWatch {
    snapped: u64,
    rolls: u64,
    at: Option<Instant>,
    more: bool,
}

impl TrimWatch {
    fn is_due(&mut self, shared: &Shared, rolls: u64) -> bool {
        let snapped = shared.snapped.load(Ordering::Acquire);
        let changed = (snapped, rolls) != (self.snapped, self.rolls) || self.more;
        let late = self.at.is_none_or(|at| at.elapsed() >= TRIM_EVERY);
        if snapped == 0 || !(changed || late) {
            return false;
        }
        (self.snapped, self.rolls) = (snapped, rolls);
        self.at = Some(Instant::now());
        true
    }
}

/// The thread of what works on the store: it ends the engine when the store fails.
pub(crate) fn tend(
    shared: &Shared,
    body: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let _end = OnPanic(shared);
    let ended = body();
    if let Err(error) = &ended {
        shared.fail(&error.to_string());
    }
    ended
}

/// The snapshots' thread.
pub(crate) fn snapshots<D: Disk>(mut snapper: Snapper<D>, shared: &Arc<Shared>) {
    let _end = OnPanic(shared);
    while !shared.is_stopped() && !shared.backlog.is_closed() {
        if snapper.is_due()
            && let Err(reason) = snapper.write()
        {
            shared.note(reason);
        }
        let next = shared.backlog.stored() + 1;
        // It wakes when the store has moved; whether a snapshot is due then takes no time to see.
        if !shared.backlog.wait_stored(next, SLEEP_MAX) {
            continue;
        }
    }
}
