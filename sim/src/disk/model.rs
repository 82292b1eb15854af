//! What a simulated disk holds: inodes with a page cache above a medium, and names that are cached and durable apart.
//!
//! # Fault model
//!
//! A file is an inode. Its **cache** is what reads see; its **medium** is what a power cut leaves. A write changes the
//! cache and leaves *versions* of 512-byte sectors behind. A sync that succeeds moves the newest version of every dirty
//! sector, and the length, to the medium. Names live in a cached and a durable table; the way from one to the other is a
//! list of single changes that only `sync_dir` of their directory makes durable.
//!
//! * **The process dies** (F1): the cache survives, names included. The call that was cut off may have done a part of its
//!   work: any prefix of a write, all or nothing of anything else.
//! * **The power fails** (F2–F5): for every file, each dirty sector independently keeps its old bytes, gets any of its
//!   un-synced versions, a prefix of one (torn at any byte), or garbage. Length and allocation are metadata of their own:
//!   the old length, the new one with zeros, or the new one with data. Which sectors survive does not depend on the order of
//!   writes, within a file or across files.
//! * **Names** (F6, F7): each change of a name since the last `sync_dir` survives or not, independently. A rename leaves the
//!   new name, the old one, or both; what it replaced may come back. A synced file may have no name. A directory that was
//!   made and never synced takes everything in it away.
//! * **A sync fails** (F8, F9): some of the dirty sectors reached the medium. Then *every page is clean*: the next sync says
//!   that all is well and writes nothing, and reads return the bytes that are not on the medium, until the power fails. A
//!   variant drops the cache to the medium at once, as Btrfs does.
//! * **A write fails** (F10): any number of its bytes is in the cache; short writes without an error are legal too, and so is
//!   an interruption.
//! * **The disk is full** (F11): `ENOSPC` from anything that allocates: create, allocate, write, sync, rename.
//! * **A block cannot be read** (F12): `EIO`, once or for ever.
//! * **Rot** (F13): [`super::SimDisk::rot`] changes bytes at rest, in the cache and on the medium.
//! * **A file is missing** (F18): [`super::SimDisk::lose`].
//!
//! Not modelled: a disk that acknowledges a flush and drops it (F15), misdirected writes (F14), slow disks (F17).
//!
//! Locks belong to a process: a crash of either kind releases them.

use std::collections::{BTreeMap, BTreeSet};

use crate::rng::Rng;

/// Bytes that the medium writes in one act, or tears.
pub(crate) const SECTOR_BYTES: usize = 512;

/// A file's number; names point to it.
pub(crate) type Ino = u64;

/// One file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inode {
    /// What reads see.
    pub(crate) cache: Vec<u8>,
    /// What a power cut leaves.
    pub(crate) medium: Vec<u8>,
    /// Versions of sectors that a sync would write.
    pub(crate) dirty: BTreeMap<usize, Vec<Vec<u8>>>,
    /// Sectors that are in the cache alone and that no sync will write any more.
    pub(crate) orphans: BTreeSet<usize>,
    /// Whether the length changed since the last sync.
    pub(crate) resized: bool,
    /// Sectors that cannot be read.
    pub(crate) unreadable: BTreeSet<usize>,
}

/// A change of a name that is not durable.
#[derive(Clone, Debug)]
pub(crate) enum Renaming {
    /// A file got a name.
    Named(String, Ino),
    /// A name is gone.
    Unnamed(String),
    /// A file changed its name, in one act.
    Moved { from: String, to: String, ino: Ino },
    /// A directory was made.
    Dir(String),
}

/// Everything on the disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) inodes: BTreeMap<Ino, Inode>,
    pub(crate) next_ino: Ino,
    pub(crate) names: BTreeMap<String, Ino>,
    pub(crate) dirs: BTreeSet<String>,
    pub(crate) durable_names: BTreeMap<String, Ino>,
    pub(crate) durable_dirs: BTreeSet<String>,
    pub(crate) renamings: Vec<Renaming>,
    pub(crate) torn: u64,
}

/// The directory a name is in.
pub(crate) fn dir_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(dir, _)| dir)
}

fn sector(bytes: &[u8], at: usize) -> Vec<u8> {
    let start = (at * SECTOR_BYTES).min(bytes.len());
    let end = (start + SECTOR_BYTES).min(bytes.len());
    let mut out = bytes[start..end].to_vec();
    out.resize(SECTOR_BYTES, 0);
    out
}

fn put_sector(bytes: &mut [u8], at: usize, from: &[u8]) {
    let start = (at * SECTOR_BYTES).min(bytes.len());
    let end = (start + SECTOR_BYTES).min(bytes.len());
    bytes[start..end].copy_from_slice(&from[..end - start]);
}

impl Inode {
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if self.cache.len() < end {
            self.cache.resize(end, 0);
            self.resized = true;
        }
        self.cache[offset..end].copy_from_slice(bytes);
        for at in offset / SECTOR_BYTES..=(end - 1) / SECTOR_BYTES {
            let version = sector(&self.cache, at);
            self.dirty.entry(at).or_default().push(version);
            self.orphans.remove(&at);
        }
    }

    pub(crate) fn set_len(&mut self, len: usize) {
        if self.cache.len() != len {
            self.cache.resize(len, 0);
            self.resized = true;
        }
    }

    pub(crate) fn sync(&mut self) {
        if self.resized {
            self.medium.resize(self.cache.len(), 0);
            self.resized = false;
        }
        for (at, versions) in std::mem::take(&mut self.dirty) {
            if let Some(newest) = versions.last() {
                put_sector(&mut self.medium, at, newest);
            }
        }
    }

    /// A sync that fails: some sectors are on the medium, all pages are clean.
    pub(crate) fn fail_sync(&mut self, rng: &mut Rng, drops_cache: bool) {
        if self.resized && rng.chance(50) {
            self.medium.resize(self.cache.len(), 0);
        }
        self.resized = false;
        for (at, versions) in std::mem::take(&mut self.dirty) {
            match versions.last() {
                Some(newest) if rng.chance(30) && (at + 1) * SECTOR_BYTES <= self.medium.len() => {
                    put_sector(&mut self.medium, at, newest);
                }
                _ => {
                    self.orphans.insert(at);
                }
            }
        }
        if drops_cache {
            self.cache = self.medium.clone();
            self.orphans.clear();
        }
    }

    /// What the power cut leaves becomes all there is. Gives the number of torn sectors.
    pub(crate) fn cut(&mut self, rng: &mut Rng) -> u64 {
        let mut torn = 0;
        if self.resized && rng.chance(60) {
            self.medium.resize(self.cache.len(), 0);
        }
        let keeps = *rng.pick(&[0, 15, 50, 85, 100]);
        for (at, versions) in std::mem::take(&mut self.dirty) {
            if !rng.chance(keeps) {
                continue;
            }
            let version = rng.pick(&versions).clone();
            let old = sector(&self.medium, at);
            let survivor = match rng.below(10) {
                0..=4 => version,
                5..=7 => {
                    torn += 1;
                    let cut = rng.below(SECTOR_BYTES as u64) as usize;
                    [&version[..cut], &old[cut..]].concat()
                }
                _ => {
                    torn += 1;
                    garbage(version, rng)
                }
            };
            put_sector(&mut self.medium, at, &survivor);
        }
        self.resized = false;
        self.orphans.clear();
        self.cache = self.medium.clone();
        torn
    }
}

/// A sector spoilt while it was written: a range of it is noise, or one byte where something ends.
fn garbage(mut bytes: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    if rng.chance(50) {
        let at = if rng.chance(50) {
            last
        } else {
            rng.below(last as u64 + 1) as usize
        };
        bytes[at] ^= 1 << rng.below(8);
        return bytes;
    }
    let from = rng.below(SECTOR_BYTES as u64) as usize;
    let to = from + rng.below((SECTOR_BYTES - from) as u64 + 1) as usize;
    for byte in &mut bytes[from..to] {
        *byte = rng.draw() as u8;
    }
    bytes
}

impl Tree {
    pub(crate) fn note(&mut self, change: Renaming) {
        match &change {
            Renaming::Named(name, ino) => {
                self.names.insert(name.clone(), *ino);
            }
            Renaming::Unnamed(name) => {
                self.names.remove(name);
            }
            Renaming::Moved { from, to, ino } => {
                self.names.remove(from);
                self.names.insert(to.clone(), *ino);
            }
            Renaming::Dir(name) => {
                self.dirs.insert(name.clone());
            }
        }
        self.renamings.push(change);
    }

    pub(crate) fn sync_dir(&mut self, dir: &str) {
        let (ours, rest) =
            std::mem::take(&mut self.renamings)
                .into_iter()
                .partition(|change: &Renaming| match change {
                    Renaming::Named(name, _) | Renaming::Unnamed(name) | Renaming::Dir(name) => {
                        dir_of(name) == dir
                    }
                    Renaming::Moved { to, .. } => dir_of(to) == dir,
                });
        self.renamings = rest;
        let ours: Vec<Renaming> = ours;
        for change in ours {
            self.make_durable(change, true);
        }
    }

    fn make_durable(&mut self, change: Renaming, whole: bool) {
        match change {
            Renaming::Named(name, ino) => {
                self.durable_names.insert(name, ino);
            }
            Renaming::Unnamed(name) => {
                self.durable_names.remove(&name);
            }
            Renaming::Moved { from, to, ino } => {
                if whole {
                    self.durable_names.remove(&from);
                } else {
                    // Both names: the file had its old one, durable or not.
                    self.durable_names.insert(from, ino);
                }
                self.durable_names.insert(to, ino);
            }
            Renaming::Dir(name) => {
                self.durable_dirs.insert(name);
            }
        }
    }

    /// Forgets files that no name leads to, now or after any power cut.
    pub(crate) fn sweep(&mut self) {
        let mut reachable: BTreeSet<Ino> = self.names.values().copied().collect();
        reachable.extend(self.durable_names.values());
        reachable.extend(self.renamings.iter().filter_map(|change| match change {
            Renaming::Named(_, ino) | Renaming::Moved { ino, .. } => Some(*ino),
            Renaming::Unnamed(_) | Renaming::Dir(_) => None,
        }));
        self.inodes.retain(|ino, _| reachable.contains(ino));
    }

    /// The power fails.
    pub(crate) fn cut(&mut self, rng: &mut Rng) {
        let keeps = *rng.pick(&[0, 30, 50, 80, 100]);
        for change in std::mem::take(&mut self.renamings) {
            if rng.chance(keeps) {
                let whole = !rng.chance(15);
                self.make_durable(change, whole);
            }
        }
        self.names = self.durable_names.clone();
        self.dirs = self.durable_dirs.clone();
        let dirs = self.dirs.clone();
        self.names.retain(|name, _| {
            let dir = dir_of(name);
            dir.is_empty() || dirs.contains(dir)
        });
        self.durable_names = self.names.clone();
        let named: BTreeSet<Ino> = self.names.values().copied().collect();
        self.inodes.retain(|ino, _| named.contains(ino));
        for inode in self.inodes.values_mut() {
            self.torn += inode.cut(rng);
        }
    }
}
