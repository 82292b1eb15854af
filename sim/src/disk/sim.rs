//! The simulated disk as the log sees it: every call is counted, may fail as planned, or may be the last of its process.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mainstay_log::{Disk, DiskFile, LockError};

use super::fault::{Act, Aim, Fault, Lasts, Plan};
use super::model::{Ino, Inode, Renaming, SECTOR_BYTES, Tree, dir_of};
use crate::rng::Rng;

/// How a process ends without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process dies, the machine does not.
    Process,
    /// The power fails.
    Power,
}

/// Called between disk calls of a flush, so that the writer may take a turn as its own thread would.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct Inner {
    pub(super) tree: Tree,
    locks: BTreeMap<String, String>,
    plan: Plan,
    calls: u64,
    calls_by_act: BTreeMap<Act, u64>,
    /// Faults that last.
    standing: Vec<Fault>,
    /// A write that was cut short is told no when it goes on.
    owes_error: bool,
    dead: bool,
    /// Faults shown in this life that no caller may pass over.
    grave: u64,
    /// All faults shown in this life.
    shown: u64,
    full: bool,
    short: bool,
    rng: Option<Rng>,
    sector: u32,
    hook: Option<Hook>,
    /// A running hash of every call and its result.
    trace: u64,
    last_call: String,
    log: Option<Vec<String>>,
}

/// A disk in memory that forgets, tears and fails. Clones share it.
#[derive(Clone)]
pub struct SimDisk {
    pub(super) inner: Arc<Mutex<Inner>>,
}

/// What a call is allowed to do.
enum Verdict {
    /// All of it.
    Go,
    /// Fail with this after doing a part.
    Fail(io::Error),
    /// Only a part of it, without an error.
    Part,
    /// The process is gone in the middle of it.
    Die,
}

fn dead() -> io::Error {
    io::Error::other("the process is gone")
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

fn enospc() -> io::Error {
    io::Error::from_raw_os_error(28)
}

fn not_found() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Inner {
    pub(super) fn rng(&mut self) -> &mut Rng {
        self.rng.get_or_insert_with(|| Rng::new(0, 0))
    }

    fn stir(&mut self, what: u64) {
        self.trace = (self.trace ^ what)
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(17);
    }

    /// Counts a call and says what becomes of it.
    fn enter(&mut self, act: Act, name: &str) -> Verdict {
        if self.dead {
            return Verdict::Fail(dead());
        }
        self.calls += 1;
        let nth = self.calls_by_act.entry(act).or_default();
        *nth += 1;
        let nth = *nth;
        self.stir(act as u64 + 1);
        name.bytes().for_each(|byte| self.stir(u64::from(byte)));
        if let Some(log) = &mut self.log {
            log.push(format!("{:>4} {act:?} {name}", self.calls));
        }
        if self.plan.crash_at == Some(self.calls) {
            self.dead = true;
            self.last_call = format!("{act:?} {name}");
            return Verdict::Die;
        }
        if self.owes_error && act == Act::Write {
            self.owes_error = false;
            self.condemn(name);
            return Verdict::Fail(eio());
        }
        let mut found = self.standing.iter().copied().find(|fault| fault.hits(act));
        for planned in &self.plan.faults {
            let aimed = match planned.aim {
                Aim::Call(call) => call == self.calls,
                Aim::Nth(kind, number) => kind == act && number == nth,
            };
            if aimed {
                if planned.lasts == Lasts::Forever && planned.fault != Fault::Interrupted {
                    self.standing.push(planned.fault);
                }
                found = found.or(planned.fault.hits(act).then_some(planned.fault));
            }
        }
        found.map_or(Verdict::Go, |fault| self.fail(fault, name))
    }

    fn fail(&mut self, fault: Fault, name: &str) -> Verdict {
        self.stir(77);
        if let Some(log) = &mut self.log {
            log.push(format!("     -> {fault:?}"));
        }
        match fault {
            Fault::Io => {
                self.condemn(name);
                Verdict::Fail(eio())
            }
            Fault::Full => {
                self.full = true;
                self.condemn(name);
                Verdict::Fail(enospc())
            }
            Fault::Short => {
                self.short = true;
                Verdict::Part
            }
            Fault::ShortThenIo => {
                self.owes_error = true;
                Verdict::Part
            }
            Fault::Interrupted => Verdict::Fail(io::Error::from(io::ErrorKind::Interrupted)),
        }
    }

    /// A spare that cannot be prepared costs nothing; any other fault must end the life.
    fn condemn(&mut self, name: &str) {
        self.shown += 1;
        if !name.contains("spare") {
            self.grave += 1;
        }
    }

    fn inode(&mut self, ino: Ino) -> io::Result<&mut Inode> {
        self.tree.inodes.get_mut(&ino).ok_or_else(not_found)
    }
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new(seed: u64, sector: u32) -> SimDisk {
        let inner = Inner {
            rng: Some(Rng::new(seed, 0xd15c)),
            sector,
            ..Inner::default()
        };
        SimDisk {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    pub(super) fn hold(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a process life with this plan.
    pub fn begin(&self, plan: Plan) {
        let mut inner = self.hold();
        inner.plan = plan;
        inner.calls = 0;
        inner.calls_by_act.clear();
        inner.standing.clear();
        inner.owes_error = false;
        inner.grave = 0;
        inner.shown = 0;
        inner.full = false;
        inner.short = false;
        inner.hook = None;
    }

    /// Nothing more goes wrong in this life.
    pub fn calm(&self) {
        let mut inner = self.hold();
        inner.plan = Plan::default();
        inner.standing.clear();
        inner.owes_error = false;
    }

    /// Ends a process life: its locks are free, and of what was not synced the crash leaves what it leaves.
    pub fn crash(&self, crash: Crash) {
        let mut inner = self.hold();
        inner.locks.clear();
        inner.dead = false;
        inner.hook = None;
        if crash == Crash::Power {
            let mut rng = Rng::new(inner.rng().next(), 1);
            inner.tree.cut(&mut rng);
        } else {
            inner.tree.sweep();
        }
        inner.stir(crash as u64 + 1000);
    }

    /// Whether the planned crash has happened.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.hold().dead
    }

    /// The call that the crash hit.
    #[must_use]
    pub fn last_call(&self) -> String {
        self.hold().last_call.clone()
    }

    /// Faults of this life that no caller may pass over.
    #[must_use]
    pub fn grave_faults(&self) -> u64 {
        self.hold().grave
    }

    /// All faults shown in this life.
    #[must_use]
    pub fn faults_shown(&self) -> u64 {
        self.hold().shown
    }

    /// Whether this life saw a full disk, and whether it saw a short write or read without an error.
    #[must_use]
    pub fn was_full_or_short(&self) -> (bool, bool) {
        let inner = self.hold();
        (inner.full, inner.short)
    }

    /// Disk calls of this life.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.hold().calls
    }

    /// Sectors torn by power cuts so far.
    #[must_use]
    pub fn torn(&self) -> u64 {
        self.hold().tree.torn
    }

    /// Bytes that are in a page cache and nowhere else.
    #[must_use]
    pub fn has_orphans(&self) -> bool {
        self.hold()
            .tree
            .inodes
            .values()
            .any(|inode| !inode.orphans.is_empty())
    }

    /// A hash of every call so far and what became of it.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.hold().trace
    }

    /// Keeps a list of calls.
    pub fn listen(&self) {
        self.hold().log = Some(Vec::new());
    }

    /// Gives the calls listed since the last time.
    pub fn heard(&self) -> Vec<String> {
        self.hold()
            .log
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Sets what runs before every write and sync.
    pub fn set_hook(&self, hook: Option<Hook>) {
        self.hold().hook = hook;
    }

    fn hook(&self) {
        let hook = {
            let inner = self.hold();
            if inner.dead { None } else { inner.hook.clone() }
        };
        if let Some(hook) = hook {
            hook();
        }
    }

    /// The disk as another process would find it now, without faults and without locks.
    #[must_use]
    pub fn fork(&self) -> SimDisk {
        let inner = self.hold();
        let copy = Inner {
            tree: inner.tree.clone(),
            rng: inner.rng.clone(),
            sector: inner.sector,
            ..Inner::default()
        };
        SimDisk {
            inner: Arc::new(Mutex::new(copy)),
        }
    }

    fn file(&self, ino: Ino, name: &str) -> SimFile {
        SimFile {
            disk: self.clone(),
            ino,
            name: name.to_owned(),
        }
    }

    /// A change of names: done, not done, or done by half of the crashes that hit it.
    fn rename_act(
        &self,
        name: &str,
        change: impl FnOnce(&mut Inner) -> io::Result<Renaming>,
    ) -> io::Result<()> {
        let mut inner = self.hold();
        match inner.enter(Act::Name, name) {
            Verdict::Fail(error) => Err(error),
            Verdict::Die => {
                if inner.rng().chance(50)
                    && let Ok(change) = change(&mut inner)
                {
                    inner.tree.note(change);
                }
                Err(dead())
            }
            Verdict::Go | Verdict::Part => {
                let change = change(&mut inner)?;
                inner.tree.note(change);
                Ok(())
            }
        }
    }

    /// A call that only looks.
    fn look(&self, name: &str) -> io::Result<MutexGuard<'_, Inner>> {
        let mut inner = self.hold();
        match inner.enter(Act::Read, name) {
            Verdict::Go | Verdict::Part => Ok(inner),
            Verdict::Fail(error) if error.kind() == io::ErrorKind::Interrupted => Ok(inner),
            Verdict::Fail(error) => Err(error),
            Verdict::Die => Err(dead()),
        }
    }
}

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
            Verdict::Go | Verdict::Part => {}
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
        self.rename_act(name, |inner| {
            if !inner.tree.names.contains_key(name) {
                return Err(not_found());
            }
            Ok(Renaming::Unnamed(name.to_owned()))
        })
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
            Verdict::Go | Verdict::Part => {
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

impl Inner {
    fn make(&mut self) -> Ino {
        self.tree.next_ino += 1;
        let ino = self.tree.next_ino;
        self.tree.inodes.insert(ino, Inode::default());
        ino
    }
}

/// An open file of a [`SimDisk`].
pub struct SimFile {
    disk: SimDisk,
    ino: Ino,
    name: String,
}

impl SimFile {
    /// A change of the file's length: done or not.
    fn resize(&self, len: u64, may_shrink: bool) -> io::Result<()> {
        let mut inner = self.disk.hold();
        let verdict = inner.enter(Act::Allocate, &self.name);
        let goes = match &verdict {
            Verdict::Go | Verdict::Part => true,
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
            Verdict::Go | Verdict::Part => Ok(()),
            Verdict::Die => Err(dead()),
            Verdict::Fail(error) => Err(error),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.hook();
        let mut inner = self.disk.hold();
        let verdict = inner.enter(Act::Sync, &self.name);
        let drops_cache = inner.plan.drops_cache;
        let mut rng = Rng::new(inner.rng().next(), 2);
        match verdict {
            Verdict::Go | Verdict::Part => {
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
            Verdict::Go => false,
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
                inner.condemn(&self.name);
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
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let verdict = inner.enter(Act::Write, &self.name);
        let some = inner.rng().below(whole.len() as u64) as usize;
        let count = match &verdict {
            Verdict::Go => whole.len(),
            Verdict::Part => some.max(1),
            Verdict::Die => some,
            Verdict::Fail(_) if inner.dead => 0,
            Verdict::Fail(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Verdict::Fail(_) => some,
        };
        inner
            .inode(self.ino)?
            .write(offset as usize, &whole[..count]);
        match verdict {
            Verdict::Go | Verdict::Part => Ok(count),
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
