//! A dense table with 32-bit handles: rows keep their handle for life.
//! Owns: handle allocation.
//! Never: shows handles outside the crate; events name rows by id.

use alloc::vec::Vec;

/// A table of `T` addressed by dense handles.
#[derive(Debug, Clone)]
pub(crate) struct Slab<T> {
    rows: Vec<T>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { rows: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, row: T) -> u32 {
        let handle =
            u32::try_from(self.rows.len()).expect("fewer than 2^32 rows: memory ends long before");
        self.rows.push(row);
        handle
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&T> {
        self.rows.get(handle as usize)
    }

    /// The row made last.
    pub(crate) fn last(&self) -> Option<(u32, &T)> {
        let at = self.rows.len().checked_sub(1)?;
        Some((at as u32, &self.rows[at]))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(index, row)| (index as u32, row))
    }
}

impl<T> core::ops::Index<u32> for Slab<T> {
    type Output = T;
    fn index(&self, handle: u32) -> &T {
        &self.rows[handle as usize]
    }
}

impl<T> core::ops::IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, handle: u32) -> &mut T {
        &mut self.rows[handle as usize]
    }
}
