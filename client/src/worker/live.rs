//! The leases that are held now, and when each was last confirmed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::Signal;
use crate::wire;

/// The held leases by token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    held: Arc<Mutex<BTreeMap<String, Held>>>,
    added: Arc<Notify>,
}

/// One held lease.
#[derive(Debug)]
struct Held {
    run_id: String,
    lease: Duration,
    /// When the last request that the server confirmed was sent.
    contact: Instant,
    signal: watch::Sender<Signal>,
}

impl Held {
    fn is_lost(&self) -> bool {
        *self.signal.borrow() == Signal::Lost
    }

    /// From here on nobody can be sure that the lease still holds.
    fn lost_at(&self) -> Instant {
        self.contact + self.lease * 2 / 3
    }

    fn signal(&self, signal: Signal) {
        self.signal.send_if_modified(|current| {
            // Lost is final, and a cancel is not taken back by a suspend.
            let changes = match (*current, signal) {
                (Signal::Lost, _) | (_, Signal::Continue) | (Signal::Cancel, Signal::Suspend) => {
                    false
                }
                (current, next) => current != next,
            };
            if changes {
                *current = signal;
            }
            changes
        });
    }
}

impl Live {
    /// Holds a lease that was just granted.
    pub(crate) fn add(&self, grant: &wire::Lease, now: Instant) -> watch::Receiver<Signal> {
        let (signal, receiver) = watch::channel(Signal::Continue);
        let lease = Duration::from_millis(grant.lease_ms.max(1));
        let held = Held {
            run_id: grant.run_id.clone(),
            lease,
            contact: now,
            signal,
        };
        self.lock().insert(grant.token.clone(), held);
        self.added.notify_one();
        receiver
    }

    /// Holds it no longer.
    pub(crate) fn remove(&self, token: &str) {
        self.lock().remove(token);
    }

    /// Whether any lease is held, be its handler at work or its end on the way.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// How many leases are held.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Waits until a lease is added.
    pub(crate) async fn added(&self) {
        self.added.notified().await;
    }

    /// When the next heartbeat is due: a third of the shortest lease after its last confirmation.
    pub(crate) fn beat_at(&self) -> Option<Instant> {
        self.lock()
            .values()
            .filter(|held| !held.is_lost())
            .map(|held| held.contact + held.lease / 3)
            .min()
    }

    /// When the next lease counts as lost unless confirmed before.
    pub(crate) fn lost_at(&self) -> Option<Instant> {
        self.lock()
            .values()
            .filter(|held| !held.is_lost())
            .map(Held::lost_at)
            .min()
    }

    /// The shortest lease that still counts.
    pub(crate) fn shortest(&self) -> Option<Duration> {
        self.lock()
            .values()
            .filter(|held| !held.is_lost())
            .map(|held| held.lease)
            .min()
    }

    /// What a heartbeat batch names: (run, token, lease) of every lease that still counts.
    pub(crate) fn beats(&self) -> Vec<(String, String, u64)> {
        let held = self.lock();
        let counting = held.iter().filter(|(_, held)| !held.is_lost());
        let ms = |held: &Held| u64::try_from(held.lease.as_millis()).unwrap_or(u64::MAX);
        counting
            .map(|(token, held)| (held.run_id.clone(), token.clone(), ms(held)))
            .collect()
    }

    /// The server confirmed the lease by an answer to a request sent at `sent`.
    pub(crate) fn confirm(&self, token: &str, sent: Instant, signal: Signal) {
        if let Some(held) = self.lock().get_mut(token) {
            held.contact = sent;
            held.signal(signal);
        }
    }

    /// The server says that the lease is another's; the run's id when that is news.
    pub(crate) fn lose(&self, token: &str) -> Option<String> {
        let held = self.lock();
        let held = held.get(token).filter(|held| !held.is_lost())?;
        held.signal(Signal::Lost);
        Some(held.run_id.clone())
    }

    /// Counts leases without contact for two thirds of their time as lost; their runs' ids.
    pub(crate) fn lose_silent(&self, now: Instant) -> Vec<String> {
        let held = self.lock();
        let silent = held
            .values()
            .filter(|held| !held.is_lost() && held.lost_at() <= now);
        let silent = silent.map(|held| {
            held.signal(Signal::Lost);
            held.run_id.clone()
        });
        silent.collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        // A panic elsewhere leaves the map whole: every change to it is a single act.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(token: &str, lease_ms: u64) -> wire::Lease {
        let text = format!(
            r#"{{"run_id":"run-{token}","task_id":"t","attempt_id":"a","attempt":1,"token":"{token}","kind":"k","queue":"q",
            "content_type":"application/json","expires_at":"2030-01-01T00:00:00Z","lease_ms":{lease_ms},
            "metadata":{{"tags":[],"priority":0}}}}"#
        );
        serde_json::from_str(&text).expect("a grant")
    }

    #[test]
    fn a_lease_is_renewed_after_a_third_and_lost_after_two_thirds_of_its_time() {
        let live = Live::default();
        let start = Instant::now();
        let signal = live.add(&grant("t", 3000), start);
        assert_eq!(live.beat_at(), Some(start + Duration::from_secs(1)));
        assert!(
            live.lose_silent(start + Duration::from_millis(1999))
                .is_empty()
        );
        live.confirm("t", start + Duration::from_secs(1), Signal::Continue);
        assert!(live.lose_silent(start + Duration::from_secs(2)).is_empty());
        assert_eq!(live.lose_silent(start + Duration::from_secs(3)), ["run-t"]);
        assert_eq!(*signal.borrow(), Signal::Lost);
        assert!(live.beats().is_empty() && live.beat_at().is_none() && !live.is_empty());
    }

    #[test]
    fn a_cancel_is_not_taken_back_and_lost_is_final() {
        let live = Live::default();
        let start = Instant::now();
        let signal = live.add(&grant("t", 3000), start);
        live.confirm("t", start, Signal::Suspend);
        assert_eq!(*signal.borrow(), Signal::Suspend);
        live.confirm("t", start, Signal::Cancel);
        live.confirm("t", start, Signal::Suspend);
        assert_eq!(*signal.borrow(), Signal::Cancel);
        assert_eq!(live.lose("t"), Some("run-t".to_owned()));
        assert_eq!(live.lose("t"), None);
        live.confirm("t", start, Signal::Cancel);
        assert_eq!(*signal.borrow(), Signal::Lost);
    }
}
