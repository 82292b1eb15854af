//! Looks at a whole store file: SQLite's own check, and every check and digest of ours.
//! Owns: what a sound file is.
//! Never: changes the file.

use std::path::Path;

use mainstay_core::{RowKind, RunColumns, TaskColumns};
use rusqlite::Connection;

use super::fault::{OrFault, Outcome};
use super::known::read_base;
use super::look::expect_check;
use super::open::{ask, expect_format, open_reader};
use super::schema::OBJECTS_SINCE;
use super::sum::{LiveSum, payload_check};
use super::{audit, ledger, objects};
use crate::seam::{Base, StoreError};

/// Rows between two calls of `progress`.
const ROWS_PER_STEP: u64 = 10_000;

/// What a sound store file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// What stands in it as a whole.
    pub base: Base,
    /// Tasks, live and finished.
    pub tasks: u64,
    /// Runs, live and finished.
    pub runs: u64,
    /// Queues and tenants that somebody set something on.
    pub objects: u64,
    /// Payloads that are stored by themselves.
    pub payloads: u64,
    /// Entries of the audit trail.
    pub entries: u64,
    /// Entries of ledgers.
    pub ledger: u64,
    /// Approvals, decided ones included.
    pub approvals: u64,
}

/// Reads a whole store file and compares everything that can be compared. `progress` is told how many rows are done.
///
/// # Errors
/// [`StoreError::Damaged`] with the first thing that does not hold; [`StoreError::Foreign`] or [`StoreError::Format`] when it is no store
/// that this release reads; [`StoreError::Medium`].
pub fn examine(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Examined, StoreError> {
    let mut connection = open_reader(path, 64 << 10)?;
    let view = connection.transaction().or_fault()?;
    expect_format(&view)?;
    let verdict: String = view
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .or_fault()?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(verdict));
    }
    let mut examined = Examined {
        base: read_base(&view)?,
        ..Examined::default()
    };
    let mut steps = Steps { done: 0, progress };
    let mut live = LiveSum::default();
    objects::visit(&view, &mut |_, check| {
        live.add(check);
        examined.objects += 1;
        Ok(())
    })?;
    examined.tasks = rows(&view, RowKind::Task, &mut live, &mut steps)?;
    examined.runs = rows(&view, RowKind::Run, &mut live, &mut steps)?;
    examined.payloads = payloads(&view, &mut steps)?;
    examined.entries = audit::check(&view, examined.base.sequence)?;
    (examined.ledger, examined.approvals) = ledger::check(&view)?;
    if (live.rows, live.sum) != (examined.base.live_rows, examined.base.live_sum) {
        return Err(StoreError::Damaged(format!(
            "{} live rows with sum {:016x} are there, {} with sum {:016x} were written",
            live.rows, live.sum, examined.base.live_rows, examined.base.live_sum
        )));
    }
    Ok(examined)
}

struct Steps<'a> {
    done: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl Steps<'_> {
    fn step(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(ROWS_PER_STEP) {
            (self.progress)(self.done);
        }
    }
}

fn rows(
    view: &Connection,
    kind: RowKind,
    live: &mut LiveSum,
    steps: &mut Steps<'_>,
) -> Outcome<u64> {
    let has_parents = ask(view, "user_version")? >= OBJECTS_SINCE;
    let sql = match kind {
        RowKind::Task if has_parents => {
            "SELECT number, \"check\", image, live, state, place, id, parent FROM task_row ORDER BY number"
        }
        RowKind::Task => {
            "SELECT number, \"check\", image, live, state, place, id, NULL FROM task_row ORDER BY number"
        }
        RowKind::Run => {
            "SELECT number, \"check\", image, live, state, place, id, NULL FROM run_row ORDER BY number"
        }
    };
    let mut walk = view.prepare(sql).or_fault()?;
    let mut rows = walk.query([]).or_fault()?;
    let mut count = 0;
    while let Some(row) = rows.next().or_fault()? {
        let number = row.get::<_, i64>(0).or_fault()? as u64;
        let check: i64 = row.get(1).or_fault()?;
        let damaged = |what: &str| StoreError::Damaged(format!("row {number}: {what}"));
        let image = row.get_ref(2).or_fault()?;
        let image = image.as_blob().map_err(|_| damaged("no image"))?;
        expect_check(kind, number, check, image)?;
        if row.get(3).or_fault()? {
            live.add(check as u64);
        }
        let columns = (
            number,
            row.get(4).or_fault()?,
            row.get(5).or_fault()?,
            u128::from_be_bytes(row.get(6).or_fault()?),
            row.get::<_, Option<[u8; 16]>>(7)
                .or_fault()?
                .map(u128::from_be_bytes),
        );
        let said = columns_of(kind, image).map_err(|error| damaged(&error.to_string()))?;
        if said != columns {
            return Err(damaged("its columns are not those of its image"));
        }
        count += 1;
        steps.step();
    }
    Ok(count)
}

/// What the image says of itself, as its columns should.
type Said = (u64, u8, u32, u128, Option<u128>);

/// Number, state, place, id and parent, as the image has them.
fn columns_of(kind: RowKind, image: &[u8]) -> Result<Said, mainstay_core::codec::Malformed> {
    Ok(match kind {
        RowKind::Task => {
            let task = TaskColumns::read(image)?;
            let parent = task.parent.map(|parent| parent.0);
            (
                task.number,
                task.state() as u8,
                task.place,
                task.id.0,
                parent,
            )
        }
        RowKind::Run => {
            let run = RunColumns::read(image)?;
            (run.number, run.state as u8, run.place, run.id.0, None)
        }
    })
}

fn payloads(view: &Connection, steps: &mut Steps<'_>) -> Outcome<u64> {
    let mut walk = view
        .prepare("SELECT number, \"check\", bytes FROM payload_row ORDER BY number")
        .or_fault()?;
    let mut rows = walk.query([]).or_fault()?;
    let mut count = 0;
    while let Some(row) = rows.next().or_fault()? {
        let number = row.get::<_, i64>(0).or_fault()? as u64;
        let check: i64 = row.get(1).or_fault()?;
        let bytes = row.get_ref(2).or_fault()?;
        if bytes.as_blob().map(|bytes| payload_check(number, bytes)) != Ok(check as u64) {
            return Err(StoreError::Damaged(format!(
                "the check of the payload of task {number} does not hold"
            )));
        }
        count += 1;
        steps.step();
    }
    Ok(count)
}
