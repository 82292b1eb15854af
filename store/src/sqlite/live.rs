//! Reads every live row of one commit, in number order.
//! Owns: the comparison with the digest.
//! Never: sorts; the index of live rows is walked as it stands.

use std::path::Path;

use mainstay_core::RowKind;
use rusqlite::Connection;

use super::fault::{OrFault, Outcome};
use super::known::read_base;
use super::look::expect_check;
use super::sum::LiveSum;
use crate::seam::{Base, LiveRow, StoreError};

const TASKS: &str =
    "SELECT number, \"check\", image FROM task_row INDEXED BY task_live WHERE live = 1 ORDER BY number";
const RUNS: &str =
    "SELECT number, \"check\", image FROM run_row INDEXED BY run_live WHERE live = 1 ORDER BY number";

/// Gives every live row to `visit` and compares the digest.
pub(super) fn read(
    view: &Connection,
    _path: &Path,
    _cache_kib: u32,
    visit: &mut dyn FnMut(LiveRow<'_>) -> Result<(), String>,
) -> Outcome<Base> {
    let base = read_base(view)?;
    let mut found = LiveSum::default();
    for kind in [RowKind::Task, RowKind::Run] {
        found.join(scan(view, kind, visit)?);
    }
    if (found.rows, found.sum) != (base.live_rows, base.live_sum) {
        return Err(StoreError::Damaged(format!(
            "{} live rows with sum {:016x} are read, {} with sum {:016x} were written",
            found.rows, found.sum, base.live_rows, base.live_sum
        )));
    }
    Ok(base)
}

fn scan(
    view: &Connection,
    kind: RowKind,
    visit: &mut dyn FnMut(LiveRow<'_>) -> Result<(), String>,
) -> Outcome<LiveSum> {
    let sql = match kind {
        RowKind::Task => TASKS,
        RowKind::Run => RUNS,
    };
    let mut walk = view.prepare_cached(sql).or_fault()?;
    let mut rows = walk.query([]).or_fault()?;
    let mut found = LiveSum::default();
    while let Some(row) = rows.next().or_fault()? {
        let number = row.get::<_, i64>(0).or_fault()? as u64;
        let check: i64 = row.get(1).or_fault()?;
        let image = row
            .get_ref(2)
            .or_fault()?
            .as_blob()
            .map_err(|_| StoreError::Damaged(format!("row {number} has no image")))?;
        expect_check(kind, number, check, image)?;
        found.add(check as u64);
        let row = match kind {
            RowKind::Task => LiveRow::Task(image),
            RowKind::Run => LiveRow::Run(image),
        };
        visit(row).map_err(|cause| StoreError::Damaged(format!("row {number}: {cause}")))?;
    }
    Ok(found)
}
