//! The nouns of the platform.
//! Owns: a tenant's row.
//! Never: decides.

use alloc::vec::Vec;

use crate::Text;
use crate::budget::Budget;

/// What is known of a tenant besides its id.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) name: Text,
    /// Its share of grants among tenants that have work, 1..=1000.
    pub(crate) weight: u32,
    /// What all its work together may spend.
    pub(crate) budgets: Vec<Budget>,
}

impl Tenant {
    /// The tenant that every data directory has from the start.
    pub(crate) fn first() -> Tenant {
        Tenant {
            name: Text::from("default"),
            ..Tenant::default()
        }
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Tenant {
            name: Text::default(),
            weight: 1,
            budgets: Vec::new(),
        }
    }
}
