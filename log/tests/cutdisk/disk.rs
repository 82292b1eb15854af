//! A disk that fails at a chosen operation and then shows what a crash or a power cut would leave.
//! Owns: a small fault model: process crash, lost, torn and spoilt unsynced sectors, lost names.
//! Never: lies about a sync; the simulator has a disk for that.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use mainstay_log::{Disk, DiskFile, LockError, RamDisk};

#[derive(Clone, Default)]
struct Node {
    now: Vec<u8>,
    synced: Vec<u8>,
    /// Sectors that a sync would write. A sync that fails forgets them: as on Linux, later syncs say that all is well.
    dirty: BTreeSet<usize>,
}

impl Node {
    fn sync(&mut self, result: io::Result<()>) -> io::Result<()> {
        let dirty = std::mem::take(&mut self.dirty);
        result?;
        self.synced.resize(self.now.len(), 0);
        for sector in dirty {
            let end = self.now.len().min(sector * 512 + 512);
            if let Some(new) = self.now.get(sector * 512..end) {
                self.synced[sector * 512..end].copy_from_slice(new);
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct World {
    nodes: Vec<Node>,
    names: BTreeMap<String, usize>,
    names_synced: BTreeMap<String, usize>,
    operations: u64,
    fail_from: u64,
    fail_once: bool,
    /// The failure is a full disk: removing still works, and making a directory does not.
    is_full: bool,
    syncs: Vec<u64>,
    seed: u64,
    unreadable: Option<(usize, u64)>,
}

/// What survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survives {
    /// Everything written: the process died, the machine did not.
    All,
    /// Only what was synced.
    Synced,
    /// Any mix of old, new, half and spoilt sectors, and old or new names.
    Mixed(u64),
}

#[derive(Clone)]
pub struct CutDisk(Arc<Mutex<World>>);

fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    seed.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
}

impl World {
    /// Counts an operation that changes something; the chosen one and, unless `fail_once`, all later ones fail.
    fn act(&mut self) -> io::Result<()> {
        self.operations += 1;
        let fails = if self.fail_once {
            self.operations == self.fail_from
        } else {
            self.operations >= self.fail_from
        };
        if fails && self.is_full {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        } else if fails {
            Err(io::Error::other("cut"))
        } else {
            Ok(())
        }
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

impl CutDisk {
    /// A disk with the files of `from` (all synced) whose operation `fail_from` (1-based) and all later ones fail.
    pub fn new(from: &RamDisk, fail_from: u64) -> CutDisk {
        let mut world = World {
            fail_from,
            seed: 0x9e37_79b9_7f4a_7c15 ^ fail_from,
            ..World::default()
        };
        for name in from.names() {
            let bytes = from.get(&name).unwrap_or_default();
            world.names.insert(name, world.nodes.len());
            world.nodes.push(Node {
                now: bytes.clone(),
                synced: bytes,
                dirty: BTreeSet::new(),
            });
        }
        world.names_synced = world.names.clone();
        CutDisk(Arc::new(Mutex::new(world)))
    }

    /// As `new`, but only that one operation fails.
    pub fn failing_once(from: &RamDisk, fail_at: u64) -> CutDisk {
        let disk = CutDisk::new(from, fail_at);
        disk.0.lock().unwrap().fail_once = true;
        disk
    }

    /// As `new` or `failing_once`, but the disk is full.
    pub fn full(from: &RamDisk, fail_from: u64, once: bool) -> CutDisk {
        let disk = CutDisk::new(from, fail_from);
        let mut world = disk.0.lock().unwrap();
        (world.is_full, world.fail_once) = (true, once);
        drop(world);
        disk
    }

    /// From now on, this operation fails.
    pub fn fail_at(&self, operation: u64) {
        self.0.lock().unwrap().fail_from = operation;
    }

    pub fn operations(&self) -> u64 {
        self.0.lock().unwrap().operations
    }

    /// The process starts again on the same machine: what was written is still in the page cache, durable or not.
    pub fn restart(&self) -> CutDisk {
        let mut world = self.0.lock().unwrap();
        world.fail_from = u64::MAX;
        world.fail_once = false;
        drop(world);
        self.clone()
    }

    /// The byte at this place can no longer be read.
    pub fn spoil(&self, name: &str, offset: u64) {
        let mut world = self.0.lock().unwrap();
        world.unreadable = Some((world.find(name).unwrap(), offset));
    }

    /// Operation numbers of the data syncs so far.
    pub fn syncs(&self) -> Vec<u64> {
        self.0.lock().unwrap().syncs.clone()
    }

    /// The directory as the next process finds it.
    pub fn after(&self, survives: Survives) -> RamDisk {
        let world = self.0.lock().unwrap();
        let disk = RamDisk::new(512);
        for dir in ["log", "quarantine"] {
            disk.create_dir(dir).unwrap();
        }
        let mut seed = match survives {
            Survives::Mixed(seed) => seed | 1,
            _ => 1,
        };
        let dirs_now: [bool; 3] = std::array::from_fn(|_| next(&mut seed).is_multiple_of(2));
        let is_now = |name: &str| match survives {
            Survives::All => true,
            Survives::Synced => false,
            Survives::Mixed(_) => match name.split_once('/') {
                Some(("log", _)) => dirs_now[0],
                Some(_) => dirs_now[1],
                None => dirs_now[2],
            },
        };
        let mut names: Vec<(&String, &usize)> = world
            .names
            .iter()
            .filter(|(name, _)| is_now(name))
            .collect();
        names.extend(world.names_synced.iter().filter(|(name, _)| !is_now(name)));
        for (name, &node) in names {
            let node = &world.nodes[node];
            let bytes = match survives {
                Survives::All => node.now.clone(),
                Survives::Synced => node.synced.clone(),
                Survives::Mixed(_) => mix(node, &mut seed),
            };
            disk.put(name, bytes);
        }
        disk
    }
}

fn mix(node: &Node, seed: &mut u64) -> Vec<u8> {
    let longer = node.now.len().max(node.synced.len());
    let mut out = if next(seed).is_multiple_of(2) {
        vec![0; node.now.len()]
    } else {
        vec![0; node.synced.len()]
    };
    for start in (0..longer).step_by(512) {
        let old = node.synced.get(start..).unwrap_or_default();
        let new = node.now.get(start..).unwrap_or_default();
        let (old, new) = (&old[..old.len().min(512)], &new[..new.len().min(512)]);
        let Some(end) = out
            .len()
            .checked_sub(start)
            .map(|left| start + left.min(512))
        else {
            break;
        };
        let into = &mut out[start..end];
        let put = |into: &mut [u8], from: &[u8]| {
            let count = into.len().min(from.len());
            into[..count].copy_from_slice(&from[..count]);
        };
        put(into, old);
        if old == new {
            continue;
        }
        match next(seed) % 4 {
            0 => {}
            1 => put(into, new),
            2 => put(into, &new[..next(seed) as usize % (new.len() + 1)]),
            _ => into.iter_mut().for_each(|byte| *byte = next(seed) as u8),
        }
    }
    out
}

pub struct CutFile {
    world: Arc<Mutex<World>>,
    node: usize,
}

impl Disk for CutDisk {
    type File = CutFile;
    type Lock = ();

    fn lock(&self, _: &str, _: &str) -> Result<(), LockError> {
        Ok(())
    }

    fn create_dir(&self, _: &str) -> io::Result<()> {
        let mut world = self.0.lock().unwrap();
        if world.is_full { world.act() } else { Ok(()) }
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{dir}/");
        let world = self.0.lock().unwrap();
        Ok(world
            .names
            .keys()
            .filter_map(|name| name.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect())
    }

    fn open(&self, name: &str) -> io::Result<CutFile> {
        let node = self.0.lock().unwrap().find(name)?;
        Ok(CutFile {
            world: Arc::clone(&self.0),
            node,
        })
    }

    fn create(&self, name: &str) -> io::Result<CutFile> {
        let mut world = self.0.lock().unwrap();
        world.act()?;
        if world.names.contains_key(name) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let node = world.nodes.len();
        world.nodes.push(Node::default());
        world.names.insert(name.to_owned(), node);
        Ok(CutFile {
            world: Arc::clone(&self.0),
            node,
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.0.lock().unwrap();
        world.act()?;
        let node = world.find(from)?;
        world.names.remove(from);
        world.names.insert(to.to_owned(), node);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.0.lock().unwrap();
        world.find(name)?;
        if !world.is_full {
            world.act()?;
        }
        world.names.remove(name);
        Ok(())
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut world = self.0.lock().unwrap();
        world.act()?;
        let inside = |name: &String| name.rsplit_once('/').map_or("", |(dir, _)| dir) == dir;
        let mut synced = world.names_synced.clone();
        synced.retain(|name, _| !inside(name));
        let now = world.names.iter().filter(|(name, _)| inside(name));
        synced.extend(now.map(|(name, node)| (name.clone(), *node)));
        world.names_synced = synced;
        Ok(())
    }

    fn sector(&self) -> u32 {
        512
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

impl DiskFile for CutFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let world = self.world.lock().unwrap();
        if let Some((node, bad)) = world.unreadable
            && node == self.node
            && (offset..offset + into.len() as u64).contains(&bad)
        {
            // Blocks before the bad one can still be read.
            if bad - offset < 512 {
                return Err(io::Error::from_raw_os_error(5));
            }
            let good = (bad - offset) as usize / 512 * 512;
            into[..good].copy_from_slice(&world.nodes[node].now[offset as usize..][..good]);
            return Ok(good);
        }
        let bytes = world.nodes[self.node]
            .now
            .get(offset as usize..)
            .unwrap_or_default();
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    /// The write that fails has written a part; every tenth write is short without an error.
    fn write_at(&self, offset: u64, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let mut world = self.world.lock().unwrap();
        let result = world.act();
        let mut bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let draw = next(&mut world.seed);
        if result.is_err() || draw.is_multiple_of(10) {
            bytes.truncate((draw as usize % (bytes.len() + 1)).max(1));
        }
        let end = offset as usize + bytes.len();
        world.nodes[self.node]
            .dirty
            .extend(offset as usize / 512..end.div_ceil(512));
        let now = &mut world.nodes[self.node].now;
        if now.len() < end {
            now.resize(end, 0);
        }
        now[offset as usize..end].copy_from_slice(&bytes);
        result.map(|()| bytes.len())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut world = self.world.lock().unwrap();
        world.act()?;
        let now = &mut world.nodes[self.node].now;
        if now.len() < len as usize {
            now.resize(len as usize, 0);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut world = self.world.lock().unwrap();
        world.act()?;
        world.nodes[self.node].now.resize(len as usize, 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.world.lock().unwrap().nodes[self.node].now.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut world = self.world.lock().unwrap();
        let number = world.operations + 1;
        world.syncs.push(number);
        let result = world.act();
        world.nodes[self.node].sync(result)
    }

    fn sync_all(&self) -> io::Result<()> {
        let mut world = self.world.lock().unwrap();
        let result = world.act();
        world.nodes[self.node].sync(result)
    }
}
