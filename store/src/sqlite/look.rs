//! Point look-ups: one task, one run, one key, one payload.
//! Owns: the reading connection of one thread.
//! Never: gives an image whose check does not hold.

use std::path::{Path, PathBuf};

use mainstay_core::limits::RUNS_SHOWN_MAX;
use mainstay_core::{
    Bytes, KeyClass, KeyRow, RowKind, RunColumns, RunId, RunState, TaskColumns, TaskId, TenantId,
    Text, Timestamp, brief_run,
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::audit;
use super::fault::{OrFault, Outcome};
use super::known::{find_tenant, read_base, read_sequence};
use super::open::open_reader;
use super::sum::{key_check, payload_check};
use crate::Trail;
use crate::seam::{Base, Found, LiveRow, Reader, StoreError, check_of};

/// Reads one SQLite store. It may be used while the store is written, by one thread at a time.
#[derive(Debug)]
pub struct SqliteReader {
    connection: Connection,
    path: PathBuf,
    cache_kib: u32,
}

impl SqliteReader {
    /// Opens a store's file for reading.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path, cache_kib: u32) -> Result<SqliteReader, StoreError> {
        Ok(SqliteReader {
            connection: open_reader(path, cache_kib)?,
            path: path.to_owned(),
            cache_kib,
        })
    }

    /// One commit, as long as what is given lives.
    pub(super) fn view(&mut self) -> Outcome<Transaction<'_>> {
        self.connection.transaction().or_fault()
    }
}

/// Compares an image with its check.
pub(super) fn expect_check(kind: RowKind, number: u64, check: i64, image: &[u8]) -> Outcome<()> {
    if check_of(kind, number, image) == check as u64 {
        return Ok(());
    }
    let name = match kind {
        RowKind::Task => "task",
        RowKind::Run => "run",
    };
    Err(StoreError::Damaged(format!(
        "the check of {name} {number} does not hold"
    )))
}

/// Reads `number, "check", image` from a row's first columns.
fn read_image(kind: RowKind, row: &Row<'_>) -> Outcome<(u64, Vec<u8>)> {
    let number = row.get::<_, i64>(0).or_fault()? as u64;
    let image: Vec<u8> = row.get(2).or_fault()?;
    expect_check(kind, number, row.get(1).or_fault()?, &image)?;
    Ok((number, image))
}

fn find_image(
    view: &Connection,
    kind: RowKind,
    sql: &str,
    params: impl rusqlite::Params,
) -> Outcome<Option<(u64, Vec<u8>)>> {
    let mut find = view.prepare_cached(sql).or_fault()?;
    let mut rows = find.query(params).or_fault()?;
    let row = rows.next().or_fault()?;
    row.map(|row| read_image(kind, row)).transpose()
}

/// A statement over the runs of the task with number `?1`, its first among them, which has mostly the number after it.
macro_rules! runs_of_task {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM run_row WHERE number = ?1 + 1 AND task = ?1 UNION ALL SELECT ",
            $columns,
            " FROM run_row WHERE task = ?1 AND task <> number - 1 ",
            $rest
        )
    };
}

/// The only run of a task.
pub(super) const ONLY_RUN: &str = runs_of_task!("number, \"check\", image", "LIMIT 1");
/// The first runs of a task that has many, in number order, without what can be large.
pub(super) const MANY_RUNS: &str = runs_of_task!(
    "number, place, id, state, created_at, scheduled_at",
    "ORDER BY number LIMIT ?2"
);
/// The newest runs of a task first.
pub(super) const NEWEST_RUNS: &str = runs_of_task!("number, state", "ORDER BY number DESC");

/// The first runs of a task that has many, as brief images.
fn brief_runs(view: &Connection, task: u64) -> Outcome<Vec<Vec<u8>>> {
    let mut find = view.prepare_cached(MANY_RUNS).or_fault()?;
    let mut rows = find
        .query(params![task as i64, RUNS_SHOWN_MAX as i64])
        .or_fault()?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next().or_fault()? {
        let state: u64 = row.get::<_, u8>(3).or_fault()?.into();
        let instant = |at| {
            let at: rusqlite::Result<i64> = row.get(at);
            at.map(|at| Timestamp(at as u64)).or_fault()
        };
        runs.push(brief_run(&RunColumns {
            number: row.get::<_, i64>(0).or_fault()? as u64,
            task,
            place: row.get(1).or_fault()?,
            id: RunId(u128::from_be_bytes(row.get(2).or_fault()?)),
            state: RunState::from_code(state).ok_or_else(|| {
                StoreError::Damaged(format!("a run of task {task} in state {state}"))
            })?,
            created_at: instant(4)?,
            scheduled_at: instant(5)?,
            ..RunColumns::default()
        }));
    }
    Ok(runs)
}

/// What the last completed run of a task produced.
fn last_output(view: &Connection, task: i64) -> Outcome<Option<Bytes>> {
    let mut walk = view.prepare_cached(NEWEST_RUNS).or_fault()?;
    let mut rows = walk.query([task]).or_fault()?;
    while let Some(row) = rows.next().or_fault()? {
        let (number, state): (i64, u8) = (row.get(0).or_fault()?, row.get(1).or_fault()?);
        if state != RunState::Completed as u8 {
            continue;
        }
        let find = "SELECT number, \"check\", image FROM run_row WHERE number = ?1";
        let Some((_, image)) = find_image(view, RowKind::Run, find, [number])? else {
            break;
        };
        let columns = RunColumns::read(&image)
            .map_err(|error| StoreError::Damaged(format!("the image of run {number}: {error}")))?;
        return Ok(columns.output.map(Bytes::from));
    }
    Ok(None)
}

impl Reader for SqliteReader {
    fn base(&mut self) -> Result<Base, StoreError> {
        let view = self.view()?;
        read_base(&view)
    }

    fn live(
        &mut self,
        visit: &mut dyn FnMut(LiveRow<'_>) -> Result<(), String>,
    ) -> Result<Base, StoreError> {
        super::live::read(&self.path, self.cache_kib, visit)
    }

    fn task(&mut self, tenant: TenantId, id: TaskId) -> Result<Option<Found>, StoreError> {
        let view = self.view()?;
        let Some(tenant) = find_tenant(&view, tenant)? else {
            return Ok(None);
        };
        let find = "SELECT number, \"check\", image FROM task_row WHERE tenant = ?1 AND id = ?2";
        let id = id.0.to_be_bytes();
        let Some((number, task)) =
            find_image(&view, RowKind::Task, find, params![tenant, &id[..]])?
        else {
            return Ok(None);
        };
        let columns = TaskColumns::read(&task)
            .map_err(|error| StoreError::Damaged(format!("the image of task {number}: {error}")))?;
        let runs = if columns.runs_total > 1 {
            brief_runs(&view, number)?
        } else {
            let only = find_image(&view, RowKind::Run, ONLY_RUN, [number as i64])?;
            only.into_iter().map(|(_, image)| image).collect()
        };
        Ok(Some(Found { task, runs }))
    }

    fn run(&mut self, tenant: TenantId, id: RunId) -> Result<Option<Found>, StoreError> {
        let view = self.view()?;
        let Some(tenant) = find_tenant(&view, tenant)? else {
            return Ok(None);
        };
        let find = "SELECT number, \"check\", image FROM run_row WHERE tenant = ?1 AND id = ?2";
        let id = id.0.to_be_bytes();
        let Some((number, run)) = find_image(&view, RowKind::Run, find, params![tenant, &id[..]])?
        else {
            return Ok(None);
        };
        let find = "SELECT number, \"check\", image FROM task_row \
                    WHERE number = (SELECT task FROM run_row WHERE number = ?1)";
        let task = find_image(&view, RowKind::Task, find, [number as i64])?;
        let (_, task) =
            task.ok_or_else(|| StoreError::Damaged(format!("run {number} has no task")))?;
        let runs = vec![run];
        Ok(Some(Found { task, runs }))
    }

    fn output(&mut self, tenant: TenantId, task: TaskId) -> Result<Option<Bytes>, StoreError> {
        let view = self.view()?;
        let Some(tenant) = find_tenant(&view, tenant)? else {
            return Ok(None);
        };
        let mut find = view
            .prepare_cached("SELECT number FROM task_row WHERE tenant = ?1 AND id = ?2")
            .or_fault()?;
        let number: Option<i64> = find
            .query_row(params![tenant, &task.0.to_be_bytes()[..]], |row| row.get(0))
            .optional()
            .or_fault()?;
        number.map_or(Ok(None), |number| last_output(&view, number))
    }

    fn key(
        &mut self,
        tenant: TenantId,
        class: KeyClass,
        key: &str,
    ) -> Result<Option<KeyRow>, StoreError> {
        let view = self.view()?;
        let Some(number) = find_tenant(&view, tenant)? else {
            return Ok(None);
        };
        let mut find = view
            .prepare_cached(
                "SELECT until, task, \"check\", image FROM key_row WHERE tenant = ?1 AND class = ?2 AND key = ?3",
            )
            .or_fault()?;
        let found: Option<(KeyRow, i64)> = find
            .query_row(params![number, class as u8, key], |row| {
                let task: Option<[u8; 16]> = row.get(1)?;
                let found = KeyRow {
                    tenant,
                    class,
                    key: Text::from(key),
                    until: Timestamp(row.get::<_, i64>(0)? as u64),
                    task: task.map(|id| TaskId(u128::from_be_bytes(id))),
                    image: row.get(3)?,
                };
                Ok((found, row.get(2)?))
            })
            .optional()
            .or_fault()?;
        match found {
            Some((row, check)) if key_check(&row) != check as u64 => Err(StoreError::Damaged(
                format!("the check of key `{key}` does not hold"),
            )),
            found => Ok(found.map(|(row, _)| row)),
        }
    }

    fn trail(&mut self, after: u64, limit: usize) -> Result<Trail, StoreError> {
        let view = self.view()?;
        let checkpoint = read_sequence(&view)?;
        Ok(Trail {
            extent: audit::extent(&view, checkpoint)?,
            checkpoint,
            rows: audit::after(&view, after, limit)?,
        })
    }

    fn hold(&mut self, sequence: u64) -> Result<bool, StoreError> {
        self.connection.execute_batch("BEGIN").or_fault()?;
        let found = read_sequence(&self.connection);
        if found == Ok(sequence) {
            return Ok(true);
        }
        self.let_go();
        found.map(|_| false)
    }

    fn let_go(&mut self) {
        // A read changes nothing; an end that fails leaves nothing behind but an older view, which the next `hold` sees.
        self.connection.execute_batch("ROLLBACK").ok();
    }

    fn payload(&mut self, task: u64) -> Result<Option<Bytes>, StoreError> {
        let mut find = self
            .connection
            .prepare_cached("SELECT \"check\", bytes FROM payload_row WHERE number = ?1")
            .or_fault()?;
        let mut rows = find.query([task as i64]).or_fault()?;
        let Some(row) = rows.next().or_fault()? else {
            return Ok(None);
        };
        let check: i64 = row.get(0).or_fault()?;
        let bytes: Bytes = row.get(1).or_fault()?;
        if payload_check(task, &bytes) != check as u64 {
            return Err(StoreError::Damaged(format!(
                "the check of the payload of task {task} does not hold"
            )));
        }
        Ok(Some(bytes))
    }
}
