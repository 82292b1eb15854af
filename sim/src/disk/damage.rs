//! Damage at rest: rot, unreadable blocks, lost files.

use super::model::{SECTOR_BYTES, Tree};
use super::sim::SimDisk;

/// Everything on a disk at one moment.
#[derive(Clone)]
pub struct Saved(Tree);

impl SimDisk {
    /// Names of all files, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.hold().tree.names.keys().cloned().collect()
    }

    /// Bytes of a file as reads see them.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let inner = self.hold();
        let ino = inner.tree.names.get(name)?;
        inner.tree.inodes.get(ino).map(|inode| inode.cache.clone())
    }

    /// Flips bits of one byte, in the cache and on the medium.
    pub fn rot(&self, name: &str, offset: usize, mask: u8) {
        let mut inner = self.hold();
        let Some(ino) = inner.tree.names.get(name).copied() else {
            return;
        };
        if let Some(inode) = inner.tree.inodes.get_mut(&ino) {
            for bytes in [&mut inode.cache, &mut inode.medium] {
                if let Some(byte) = bytes.get_mut(offset) {
                    *byte ^= mask;
                }
            }
        }
    }

    /// The block around an offset can no longer be read.
    pub fn spoil(&self, name: &str, offset: usize) {
        let mut inner = self.hold();
        let Some(ino) = inner.tree.names.get(name).copied() else {
            return;
        };
        if let Some(inode) = inner.tree.inodes.get_mut(&ino) {
            inode.unreadable.insert(offset / SECTOR_BYTES);
        }
    }

    /// Every block can be read again.
    pub fn heal(&self) {
        for inode in self.hold().tree.inodes.values_mut() {
            inode.unreadable.clear();
        }
    }

    /// A copy of everything, to undo damage with.
    #[must_use]
    pub fn save(&self) -> Saved {
        Saved(self.hold().tree.clone())
    }

    /// Everything is as it was when saved.
    pub fn restore(&self, saved: Saved) {
        self.hold().tree = saved.0;
    }

    /// A file holds these bytes again, durably; one that has no name any more does not.
    pub fn mend(&self, name: &str, bytes: &[u8]) {
        let mut inner = self.hold();
        let Some(ino) = inner.tree.names.get(name).copied() else {
            return;
        };
        if let Some(inode) = inner.tree.inodes.get_mut(&ino) {
            inode.cache = bytes.to_vec();
            inode.medium = bytes.to_vec();
            inode.dirty.clear();
            inode.orphans.clear();
            inode.unreadable.clear();
        }
    }

    /// A file is there again, durably.
    pub fn give_back(&self, name: &str, bytes: &[u8]) {
        let mut inner = self.hold();
        let ino = inner.make();
        inner.tree.names.insert(name.to_owned(), ino);
        inner.tree.durable_names.insert(name.to_owned(), ino);
        drop(inner);
        self.mend(name, bytes);
    }

    /// A file is gone, durably.
    pub fn lose(&self, name: &str) {
        let mut inner = self.hold();
        inner.tree.names.remove(name);
        inner.tree.durable_names.remove(name);
    }
}
