//! What every lease is, whether it was claimed or acquired by hand: how it is taken, when its attempt begins, how both end.
//! Owns: the lease and attempt of a run's row, the record of an ended attempt.
//! Never: moves a run's state alone: `change` does.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::apply::change;
use super::model::{Active, Attempt, AttemptResult, Cause, Fence, RunError, State};
use crate::limits::ATTEMPTS_KEPT;
use crate::state::{At, State as Tables};
use crate::task::policy;
use crate::{Bytes, Text, budget};

/// What a lease is granted on.
pub(super) struct Grant<'a> {
    pub(super) fence: Fence,
    pub(super) holder: &'a Text,
    pub(super) lease_ms: u64,
    pub(super) cause: Cause,
    /// The number of the actor that holds it.
    pub(super) actor: Option<u64>,
}

/// Somebody holds the run from now on; no attempt has begun.
pub(super) fn hold(state: &mut Tables, at: &At, run: u32, grant: Grant<'_>) {
    change(state, at, run, State::Leased, grant.cause, grant.holder);
    state.runs[run].active = Some(Box::new(Active {
        fence: grant.fence,
        worker: grant.holder.clone(),
        lease_ms: grant.lease_ms,
        acquired_at: at.wall,
        expires: at.steady.plus_ms(grant.lease_ms),
        expires_at: at.wall.plus_ms(grant.lease_ms),
        deadline: None,
        deadline_at: None,
        cancel: None,
        suspend: None,
        idle: true,
        started_at: None,
        consumption: Vec::new(),
        reserved: Vec::new(),
        reserved_of_tenant: Vec::new(),
        actor: grant.actor,
    }));
    if let Some(actor) = grant.actor {
        state.actors.take(actor, run);
    }
    budget::reserve(state, run);
    state.fence_counter = state.fence_counter.max(grant.fence.counter);
}

/// An attempt begins on a running run: its time runs from now on.
pub(super) fn begin(state: &mut Tables, at: &At, run: u32, number: u32) {
    let task = state.task_of(run);
    let (place, timeout_ms) = (task.place, policy(task).timeout_ms);
    let row = &mut state.runs[run];
    row.attempt_count = number;
    if let Some(active) = row.active.as_deref_mut() {
        active.idle = false;
        active.started_at = (active.acquired_at != at.wall).then_some(at.wall);
        active.deadline = timeout_ms.map(|ms| at.steady.plus_ms(ms));
        active.deadline_at = timeout_ms.map(|ms| at.wall.plus_ms(ms));
    }
    state.count_begin(place);
}

/// Nobody holds the run any more.
pub(super) fn let_go(state: &mut Tables, run: u32) -> Option<Box<Active>> {
    let active = state.runs[run].active.take()?;
    budget::release(state, run, &active);
    if let Some(actor) = active.actor {
        state.actors.let_go(actor, run);
    }
    state.closed.push(run);
    Some(active)
}

/// How an attempt ended, for its record.
pub(super) struct Ended<'a> {
    pub(super) result: AttemptResult,
    pub(super) error: &'a Option<Box<RunError>>,
    pub(super) output: &'a Option<Bytes>,
    pub(super) after: State,
    pub(super) reported: bool,
}

impl<'a> Ended<'a> {
    /// An end that its result tells all about: whether the worker reported it, or the machine saw it.
    pub(super) fn new(
        result: AttemptResult,
        error: &'a Option<Box<RunError>>,
        output: &'a Option<Bytes>,
        after: State,
    ) -> Ended<'a> {
        let reported = !matches!(result, AttemptResult::Timeout | AttemptResult::LeaseExpired);
        Ended {
            result,
            error,
            output,
            after,
            reported,
        }
    }
}

/// Ends the lease, and the attempt that is on its way under it. Its worker's name is returned: it is the actor of what the worker
/// reported.
pub(super) fn close_attempt(state: &mut Tables, at: &At, run: u32, ended: Ended<'_>) -> Text {
    let Some(active) = let_go(state, run) else {
        return Text::default();
    };
    let row = &mut state.runs[run];
    row.lost_leases += u16::from(ended.result == AttemptResult::LeaseExpired);
    let actor = if ended.reported {
        active.worker.clone()
    } else {
        Text::default()
    };
    if active.idle {
        return actor;
    }
    row.failures += u16::from(matches!(
        ended.result,
        AttemptResult::Failure | AttemptResult::Timeout
    ));
    let attempt = Attempt {
        number: row.attempt_count,
        result: ended.result,
        fence: active.fence,
        started_at: active.started_at(),
        finished_at: at.wall,
        worker: active.worker,
        error: ended.error.clone(),
        output: ended.output.clone(),
        reported: ended.reported,
        after: ended.after,
        consumption: active.consumption,
    };
    let begun = attempt.started_at;
    let attempts = &mut row.past_mut().attempts;
    if attempts.capacity() == 0 {
        attempts.reserve_exact(1); // most runs need one attempt
    }
    if attempts.len() == ATTEMPTS_KEPT {
        attempts.pop_front();
    }
    attempts.push_back(attempt);
    let place = state.task_of(run).place;
    state.count_end(at, place, ended.result, begun);
    actor
}
