//! When a failed call is tried again, and after how long.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::Error;

/// The first delay between two tries.
const FIRST: Duration = Duration::from_millis(50);
/// The longest delay between two tries, whatever the server asks for.
const LONGEST: Duration = Duration::from_secs(2);

/// Whether a call that may have had its effect may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice is the same as once: reads, calls with an idempotency key or a token.
    Safe,
    /// Only when it certainly had no effect.
    UnlessUncertain,
}

/// The tries of one call.
pub(crate) struct Tries {
    repeat: Repeat,
    give_up_at: Option<Instant>,
    backoff: Backoff,
}

impl Tries {
    /// Tries for as long as `patience` lasts.
    pub(crate) fn new(repeat: Repeat, patience: Duration) -> Tries {
        Tries {
            repeat,
            give_up_at: Instant::now().checked_add(patience),
            backoff: Backoff::new(),
        }
    }

    /// The delay before the next try, or `None` when this error is final.
    pub(crate) fn after(&mut self, error: &Error) -> Option<Duration> {
        let again = error.is_not_now() || (self.repeat == Repeat::Safe && error.is_uncertain());
        if !again {
            return None;
        }
        let delay = self.backoff.next(error.retry_after());
        match self.give_up_at {
            Some(at) if Instant::now() + delay > at => None,
            _ => Some(delay),
        }
    }
}

/// Growing delays with jitter, so that many clients of a server that comes back do not arrive together.
pub(crate) struct Backoff {
    tries: u32,
    random: RandomState,
}

impl Backoff {
    /// Delays from the first one.
    pub(crate) fn new() -> Backoff {
        Backoff {
            tries: 0,
            random: RandomState::new(),
        }
    }

    /// The next delay: between half and the whole of the grown one, and not less than the server asks for within bounds.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.tries.min(8)).min(LONGEST);
        self.tries += 1;
        let half = whole / 2;
        let span = half.as_micros() as u64 + 1;
        let grown = half + Duration::from_micros(self.random.hash_one(self.tries) % span);
        grown.max(asked.unwrap_or_default().min(LONGEST))
    }

    /// The next delay is the first again.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Error {
        Error::Transport {
            message: "connection refused".into(),
            definite: true,
        }
    }

    fn uncertain() -> Error {
        Error::Transport {
            message: "connection reset".into(),
            definite: false,
        }
    }

    #[test]
    fn delays_grow_and_stay_bounded() {
        let mut backoff = Backoff::new();
        let delays: Vec<_> = (0..12).map(|_| backoff.next(None)).collect();
        assert!(delays[0] >= FIRST / 2 && delays[0] <= FIRST);
        assert!(delays[11] >= LONGEST / 2 && delays[11] <= LONGEST);
        assert!(backoff.next(Some(Duration::from_secs(3600))) <= LONGEST);
    }

    #[test]
    fn an_uncertain_end_is_repeated_only_where_twice_is_once() {
        let hour = Duration::from_secs(3600);
        assert!(Tries::new(Repeat::Safe, hour).after(&uncertain()).is_some());
        assert!(
            Tries::new(Repeat::UnlessUncertain, hour)
                .after(&uncertain())
                .is_none()
        );
        assert!(
            Tries::new(Repeat::UnlessUncertain, hour)
                .after(&away())
                .is_some()
        );
    }

    #[test]
    fn without_patience_the_first_error_is_final() {
        assert!(
            Tries::new(Repeat::Safe, Duration::ZERO)
                .after(&away())
                .is_none()
        );
    }
}
