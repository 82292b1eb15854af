//! Measures everything at once: from places, lanes and series, never from runs.
//! Owns: which queues and tenants are shown by name, and the sums of all others.
//! Never: on the way of a command; bounded by places and lanes, computed when somebody asks.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::intern::Symbol;
use crate::limits::{
    LANES_MEASURED_MAX, QUEUES_MEASURED_MAX, TENANTS_MEASURED_MAX, WAITS_MEASURED_MAX,
};
use crate::query::{Overview, QueueLoad, Stats, TenantLoad, WebhookLoad, unfinished};
use crate::state::State;
use crate::time::Timestamp;
use crate::{WebhookId, budget, statistics};

type Queues = BTreeMap<(u32, Symbol), QueueLoad>;

/// Everything at once; `counters` are those of all tenants.
pub(super) fn overview(state: &State, counters: Stats) -> Overview {
    let (mut queues, mut tenants) = (Queues::new(), BTreeMap::<u32, TenantLoad>::new());
    for (_, place) in state.places.iter() {
        let queue = queues.entry((place.tenant, place.queue)).or_default();
        let tenant = tenants.entry(place.tenant).or_default();
        add(&mut queue.runs_by_state, &place.counts);
        add(&mut tenant.runs_by_state, &place.counts);
        queue.dead_letters += place.dead_letters;
        tenant.dead_letters += place.dead_letters;
    }
    let queues_paused = note_paused(state, &mut queues);
    note_oldest(state, &mut queues);
    let budgets = state.tenant_rows.iter().flat_map(|row| &row.budgets);
    let mut told = Overview {
        dead_letters: tenants.values().map(|load| load.dead_letters).sum(),
        execution: statistics::execution(state),
        queues_total: queues.len() as u64,
        queues_paused,
        tenants_total: state.tenants.len() as u64,
        budgets_exhausted: budgets.filter(|budget| budget.is_exhausted()).count() as u64,
        waiting_for_budget: budget::waiting(state, WAITS_MEASURED_MAX) as u64,
        operations_running: state.operations.running_of_all() as u64,
        webhooks: webhooks(state),
        counters,
        ..Overview::default()
    };
    show_queues(state, queues, &mut told);
    show_tenants(state, tenants, &mut told);
    told
}

fn webhooks(state: &State) -> WebhookLoad {
    let mut told = WebhookLoad {
        pending: state.webhooks.pending_of_all() as u64,
        ..WebhookLoad::default()
    };
    for (_, row) in state.webhooks.all((0, WebhookId(0))) {
        match row.disabled.as_ref().map(|off| &*off.why) {
            None => {
                told.enabled += 1;
                let lag = state.sequence.saturating_sub(row.cursor);
                told.lag_events = told.lag_events.max(lag);
            }
            Some("gone") => told.gone += 1,
            Some("failing") => told.failing += 1,
            Some(_) => told.disabled += 1,
        }
    }
    told
}

fn add(sums: &mut [u64; 9], counts: &[u64; 9]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += count;
    }
}

fn note_paused(state: &State, queues: &mut Queues) -> u64 {
    let paused = state.queues.rows().filter(|(_, row)| row.switch.paused);
    let paused = paused.map(|(key, _)| queues.entry(*key).or_default().paused = true);
    paused.count() as u64
}

/// The heads of lanes are the oldest of their priority; what a key or a budget holds back is in no lane.
fn note_oldest(state: &State, queues: &mut Queues) {
    for line in state.queues.lines(LANES_MEASURED_MAX) {
        let Some(since) = line.head.map(|run| ready_since(state, run)) else {
            continue;
        };
        let queue = queues.entry((line.tenant, line.queue)).or_default();
        let oldest = queue
            .oldest_ready_at
            .map_or(since, |known| known.min(since));
        queue.oldest_ready_at = Some(oldest);
    }
}

/// Since when a ready run is ready.
pub(super) fn ready_since(state: &State, run: u32) -> Timestamp {
    let row = &state.runs[run];
    let past = row.past.as_ref();
    past.and_then(|past| past.changes.back())
        .map_or(row.scheduled_at, |change| change.at)
}

fn show_queues(state: &State, queues: Queues, told: &mut Overview) {
    let mut all: Vec<((u32, Symbol), QueueLoad)> = queues.into_iter().collect();
    all.sort_by_key(|(key, load)| (Reverse(unfinished(&load.runs_by_state)), *key));
    for (place, ((tenant, name), load)) in all.into_iter().enumerate() {
        if place < QUEUES_MEASURED_MAX {
            told.queues.push(QueueLoad {
                tenant: state.tenants[tenant as usize],
                name: state.names.text(name).clone(),
                ..load
            });
            continue;
        }
        let other = &mut told.other_queues;
        add(&mut other.runs_by_state, &load.runs_by_state);
        other.dead_letters += load.dead_letters;
        let both = [other.oldest_ready_at, load.oldest_ready_at];
        other.oldest_ready_at = both.into_iter().flatten().min();
    }
}

fn show_tenants(state: &State, tenants: BTreeMap<u32, TenantLoad>, told: &mut Overview) {
    let mut all: Vec<(u32, TenantLoad)> = tenants.into_iter().collect();
    all.sort_by_key(|(number, load)| (Reverse(unfinished(&load.runs_by_state)), *number));
    for (place, (number, load)) in all.into_iter().enumerate() {
        if place < TENANTS_MEASURED_MAX {
            let row = &state.tenant_rows[number as usize];
            told.tenants.push(TenantLoad {
                id: state.tenants[number as usize],
                name: row.name.clone(),
                budgets: row.budgets.iter().map(|budget| budget.view(true)).collect(),
                ..load
            });
            continue;
        }
        add(&mut told.other_tenants.runs_by_state, &load.runs_by_state);
        told.other_tenants.dead_letters += load.dead_letters;
    }
}
