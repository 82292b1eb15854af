//! Capability sets: what tasks require of workers, each set numbered once per tenant.
//! Owns: the numbering.
//! Never: lets a number out of the process.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::Text;

/// The set of those that require nothing.
pub(super) const NOTHING: u32 = 0;

/// A tenant's sets, by number from 1 on.
#[derive(Clone, Debug, Default)]
struct Known {
    sets: Vec<Vec<Text>>,
    numbers: BTreeMap<Vec<Text>, u32>,
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

impl Sets {
    pub(super) fn find(&self, tenant: u32, set: &[Text]) -> Option<u32> {
        if set.is_empty() {
            return Some(NOTHING);
        }
        self.tenants.get(&tenant)?.numbers.get(set).copied()
    }

    /// The set's number, given to it when it is first named.
    pub(crate) fn number(&mut self, tenant: u32, set: &[Text]) -> u32 {
        if let Some(number) = self.find(tenant, set) {
            return number;
        }
        let known = self.tenants.entry(tenant).or_default();
        known.sets.push(set.to_vec());
        let number = known.sets.len() as u32;
        known.numbers.insert(set.to_vec(), number);
        number
    }

    /// How many sets a tenant has named, and whether this one is among them.
    pub(crate) fn count(&self, tenant: u32, set: &[Text]) -> (usize, bool) {
        let known = self.tenants.get(&tenant);
        let count = known.map_or(0, |known| known.sets.len());
        (count, self.find(tenant, set).is_some())
    }

    /// What the number stands for.
    pub(crate) fn text(&self, tenant: u32, number: u32) -> &[Text] {
        let known = self.tenants.get(&tenant);
        let at = (number as usize).checked_sub(1);
        let set = known.zip(at).and_then(|(known, at)| known.sets.get(at));
        set.map_or(&[], Vec::as_slice)
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
        let fits = fits.filter(|(_, set)| is_part(set, capabilities));
        let fits = fits.map(|(at, _)| at as u32 + 1);
        core::iter::once(NOTHING).chain(fits).collect()
    }
}
