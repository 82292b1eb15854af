//! Writes what full-text search finds: one document per task that has any text besides its kind.
//! Owns: the rows of `text` and the column `has_text`.
//! Never: indexes payloads, or work of a queue that is not searched.

use std::collections::BTreeSet;

use mainstay_core::TaskColumns;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::{OrFault, Outcome};
use super::known::Known;
use crate::seam::{StoreError, Unsearched};

/// Runs of a task whose last error is found, newest first.
const ERRORS_MAX: u32 = 20;

/// Bytes of one error's message that are found.
const MESSAGE_BYTES_MAX: usize = 1 << 10;

/// A document to be written.
pub(super) struct Doc {
    number: u64,
    place: u32,
    tags: String,
    description: String,
    errors: bool,
}

impl Doc {
    /// A task's document; with `errors`, those of its runs are read when it is written.
    pub(super) fn of(columns: &TaskColumns<'_>, errors: bool) -> Doc {
        Doc {
            number: columns.number,
            place: columns.place,
            tags: columns.tags.join(" "),
            description: String::from(columns.description.unwrap_or_default()),
            errors,
        }
    }
}

/// The documents that one transaction writes.
pub(super) struct Texts<'a> {
    unsearched: &'a Unsearched,
    docs: Vec<Doc>,
    failed: BTreeSet<u64>,
    again: BTreeSet<u64>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(unsearched: &'a Unsearched) -> Texts<'a> {
        Texts {
            unsearched,
            docs: Vec::new(),
            failed: BTreeSet::new(),
            again: BTreeSet::new(),
        }
    }

    /// Whether work of this place is found by its text.
    pub(super) fn searched(&self, known: &Known, place: u32) -> Outcome<bool> {
        Ok(self.unsearched.is_empty() || !self.unsearched.contains(&known.place(place)?.queue))
    }

    /// The last error of a run of this task is not what it was.
    pub(super) fn failed(&mut self, task: u64) {
        self.failed.insert(task);
    }

    /// Whether that was said of this task, which takes it upon itself now.
    pub(super) fn take_failed(&mut self, task: u64) -> bool {
        !self.failed.is_empty() && self.failed.remove(&task)
    }

    /// The document of a fresh task.
    pub(super) fn add(&mut self, doc: Doc) {
        self.docs.push(doc);
    }

    /// The text of a stored task is not what it was.
    pub(super) fn again(&mut self, task: u64) {
        self.again.insert(task);
    }

    /// Writes the documents, once every row of the cut is written.
    pub(super) fn write(mut self, connection: &Connection, known: &Known) -> Outcome<()> {
        for doc in &self.docs {
            insert(connection, known, doc)?;
        }
        let mut again = std::mem::take(&mut self.again);
        again.extend(&self.failed);
        for number in again {
            self.write_again(connection, known, number)?;
        }
        Ok(())
    }

    fn write_again(&self, connection: &Connection, known: &Known, number: u64) -> Outcome<()> {
        let mut find = connection
            .prepare_cached("SELECT has_text, image FROM task_row WHERE number = ?1")
            .or_fault()?;
        let found: Option<(bool, Vec<u8>)> = find
            .query_row([number as i64], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .or_fault()?;
        // A run may outlive its task here: a finished task that retention removed just before one of its runs came back.
        let Some((had_text, image)) = found else {
            return Ok(());
        };
        let columns = TaskColumns::read(&image)
            .map_err(|error| StoreError::Damaged(format!("the image of task {number}: {error}")))?;
        if had_text {
            remove(connection, number)?;
        }
        let has_text = self.searched(known, columns.place)?
            && insert(connection, known, &Doc::of(&columns, true))?;
        if has_text != had_text {
            let mut put = connection
                .prepare_cached("UPDATE task_row SET has_text = ?2 WHERE number = ?1")
                .or_fault()?;
            put.execute(params![number as i64, has_text]).or_fault()?;
        }
        Ok(())
    }
}

/// Writes a document, unless it would be empty. True when it was written.
fn insert(connection: &Connection, known: &Known, doc: &Doc) -> Outcome<bool> {
    let errors = if doc.errors {
        errors_of(connection, doc.number)?
    } else {
        String::new()
    };
    if doc.tags.is_empty() && doc.description.is_empty() && errors.is_empty() {
        return Ok(false);
    }
    let mut put = connection
        .prepare_cached(
            "INSERT INTO text(rowid, kind, tags, description, error) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .or_fault()?;
    let kind: &str = &known.place(doc.place)?.kind;
    put.execute(params![
        doc.number as i64,
        kind,
        doc.tags,
        doc.description,
        errors
    ])
    .or_fault()?;
    Ok(true)
}

/// Removes a task's document.
pub(super) fn remove(connection: &Connection, number: u64) -> Outcome<()> {
    let mut remove = connection
        .prepare_cached("DELETE FROM text WHERE rowid = ?1")
        .or_fault()?;
    remove.execute([number as i64]).or_fault()?;
    Ok(())
}

fn errors_of(connection: &Connection, task: u64) -> Outcome<String> {
    let mut find = connection
        .prepare_cached(
            "SELECT number, error_code, error_message FROM run_row WHERE number = ?1 + 1 AND task = ?1 AND error_code IS NOT NULL \
             UNION ALL SELECT number, error_code, error_message FROM run_row INDEXED BY run_task_error \
             WHERE task = ?1 AND task <> number - 1 AND error_code IS NOT NULL ORDER BY number DESC LIMIT ?2",
        )
        .or_fault()?;
    let mut rows = find.query(params![task as i64, ERRORS_MAX]).or_fault()?;
    let mut errors = String::new();
    while let Some(row) = rows.next().or_fault()? {
        let code: String = row.get(1).or_fault()?;
        let message: Option<String> = row.get(2).or_fault()?;
        let message = message.unwrap_or_default();
        for part in [
            code.as_str(),
            &message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)],
        ] {
            errors.push_str(part);
            errors.push(' ');
        }
    }
    Ok(errors)
}
