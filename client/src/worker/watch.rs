//! What the worker tells its owner: whether the server is there, what was lost, what was refused.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::wire::RunState;

/// Something worth telling.
#[derive(Clone, Debug)]
pub enum Event {
    /// The server stopped answering; told once until it is back.
    Away(Error),
    /// The server answers again.
    Back,
    /// An attempt's end is accepted.
    Finished {
        /// The run.
        run_id: String,
        /// Where it stands now.
        state: RunState,
    },
    /// A lease ended, or could not be kept, while its handler was at work.
    Lost {
        /// The run.
        run_id: String,
    },
    /// An attempt's end was refused.
    Refused {
        /// The run.
        run_id: String,
        /// The stable code.
        code: String,
        /// Text for people.
        message: String,
    },
}

/// Passes events on and remembers whether the server is there.
#[derive(Clone)]
pub(crate) struct Watch {
    observer: Arc<dyn Fn(Event) + Send + Sync>,
    away: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn new(observer: Arc<dyn Fn(Event) + Send + Sync>) -> Watch {
        Watch {
            observer,
            away: Arc::default(),
        }
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.observer)(event);
    }

    /// The server did not answer.
    pub(crate) fn away(&self, error: &Error) {
        if !self.away.swap(true, Ordering::Relaxed) {
            self.tell(Event::Away(error.clone()));
        }
    }

    /// The server answered.
    pub(crate) fn back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            self.tell(Event::Back);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("away", &self.away)
            .finish_non_exhaustive()
    }
}
