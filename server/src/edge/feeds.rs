//! How many read events: those that wait, and those that read files or decode at the same time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;

/// Streams and long polls at once.
const FOLLOWERS_MAX: usize = 4096;
/// Pieces of the log that are read at the same time.
const PIECES_MAX: usize = 8;

/// The places of readers of events.
pub(crate) struct Feeds {
    followers: Arc<Semaphore>,
    pieces: Arc<Semaphore>,
}

impl Default for Feeds {
    fn default() -> Feeds {
        Feeds {
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
            pieces: Arc::new(Semaphore::new(PIECES_MAX)),
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

    /// The turn to read one piece; it is soon there.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = Arc::clone(&self.pieces).acquire_owned().await;
        turn.map_err(|_| Failure::internal())
    }
}
