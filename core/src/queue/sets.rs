//! Capability sets: what tasks require of workers, each set numbered once per tenant while a task in memory requires it.
//! Owns: the numbering.
//! Never: lets a number out of the process.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::Text;

/// The set of those that require nothing.
pub(super) const NOTHING: u32 = 0;

/// A set, and how many tasks in memory require it; none of them: its number is free.
#[derive(Clone, Debug, Default)]
struct Required {
    set: Vec<Text>,
    tasks: u32,
}

/// A tenant's sets, by number from 1 on.
#[derive(Clone, Debug, Default)]
struct Known {
    sets: Vec<Required>,
    numbers: BTreeMap<Vec<Text>, u32>,
    free: Vec<u32>,
}

/// Every tenant's sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sets {
    tenants: BTreeMap<u32, Known>,
}

/// Whether the first sorted list is part of the second.
pub(crate) fn is_part(part: &[Text], whole: &[Text]) -> bool {
    part.len() <= whole.len() && part.iter().all(|one| whole.binary_search(one).is_ok())
}

impl Known {
    fn required(&mut self, number: u32) -> &mut Required {
        &mut self.sets[number as usize - 1]
    }
}

impl Sets {
    pub(super) fn find(&self, tenant: u32, set: &[Text]) -> Option<u32> {
        if set.is_empty() {
            return Some(NOTHING);
        }
        self.tenants.get(&tenant)?.numbers.get(set).copied()
    }

    /// A task in memory requires the set; the first of them gives it a number.
    pub(crate) fn hold(&mut self, tenant: u32, set: &[Text]) {
        if set.is_empty() {
            return;
        }
        let known = self.tenants.entry(tenant).or_default();
        let number = known.numbers.get(set).copied().unwrap_or_else(|| {
            let number = known.free.pop().unwrap_or_else(|| {
                known.sets.push(Required::default());
                known.sets.len() as u32
            });
            known.required(number).set = set.to_vec();
            known.numbers.insert(set.to_vec(), number);
            number
        });
        known.required(number).tasks += 1;
    }

    /// A task that requires the set has left memory; with the last of them its number is free for another set.
    pub(crate) fn free(&mut self, tenant: u32, set: &[Text]) {
        let Some(known) = self.tenants.get_mut(&tenant) else {
            return;
        };
        let Some(number) = known.numbers.get(set).copied() else {
            return;
        };
        let required = known.required(number);
        required.tasks -= 1;
        if required.tasks == 0 {
            *required = Required::default();
            known.numbers.remove(set);
            known.free.push(number);
        }
        if known.numbers.is_empty() {
            self.tenants.remove(&tenant);
        }
    }

    /// How many sets a tenant's tasks require, and whether this one is among them.
    pub(crate) fn count(&self, tenant: u32, set: &[Text]) -> (usize, bool) {
        let known = self.tenants.get(&tenant);
        let count = known.map_or(0, |known| known.numbers.len());
        (count, self.find(tenant, set).is_some())
    }

    /// What the number stands for.
    pub(crate) fn text(&self, tenant: u32, number: u32) -> &[Text] {
        let known = self.tenants.get(&tenant);
        let at = (number as usize).checked_sub(1);
        let required = known.zip(at).and_then(|(known, at)| known.sets.get(at));
        required.map_or(&[], |required| &required.set)
    }

    /// The sets that somebody with these capabilities (sorted) can serve. Empty when that is only the empty one.
    #[inline]
    pub(super) fn within(&self, tenant: u32, capabilities: &[Text]) -> Vec<u32> {
        if capabilities.is_empty() {
            return Vec::new();
        }
        self.among(tenant, capabilities)
    }

    fn among(&self, tenant: u32, capabilities: &[Text]) -> Vec<u32> {
        let Some(known) = self.tenants.get(&tenant) else {
            return Vec::new();
        };
        let fits = known.sets.iter().enumerate();
        let fits = fits.filter(|(_, it)| it.tasks > 0 && is_part(&it.set, capabilities));
        let fits = fits.map(|(at, _)| at as u32 + 1);
        core::iter::once(NOTHING).chain(fits).collect()
    }

    /// Every set with how many tasks require it, for `verify`.
    pub(crate) fn census(&self) -> impl Iterator<Item = ((u32, &[Text]), u32)> {
        self.tenants.iter().flat_map(|(tenant, known)| {
            let sets = known.sets.iter().filter(|required| required.tasks > 0);
            sets.map(|required| ((*tenant, &required.set[..]), required.tasks))
        })
    }
}
