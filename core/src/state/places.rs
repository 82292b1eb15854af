//! Places: each tenant's pairs of queue and kind, numbered, with the runs counted there.
//! Owns: the numbering, which is the same in every replay, and the counts by state.
//! Never: forgets a place.

use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};

use foldhash::fast::FixedState;

use crate::intern::Symbol;

/// One place.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) tenant: u32,
    pub(crate) queue: Symbol,
    pub(crate) kind: Symbol,
    /// Runs by state code; terminal ones for life.
    pub(crate) counts: [u64; 9],
    /// Failed runs that were neither tried again nor cleared away.
    pub(crate) dead_letters: u64,
    /// Whether it changed since the last cut.
    dirty: bool,
}

/// Every place, by number.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    rows: Vec<Place>,
    index: HashMap<(u32, Symbol, Symbol), u32, FixedState>,
    dirty: Vec<u32>,
    /// The queues and kinds of each tenant.
    names: HashSet<(u32, Symbol), FixedState>,
    /// How many those are, by tenant.
    named: Vec<usize>,
}

impl Places {
    pub(crate) fn new(seed: u64) -> Places {
        Places {
            rows: Vec::new(),
            index: HashMap::with_hasher(FixedState::with_seed(seed)),
            dirty: Vec::new(),
            names: HashSet::with_hasher(FixedState::with_seed(seed)),
            named: Vec::new(),
        }
    }

    /// A tenant has a queue or kind of this name.
    pub(crate) fn name(&mut self, tenant: u32, name: Symbol) {
        if self.names.insert((tenant, name)) {
            let tenant = tenant as usize;
            if self.named.len() <= tenant {
                self.named.resize(tenant + 1, 0);
            }
            self.named[tenant] += 1;
        }
    }

    /// Whether a tenant has a queue or kind of this name.
    pub(crate) fn has_name(&self, tenant: u32, name: Symbol) -> bool {
        self.names.contains(&(tenant, name))
    }

    /// How many queues and kinds a tenant has; a name that is both counts once.
    pub(crate) fn names_of(&self, tenant: u32) -> usize {
        self.named.get(tenant as usize).copied().unwrap_or(0)
    }

    /// The number of a place, given to it when it is first named.
    pub(crate) fn number(&mut self, tenant: u32, queue: Symbol, kind: Symbol) -> u32 {
        let next = self.rows.len() as u32;
        let number = *self.index.entry((tenant, queue, kind)).or_insert(next);
        if number == next {
            self.rows.push(Place {
                tenant,
                queue,
                kind,
                counts: [0; 9],
                dead_letters: 0,
                dirty: false,
            });
            self.touch(number);
            self.name(tenant, queue);
            self.name(tenant, kind);
        }
        number
    }

    /// Counts runs in or out of a state.
    pub(crate) fn count(&mut self, place: u32, state: usize, change: i64) {
        let count = &mut self.rows[place as usize].counts[state];
        *count = count.wrapping_add_signed(change);
        self.touch(place);
    }

    /// Counts a dead letter in or out.
    pub(crate) fn count_dead(&mut self, place: u32, change: i64) {
        let row = &mut self.rows[place as usize];
        row.dead_letters = row.dead_letters.saturating_add_signed(change);
        self.touch(place);
    }

    /// Restores a place's counts as a checkpoint holds them.
    pub(crate) fn restore(&mut self, place: u32, counts: [u64; 9], dead_letters: u64) {
        self.rows[place as usize].counts = counts;
        self.rows[place as usize].dead_letters = dead_letters;
    }

    fn touch(&mut self, place: u32) {
        let row = &mut self.rows[place as usize];
        if !row.dirty {
            row.dirty = true;
            self.dirty.push(place);
        }
    }

    /// The places changed since the last call.
    pub(crate) fn take_dirty(&mut self) -> Vec<u32> {
        let dirty = core::mem::take(&mut self.dirty);
        for place in &dirty {
            self.rows[*place as usize].dirty = false;
        }
        dirty
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Place)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(at, row)| (at as u32, row))
    }
}

impl core::ops::Index<u32> for Places {
    type Output = Place;
    fn index(&self, place: u32) -> &Place {
        &self.rows[place as usize]
    }
}

#[cfg(test)]
mod tests;
