//! What people read of the statistics, and the recount of them.
//! Owns: the sums over kinds.
//! Never: changes anything.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::histogram::{Times, longest};
use super::model::{Series, Slice};
use crate::limits::KINDS_SHOWN_MAX;
use crate::query::{Execution, Stats};
use crate::state::State;
use crate::time::Timestamp;
use crate::{TenantId, Text};

/// How long attempts took, from begin to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// Attempts that ended.
    pub count: u64,
    /// All of them together, in milliseconds.
    pub sum_ms: u64,
    /// Half of them took no longer, to a hundredth.
    pub p50_ms: u64,
    /// 95 of a hundred took no longer, to a hundredth.
    pub p95_ms: u64,
    /// 99 of a hundred took no longer, to a hundredth.
    pub p99_ms: u64,
    /// The longest, exactly.
    pub max_ms: u64,
}

/// What is counted of a tenant, or of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsReport {
    /// Its counters.
    pub counters: Stats,
    /// Failed runs that were neither tried again nor cleared away.
    pub dead_letters: u64,
    /// Attempts that ever ended.
    pub life: Spans,
    /// Those that ended within the last hour, to five minutes.
    pub hour: Spans,
    /// The kinds of which most attempts ended, those first; at most [`crate::limits::KINDS_SHOWN_MAX`].
    pub kinds: Vec<KindReport>,
}

/// How long the attempts of one kind took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindReport {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name; none for all kinds of the tenant beyond the first [`crate::limits::KINDS_TIMED_MAX`].
    pub kind: Option<Text>,
    /// Attempts that ever ended.
    pub life: Spans,
    /// Those that ended within the last hour, to five minutes.
    pub hour: Spans,
}

/// What is counted of a tenant, or of all of them, at an instant.
pub(crate) fn report(
    state: &State,
    now: Timestamp,
    tenant: Option<u32>,
    stats: Stats,
) -> StatsReport {
    let now = Slice::of(now);
    let (mut life, mut hour) = (Times::default(), Times::default());
    let mut kinds = Vec::new();
    let mut totals = Stats::default();
    let own = tenant.map(|tenant| state.statistics.of_tenant(tenant));
    let all = tenant.is_none().then(|| state.statistics.iter());
    for series in own.into_iter().flatten().chain(all.into_iter().flatten()) {
        totals.tasks_total += series.tasks_total;
        totals.attempts_total += series.attempts_total;
        life.add(&series.before);
        let mut ended = series.before.total();
        for slice in &series.slices {
            life.add(&slice.times);
            ended += slice.times.total();
            if slice.is_recent(now) {
                hour.add(&slice.times);
            }
        }
        kinds.push((ended, series));
    }
    let counters = match tenant {
        None => stats,
        Some(tenant) => of_tenant(state, tenant, &life, totals, stats),
    };
    StatsReport {
        dead_letters: dead_letters(state, tenant),
        counters,
        life: life.spans(),
        hour: hour.spans(),
        kinds: most_used(state, now, kinds),
    }
}

/// How long attempts of all kinds took, from begin to end: each in the first bucket whose bound its own, at most a hundredth wide, does
/// not exceed.
pub(crate) fn execution(state: &State) -> Execution {
    let bounds = Execution::BOUNDS_MS;
    let mut told = Execution {
        counts: alloc::vec![0; bounds.len() + 1],
        sum_ms: 0,
    };
    for series in state.statistics.iter() {
        let slices = series.slices.iter().map(|slice| &slice.times);
        for times in slices.chain([&series.before]) {
            told.sum_ms = told.sum_ms.saturating_add(times.sum_ms);
            for (bucket, count) in times.buckets() {
                let at = bounds.partition_point(|bound| *bound < longest(bucket));
                told.counts[at] = told.counts[at].saturating_add(count);
            }
        }
    }
    told
}

fn dead_letters(state: &State, tenant: Option<u32>) -> u64 {
    let places = state.places.iter().map(|(_, place)| place);
    let own = places.filter(|place| tenant.is_none_or(|of| place.tenant == of));
    own.map(|place| place.dead_letters).sum()
}

/// A tenant's own counters.
fn of_tenant(state: &State, tenant: u32, life: &Times, totals: Stats, all: Stats) -> Stats {
    let mut runs_by_state = [0; 9];
    for (_, place) in state.places.iter().filter(|(_, it)| it.tenant == tenant) {
        for (sum, count) in runs_by_state.iter_mut().zip(place.counts) {
            *sum += count;
        }
    }
    Stats {
        tasks_total: totals.tasks_total,
        attempts_total: totals.attempts_total,
        attempts_by_result: life.results,
        // Every run is in one state or another, those that have ended for life.
        runs_total: runs_by_state.iter().sum(),
        runs_by_state,
        ..all
    }
}

fn most_used(state: &State, now: u64, mut kinds: Vec<(u64, &Series)>) -> Vec<KindReport> {
    kinds.retain(|(ended, _)| *ended > 0);
    let name = |series: &Series| series.kind.map(|kind| state.names.text(kind).clone());
    let tenant = |series: &Series| state.tenants[series.tenant as usize];
    kinds.sort_by_cached_key(|(ended, series)| (Reverse(*ended), tenant(series), name(series)));
    kinds.truncate(KINDS_SHOWN_MAX);
    let shown = kinds.into_iter().map(|(_, series)| {
        let mut hour = Times::default();
        for slice in series.slices.iter().filter(|slice| slice.is_recent(now)) {
            hour.add(&slice.times);
        }
        KindReport {
            tenant: tenant(series),
            kind: name(series),
            life: series.life().spans(),
            hour: hour.spans(),
        }
    });
    shown.collect()
}

/// What the counters count and no series does: tasks, attempts, and ends by result. `None` when a series counts more than they do.
pub(crate) fn uncounted(state: &State) -> Option<[u64; 9]> {
    let mut life = Times::default();
    let (mut tasks, mut attempts) = (0u64, 0u64);
    for series in state.statistics.iter() {
        tasks = tasks.checked_add(series.tasks_total)?;
        attempts = attempts.checked_add(series.attempts_total)?;
        life.add(&series.life());
    }
    let stats = &state.stats;
    let mut left = [0; 9];
    let pairs = [(stats.tasks_total, tasks), (stats.attempts_total, attempts)];
    let ended = stats.attempts_by_result.into_iter().zip(life.results);
    for (left, (all, counted)) in left.iter_mut().zip(pairs.into_iter().chain(ended)) {
        *left = all.checked_sub(counted)?;
    }
    Some(left)
}

/// All series together count what the counters do, but for what was counted before there were series: that stays the same.
///
/// # Errors
/// The first disagreement, in words.
pub(crate) fn verify(state: &State) -> Result<(), String> {
    for series in state.statistics.iter() {
        let numbers = series.slices.iter().map(|slice| slice.number);
        if !numbers.is_sorted_by(|one, other| one < other) {
            return Err("statistics: slices out of order".into());
        }
    }
    match uncounted(state) {
        Some(left) if left == state.statistics.uncounted() => Ok(()),
        _ => Err("statistics: the kinds count otherwise than the counters".into()),
    }
}
