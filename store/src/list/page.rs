//! Pages: an ask becomes keys, keys become rows, and the last key becomes the cursor.
//! Owns: what every list does in the same way.
//! Never: reads from two commits.

use mainstay_core::PlaceRow;

use super::ask::{ListError, Listed, RunAsk, RunLine, Scope, TaskAsk, TaskLine};
use super::filter::failed;
use super::walk::{Key, Turn};
use super::{cursor, places as place_rows, runs as run_list, tasks as task_list};
use crate::library::View;

/// A page of tasks.
pub(crate) fn tasks(view: &View<'_>, ask: &TaskAsk) -> Result<Listed<TaskLine>, ListError> {
    let filters = task_list::filters(ask);
    let turn = Turn::read(&ask.page, &view.log_id, filters)?;
    let (keys, next) = task_list::page(view.conn, &view.places, ask, &turn)?;
    let rows = task_list::show(view.conn, &view.places, &keys).map_err(failed)?;
    Ok(listed(view, filters, rows, next))
}

/// A page of runs.
pub(crate) fn runs(view: &View<'_>, ask: &RunAsk) -> Result<Listed<RunLine>, ListError> {
    let filters = run_list::filters(ask);
    let turn = Turn::read(&ask.page, &view.log_id, filters)?;
    let (keys, next) = run_list::page(view.conn, &view.places, ask, &turn)?;
    let rows = run_list::show(view.conn, &view.places, &keys).map_err(failed)?;
    Ok(listed(view, filters, rows, next))
}

/// The places of a scope.
pub(crate) fn places(view: &View<'_>, scope: Scope) -> rusqlite::Result<Vec<PlaceRow>> {
    let mut rows = Vec::new();
    place_rows::read(view.conn, 0, |row, _| match scope {
        Scope::Tenant(tenant) if row.tenant != tenant => {}
        _ => rows.push(row),
    })?;
    Ok(rows)
}

fn listed<K: Key, T>(
    view: &View<'_>,
    filters: [u8; 8],
    rows: Vec<T>,
    next: Option<(K, u32)>,
) -> Listed<T> {
    Listed {
        rows,
        next_cursor: next.map(|(last, skip)| cursor::write(&view.log_id, filters, &last, skip)),
        checkpoint: view.sequence,
    }
}
