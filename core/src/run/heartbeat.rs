//! Heartbeat: a lease is kept alive in memory; only a long renewal is a fact.
//! Owns: renewals and directives.
//! Never: revives a lease whose end is a fact.

use super::finish::held;
use super::model::Active;
use crate::command::HeartbeatItem;
use crate::event::LeaseExtended;
use crate::limits;
use crate::machine::Tx;
use crate::outcome::{Beat, Directive, Outcome};
use crate::rejection::Rejection;
use crate::state::Renewal;

/// Decides a heartbeat.
pub(crate) fn decide(tx: &mut Tx<'_>, beat: &HeartbeatItem) -> Result<Outcome, Rejection> {
    check(beat)?;
    let (run, row) = held(tx, beat.run, beat.fence)?;
    let active = row
        .active
        .as_deref()
        .ok_or(Rejection::LeaseLost { run: beat.run })?;
    let lease_ms = beat.lease_ms.unwrap_or(active.lease_ms);
    let directive = directive(active);
    // A renewal never shortens what was granted, be it recorded or renewed in memory.
    let recorded = active.expires;
    let renewal = tx.volatile().renewals.get(&run);
    let granted_at = renewal.map_or(active.expires_at, |old| {
        old.expires_at.max(active.expires_at)
    });
    let granted = tx.volatile().expires(run, recorded);
    let asked = tx.now.steady.plus_ms(lease_ms);
    let expires = asked.max(granted);
    let expires_at = tx.now.wall.plus_ms(lease_ms).max(granted_at);
    let progress = beat
        .progress
        .clone()
        .or_else(|| renewal.and_then(|old| old.progress.clone()));
    if asked.since_ms(recorded) > limits::RENEWAL_EVENT_MS {
        tx.emit(LeaseExtended {
            run: beat.run,
            lease_ms,
        });
    }
    tx.renew(
        run,
        Renewal {
            expires,
            expires_at,
            updated_at: tx.now.wall,
            progress,
        },
    );
    Ok(Outcome::Beat(Beat {
        expires_at,
        directive,
    }))
}

fn directive(active: &Active) -> Directive {
    if active.cancel.is_some() {
        Directive::Cancel
    } else if active.suspend.is_some() {
        Directive::Suspend
    } else {
        Directive::Continue
    }
}

fn check(beat: &HeartbeatItem) -> Result<(), Rejection> {
    let invalid = |field, message: &str| {
        Err(Rejection::InvalidRequest {
            field,
            message: message.into(),
        })
    };
    if beat
        .lease_ms
        .is_some_and(|ms| !(limits::LEASE_MS_MIN..=limits::LEASE_MS_MAX).contains(&ms))
    {
        return invalid("lease_ms", "must be between 1000 and 86400000");
    }
    if beat
        .progress
        .as_ref()
        .is_some_and(|note| note.len() > limits::PROGRESS_BYTES_MAX)
    {
        return Err(Rejection::LimitExceeded {
            limit: "progress_bytes",
            value: limits::PROGRESS_BYTES_MAX as u64,
        });
    }
    Ok(())
}
