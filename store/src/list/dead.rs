//! Dead letters: grouped by what went wrong, and one after the other.
//! Owns: the SQL of both.
//! Never: shows what is not of its scope.

use mainstay_core::{Fingerprint, RunId, Text, Timestamp};
use rusqlite::Row;

use super::ask::ListError;
use super::filter::{failed, malformed};
use super::job_ask::{DeadAsk, DeadGroup, DeadGroups, DeadLetter};
use crate::library::View;

/// Groups of dead letters, the largest first.
pub(crate) fn groups(view: &View<'_>, ask: &DeadAsk) -> Result<DeadGroups, ListError> {
    let mut found = DeadGroups {
        checkpoint: view.sequence,
        ..DeadGroups::default()
    };
    let Some(filter) = filter(view, ask) else {
        return Ok(found);
    };
    let counted = format!("SELECT count(*) FROM run_row WHERE {filter}");
    let total = view
        .conn
        .query_row(&counted, [], |row| row.get::<_, i64>(0));
    found.total = total.map_err(failed)? as u64;
    // What is shown besides the counts is that of one letter of the group.
    let sql = format!(
        "SELECT fingerprint, count(*), max(finished_at), place, id, error_code, error_message FROM run_row WHERE {filter} \
         GROUP BY fingerprint ORDER BY 2 DESC, 1 LIMIT {}",
        ask.limit
    );
    let mut statement = view.conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        found.groups.push(group(view, row).map_err(failed)?);
    }
    Ok(found)
}

/// Dead letters in the order in which their runs were made, after one of them.
pub(crate) fn letters(
    view: &View<'_>,
    ask: &DeadAsk,
    after: u64,
) -> Result<Vec<DeadLetter>, ListError> {
    let Some(filter) = filter(view, ask) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT number, id, place FROM run_row WHERE {filter} AND number > ?1 ORDER BY number LIMIT ?2"
    );
    let mut statement = view.conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query((after as i64, ask.limit)).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(letter(view, row).map_err(failed)?);
    }
    Ok(found)
}

fn filter(view: &View<'_>, ask: &DeadAsk) -> Option<String> {
    let tenants = view.places.tenants(ask.scope);
    if tenants.is_empty() {
        return None;
    }
    let numbers: Vec<String> = tenants.iter().map(ToString::to_string).collect();
    let mut all = format!("dead = 1 AND tenant IN ({})", numbers.join(","));
    if let Some(kind) = &ask.kind {
        let places = view.places.select(ask.scope, |place| place.kind == *kind);
        let numbers: Vec<String> = places.numbers().iter().map(ToString::to_string).collect();
        all += &format!(" AND place IN ({})", numbers.join(","));
    }
    if let Some(fingerprint) = ask.fingerprint {
        all += &format!(" AND fingerprint = {}", fingerprint.0 as i64);
    }
    Some(all)
}

fn group(view: &View<'_>, row: &Row<'_>) -> rusqlite::Result<DeadGroup> {
    let place = view.places.find(row.get(3)?);
    let text =
        |at: usize| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str_or_null()?.map(Text::from));
    Ok(DeadGroup {
        fingerprint: Fingerprint(row.get::<_, Option<i64>>(0)?.unwrap_or(0) as u64),
        count: row.get::<_, i64>(1)? as u64,
        last_at: Timestamp(row.get::<_, Option<i64>>(2)?.unwrap_or(0) as u64),
        kind: place
            .map(|place| place.kind.clone())
            .ok_or_else(|| malformed("a run of an unknown place"))?,
        last: RunId(u128::from_be_bytes(row.get(4)?)),
        error_code: text(5)?,
        error_message: text(6)?,
    })
}

fn letter(view: &View<'_>, row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let place = view.places.find(row.get(2)?);
    Ok(DeadLetter {
        number: row.get::<_, i64>(0)? as u64,
        id: RunId(u128::from_be_bytes(row.get(1)?)),
        tenant: place
            .map(|place| place.tenant)
            .ok_or_else(|| malformed("a run of an unknown place"))?,
    })
}
