//! Leases by hand: a run is held, kept, and let go by its owner's name, without starting work on it.
//! Owns: the four decisions about a lease outside a claim.
//! Never: grants what a claim would not: a run that is held back is refused, with what holds it back.

use super::close::{End, close};
use super::heartbeat::{ends_at, renew};
use super::model::{Active, AttemptResult, Cause, Row, State};
use super::tick::lapse;
use crate::event::{Event, LeaseAcquired, LeaseEnded};
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::{RunId, Text, dependency, limits, queue, task};

/// Decides a lease on one ready run. Capabilities are the owner's own business: it names the run.
pub(crate) fn acquire(
    tx: &mut Tx<'_>,
    id: RunId,
    owner: &Text,
    lease_ms: Option<u64>,
) -> Result<Outcome, Rejection> {
    check_owner(owner)?;
    limits::check_lease_ms(lease_ms)?;
    let Some(run) = tx.state().find_run(tx.tenant, id) else {
        let state = tx.past_run(id)?.state;
        return Err(refused(state, None));
    };
    let row = &tx.state().runs[run];
    if let Some(active) = row.active.as_deref() {
        let owner = active.worker.clone();
        return Err(Rejection::LeaseAlreadyActive { owner });
    }
    let (state, blocked) = (row.state, held_back(tx, run));
    if state != State::Ready || blocked.is_some() {
        return Err(refused(state, blocked));
    }
    tx.about(run);
    let task_ms = task::policy(tx.state().task_of(run)).lease_ms;
    let event = LeaseAcquired {
        run: id,
        incarnation: tx.state().incarnation,
        counter: tx.state().fence_counter + 1,
        owner: owner.clone(),
        lease_ms: lease_ms.unwrap_or(task_ms),
    };
    tx.emit(event);
    let active = tx.state().runs[run].active.as_deref();
    let fence = active.map(|active| active.fence).unwrap_or_default();
    let expires_at = ends_at(tx, run);
    Ok(Outcome::LeaseAcquired { fence, expires_at })
}

fn refused(state: State, blocked: Option<&'static str>) -> Rejection {
    Rejection::LeaseInvalidRunState { state, blocked }
}

/// What a claim would leave a ready run alone for.
fn held_back(tx: &Tx<'_>, run: u32) -> Option<&'static str> {
    let row = &tx.state().runs[run];
    if row.state != State::Ready {
        return None;
    }
    if row.is_expired(tx.state().task_of(run), tx.now.wall) {
        return Some("expired");
    }
    if dependency::fence(tx.state(), row.task).is_some() {
        return Some("parent_canceled");
    }
    let admitted = queue::admits(tx.state(), tx.now.steady, run);
    admitted.err().map(|refused| refused.code())
}

/// Decides a renewal by the owner's name. Only one of more than 5 minutes is an event.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    id: RunId,
    owner: &Text,
    expires_at: Timestamp,
) -> Result<Outcome, Rejection> {
    let (run, _) = owned(tx, id, owner)?;
    let current = ends_at(tx, run);
    if expires_at < current {
        return Err(Rejection::LeaseHeartbeatExpiryRegression {
            current,
            provided: expires_at,
        });
    }
    let lease_ms = expires_at.0.saturating_sub(tx.now.wall.0);
    if lease_ms > limits::LEASE_MS_MAX {
        return Err(Rejection::InvalidRequest {
            field: "expires_at",
            message: "must be at most a day ahead".into(),
        });
    }
    tx.about(run);
    let expires_at = renew(tx, run, lease_ms, None);
    Ok(Outcome::LeaseRenewed { expires_at })
}

/// Decides an end as if the lease's time had come.
pub(crate) fn expire(
    tx: &mut Tx<'_>,
    id: RunId,
    owner: &Text,
    expires_at: Timestamp,
) -> Result<Outcome, Rejection> {
    end(tx, id, owner, expires_at, |tx, run, active| {
        lapse(tx, run, active, &tx.principal.name)
    })
}

/// Decides the giving back of a lease. What had been started is over as if its worker had reported `released`.
pub(crate) fn release(
    tx: &mut Tx<'_>,
    id: RunId,
    owner: &Text,
    expires_at: Timestamp,
) -> Result<Outcome, Rejection> {
    end(tx, id, owner, expires_at, |tx, run, active| {
        let row = &tx.state().runs[run];
        if row.state == State::Leased {
            let (cause, by) = (Cause::Lease, tx.principal.name.clone());
            return LeaseEnded { run: id, cause, by }.into();
        }
        close(tx.state(), run, active, End::told(AttemptResult::Released))
    })
}

fn end(
    tx: &mut Tx<'_>,
    id: RunId,
    owner: &Text,
    expires_at: Timestamp,
    event: impl FnOnce(&Tx<'_>, u32, &Active) -> Event,
) -> Result<Outcome, Rejection> {
    let (run, active) = owned(tx, id, owner)?;
    let expected = ends_at(tx, run);
    if expires_at != expected {
        return Err(Rejection::LeaseExpiryMismatch {
            expected,
            provided: expires_at,
        });
    }
    let event = event(tx, run, active);
    tx.about(run);
    tx.emit(event);
    Ok(Outcome::LeaseEnded(tx.state().runs[run].state))
}

/// The lease that this owner holds. A run that has ended cannot have one; any other may get one again.
fn owned<'a>(tx: &'a Tx<'_>, id: RunId, owner: &Text) -> Result<(u32, &'a Active), Rejection> {
    check_owner(owner)?;
    let Some(run) = tx.state().find_run(tx.tenant, id) else {
        let state = tx.past_run(id)?.state;
        return Err(refused(state, None));
    };
    let row: &Row = &tx.state().runs[run];
    let Some(active) = row.active.as_deref() else {
        return Err(match row.state.is_terminal() {
            true => refused(row.state, None),
            false => Rejection::LeaseMissingActive { run: id },
        });
    };
    if active.worker != *owner {
        return Err(Rejection::LeaseOwnerMismatch {
            expected: active.worker.clone(),
            provided: owner.clone(),
        });
    }
    Ok((run, active))
}

fn check_owner(owner: &Text) -> Result<(), Rejection> {
    if owner.is_empty() || owner.len() > limits::WORKER_BYTES_MAX {
        return Err(Rejection::InvalidRequest {
            field: "owner",
            message: "must have 1 to 255 bytes".into(),
        });
    }
    Ok(())
}
