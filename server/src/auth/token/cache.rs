//! An issuer's keys as they were last seen: one fetch at a time, not too often, and good for a while when the issuer is away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::fetch::Source;
use super::issuer::TokenAlgorithm;
use super::keyset::KeySet;

/// Keys older than this are fetched again, once somebody comes with one of them.
const FRESH: Duration = Duration::from_secs(600);
/// Keys that could not be fetched again for this long are forgotten.
const GOOD: Duration = Duration::from_secs(86_400);
/// The shortest time between two fetches that brought keys: unknown names of keys bring no more.
const BETWEEN: Duration = Duration::from_secs(60);
/// The shortest time from a fetch that failed to the next.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How long a request waits for a fetch under way, when its key is not among those at hand.
const WAIT_MAX: Duration = Duration::from_secs(5);

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When they were asked for.
    came: Option<Instant>,
    /// When a fetch last began, and whether it brought keys.
    tried: Option<(Instant, bool)>,
    fetching: bool,
}

/// The keys of one issuer.
pub(super) struct KeyCache {
    issuer: String,
    source: Arc<dyn Source>,
    state: Mutex<State>,
    /// Counts fetches that have ended.
    rounds: watch::Sender<u64>,
}

impl KeyCache {
    pub(super) fn new(issuer: &str, source: Arc<dyn Source>) -> KeyCache {
        KeyCache {
            issuer: issuer.to_owned(),
            source,
            state: Mutex::default(),
            rounds: watch::Sender::new(0),
        }
    }

    /// The key of this name for this algorithm. Who may not wait gets what is at hand.
    pub(super) async fn find(
        self: &Arc<Self>,
        kid: &str,
        algorithm: TokenAlgorithm,
        may_wait: bool,
    ) -> Option<DecodingKey> {
        let mut rounds = self.rounds.subscribe();
        let (found, is_coming) = self.look(kid, algorithm, Instant::now());
        if found.is_some() || !is_coming || !may_wait {
            return found;
        }
        // Whatever comes of it, what is at hand then decides.
        let _ = timeout(WAIT_MAX, rounds.changed()).await;
        self.state().find(kid, algorithm, Instant::now())
    }

    /// What is at hand, and whether a fetch is under way. Begins one when it is due.
    pub(super) fn look(
        self: &Arc<Self>,
        kid: &str,
        algorithm: TokenAlgorithm,
        now: Instant,
    ) -> (Option<DecodingKey>, bool) {
        let mut state = self.state();
        let found = state.find(kid, algorithm, now);
        let is_old = state.came.is_none_or(|came| now - came >= FRESH);
        if (found.is_none() || is_old) && state.may_try(now) {
            state.fetching = true;
            state.tried = Some((now, false));
            tokio::spawn(Arc::clone(self).fetch());
        }
        (found, state.fetching)
    }

    async fn fetch(self: Arc<Self>) {
        let fetched = self.source.fetch().await;
        {
            let mut state = self.state();
            state.fetching = false;
            match fetched {
                Ok(keys) => {
                    state.keys = Some(Arc::new(keys));
                    // As of when they were asked for: how long the answer took makes them no younger.
                    state.came = state.tried.map(|(at, _)| at);
                    state.tried = state.came.map(|at| (at, true));
                }
                Err(cause) => {
                    let issuer = &*self.issuer;
                    tracing::warn!(issuer, cause, "an issuer's keys could not be fetched");
                }
            }
        }
        self.rounds.send_modify(|round| *round += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, kid: &str, algorithm: TokenAlgorithm, now: Instant) -> Option<DecodingKey> {
        let is_good = self.came.is_some_and(|came| now - came < GOOD);
        let keys = self.keys.as_ref().filter(|_| is_good)?;
        keys.find(kid, algorithm).cloned()
    }

    fn may_try(&self, now: Instant) -> bool {
        let pause = |(at, brought): (Instant, bool)| {
            now - at >= if brought { BETWEEN } else { AFTER_FAILURE }
        };
        !self.fetching && self.tried.is_none_or(pause)
    }
}
