//! Writes the runs of a cut.
//! Owns: the columns of `run_row`.
//! Never: touches a task.

use std::sync::LazyLock;

use mainstay_core::{AttemptColumns, Cut, CutRow, RowKind, RunColumns};
use rusqlite::{Connection, Row};

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
        slot.put(run.image)
    })
}

const CHANGES: Words = Words {
    find: "SELECT live, \"check\", state, scheduled_at, worker, error_code, error_message FROM run_row WHERE number = ?1",
    quiet: "UPDATE run_row SET finished_at = ?2, attempt_count = ?3, started_at = ?4, result = ?5, error_message = ?6, \
            attempts = ?7, \"check\" = ?8, image = ?9",
    moved: ", state = ?10, scheduled_at = ?11, worker = ?12, error_code = ?13",
    ended: ", state = ?10, scheduled_at = ?11, worker = ?12, error_code = ?13, live = ?14",
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
        })
    }
}

fn write(changes: &mut Changes<'_>, run: &Run<'_>, old: &Old) -> Outcome<()> {
    let columns = &run.columns;
    let (worker, started_at) = run.held();
    let (error_code, error_message) = run.error();
    let is_ended = old.live != run.live;
    let is_moved = (old.state, old.scheduled_at) != (columns.state as u8, columns.scheduled_at.0)
        || old.worker.as_deref() != worker
        || old.error_code.as_deref() != error_code;
    let statement = changes.form(is_ended, is_moved);
    let mut slot = Slot::first(statement);
    slot.put(columns.number as i64)?;
    slot.put(columns.finished_at.map(|at| at.0 as i64))?;
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
    }
    if is_ended {
        slot.put(run.live)?;
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
        Ok(Run {
            tenant: known.place(columns.place)?.tenant,
            live: row.live,
            attempts: (!is_plain(&columns)).then(|| json::attempts_of(&columns.attempts)),
            check: check_of(RowKind::Run, row.number, image),
            columns,
            image,
        })
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
