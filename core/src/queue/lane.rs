//! One lane: the ready runs of one tenant, queue, kind and priority, in the order they became ready.
//! Owns: that order.
//! Never: scans: runs taken from the middle leave a mark behind, which is swept when it reaches the head or when marks prevail.

use alloc::collections::{BTreeMap, VecDeque, btree_map, vec_deque};
use core::iter::Peekable;

/// Runs by the order in which they became ready. New ones join at the end; one that comes back takes its old place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    fresh: VecDeque<(u64, u32)>,
    returned: BTreeMap<u64, u32>,
    /// Entries of `fresh` whose run has left.
    gone: usize,
}

/// The handle that marks an entry whose run has left.
const GONE: u32 = u32::MAX;

impl Lane {
    pub(crate) fn push(&mut self, order: u64, run: u32) {
        if self.fresh.back().is_none_or(|(last, _)| *last < order) {
            self.fresh.push_back((order, run));
        } else {
            self.returned.insert(order, run);
        }
    }

    /// The first run and its order.
    pub(crate) fn head(&self) -> Option<(u64, u32)> {
        let returned = self
            .returned
            .first_key_value()
            .map(|(order, run)| (*order, *run));
        match (self.fresh.front().copied(), returned) {
            (Some(fresh), Some(returned)) => Some(fresh.min(returned)),
            (fresh, returned) => fresh.or(returned),
        }
    }

    /// Takes a run out, wherever it stands.
    pub(crate) fn remove(&mut self, order: u64) {
        if self.returned.remove(&order).is_some() {
            return;
        }
        if self.fresh.front().is_some_and(|(first, _)| *first == order) {
            self.fresh.pop_front();
        } else if let Ok(at) = self.fresh.binary_search_by_key(&order, |(order, _)| *order) {
            self.fresh[at].1 = GONE;
            self.gone += 1;
        }
        while self.fresh.front().is_some_and(|(_, run)| *run == GONE) {
            self.fresh.pop_front();
            self.gone -= 1;
        }
        if self.gone > 32 && self.gone * 2 > self.fresh.len() {
            self.fresh.retain(|(_, run)| *run != GONE);
            self.gone = 0;
        }
    }

    /// Its runs in order.
    pub(crate) fn runs(&self) -> Runs<'_> {
        Runs {
            fresh: self.fresh.iter().peekable(),
            returned: self.returned.iter().peekable(),
        }
    }

    /// How many runs wait here.
    pub(crate) fn len(&self) -> usize {
        self.fresh.len() - self.gone + self.returned.len()
    }

    /// How many runs stand before this order; counts at most about `limit`.
    pub(crate) fn ahead_of(&self, order: u64, limit: u64) -> u64 {
        let before = self.fresh.partition_point(|(other, _)| *other < order);
        let marks = if self.gone == 0 {
            0
        } else {
            self.fresh
                .iter()
                .take(before.min(limit as usize))
                .filter(|(_, run)| *run == GONE)
                .count()
        };
        let returned = self.returned.range(..order).take(limit as usize).count();
        (before - marks + returned) as u64
    }

    pub(crate) fn contains(&self, order: u64, run: u32) -> bool {
        if self.returned.get(&order) == Some(&run) {
            return true;
        }
        self.fresh
            .binary_search_by_key(&order, |(order, _)| *order)
            .is_ok_and(|at| self.fresh[at].1 == run)
    }
}

/// The runs of a lane in order.
#[derive(Clone, Debug)]
pub(crate) struct Runs<'a> {
    fresh: Peekable<vec_deque::Iter<'a, (u64, u32)>>,
    returned: Peekable<btree_map::Iter<'a, u64, u32>>,
}

impl Iterator for Runs<'_> {
    type Item = (u64, u32);

    fn next(&mut self) -> Option<(u64, u32)> {
        while self.fresh.next_if(|(_, run)| *run == GONE).is_some() {}
        let returned = self.returned.peek().map(|(order, _)| **order);
        let fresh = self.fresh.peek().map(|(order, _)| *order);
        if fresh.is_some_and(|fresh| returned.is_none_or(|returned| fresh < returned)) {
            return self.fresh.next().copied();
        }
        self.returned.next().map(|(order, run)| (*order, *run))
    }
}
