//! The keeper: it alone writes to the store. It commits cuts whose events are durable, and lets retention take its pieces.
//! Owns: the order of commits, what the writer is told of them.
//! Never: commits a cut before its log is durable; goes on after a failure.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mainstay_core::{Call, Command, Principal, RunId, TenantId, Text, Timestamp};
use mainstay_store::{Retention, Store, StoreError};

use crate::call::{Durability, Pending};
use crate::inbox::Request;
use crate::shared::Shared;
use crate::writer::Plant;

/// What a step came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Whether a cut was committed.
    pub committed: bool,
    /// Whether retention has more to remove.
    pub more: bool,
    /// Whether the store found no room; what was to be committed still waits.
    pub full: bool,
}

/// Commits cuts, in order.
pub struct Keeper {
    store: Box<dyn Store>,
    shared: Arc<Shared>,
    retention: Retention,
    plant: Plant,
}

impl Keeper {
    pub(crate) fn new(
        store: Box<dyn Store>,
        shared: Arc<Shared>,
        retention: Retention,
        plant: Plant,
    ) -> Keeper {
        Keeper {
            store,
            shared,
            retention,
            plant,
        }
    }

    /// Commits what is durable.
    ///
    /// # Errors
    /// [`StoreError`]: the engine must stop; the next start rebuilds what is missing.
    pub fn commit(&mut self) -> Result<Kept, StoreError> {
        for cut in self.shared.backlog.take() {
            self.store.put(cut)?;
        }
        let before = self.store.checkpoint();
        let started = Instant::now();
        let durable = if self.plant.cut_before_durable {
            u64::MAX
        } else {
            self.shared.durable_sequence()
        };
        let after = match self.store.durable(durable) {
            Ok(after) => after,
            Err(StoreError::Full(_)) => {
                self.shared.space.set_store_full(true);
                return Ok(Kept {
                    full: true,
                    ..Kept::default()
                });
            }
            Err(error) => return Err(error),
        };
        self.shared.space.set_store_full(false);
        self.secure()?;
        if after == before {
            return Ok(Kept::default());
        }
        let rows = self.shared.backlog.rows();
        self.shared.backlog.set_stored(after);
        let counters = &self.shared.counters;
        let committed = rows.saturating_sub(self.shared.backlog.rows());
        counters.store_rows.fetch_add(committed, Ordering::Relaxed);
        counters.store_commits.fetch_add(1, Ordering::Relaxed);
        let us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        counters.store_commit_us.fetch_add(us, Ordering::Relaxed);
        self.shared.inbox.push_always(Request::Stored(after));
        Ok(Kept {
            committed: true,
            ..Kept::default()
        })
    }

    /// Lets the log give up what two snapshots hold, once a power cut cannot take it back from the store either: it alone keeps what is
    /// finished.
    fn secure(&mut self) -> Result<(), StoreError> {
        let verified = self.shared.verified.load(Ordering::Acquire);
        if verified > self.shared.snapped.load(Ordering::Acquire) {
            let safe = if self.plant.store_unsynced {
                verified
            } else {
                self.store.sync()?
            };
            let snapped = verified.min(safe);
            self.shared.snapped.store(snapped, Ordering::Release);
        }
        Ok(())
    }

    /// Removes a piece of what retention no longer keeps. True when there is more.
    ///
    /// # Errors
    /// As [`Keeper::commit`].
    pub fn retain(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let more = match self.store.retain(now, &self.retention) {
            Err(StoreError::Full(_)) => return Ok(false),
            other => other?,
        };
        for (tenant, run) in self.store.overdue() {
            self.clear(tenant, run);
        }
        Ok(more)
    }

    /// A dead letter's time is over: the log says so first, so that it is counted no more. Refused or cut off, the next pass asks again.
    fn clear(&self, tenant: TenantId, run: RunId) {
        let principal = Principal {
            tenant,
            name: Text::from("retention"),
            ..Principal::default()
        };
        let command = Command::ClearDeadLetter {
            run,
            reason: Some(Text::from("kept as long as retention says")),
        };
        let call = Box::new(Call::by(&principal, command));
        let (reply, _) = Pending::new();
        let request = Request::Call(call, Durability::default(), reply);
        self.shared.inbox.push_always(request);
    }
}

/// How often retention looks when nothing else happens.
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// How often retention takes a piece while work goes on.
const RETAIN_PAUSE: Duration = Duration::from_millis(250);

/// The keeper's thread. Ages are by recorded time, which does not follow a clock that jumps for a moment: what is removed does not come
/// back when the clock does.
pub(crate) fn keep(mut keeper: Keeper) -> Result<(), StoreError> {
    let shared = Arc::clone(&keeper.shared);
    let mut retained = Instant::now();
    let mut more = true;
    loop {
        let pause = match (more, shared.space.is_short()) {
            (true, _) => RETAIN_PAUSE,
            (false, true) => Duration::from_secs(1),
            (false, false) => RETAIN_EVERY,
        };
        let open = shared.backlog.wait(pause);
        let kept = keeper.commit()?;
        shared.space.look();
        if !open {
            return Ok(());
        }
        let due = if more { RETAIN_PAUSE } else { RETAIN_EVERY };
        if retained.elapsed() >= due {
            let recorded = shared.counters.wall_ms.load(Ordering::Relaxed);
            more = keeper.retain(Timestamp(recorded))?;
            retained = Instant::now();
        }
        if kept.full {
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
