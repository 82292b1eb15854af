//! The simulated disk as the log sees it: every call is counted, may fail as planned, or may be the last of its process.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::calls::SimFile;
use super::fault::{Act, Aim, Fault, Lasts, Plan};
use super::model::{Ino, Inode, Renaming, Tree};
use crate::rng::Rng;

/// How a process ends without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process dies, the machine does not.
    Process,
    /// The power fails.
    Power,
}

/// The directory of snapshots.
const SNAPSHOTS: &str = "store";

pub(super) fn is_segment(name: &str) -> bool {
    let number = name.strip_prefix("log/");
    number.is_some_and(|number| number.starts_with(|first: char| first.is_ascii_digit()))
}

/// Called between disk calls of a flush, so that the writer may take a turn as its own thread would.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct Inner {
    pub(super) tree: Tree,
    pub(super) locks: BTreeMap<String, String>,
    pub(super) plan: Plan,
    calls: u64,
    calls_by_act: BTreeMap<Act, u64>,
    /// Faults that last.
    standing: Vec<Fault>,
    /// A write that was cut short is told no when it goes on.
    owes_error: bool,
    pub(super) dead: bool,
    /// Faults shown in this life that no caller may pass over.
    grave: u64,
    /// All faults shown in this life.
    shown: u64,
    /// The files that grave faults hit.
    grave_files: Vec<String>,
    /// The log gives up segments: what it cannot read or remove then costs nothing.
    trims: bool,
    /// The call before removed a segment: that the directory is not synced then costs nothing.
    pub(super) removed: bool,
    full: bool,
    short: bool,
    rng: Option<Rng>,
    pub(super) sector: u32,
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
pub(super) enum Verdict {
    /// All of it.
    Go,
    /// Fail with this after doing a part.
    Fail(io::Error),
    /// Only a part of it, and say that it was all.
    Lie,
    /// Only a part of it, without an error.
    Part,
    /// The process is gone in the middle of it.
    Die,
}

pub(super) fn dead() -> io::Error {
    io::Error::other("the process is gone")
}

pub(super) fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

fn enospc() -> io::Error {
    io::Error::from_raw_os_error(28)
}

pub(super) fn not_found() -> io::Error {
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
    pub(super) fn enter(&mut self, act: Act, name: &str) -> Verdict {
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
            self.condemn(act, name);
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
        let verdict = found.map_or(Verdict::Go, |fault| self.fail(fault, act, name));
        self.removed &= act == Act::SyncDir;
        verdict
    }

    fn fail(&mut self, fault: Fault, act: Act, name: &str) -> Verdict {
        self.stir(77);
        if let Some(log) = &mut self.log {
            log.push(format!("     -> {fault:?}"));
        }
        match fault {
            Fault::Io => {
                self.condemn(act, name);
                Verdict::Fail(eio())
            }
            Fault::Full => {
                self.full = true;
                self.condemn(act, name);
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
            Fault::Lie if name.starts_with(SNAPSHOTS) => {
                self.condemn(act, name);
                Verdict::Lie
            }
            Fault::Lie => Verdict::Go,
        }
    }

    /// A spare that cannot be prepared, a snapshot that cannot be written or read and a segment that cannot be given up cost nothing; any
    /// other fault must end the life.
    pub(super) fn condemn(&mut self, act: Act, name: &str) {
        self.shown += 1;
        let given_up = match act {
            Act::Read => self.trims && name.starts_with("log/"),
            Act::SyncDir => self.removed && name == "log",
            _ => false,
        };
        if !name.contains("spare") && !name.starts_with(SNAPSHOTS) && !given_up {
            self.grave += 1;
            self.grave_files.push(name.to_owned());
        }
    }

    /// A segment that cannot be removed is tried again.
    pub(super) fn pardon(&mut self, name: &str, before: u64) {
        if is_segment(name) && self.grave > before {
            self.grave = before;
            self.grave_files.pop();
        }
    }

    pub(super) fn inode(&mut self, ino: Ino) -> io::Result<&mut Inode> {
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
        inner.grave_files.clear();
        inner.trims = false;
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
            let mut rng = Rng::new(inner.rng().draw(), 1);
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

    /// Whether the log gives up segments now.
    pub fn trims(&self, trims: bool) {
        self.hold().trims = trims;
    }

    /// The files that they hit.
    #[must_use]
    pub fn grave_files(&self) -> Vec<String> {
        self.hold().grave_files.clone()
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

    pub(super) fn hook(&self) {
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

    pub(super) fn file(&self, ino: Ino, name: &str) -> SimFile {
        SimFile {
            disk: self.clone(),
            ino,
            name: name.to_owned(),
        }
    }

    /// A change of names: done, not done, or done by half of the crashes that hit it.
    pub(super) fn rename_act(
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
            Verdict::Go | Verdict::Part | Verdict::Lie => {
                let change = change(&mut inner)?;
                inner.tree.note(change);
                Ok(())
            }
        }
    }

    /// A call that only looks.
    pub(super) fn look(&self, name: &str) -> io::Result<MutexGuard<'_, Inner>> {
        let mut inner = self.hold();
        match inner.enter(Act::Read, name) {
            Verdict::Go | Verdict::Part | Verdict::Lie => Ok(inner),
            Verdict::Fail(error) if error.kind() == io::ErrorKind::Interrupted => Ok(inner),
            Verdict::Fail(error) => Err(error),
            Verdict::Die => Err(dead()),
        }
    }
}

impl Inner {
    pub(super) fn make(&mut self) -> Ino {
        self.tree.next_ino += 1;
        let ino = self.tree.next_ino;
        self.tree.inodes.insert(ino, Inode::default());
        ino
    }
}
