//! Entries of ledgers and approvals as pages that go on after a sequence.
//! Owns: which index a page walks.
//! Never: gives a row of another tenant.

use mainstay_core::{ApprovalId, ApprovalRow, LedgerRow, TenantId};
use rusqlite::{Row, ToSql};

use super::ask::{AfterPage, ApprovalAsk, LedgerAsk, ListError, Scope};
use crate::library::{View, fault};
use crate::sqlite;

fn failed(error: rusqlite::Error) -> ListError {
    ListError::Store(fault(&error))
}

/// Conditions of a walk with their values, and the number of a tenant that is not there at all.
struct Where {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
    is_empty: bool,
}

impl Where {
    fn after(view: &View<'_>, column: &str, after: u64, scope: Scope) -> Result<Where, ListError> {
        let mut found = Where {
            sql: format!("WHERE {column} > ?"),
            values: vec![Box::new(sqlite::number(after))],
            is_empty: !sqlite::is_kept(view.conn)?,
        };
        if let Scope::Tenant(tenant) = scope {
            let number = sqlite::find_tenant(view.conn, tenant)?;
            found.is_empty |= number.is_none();
            let table = column.split('.').next().unwrap_or_default();
            found.add(&format!("{table}.tenant = ?"), number);
        }
        Ok(found)
    }

    fn add(&mut self, condition: &str, value: impl ToSql + 'static) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.push(Box::new(value));
    }

    fn walk<T>(
        self,
        view: &View<'_>,
        select: &str,
        order: &str,
        limit: u32,
        read: fn(&Row<'_>) -> Result<T, crate::StoreError>,
    ) -> Result<Vec<T>, ListError> {
        if self.is_empty {
            return Ok(Vec::new());
        }
        let sql = format!("{select}{} ORDER BY {order} LIMIT {limit}", self.sql);
        let mut walk = view.conn.prepare_cached(&sql).map_err(failed)?;
        let values: Vec<&dyn ToSql> = self.values.iter().map(|value| &**value).collect();
        let mut rows = walk.query(&values[..]).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            found.push(read(row)?);
        }
        Ok(found)
    }
}

fn page<T>(
    view: &View<'_>,
    after: u64,
    limit: u32,
    rows: Vec<T>,
    sequence: fn(&T) -> u64,
) -> AfterPage<T> {
    let last = rows.last().filter(|_| rows.len() >= limit as usize);
    AfterPage {
        next: last.map_or(after.max(view.sequence), sequence),
        checkpoint: view.sequence,
        rows,
    }
}

/// Reads a page of entries.
pub(crate) fn entries(view: &View<'_>, ask: &LedgerAsk) -> Result<AfterPage<LedgerRow>, ListError> {
    let limit = ask.limit.clamp(1, LedgerAsk::LIMIT_MAX);
    let mut only = Where::after(view, "l.sequence", ask.after, ask.scope)?;
    if let Some(key) = &ask.key {
        only.add("l.key = ?", key.to_string());
    }
    let rows = only.walk(
        view,
        sqlite::ENTRY,
        "l.sequence",
        limit,
        sqlite::read_ledger,
    )?;
    Ok(page(view, ask.after, limit, rows, |row| row.sequence))
}

/// Reads a page of approvals.
pub(crate) fn approvals(
    view: &View<'_>,
    ask: &ApprovalAsk,
) -> Result<AfterPage<ApprovalRow>, ListError> {
    let limit = ask.limit.clamp(1, ApprovalAsk::LIMIT_MAX);
    let mut only = Where::after(view, "a.number", ask.after, ask.scope)?;
    if let Some(state) = ask.state {
        only.add("a.state = ?", state as u8);
    }
    let rows = only.walk(
        view,
        sqlite::APPROVAL,
        "a.number",
        limit,
        sqlite::read_approval,
    )?;
    Ok(page(view, ask.after, limit, rows, |row| {
        row.approval.number
    }))
}

/// Finds an approval.
pub(crate) fn approval(
    view: &View<'_>,
    tenant: TenantId,
    id: ApprovalId,
) -> Result<Option<ApprovalRow>, ListError> {
    let mut only = Where::after(view, "a.number", 0, Scope::Tenant(tenant))?;
    only.add("a.id = ?", id.0.to_be_bytes().to_vec());
    let rows = only.walk(
        view,
        sqlite::APPROVAL,
        "a.number DESC",
        1,
        sqlite::read_approval,
    )?;
    Ok(rows.into_iter().next())
}
