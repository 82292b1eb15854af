//! A store in memory: for tests and the simulator, which decides what of it a crash leaves.
//! Owns: the plain meaning of the seam, without a file.
//! Never: pretends to be durable.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mainstay_core::{
    ApprovalRow, Bytes, Cut, KeyClass, KeyRow, LedgerRow, RowKind, RunColumns, RunId, TaskId,
    TenantId, Text, Timestamp,
};

mod shelf;

use self::shelf::{Row, Shelf};
use crate::Trail;
use crate::seam::{
    Base, Found, LiveRow, Reader, Retention, Store, StoreError, check_of, object_check,
};

/// Commits that a power cut may take back; older ones are safe.
const COMMITS_UNSAFE_MAX: usize = 12;

/// A shelf with its last commits, each as the cut it was.
#[derive(Clone, Debug, Default)]
struct Kept {
    now: Arc<Shelf>,
    /// What is safe, and the commits after it.
    safe: Shelf,
    commits: VecDeque<Cut>,
}

/// Bugs that the simulator plants to prove that its checkers see them. Test power.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryPlant {
    /// Neither checks nor the digest are compared.
    pub digest_ignored: bool,
}

/// What stays of a memory store when its process is gone: like a file, it can be opened again, and a power cut may take back its last
/// commits.
#[derive(Clone, Debug, Default)]
pub struct MemoryShelf {
    kept: Arc<Mutex<Kept>>,
    plant: MemoryPlant,
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(what.to_string())
}

impl MemoryShelf {
    /// A shelf with bugs.
    #[doc(hidden)]
    #[must_use]
    pub fn planted(plant: MemoryPlant) -> MemoryShelf {
        MemoryShelf {
            plant,
            ..MemoryShelf::default()
        }
    }

    /// Opens the store of this log; an empty shelf becomes its own.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is another log's.
    pub fn open(&self, log_id: &str) -> Result<MemoryStore, StoreError> {
        let mut kept = lock(&self.kept);
        if kept.now.base.log_id.is_empty() {
            log_id.clone_into(&mut Arc::make_mut(&mut kept.now).base.log_id);
            log_id.clone_into(&mut kept.safe.base.log_id);
        }
        if kept.now.base.log_id != log_id {
            return Err(damaged("it is the store of another log"));
        }
        Ok(MemoryStore {
            checkpoint: kept.now.base.sequence,
            last: kept.now.base.sequence,
            cuts: VecDeque::new(),
            shelf: self.clone(),
        })
    }

    /// Throws everything away, as when the file is lost.
    pub fn lose(&self) {
        *lock(&self.kept) = Kept::default();
    }

    /// What is stored now, kept apart: what a crash may bring back.
    #[must_use]
    pub fn fork(&self) -> MemoryShelf {
        MemoryShelf {
            kept: Arc::new(Mutex::new(lock(&self.kept).clone())),
            plant: self.plant,
        }
    }

    /// Puts back what was forked before.
    pub fn restore(&self, earlier: &MemoryShelf) {
        let copy = lock(&earlier.kept).clone();
        *lock(&self.kept) = copy;
    }

    /// How many of the last commits a power cut may take back.
    #[must_use]
    pub fn unsafe_commits(&self) -> usize {
        lock(&self.kept).commits.len()
    }

    /// Takes back the last commits, as a power cut does with what was not synced; those that stay are safe.
    pub fn roll_back(&self, commits: usize) {
        let mut kept = lock(&self.kept);
        let stay = kept.commits.len().saturating_sub(commits);
        let Kept { safe, commits, .. } = &mut *kept;
        for cut in commits.drain(..).take(stay) {
            // It was taken before.
            safe.take(&cut).unwrap_or_default();
        }
        kept.now = Arc::new(kept.safe.clone());
    }

    /// Changes one byte of one live row's image, as rot does. False when there is none.
    #[must_use]
    pub fn rot(&self, choice: u64) -> bool {
        let mut kept = lock(&self.kept);
        let shelf = Arc::make_mut(&mut kept.now);
        let live = shelf.rows.values_mut().filter(|row| row.live);
        let mut live: Vec<&mut Row> = live.filter(|row| !row.image.is_empty()).collect();
        if live.is_empty() {
            return false;
        }
        let at = (choice % live.len() as u64) as usize;
        let image = &mut live[at].image;
        let byte = (choice >> 16) as usize % image.len();
        image[byte] ^= 1 << (choice >> 8 & 7);
        kept.settle();
        true
    }

    /// Loses one live row, as a lost page does. False when there is none.
    #[must_use]
    pub fn lose_row(&self, choice: u64) -> bool {
        let mut kept = lock(&self.kept);
        let shelf = Arc::make_mut(&mut kept.now);
        let live = shelf.rows.iter().filter(|(_, row)| row.live);
        let live: Vec<u64> = live.map(|(number, _)| *number).collect();
        if live.is_empty() {
            return false;
        }
        shelf
            .rows
            .remove(&live[(choice % live.len() as u64) as usize]);
        kept.settle();
        true
    }

    /// Every entry of every ledger, in order, and every approval by the event that made it.
    #[must_use]
    pub fn attested(&self) -> (Vec<LedgerRow>, Vec<ApprovalRow>) {
        let kept = lock(&self.kept);
        let approvals = kept.now.approvals.values().cloned().collect();
        (kept.now.ledger.clone(), approvals)
    }

    /// The last committed cut.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        lock(&self.kept).now.base.sequence
    }

    /// Whether every check and the digest hold, whatever bugs are planted.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let plain = MemoryShelf {
            kept: Arc::clone(&self.kept),
            plant: MemoryPlant::default(),
        };
        plain.reader().live(&mut |_| Ok(())).is_ok()
    }

    /// A way to read what is stored, without opening it.
    #[must_use]
    pub fn reader(&self) -> Box<dyn Reader> {
        Box::new(MemoryReader {
            shelf: self.clone(),
        })
    }
}

impl Kept {
    /// Whatever is there now is safe.
    fn settle(&mut self) {
        self.commits.clear();
        self.safe = (*self.now).clone();
    }

    fn commit(&mut self, cut: Cut) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.now).take(&cut)?;
        self.commits.push_back(cut);
        if self.commits.len() > COMMITS_UNSAFE_MAX {
            self.make_safe(1)?;
        }
        Ok(())
    }

    fn make_safe(&mut self, commits: usize) -> Result<(), StoreError> {
        let count = commits.min(self.commits.len());
        self.commits
            .drain(..count)
            .try_for_each(|cut| self.safe.take(&cut))
    }
}

/// A store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    shelf: MemoryShelf,
    cuts: VecDeque<Cut>,
    last: u64,
    checkpoint: u64,
}

impl Store for MemoryStore {
    fn put(&mut self, cut: Cut) -> Result<(), StoreError> {
        let (last, given) = (self.last, cut.through);
        if given <= last {
            return Err(StoreError::OutOfOrder { last, given });
        }
        self.last = given;
        self.cuts.push_back(cut);
        Ok(())
    }

    fn durable(&mut self, sequence: u64) -> Result<u64, StoreError> {
        let mut merged: Option<Cut> = None;
        while self.cuts.front().is_some_and(|cut| cut.through <= sequence) {
            let Some(cut) = self.cuts.pop_front() else {
                break;
            };
            merged = Some(match merged.take() {
                Some(before) => before.merge(cut),
                None => cut,
            });
        }
        if let Some(cut) = merged {
            let through = cut.through;
            lock(&self.shelf.kept).commit(cut)?;
            self.checkpoint = through;
        }
        Ok(self.checkpoint)
    }

    fn checkpoint(&self) -> u64 {
        self.checkpoint
    }

    fn sync(&mut self) -> Result<u64, StoreError> {
        lock(&self.shelf.kept).make_safe(usize::MAX)?;
        Ok(self.checkpoint)
    }

    fn retain(&mut self, _now: Timestamp, _rule: &Retention) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(self.shelf.reader())
    }
}

/// Reads a store in memory.
#[derive(Debug)]
struct MemoryReader {
    shelf: MemoryShelf,
}

impl MemoryReader {
    fn now(&self) -> Arc<Shelf> {
        Arc::clone(&lock(&self.shelf.kept).now)
    }
}

impl Reader for MemoryReader {
    fn base(&mut self) -> Result<Base, StoreError> {
        Ok(self.now().base())
    }

    fn live(
        &mut self,
        visit: &mut dyn FnMut(LiveRow<'_>) -> Result<(), String>,
    ) -> Result<Base, StoreError> {
        let shelf = self.now();
        let digest_ignored = self.shelf.plant.digest_ignored;
        let base = shelf.base();
        visit(LiveRow::Base(&base)).map_err(damaged)?;
        let (mut rows, mut sum) = (0, 0u64);
        for (object, check) in shelf.objects.values() {
            if !digest_ignored && object_check(object) != *check {
                return Err(damaged(format!(
                    "the check of `{}` does not hold",
                    object.key
                )));
            }
            rows += 1;
            sum = sum.wrapping_add(*check);
            visit(LiveRow::Object(object)).map_err(damaged)?;
        }
        for kind in [RowKind::Task, RowKind::Run] {
            let of_kind = |row: &Row| row.live && row.kind == kind;
            for (number, row) in shelf.rows.iter().filter(|(_, row)| of_kind(row)) {
                if !digest_ignored && check_of(kind, *number, &row.image) != row.check {
                    return Err(damaged(format!("the check of row {number} does not hold")));
                }
                rows += 1;
                sum = sum.wrapping_add(row.check);
                let row = match kind {
                    RowKind::Task => LiveRow::Task(&row.image),
                    RowKind::Run => LiveRow::Run(&row.image),
                };
                visit(row).map_err(damaged)?;
            }
        }
        if !digest_ignored && (rows, sum) != (base.live_rows, base.live_sum) {
            return Err(damaged("live rows are missing, or too many"));
        }
        Ok(base)
    }

    fn task(&mut self, tenant: TenantId, id: TaskId) -> Result<Option<Found>, StoreError> {
        let shelf = self.now();
        let number = shelf.tasks.get(&(tenant, id));
        number.map(|task| shelf.found(*task, None)).transpose()
    }

    fn run(&mut self, tenant: TenantId, id: RunId) -> Result<Option<Found>, StoreError> {
        let shelf = self.now();
        let Some(number) = shelf.runs.get(&(tenant, id)) else {
            return Ok(None);
        };
        let row = shelf.rows.get(number).ok_or_else(|| damaged("no run"))?;
        let image = &row.image;
        let columns = RunColumns::read(image).map_err(damaged)?;
        shelf.found(columns.task, Some(*number)).map(Some)
    }

    fn output(&mut self, tenant: TenantId, task: TaskId) -> Result<Option<Bytes>, StoreError> {
        let shelf = self.now();
        let number = shelf.tasks.get(&(tenant, task));
        number.map_or(Ok(None), |number| shelf.output(*number))
    }

    fn key(
        &mut self,
        tenant: TenantId,
        class: KeyClass,
        key: &str,
    ) -> Result<Option<KeyRow>, StoreError> {
        let scope = (tenant, class, Text::from(key));
        Ok(self.now().keys.get(&scope).cloned())
    }

    fn trail(&mut self, after: u64, limit: usize) -> Result<Trail, StoreError> {
        let shelf = self.now();
        let begun = shelf
            .trail
            .rows
            .partition_point(|entry| entry.row.sequence <= after);
        let rows = shelf.trail.rows[begun..].iter().take(limit);
        Ok(Trail {
            rows: rows.cloned().collect(),
            ..shelf.trail
        })
    }

    fn hold(&mut self, sequence: u64) -> Result<bool, StoreError> {
        // Nothing is ever removed here.
        Ok(self.now().base.sequence == sequence)
    }

    fn let_go(&mut self) {}

    fn payload(&mut self, task: u64) -> Result<Option<Bytes>, StoreError> {
        Ok(self.now().payloads.get(&task).cloned())
    }
}
