//! Gives a copied store to another log: what a restored backup needs.
//! Owns: the one change of a store's log id.
//! Never: touches a row, or a file that an engine has open.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::fault::{OrFault, Outcome, fault};
use super::open::{expect_format, pragma, sync_dir};
use crate::seam::StoreError;

/// Makes the store in the file `path` that of the log `log_id`. The change is durable when this returns, and no other file is left
/// beside it. Nobody else may have the file open.
///
/// # Errors
/// [`StoreError`]; the store is then still the one of its old log.
pub fn adopt(path: &Path, log_id: &str) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).or_fault()?;
    expect_format(&connection)?;
    pragma(&connection, "trusted_schema", "OFF")?;
    pragma(&connection, "synchronous", "FULL")?;
    rename(&mut connection, log_id)?;
    connection.close().map_err(|(_, error)| fault(&error))?;
    fs::File::open(path)
        .and_then(|file| file.sync_all())
        .or_fault()?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

fn rename(connection: &mut Connection, log_id: &str) -> Outcome<()> {
    let change = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .or_fault()?;
    let changed = change
        .execute("UPDATE meta SET value = ?1 WHERE name = 'log_id'", [log_id])
        .or_fault()?;
    if changed != 1 {
        return Err(StoreError::Damaged(String::from(
            "the table of scalars has no log id",
        )));
    }
    change.commit().or_fault()
}
