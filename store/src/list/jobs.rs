//! Jobs as those who administer them list them: runs, newest first, with how many match in all.
//! Owns: the SQL of these pages.
//! Never: shows what is not of its scope.

use mainstay_core::{RunId, RunState, Text, Timestamp};
use rusqlite::{Connection, Row, params_from_iter};

use super::ask::{ListError, Scope};
use super::filter::{failed, malformed};
use super::job_ask::{JobAsk, JobLine, JobPage};
use super::matching::joined;
use super::places::Places;
use super::search::Search;
use crate::library::View;

/// What a line shows, of runs in an order that is found before.
const SHOWN: &str = "SELECT r.id, r.place, r.state, r.created_at, r.finished_at, r.attempt_count, t.priority, r.error_code, \
     r.error_message FROM run_row r CROSS JOIN task_row t ON t.number = r.task WHERE r.number = ?1";
/// For each run up to the page's end, so many are looked at from the newest on, and some more, before an index is asked instead.
const VISITS_EACH: u64 = 4;
const VISITS_MORE: u64 = 256;
/// Tasks whose text matches, as far as they are counted.
const HITS: &str = "SELECT count(*) FROM (SELECT 1 FROM text WHERE text MATCH ?1 LIMIT 20001)";
/// Up to so many their runs are looked up; more are looked for among all runs.
const HITS_MAX: i64 = 20_000;

/// A page of jobs, and how many there are in all.
///
/// What is counted and what is ordered comes from indexes alone; rows are read only for the page itself.
pub(crate) fn jobs(view: &View<'_>, ask: &JobAsk) -> Result<JobPage, ListError> {
    let mut page = JobPage {
        checkpoint: view.sequence,
        ..JobPage::default()
    };
    let Some(wanted) = Wanted::of(view, ask)? else {
        return Ok(page);
    };
    page.total = wanted.count(view.conn).map_err(failed)?;
    if ask.offset >= page.total {
        return Ok(page);
    }
    let numbers = wanted.numbers(view.conn, ask, page.total).map_err(failed)?;
    let mut shown = view.conn.prepare_cached(SHOWN).map_err(failed)?;
    for number in numbers {
        let line = shown.query_row([number], |row| line(&view.places, row));
        page.rows.push(line.map_err(failed)?);
    }
    Ok(page)
}

/// What a run must be.
struct Wanted {
    /// Numbers of tenants; all there are when everybody's are wanted.
    tenants: String,
    everybody: bool,
    state: Option<RunState>,
    ended: bool,
    /// Those of the kind.
    places: Option<String>,
    search: Option<Words>,
}

/// A search: places whose kind matches, and what the index of texts is asked.
struct Words {
    places: String,
    expression: String,
    /// Whether it is in the text of few tasks.
    is_rare: bool,
}

impl Wanted {
    /// `None` when no run can be it.
    fn of(view: &View<'_>, ask: &JobAsk) -> Result<Option<Wanted>, ListError> {
        let tenants = view.places.tenants(ask.scope);
        if tenants.is_empty() {
            return Ok(None);
        }
        let of_kind = |kind: &Text| view.places.select(ask.scope, |place| place.kind == *kind);
        let search = match &ask.q {
            None => None,
            Some(q) => {
                let search = Search::new(view.conn, q, ask.scope, &view.places)?;
                let expression = search.expression();
                let hits = view
                    .conn
                    .prepare_cached(HITS)
                    .and_then(|mut hits| hits.query_row([&expression], |row| row.get(0)));
                let hits: i64 = hits.map_err(failed)?;
                Some(Words {
                    places: joined(search.places().numbers()),
                    expression,
                    is_rare: hits <= HITS_MAX,
                })
            }
        };
        Ok(Some(Wanted {
            tenants: joined(&tenants),
            everybody: ask.scope == Scope::All,
            state: ask.state,
            ended: ask.ended,
            places: ask
                .kind
                .as_ref()
                .map(|kind| joined(of_kind(kind).numbers())),
            search,
        }))
    }

    /// What holds for each of its rows, beside its text.
    fn tests(&self) -> String {
        let mut all = Vec::new();
        match &self.places {
            Some(places) => all.push(format!("r.place IN ({places})")),
            // The sign keeps this from choosing the index.
            None if !self.everybody => all.push(format!("+r.tenant IN ({})", self.tenants)),
            None => {}
        }
        if let Some(state) = self.state {
            all.push(format!("r.state = {}", state as i64));
        }
        if self.ended {
            all.push("r.finished_at IS NOT NULL".into());
        }
        if all.is_empty() {
            all.push("1".into());
        }
        all.join(" AND ")
    }

    /// Where its rows are found without reading them: `FROM … WHERE …`.
    fn source(&self) -> String {
        let tests = self.tests();
        let tenants = &self.tenants;
        if let Some(words) = &self.search {
            let places = &words.places;
            if !words.is_rare {
                return format!(
                    "FROM run_row r WHERE {tests} \
                     AND (r.place IN ({places}) OR r.task IN (SELECT rowid FROM text WHERE text MATCH ?1))"
                );
            }
            // Mostly a task's only run has the number after it.
            return format!(
                "FROM (SELECT number FROM run_row INDEXED BY run_place WHERE place IN ({places}) \
                 UNION SELECT o.number FROM text x CROSS JOIN run_row o ON o.number = x.rowid + 1 AND o.task = x.rowid \
                 WHERE x.text MATCH ?1 \
                 UNION SELECT o.number FROM text x CROSS JOIN run_row o INDEXED BY run_task ON o.task = x.rowid AND o.task <> o.number - 1 \
                 WHERE x.text MATCH ?1) h CROSS JOIN run_row r ON r.number = h.number WHERE {tests}"
            );
        }
        match (&self.places, self.state) {
            (Some(_), _) => format!("FROM run_row r INDEXED BY run_place WHERE {tests}"),
            (None, _) if self.ended => format!("FROM run_row r WHERE {tests}"),
            (None, None) if self.everybody => format!("FROM run_row r WHERE {tests}"),
            (None, _) => format!(
                "FROM run_row r INDEXED BY run_state WHERE r.tenant IN ({tenants}) AND {tests}"
            ),
        }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.search.iter().map(|words| &*words.expression)
    }

    /// How many there are. The counters of the places know how many runs of a state have not ended; how many ended ones are
    /// kept, an index does.
    fn count(&self, conn: &Connection) -> rusqlite::Result<u64> {
        let live = self.state.filter(|state| !state.is_terminal());
        let total: i64 = match (live, &self.search) {
            (Some(state), None) => {
                let (column, of) = match &self.places {
                    Some(places) => (state as i64, format!("place IN ({places})")),
                    None => (state as i64, format!("tenant IN ({})", self.tenants)),
                };
                let sum = format!("SELECT coalesce(sum(c{column}), 0) FROM place_row WHERE {of}");
                conn.query_row(&sum, [], |row| row.get(0))?
            }
            _ => {
                let count = format!("SELECT count(*) {}", self.source());
                conn.query_row(&count, params_from_iter(self.words()), |row| row.get(0))?
            }
        };
        Ok(total as u64)
    }

    /// The page's runs, in order.
    fn numbers(&self, conn: &Connection, ask: &JobAsk, total: u64) -> rusqlite::Result<Vec<i64>> {
        let (limit, offset) = (u64::from(ask.limit), ask.offset);
        let page = format!("LIMIT {limit} OFFSET {offset}");
        if !self.ended && self.search.is_none() {
            let tests = self.tests();
            let visits = (offset + limit) * VISITS_EACH + VISITS_MORE;
            let newest = format!(
                "SELECT r.number FROM (SELECT number, tenant, place, state, finished_at FROM run_row NOT INDEXED \
                 ORDER BY number DESC LIMIT {visits}) r WHERE {tests} {page}"
            );
            let numbers = collect(conn, &newest, None)?;
            if numbers.len() as u64 == limit.min(total - offset) {
                return Ok(numbers);
            }
        }
        let order = match self.ended {
            true => "r.finished_at DESC, r.number DESC",
            false => "r.number DESC",
        };
        let source = self.source();
        let ordered = format!("SELECT r.number {source} ORDER BY {order} {page}");
        collect(conn, &ordered, self.words().next())
    }
}

fn collect(conn: &Connection, sql: &str, words: Option<&str>) -> rusqlite::Result<Vec<i64>> {
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map(params_from_iter(words), |row| row.get(0))?;
    rows.collect()
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

#[cfg(test)]
mod tests {
    use super::{Wanted, Words};
    use crate::list::{JobAsk, Scope};
    use crate::{SqliteOptions, SqliteStore, file_of};
    use mainstay_core::RunState;
    use rusqlite::Connection;

    #[test]
    fn every_way_of_asking_is_sql() {
        let dir = tempfile::tempdir().expect("a directory");
        drop(SqliteStore::open(dir.path(), "log", SqliteOptions::default()).expect("a store"));
        let conn = Connection::open(file_of(dir.path())).expect("a connection");
        for bits in 0..64u8 {
            let is = |bit: u8| bits >> bit & 1 == 1;
            let words = |is_rare| Words {
                places: "1,2".into(),
                expression: "\"a\"*".into(),
                is_rare,
            };
            let wanted = Wanted {
                tenants: "1,2".into(),
                everybody: is(0),
                state: is(1).then_some(RunState::Failed),
                ended: is(2),
                places: is(3).then(|| "1,2".into()),
                search: is(4).then(|| words(is(5))),
            };
            let ask = JobAsk {
                scope: Scope::All,
                state: None,
                ended: false,
                kind: None,
                q: None,
                limit: 10,
                offset: 0,
            };
            assert_eq!(wanted.count(&conn), Ok(0), "{bits}");
            assert_eq!(wanted.numbers(&conn, &ask, 1), Ok(Vec::new()), "{bits}");
        }
    }
}
