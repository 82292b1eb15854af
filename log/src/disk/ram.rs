//! A disk in memory for tests: what is written is there, nothing ever fails.
//! Owns: an in-memory directory tree.
//! Never: models faults; the simulator has its own disk for that.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::seam::{Disk, DiskFile, LockError};

type Bytes = Arc<Mutex<Vec<u8>>>;

#[derive(Debug, Default)]
struct Tree {
    dirs: BTreeSet<String>,
    files: BTreeMap<String, Bytes>,
    locks: BTreeMap<String, String>,
}

/// A data directory in memory; clones share it. Test power.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct RamDisk {
    tree: Arc<Mutex<Tree>>,
    sector: u32,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_found() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Default for RamDisk {
    fn default() -> Self {
        RamDisk::new(512)
    }
}

impl RamDisk {
    /// An empty directory on a disk with this sector size.
    pub fn new(sector: u32) -> RamDisk {
        RamDisk {
            tree: Arc::default(),
            sector,
        }
    }

    /// A deep copy without locks: the same files, as another process would find them.
    pub fn fork(&self) -> RamDisk {
        let tree = hold(&self.tree);
        let files = tree
            .files
            .iter()
            .map(|(name, bytes)| (name.clone(), Arc::new(Mutex::new(hold(bytes).clone()))));
        let copy = Tree {
            dirs: tree.dirs.clone(),
            files: files.collect(),
            locks: BTreeMap::new(),
        };
        RamDisk {
            tree: Arc::new(Mutex::new(copy)),
            sector: self.sector,
        }
    }

    /// Names of all files.
    pub fn names(&self) -> Vec<String> {
        hold(&self.tree).files.keys().cloned().collect()
    }

    /// Bytes of a file.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        hold(&self.tree)
            .files
            .get(name)
            .map(|bytes| hold(bytes).clone())
    }

    /// Puts a file in place, under a new inode.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut tree = hold(&self.tree);
        if let Some((dir, _)) = name.rsplit_once('/') {
            tree.dirs.insert(dir.to_owned());
        }
        tree.files
            .insert(name.to_owned(), Arc::new(Mutex::new(bytes)));
    }
}

/// The lock of a [`RamDisk`].
#[doc(hidden)]
#[derive(Debug)]
pub struct RamLock {
    tree: Arc<Mutex<Tree>>,
    name: String,
}

impl Drop for RamLock {
    fn drop(&mut self) {
        hold(&self.tree).locks.remove(&self.name);
    }
}

impl Disk for RamDisk {
    type File = RamFile;
    type Lock = RamLock;

    fn lock(&self, name: &str, holder: &str) -> Result<RamLock, LockError> {
        let mut tree = hold(&self.tree);
        if let Some(other) = tree.locks.get(name) {
            return Err(LockError::Held {
                holder: other.clone(),
            });
        }
        tree.files.entry(name.to_owned()).or_default();
        tree.locks.insert(name.to_owned(), holder.to_owned());
        Ok(RamLock {
            tree: Arc::clone(&self.tree),
            name: name.to_owned(),
        })
    }

    fn lock_holder(&self, name: &str) -> io::Result<Option<String>> {
        Ok(hold(&self.tree).locks.get(name).cloned())
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        hold(&self.tree).dirs.insert(name.to_owned());
        Ok(())
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let tree = hold(&self.tree);
        if !dir.is_empty() && !tree.dirs.contains(dir) {
            return Err(not_found());
        }
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let inside = |name: &String| {
            name.strip_prefix(&prefix)
                .filter(|rest| !rest.contains('/'))
                .map(str::to_owned)
        };
        Ok(tree
            .files
            .keys()
            .chain(tree.dirs.iter())
            .filter_map(inside)
            .collect())
    }

    fn open(&self, name: &str) -> io::Result<RamFile> {
        hold(&self.tree)
            .files
            .get(name)
            .map(|bytes| RamFile {
                bytes: Arc::clone(bytes),
            })
            .ok_or_else(not_found)
    }

    fn create(&self, name: &str) -> io::Result<RamFile> {
        let mut tree = hold(&self.tree);
        if tree.files.contains_key(name) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        if let Some((dir, _)) = name.rsplit_once('/')
            && !tree.dirs.contains(dir)
        {
            return Err(not_found());
        }
        let bytes = Bytes::default();
        tree.files.insert(name.to_owned(), Arc::clone(&bytes));
        Ok(RamFile { bytes })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut tree = hold(&self.tree);
        let bytes = tree.files.remove(from).ok_or_else(not_found)?;
        tree.files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        hold(&self.tree)
            .files
            .remove(name)
            .map(drop)
            .ok_or_else(not_found)
    }

    fn sync_dir(&self, _dir: &str) -> io::Result<()> {
        Ok(())
    }

    fn sector(&self) -> u32 {
        self.sector
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// A file of a [`RamDisk`].
#[doc(hidden)]
#[derive(Debug)]
pub struct RamFile {
    bytes: Bytes,
}

impl DiskFile for RamFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let bytes = hold(&self.bytes);
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let count = into.len().min(bytes.len() - start);
        into[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, offset: u64, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let mut bytes = hold(&self.bytes);
        let mut at =
            usize::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let begun = at;
        for part in parts {
            let end = at + part.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at..end].copy_from_slice(part);
            at = end;
        }
        Ok(at - begun)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut bytes = hold(&self.bytes);
        let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        if bytes.len() < len {
            bytes.resize(len, 0);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        hold(&self.bytes).resize(len, 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(hold(&self.bytes).len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
}
