//! What is counted of each kind of work, and the table of all that.
//! Owns: the counting itself, and the five minutes that the last hour is made of.
//! Never: decides; never looks at a clock: spans and instants are those of the log.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use super::histogram::Times;
use crate::intern::Symbol;
use crate::limits::KINDS_TIMED_MAX;
use crate::run::AttemptResult;
use crate::state::{At, State};
use crate::time::Timestamp;

/// How much recorded time a slice counts.
const SLICE_MS: u64 = 5 * 60 * 1000;
/// Slices of the last hour, the one that is filled now among them.
pub(crate) const SLICES: u64 = 12;
/// A place without a series yet.
const UNKNOWN: u32 = u32::MAX;

/// Attempts that ended in one stretch of recorded time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Which stretch, counted from 1970.
    pub(crate) number: u64,
    pub(crate) times: Times,
}

impl Slice {
    /// The slice that an instant falls into.
    #[inline]
    pub(super) fn of(at: Timestamp) -> u64 {
        at.0 / SLICE_MS
    }

    /// Whether it is of the hour before slice `now` ends.
    pub(super) fn is_recent(&self, now: u64) -> bool {
        self.number + SLICES > now
    }
}

/// What is counted of a tenant's kind, or of those of its kinds that have no series of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub(crate) tenant: u32,
    /// The kind; none for all others.
    pub(crate) kind: Option<Symbol>,
    /// Tasks ever accepted.
    pub(crate) tasks_total: u64,
    /// Attempts ever begun.
    pub(crate) attempts_total: u64,
    /// What has fallen out of the slices.
    pub(crate) before: Times,
    /// The last slices in which anything ended, in order.
    pub(crate) slices: VecDeque<Slice>,
    /// Whether it changed since the last cut.
    pub(crate) dirty: bool,
}

impl Series {
    /// Everything it ever counted.
    pub(super) fn life(&self) -> Times {
        let mut all = self.before.clone();
        self.slices.iter().for_each(|slice| all.add(&slice.times));
        all
    }

    /// The slice of an instant, made when it is the first of its stretch.
    #[inline]
    fn slice(&mut self, at: Timestamp) -> &mut Times {
        let number = Slice::of(at);
        // Recorded time never runs backwards.
        if self.slices.back().is_none_or(|last| last.number < number) {
            self.turn(number);
        }
        let last = self.slices.len() - 1;
        &mut self.slices[last].times
    }

    /// Begins another slice; those that are past their hour are counted with what was before.
    #[cold]
    fn turn(&mut self, number: u64) {
        let mut next = Slice::default();
        let is_past = |first: &Slice| !first.is_recent(number);
        while self.slices.front().is_some_and(is_past) {
            // Its room is used again.
            next = self.slices.pop_front().unwrap_or_default();
            self.before.add(&next.times);
        }
        next.number = number;
        next.times.clear();
        self.slices.push_back(next);
    }
}

/// Every series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statistics {
    series: Vec<Series>,
    index: BTreeMap<(u32, Option<Symbol>), u32>,
    /// Kinds with a series of their own, by tenant.
    kinds: Vec<u32>,
    /// The series of each place, as far as it was looked up.
    by_place: Vec<u32>,
    dirty: Vec<u32>,
    /// What the counters had counted before there were series: tasks, attempts, and ends by result.
    uncounted: [u64; 9],
}

impl Statistics {
    /// What the counters had counted before there were series.
    pub(super) fn uncounted(&self) -> [u64; 9] {
        self.uncounted
    }

    /// All that the counters of a checkpoint count beyond its series was counted before there were any.
    pub(crate) fn set_uncounted(&mut self, uncounted: [u64; 9]) {
        self.uncounted = uncounted;
    }

    /// The series of a place.
    #[inline]
    fn of_place(&mut self, place: u32, tenant: u32, kind: Symbol) -> &mut Series {
        let known = self.by_place.get(place as usize).copied();
        let at = match known {
            Some(at) if at != UNKNOWN => at,
            _ => self.meet(place, tenant, kind),
        };
        let series = &mut self.series[at as usize];
        if !series.dirty {
            series.dirty = true;
            self.dirty.push(at);
        }
        series
    }

    #[cold]
    fn meet(&mut self, place: u32, tenant: u32, kind: Symbol) -> u32 {
        let own = self.index.get(&(tenant, Some(kind))).copied();
        let at = own.unwrap_or_else(|| {
            let kinds = self.kinds.get(tenant as usize).copied().unwrap_or(0);
            let kind = (kinds < KINDS_TIMED_MAX).then_some(kind);
            let known = self.index.get(&(tenant, kind)).copied();
            known.unwrap_or_else(|| {
                self.insert(Series {
                    tenant,
                    kind,
                    ..Series::default()
                })
            })
        });
        let place = place as usize;
        if self.by_place.len() <= place {
            self.by_place.resize(place + 1, UNKNOWN);
        }
        self.by_place[place] = at;
        at
    }

    fn insert(&mut self, series: Series) -> u32 {
        let (at, tenant) = (self.series.len() as u32, series.tenant as usize);
        self.index.insert((series.tenant, series.kind), at);
        if series.kind.is_some() {
            if self.kinds.len() <= tenant {
                self.kinds.resize(tenant + 1, 0);
            }
            self.kinds[tenant] += 1;
        }
        self.series.push(series);
        at
    }

    /// Adds a series as a checkpoint holds it; false when it is there already, or one too many. `fresh` says that the next cut holds it
    /// again.
    pub(crate) fn restore(&mut self, series: Series, fresh: bool) -> bool {
        let kinds = self.kinds.get(series.tenant as usize).copied();
        let is_full = series.kind.is_some() && kinds.unwrap_or(0) >= KINDS_TIMED_MAX;
        if is_full || self.index.contains_key(&(series.tenant, series.kind)) {
            return false;
        }
        let at = self.insert(Series {
            dirty: fresh,
            ..series
        });
        self.dirty.extend(fresh.then_some(at));
        true
    }

    /// Every series, in the order of their first counting.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Series> {
        self.series.iter()
    }

    /// The series of a tenant.
    pub(crate) fn of_tenant(&self, tenant: u32) -> impl Iterator<Item = &Series> {
        let own = self.index.range((tenant, None)..(tenant + 1, None));
        own.map(|(_, at)| &self.series[*at as usize])
    }

    /// The series changed since the last call.
    pub(crate) fn take_dirty(&mut self) -> Vec<u32> {
        let dirty = core::mem::take(&mut self.dirty);
        for at in &dirty {
            self.series[*at as usize].dirty = false;
        }
        dirty
    }

    /// One of them.
    pub(crate) fn get(&self, at: u32) -> &Series {
        &self.series[at as usize]
    }
}

impl State {
    #[inline]
    fn series(&mut self, place: u32) -> &mut Series {
        let row = &self.places[place];
        self.statistics.of_place(place, row.tenant, row.kind)
    }

    /// A task was accepted.
    #[inline]
    pub(crate) fn count_task(&mut self, place: u32) {
        self.stats.tasks_total += 1;
        self.series(place).tasks_total += 1;
    }

    /// An attempt of a run began.
    #[inline]
    pub(crate) fn count_begin(&mut self, place: u32) {
        self.stats.attempts_total += 1;
        self.series(place).attempts_total += 1;
    }

    /// An attempt ended that had begun then.
    #[inline]
    pub(crate) fn count_end(
        &mut self,
        at: &At,
        place: u32,
        result: AttemptResult,
        begun: Timestamp,
    ) {
        self.stats.attempts_by_result[result as usize] += 1;
        let ms = at.wall.0.saturating_sub(begun.0);
        self.series(place).slice(at.wall).record(result, ms);
    }
}
