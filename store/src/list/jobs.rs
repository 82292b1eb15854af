//! Jobs as those who administer them list them: runs, newest first, with how many match in all.
//! Owns: the SQL of these pages.
//! Never: shows what is not of its scope.

use mainstay_core::{RunId, RunState, Text, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::ask::ListError;
use super::filter::{failed, malformed};
use super::job_ask::{JobAsk, JobLine, JobPage};
use super::matching::joined;
use super::places::Places;
use super::search::Search;
use crate::library::View;

/// What a line shows.
const SHOWN: &str = "SELECT r.id, r.place, r.state, r.created_at, r.finished_at, r.attempt_count, t.priority, r.error_code, \
     r.error_message";
const FROM: &str = " FROM run_row r CROSS JOIN task_row t ON t.number = r.task WHERE ";
/// Its task is needed to show a run, not to count it.
const COUNTED: &str = "SELECT count(*) FROM run_row r WHERE ";

/// A page of jobs, and how many there are in all.
pub(crate) fn jobs(view: &View<'_>, ask: &JobAsk) -> Result<JobPage, ListError> {
    let mut page = JobPage {
        checkpoint: view.sequence,
        ..JobPage::default()
    };
    let Some((filter, bound)) = filter(view, ask)? else {
        return Ok(page);
    };
    let total = view
        .conn
        .prepare(&format!("{COUNTED}{filter}"))
        .and_then(|mut counted| counted.query_row(params_from_iter(&bound), |row| row.get(0)));
    let total: i64 = total.map_err(failed)?;
    page.total = total as u64;
    let order = match ask.ended {
        true => "r.finished_at DESC, r.number DESC",
        false => "r.number DESC",
    };
    let (limit, offset) = (ask.limit, ask.offset);
    let shown = format!("{SHOWN}{FROM}{filter} ORDER BY {order} LIMIT {limit} OFFSET {offset}");
    let mut statement = view.conn.prepare(&shown).map_err(failed)?;
    let mut rows = statement.query(params_from_iter(&bound)).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        page.rows.push(line(&view.places, row).map_err(failed)?);
    }
    Ok(page)
}

/// What a row must be; `None` when none can be it.
fn filter(view: &View<'_>, ask: &JobAsk) -> Result<Option<(String, Vec<Value>)>, ListError> {
    let tenants = view.places.tenants(ask.scope);
    if tenants.is_empty() {
        return Ok(None);
    }
    let mut bound = Vec::new();
    let states: Vec<i64> = match (ask.state, ask.ended) {
        (Some(state), _) => vec![state as i64],
        (None, true) => {
            let ended = RunState::ALL.iter().filter(|state| state.is_terminal());
            ended.map(|state| *state as i64).collect()
        }
        (None, false) => Vec::new(),
    };
    let mut all = vec![format!("r.tenant IN ({})", joined(&tenants))];
    if !states.is_empty() {
        all.push(format!("r.state IN ({})", joined(&states)));
    }
    if let Some(kind) = &ask.kind {
        let places = view.places.select(ask.scope, |place| place.kind == *kind);
        all.push(format!("r.place IN ({})", joined(places.numbers())));
    }
    if let Some(q) = &ask.q {
        let search = Search::new(view.conn, q, ask.scope, &view.places)?;
        let places = joined(search.places().numbers());
        all.push(format!(
            "(r.place IN ({places}) OR r.task IN (SELECT rowid FROM text WHERE text MATCH ?1))"
        ));
        bound.push(Value::Text(search.expression()));
    }
    Ok(Some((all.join(" AND "), bound)))
}

fn line(places: &Places, row: &Row<'_>) -> rusqlite::Result<JobLine> {
    let place = places.find(row.get(1)?);
    let place = place.ok_or_else(|| malformed("a run of an unknown place"))?;
    let state = RunState::from_code(row.get::<_, i64>(2)? as u64);
    let finished: Option<i64> = row.get(4)?;
    let text =
        |at: usize| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str_or_null()?.map(Text::from));
    Ok(JobLine {
        tenant: place.tenant,
        id: RunId(u128::from_be_bytes(row.get(0)?)),
        kind: place.kind.clone(),
        state: state.ok_or_else(|| malformed("an unknown state of a run"))?,
        created_at: Timestamp(row.get::<_, i64>(3)? as u64),
        finished_at: finished.map(|ms| Timestamp(ms as u64)),
        attempt_count: row.get(5)?,
        priority: row.get(6)?,
        error_code: text(7)?,
        error_message: text(8)?,
    })
}
