//! Lists of runs: by the instant they are due, then by id.
//! Owns: the choice between walks and small sets, and what a page of runs shows.
//! Never: sorts what is not bounded.

use mainstay_core::limits::LIST_VISITS_MAX;
use mainstay_core::{RunId, RunState, TaskId, Text, Timestamp};
use rusqlite::{CachedStatement, Connection, Params, Row};

use super::ask::{ListError, RunAsk, RunLine, Scope};
use super::cursor::Filters;
use super::filter::{
    Filter, RUN_AT, RUN_LAST, Seen, Span, TASK_AT, TASK_LAST, failed, malformed, span, tagged,
    tenant_of,
};
use super::places::{PlaceSet, Places};
use super::run_key::{RunKey, RunSource};
use super::search::Search;
use super::walk::{Keys, STREAMS_MAX, Stream, Turn, Walk};

macro_rules! look {
    ($rest:literal) => {
        concat!(
            "SELECT number, task, tenant, place, state, scheduled_at, created_at, worker, error_code FROM run_row ",
            $rest
        )
    };
}

/// What tests look at.
pub(super) const LOOK: &str = look!("WHERE number = ?1");
/// The run that has the number after its task's.
pub(super) const FIRST_OF: &str = look!("WHERE number = ?1 + 1 AND task = ?1");
/// The other runs of a task.
pub(super) const OTHERS_OF: &str =
    look!("INDEXED BY run_task WHERE task = ?1 AND task <> number - 1 LIMIT ?2");
/// Runs within some numbers.
pub(super) const WITHIN: &str =
    look!("WHERE number >= ?1 AND number < ?2 ORDER BY number LIMIT ?3");
/// A task by its id.
pub(super) const TASK_OF: &str =
    "SELECT number FROM task_row INDEXED BY task_id WHERE tenant = ?1 AND id = ?2";
/// What a page shows.
pub(super) const SHOW: &str = "SELECT r.id, t.id, r.place, r.state, r.created_at, r.scheduled_at, r.attempt_count, t.concurrency_key \
     FROM run_row r CROSS JOIN task_row t ON t.number = r.task WHERE r.number = ?1";

/// A hash of everything but the page.
pub(super) fn filters(ask: &RunAsk) -> [u8; 8] {
    let tenant = match ask.scope {
        Scope::All => None,
        Scope::Tenant(tenant) => Some(tenant.0),
    };
    let instant = |at: Option<Timestamp>| at.map(|at| u128::from(at.0));
    Filters::of("runs")
        .number(tenant)
        .number(ask.state.map(|state| state as u128))
        .number(ask.task.map(|task| task.0))
        .text(ask.queue.as_deref())
        .text(ask.kind.as_deref())
        .text(ask.tag.as_deref())
        .text(ask.worker.as_deref())
        .text(ask.error_code.as_deref())
        .number(instant(ask.created_after))
        .number(instant(ask.created_before))
        .text(ask.q.as_deref())
        .done()
}

/// The filters of runs alone, besides those that tasks have too.
#[derive(Clone, Debug, Default)]
struct Own {
    tasks: Option<Vec<i64>>,
    worker: Option<Text>,
    error_code: Option<Text>,
}

impl Own {
    fn is_open(&self) -> bool {
        self.tasks.is_none() && self.worker.is_none() && self.error_code.is_none()
    }

    /// A row's key, and what the common tests look at; `None` when an own filter does not fit.
    fn read(&self, row: &Row<'_>) -> rusqlite::Result<(RunKey, Option<Seen>)> {
        let key = RunKey {
            scheduled_at: row.get(5)?,
            number: row.get(0)?,
        };
        let seen = Seen {
            task: row.get(1)?,
            tenant: row.get(2)?,
            place: row.get(3)?,
            state: row.get(4)?,
            created_at: row.get(6)?,
        };
        let is = |at: usize, wanted: &Option<Text>| match wanted {
            None => Ok(true),
            Some(wanted) => row
                .get_ref(at)?
                .as_str_or_null()
                .map(|text| text == Some(&**wanted))
                .map_err(rusqlite::Error::from),
        };
        let tasks = self.tasks.as_ref();
        let fits = tasks.is_none_or(|tasks| tasks.contains(&seen.task))
            && is(7, &self.worker)?
            && is(8, &self.error_code)?;
        Ok((key, fits.then_some(seen)))
    }
}

/// How a page is found: the streams to merge, and what they do not guarantee.
struct Plan {
    streams: Vec<Stream<RunKey>>,
    filter: Filter,
    own: Own,
}

impl Plan {
    /// A set that was tested when it was collected.
    fn of_set(keys: Vec<RunKey>) -> Plan {
        Plan {
            streams: vec![Stream::Sorted(keys)],
            filter: Filter::default(),
            own: Own::default(),
        }
    }
}

/// What is asked, in the numbers of the store.
struct Asked<'a> {
    conn: &'a Connection,
    tenants: Vec<i64>,
    state: Option<RunState>,
    filter: Filter,
    own: Own,
}

impl Asked<'_> {
    fn plan(mut self, ask: &RunAsk) -> Result<Plan, ListError> {
        let conn = self.conn;
        if let Some(id) = ask.task {
            let tasks = tasks_of(conn, &self.tenants, id).map_err(failed)?;
            if let Some(keys) = self.runs_of(&tasks, &self.filter, None).map_err(failed)? {
                return Ok(Plan::of_set(keys));
            }
            self.own.tasks = Some(tasks);
        }
        let span = self.filter.span.unwrap_or(Span::ALL);
        // A task is older than its runs, so only the end of the span bounds its number.
        let tasks_until = Span {
            from: i64::MIN,
            until: span.until,
        };
        let numbers = || tasks_until.numbers(conn, TASK_AT, TASK_LAST);
        if let Some(tag) = &ask.tag {
            let numbers = numbers().map_err(failed)?;
            if let Some(keys) = self.tagged(tag, numbers).map_err(failed)? {
                return Ok(Plan::of_set(keys));
            }
        }
        if let Some(search) = self.filter.search.clone() {
            let numbers = numbers().map_err(failed)?;
            if let Some(plan) = self.search(&search, numbers).map_err(failed)? {
                return Ok(plan);
            }
        }
        if span != Span::ALL
            && let Some(keys) = self.within(span).map_err(failed)?
        {
            return Ok(Plan::of_set(keys));
        }
        Ok(self.walk())
    }

    fn tagged(&self, tag: &str, numbers: Span) -> rusqlite::Result<Option<Vec<RunKey>>> {
        let Some(tasks) = tagged(self.conn, &self.tenants, tag, numbers)? else {
            return Ok(None);
        };
        let filter = Filter {
            tag: None,
            ..self.filter.clone()
        };
        self.runs_of(&tasks, &filter, None)
    }

    /// Walks the places whose kind matches, beside the runs of the few tasks whose text does.
    fn search(&self, search: &Search, numbers: Span) -> rusqlite::Result<Option<Plan>> {
        let places = match &self.filter.places {
            Some(chosen) => search.places().and(chosen),
            None => search.places().clone(),
        };
        let Some(mut streams) = self.of_places(&places) else {
            return Ok(None);
        };
        let Some(tasks) = search.hits(self.conn, numbers)? else {
            return Ok(None);
        };
        let filter = Filter {
            search: None,
            ..self.filter.clone()
        };
        let Some(beyond) = self.runs_of(&tasks, &filter, Some(search.places()))? else {
            return Ok(None);
        };
        streams.push(Stream::Sorted(beyond));
        let filter = Filter {
            state: None,
            places: None,
            tenant: None,
            ..filter
        };
        let own = self.own.clone();
        Ok(Some(Plan {
            streams,
            filter,
            own,
        }))
    }

    /// The runs created within a span, if they are few.
    fn within(&self, span: Span) -> rusqlite::Result<Option<Vec<RunKey>>> {
        let numbers = span.numbers(self.conn, RUN_AT, RUN_LAST)?;
        let mut statement = self.conn.prepare_cached(WITHIN)?;
        let mut found = Vec::new();
        let room = LIST_VISITS_MAX as i64 + 1;
        self.append(
            &mut statement,
            (numbers.from, numbers.until, room),
            &mut found,
        )?;
        self.sort(found, &self.filter, None)
    }

    fn runs_of(
        &self,
        tasks: &[i64],
        filter: &Filter,
        beyond: Option<&PlaceSet>,
    ) -> rusqlite::Result<Option<Vec<RunKey>>> {
        let mut first = self.conn.prepare_cached(FIRST_OF)?;
        let mut others = self.conn.prepare_cached(OTHERS_OF)?;
        let mut found = Vec::new();
        for task in tasks {
            self.append(&mut first, [task], &mut found)?;
            let room = (LIST_VISITS_MAX + 1).saturating_sub(found.len()) as i64;
            self.append(&mut others, (task, room), &mut found)?;
            if found.len() > LIST_VISITS_MAX {
                return Ok(None);
            }
        }
        self.sort(found, filter, beyond)
    }

    fn append(
        &self,
        statement: &mut CachedStatement<'_>,
        params: impl Params,
        into: &mut Vec<(RunKey, Option<Seen>)>,
    ) -> rusqlite::Result<()> {
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            into.push(self.own.read(row)?);
        }
        Ok(())
    }

    /// The keys of those of these runs that fit and are in none of some places, sorted; `None` when there are more than a page may
    /// visit.
    fn sort(
        &self,
        mut found: Vec<(RunKey, Option<Seen>)>,
        filter: &Filter,
        beyond: Option<&PlaceSet>,
    ) -> rusqlite::Result<Option<Vec<RunKey>>> {
        if found.len() > LIST_VISITS_MAX {
            return Ok(None);
        }
        if let Some(places) = beyond {
            found.retain(|(_, seen)| seen.is_some_and(|seen| !places.has(seen.place)));
        }
        let seen: Vec<Option<Seen>> = found.iter().map(|(_, seen)| *seen).collect();
        let fits = filter.fits(self.conn, &seen)?;
        let fitting = found.iter().zip(fits).filter(|(_, fits)| *fits);
        let mut keys: Vec<RunKey> = fitting.map(|((key, _), _)| *key).collect();
        keys.sort_unstable();
        Ok(Some(keys))
    }

    fn states(&self) -> Vec<i64> {
        let states = RunState::ALL.iter();
        states
            .filter(|state| self.state.is_none_or(|only| only == **state))
            .map(|state| *state as i64)
            .collect()
    }

    fn of_places(&self, places: &PlaceSet) -> Option<Vec<Stream<RunKey>>> {
        let states = self.states();
        if places.numbers().len() * states.len() > STREAMS_MAX {
            return None;
        }
        let places = places.numbers().iter();
        Some(
            places
                .flat_map(|place| states.iter().map(|state| RunSource::Place(*place, *state)))
                .map(Stream::Index)
                .collect(),
        )
    }

    /// Walks the narrowest indexes there are; the rest is tested.
    fn walk(self) -> Plan {
        let states = self.states();
        let (mut filter, mut own) = (self.filter.clone(), self.own.clone());
        filter.tenant = None;
        if let Some(code) = own.error_code.take() {
            let tenants = self.tenants.iter();
            let streams = tenants.map(|tenant| RunSource::Error(*tenant, code.clone()));
            return Plan {
                streams: streams.map(Stream::Index).collect(),
                filter,
                own,
            };
        }
        filter.state = None;
        if own.worker.is_none()
            && let Some(streams) = filter.places.as_ref().and_then(|set| self.of_places(set))
        {
            filter.places = None;
            return Plan {
                streams,
                filter,
                own,
            };
        }
        let mut streams = Vec::new();
        for tenant in &self.tenants {
            let held =
                |state: &i64| [RunState::Leased as i64, RunState::Running as i64].contains(state);
            if let Some(worker) = &own.worker
                && states.iter().any(held)
            {
                streams.push(RunSource::Worker(*tenant, worker.clone()));
                let rest = states.iter().filter(|state| !held(state));
                streams.extend(rest.map(|state| RunSource::State(*tenant, *state)));
                filter.state = self.filter.state;
            } else {
                streams.extend(states.iter().map(|state| RunSource::State(*tenant, *state)));
            }
        }
        Plan {
            streams: streams.into_iter().map(Stream::Index).collect(),
            filter,
            own,
        }
    }
}

fn tasks_of(conn: &Connection, tenants: &[i64], id: TaskId) -> rusqlite::Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(TASK_OF)?;
    let mut found = Vec::new();
    for tenant in tenants {
        let mut rows = statement.query((tenant, id.0.to_be_bytes()))?;
        if let Some(row) = rows.next()? {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

fn plan(conn: &Connection, places: &Places, ask: &RunAsk) -> Result<Option<Plan>, ListError> {
    let tenants = places.tenants(ask.scope);
    let chosen = (ask.queue.is_some() || ask.kind.is_some()).then(|| {
        places.select(ask.scope, |place| {
            ask.queue.as_ref().is_none_or(|queue| *queue == place.queue)
                && ask.kind.as_ref().is_none_or(|kind| *kind == place.kind)
        })
    });
    let search = match &ask.q {
        Some(q) => Some(Search::new(conn, q, ask.scope, places)?),
        None => None,
    };
    if tenants.is_empty() || chosen.as_ref().is_some_and(|set| set.numbers().is_empty()) {
        return Ok(None);
    }
    let span = span(ask.created_after, ask.created_before);
    let filter = Filter {
        tenant: tenant_of(ask.scope, &tenants),
        state: ask.state.map(|state| state as i64),
        places: chosen,
        span: (span != Span::ALL).then_some(span),
        tag: ask.tag.clone(),
        search,
    };
    let own = Own {
        tasks: None,
        worker: ask.worker.clone(),
        error_code: ask.error_code.clone(),
    };
    let asked = Asked {
        conn,
        tenants,
        state: ask.state,
        filter,
        own,
    };
    asked.plan(ask).map(Some)
}

/// The keys of a page, and where the next begins.
pub(super) fn page(
    conn: &Connection,
    places: &Places,
    ask: &RunAsk,
    turn: &Turn<RunKey>,
) -> Result<Keys<RunKey>, ListError> {
    let Some(plan) = plan(conn, places, ask)? else {
        return Ok((Vec::new(), None));
    };
    let Plan {
        streams,
        filter,
        own,
    } = plan;
    let walk = Walk::new(streams, turn.after, turn.expected());
    let mut test = |keys: &[RunKey]| {
        if filter.is_open() && own.is_open() {
            return Ok(vec![true; keys.len()]);
        }
        let mut statement = conn.prepare_cached(LOOK)?;
        let mut seen = Vec::with_capacity(keys.len());
        for key in keys {
            let mut rows = statement.query([key.number])?;
            let row = rows.next()?;
            let read = row.map(|row| own.read(row)).transpose()?;
            seen.push(read.and_then(|(_, seen)| seen));
        }
        filter.fits(conn, &seen)
    };
    turn.walk(conn, walk, &mut test).map_err(failed)
}

/// The rows of a page.
pub(super) fn show(
    conn: &Connection,
    places: &Places,
    keys: &[RunKey],
) -> rusqlite::Result<Vec<RunLine>> {
    let mut statement = conn.prepare_cached(SHOW)?;
    let mut lines = Vec::with_capacity(keys.len());
    for key in keys {
        let mut rows = statement.query([key.number])?;
        if let Some(row) = rows.next()? {
            lines.push(line(places, row)?);
        }
    }
    Ok(lines)
}

fn line(places: &Places, row: &Row<'_>) -> rusqlite::Result<RunLine> {
    let place = places.find(row.get(2)?);
    let place = place.ok_or_else(|| malformed("a run of an unknown place"))?;
    let state = RunState::from_code(row.get::<_, i64>(3)? as u64);
    let instant = |at: usize| row.get::<_, i64>(at).map(|ms| Timestamp(ms as u64));
    Ok(RunLine {
        tenant: place.tenant,
        id: RunId(u128::from_be_bytes(row.get(0)?)),
        task: TaskId(u128::from_be_bytes(row.get(1)?)),
        kind: place.kind.clone(),
        queue: place.queue.clone(),
        state: state.ok_or_else(|| malformed("an unknown state of a run"))?,
        created_at: instant(4)?,
        scheduled_at: instant(5)?,
        attempt_count: row.get(6)?,
        concurrency_key: row.get_ref(7)?.as_str_or_null()?.map(Text::from),
    })
}
