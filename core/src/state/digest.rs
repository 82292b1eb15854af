//! One number for a whole state: the sum of its rows' hashes, so that the order of tables does not matter.
//! Owns: what counts into the digest.
//! Never: a handle, a symbol or anything else that differs between processes.

use alloc::vec::Vec;
use core::fmt;

use super::State;
use crate::codec::{Record, put_bytes, put_u128, put_varint};
use crate::run::{self, Row};
use crate::{Text, WebhookId, image, task};

/// The sum, modulo 2^64 in each of four lanes, of the BLAKE3 hashes of all rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest([u64; 4]);

impl Digest {
    fn add(&mut self, text: &[u8]) {
        let hash = blake3::hash(text);
        for (lane, bytes) in self.0.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            *lane = lane.wrapping_add(u64::from_le_bytes(word));
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lane| write!(f, "{lane:016x}"))
    }
}

/// Live rows and counters.
pub(crate) fn digest_live(state: &State) -> Digest {
    digest(state, false)
}

/// Everything, finished rows included.
pub(crate) fn digest_all(state: &State) -> Digest {
    digest(state, true)
}

fn digest(state: &State, all: bool) -> Digest {
    let mut digest = Digest::default();
    let mut text = Vec::new();
    put_counters(state, &mut text);
    digest.add(&text);
    for (_, row) in state.tasks.iter().filter(|(_, row)| all || row.is_live()) {
        text.clear();
        put_task(state, row, &mut text);
        digest.add(&text);
    }
    for (at, row) in state
        .runs
        .iter()
        .filter(|(_, row)| all || !row.state.is_terminal())
    {
        text.clear();
        put_run(state, at, row, &mut text);
        digest.add(&text);
    }
    put_objects(state, &mut digest);
    for (at, place) in state.places.iter() {
        text.clear();
        put_varint(&mut text, 3);
        put_varint(&mut text, u64::from(at));
        put_u128(&mut text, 1, state.tenants[place.tenant as usize].0);
        put_bytes(&mut text, 1, state.names.text(place.queue).as_bytes());
        put_bytes(&mut text, 1, state.names.text(place.kind).as_bytes());
        for count in place.counts {
            put_varint(&mut text, count);
        }
        put_varint(&mut text, place.dead_letters);
        digest.add(&text);
    }
    digest
}

fn put_objects(state: &State, digest: &mut Digest) {
    let mut text = Vec::new();
    for (tenant, row) in state.tenants.iter().zip(&state.tenant_rows) {
        text.clear();
        put_varint(&mut text, 4);
        put_u128(&mut text, 1, tenant.0);
        image::put_tenant(row, &mut text);
        digest.add(&text);
    }
    for ((tenant, queue), row) in state.queues.rows() {
        text.clear();
        put_varint(&mut text, 5);
        put_u128(&mut text, 1, state.tenants[*tenant as usize].0);
        put_bytes(&mut text, 1, state.names.text(*queue).as_bytes());
        image::put_queue(row, &mut text);
        digest.add(&text);
    }
    for row in state.actors.rows() {
        text.clear();
        put_varint(&mut text, 6);
        put_u128(&mut text, 1, state.tenants[row.tenant as usize].0);
        put_u128(&mut text, 1, row.id.0);
        image::put_actor(row, &mut text);
        digest.add(&text);
    }
    put_access(state, digest);
    put_operations(state, digest);
    put_approvals(state, digest);
    put_webhooks(state, digest);
    for series in state.statistics.iter() {
        text.clear();
        put_varint(&mut text, 10);
        put_u128(&mut text, 1, state.tenants[series.tenant as usize].0);
        put_bytes(&mut text, 1, image::series_key(state, series).as_bytes());
        image::put_series(series, &mut text);
        digest.add(&text);
    }
}

/// What is done to many runs, and what was.
fn put_operations(state: &State, digest: &mut Digest) {
    let mut text = Vec::new();
    for (tenant, id, row) in state.operations.all() {
        text.clear();
        put_varint(&mut text, 21);
        put_u128(&mut text, 1, state.tenants[tenant as usize].0);
        put_u128(&mut text, 1, id.0);
        row.put(&mut text);
        digest.add(&text);
    }
}

/// Plans that wait for approval.
fn put_approvals(state: &State, digest: &mut Digest) {
    let mut text = Vec::new();
    for ((tenant, id), row) in state.approvals.open() {
        text.clear();
        put_varint(&mut text, 20);
        put_u128(&mut text, 1, state.tenants[*tenant as usize].0);
        put_u128(&mut text, 1, id.0);
        row.put(&mut text);
        digest.add(&text);
    }
}

/// Webhooks and deliveries.
fn put_webhooks(state: &State, digest: &mut Digest) {
    let mut text = Vec::new();
    for ((tenant, id), row) in state.webhooks.all((0, WebhookId(0))) {
        text.clear();
        put_varint(&mut text, 21);
        put_u128(&mut text, 1, state.tenants[*tenant as usize].0);
        put_u128(&mut text, 1, id.0);
        image::put_webhook(row, &mut text);
        digest.add(&text);
    }
    for ((tenant, id, _), row) in state.webhooks.all_deliveries() {
        text.clear();
        put_varint(&mut text, 22);
        put_u128(&mut text, 1, state.tenants[*tenant as usize].0);
        put_u128(&mut text, 1, id.0);
        image::put_delivery(row, &mut text);
        digest.add(&text);
    }
}

/// Who may do what.
fn put_access(state: &State, digest: &mut Digest) {
    let mut text = Vec::new();
    let tenant = |scope: u32| state.tenants.get(scope as usize).map_or(0, |id| id.0);
    for (id, key) in state.access.all_keys() {
        text.clear();
        put_varint(&mut text, 7);
        put_u128(&mut text, 1, tenant(key.scope));
        put_u128(&mut text, 1, id.0);
        image::put_key(key, &mut text);
        digest.add(&text);
    }
    for (of, name, capabilities) in state.access.all_roles() {
        text.clear();
        put_varint(&mut text, 8);
        put_u128(&mut text, 1, tenant(of));
        put_bytes(&mut text, 1, name.as_bytes());
        image::put_role(capabilities, &mut text);
        digest.add(&text);
    }
    for (of, actor, grant) in state.access.all_grants() {
        text.clear();
        put_varint(&mut text, 9);
        put_u128(&mut text, 1, tenant(of));
        put_u128(&mut text, 1, actor.0);
        image::put_grant(grant, &mut text);
        digest.add(&text);
    }
}

fn put_counters(state: &State, out: &mut Vec<u8>) {
    let stats = &state.stats;
    let counters = [
        state.sequence,
        state.wall.0,
        state.incarnation,
        state.fence_counter,
        state.ready_counter,
    ];
    let totals = [stats.tasks_total, stats.runs_total, stats.attempts_total];
    let all = counters
        .into_iter()
        .chain(totals)
        .chain(stats.attempts_by_result)
        .chain(stats.runs_by_state);
    all.for_each(|counter| put_varint(out, counter));
    put_u128(out, 1, state.minted.id(0));
    put_varint(out, u64::from(state.switch.paused));
    put_varint(out, state.switch.since.0);
}

fn put_text(out: &mut Vec<u8>, text: Option<&Text>) {
    match text {
        Some(text) => put_bytes(out, 1, text.as_bytes()),
        None => put_varint(out, 0),
    }
}

fn put_task(state: &State, row: &task::Row, out: &mut Vec<u8>) {
    put_varint(out, 1);
    put_u128(out, 1, row.id.0);
    put_varint(out, row.number);
    put_varint(out, u64::from(row.place));
    put_varint(out, u64::from(row.priority as u32));
    // Whether the payload is in memory or in the store alone is no difference.
    put_varint(out, (row.payload.len() as u64) << 1 | u64::from(row.binary));
    task::policy(row).put(out);
    row.extras().cloned().unwrap_or_default().put(out);
    put_varint(out, row.created_at.0);
    put_bytes(out, 1, state.created_by(row).as_bytes());
    put_varint(out, row.canceled_at().map_or(0, |at| at.0 + 1));
    for count in [row.runs_total, row.runs_live, row.runs_completed] {
        put_varint(out, count.into());
    }
    if let Some(rare) = row.rare.as_deref() {
        if let Some(at) = rare.updated_at {
            put_varint(out, at.0);
        }
        image::put_ties(rare, out);
        if rare.runs_failed > 0 {
            put_varint(out, rare.runs_failed.into());
        }
    }
}

fn put_run(state: &State, at: u32, row: &Row, out: &mut Vec<u8>) {
    put_varint(out, 2);
    put_u128(out, 1, state.tenants[row.tenant as usize].0);
    put_u128(out, 1, row.id.0);
    put_u128(out, 1, state.task_of(at).id.0);
    let numbers = [
        row.state as u64,
        row.born as u64,
        u64::from(row.holds_key),
        row.failures.into(),
        row.lost_leases.into(),
        row.attempt_count.into(),
        row.created_at.0,
        row.number,
        row.scheduled_at.0,
        row.ready_order,
        row.retry().0.0,
        row.retry().1.0,
    ];
    numbers
        .into_iter()
        .for_each(|number| put_varint(out, number));
    if let Some(active) = row.active.as_deref() {
        put_active(active, out);
    }
    if let Some(past) = row.past.as_deref() {
        put_past(past, out);
    }
}

fn put_active(active: &run::Active, out: &mut Vec<u8>) {
    let deadline = active.deadline.map_or(0, |at| at.0 + 1);
    let deadline_at = active.deadline_at.map_or(0, |at| at.0 + 1);
    let (fence, expires) = (active.fence, active.expires.0);
    let numbers = [
        fence.incarnation,
        fence.counter,
        active.lease_ms,
        active.acquired_at.0,
        expires,
        active.expires_at.0,
    ];
    numbers
        .into_iter()
        .chain([deadline, deadline_at])
        .for_each(|number| put_varint(out, number));
    put_text(out, Some(&active.worker));
    put_varint(out, u64::from(active.idle));
    let held = active.reserved.iter().chain(&active.reserved_of_tenant);
    for amount in active.consumption.iter().chain(held) {
        amount.put(out);
    }
    if let Some(actor) = active.actor {
        put_varint(out, 3);
        put_varint(out, actor);
    }
    if let Some(cancel) = active.cancel.as_deref() {
        let numbers = [
            1,
            cancel.at.0,
            cancel.force.0,
            cancel.force_at.0,
            u64::from(cancel.task),
        ];
        numbers
            .into_iter()
            .for_each(|number| put_varint(out, number));
        put_text(out, Some(&cancel.by));
        put_text(out, cancel.reason.as_ref());
        if let Some(why) = cancel.why.as_deref() {
            why.put(out);
        }
    }
    if let Some(suspend) = active.suspend.as_deref() {
        put_varint(out, 2);
        put_varint(out, suspend.at.0);
        put_text(out, Some(&suspend.by));
        put_text(out, suspend.reason.as_ref());
        put_varint(out, u64::from(suspend.budget));
    }
}

fn put_past(past: &run::Past, out: &mut Vec<u8>) {
    for change in &past.changes {
        let codes = [
            change.from as u64,
            change.to as u64,
            change.cause as u64,
            change.at.0,
            change.sequence,
        ];
        codes.into_iter().for_each(|code| put_varint(out, code));
        put_text(out, Some(&change.actor));
    }
    for attempt in &past.attempts {
        let (fence, result) = (attempt.fence, attempt.result as u64);
        let numbers = [
            attempt.number.into(),
            result,
            fence.incarnation,
            fence.counter,
            attempt.started_at.0,
        ];
        numbers
            .into_iter()
            .for_each(|number| put_varint(out, number));
        let flags = [
            attempt.finished_at.0,
            u64::from(attempt.reported),
            attempt.after as u64,
        ];
        flags.into_iter().for_each(|number| put_varint(out, number));
        put_text(out, Some(&attempt.worker));
        if let Some(error) = attempt.error.as_deref() {
            error.put(out);
        }
        put_bytes(out, 2, attempt.output.as_deref().unwrap_or_default());
    }
    for (name, value) in &past.checkpoints {
        put_bytes(out, 3, name.as_bytes());
        put_bytes(out, 4, value);
    }
    put_bytes(out, 5, past.output.as_deref().unwrap_or_default());
    put_bytes(out, 6, past.resume_payload.as_deref().unwrap_or_default());
    put_text(out, past.reason.as_ref());
    let codes = [past.hold as u64, past.origin as u64];
    codes.into_iter().for_each(|code| put_varint(out, code));
    put_varint(out, past.occurrence.map_or(0, |at| at.0 + 1));
    if let Some(run) = past.retry_of {
        put_u128(out, 6, run.0);
    }
    image::put_mark(past.redriven_by, past.cleared_at, out);
}
