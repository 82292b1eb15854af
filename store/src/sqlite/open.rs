//! Opens, makes and sets aside the store's file.
//! Owns: its name, permissions, pragmas and the check of whose file it is.
//! Never: repairs a file, or opens one of another log or format.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use super::fault::{OrFault, Outcome};
use super::known::read_sequence;
use super::{audit, schema};
use crate::seam::{StoreError, Unsearched};

/// The file's name inside its directory.
pub const STORE_FILE: &str = "mainstay.db";

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Queues whose work is not found by its text.
    pub unsearched: Unsearched,
    /// KiB of pages that the writer keeps in memory, at least 1024.
    pub cache_kib: u32,
    /// KiB of pages that a reader keeps in memory.
    pub reader_cache_kib: u32,
    /// Pages that the write-ahead log may hold before they are moved into the file.
    pub wal_pages: u32,
    /// Pages that the file may hold; 0 for no bound. Beyond it commits fail as [`StoreError::Full`].
    pub pages_max: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        SqliteOptions {
            unsearched: Unsearched::new(),
            cache_kib: 64 << 10,
            reader_cache_kib: 8 << 10,
            wal_pages: 4096,
            pages_max: 0,
        }
    }
}

/// Bytes of a page: larger ones make deeper inserts cheaper and small updates dearer.
const PAGE_BYTES: u32 = 8192;

/// Where the file stands in its directory.
#[must_use]
pub fn file_of(dir: &Path) -> PathBuf {
    dir.join(STORE_FILE)
}

/// Opens the file for writing, or makes it. True when it was made.
pub(super) fn open_file(
    dir: &Path,
    log_id: &str,
    options: &SqliteOptions,
) -> Outcome<(Connection, bool)> {
    let path = file_of(dir);
    make_private(dir, &path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).or_fault()?;
    connection
        .busy_timeout(Duration::from_secs(10))
        .or_fault()?;
    connection.set_prepared_statement_cache_capacity(128);
    let fresh = is_unmade(&connection)?;
    if fresh {
        pragma(&connection, "page_size", PAGE_BYTES)?;
    } else {
        expect_ours(&connection, log_id)?;
    }
    // An unmade file may be half a creation: the mode and every table are given again.
    pragma(&connection, "journal_mode", "WAL")?;
    pragma(&connection, "synchronous", "NORMAL")?;
    pragma(&connection, "wal_autocheckpoint", options.wal_pages)?;
    pragma(&connection, "journal_size_limit", 64 << 20)?;
    pragma(
        &connection,
        "cache_size",
        -i64::from(options.cache_kib.max(1024)),
    )?;
    pragma(&connection, "temp_store", "MEMORY")?;
    pragma(&connection, "trusted_schema", "OFF")?;
    pragma(&connection, "cell_size_check", "ON")?;
    if options.pages_max > 0 {
        pragma(&connection, "max_page_count", options.pages_max)?;
    }
    if fresh {
        make_tables(&mut connection, log_id)?;
    } else {
        bring_up(&mut connection)?;
    }
    Ok((connection, fresh))
}

/// A read-only connection to a store's file, for one thread.
///
/// # Errors
/// [`StoreError::Medium`] when there is no such file, [`StoreError::Damaged`] when it is no database.
pub(crate) fn open_reader(path: &Path, cache_kib: u32) -> Outcome<Connection> {
    let connection = connect(path, Duration::from_secs(10), cache_kib.max(256))?;
    pragma(&connection, "temp_store", "MEMORY")?;
    pragma(&connection, "query_only", "ON")?;
    Ok(connection)
}

/// What every connection that only reads has in common; whoever asks people's SQL through it still has to make views of its own.
pub(crate) fn connect(path: &Path, patience: Duration, cache_kib: u32) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).or_fault()?;
    connection.busy_timeout(patience).or_fault()?;
    connection.set_prepared_statement_cache_capacity(64);
    pragma(&connection, "cache_size", -i64::from(cache_kib))?;
    pragma(&connection, "trusted_schema", "OFF")?;
    pragma(&connection, "cell_size_check", "ON")?;
    Ok(connection)
}

/// Moves a file that cannot be used, with what belongs to it, to `damaged-<n>.db` beside it, so that the next open makes a new one.
/// Nothing happens when there is none. Gives the new path.
///
/// # Errors
/// [`StoreError::Medium`].
pub fn set_aside(dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    let from = file_of(dir);
    if !from.try_exists().or_fault()? {
        return Ok(None);
    }
    let mut number = 1_u32;
    let to = loop {
        let to = dir.join(format!("damaged-{number}.db"));
        if !to.try_exists().or_fault()? {
            break to;
        }
        number += 1;
    };
    // The write-ahead log first: a database without its log is older, a log without its database is nothing.
    for tail in ["-wal", "-shm", ""] {
        let part = with_tail(&from, tail);
        if part.try_exists().or_fault()? {
            fs::rename(&part, with_tail(&to, tail)).or_fault()?;
        }
    }
    sync_dir(dir)?;
    Ok(Some(to))
}

/// A path with text after its last character.
pub(super) fn with_tail(path: &Path, tail: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(tail);
    PathBuf::from(text)
}

/// Makes a directory's entries durable.
pub(super) fn sync_dir(dir: &Path) -> Outcome<()> {
    fs::File::open(dir)
        .and_then(|dir| dir.sync_all())
        .or_fault()
}

/// Makes the write-ahead log of a store durable, and with it every commit: SQLite syncs it only before it empties it. The database
/// itself is left alone: to close a second descriptor of it would give up the locks of this process.
pub(super) fn sync_log(path: &Path) -> Outcome<()> {
    match fs::File::open(with_tail(path, "-wal")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        opened => opened.and_then(|log| log.sync_data()).or_fault()?,
    }
    path.parent().map_or(Ok(()), sync_dir)
}

/// Sets a pragma; those that answer with a row are fine.
pub(super) fn pragma(
    connection: &Connection,
    name: &str,
    value: impl rusqlite::ToSql,
) -> Outcome<()> {
    connection
        .pragma_update_and_check(None, name, value, |_| Ok(()))
        .optional()
        .map(|_| ())
        .or_fault()
}

/// Asks a pragma for a number.
pub(super) fn ask(connection: &Connection, name: &str) -> Outcome<i64> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .or_fault()
}

fn make_private(dir: &Path, path: &Path) -> Outcome<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .or_fault()?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).or_fault()?;
    // SQLite gives its `-wal` and `-shm` the permissions of the file.
    let made = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .or_fault()?;
    made.set_permissions(fs::Permissions::from_mode(0o600))
        .or_fault()?;
    sync_dir(dir)
}

/// Whether no creation was ever committed here.
fn is_unmade(connection: &Connection) -> Outcome<bool> {
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .or_fault()?;
    Ok(tables == 0)
}

/// Refuses what is not the store of this log in a known format.
pub(super) fn expect_ours(connection: &Connection, log_id: &str) -> Outcome<()> {
    expect_format(connection)?;
    let found: String = connection
        .query_row("SELECT value FROM meta WHERE name = 'log_id'", [], |row| {
            row.get(0)
        })
        .or_fault()?;
    if found == log_id {
        Ok(())
    } else {
        Err(StoreError::Foreign { found })
    }
}

/// Refuses what is not a store in a format that this release knows.
pub(super) fn expect_format(connection: &Connection) -> Outcome<()> {
    if ask(connection, "application_id")? != schema::APPLICATION_ID {
        return Err(StoreError::Foreign {
            found: String::from("no store of Mainstay"),
        });
    }
    let found = ask(connection, "user_version")?;
    if (schema::FORMAT_OLDEST..=schema::FORMAT).contains(&found) {
        Ok(())
    } else {
        Err(StoreError::Format {
            found,
            known: schema::FORMAT,
        })
    }
}

/// Brings a store of an older format up to this release's, all of it or nothing.
fn bring_up(connection: &mut Connection) -> Outcome<()> {
    let found = ask(connection, "user_version")?;
    if found == schema::FORMAT {
        return Ok(());
    }
    let all = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .or_fault()?;
    if found < schema::OBJECTS_SINCE {
        all.execute_batch(schema::FROM_1).or_fault()?;
    }
    all.execute_batch(schema::FROM_2).or_fault()?;
    audit::begin(&all, read_sequence(&all)?)?;
    super::runs::fingerprint_all(&all)?;
    all.execute_batch(crate::query::VIEWS).or_fault()?;
    pragma(&all, "user_version", schema::FORMAT)?;
    all.commit().or_fault()
}

fn make_tables(connection: &mut Connection, log_id: &str) -> Outcome<()> {
    let all = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .or_fault()?;
    all.execute_batch(schema::TABLES).or_fault()?;
    all.execute_batch(crate::query::VIEWS).or_fault()?;
    all.execute(
        "INSERT INTO meta(name, value) VALUES ('format', ?1), ('log_id', ?2), ('sequence', 0), ('wall', 0), ('machine', x''), \
         ('live_rows', 0), ('live_sum', 0)",
        rusqlite::params![schema::FORMAT, log_id],
    )
    .or_fault()?;
    audit::begin(&all, 0)?;
    pragma(&all, "application_id", schema::APPLICATION_ID)?;
    pragma(&all, "user_version", schema::FORMAT)?;
    all.commit().or_fault()
}
