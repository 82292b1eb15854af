//! The audit trail as a page: what one tenant may see of it, or what everybody did.
//! Owns: where a page of the trail begins and ends.
//! Never: gives an entry of another tenant.

use mainstay_core::AuditRow;
use rusqlite::params;

use super::ask::{AuditAsk, AuditPage, ListError, Scope};
use crate::library::{View, fault};
use crate::sqlite::{self, AFTER_OF};

/// Reads a page.
pub(crate) fn audit(view: &View<'_>, ask: &AuditAsk) -> Result<AuditPage, ListError> {
    let limit = ask.limit.clamp(1, AuditAsk::LIMIT_MAX);
    let mut page = AuditPage {
        rows: Vec::new(),
        next: ask.after.max(view.sequence),
        checkpoint: view.sequence,
        oldest: sqlite::extent(view.conn, view.sequence)?.after,
    };
    if !sqlite::is_kept(view.conn)? {
        return Ok(page);
    }
    page.rows = match ask.scope {
        Scope::All => sqlite::entries_after(view.conn, ask.after, limit as usize)?
            .into_iter()
            .map(|entry| entry.row)
            .collect(),
        Scope::Tenant(tenant) => match sqlite::find_tenant(view.conn, tenant)? {
            Some(number) => of_tenant(view, ask.after, number, limit)?,
            None => Vec::new(),
        },
    };
    if page.rows.len() >= limit as usize
        && let Some(last) = page.rows.last()
    {
        page.next = last.sequence;
    }
    Ok(page)
}

fn of_tenant(
    view: &View<'_>,
    after: u64,
    tenant: i64,
    limit: u32,
) -> Result<Vec<AuditRow>, ListError> {
    let failed = |error: rusqlite::Error| ListError::Store(fault(&error));
    let mut walk = view.conn.prepare_cached(AFTER_OF).map_err(failed)?;
    let mut found = walk
        .query(params![sqlite::number(after), limit, tenant])
        .map_err(failed)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(failed)? {
        rows.push(sqlite::read_entry(row)?.row);
    }
    Ok(rows)
}
