//! The seam between the engine and whatever keeps rows: what a cut is, when it may be committed, and how rows come back.
//! Owns: the traits `Store` and `Reader` and the rules of a cut.
//! Never: decides, or shows a row whose events are not durable.

use std::collections::BTreeMap;

use mainstay_core::{
    Bytes, Cut, KeyClass, KeyRow, ObjectRow, PlaceRow, RunId, TaskId, TenantId, Text, Timestamp,
};

use crate::trail::Trail;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The cut does not lie after the last one.
    #[error("a cut at {given} does not follow the one at {last}")]
    OutOfOrder {
        /// The last cut.
        last: u64,
        /// The cut refused.
        given: u64,
    },
    /// What is stored is not what was stored: a check, a digest or the file itself does not hold.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// There is no room on the disk.
    #[error("no room for the store: {0}")]
    Full(String),
    /// The file belongs to another log, or is no store at all.
    #[error("the store belongs to another log: {found}")]
    Foreign {
        /// Whose it is.
        found: String,
    },
    /// The file is of another release. It is not touched: `mainstay doctor --repair store` puts it aside, and the next start makes one anew.
    #[error(
        "the store has format {found}, this release knows {known}; use the release that wrote it, or put it aside with `mainstay doctor --repair store`"
    )]
    Format {
        /// The file's format.
        found: i64,
        /// The one format that this release reads and writes.
        known: i64,
    },
    /// The medium failed; the store is rebuilt from the log at the next start.
    #[error("the store failed: {0}")]
    Medium(String),
}

/// What stands in a store as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Whose rows these are: the log's id as text.
    pub log_id: String,
    /// The last event that the rows reflect; 0 when no cut was ever committed.
    pub sequence: u64,
    /// Recorded time of that event.
    pub wall: Timestamp,
    /// The machine's scalars and counters.
    pub meta: Vec<u8>,
    /// Every place, in number order.
    pub places: Vec<PlaceRow>,
    /// How many rows are live: tasks, runs and objects.
    pub live_rows: u64,
    /// The wrapping sum of the checks of all live rows.
    pub live_sum: u64,
}

/// One step of a walk over the live rows of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveRow<'a> {
    /// What stands in that commit as a whole: always first.
    Base(&'a Base),
    /// A queue or tenant that somebody set something on.
    Object(&'a ObjectRow),
    /// A task that is not finished.
    Task(&'a [u8]),
    /// A run that is not finished. Its task came before.
    Run(&'a [u8]),
}

/// A row that was looked up, with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The task's image.
    pub task: Vec<u8>,
    /// Images of its runs in number order, at most the first 1000; for a look-up by run, that run alone. Of a task with several runs they
    /// are brief ([`mainstay_core::brief_run`]), whatever their outputs come to.
    pub runs: Vec<Vec<u8>>,
}

/// How long finished work is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Milliseconds after its end.
    pub age_ms: u64,
}

/// What finished work is kept, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// For queues without a rule of their own.
    pub default: Keep,
    /// By queue name, in every tenant.
    pub queues: BTreeMap<Text, Keep>,
    /// For entries of the audit trail, after they were made.
    pub audit: Keep,
    /// Bytes of the whole store beyond which the oldest finished work goes, whatever its age.
    pub bytes_max: u64,
}

/// Queues whose work is not found by its text.
pub type Unsearched = std::collections::BTreeSet<Text>;

/// Keeps rows derived from the log.
pub trait Store: Send {
    /// Takes a cut; it may stay in memory until [`Store::durable`]. Cuts come in order, each whole.
    ///
    /// # Errors
    /// [`StoreError::OutOfOrder`]; the cut is then as if it had never been handed over.
    fn put(&mut self, cut: Cut) -> Result<(), StoreError>;

    /// The log is durable up to this event: every cut up to it is committed, in one transaction or several, none in part. Gives the
    /// checkpoint afterwards.
    ///
    /// # Errors
    /// [`StoreError::Full`] and [`StoreError::Medium`]; what was not committed is then lost to this store until it is opened again.
    fn durable(&mut self, sequence: u64) -> Result<u64, StoreError>;

    /// The last event that committed rows reflect; 0 when there is none.
    fn checkpoint(&self) -> u64;

    /// Makes everything committed so far safe from a power cut, which may else take the last commits back. Gives the checkpoint that is
    /// safe now.
    ///
    /// # Errors
    /// [`StoreError::Medium`].
    fn sync(&mut self) -> Result<u64, StoreError>;

    /// Removes a bounded piece of what retention no longer keeps. True when there is more.
    ///
    /// # Errors
    /// As [`Store::durable`].
    fn retain(&mut self, now: Timestamp, rule: &Retention) -> Result<bool, StoreError>;

    /// Dead letters that [`Store::retain`] came to since this was asked last, at most 500: their time is over, and they go once an event
    /// says that they are cleared away.
    fn overdue(&mut self) -> Vec<(TenantId, RunId)> {
        Vec::new()
    }

    /// A way to read what is committed.
    ///
    /// # Errors
    /// [`StoreError::Medium`].
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;
}

/// Reads committed rows. Every call sees one commit, the last one at its start.
pub trait Reader: Send {
    /// What stands in the store as a whole, without its rows.
    ///
    /// # Errors
    /// [`StoreError`].
    fn base(&mut self) -> Result<Base, StoreError>;

    /// Gives every live row of one commit: first the commit's base, then all objects by class, tenant and key, then all tasks, then all
    /// runs, each in number order. Every check is compared, and at the end the count and sum of them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; what was visited before must be thrown away. An error of `visit` ends the walk as `Damaged`.
    fn live(
        &mut self,
        visit: &mut dyn FnMut(LiveRow<'_>) -> Result<(), String>,
    ) -> Result<Base, StoreError>;

    /// A task, live or finished, with its runs.
    ///
    /// # Errors
    /// [`StoreError`].
    fn task(&mut self, tenant: TenantId, id: TaskId) -> Result<Option<Found>, StoreError>;

    /// A run, live or finished, with its task.
    ///
    /// # Errors
    /// [`StoreError`].
    fn run(&mut self, tenant: TenantId, id: RunId) -> Result<Option<Found>, StoreError>;

    /// What the last completed run of a task produced; `None` when there is no such run or it produced nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn output(&mut self, tenant: TenantId, task: TaskId) -> Result<Option<Bytes>, StoreError>;

    /// A held idempotency key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn key(
        &mut self,
        tenant: TenantId,
        class: KeyClass,
        key: &str,
    ) -> Result<Option<KeyRow>, StoreError>;

    /// Up to `limit` entries of the audit trail after an event, of all tenants, oldest first, and how far the trail reaches.
    ///
    /// # Errors
    /// [`StoreError`].
    fn trail(&mut self, after: u64, limit: usize) -> Result<Trail, StoreError>;

    /// Begins to read payloads from one commit, whatever is removed meanwhile, if the checkpoint is still this one: then it has the
    /// payload of every task that is live there. False when the store has moved on; nothing is held then.
    ///
    /// # Errors
    /// [`StoreError`].
    fn hold(&mut self, sequence: u64) -> Result<bool, StoreError>;

    /// Ends what [`Reader::hold`] began.
    fn let_go(&mut self);

    /// The payload of the task with this number, if it is stored by itself. The one look-up that may be asked between
    /// [`Reader::hold`] and [`Reader::let_go`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn payload(&mut self, task: u64) -> Result<Option<Bytes>, StoreError>;
}

/// The kind byte of an object's check; 1 to 4 are those of tasks, runs, payloads and keys.
const OBJECT: u8 = 5;

/// The check that stands beside every image: the first 8 bytes of BLAKE3 over the row's kind, number and image.
#[must_use]
pub fn check_of(kind: mainstay_core::RowKind, number: u64, image: &[u8]) -> u64 {
    check_bytes(kind as u8, number, image)
}

/// The same for what is numbered and is no row: kind bytes beyond those of the row kinds.
pub(crate) fn check_bytes(kind: u8, number: u64, bytes: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(&number.to_le_bytes());
    hasher.update(bytes);
    first_word(&hasher)
}

/// The check beside an object: over everything that stands in its row.
pub(crate) fn object_check(row: &ObjectRow) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[OBJECT, row.class as u8]);
    hasher.update(&row.tenant.0.to_le_bytes());
    hasher.update(&(row.key.len() as u64).to_le_bytes());
    hasher.update(row.key.as_bytes());
    hasher.update(&row.image);
    first_word(&hasher)
}

/// The first 8 bytes of a hash.
pub(crate) fn first_word(hasher: &blake3::Hasher) -> u64 {
    let mut short = [0; 8];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(short)
}
