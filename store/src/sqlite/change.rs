//! Rows that an earlier cut wrote and a later one changes: looked up, and written by the statement that moves no more index entries than
//! it must.
//! Owns: the three forms of a change.
//! Never: knows a column.

use mainstay_core::CutRow;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::fault::{OrFault, Outcome};

/// The words of a table's changes. Columns with an index are named only by the forms that need them: naming one moves its entries.
pub(super) struct Words {
    /// Finds what stands there, by number.
    pub(super) find: &'static str,
    /// Sets what no index holds, of the row with number `?1`; ends before its `WHERE`.
    pub(super) quiet: &'static str,
    /// Sets what an index holds too.
    pub(super) moved: &'static str,
    /// And whether the row is live.
    pub(super) ended: &'static str,
}

/// The prepared statements of a table's changes.
pub(super) struct Changes<'c> {
    find: CachedStatement<'c>,
    quiet: CachedStatement<'c>,
    moved: CachedStatement<'c>,
    ended: CachedStatement<'c>,
}

impl<'c> Changes<'c> {
    fn new(connection: &'c Connection, words: &Words) -> Outcome<Changes<'c>> {
        let change = |more: &str| {
            let text = format!("{}{more} WHERE number = ?1", words.quiet);
            connection.prepare_cached(&text).or_fault()
        };
        Ok(Changes {
            find: connection.prepare_cached(words.find).or_fault()?,
            quiet: change("")?,
            moved: change(words.moved)?,
            ended: change(words.ended)?,
        })
    }

    /// The statement for a change of this kind.
    pub(super) fn form(&mut self, is_ended: bool, is_moved: bool) -> &mut CachedStatement<'c> {
        match (is_ended, is_moved) {
            (true, _) => &mut self.ended,
            (false, true) => &mut self.moved,
            (false, false) => &mut self.quiet,
        }
    }
}

/// What stands in the file for a row that an earlier cut held, with the statements that change it; these are prepared for the first row
/// that needs them. Nothing stands there when retention removed the row just before it came back.
pub(super) fn find<'a, 'c, T>(
    connection: &'c Connection,
    changes: &'a mut Option<Changes<'c>>,
    words: &Words,
    row: &CutRow,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Outcome<Option<(&'a mut Changes<'c>, T)>> {
    if row.fresh {
        return Ok(None);
    }
    let changes = match changes {
        Some(changes) => changes,
        None => changes.insert(Changes::new(connection, words)?),
    };
    let found = changes.find.query_row([row.number as i64], read);
    Ok(found.optional().or_fault()?.map(|old| (changes, old)))
}
