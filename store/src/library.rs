//! The reading room's desk: a bounded pool of read-only connections to one store file, and what is asked through them.
//! Owns: the connections, their time limit, the consistent view that one answer is read from.
//! Never: writes, or keeps a reader open between two answers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mainstay_core::{ApprovalId, ApprovalRow, LedgerRow, PlaceRow, TenantId};
use rusqlite::Connection;

use crate::list::{
    self, AfterPage, ApprovalAsk, AuditAsk, AuditPage, DeadAsk, DeadGroups, DeadLetter, JobAsk,
    JobPage, LedgerAsk, ListError, Listed, MatchAsk, Matched, Matches, Places, RunAsk, RunLine,
    Scope, TaskAsk, TaskLine,
};
use crate::{SqlAnswer, SqlAsk, SqlError, StoreError};
use crate::{query, sqlite};

/// Connections for lists.
const DESKS_MAX: usize = 8;
/// Questions in SQL that are worked on at the same time; each may cost memory.
const SQL_MAX: usize = 2;
/// Milliseconds that one page may take before it is given up.
const LIST_MS_MAX: u64 = 10_000;
/// Steps of SQLite between two looks at the clock.
const STEPS_PER_LOOK: i32 = 4000;
/// KiB of pages that each connection keeps.
const CACHE_KIB: u32 = 8 << 10;
/// How long a connection waits for one that holds the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one answer is read from.
pub(crate) struct View<'a> {
    pub(crate) conn: &'a Connection,
    /// Whose rows these are.
    pub(crate) log_id: String,
    /// The last event that they reflect.
    pub(crate) sequence: u64,
    pub(crate) places: Arc<Places>,
}

/// Which file a path leads to. A file that is open keeps its number, so two that are open never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    fn of(path: &Path) -> Result<Option<FileId>, StoreError> {
        use std::os::unix::fs::MetadataExt;
        match std::fs::metadata(path) {
            Ok(file) => Ok(Some(FileId(file.dev(), file.ino()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::Medium(error.to_string())),
        }
    }
}

#[derive(Debug)]
struct Desk {
    conn: Connection,
    file: FileId,
}

#[derive(Debug, Default)]
struct Room {
    free: Vec<Desk>,
    /// Desks that are in use or free.
    desks: usize,
    /// Questions in SQL that are being worked on.
    asking: usize,
}

/// Lists, search and SQL over one store file. It may be shared by any number of threads; more than a few at a time wait for each other.
///
/// A file that does not exist yet is an empty store at checkpoint 0; one that is replaced is noticed at the next question.
#[derive(Debug)]
pub struct Library {
    path: PathBuf,
    room: Mutex<Room>,
    freed: Condvar,
    known: Mutex<Option<(FileId, Arc<Places>)>>,
}

/// A desk that goes back to its room.
struct Seat<'a> {
    library: &'a Library,
    desk: Option<Desk>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut room = lock(&self.library.room);
        match self.desk.take() {
            Some(desk) => room.free.push(desk),
            None => room.desks -= 1,
        }
        drop(room);
        self.library.freed.notify_all();
    }
}

/// A turn among the questions in SQL.
struct Pass<'a>(&'a Library);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        lock(&self.0.room).asking -= 1;
        self.0.freed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Library {
    /// The library of the store file at this path, which need not exist yet.
    #[must_use]
    pub fn open(path: &Path) -> Library {
        Library {
            path: path.to_path_buf(),
            room: Mutex::default(),
            freed: Condvar::new(),
            known: Mutex::default(),
        }
    }

    /// A page of tasks.
    ///
    /// # Errors
    /// [`ListError`].
    pub fn tasks(&self, ask: &TaskAsk) -> Result<Listed<TaskLine>, ListError> {
        self.list(|view| list::tasks(view, ask))
    }

    /// A page of runs.
    ///
    /// # Errors
    /// [`ListError`].
    pub fn runs(&self, ask: &RunAsk) -> Result<Listed<RunLine>, ListError> {
        self.list(|view| list::runs(view, ask))
    }

    /// A page of runs as those who administer jobs see them.
    ///
    /// # Errors
    /// [`ListError`].
    pub fn jobs(&self, ask: &JobAsk) -> Result<JobPage, ListError> {
        Ok(self.view(|view| list::jobs(view, ask))?.unwrap_or_default())
    }

    /// Dead letters, grouped by what went wrong.
    ///
    /// # Errors
    /// [`ListError::Query`] and [`ListError::Store`].
    pub fn dead_groups(&self, ask: &DeadAsk) -> Result<DeadGroups, ListError> {
        Ok(self
            .view(|view| list::groups(view, ask))?
            .unwrap_or_default())
    }

    /// A page of dead letters, the last that failed first.
    ///
    /// # Errors
    /// [`ListError`].
    pub fn dead_letters(&self, ask: &DeadAsk) -> Result<Listed<DeadLetter>, ListError> {
        self.list(|view| list::letters(view, ask))
    }

    /// How many runs match, and the first of them: `after`, `through` and `until` say nothing here.
    ///
    /// # Errors
    /// [`ListError::Query`] and [`ListError::Store`].
    pub fn matches(&self, ask: &MatchAsk) -> Result<Matches, ListError> {
        let found = self.view(|view| list::matches(view, ask))?;
        Ok(found.unwrap_or_default())
    }

    /// The runs that match and come next.
    ///
    /// # Errors
    /// As [`Library::matches`].
    pub fn next_matches(&self, ask: &MatchAsk) -> Result<Vec<Matched>, ListError> {
        let found = self.view(|view| list::next(view, ask))?;
        Ok(found.unwrap_or_default())
    }

    /// A page of the audit trail.
    ///
    /// # Errors
    /// [`ListError::Store`].
    pub fn audit(&self, ask: &AuditAsk) -> Result<AuditPage, ListError> {
        let empty = AuditPage {
            next: ask.after,
            ..AuditPage::default()
        };
        Ok(self.view(|view| list::audit(view, ask))?.unwrap_or(empty))
    }

    /// A page of entries of ledgers.
    ///
    /// # Errors
    /// [`ListError::Store`].
    pub fn ledger(&self, ask: &LedgerAsk) -> Result<AfterPage<LedgerRow>, ListError> {
        let page = self.view(|view| list::entries(view, ask))?;
        Ok(page.unwrap_or_else(|| nothing_after(ask.after)))
    }

    /// A page of approvals.
    ///
    /// # Errors
    /// [`ListError::Store`].
    pub fn approvals(&self, ask: &ApprovalAsk) -> Result<AfterPage<ApprovalRow>, ListError> {
        let page = self.view(|view| list::approvals(view, ask))?;
        Ok(page.unwrap_or_else(|| nothing_after(ask.after)))
    }

    /// An approval, decided or not, if there is one of this id, and the last event that the answer reflects.
    ///
    /// # Errors
    /// [`ListError::Store`].
    pub fn approval(
        &self,
        tenant: TenantId,
        id: ApprovalId,
    ) -> Result<(Option<ApprovalRow>, u64), ListError> {
        let found = self.view(|view| {
            let row = list::approval(view, tenant, id)?;
            Ok::<_, ListError>((row, view.sequence))
        })?;
        Ok(found.unwrap_or((None, 0)))
    }

    /// The answer to one `SELECT` over the documented views. Each question has a connection of its own; at most two are worked on at
    /// the same time.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn sql(&self, ask: &SqlAsk) -> Result<SqlAnswer, SqlError> {
        let _pass = self.pass();
        if FileId::of(&self.path)?.is_none() {
            return Err(SqlError::Store(StoreError::Medium(
                "there is no store yet".into(),
            )));
        }
        let conn = open(&self.path)?;
        query::run(conn, ask)
    }

    /// The last event that committed rows reflect; 0 when there is no store that can be read.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        let read = self.view(|view| Ok::<_, StoreError>(view.sequence));
        read.ok().flatten().unwrap_or(0)
    }

    /// Every place of a scope with its counts, in number order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn places(&self, scope: Scope) -> Result<Vec<PlaceRow>, StoreError> {
        let read = self.view(|view| list::places(view, scope).map_err(|error| fault(&error)));
        Ok(read?.unwrap_or_default())
    }

    fn list<T>(
        &self,
        read: impl FnOnce(&View<'_>) -> Result<Listed<T>, ListError>,
    ) -> Result<Listed<T>, ListError> {
        let empty = Listed {
            rows: Vec::new(),
            next_cursor: None,
            checkpoint: 0,
        };
        Ok(self.view(read)?.unwrap_or(empty))
    }

    /// Reads from one commit. `None` when there is no store yet.
    fn view<T, E: std::convert::From<StoreError>>(
        &self,
        read: impl FnOnce(&View<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let Some(mut seat) = self.seat()? else {
            return Ok(None);
        };
        let Some(mut desk) = seat.desk.take() else {
            return Ok(None);
        };
        let answer = self.read(&mut desk, read)?;
        // After an error the connection is closed instead: whatever state it is in goes with it.
        seat.desk = Some(desk);
        Ok(answer)
    }

    fn read<T, E: std::convert::From<StoreError>>(
        &self,
        desk: &mut Desk,
        read: impl FnOnce(&View<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let fail = |error| E::from(fault(&error));
        limit_time(&mut desk.conn, Duration::from_millis(LIST_MS_MAX)).map_err(fail)?;
        let transaction = desk.conn.transaction().map_err(fail)?;
        let Some((log_id, sequence)) = standing(&transaction).map_err(fail)? else {
            return Ok(None);
        };
        let places = self.known(desk.file, &transaction).map_err(fail)?;
        let view = View {
            conn: &transaction,
            log_id,
            sequence,
            places,
        };
        let answer = read(&view)?;
        transaction.finish().map_err(fail)?;
        Ok(Some(answer))
    }

    fn known(&self, file: FileId, conn: &Connection) -> rusqlite::Result<Arc<Places>> {
        let mut known = lock(&self.known);
        let mut places = match known.take() {
            Some((of, places)) if of == file => places,
            _ => Arc::default(),
        };
        if !places.covers(conn)? {
            Arc::make_mut(&mut places).grow(conn)?;
        }
        *known = Some((file, Arc::clone(&places)));
        Ok(places)
    }

    /// A connection to the file that the path leads to now; waits while all are in use. `None` when there is no file.
    fn seat(&self) -> Result<Option<Seat<'_>>, StoreError> {
        let mut room = lock(&self.room);
        let free = loop {
            if let Some(desk) = room.free.pop() {
                break Some(desk);
            }
            if room.desks < DESKS_MAX {
                room.desks += 1;
                break None;
            }
            room = self
                .freed
                .wait(room)
                .unwrap_or_else(PoisonError::into_inner);
        };
        drop(room);
        let mut seat = Seat {
            library: self,
            desk: None,
        };
        let Some(file) = FileId::of(&self.path)? else {
            return Ok(None);
        };
        seat.desk = match free {
            Some(desk) if desk.file == file => Some(desk),
            _ => {
                let conn = open(&self.path)?;
                Some(Desk { conn, file })
            }
        };
        Ok(Some(seat))
    }

    fn pass(&self) -> Pass<'_> {
        let mut room = lock(&self.room);
        while room.asking >= SQL_MAX {
            room = self
                .freed
                .wait(room)
                .unwrap_or_else(PoisonError::into_inner);
        }
        room.asking += 1;
        Pass(self)
    }
}

fn nothing_after<T>(after: u64) -> AfterPage<T> {
    AfterPage {
        rows: Vec::new(),
        next: after,
        checkpoint: 0,
    }
}

/// Whose rows a file holds and up to which event; `None` when nothing was ever put into it.
pub(crate) fn standing(conn: &Connection) -> rusqlite::Result<Option<(String, u64)>> {
    const MADE: &str = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'";
    const READ: &str = "SELECT value FROM meta WHERE name = ?1";
    if !conn.prepare_cached(MADE)?.exists([])? {
        return Ok(None);
    }
    let mut read = conn.prepare_cached(READ)?;
    let log_id = read.query_row(["log_id"], |row| row.get(0))?;
    let sequence: i64 = read.query_row(["sequence"], |row| row.get(0))?;
    Ok(Some((log_id, sequence as u64)))
}

/// Ends what a connection does once this much time has passed.
pub(crate) fn limit_time(conn: &mut Connection, time: Duration) -> rusqlite::Result<()> {
    let end = Instant::now().checked_add(time);
    let is_over = move || end.is_some_and(|end| Instant::now() >= end);
    conn.progress_handler(STEPS_PER_LOOK, Some(is_over))
}

/// A new read-only connection.
fn open(path: &Path) -> Result<Connection, StoreError> {
    sqlite::connect(path, PATIENCE, CACHE_KIB)
}

/// What an error of SQLite means to a reader, whose time is limited.
pub(crate) fn fault(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::OperationInterrupted) => {
            StoreError::Medium(format!("a list took longer than {LIST_MS_MAX} ms"))
        }
        _ => sqlite::fault(error),
    }
}
