//! A dense table with 32-bit handles: a row keeps its handle for life, and grows in chunks so that nothing is ever moved.
//! Owns: handle allocation; a handle is used again only after its row has left.
//! Never: shows handles outside the crate; events name rows by id.

use alloc::vec::Vec;

/// Rows of one chunk: growing never copies more than a pointer.
const CHUNK_BITS: u32 = 12;
const CHUNK: usize = 1 << CHUNK_BITS;

/// A table of `T` addressed by dense handles.
#[derive(Debug, Clone)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    /// Handles ever given out.
    used: u32,
    last: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            chunks: Vec::new(),
            free: Vec::new(),
            used: 0,
            last: 0,
        }
    }
}

#[inline]
fn place(handle: u32) -> (usize, usize) {
    (
        (handle >> CHUNK_BITS) as usize,
        handle as usize & (CHUNK - 1),
    )
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, row: T) -> u32 {
        if let Some(handle) = self.free.pop() {
            let (chunk, at) = place(handle);
            self.chunks[chunk][at] = Some(row);
            self.last = handle;
            return handle;
        }
        let handle = self.used;
        self.used = handle
            .checked_add(1)
            .expect("fewer than 2^32 rows: memory ends long before");
        let (chunk, at) = place(handle);
        if at == 0 {
            // A small table stays small; the chunks after the first are whole.
            let room = if chunk == 0 { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(room));
        }
        self.chunks[chunk].push(Some(row));
        self.last = handle;
        handle
    }

    /// Takes a row out; its handle is free again.
    pub(crate) fn remove(&mut self, handle: u32) -> Option<T> {
        let (chunk, at) = place(handle);
        let row = self.chunks.get_mut(chunk)?.get_mut(at)?.take()?;
        self.free.push(handle);
        Some(row)
    }

    #[inline]
    pub(crate) fn get(&self, handle: u32) -> Option<&T> {
        let (chunk, at) = place(handle);
        self.chunks.get(chunk)?.get(at)?.as_ref()
    }

    /// The row made last, if it is still there.
    pub(crate) fn last(&self) -> Option<(u32, &T)> {
        self.get(self.last).map(|row| (self.last, row))
    }

    /// Rows in the table.
    pub(crate) fn len(&self) -> usize {
        self.used as usize - self.free.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let rows = self.chunks.iter().flatten().enumerate();
        rows.filter_map(|(handle, row)| row.as_ref().map(|row| (handle as u32, row)))
    }
}

impl<T> core::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, handle: u32) -> &T {
        self.get(handle).expect("a handle in use has a row")
    }
}

impl<T> core::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, handle: u32) -> &mut T {
        let (chunk, at) = place(handle);
        self.chunks[chunk][at]
            .as_mut()
            .expect("a handle in use has a row")
    }
}

#[cfg(test)]
mod tests;
