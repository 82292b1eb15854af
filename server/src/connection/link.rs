//! What a connection's socket, its requests and its watchdog know of each other.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};

use super::outgoing::{Place, walk};
use crate::config::Config;
use crate::edge::Grants;

/// How long a closing connection waits for its peer to have read the last answer.
const LINGER_MAX: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Open, not a byte yet.
    Opened,
    /// Part of a request's head is there.
    Head,
    /// A request is being worked on or answered.
    Serving,
    /// Between requests.
    Idle,
    /// The last answer is out; the peer may still read it.
    Closing,
}

/// An answer that is on its way into the socket.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// Bytes of its body on this connection.
    pub(crate) length: usize,
    /// Leases that go back unless all of it gets out.
    grants: Option<Grants>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// Requests begun whose answers are not out whole.
    in_flight: usize,
    answers: VecDeque<Outbound>,
    place: Place,
    stalled: Option<Instant>,
}

/// Shared by a connection's stream, its service and its watchdog, all of which run in one task.
#[derive(Debug)]
pub(crate) struct Link {
    state: Mutex<State>,
    peer: IpAddr,
}

impl Link {
    pub(crate) fn new(peer: IpAddr) -> Link {
        Link {
            peer,
            state: Mutex::new(State {
                phase: Phase::Opened,
                since: Instant::now(),
                in_flight: 0,
                answers: VecDeque::new(),
                place: Place::Start,
                stalled: None,
            }),
        }
    }

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> IpAddr {
        self.peer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds this lock; if it did, the numbers would still be numbers.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes have come in.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.in_flight == 0 && matches!(state.phase, Phase::Opened | Phase::Idle) {
            state.enter(Phase::Head);
        }
    }

    /// A request's head is complete.
    pub(crate) fn serving(&self) {
        let mut state = self.state();
        state.in_flight += 1;
        state.enter(Phase::Serving);
    }

    /// A request's answer is handed to the protocol: this many bytes of body, and the grants in it.
    pub(crate) fn answering(&self, length: usize, grants: Option<Grants>) {
        self.state().answers.push_back(Outbound { length, grants });
    }

    /// How many leading bytes of `bytes` belong to answers of ours. What follows them the protocol made up by itself.
    pub(super) fn ours(&self, bytes: &[u8]) -> usize {
        let state = self.state();
        walk(state.place, bytes, &state.answers).consumed
    }

    /// The socket has taken these bytes.
    pub(super) fn sent(&self, bytes: &[u8]) {
        let delivered: Vec<Outbound> = {
            let mut state = self.state();
            state.stalled = None;
            let walked = walk(state.place, bytes, &state.answers);
            state.place = walked.place;
            state.in_flight = state.in_flight.saturating_sub(walked.finished);
            if walked.finished > 0 && state.in_flight == 0 {
                state.enter(Phase::Idle);
            }
            state.answers.drain(..walked.finished).collect()
        };
        for answer in delivered {
            if let Some(grants) = answer.grants {
                grants.delivered();
            }
        }
    }

    /// The socket takes nothing at the moment.
    pub(super) fn stalled(&self) {
        let mut state = self.state();
        if state.stalled.is_none() {
            state.stalled = Some(Instant::now());
        }
    }

    /// Nothing is held back.
    pub(super) fn flushed(&self) {
        self.state().stalled = None;
    }

    /// The connection ends from our side. Whether the peer may still be reading an answer, so that closing should wait for it.
    pub(super) fn closing(&self) -> bool {
        let mut state = self.state();
        let reading = match state.phase {
            Phase::Opened => false,
            Phase::Idle => state.since.elapsed() < LINGER_MAX,
            Phase::Head | Phase::Serving | Phase::Closing => true,
        };
        if state.phase != Phase::Closing {
            state.enter(Phase::Closing);
        }
        reading
    }

    /// When this connection's patience ends, as things stand.
    pub(super) fn deadline(&self, config: &Config) -> Option<Instant> {
        let state = self.state();
        let patience = match state.phase {
            Phase::Opened => Some(config.first_byte_time_max),
            Phase::Head => Some(config.header_time_max),
            Phase::Serving => None,
            Phase::Idle => Some(config.idle_time_max),
            Phase::Closing => Some(LINGER_MAX),
        };
        let stall = state.stalled.map(|since| since + config.write_stall_max);
        let phase = patience.map(|patience| state.since + patience);
        [stall, phase].into_iter().flatten().min()
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }
}

impl Outbound {
    #[cfg(test)]
    pub(super) fn plain(length: usize) -> Outbound {
        Outbound {
            length,
            grants: None,
        }
    }
}
