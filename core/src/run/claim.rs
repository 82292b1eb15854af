//! Claim: select, lease and start, up to n runs in one act.
//! Owns: the claim's checks, the walk over lane heads, the repeat by key.
//! Never: scans past a blocked run: it parks it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::cancel::expired;
use super::finish::is_held_by;
use super::heartbeat::ends_at;
use super::model::{Fence, Row, State};
use crate::command::Claim;
use crate::event::{ClaimRecorded, RunStarted};
use crate::image::KeyClass;
use crate::limits::{self, CLAIM_SWEEP_MAX};
use crate::machine::{Tx, reach};
use crate::outcome::{ClaimGrant, GrantRare, Outcome};
use crate::rejection::Rejection;
use crate::state::State as Tables;
use crate::{AttemptId, Text, actor, budget, codec, dependency, queue, task};

/// Blocked or expired heads one claim clears away before it leaves the rest to the next.
const CLEARED_MAX: usize = 10_000;

/// Room that a claim makes for its grants before it has seen any.
const GRANTS_AT_FIRST: usize = 4;

/// Decides a claim.
pub(crate) fn decide(tx: &mut Tx<'_>, claim: &Claim) -> Result<Outcome, Rejection> {
    check(claim)?;
    let Some(actor) = actor::claimant(tx.state(), tx.tenant, claim)? else {
        tx.saw(claim);
        return answer(tx, claim, true);
    };
    tx.heard(actor.number);
    let its = Claim {
        capabilities: actor.capabilities,
        ..claim.clone()
    };
    if actor.is_active {
        tx.saw(&its);
    }
    answer(tx, &its, actor.is_active)
}

/// The leases of a claim: those that it was granted before, or those that there are now, when its worker is to get any.
fn answer(tx: &mut Tx<'_>, claim: &Claim, is_active: bool) -> Result<Outcome, Rejection> {
    let digest = claim
        .idempotency_key
        .as_ref()
        .map(|_| request_digest(claim));
    if let (Some(key), Some(digest)) = (&claim.idempotency_key, digest)
        && let Some(found) = repeat(tx, key, digest)?
    {
        return Ok(Outcome::Claimed(found));
    }
    if tx.state().switch.paused || !is_active {
        return Ok(Outcome::Claimed(Vec::new()));
    }
    let grants = take(tx, claim);
    if let (Some(key), Some(digest), false) = (&claim.idempotency_key, digest, grants.is_empty()) {
        let runs = grants.iter().map(|grant| grant.run).collect();
        let counters = grants.iter().map(|grant| grant.fence.counter).collect();
        let tenants = grants.iter().filter(|_| claim.all_tenants);
        let tenants = tenants.map(|grant| grant.tenant).collect();
        tx.emit(ClaimRecorded {
            key: key.clone(),
            runs,
            counters,
            digest,
            tenants,
        });
    }
    Ok(Outcome::Claimed(grants))
}

fn check(claim: &Claim) -> Result<(), Rejection> {
    let invalid = |field, message: &str| {
        Err(Rejection::InvalidRequest {
            field,
            message: message.into(),
        })
    };
    if claim.worker.is_empty() || claim.worker.len() > limits::WORKER_BYTES_MAX {
        return invalid("worker", "must have 1 to 255 bytes");
    }
    if claim.queues.is_empty() || claim.queues.len() > limits::CLAIM_FILTER_MAX {
        return invalid("queues", "must name 1 to 1000 queues");
    }
    if claim.kinds.len() > limits::CLAIM_FILTER_MAX {
        return invalid("kinds", "must name at most 1000 kinds");
    }
    if claim.queues.len() * claim.kinds.len() > limits::CLAIM_PLACES_MAX {
        return invalid("kinds", "queues times kinds must be at most 4096");
    }
    if !claim.queues.iter().all(|queue| limits::is_name(queue)) {
        return invalid("queues", limits::NAME_FORM);
    }
    if !claim.kinds.iter().all(|kind| limits::is_name(kind)) {
        return invalid("kinds", limits::NAME_FORM);
    }
    task::check_capabilities(&claim.capabilities).map_err(|message| Rejection::InvalidRequest {
        field: "capabilities",
        message,
    })?;
    if claim.max == 0 || claim.max > limits::CLAIM_LEASES_MAX {
        return invalid("max", "must be between 1 and 1000");
    }
    if claim.actor.is_some() && claim.all_tenants {
        return invalid(
            "actor_id",
            "is of one tenant: it cannot claim over all of them",
        );
    }
    limits::check_lease_ms(claim.lease_ms)?;
    task::check_key(claim.idempotency_key.as_ref()).map_err(|message| Rejection::InvalidRequest {
        field: "idempotency_key",
        message,
    })
}

fn request_digest(claim: &Claim) -> u128 {
    let mut text = Vec::new();
    codec::put_bytes(&mut text, 1, claim.worker.as_bytes());
    for queue in &claim.queues {
        codec::put_bytes(&mut text, 2, queue.as_bytes());
    }
    for kind in &claim.kinds {
        codec::put_bytes(&mut text, 3, kind.as_bytes());
    }
    codec::put_varint(&mut text, u64::from(claim.max));
    codec::put_varint(&mut text, claim.lease_ms.unwrap_or(0));
    for capability in &claim.capabilities {
        codec::put_bytes(&mut text, 4, capability.as_bytes());
    }
    if claim.all_tenants {
        codec::put_varint(&mut text, 1);
    }
    if let Some(actor) = claim.actor {
        codec::put_u128(&mut text, 5, actor.0);
    }
    task::short_digest(&text)
}

/// The leases granted under this key that still live, if the key was used.
fn repeat(tx: &Tx<'_>, key: &Text, digest: u128) -> Result<Option<Vec<ClaimGrant>>, Rejection> {
    let state = tx.state();
    let Some(held) = tx.find_key(KeyClass::Claim, key) else {
        return Ok(None);
    };
    if held.digest != digest {
        return Err(Rejection::IdempotencyConflict { key: key.clone() });
    }
    let Some(record) = &held.claim else {
        return Ok(None);
    };
    let mut grants = Vec::new();
    for (at, (id, counter)) in record.runs.iter().zip(&record.counters).enumerate() {
        let tenant = match record.tenants.get(at) {
            Some(tenant) => state.tenant(*tenant),
            None => Some(tx.tenant),
        };
        let Some(run) = tenant.and_then(|tenant| state.find_run(tenant, *id)) else {
            continue;
        };
        let row = &state.runs[run];
        let fence = row.active.as_deref().map(|active| active.fence);
        let same = fence.filter(|fence| fence.counter == *counter);
        if same.is_some_and(|fence| is_held_by(tx, row, fence)) {
            grants.push(grant(tx, run));
        }
    }
    Ok(Some(grants))
}

fn take(tx: &mut Tx<'_>, claim: &Claim) -> Vec<ClaimGrant> {
    let mut pick = queue::Pick::new(tx.state(), tx.tenant, claim);
    let mut grants = Vec::with_capacity((claim.max as usize).min(GRANTS_AT_FIRST));
    let (mut bytes, mut cleared, mut swept) = (0, 0, 0);
    while grants.len() < claim.max as usize {
        let Some(run) = tx.next_ready(&mut pick) else {
            break;
        };
        if cleared == CLEARED_MAX || swept >= CLAIM_SWEEP_MAX {
            tx.wake(run);
            break;
        }
        let task = tx.state().runs[run].task;
        let runs = tx.state().tasks[task].runs_live as usize;
        if reach(tx, task) {
            swept += runs;
            continue;
        }
        if let Some(expired) = expired(tx, run) {
            tx.emit_for(tx.state().runs[run].tenant, expired);
            cleared += 1;
            continue;
        }
        if let Some(blocker) = queue::refusal(tx.state(), run) {
            tx.park(run, blocker);
            cleared += 1;
            continue;
        }
        tx.about(run);
        bytes += weight(tx, run);
        if bytes > limits::CLAIM_BYTES_MAX && !grants.is_empty() {
            break;
        }
        start(tx, run, claim);
        grants.push(grant(tx, run));
    }
    grants
}

/// The bytes of a grant: payload, memos and what a resume handed over.
fn weight(tx: &Tx<'_>, run: u32) -> usize {
    let handed = tx.state().runs[run].past.as_deref().map_or(0, |past| {
        let resumed = past.resume_payload.as_ref().map_or(0, |bytes| bytes.len());
        past.checkpoint_bytes + resumed
    });
    let task = tx.state().task_of(run);
    task.payload.len() + handed + dependency::weigh_children(tx.state(), task)
}

fn start(tx: &mut Tx<'_>, run: u32, claim: &Claim) {
    let state = tx.state();
    let (row, task) = (&state.runs[run], state.task_of(run));
    let lease_ms = claim
        .lease_ms
        .unwrap_or_else(|| task::policy(task).lease_ms);
    let event = RunStarted {
        run: row.id,
        number: row.attempt_count + 1,
        incarnation: state.incarnation,
        counter: state.fence_counter + 1,
        worker: claim.worker.clone(),
        lease_ms,
        actor: claim.actor,
    };
    tx.emit_for(tx.state().runs[run].tenant, event);
}

/// The lease that a run's row now shows.
fn grant(tx: &Tx<'_>, run: u32) -> ClaimGrant {
    let state = tx.state();
    let (row, task) = (&state.runs[run], state.task_of(run));
    let active = row.active.as_deref();
    let place = &state.places[task.place];
    let (payload, stored_payload) = task.payload();
    ClaimGrant {
        tenant: state.tenants[row.tenant as usize],
        run: row.id,
        task: task.id,
        attempt_id: AttemptId::derive(row.id, row.attempt_count),
        attempt: row.attempt_count,
        fence: active.map_or(Fence::default(), |active| active.fence),
        kind: state.names.text(place.kind).clone(),
        queue: state.names.text(place.queue).clone(),
        payload,
        stored_payload,
        priority: task.priority,
        expires_at: ends_at(tx, run),
        lease_ms: active.map_or(0, |active| active.lease_ms),
        deadline_at: active.and_then(|active| active.deadline_at),
        rare: rare(state, row, task),
    }
}

fn rare(state: &Tables, row: &Row, task: &task::Row) -> Option<Box<GrantRare>> {
    let past = row.past.as_deref();
    let has_past =
        past.is_some_and(|past| !past.checkpoints.is_empty() || past.resume_payload.is_some());
    if task.rare.is_none() && !has_past && !budget::is_covered(state, row) {
        return None;
    }
    let budgets = budget::views(state, task);
    let (children, children_count) = dependency::children(state, task);
    if task.extras().is_none() && !has_past && budgets.is_empty() && children.is_empty() {
        return None;
    }
    debug_assert_eq!(row.state, State::Running, "grants show running runs");
    Some(Box::new(GrantRare {
        checkpoints: past.map_or_else(Vec::new, |past| {
            past.checkpoints.clone().into_iter().collect()
        }),
        resume_payload: past.and_then(|past| past.resume_payload.clone()),
        extras: task.extras().cloned().unwrap_or_default(),
        budgets,
        children,
        children_count,
    }))
}
