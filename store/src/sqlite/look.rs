//! Point look-ups: one task, one run, one key, one payload.
//! Owns: the reading connection of one thread.
//! Never: gives an image whose check does not hold.

use std::path::{Path, PathBuf};

use mainstay_core::{Bytes, KeyClass, KeyRow, RowKind, RunId, TaskId, TenantId, Text, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::fault::{OrFault, Outcome};
use super::known::{find_tenant, read_base, read_sequence};
use super::open::open_reader;
use super::sum::{key_check, payload_check};
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

/// Runs of one look-up, in number order.
const RUNS_OF_TASK: &str = "SELECT number, \"check\", image FROM run_row WHERE number = ?1 + 1 AND task = ?1 \
     UNION ALL SELECT number, \"check\", image FROM run_row WHERE task = ?1 AND task <> number - 1 \
     ORDER BY number LIMIT 1000";

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
        let mut runs = Vec::new();
        let mut find = view.prepare_cached(RUNS_OF_TASK).or_fault()?;
        let mut rows = find.query([number as i64]).or_fault()?;
        while let Some(row) = rows.next().or_fault()? {
            runs.push(read_image(RowKind::Run, row)?.1);
        }
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
