//! What will go wrong in one process life, and at which disk call.

/// What a disk call does, as faults see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Opens, lists, measures or reads.
    Read,
    /// Writes bytes.
    Write,
    /// Allocates or sets a length.
    Allocate,
    /// Syncs a file.
    Sync,
    /// Makes, renames or removes a name.
    Name,
    /// Syncs a directory.
    SyncDir,
    /// Takes the lock.
    Lock,
}

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`.
    Io,
    /// `ENOSPC`, from calls that allocate; others go through.
    Full,
    /// A write or read that does less than asked, without an error; others go through.
    Short,
    /// A write that does a part and is then told no.
    ShortThenIo,
    /// `EINTR` from reads and writes; others go through.
    Interrupted,
    /// A write of a snapshot that does a part and says that it did all; others go through.
    Lie,
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// That one call.
    Once,
    /// That call and every later one.
    Forever,
}

/// Which calls a planned fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The call with this index in the life, from 1.
    Call(u64),
    /// The n-th call of this kind in the life, from 1.
    Nth(Act, u64),
}

/// One planned fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Where it hits.
    pub aim: Aim,
    /// What happens.
    pub fault: Fault,
    /// For how long.
    pub lasts: Lasts,
}

/// The plan of one process life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The call during which the process dies or the power fails; from 1.
    pub crash_at: Option<u64>,
    /// The faults.
    pub faults: Vec<Planned>,
    /// Whether a failed sync drops the cache.
    pub drops_cache: bool,
}

impl Fault {
    /// Whether this fault shows in a call of this kind.
    pub(crate) fn hits(self, act: Act) -> bool {
        match self {
            Fault::Io => act != Act::Lock,
            Fault::Full => matches!(act, Act::Write | Act::Allocate | Act::Sync | Act::Name),
            Fault::Short | Fault::Interrupted => matches!(act, Act::Read | Act::Write),
            Fault::ShortThenIo | Fault::Lie => act == Act::Write,
        }
    }
}
