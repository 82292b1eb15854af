//! Names held once: a kind, queue or worker becomes a 32-bit symbol inside the process.
//! Owns: the two-way table of names and symbols.
//! Never: lets a symbol into an event or a digest; symbols differ between processes.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::Text;

/// A name's place in the table of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(pub(crate) u32);

#[derive(Debug, Clone)]
pub(crate) struct Names {
    names: Vec<Text>,
    index: HashTable<u32>,
    hasher: FixedState,
}

impl Names {
    /// `seed` keeps the table's shape secret from those who choose names.
    pub(crate) fn new(seed: u64) -> Names {
        let mut names = Names {
            names: Vec::new(),
            index: HashTable::new(),
            hasher: FixedState::with_seed(seed),
        };
        // Symbol 0 is the empty name, so that "none" needs no Option in rows.
        names.intern(&Text::default());
        names
    }

    pub(crate) fn find(&self, name: &str) -> Option<Symbol> {
        let hash = self.hasher.hash_one(name);
        self.index
            .find(hash, |&at| &*self.names[at as usize] == name)
            .map(|&at| Symbol(at))
    }

    pub(crate) fn intern(&mut self, name: &Text) -> Symbol {
        if let Some(symbol) = self.find(name) {
            return symbol;
        }
        let at = u32::try_from(self.names.len())
            .expect("fewer than 2^32 names: limits hold long before");
        self.names.push(name.clone());
        let (names, hasher) = (&self.names, &self.hasher);
        let hash = hasher.hash_one(&**name);
        self.index
            .insert_unique(hash, at, |&other| hasher.hash_one(&*names[other as usize]));
        Symbol(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &Text {
        &self.names[symbol.0 as usize]
    }
}
