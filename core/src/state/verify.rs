//! Recomputes every index from the tables and says where they disagree.
//! Owns: the internal consistency check that tests, simulator and doctor run.
//! Never: repairs.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

use super::{Alarm, State, Volatile};
use crate::intern::Symbol;
use crate::queue::QueueRow;
use crate::run::{Row, State as RunState};
use crate::task::policy;
use crate::{Text, actor, budget, dependency, queue, schedule, statistics, subscription};

/// Checks the whole state.
///
/// # Errors
/// The first disagreement, in words.
pub(crate) fn verify(state: &State, volatile: &Volatile) -> Result<(), String> {
    for (at, row) in state.runs.iter() {
        if state.find_run(row.tenant, row.id) != Some(at) {
            return Err(format!("run {}: its id does not find it", row.id));
        }
    }
    for (at, task) in state.tasks.iter() {
        if state.find_task(state.tenant_of(task), task.id) != Some(at) {
            return Err(format!("task {}: its id does not find it", task.id));
        }
    }
    verify_loaded(state, volatile)
}

/// The same of a state whose rows were put into the indexes by id one by one just before: that each is found there needs no second look.
///
/// # Errors
/// The first disagreement, in words.
pub(crate) fn verify_loaded(state: &State, volatile: &Volatile) -> Result<(), String> {
    let mut by_state = [0u64; 9];
    let mut holders: BTreeMap<(u32, Text), u32> = BTreeMap::new();
    let (mut alarms, mut lanes, mut parked, mut held) = (0, 0, 0, 0);
    for (at, row) in state.runs.iter() {
        check_run(state, volatile, at, row)?;
        by_state[row.state as usize] += 1;
        alarms += usize::from(row.armed.get() != Alarm::None);
        lanes += usize::from(row.state == RunState::Ready && !row.parked);
        parked += usize::from(row.parked);
        held += usize::from(row.active.is_some());
        if row.holds_key {
            let key = policy(state.task_of(at))
                .concurrency_key
                .clone()
                .ok_or("a slot is held without a key")?;
            *holders.entry((row.tenant, key)).or_default() += 1;
        }
    }
    let expect = |what: &str, found: usize, counted: usize| {
        if found == counted {
            Ok(())
        } else {
            Err(format!(
                "{what}: the index says {found}, the rows say {counted}"
            ))
        }
    };
    expect("alarms", state.alarms.len(), alarms)?;
    let (in_lanes, heads_agree) = state.queues.census();
    expect("runs in lanes", in_lanes, lanes)?;
    if !heads_agree {
        return Err("a lane's head is not in the index of heads".into());
    }
    expect("parked runs", queue::parked(state)?, parked)?;
    let mut tenants = state.tenants.iter().enumerate();
    if !tenants.all(|(at, tenant)| state.tenant(*tenant) == Some(at as u32)) {
        return Err("a tenant: its id does not find it".into());
    }
    expect("tasks by id", state.indexed().0, state.tasks.len())?;
    expect("runs by id", state.indexed().1, state.runs.len())?;
    if volatile.renewals.len() > held {
        return Err("a renewal outlives its lease".into());
    }
    for (counted, left) in by_state.iter_mut().zip(state.left) {
        *counted += left;
    }
    check_places(state)?;
    check_names(state)?;
    check_dead(state)?;
    check_queues(state)?;
    if by_state != state.stats.runs_by_state {
        return Err(format!(
            "counters {:?} differ from the recount {by_state:?}",
            state.stats.runs_by_state
        ));
    }
    if queue::holders(state)? != holders {
        return Err("the holders of a concurrency key differ from the rows".into());
    }
    budget::verify(state)?;
    subscription::verify(state)?;
    actor::verify(state, &volatile.actors)?;
    state.access.verify(state.tenants.len())?;
    state.webhooks.verify(state.tenants.len())?;
    statistics::verify(state)?;
    state.operations.verify(state.tenants.len())?;
    check_tasks(state)?;
    dependency::census(state)
}

/// Live runs are where their places count them, and all places together count what the counters say.
fn check_places(state: &State) -> Result<(), String> {
    let mut live: BTreeMap<u32, [u64; 9]> = BTreeMap::new();
    for (at, row) in state.runs.iter() {
        live.entry(state.task_of(at).place).or_default()[row.state as usize] += 1;
    }
    let mut all = [0u64; 9];
    for (at, place) in state.places.iter() {
        let counted = live.get(&at).copied().unwrap_or_default();
        for code in RunState::ALL {
            let (code, ended) = (*code as usize, code.is_terminal());
            all[code] += place.counts[code];
            if (!ended && counted[code] != place.counts[code]) || counted[code] > place.counts[code]
            {
                return Err(format!("place {at}: its counts differ from the rows"));
            }
        }
    }
    if all == state.stats.runs_by_state {
        Ok(())
    } else {
        Err("the counts of all places differ from the counters".into())
    }
}

/// Each tenant's names are those of its places and of its queues with a row; each capability set is required by as many tasks as it says.
fn check_names(state: &State) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for (_, place) in state.places.iter() {
        names.extend([(place.tenant, place.queue), (place.tenant, place.kind)]);
    }
    names.extend(state.queues.rows().map(|(key, _)| *key));
    let counted: usize = (0..state.tenants.len() as u32)
        .map(|tenant| state.places.names_of(tenant))
        .sum();
    let is_known = |(tenant, name): &(u32, Symbol)| state.places.has_name(*tenant, *name);
    if counted != names.len() || !names.iter().all(is_known) {
        return Err("the names of queues and kinds differ from the places".into());
    }
    let mut required: BTreeMap<(u32, &[Text]), u32> = BTreeMap::new();
    for (_, task) in state.tasks.iter() {
        let set = task
            .own_policy()
            .map(|policy| &policy.required_capabilities);
        if let Some(set) = set.filter(|set| !set.is_empty()) {
            *required.entry((state.tenant_of(task), set)).or_default() += 1;
        }
    }
    let known: BTreeMap<(u32, &[Text]), u32> = state.queues.sets.census().collect();
    match known == required {
        true => Ok(()),
        false => Err("the capability sets differ from the tasks".into()),
    }
}

/// Dead letters in memory, and those that have left it, are those that the places count.
fn check_dead(state: &State) -> Result<(), String> {
    let here = state.runs.iter().filter(|(_, row)| row.is_dead_letter());
    let recount = here.count() as u64 + state.left_dead;
    let counted: u64 = state
        .places
        .iter()
        .map(|(_, place)| place.dead_letters)
        .sum();
    if counted == recount {
        Ok(())
    } else {
        Err(format!(
            "{counted} dead letters are counted, {recount} are there"
        ))
    }
}

/// Every queue with a row counts its held runs.
fn check_queues(state: &State) -> Result<(), String> {
    let counted = queue::count_held(state);
    let wrong = |((key, row), (_, held)): &((&(u32, Symbol), &QueueRow), (_, u32))| {
        let _ = key;
        row.held != *held
    };
    let mut pairs = state.queues.rows().zip(counted);
    match pairs.find(wrong) {
        None => Ok(()),
        Some(((key, row), (_, held))) => Err(format!(
            "queue {}: it counts {} held runs, the rows {held}",
            state.names.text(key.1),
            row.held
        )),
    }
}

fn check_run(state: &State, volatile: &Volatile, at: u32, row: &Row) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("run {}: {what}", row.id));
    if row.state.is_held() != row.active.is_some() {
        return wrong("held without a lease, or a lease without being held");
    }
    if row.parked && row.state != RunState::Ready {
        return wrong("parked without being ready");
    }
    if row.state == RunState::Ready
        && !row.parked
        && !state
            .queues
            .contains(queue::lane_of(state, at), row.ready_order, at)
    {
        return wrong("ready without a place in its lane");
    }
    if row.state.is_terminal() && row.holds_key {
        return wrong("ended with a slot");
    }
    if row.state.is_held() && policy(state.task_of(at)).concurrency_key.is_some() && !row.holds_key
    {
        return wrong("running without its slot");
    }
    if !state.alarms.contains(at, row.armed.get()) {
        return wrong("its alarm is not in the index");
    }
    check_alarm(state, volatile, at, row)
}

/// A held run's alarm lies between what its row says and what its renewal says; every other alarm is what the row says.
fn check_alarm(state: &State, volatile: &Volatile, at: u32, row: &Row) -> Result<(), String> {
    let told = row.alarm(state.task_of(at));
    let agrees = match (row.active.as_deref(), row.armed.get(), told) {
        (Some(active), Alarm::Steady(armed), Alarm::Steady(told)) => {
            let latest = active.alarm(volatile.expires(at, active.expires));
            told <= armed && armed <= latest
        }
        (_, armed, told) => armed == told || schedule::is_stalled(state, at),
    };
    if agrees {
        Ok(())
    } else {
        Err(format!(
            "run {}: its alarm {:?} is not {told:?}",
            row.id, row.armed
        ))
    }
}

fn check_tasks(state: &State) -> Result<(), String> {
    let mut payload_bytes = 0;
    for (at, task) in state.tasks.iter() {
        if task.is_heavy() && task.payload.bytes().is_some() {
            payload_bytes += task.payload.len() as u64;
        }
        if task.payload.bytes().is_none() && !(task.is_heavy() && task.stored) {
            return Err(format!("task {}: its payload is nowhere", task.id));
        }
        if let Err(wrong) = schedule::census(state, at, task) {
            return Err(format!("task {}: {wrong}", task.id));
        }
        let live = || {
            task.runs()
                .filter(|run| !state.runs[*run].state.is_terminal())
        };
        if task.runs_live as usize != live().count() {
            return Err(format!("task {}: its count of live runs is wrong", task.id));
        }
        if task.canceled_at().is_some() && live().any(|run| state.runs[run].active.is_none()) {
            return Err(format!("task {}: canceled, yet a run waits", task.id));
        }
    }
    if payload_bytes == state.payload_bytes {
        Ok(())
    } else {
        Err("the bytes of payloads in memory differ from the rows".into())
    }
}
