//! Heartbeat: a lease is kept alive in memory; only a long renewal is a fact.
//! Owns: renewals.
//! Never: revives a lease whose end is a fact.

use super::consume::direct;
use super::finish::held;
use super::model::Row;
use crate::command::HeartbeatItem;
use crate::event::LeaseExtended;
use crate::limits;
use crate::machine::{Tx, reach};
use crate::outcome::{Beat, Outcome};
use crate::rejection::Rejection;
use crate::state::Renewal;
use crate::time::{Steady, Timestamp};
use crate::{Bytes, dependency};

/// Decides a heartbeat.
pub(crate) fn decide(tx: &mut Tx<'_>, beat: &HeartbeatItem) -> Result<Outcome, Rejection> {
    check(beat)?;
    let (run, row) = held(tx, beat.run, beat.fence)?;
    let lost = || Rejection::LeaseLost { run: beat.run };
    let (task, active) = (row.task, row.active.as_deref().ok_or_else(lost)?);
    let lease_ms = beat.lease_ms.unwrap_or(active.lease_ms);
    // Nobody waits for the end of an attempt that has not begun: the run is as good as canceled.
    if active.idle && dependency::fence(tx.state(), task).is_some() {
        return Err(lost());
    }
    if let Some(actor) = active.actor {
        tx.heard(actor);
    }
    reach(tx, task);
    let expires_at = renew(tx, run, lease_ms, beat.progress.clone());
    let directive = direct(tx, run);
    Ok(Outcome::Beat(Beat {
        expires_at,
        directive,
    }))
}

/// Keeps a lease for so long from now on, and gives its end. A renewal never shortens what was granted, be it recorded or renewed in
/// memory.
pub(super) fn renew(
    tx: &mut Tx<'_>,
    run: u32,
    lease_ms: u64,
    progress: Option<Bytes>,
) -> Timestamp {
    let renewed = tx.volatile().renewals.get(&run);
    let row = &tx.state().runs[run];
    let (granted, granted_at) = ends(tx, row, renewed);
    let (id, recorded) = (
        row.id,
        row.active.as_ref().map_or(granted, |held| held.expires),
    );
    let asked = tx.now.steady.plus_ms(lease_ms);
    let expires = asked.max(granted);
    let expires_at = tx.now.wall.plus_ms(lease_ms).max(granted_at);
    let progress = progress.or_else(|| renewed?.progress.clone());
    if asked.since_ms(recorded) > limits::RENEWAL_EVENT_MS {
        tx.emit(LeaseExtended { run: id, lease_ms });
    }
    let updated_at = tx.now.wall;
    tx.renew(
        run,
        Renewal {
            expires,
            expires_at,
            updated_at,
            progress,
        },
    );
    expires_at
}

/// When the lease on a run truly ends, on both clocks: as recorded, or as renewed in memory. Now when nobody holds it.
fn ends(tx: &Tx<'_>, row: &Row, renewed: Option<&Renewal>) -> (Steady, Timestamp) {
    let Some(active) = row.active.as_deref() else {
        return (tx.now.steady, tx.now.wall);
    };
    let recorded = (active.expires, active.expires_at);
    renewed.map_or(recorded, |renewed| {
        (
            renewed.expires.max(recorded.0),
            renewed.expires_at.max(recorded.1),
        )
    })
}

/// The same on the wall clock, for a run that was just granted or is held.
pub(super) fn ends_at(tx: &Tx<'_>, run: u32) -> Timestamp {
    let renewed = tx.volatile().renewals.get(&run);
    ends(tx, &tx.state().runs[run], renewed).1
}

fn check(beat: &HeartbeatItem) -> Result<(), Rejection> {
    limits::check_lease_ms(beat.lease_ms)?;
    let note = beat.progress.as_ref();
    if note.is_some_and(|note| note.len() > limits::PROGRESS_BYTES_MAX) {
        return Err(Rejection::LimitExceeded {
            limit: "progress_bytes",
            value: limits::PROGRESS_BYTES_MAX as u64,
        });
    }
    Ok(())
}
