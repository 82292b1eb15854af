//! Lists of tasks: by priority, highest first, then creation, then id.
//! Owns: the choice between walks and small sets, and what a page of tasks shows.
//! Never: sorts what is not bounded.

use mainstay_core::{
    Answer, Facts, Now, PlaceRow, Query, RunState, TaskColumns, TaskId, TaskState, TaskView,
    Timestamp,
};
use rusqlite::Connection;

use super::ask::{ListError, Scope, TaskAsk, TaskLine};
use super::cursor::Filters;
use super::filter::{
    Filter, Seen, Span, TASK_AT, TASK_LAST, failed, malformed, span, tagged, tenant_of,
};
use super::places::{PlaceSet, Places};
use super::search::Search;
use super::task_key::{By, TaskKey, TaskSource};
use super::walk::{Key, Keys, STREAMS_MAX, Stream, Turn, Walk};

/// Whether a task of a tenant has children.
pub(super) const HAS_CHILDREN: &str =
    "SELECT 1 FROM task_row INDEXED BY task_parent WHERE tenant = ?1 AND parent = ?2";
/// What tests look at.
pub(super) const LOOK: &str =
    "SELECT tenant, place, state, priority, created_at, id FROM task_row WHERE number = ?1";
/// What a page shows.
pub(super) const SHOW: &str = "SELECT image FROM task_row WHERE number = ?1";
/// When a run of a task is or was due, and where it stands.
pub(super) const DUE: &str =
    "SELECT scheduled_at, state FROM run_row WHERE number = ?1 AND task = ?2";
/// The runs of a task beside its first that have not ended, by state.
pub(super) const UNENDED: &str = "SELECT state, count(*) FROM run_row INDEXED BY run_unended \
     WHERE task = ?1 AND live = 1 AND task <> number - 1 GROUP BY state";

/// A hash of everything but the page.
pub(super) fn filters(ask: &TaskAsk) -> [u8; 8] {
    let tenant = match ask.scope {
        Scope::All => None,
        Scope::Tenant(tenant) => Some(tenant.0),
    };
    let instant = |at: Option<Timestamp>| at.map(|at| u128::from(at.0));
    Filters::of("tasks")
        .number(tenant)
        .text(ask.kind.as_deref())
        .text(ask.queue.as_deref())
        .text(ask.tag.as_deref())
        .number(ask.state.map(|state| state as u128))
        .number(ask.parent.map(|parent| parent.0))
        .number(instant(ask.created_after))
        .number(instant(ask.created_before))
        .text(ask.q.as_deref())
        .done()
}

/// How a page is found: the streams to merge, and what they do not guarantee.
struct Plan {
    streams: Vec<Stream<TaskKey>>,
    filter: Filter,
}

impl Plan {
    fn nothing() -> Plan {
        Plan {
            streams: Vec::new(),
            filter: Filter::default(),
        }
    }

    /// A set that was tested when it was collected.
    fn of_set(keys: Vec<TaskKey>) -> Plan {
        Plan {
            streams: vec![Stream::Sorted(keys)],
            filter: Filter::default(),
        }
    }

    fn new(conn: &Connection, places: &Places, ask: &TaskAsk) -> Result<Plan, ListError> {
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
        let unmatched = chosen.as_ref().is_some_and(|set| set.numbers().is_empty());
        if tenants.is_empty() || unmatched {
            return Ok(Plan::nothing());
        }
        let span = span(ask.created_after, ask.created_before);
        let full = Filter {
            tenant: tenant_of(ask.scope, &tenants),
            state: ask.state.map(|state| state as i64),
            places: chosen.clone(),
            span: (span != Span::ALL).then_some(span),
            tag: ask.tag.clone(),
            search: search.clone(),
        };
        if let Some(parent) = ask.parent {
            let walked = Walked {
                tenants,
                state: ask.state,
                span,
            };
            return walked.children(conn, parent, full).map_err(failed);
        }
        let numbers = || span.numbers(conn, TASK_AT, TASK_LAST).map_err(failed);
        if let Some(tag) = &ask.tag {
            let found = tagged(conn, &tenants, tag, numbers()?).map_err(failed)?;
            if let Some(found) = found {
                let filter = Filter { tag: None, ..full };
                let keys = collect(conn, &found, &filter, None).map_err(failed)?;
                return Ok(Plan::of_set(keys));
            }
        }
        let walked = Walked {
            tenants,
            state: ask.state,
            span,
        };
        if let Some(search) = &search {
            let plan = walked.search(conn, search, &full, numbers()?);
            if let Some(plan) = plan.map_err(failed)? {
                return Ok(plan);
            }
        }
        Ok(walked.plan(full))
    }
}

/// What every walk of an ask has in common.
struct Walked {
    tenants: Vec<i64>,
    state: Option<TaskState>,
    span: Span,
}

impl Walked {
    fn streams(&self, by: By, of: impl Iterator<Item = i64>) -> Vec<Stream<TaskKey>> {
        let states = TaskState::ALL.iter();
        let states: Vec<i64> = states
            .filter(|state| self.state.is_none_or(|only| only == **state))
            .map(|state| *state as i64)
            .collect();
        of.flat_map(|of| states.iter().map(move |state| (of, *state)))
            .map(|(of, state)| {
                Stream::Index(TaskSource {
                    by,
                    of,
                    state,
                    span: self.span,
                })
            })
            .collect()
    }

    fn of_places(&self, places: &PlaceSet) -> Option<Vec<Stream<TaskKey>>> {
        if places.numbers().len() > STREAMS_MAX {
            return None;
        }
        let streams = self.streams(
            By::Place,
            places.numbers().iter().map(|place| i64::from(*place)),
        );
        (streams.len() <= STREAMS_MAX).then_some(streams)
    }

    /// Walks the places whose kind matches, beside the few tasks whose text does.
    fn search(
        &self,
        conn: &Connection,
        search: &Search,
        full: &Filter,
        numbers: Span,
    ) -> rusqlite::Result<Option<Plan>> {
        let places = match &full.places {
            Some(chosen) => search.places().and(chosen),
            None => search.places().clone(),
        };
        let Some(mut streams) = self.of_places(&places) else {
            return Ok(None);
        };
        let Some(hits) = search.hits(conn, numbers)? else {
            return Ok(None);
        };
        let filter = Filter {
            search: None,
            ..full.clone()
        };
        let beyond = collect(conn, &hits, &filter, Some(search.places()))?;
        streams.push(Stream::Sorted(beyond));
        let filter = Filter {
            tag: full.tag.clone(),
            ..Filter::default()
        };
        Ok(Some(Plan { streams, filter }))
    }

    fn plan(&self, full: Filter) -> Plan {
        let mut filter = Filter {
            tenant: None,
            state: None,
            span: None,
            ..full
        };
        if let Some(streams) = filter.places.as_ref().and_then(|set| self.of_places(set)) {
            filter.places = None;
            return Plan { streams, filter };
        }
        let streams = self.streams(By::Tenant, self.tenants.iter().copied());
        Plan { streams, filter }
    }

    /// Walks one task's children alone.
    fn children(&self, conn: &Connection, parent: TaskId, full: Filter) -> rusqlite::Result<Plan> {
        let parent = parent.0.to_be_bytes();
        let mut has = conn.prepare_cached(HAS_CHILDREN)?;
        let mut with_some = Vec::new();
        for tenant in &self.tenants {
            if has.exists((tenant, parent))? {
                with_some.push(*tenant);
            }
        }
        Ok(Plan {
            streams: self.streams(By::Parent(parent), with_some.into_iter()),
            filter: Filter {
                tenant: None,
                state: None,
                span: None,
                ..full
            },
        })
    }
}

fn look(
    conn: &Connection,
    numbers: impl Iterator<Item = Option<i64>>,
) -> rusqlite::Result<Vec<Option<(TaskKey, Seen)>>> {
    let mut statement = conn.prepare_cached(LOOK)?;
    let mut seen = Vec::new();
    for number in numbers {
        let Some(number) = number else {
            seen.push(None);
            continue;
        };
        let mut rows = statement.query([number])?;
        let Some(row) = rows.next()? else {
            seen.push(None);
            continue;
        };
        let key = TaskKey {
            priority: row.get(3)?,
            created_at: row.get(4)?,
            id: row.get(5)?,
            number,
        };
        let columns = Seen {
            task: number,
            tenant: row.get(0)?,
            place: row.get(1)?,
            state: row.get(2)?,
            created_at: key.created_at,
        };
        seen.push(Some((key, columns)));
    }
    Ok(seen)
}

/// The keys of those of these tasks that fit and are in none of some places, sorted.
fn collect(
    conn: &Connection,
    numbers: &[i64],
    filter: &Filter,
    beyond: Option<&PlaceSet>,
) -> rusqlite::Result<Vec<TaskKey>> {
    let mut rows = look(conn, numbers.iter().map(|number| Some(*number)))?;
    if let Some(places) = beyond {
        let inside = |seen: &Seen| places.has(seen.place);
        rows.retain(|row| !row.is_some_and(|(_, seen)| inside(&seen)));
    }
    let seen: Vec<Option<Seen>> = rows.iter().map(|row| row.map(|(_, seen)| seen)).collect();
    let fits = filter.fits(conn, &seen)?;
    let fitting = rows.iter().zip(fits).filter(|(_, fits)| *fits);
    let mut keys: Vec<TaskKey> = fitting
        .filter_map(|(row, _)| row.map(|(key, _)| key))
        .collect();
    keys.sort_unstable();
    Ok(keys)
}

/// The keys of a page, and where the next begins.
pub(super) fn page(
    conn: &Connection,
    places: &Places,
    ask: &TaskAsk,
    turn: &Turn<TaskKey>,
) -> Result<Keys<TaskKey>, ListError> {
    let Plan { streams, filter } = Plan::new(conn, places, ask)?;
    let walk = Walk::new(streams, turn.after, turn.expected());
    let mut test = |keys: &[TaskKey]| {
        if filter.is_open() {
            return Ok(keys.iter().map(|key| key.number().is_some()).collect());
        }
        let rows = look(conn, keys.iter().map(Key::number))?;
        let seen: Vec<Option<Seen>> = rows.iter().map(|row| row.map(|(_, seen)| seen)).collect();
        filter.fits(conn, &seen)
    };
    turn.walk(conn, walk, &mut test).map_err(failed)
}

/// The rows of a page.
pub(super) fn show(
    conn: &Connection,
    places: &Places,
    keys: &[TaskKey],
) -> rusqlite::Result<Vec<TaskLine>> {
    let mut statement = conn.prepare_cached(SHOW)?;
    let mut lines = Vec::with_capacity(keys.len());
    for key in keys {
        let mut rows = statement.query([key.number])?;
        if let Some(row) = rows.next()? {
            let (mut line, first_run) = line(places, row.get_ref(0)?.as_blob()?)?;
            show_runs(conn, key.number, first_run, &mut line.view)?;
            lines.push(line);
        }
    }
    Ok(lines)
}

/// What a view takes from runs, which are not among its facts. The first has mostly the number after its task.
fn show_runs(
    conn: &Connection,
    task: i64,
    first_run: u64,
    view: &mut TaskView,
) -> rusqlite::Result<()> {
    let mut due = conn.prepare_cached(DUE)?;
    let first_run = i64::try_from(first_run).unwrap_or(0);
    let counts = &mut view.runs_by_state;
    for number in [task + 1, first_run] {
        let mut runs = due.query([number, task])?;
        let Some(run) = runs.next()? else { continue };
        let (at, state): (i64, u8) = (run.get(0)?, run.get(1)?);
        let state = usize::from(state).min(8);
        view.scheduled_at = Timestamp(u64::try_from(at).unwrap_or(0));
        let is_only = view.runs_total == 1;
        if is_only {
            *counts = [0; 9];
        }
        // Of the others those that ended are counted by the task, and those that did not below.
        let is_beside = number == task + 1 && state < RunState::Completed as usize;
        if is_only || is_beside {
            counts[state] += 1;
        }
        break;
    }
    if view.runs_total > 1 {
        let mut unended = conn.prepare_cached(UNENDED)?;
        let mut rows = unended.query([task])?;
        while let Some(row) = rows.next()? {
            let (state, count): (u8, i64) = (row.get(0)?, row.get(1)?);
            counts[usize::from(state).min(8)] += u64::try_from(count).unwrap_or(0);
        }
    }
    Ok(())
}

/// The row, and the number of its first run.
fn line(places: &Places, image: &[u8]) -> rusqlite::Result<(TaskLine, u64)> {
    let columns = TaskColumns::read(image).map_err(malformed)?;
    let place = places
        .find(columns.place)
        .ok_or_else(|| malformed("of an unknown place"))?;
    let mut facts = Facts::default();
    facts.add_place(&PlaceRow {
        place: columns.place,
        tenant: place.tenant,
        queue: place.queue.clone(),
        kind: place.kind.clone(),
        counts: [0; 9],
        dead_letters: 0,
    });
    facts.add_task(image).map_err(malformed)?;
    let now = Now::at(Timestamp(0), 0);
    match facts.answer(&now, place.tenant, &Query::Task(columns.id)) {
        Answer::Task(view) => {
            let line = TaskLine {
                tenant: place.tenant,
                view: *view,
            };
            Ok((line, columns.first_run))
        }
        _ => Err(malformed("of no task")),
    }
}
