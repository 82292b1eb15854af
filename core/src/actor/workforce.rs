//! Who is there to work, as people see it, and what waits although somebody is there.
//! Owns: the views of actors, the figures behind the alert on work that waits while workers idle.
//! Never: on the way of a claim: everything here is computed when somebody asks, and bounded.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::model::Row;
use crate::query::{ActorView, Workforce};
use crate::state::{State, Volatile};
use crate::time::Steady;
use crate::{ActorId, Text, limits, queue};

/// An actor as people and programs see it.
pub(crate) fn view(state: &State, volatile: &Volatile, row: &Row) -> ActorView {
    ActorView {
        tenant: state.tenants[row.tenant as usize],
        id: row.id,
        identity: row.identity.clone(),
        capabilities: row.capabilities.clone(),
        department: row.department.clone(),
        heartbeat_interval_ms: row.heartbeat_interval_ms,
        registered_at: row.registered_at,
        registered_by: row.registered_by.clone(),
        last_heard_at: volatile.actors.heard_at(row),
        draining_since: row.draining_since,
        leases: state.actors.held(row.number) as u64,
    }
}

/// Actors by tenant and id, after this one; of one tenant only, if one is named.
pub(crate) fn views(
    state: &State,
    volatile: &Volatile,
    of: Option<u32>,
    after: Option<(u32, ActorId)>,
    limit: u32,
) -> Vec<ActorView> {
    let first = (of.unwrap_or(0), ActorId(0));
    let limit = limit.min(limits::LIST_LIMIT_MAX) as usize;
    let rows = state.actors.from(after.unwrap_or(first));
    rows.filter(|row| after != Some((row.tenant, row.id)))
        .take_while(|row| of.is_none_or(|of| of == row.tenant))
        .take(limit)
        .map(|row| view(state, volatile, row))
        .collect()
}

/// Whether one of a tenant's actors that are granted anything has all these capabilities.
pub(crate) fn has_able(state: &State, tenant: u32, required: &[Text]) -> bool {
    let actors = state.actors.from((tenant, ActorId(0)));
    let mut own = actors.take_while(|row| row.tenant == tenant);
    own.any(|row| row.is_active() && is_able(&row.capabilities, required))
}

fn is_able(has: &[Text], required: &[Text]) -> bool {
    required.iter().all(|one| has.binary_search(one).is_ok())
}

/// What each tenant's actors are able to do, each list once.
type Able<'a> = BTreeMap<u32, BTreeSet<&'a [Text]>>;

fn note<'a>(all: &mut Able<'a>, row: &'a Row) {
    let lists = all.entry(row.tenant).or_default();
    if lists.len() < limits::WORKERS_KNOWN_MAX {
        lists.insert(&row.capabilities);
    }
}

/// Counts who is there, and what waits in line though it could be taken. Looks at so many actors and lanes at most.
pub(crate) fn workforce(state: &State, volatile: &Volatile, now: Steady) -> Workforce {
    let mut told = Workforce {
        actors: state.actors.len() as u64,
        ..Workforce::default()
    };
    let (mut able, mut idle) = (Able::new(), Able::new());
    for row in state.actors.rows().take(limits::ACTORS_MAX) {
        told.draining += u64::from(!row.is_active());
        let is_idle = state.actors.held(row.number) == 0 && row.is_active();
        told.idle += u64::from(is_idle);
        if row.is_active() {
            note(&mut able, row);
        }
        if is_idle {
            note(&mut idle, row);
        }
    }
    if state.switch.paused {
        return told;
    }
    for lane in state.queues.lines(limits::CLAIM_PLACES_MAX) {
        let closed = queue::closed(state, now, lane.tenant, lane.queue);
        if closed.is_some() {
            continue;
        }
        let has = |all: &Able<'_>| {
            let lists = all.get(&lane.tenant);
            lists.is_some_and(|lists| lists.iter().any(|has| is_able(has, lane.required)))
        };
        let place = (state.names.text(lane.queue), state.names.text(lane.kind));
        let asked = volatile
            .workers
            .could_take(now, lane.tenant, place, lane.required);
        if !asked && !has(&able) {
            told.unserved += lane.runs;
        }
        if has(&idle) {
            told.passed_by += lane.runs;
        }
    }
    told
}
