//! From rows to images.
//! Owns: which parts of a row an image holds.
//! Never: changes a row.

use alloc::vec::Vec;

use super::form::{ActorForm, KeyForm, Memo, MetaForm, QueueForm, RoleForm};
use crate::codec::{Field, Record};
use crate::dependency::Bond;
use crate::platform::{Grant, Key, SYSTEM, Tenant};
use crate::queue::QueueRow;
use crate::run::Past;
use crate::state::State;
use crate::time::Timestamp;
use crate::{RunId, Text, actor, run, task};

/// Appends a task's image. A heavy payload stands beside it, not in it.
pub(crate) fn put_task(state: &State, row: &task::Row, out: &mut Vec<u8>) {
    row.number.put(1, out);
    row.place.put(2, out);
    row.id.put(3, out);
    row.priority.put(4, out);
    row.created_at.put(5, out);
    state.created_by(row).put(6, out);
    if let Some(rare) = row.rare.as_deref() {
        rare.canceled_at.put(7, out);
        rare.policy.put(8, out);
        rare.extras.put(9, out);
    }
    row.runs_total.put(10, out);
    row.runs_live.put(11, out);
    row.runs_completed.put(12, out);
    if !row.is_heavy() {
        row.payload.bytes().cloned().put(13, out);
    }
    row.binary.put(14, out);
    (row.payload.len() as u32).put(15, out);
    // Ended runs leave memory one by one; the first was made by the event after the task's own.
    let first = match row.runs().next() {
        Some(run) if row.runs_total == 1 => state.runs[run].number,
        None if row.runs_total == 0 => 0,
        _ => row.number + 1,
    };
    first.put(16, out);
    if let Some(rare) = row.rare.as_deref() {
        rare.ended_at.put(17, out);
        put_ties(rare, out);
        let phase = u32::from(row.goes_on())
            | u32::from(row.has_live_descendants()) << 1
            | u32::from(row.bond().is_some_and(Bond::holds)) << 2;
        if phase > 0 {
            phase.put(22, out);
        }
        rare.updated_at.put(24, out);
        if rare.runs_failed > 0 {
            rare.runs_failed.put(23, out);
        }
    }
}

/// What binds a task to its schedule, to others, to budgets and to events: in images and in digests alike.
pub(crate) fn put_ties(rare: &task::Rare, out: &mut Vec<u8>) {
    rare.clockwork.put(18, out);
    rare.bond.put(19, out);
    for budget in &rare.budgets {
        Field::put(budget, 20, out);
    }
    for subscription in &rare.subscriptions {
        Field::put(subscription, 21, out);
    }
}

/// A tenant's image: in checkpoints and in digests alike.
pub(crate) fn put_tenant(row: &Tenant, out: &mut Vec<u8>) {
    row.name.put(1, out);
    row.weight.put(2, out);
    for budget in &row.budgets {
        Field::put(budget, 3, out);
    }
}

/// A key's image: in checkpoints and in digests alike.
pub(crate) fn put_key(row: &Key, out: &mut Vec<u8>) {
    let end = row.revoked.as_ref();
    let form = KeyForm {
        system: row.scope == SYSTEM,
        name: row.name.clone(),
        role: row.role.clone(),
        actor: row.actor,
        created_at: row.created_at,
        created_by: row.created_by.clone(),
        expires_at: row.expires_at,
        revoked_at: end.map(|end| end.at),
        revoked: end.map_or(0, |end| end.sequence),
        revoked_by: end.map(|end| end.by.clone()).unwrap_or_default(),
        digest: row.digest,
    };
    form.put(out);
}

/// The image of a role of a tenant's own: in checkpoints and in digests alike.
pub(crate) fn put_role(capabilities: &[Text], out: &mut Vec<u8>) {
    let capabilities = capabilities.to_vec();
    RoleForm { capabilities }.put(out);
}

/// The image of what an actor was granted: in checkpoints and in digests alike.
pub(crate) fn put_grant(grant: &Grant, out: &mut Vec<u8>) {
    grant.put(out);
}

/// A queue's image: in checkpoints and in digests alike.
pub(crate) fn put_queue(row: &QueueRow, out: &mut Vec<u8>) {
    let rate = row.config.rate_limit;
    let form = QueueForm {
        concurrency_limit: row.config.concurrency_limit,
        rate_per_ms: rate.map(|rate| rate.per_ms),
        rate_max: rate.map(|rate| rate.max),
        weight: row.config.weight,
        paused: row.switch.paused,
        paused_since: row.switch.since,
        paused_by: Text::clone(&row.switch.by),
        paused_reason: row.switch.reason.clone(),
        arrival_us: row.arrival_us,
    };
    form.put(out);
}

/// An actor's image: in checkpoints and in digests alike.
pub(crate) fn put_actor(row: &actor::Row, out: &mut Vec<u8>) {
    let form = ActorForm {
        number: row.number,
        identity: row.identity.clone(),
        capabilities: row.capabilities.clone(),
        department: row.department.clone(),
        heartbeat_interval_ms: row.heartbeat_interval_ms,
        registered: row.registered,
        registered_at: row.registered_at,
        registered_by: row.registered_by.clone(),
        draining_since: row.draining_since,
    };
    form.put(out);
}

/// Appends a run's image.
pub(crate) fn put_run(state: &State, row: &run::Row, out: &mut Vec<u8>) {
    let task = &state.tasks[row.task];
    row.number.put(1, out);
    task.number.put(2, out);
    task.place.put(3, out);
    row.id.put(4, out);
    row.state.put(5, out);
    row.born.put(6, out);
    row.holds_key.put(7, out);
    for (number, value) in [
        (8, row.failures.into()),
        (9, row.lost_leases.into()),
        (10, row.attempt_count),
    ] {
        if value > 0 {
            let value: u32 = value;
            value.put(number, out);
        }
    }
    row.created_at.put(11, out);
    row.scheduled_at.put(13, out);
    row.ready_order.put(14, out);
    row.active.put(17, out);
    if let Some(past) = row.past.as_deref() {
        put_past(past, out);
    }
}

fn put_past(past: &Past, out: &mut Vec<u8>) {
    if past.retry_at.0 > 0 {
        past.retry_due.put(15, out);
        past.retry_at.put(16, out);
    }
    for change in &past.changes {
        Field::put(change, 18, out);
    }
    for attempt in &past.attempts {
        Field::put(attempt, 19, out);
    }
    for (name, value) in &past.checkpoints {
        let memo = Memo {
            name: name.clone(),
            value: value.clone(),
        };
        Field::put(&memo, 20, out);
    }
    let last = past.attempts.back().and_then(|last| last.output.as_ref());
    let same = past.output.is_some() && past.output.as_ref() == last;
    if !same {
        past.output.put(21, out);
    }
    past.resume_payload.put(22, out);
    past.reason.put(23, out);
    same.put(24, out);
    true.put(25, out);
    past.hold.put(26, out);
    past.origin.put(27, out);
    past.occurrence.put(28, out);
    past.retry_of.put(29, out);
    put_mark(past.redriven_by, past.cleared_at, out);
}

/// What became of a dead letter: the end of its image, also when it is added to one that a store holds.
pub(crate) fn put_mark(
    redriven_by: Option<RunId>,
    cleared_at: Option<Timestamp>,
    out: &mut Vec<u8>,
) {
    redriven_by.put(30, out);
    cleared_at.put(31, out);
}

/// The machine's scalars and counters.
pub(crate) fn meta(state: &State) -> Vec<u8> {
    let stats = &state.stats;
    let form = MetaForm {
        sequence: state.sequence,
        wall: state.wall,
        steady: state.steady,
        minted: state.minted.id(0),
        incarnation: state.incarnation,
        fence_counter: state.fence_counter,
        ready_counter: state.ready_counter,
        tenants: state.tenants.clone(),
        tasks_total: stats.tasks_total,
        runs_total: stats.runs_total,
        attempts_total: stats.attempts_total,
        attempts_by_result: stats.attempts_by_result.to_vec(),
        runs_by_state: stats.runs_by_state.to_vec(),
        paused: state.switch.paused,
        paused_since: state.switch.since,
        paused_by: Text::clone(&state.switch.by),
        paused_reason: state.switch.reason.clone(),
    };
    let mut out = Vec::with_capacity(256);
    form.put(&mut out);
    out
}
