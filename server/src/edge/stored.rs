//! Reading what is stored: how far a caller may expect it to reach, and how many read at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mainstay::store::Library;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::exchange::Exchange;
use super::failure::Failure;

/// How long a list waits for the store before it answers with what is there.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);
/// How long a read waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(1);
/// Places for the last write acknowledged to a key.
const PLACES: usize = 256;
/// Reads of lists at the same time.
const LISTS_MAX: usize = 32;
/// Questions in SQL at the same time: each may keep a core busy.
const QUERIES_MAX: usize = 4;
/// Reads that wait for the store at the same time.
const WAITS_MAX: usize = 64;

/// What is shared by all that read from the store.
pub(crate) struct Stored {
    lists: Arc<Semaphore>,
    queries: Arc<Semaphore>,
    waits: Arc<Semaphore>,
    backups: Arc<Semaphore>,
    verifies: Arc<Semaphore>,
    /// By a hash of the key's name. Keys that share a place wait for each other's writes, never too little.
    acknowledged: [AtomicU64; PLACES],
}

impl Stored {
    /// `recovered` is the last event of the lives before: it may have been acknowledged to anybody, and the store may still lack it.
    pub(crate) fn new(recovered: u64) -> Stored {
        Stored {
            lists: Arc::new(Semaphore::new(LISTS_MAX)),
            queries: Arc::new(Semaphore::new(QUERIES_MAX)),
            waits: Arc::new(Semaphore::new(WAITS_MAX)),
            backups: Arc::new(Semaphore::new(1)),
            verifies: Arc::new(Semaphore::new(1)),
            acknowledged: std::array::from_fn(|_| AtomicU64::new(recovered)),
        }
    }

    /// A write was acknowledged to a key.
    pub(crate) fn acknowledge(&self, key: &str, sequence: u64) {
        self.place(key).fetch_max(sequence, Ordering::AcqRel);
    }

    /// The last write acknowledged to a key.
    pub(crate) fn acknowledged(&self, key: &str) -> u64 {
        self.place(key).load(Ordering::Acquire)
    }

    /// The right to make a backup, which one caller has at a time.
    pub(crate) fn backup_turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = Arc::clone(&self.backups).try_acquire_owned();
        turn.map_err(|_| too_many("backups"))
    }

    /// The right to verify the audit trail, which one caller has at a time.
    pub(crate) fn verify_turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = Arc::clone(&self.verifies).try_acquire_owned();
        turn.map_err(|_| too_many("verifications"))
    }

    fn place(&self, key: &str) -> &AtomicU64 {
        // FNV-1a: names of keys are random text.
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        &self.acknowledged[hash as usize % PLACES]
    }
}

/// What reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A page of a list.
    List,
    /// A question in SQL.
    Query,
}

/// What was read.
pub(crate) struct Read<T> {
    pub(crate) value: T,
    /// Whether the store could not catch up with what the caller may expect.
    pub(crate) stale: bool,
}

impl Exchange {
    /// Reads from the store on a thread of its own, once the store holds what was acknowledged to this key, or did not catch up.
    pub(crate) async fn read_stored<T: Send + 'static>(
        &self,
        reading: Reading,
        read: impl FnOnce(&Library) -> T + Send + 'static,
    ) -> Result<Read<T>, Failure> {
        self.read_stored_at(reading, 0, read).await
    }

    /// The same, once the store also holds this event.
    pub(crate) async fn read_stored_at<T: Send + 'static>(
        &self,
        reading: Reading,
        sequence: u64,
        read: impl FnOnce(&Library) -> T + Send + 'static,
    ) -> Result<Read<T>, Failure> {
        let library = self
            .handle()
            .library()
            .ok_or_else(|| Failure::not_ready("without a store"))?;
        let stale = !self.caught_up(Arc::clone(&library), sequence).await;
        let turn = self.turn(reading).await?;
        let value = spawn_blocking(move || {
            let value = read(&library);
            drop(turn);
            value
        });
        let value = value.await.map_err(|_| Failure::internal())?;
        Ok(Read { value, stale })
    }

    /// Whether the store holds what this caller may expect; it is given a second to.
    async fn caught_up(&self, library: Arc<Library>, sequence: u64) -> bool {
        let stored = &self.edge.stored;
        let wanted = stored
            .acknowledged(&self.principal.name)
            .max(self.wait_for.unwrap_or(0))
            .max(sequence);
        // Only what stands in memory: the file is read on a thread that may wait, never on one that serves everybody.
        if self.handle().stored() >= wanted {
            return true;
        }
        let until = Instant::now() + CATCH_UP_MAX;
        let turn = timeout(CATCH_UP_MAX, Arc::clone(&stored.waits).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return false;
        };
        let handle = self.handle().clone();
        let waited = spawn_blocking(move || {
            let left = until.saturating_duration_since(Instant::now());
            // An engine that can only read does not tell how far its store is.
            let caught_up = handle.wait_stored(wanted, left) || library.checkpoint() >= wanted;
            drop(turn);
            caught_up
        });
        waited.await.unwrap_or(false)
    }

    async fn turn(&self, reading: Reading) -> Result<OwnedSemaphorePermit, Failure> {
        let stored = &self.edge.stored;
        let (turns, limit) = match reading {
            Reading::List => (&stored.lists, "lists"),
            Reading::Query => (&stored.queries, "queries"),
        };
        let turn = timeout(TURN_MAX, Arc::clone(turns).acquire_owned()).await;
        turn.ok()
            .and_then(Result::ok)
            .ok_or_else(|| too_many(limit))
    }
}

fn too_many(limit: &'static str) -> Failure {
    Failure::new("busy", format!("too much work in progress: {limit}")).text("limit", limit)
}

#[cfg(test)]
mod tests {
    use super::Stored;

    #[test]
    fn each_key_is_remembered_with_its_last_write() {
        let stored = Stored::new(5);
        stored.acknowledge("ada", 7);
        stored.acknowledge("ada", 3);
        assert_eq!(stored.acknowledged("ada"), 7);
        assert_eq!(
            stored.acknowledged("bob"),
            5,
            "what an earlier life wrote may be bob's"
        );
    }
}
