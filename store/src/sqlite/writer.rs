//! The store on one SQLite file, from the writer's side.
//! Owns: the one writing connection and the cuts that wait for the log.
//! Never: commits a cut before its log is durable, or goes on after an error that leaves the file in doubt.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use mainstay_core::{Cut, RunId, TenantId, Timestamp};
use rusqlite::Connection;

use super::fault::Outcome;
use super::known::Known;
use super::look::SqliteReader;
use super::open::{self, SqliteOptions};
use super::put;
use super::retain::Retain;
use crate::seam::{Reader, Retention, Store, StoreError};

/// Rows that one transaction writes before another is begun.
const ROWS_PER_COMMIT: usize = 200_000;

/// A store in one SQLite file.
///
/// Cuts that could not be committed for want of room stay in memory, and the next [`Store::durable`] tries them again. After any other
/// error the store answers nothing but that error until it is opened again.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    options: SqliteOptions,
    known: Known,
    waiting: VecDeque<Cut>,
    retain: Retain,
    stopped: Option<StoreError>,
    fresh: bool,
}

impl SqliteStore {
    /// Opens the store in `dir`, or makes it. The directory must belong to one process at a time.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] for the store of another log, [`StoreError::Format`] for one of another release,
    /// [`StoreError::Damaged`] when the file cannot be read as a store, [`StoreError::Full`], [`StoreError::Medium`].
    pub fn open(
        dir: &Path,
        log_id: &str,
        options: SqliteOptions,
    ) -> Result<SqliteStore, StoreError> {
        let (connection, fresh) = open::open_file(dir, log_id, &options)?;
        let known = Known::read(&connection)?;
        Ok(SqliteStore {
            connection,
            path: open::file_of(dir),
            options,
            known,
            waiting: VecDeque::new(),
            retain: Retain::default(),
            stopped: None,
            fresh,
        })
    }

    /// Whether this opening made the file.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Where the file stands.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Cuts that wait for the log, and about how many bytes they hold.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        (
            self.waiting.len(),
            self.waiting.iter().map(Cut::bytes).sum(),
        )
    }

    /// Bytes of the file that hold something: those of pages in use, the write-ahead log not counted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn bytes_used(&self) -> Result<u64, StoreError> {
        super::retain::bytes_used(&self.connection)
    }

    fn expect_going(&self) -> Outcome<()> {
        match &self.stopped {
            Some(cause) => Err(cause.clone()),
            None => Ok(()),
        }
    }

    /// After an error: what stands in the file is read again, or nothing more is done.
    fn stumble(&mut self, error: StoreError) -> StoreError {
        if !matches!(error, StoreError::Full(_)) {
            self.stopped = Some(error.clone());
            return error;
        }
        match Known::read(&self.connection) {
            Ok(known) => self.known = known,
            Err(cause) => self.stopped = Some(cause),
        }
        error
    }

    /// Commits a cut. One that meets a finished task of the same id, long forgotten where the log was written, goes on without that.
    fn commit(&mut self, cut: &Cut) -> Outcome<()> {
        let unsearched = &self.options.unsearched;
        match put::commit(&mut self.connection, &mut self.known, unsearched, cut) {
            Err(StoreError::Damaged(cause)) => {
                self.known = Known::read(&self.connection)?;
                if !put::make_way(&mut self.connection, &self.known, cut)? {
                    return Err(StoreError::Damaged(cause));
                }
                put::commit(&mut self.connection, &mut self.known, unsearched, cut)
            }
            other => other,
        }
    }

    /// Takes the cuts up to `sequence` that make one transaction, as one.
    fn next_due(&mut self, sequence: u64) -> Option<Cut> {
        let is_due = |cut: &Cut| cut.through <= sequence;
        let mut due = self.waiting.pop_front_if(|cut| is_due(cut))?;
        while due.rows.len() < ROWS_PER_COMMIT {
            let Some(later) = self.waiting.pop_front_if(|cut| is_due(cut)) else {
                break;
            };
            due = due.merge(later);
        }
        Some(due)
    }
}

impl Drop for SqliteStore {
    /// What stands in the write-ahead log goes into the file, so that the file alone is the whole store after an orderly end. Readers
    /// may still be open; what cannot be moved now is moved at the next opening.
    fn drop(&mut self) {
        if self.stopped.is_none() {
            open::pragma(&self.connection, "wal_checkpoint", "TRUNCATE").ok();
        }
    }
}

impl Store for SqliteStore {
    fn put(&mut self, cut: Cut) -> Result<(), StoreError> {
        self.expect_going()?;
        let last = self
            .waiting
            .back()
            .map_or(self.known.sequence, |cut| cut.through);
        if cut.through <= last {
            let given = cut.through;
            return Err(StoreError::OutOfOrder { last, given });
        }
        self.waiting.push_back(cut);
        Ok(())
    }

    fn durable(&mut self, sequence: u64) -> Result<u64, StoreError> {
        self.expect_going()?;
        while let Some(cut) = self.next_due(sequence) {
            if let Err(error) = self.commit(&cut) {
                self.waiting.push_front(cut);
                return Err(self.stumble(error));
            }
        }
        Ok(self.known.sequence)
    }

    fn checkpoint(&self) -> u64 {
        self.known.sequence
    }

    fn sync(&mut self) -> Result<u64, StoreError> {
        self.expect_going()?;
        open::sync_log(&self.path)?;
        Ok(self.known.sequence)
    }

    fn overdue(&mut self) -> Vec<(TenantId, RunId)> {
        self.retain.overdue()
    }

    fn retain(&mut self, now: Timestamp, rule: &Retention) -> Result<bool, StoreError> {
        self.expect_going()?;
        self.retain
            .step(&mut self.connection, &mut self.known, now, rule)
            .map_err(|error| self.stumble(error))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(SqliteReader::open(
            &self.path,
            self.options.reader_cache_kib,
        )?))
    }
}
