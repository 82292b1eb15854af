//! The audit trail as rows: appended by cuts, chained, given up by retention from its old end.
//! Owns: the columns of `audit_row` and the scalars of its two ends.
//! Never: changes an entry.

use mainstay_core::{AuditRow, Cut, Text, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{OrFault, Outcome};
use super::known::Known;
use super::open;
use super::schema::TRAIL_SINCE;
use crate::seam::StoreError;
use crate::trail::{Chained, Extent, NO_HASH, chain_entry};

/// Reads entries of all tenants after an event.
const AFTER: &str = "SELECT a.sequence, a.at, t.text, a.who, a.what, a.target, a.reason, a.request_id, a.hash \
     FROM audit_row a LEFT JOIN names t ON t.id = a.tenant WHERE a.sequence > ?1 ORDER BY a.sequence LIMIT ?2";
/// Reads entries of one tenant after an event.
pub(crate) const AFTER_OF: &str = "SELECT a.sequence, a.at, t.text, a.who, a.what, a.target, a.reason, a.request_id, a.hash \
     FROM audit_row a LEFT JOIN names t ON t.id = a.tenant WHERE a.sequence > ?1 AND a.tenant = ?3 ORDER BY a.sequence LIMIT ?2";

/// Writes the entries of a cut.
pub(super) fn put(connection: &Connection, known: &mut Known, cut: &Cut) -> Outcome<()> {
    if let Some(after) = cut.audit_after {
        known.trail = Extent {
            after,
            ..Extent::default()
        };
        put_extent(connection, &known.trail)?;
    }
    if cut.audit.is_empty() {
        return Ok(());
    }
    let mut put = connection
        .prepare_cached(
            "INSERT INTO audit_row(sequence, at, tenant, who, what, target, reason, request_id, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .or_fault()?;
    for row in &cut.audit {
        let tenant = known.tenant(connection, row.tenant)?;
        let hash = chain_entry(&known.trail.head, row);
        put.execute(params![
            row.sequence as i64,
            row.at.0 as i64,
            tenant,
            &row.who[..],
            &row.what[..],
            row.target.as_deref(),
            row.reason.as_deref(),
            row.request_id.as_deref(),
            &hash[..]
        ])
        .or_fault()?;
        known.trail.head = hash;
    }
    put_extent(connection, &known.trail)
}

fn put_extent(connection: &Connection, extent: &Extent) -> Outcome<()> {
    let mut put = connection
        .prepare_cached("INSERT OR REPLACE INTO meta(name, value) VALUES (?1, ?2)")
        .or_fault()?;
    put.execute(params!["audit_after", extent.after as i64])
        .or_fault()?;
    put.execute(params!["audit_before", &extent.before[..]])
        .or_fault()?;
    put.execute(params!["audit_head", &extent.head[..]])
        .or_fault()?;
    Ok(())
}

/// Whether the file is of a format that has a trail.
pub(crate) fn is_kept(connection: &Connection) -> Outcome<bool> {
    Ok(open::ask(connection, "user_version")? >= TRAIL_SINCE)
}

/// How far the trail reaches. In a file that has none, that is nowhere.
pub(crate) fn extent(connection: &Connection, checkpoint: u64) -> Outcome<Extent> {
    if !is_kept(connection)? {
        return Ok(Extent {
            after: checkpoint,
            ..Extent::default()
        });
    }
    let mut read = connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")
        .or_fault()?;
    let missing = || StoreError::Damaged(String::from("the ends of the audit trail are missing"));
    let mut hash = |name: &str| -> Outcome<[u8; 32]> {
        let found: Option<Vec<u8>> = read
            .query_row([name], |row| row.get(0))
            .optional()
            .or_fault()?;
        found
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(missing)
    };
    let (before, head) = (hash("audit_before")?, hash("audit_head")?);
    let after: Option<i64> = read
        .query_row(["audit_after"], |row| row.get(0))
        .optional()
        .or_fault()?;
    Ok(Extent {
        after: after.ok_or_else(missing)? as u64,
        before,
        head,
    })
}

/// Up to `limit` entries of all tenants after an event.
pub(crate) fn after(connection: &Connection, after: u64, limit: usize) -> Outcome<Vec<Chained>> {
    if !is_kept(connection)? {
        return Ok(Vec::new());
    }
    let mut walk = connection.prepare_cached(AFTER).or_fault()?;
    let mut rows = walk
        .query(params![number(after), number(limit as u64)])
        .or_fault()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().or_fault()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// A number as SQLite has them; what is beyond its range is beyond every row.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Reads an entry as [`AFTER`] gives it.
pub(crate) fn read(row: &Row<'_>) -> Outcome<Chained> {
    let sequence = row.get::<_, i64>(0).or_fault()? as u64;
    let damaged = |what: &str| StoreError::Damaged(format!("audit entry {sequence}: {what}"));
    let tenant: Option<String> = row.get(2).or_fault()?;
    let tenant = tenant.and_then(|tenant| tenant.parse().ok());
    let text = |at| row.get::<_, Text>(at).or_fault();
    let maybe = |at| row.get::<_, Option<Text>>(at).or_fault();
    let hash: Vec<u8> = row.get(8).or_fault()?;
    Ok(Chained {
        row: AuditRow {
            sequence,
            at: Timestamp(row.get::<_, i64>(1).or_fault()? as u64),
            tenant: tenant.ok_or_else(|| damaged("its tenant's name is no id"))?,
            who: text(3)?,
            what: text(4)?,
            target: maybe(5)?,
            reason: maybe(6)?,
            request_id: maybe(7)?,
        },
        hash: hash.try_into().map_err(|_| damaged("its hash is none"))?,
    })
}

/// Entries that one step of retention removes.
const REMOVED_MAX: usize = 500;

/// Removes a bounded number of the oldest entries that were made before an instant. The chain goes on from the last of them. Gives how
/// many went.
pub(super) fn retain(
    connection: &Connection,
    known: &mut Known,
    before: Timestamp,
) -> Outcome<usize> {
    let oldest = after(connection, 0, REMOVED_MAX)?;
    let old = oldest.iter().take_while(|entry| entry.row.at < before);
    let (removed, last) = old.fold((0, None), |(count, _), entry| (count + 1, Some(entry)));
    let Some(last) = last else { return Ok(0) };
    let mut remove = connection
        .prepare_cached("DELETE FROM audit_row WHERE sequence <= ?1")
        .or_fault()?;
    remove.execute([number(last.row.sequence)]).or_fault()?;
    known.trail.after = known.trail.after.max(last.row.sequence);
    known.trail.before = last.hash;
    put_extent(connection, &known.trail)?;
    Ok(removed)
}

/// Compares the chain of all entries with its two ends. Gives how many there are.
pub(super) fn check(connection: &Connection, checkpoint: u64) -> Outcome<u64> {
    let ends = extent(connection, checkpoint)?;
    let (mut at, mut hash, mut count) = (0, ends.before, 0);
    loop {
        let piece = after(connection, at, REMOVED_MAX)?;
        let Some(last) = piece.last() else { break };
        at = last.row.sequence;
        for entry in &piece {
            hash = chain_entry(&hash, &entry.row);
            if hash != entry.hash {
                return Err(StoreError::Damaged(format!(
                    "audit entry {} is not the one that was chained",
                    entry.row.sequence
                )));
            }
            count += 1;
        }
    }
    if hash != ends.head {
        return Err(StoreError::Damaged(String::from(
            "the newest audit entries are missing",
        )));
    }
    Ok(count)
}

/// The ends of a trail that begins here: what a store of an older format gets.
pub(super) fn begin(connection: &Connection, after: u64) -> Outcome<()> {
    put_extent(
        connection,
        &Extent {
            after,
            before: NO_HASH,
            head: NO_HASH,
        },
    )
}
