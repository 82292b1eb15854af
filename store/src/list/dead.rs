//! Dead letters: grouped by what went wrong, and one after the other.
//! Owns: the SQL of both.
//! Never: shows what is not of its scope.

use mainstay_core::limits::{LIST_LIMIT_MAX, LIST_OFFSET_MAX};
use mainstay_core::{Action, Fingerprint, RunId, TaskId, Text, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::ask::{From, ListError, Listed, Scope};
use super::cursor::{self, Filters};
use super::filter::{failed, malformed};
use super::job_ask::{DeadAsk, DeadGroup, DeadGroups, DeadLetter};
use super::matching::{Condition, Walk, condition};
use super::run_key::RunKey;
use crate::library::View;

fn condition_of(view: &View<'_>, ask: &DeadAsk) -> Result<Option<Condition>, ListError> {
    condition(view, ask.scope, Action::Retry, &ask.filter, Walk::Any)
}

/// Groups of dead letters, the largest first.
pub(crate) fn groups(view: &View<'_>, ask: &DeadAsk) -> Result<DeadGroups, ListError> {
    let mut found = DeadGroups {
        checkpoint: view.sequence,
        ..DeadGroups::default()
    };
    let Some(all) = condition_of(view, ask)? else {
        return Ok(found);
    };
    let counted = format!("SELECT count(*) FROM run_row r WHERE {}", all.text);
    let total = view
        .conn
        .query_row(&counted, params_from_iter(&all.bound), |row| {
            row.get::<_, i64>(0)
        });
    found.total = total.map_err(failed)? as u64;
    // What is shown besides the counts is that of one letter of the group.
    let sql = format!(
        "SELECT r.fingerprint, count(*), max(r.finished_at), r.place, r.id, r.error_code, r.error_message FROM run_row r \
         WHERE {} GROUP BY r.fingerprint ORDER BY 2 DESC, 1 LIMIT {}",
        all.text, ask.page.limit
    );
    let mut statement = view.conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement
        .query(params_from_iter(&all.bound))
        .map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        found.groups.push(group(view, row).map_err(failed)?);
    }
    Ok(found)
}

/// A hash of everything but the page.
fn filters(ask: &DeadAsk) -> [u8; 8] {
    let tenant = match ask.scope {
        Scope::All => None,
        Scope::Tenant(tenant) => Some(tenant.0),
    };
    let instant = |at: Option<Timestamp>| at.map(|at| u128::from(at.0));
    let filter = &ask.filter;
    Filters::of("dead_letters")
        .number(tenant)
        .number(filter.task.map(|task| task.0))
        .text(filter.queue.as_deref())
        .text(filter.kind.as_deref())
        .text(filter.tag.as_deref())
        .text(filter.worker.as_deref())
        .text(filter.error_code.as_deref())
        .text(filter.fingerprint.as_deref())
        .number(instant(filter.created_after))
        .number(instant(filter.created_before))
        .text(filter.q.as_deref())
        .done()
}

/// A page of dead letters, the last that failed first.
pub(crate) fn letters(view: &View<'_>, ask: &DeadAsk) -> Result<Listed<DeadLetter>, ListError> {
    if !(1..=LIST_LIMIT_MAX).contains(&ask.page.limit) {
        return Err(ListError::Limit);
    }
    let filters = filters(ask);
    // Where a letter stands by its end, not by when it was due.
    let (after, offset) = match &ask.page.from {
        From::Offset(offset) if *offset > LIST_OFFSET_MAX => return Err(ListError::Offset),
        From::Offset(offset) => (None, *offset),
        From::Cursor(text) => {
            let (last, skip) = cursor::read::<RunKey>(text, &view.log_id, filters)?;
            (Some(last), skip)
        }
    };
    let mut page = Listed {
        rows: Vec::new(),
        next_cursor: None,
        checkpoint: view.sequence,
    };
    let Some(mut all) = condition_of(view, ask)? else {
        return Ok(page);
    };
    if let Some(last) = after {
        all.bound.push(Value::Integer(last.scheduled_at));
        all.bound.push(Value::Integer(last.number));
        let at = all.bound.len();
        let beyond = format!(" AND (r.finished_at, r.number) < (?{}, ?{at})", at - 1);
        all.text += &beyond;
    }
    let limit = ask.page.limit as usize;
    let sql = format!(
        "SELECT r.finished_at, r.number, r.id, t.id, r.place, r.fingerprint, r.error_code, r.error_message, r.attempt_count, \
         r.created_at, r.scheduled_at FROM run_row r CROSS JOIN task_row t ON t.number = r.task WHERE {} \
         ORDER BY r.finished_at DESC, r.number DESC LIMIT {} OFFSET {offset}",
        all.text,
        limit + 1
    );
    let mut statement = view.conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement
        .query(params_from_iter(&all.bound))
        .map_err(failed)?;
    let mut last = None;
    while let Some(row) = rows.next().map_err(failed)? {
        if page.rows.len() == limit {
            page.next_cursor = last.map(|key| cursor::write(&view.log_id, filters, &key, 0));
            break;
        }
        let (key, letter) = letter(view, row).map_err(failed)?;
        last = Some(key);
        page.rows.push(letter);
    }
    Ok(page)
}

fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Text>> {
    Ok(row.get_ref(at)?.as_str_or_null()?.map(Text::from))
}

fn fingerprint(row: &Row<'_>, at: usize) -> rusqlite::Result<Fingerprint> {
    let number = row.get::<_, Option<i64>>(at)?;
    Ok(Fingerprint(number.unwrap_or(0) as u64))
}

fn group(view: &View<'_>, row: &Row<'_>) -> rusqlite::Result<DeadGroup> {
    let place = view.places.find(row.get(3)?);
    Ok(DeadGroup {
        fingerprint: fingerprint(row, 0)?,
        count: row.get::<_, i64>(1)? as u64,
        last_at: Timestamp(row.get::<_, Option<i64>>(2)?.unwrap_or(0) as u64),
        kind: place
            .map(|place| place.kind.clone())
            .ok_or_else(|| malformed("a run of an unknown place"))?,
        last: RunId(u128::from_be_bytes(row.get(4)?)),
        error_code: text(row, 5)?,
        error_message: text(row, 6)?,
    })
}

fn letter(view: &View<'_>, row: &Row<'_>) -> rusqlite::Result<(RunKey, DeadLetter)> {
    let key = RunKey {
        scheduled_at: row.get::<_, Option<i64>>(0)?.unwrap_or(0),
        number: row.get(1)?,
    };
    let place = view.places.find(row.get(4)?);
    let place = place.ok_or_else(|| malformed("a run of an unknown place"))?;
    let instant = |at: usize| row.get::<_, i64>(at).map(|ms| Timestamp(ms as u64));
    let letter = DeadLetter {
        tenant: place.tenant,
        id: RunId(u128::from_be_bytes(row.get(2)?)),
        task: TaskId(u128::from_be_bytes(row.get(3)?)),
        kind: place.kind.clone(),
        queue: place.queue.clone(),
        fingerprint: fingerprint(row, 5)?,
        error_code: text(row, 6)?,
        error_message: text(row, 7)?,
        attempt_count: row.get(8)?,
        created_at: instant(9)?,
        scheduled_at: instant(10)?,
        failed_at: Timestamp(key.scheduled_at as u64),
    };
    Ok((key, letter))
}
