//! Commits a cut: every row, payload, key, place and scalar of it in one transaction.
//! Owns: the order of a commit's statements.
//! Never: commits a part.

use std::sync::LazyLock;

use mainstay_core::{Cut, CutRow, KeyRow, RowKind, RunColumns, TaskColumns};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::bulk::Bulk;
use super::erase::{Candidate, erase, erase_run};
use super::fault::{OrFault, Outcome};
use super::known::{Known, find_tenant};
use super::sum::{key_check, payload_check};
use super::texts::Texts;
use super::{audit, ledger, objects, runs, tasks};
use crate::seam::{StoreError, Unsearched};

static PAYLOADS: LazyLock<Bulk> =
    LazyLock::new(|| Bulk::replacing("payload_row", &["number", "\"check\"", "bytes"]));

/// Commits a cut. After an error nothing of it stands in the file, and `known` must be read again.
pub(super) fn commit(
    connection: &mut Connection,
    known: &mut Known,
    unsearched: &Unsearched,
    cut: &Cut,
) -> Outcome<()> {
    let all = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .or_fault()?;
    write(&all, known, unsearched, cut)?;
    all.commit().or_fault()?;
    known.sequence = cut.through;
    Ok(())
}

/// Removes finished tasks and runs whose ids fresh ones of the cut bear. Two of one id are only in one log when retention removed the
/// first between them; it is back when the store is made again from the log, or lost its last commits. True when there was one.
pub(super) fn make_way(connection: &mut Connection, known: &Known, cut: &Cut) -> Outcome<bool> {
    let all = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .or_fault()?;
    let mut any = false;
    for row in cut.rows.iter().filter(|row| row.fresh) {
        let (place, id) = name_of(cut, row)?;
        let tenant = match cut.places.iter().find(|known| known.place == place) {
            Some(place) => find_tenant(&all, place.tenant)?,
            None => Some(known.place(place)?.tenant),
        };
        let Some(tenant) = tenant else { continue };
        let find = match row.kind {
            RowKind::Task => {
                "SELECT number, number FROM task_row WHERE tenant = ?1 AND id = ?2 AND number <> ?3"
            }
            RowKind::Run => {
                "SELECT task, number FROM run_row WHERE tenant = ?1 AND id = ?2 AND number <> ?3"
            }
        };
        let mut find = all.prepare_cached(find).or_fault()?;
        let twin: Option<(i64, i64)> = find
            .query_row(params![tenant, &id[..], row.number as i64], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .or_fault()?;
        let Some((task, number)) = twin else { continue };
        if let Some(candidate) = Candidate::read(&all, task, usize::MAX >> 1)? {
            erase(&all, &candidate)?;
            any = true;
        } else if row.kind == RowKind::Run {
            any |= erase_run(&all, number)?;
        }
    }
    all.commit().or_fault()?;
    Ok(any)
}

/// The place and the id of a cut's row.
fn name_of(cut: &Cut, row: &CutRow) -> Outcome<(u32, [u8; 16])> {
    let image = cut.image(row);
    let name = match row.kind {
        RowKind::Task => TaskColumns::read(image).map(|task| (task.place, task.id.0)),
        RowKind::Run => RunColumns::read(image).map(|run| (run.place, run.id.0)),
    };
    let (place, id) = name.map_err(|error| {
        StoreError::Damaged(format!("the image of row {}: {error}", row.number))
    })?;
    Ok((place, id.to_be_bytes()))
}

/// Writes a cut within the transaction at hand. Each table's rows go in number order, so that its pages are touched one after another.
pub(super) fn write(
    connection: &Connection,
    known: &mut Known,
    unsearched: &Unsearched,
    cut: &Cut,
) -> Outcome<()> {
    for place in &cut.places {
        known.put_place(connection, place)?;
    }
    let rows_of = |kind: RowKind| {
        let mut rows: Vec<&CutRow> = cut.rows.iter().filter(|row| row.kind == kind).collect();
        rows.sort_unstable_by_key(|row| row.number);
        rows
    };
    let mut texts = Texts::new(unsearched);
    // Runs first: their errors are part of their task's text.
    runs::put(connection, known, &mut texts, cut, &rows_of(RowKind::Run))?;
    runs::mark(connection, cut)?;
    tasks::put(connection, known, &mut texts, cut, &rows_of(RowKind::Task))?;
    let mut payloads: Vec<_> = cut.payloads.iter().collect();
    payloads.sort_unstable_by_key(|(number, _)| *number);
    PAYLOADS.insert(connection, &payloads, |slot, (number, bytes)| {
        slot.put(*number as i64)?;
        slot.put(payload_check(*number, bytes) as i64)?;
        slot.put(&bytes[..])
    })?;
    for key in &cut.keys {
        put_key(connection, known, key)?;
    }
    objects::put(connection, known, &cut.objects)?;
    audit::put(connection, known, cut)?;
    ledger::put(connection, known, cut)?;
    texts.write(connection, known)?;
    put_scalars(connection, known, cut)
}

fn put_key(connection: &Connection, known: &mut Known, row: &KeyRow) -> Outcome<()> {
    let tenant = known.tenant(connection, row.tenant)?;
    let mut put = connection
        .prepare_cached(
            "INSERT INTO key_row(tenant, class, key, until, task, \"check\", image) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT DO UPDATE SET until = ?4, task = ?5, \"check\" = ?6, image = ?7",
        )
        .or_fault()?;
    let task = row.task.map(|task| task.0.to_be_bytes());
    put.execute(params![
        tenant,
        row.class as u8,
        &row.key[..],
        row.until.0 as i64,
        task.as_ref().map(|task| &task[..]),
        key_check(row) as i64,
        row.image
    ])
    .or_fault()?;
    Ok(())
}

fn put_scalars(connection: &Connection, known: &Known, cut: &Cut) -> Outcome<()> {
    let mut put = connection
        .prepare_cached("UPDATE meta SET value = ?2 WHERE name = ?1")
        .or_fault()?;
    let numbers = [
        ("sequence", cut.through),
        ("wall", cut.wall.0),
        ("live_rows", known.live.rows),
        ("live_sum", known.live.sum),
    ];
    for (name, value) in numbers {
        put.execute(params![name, value as i64]).or_fault()?;
    }
    put.execute(params!["machine", cut.meta]).or_fault()?;
    Ok(())
}
