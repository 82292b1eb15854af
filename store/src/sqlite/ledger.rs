//! Entries of ledgers, and approvals: rows that a cut brings and nothing takes away.
//! Owns: the columns of `ledger_row` and `approval_row`.
//! Never: changes an entry; gives a row whose check does not hold.

use mainstay_core::{
    ActorId, Approval, ApprovalId, ApprovalRow, ApprovalState, Cut, LedgerRow, Text, Timestamp,
};
use rusqlite::{Connection, Row, params};

use super::fault::{OrFault, Outcome};
use super::known::Known;
use super::sum::{approval_check, ledger_check};
use crate::seam::StoreError;

/// Columns of an entry, as [`read_entry`] reads them.
pub(crate) const ENTRY: &str = "SELECT l.sequence, l.at, t.text, l.key, l.by, l.actor, l.payload, l.\"check\" \
     FROM ledger_row l LEFT JOIN names t ON t.id = l.tenant ";
/// Columns of an approval, as [`read_approval`] reads them.
pub(crate) const APPROVAL: &str = "SELECT a.number, t.text, a.id, a.image, a.\"check\" \
     FROM approval_row a LEFT JOIN names t ON t.id = a.tenant ";

/// Writes the entries and approvals of a cut.
pub(super) fn put(connection: &Connection, known: &mut Known, cut: &Cut) -> Outcome<()> {
    for row in &cut.ledger {
        put_entry(connection, known, row)?;
    }
    for row in &cut.approvals {
        put_approval(connection, known, row)?;
    }
    Ok(())
}

fn put_entry(connection: &Connection, known: &mut Known, row: &LedgerRow) -> Outcome<()> {
    let tenant = known.tenant(connection, row.tenant)?;
    let mut put = connection
        .prepare_cached(
            "INSERT INTO ledger_row(sequence, at, tenant, key, by, actor, payload, \"check\") \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .or_fault()?;
    let actor = row.actor.map(|actor| actor.0.to_be_bytes());
    put.execute(params![
        row.sequence as i64,
        row.at.0 as i64,
        tenant,
        &row.key[..],
        &row.by[..],
        actor.as_ref().map(|actor| &actor[..]),
        &row.payload[..],
        ledger_check(row) as i64
    ])
    .or_fault()?;
    Ok(())
}

fn put_approval(connection: &Connection, known: &mut Known, row: &ApprovalRow) -> Outcome<()> {
    let tenant = known.tenant(connection, row.tenant)?;
    let mut put = connection
        .prepare_cached(
            "INSERT INTO approval_row(number, tenant, id, state, image, \"check\") VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO UPDATE SET state = ?4, image = ?5, \"check\" = ?6",
        )
        .or_fault()?;
    put.execute(params![
        row.approval.number as i64,
        tenant,
        &row.id.0.to_be_bytes()[..],
        row.approval.state as u8,
        row.approval.image(),
        approval_check(row) as i64
    ])
    .or_fault()?;
    Ok(())
}

fn damaged(what: &str, number: i64) -> StoreError {
    StoreError::Damaged(format!(
        "{what} {number}: what stands there was not written"
    ))
}

/// Reads an entry.
pub(crate) fn read_entry(row: &Row<'_>) -> Outcome<LedgerRow> {
    let sequence: i64 = row.get(0).or_fault()?;
    let wrong = || damaged("ledger entry", sequence);
    let tenant: Option<String> = row.get(2).or_fault()?;
    let actor: Option<[u8; 16]> = row.get(5).or_fault()?;
    let payload: Vec<u8> = row.get(6).or_fault()?;
    let found = LedgerRow {
        sequence: sequence as u64,
        at: Timestamp(row.get::<_, i64>(1).or_fault()? as u64),
        tenant: tenant
            .and_then(|text| text.parse().ok())
            .ok_or_else(wrong)?,
        key: row.get::<_, Text>(3).or_fault()?,
        by: row.get(4).or_fault()?,
        actor: actor.map(|actor| ActorId(u128::from_be_bytes(actor))),
        payload: payload.into(),
    };
    if ledger_check(&found) != row.get::<_, i64>(7).or_fault()? as u64 {
        return Err(wrong());
    }
    Ok(found)
}

/// Reads an approval.
pub(crate) fn read_approval(row: &Row<'_>) -> Outcome<ApprovalRow> {
    let number: i64 = row.get(0).or_fault()?;
    let wrong = || damaged("approval", number);
    let tenant: Option<String> = row.get(1).or_fault()?;
    let image: Vec<u8> = row.get(3).or_fault()?;
    let found = ApprovalRow {
        tenant: tenant
            .and_then(|text| text.parse().ok())
            .ok_or_else(wrong)?,
        id: ApprovalId(u128::from_be_bytes(row.get(2).or_fault()?)),
        approval: Approval::of_image(&image).map_err(|_| wrong())?,
    };
    let is_sound = approval_check(&found) == row.get::<_, i64>(4).or_fault()? as u64;
    if !is_sound || found.approval.number != number as u64 {
        return Err(wrong());
    }
    Ok(found)
}

/// Compares every row with its check. Gives how many entries and approvals there are.
pub(super) fn check(connection: &Connection) -> Outcome<(u64, u64)> {
    if !super::audit::is_kept(connection)? {
        return Ok((0, 0));
    }
    let entries = walk(connection, ENTRY, |row| read_entry(row).map(|_| ()))?;
    let approvals = walk(connection, APPROVAL, |row| {
        let state: u64 = read_approval(row)?.approval.state as u64;
        debug_assert!(ApprovalState::from_code(state).is_some());
        Ok(())
    })?;
    Ok((entries, approvals))
}

fn walk(
    connection: &Connection,
    sql: &str,
    mut read: impl FnMut(&Row<'_>) -> Outcome<()>,
) -> Outcome<u64> {
    let mut walk = connection.prepare(sql).or_fault()?;
    let mut rows = walk.query([]).or_fault()?;
    let mut count = 0;
    while let Some(row) = rows.next().or_fault()? {
        read(row)?;
        count += 1;
    }
    Ok(count)
}
