//! The simulated disk's calls, as the log makes them.

use std::io;

use mainstay_log::{Disk, DiskFile, LockError};

use super::fault::Act;
use super::model::{Ino, Renaming, SECTOR_BYTES, dir_of};
use super::sim::{SimDisk, Verdict, dead, eio, is_segment, not_found};
use crate::rng::Rng;

/// A held lock.
pub struct SimLock {
    disk: SimDisk,
    name: String,
    holder: String,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut inner = self.disk.hold();
        if inner.locks.get(&self.name) == Some(&self.holder) {
            inner.locks.remove(&self.name);
        }
    }
}

impl Disk for SimDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn lock(&self, name: &str, holder: &str) -> Result<SimLock, LockError> {
        let mut inner = self.hold();
        match inner.enter(Act::Lock, name) {
            Verdict::Fail(error) => return Err(error.into()),
            Verdict::Die => return Err(dead().into()),
            Verdict::Go | Verdict::Part | Verdict::Lie => {}
        }
        if let Some(other) = inner.locks.get(name) {
            return Err(LockError::Held {
                holder: other.clone(),
            });
        }
        if !inner.tree.names.contains_key(name) {
            let ino = inner.make();
            inner.tree.note(Renaming::Named(name.to_owned(), ino));
        }
        inner.locks.insert(name.to_owned(), holder.to_owned());
        Ok(SimLock {
            disk: self.clone(),
            name: name.to_owned(),
            holder: holder.to_owned(),
        })
    }

    fn lock_holder(&self, name: &str) -> io::Result<Option<String>> {
        Ok(self.hold().locks.get(name).cloned())
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        if self.hold().tree.dirs.contains(name) && !self.is_dead() {
            return Ok(());
        }
        self.rename_act(name, |_| Ok(Renaming::Dir(name.to_owned())))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let inner = self.look(dir)?;
        if !dir.is_empty() && !inner.tree.dirs.contains(dir) {
            return Err(not_found());
        }
        let names = inner.tree.names.keys().chain(inner.tree.dirs.iter());
        Ok(names
            .filter(|name| dir_of(name) == dir)
            .map(|name| {
                name.rsplit_once('/')
                    .map_or(name.as_str(), |(_, last)| last)
            })
            .map(str::to_owned)
            .collect())
    }

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let inner = self.look(name)?;
        let ino = inner.tree.names.get(name).copied().ok_or_else(not_found)?;
        drop(inner);
        Ok(self.file(ino, name))
    }

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let mut made = 0;
        self.rename_act(name, |inner| {
            if inner.tree.names.contains_key(name) {
                return Err(io::Error::from(io::ErrorKind::AlreadyExists));
            }
            let dir = dir_of(name);
            if !dir.is_empty() && !inner.tree.dirs.contains(dir) {
                return Err(not_found());
            }
            made = inner.make();
            Ok(Renaming::Named(name.to_owned(), made))
        })?;
        Ok(self.file(made, name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.rename_act(to, |inner| {
            let ino = inner.tree.names.get(from).copied().ok_or_else(not_found)?;
            Ok(Renaming::Moved {
                from: from.to_owned(),
                to: to.to_owned(),
                ino,
            })
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let before = self.grave_faults();
        let removed = self.rename_act(name, |inner| {
            if !inner.tree.names.contains_key(name) {
                return Err(not_found());
            }
            Ok(Renaming::Unnamed(name.to_owned()))
        });
        let mut inner = self.hold();
        inner.pardon(name, before);
        inner.removed = is_segment(name);
        removed
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.hook();
        let mut inner = self.hold();
        match inner.enter(Act::SyncDir, dir) {
            Verdict::Fail(error) => Err(error),
            Verdict::Die => {
                if inner.rng().chance(50) {
                    inner.tree.sync_dir(dir);
                }
                Err(dead())
            }
            Verdict::Go | Verdict::Part | Verdict::Lie => {
                inner.tree.sync_dir(dir);
                Ok(())
            }
        }
    }

    fn sector(&self) -> u32 {
        self.hold().sector
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// An open file of a [`SimDisk`].
pub struct SimFile {
    pub(super) disk: SimDisk,
    pub(super) ino: Ino,
    pub(super) name: String,
}

impl SimFile {
    /// A change of the file's length: done or not.
    fn resize(&self, len: u64, may_shrink: bool) -> io::Result<()> {
        let mut inner = self.disk.hold();
        let verdict = inner.enter(Act::Allocate, &self.name);
        let goes = match &verdict {
            Verdict::Go | Verdict::Part | Verdict::Lie => true,
            Verdict::Die => inner.rng().chance(50),
            Verdict::Fail(_) => false,
        };
        if goes {
            let inode = inner.inode(self.ino)?;
            let len = len as usize;
            if may_shrink || len > inode.cache.len() {
                inode.set_len(len);
            }
        }
        match verdict {
            Verdict::Go | Verdict::Part | Verdict::Lie => Ok(()),
            Verdict::Die => Err(dead()),
            Verdict::Fail(error) => Err(error),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.hook();
        let mut inner = self.disk.hold();
        let verdict = inner.enter(Act::Sync, &self.name);
        let drops_cache = inner.plan.drops_cache;
        let mut rng = Rng::new(inner.rng().draw(), 2);
        match verdict {
            Verdict::Go | Verdict::Part | Verdict::Lie => {
                inner.inode(self.ino)?.sync();
                Ok(())
            }
            Verdict::Die => {
                if rng.chance(50) {
                    inner.inode(self.ino)?.sync();
                }
                Err(dead())
            }
            Verdict::Fail(error) => {
                if !inner.dead {
                    inner.inode(self.ino)?.fail_sync(&mut rng, drops_cache);
                }
                Err(error)
            }
        }
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.disk.hold();
        let short = match inner.enter(Act::Read, &self.name) {
            Verdict::Go | Verdict::Lie => false,
            Verdict::Part => true,
            Verdict::Fail(error) => return Err(error),
            Verdict::Die => return Err(dead()),
        };
        let inode = inner.inode(self.ino)?;
        let start = (offset as usize).min(inode.cache.len());
        let mut count = into.len().min(inode.cache.len() - start);
        if short {
            count = count.div_ceil(2);
        }
        let touched = start / SECTOR_BYTES..(start + count).div_ceil(SECTOR_BYTES);
        if let Some(bad) = inode.unreadable.iter().find(|bad| touched.contains(bad)) {
            // The blocks before the bad one can be read.
            count = (bad * SECTOR_BYTES).saturating_sub(start);
            if count == 0 {
                inner.condemn(Act::Read, &self.name);
                return Err(eio());
            }
        }
        let inode = inner.inode(self.ino)?;
        into[..count].copy_from_slice(&inode.cache[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, offset: u64, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.disk.hook();
        let mut inner = self.disk.hold();
        let mut whole = Vec::new();
        parts.iter().for_each(|part| whole.extend_from_slice(part));
        let verdict = inner.enter(Act::Write, &self.name);
        let some = inner.rng().below(whole.len() as u64) as usize;
        let count = match &verdict {
            Verdict::Go => whole.len(),
            Verdict::Part => some.max(1),
            Verdict::Die | Verdict::Lie => some,
            Verdict::Fail(_) if inner.dead => 0,
            Verdict::Fail(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Verdict::Fail(_) => some,
        };
        inner
            .inode(self.ino)?
            .write(offset as usize, &whole[..count]);
        match verdict {
            Verdict::Go | Verdict::Part => Ok(count),
            Verdict::Lie => Ok(whole.len()),
            Verdict::Die => Err(dead()),
            Verdict::Fail(error) => Err(error),
        }
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.resize(len, false)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.resize(len, true)
    }

    fn len(&self) -> io::Result<u64> {
        let mut inner = self.disk.look(&self.name)?;
        Ok(inner.inode(self.ino)?.cache.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync()
    }
}
