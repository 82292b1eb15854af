//! Writes the runs of a cut.
//! Owns: the columns of `run_row`.
//! Never: touches a task.

use std::sync::LazyLock;

use mainstay_core::{AttemptColumns, Cut, CutRow, Fingerprint, RowKind, RunColumns, RunState};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bulk::{Bulk, Slot};
use super::change::{self, Changes, Words};
use super::fault::{OrFault, Outcome};
use super::json;
use super::known::Known;
use super::texts::Texts;
use crate::seam::{StoreError, check_of};

static INSERT: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "run_row",
        &[
            "number",
            "task",
            "tenant",
            "place",
            "id",
            "state",
            "live",
            "scheduled_at",
            "created_at",
            "finished_at",
            "attempt_count",
            "worker",
            "started_at",
            "result",
            "error_code",
            "error_message",
            "attempts",
            "\"check\"",
            "image",
            "dead",
            "fingerprint",
        ],
    )
});

/// A run of a cut with what its columns need.
struct Run<'a> {
    tenant: i64,
    columns: RunColumns<'a>,
    live: bool,
    attempts: Option<String>,
    check: u64,
    image: &'a [u8],
    fingerprint: Option<i64>,
}

/// What stands in the file for a run that a cut changes.
struct Old {
    live: bool,
    check: u64,
    state: u8,
    scheduled_at: u64,
    worker: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
    dead: Option<bool>,
}

/// Writes every run of the cut, in number order.
pub(super) fn put(
    connection: &Connection,
    known: &mut Known,
    texts: &mut Texts<'_>,
    cut: &Cut,
    rows: &[&CutRow],
) -> Outcome<()> {
    let mut fresh = Vec::new();
    let mut changes = None;
    for row in rows {
        let run = Run::read(known, cut, row)?;
        if let Some((changes, old)) =
            change::find(connection, &mut changes, &CHANGES, row, Old::read)?
        {
            write(changes, &run, &old)?;
            run.change(known, texts, &old);
        } else {
            if run.error() != (None, None) {
                texts.failed(run.columns.task);
            }
            if run.live {
                known.live.add(run.check);
            }
            fresh.push(run);
        }
    }
    INSERT.insert(connection, &fresh, |slot, run| {
        let columns = &run.columns;
        let (worker, started_at) = run.held();
        let (error_code, error_message) = run.error();
        slot.put(columns.number as i64)?;
        slot.put(columns.task as i64)?;
        slot.put(run.tenant)?;
        slot.put(columns.place)?;
        slot.put(&columns.id.0.to_be_bytes()[..])?;
        slot.put(columns.state as u8)?;
        slot.put(run.live)?;
        slot.put(columns.scheduled_at.0 as i64)?;
        slot.put(columns.created_at.0 as i64)?;
        slot.put(columns.finished_at.map(|at| at.0 as i64))?;
        slot.put(columns.attempt_count)?;
        slot.put(worker)?;
        slot.put(started_at)?;
        slot.put(run.result())?;
        slot.put(error_code)?;
        slot.put(error_message)?;
        slot.put(run.attempts.as_deref())?;
        slot.put(run.check as i64)?;
        slot.put(run.image)?;
        slot.put(run.dead())?;
        slot.put(run.fingerprint)
    })
}

const CHANGES: Words = Words {
    find: "SELECT live, \"check\", state, scheduled_at, worker, error_code, error_message, dead FROM run_row WHERE number = ?1",
    quiet: "UPDATE run_row SET attempt_count = ?2, started_at = ?3, result = ?4, error_message = ?5, \
            attempts = ?6, \"check\" = ?7, image = ?8",
    moved: ", state = ?9, scheduled_at = ?10, worker = ?11, error_code = ?12, finished_at = ?13",
    ended: ", state = ?9, scheduled_at = ?10, worker = ?11, error_code = ?12, finished_at = ?13, live = ?14, dead = ?15, \
            fingerprint = ?16",
};

impl Old {
    fn read(row: &Row<'_>) -> rusqlite::Result<Old> {
        Ok(Old {
            live: row.get(0)?,
            check: row.get::<_, i64>(1)? as u64,
            state: row.get(2)?,
            scheduled_at: row.get::<_, i64>(3)? as u64,
            worker: row.get(4)?,
            error_code: row.get(5)?,
            error_message: row.get(6)?,
            dead: row.get(7)?,
        })
    }
}

fn write(changes: &mut Changes<'_>, run: &Run<'_>, old: &Old) -> Outcome<()> {
    let columns = &run.columns;
    let (worker, started_at) = run.held();
    let (error_code, error_message) = run.error();
    let is_ended = old.live != run.live || old.dead != run.dead();
    let is_moved = (old.state, old.scheduled_at) != (columns.state as u8, columns.scheduled_at.0)
        || old.worker.as_deref() != worker
        || old.error_code.as_deref() != error_code;
    let statement = changes.form(is_ended, is_moved);
    let mut slot = Slot::first(statement);
    slot.put(columns.number as i64)?;
    slot.put(columns.attempt_count)?;
    slot.put(started_at)?;
    slot.put(run.result())?;
    slot.put(error_message)?;
    slot.put(run.attempts.as_deref())?;
    slot.put(run.check as i64)?;
    slot.put(run.image)?;
    if is_ended || is_moved {
        slot.put(columns.state as u8)?;
        slot.put(columns.scheduled_at.0 as i64)?;
        slot.put(worker)?;
        slot.put(error_code)?;
        // With the state: a run that ends does so once.
        slot.put(columns.finished_at.map(|at| at.0 as i64))?;
    }
    if is_ended {
        slot.put(run.live)?;
        slot.put(run.dead())?;
        slot.put(run.fingerprint)?;
    }
    statement.raw_execute().or_fault()?;
    Ok(())
}

impl<'a> Run<'a> {
    fn read(known: &Known, cut: &'a Cut, row: &CutRow) -> Outcome<Run<'a>> {
        let image = cut.image(row);
        let columns = RunColumns::read(image).map_err(|error| {
            StoreError::Damaged(format!("the image of run {}: {error}", row.number))
        })?;
        if columns.number != row.number {
            return Err(StoreError::Damaged(format!(
                "run {} has the image of {}",
                row.number, columns.number
            )));
        }
        let place = known.place(columns.place)?;
        let failed = columns.state == RunState::Failed;
        Ok(Run {
            tenant: place.tenant,
            fingerprint: failed.then(|| fingerprint_of(&place.kind, &columns)),
            live: row.live,
            attempts: (!is_plain(&columns)).then(|| json::attempts_of(&columns.attempts)),
            check: check_of(RowKind::Run, row.number, image),
            columns,
            image,
        })
    }

    fn dead(&self) -> Option<bool> {
        self.columns.is_dead_letter().then_some(true)
    }

    /// Worker and start of the current attempt, else of the last.
    fn held(&self) -> (Option<&'a str>, Option<i64>) {
        let last = || {
            self.columns
                .last()
                .map(|last| (last.worker, last.started_at))
        };
        let held = self.columns.held.or_else(last);
        (held.map(|held| held.0), held.map(|held| held.1.0 as i64))
    }

    fn result(&self) -> Option<u8> {
        self.columns.last().map(|last| last.result as u8)
    }

    fn error(&self) -> (Option<&'a str>, Option<&'a str>) {
        let error = |last: &AttemptColumns<'a>| (last.error_code, last.error_message);
        self.columns.last().map_or((None, None), error)
    }

    /// Counts what changed, and sees to text.
    fn change(&self, known: &mut Known, texts: &mut Texts<'_>, old: &Old) {
        known
            .live
            .change((old.live, old.check), (self.live, self.check));
        if self.error() != (old.error_code.as_deref(), old.error_message.as_deref()) {
            texts.failed(self.columns.task);
        }
    }
}

/// The fingerprint of a run that failed, as it stands in the file. A failure without an error has its cause for a code.
fn fingerprint_of(kind: &str, run: &RunColumns<'_>) -> i64 {
    let last = run.last();
    let code = last.and_then(|last| last.error_code);
    let message = last.and_then(|last| last.error_message);
    let code = code.unwrap_or(run.cause.name());
    Fingerprint::of(kind, code, message.unwrap_or_default()).0 as i64
}

/// Makes the fingerprints of all failed runs: those of an older format have none.
pub(super) fn fingerprint_all(connection: &Connection) -> Outcome<()> {
    let mut walk = connection
        .prepare(
            "SELECT r.number, k.text, r.image FROM run_row r JOIN place_row p ON p.place = r.place \
             JOIN names k ON k.id = p.kind WHERE r.dead = 1",
        )
        .or_fault()?;
    let mut set = connection
        .prepare("UPDATE run_row SET fingerprint = ?2 WHERE number = ?1")
        .or_fault()?;
    let mut rows = walk.query([]).or_fault()?;
    while let Some(row) = rows.next().or_fault()? {
        let number: i64 = row.get(0).or_fault()?;
        let (kind, image): (String, Vec<u8>) = (row.get(1).or_fault()?, row.get(2).or_fault()?);
        let columns = RunColumns::read(&image)
            .map_err(|error| StoreError::Damaged(format!("the image of run {number}: {error}")))?;
        set.execute(params![number, fingerprint_of(&kind, &columns)])
            .or_fault()?;
    }
    Ok(())
}

/// Tells dead letters that have left memory what became of them. One that retention removed meanwhile needs no telling.
pub(super) fn mark(connection: &Connection, cut: &Cut) -> Outcome<()> {
    for mark in &cut.marks {
        let mut find = connection
            .prepare_cached("SELECT image FROM run_row WHERE number = ?1 AND dead = 1")
            .or_fault()?;
        let found = find.query_row([mark.number as i64], |row| row.get(0));
        let found: Option<Vec<u8>> = found.optional().or_fault()?;
        let Some(mut image) = found else { continue };
        image.extend_from_slice(&mark.tail);
        let check = check_of(RowKind::Run, mark.number, &image);
        let mut write = connection
            .prepare_cached(
                "UPDATE run_row SET dead = NULL, \"check\" = ?2, image = ?3 WHERE number = ?1",
            )
            .or_fault()?;
        write
            .execute(params![mark.number as i64, check as i64, image])
            .or_fault()?;
    }
    Ok(())
}

/// Whether the columns of a run say everything about its attempts.
fn is_plain(run: &RunColumns<'_>) -> bool {
    match run.attempts.as_slice() {
        [] => true,
        [only] => {
            only.number == run.attempt_count
                && run.held.is_none()
                && run.finished_at == Some(only.finished_at)
        }
        _ => false,
    }
}
