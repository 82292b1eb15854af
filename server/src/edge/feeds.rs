//! How many read events: those that wait, and those that read files or decode at the same time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;

/// Streams and long polls at once.
const FOLLOWERS_MAX: usize = 4096;
/// Pieces that are read from memory at the same time.
const NEAR_MAX: usize = 8;
/// Pieces that are read from files at the same time: one reads, one stands ready.
const FAR_MAX: usize = 2;

/// The places of readers of events.
pub(crate) struct Feeds {
    followers: Arc<Semaphore>,
    near: Arc<Semaphore>,
    far: Arc<Semaphore>,
}

impl Default for Feeds {
    fn default() -> Feeds {
        Feeds {
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
            near: Arc::new(Semaphore::new(NEAR_MAX)),
            far: Arc::new(Semaphore::new(FAR_MAX)),
        }
    }
}

impl Feeds {
    /// A place for one more that follows.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let place = Arc::clone(&self.followers).try_acquire_owned();
        place.map_err(|_| {
            Failure::new("busy", "too many follow the events").text("limit", "event_followers")
        })
    }

    /// How many follow.
    pub(crate) fn count(&self) -> usize {
        FOLLOWERS_MAX.saturating_sub(self.followers.available_permits())
    }

    /// The turn to read one piece; it is soon there. Who keeps up does not wait for those who are far behind.
    pub(crate) async fn turn(&self, is_near: bool) -> Result<OwnedSemaphorePermit, Failure> {
        let turns = if is_near { &self.near } else { &self.far };
        let turn = Arc::clone(turns).acquire_owned().await;
        turn.map_err(|_| Failure::internal())
    }
}
