//! Keeps all held leases alive with one batch of heartbeats each time one is due.

use std::time::{Duration, Instant};

use super::Signal;
use super::live::Live;
use super::watch::{Event, Watch};
use crate::retry::Backoff;
use crate::wire::{Beat, Directive, Heartbeat};
use crate::{Client, Error};

/// The least time between two batches.
const PAUSE: Duration = Duration::from_millis(100);
/// Heartbeats of one request.
const BATCH: usize = 10_000;

/// Sends heartbeats until it is dropped.
pub(crate) async fn keep(client: Client, live: Live, watch: Watch) {
    let mut backoff = Backoff::new();
    let mut not_before = Instant::now();
    loop {
        for run_id in live.lose_silent(Instant::now()) {
            watch.tell(Event::Lost { run_id });
        }
        let Some(due) = live.beat_at() else {
            live.added().await;
            continue;
        };
        let due = due.max(not_before);
        if due > Instant::now() {
            // A lease that goes silent is told in time even when the next try is later.
            let until = live.lost_at().map_or(due, |lost| due.min(lost));
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => {}
                () = live.added() => {}
            }
            continue;
        }
        match beat(&client, &live, &watch).await {
            Ok(()) => {
                watch.back();
                backoff.reset();
                // A lease that was named but not confirmed is due still: not at once again.
                not_before = Instant::now() + PAUSE;
            }
            Err(error) => {
                watch.away(&error);
                not_before = Instant::now() + backoff.next(error.retry_after());
            }
        }
    }
}

/// Renews every lease that still counts.
async fn beat(client: &Client, live: &Live, watch: &Watch) -> Result<(), Error> {
    let beats = live.beats();
    // Waiting longer than this for an answer would cost the shortest lease.
    let timeout = live.shortest().unwrap_or_default() / 4;
    let timeout = timeout.clamp(Duration::from_millis(250), Duration::from_secs(10));
    let client = client.with_timeout(timeout).with_patience(Duration::ZERO);
    for chunk in beats.chunks(BATCH) {
        let item = |(run_id, token, lease_ms): &'_ (String, String, u64)| Heartbeat {
            run_id: Some(run_id.clone().into()),
            token: token.clone().into(),
            lease_ms: Some(*lease_ms),
            ..Heartbeat::default()
        };
        let items: Vec<_> = chunk.iter().map(item).collect();
        let sent = Instant::now();
        let results = client.heartbeat_many(&items).await?;
        for ((_, token, _), result) in chunk.iter().zip(&results) {
            take(live, watch, token, sent, result);
        }
    }
    Ok(())
}

fn take(live: &Live, watch: &Watch, token: &str, sent: Instant, result: &Beat) {
    match result.error.as_deref() {
        None => live.confirm(token, sent, of_directive(result.directive)),
        Some("lease_lost" | "run_not_found" | "unknown_run") => {
            if let Some(run_id) = live.lose(token) {
                watch.tell(Event::Lost { run_id });
            }
        }
        // Not confirmed: it is tried again, and counts as lost when that goes on.
        Some(_) => {}
    }
}

fn of_directive(directive: Option<Directive>) -> Signal {
    match directive {
        Some(Directive::Cancel) => Signal::Cancel,
        Some(Directive::Suspend) => Signal::Suspend,
        Some(Directive::Continue | Directive::Drain) | None => Signal::Continue,
    }
}
