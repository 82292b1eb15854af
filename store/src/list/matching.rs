//! Which runs a selection stands for, as one condition of SQL: what acts on many runs, and the lists of dead letters, ask by it.
//! Owns: that condition; how many match, and which come next.
//! Never: shows what is not of its scope.

use mainstay_core::{Action, Fingerprint, RunId, RunState, Selection, Timestamp};
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::ask::{ListError, Scope};
use super::filter::{failed, malformed};
use super::job_ask::{MatchAsk, Matched, Matches};
use super::search::Search;
use crate::library::View;

/// Everything about a run and its task that a condition may name.
const FROM: &str = " FROM run_row r WHERE ";
/// What a payload of its own costs to be brought back; others are small.
const NEXT: &str = "SELECT r.number, r.id, coalesce((SELECT length(p.bytes) FROM payload_row p WHERE p.number = r.task), 64)";

/// A condition and what its parameters stand for.
pub(super) struct Condition {
    pub(super) text: String,
    pub(super) bound: Vec<Value>,
}

impl Condition {
    fn and(&mut self, more: &str) {
        self.text += " AND ";
        self.text += more;
    }

    /// Adds a condition with one parameter, which it names `?`.
    fn with(&mut self, more: &str, value: Value) {
        self.bound.push(value);
        let parameter = format!("?{}", self.bound.len());
        self.and(&more.replace('?', &parameter));
    }
}

/// Which index a condition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// Whichever suits it.
    Any,
    /// The one in the order of numbers.
    Numbers,
}

/// What runs must be; `None` when none can be it.
pub(super) fn condition(
    view: &View<'_>,
    scope: Scope,
    action: Action,
    filter: &Selection,
    walk: Walk,
) -> Result<Option<Condition>, ListError> {
    let tenants = view.places.tenants(scope);
    if tenants.is_empty() {
        return Ok(None);
    }
    let base = match action {
        Action::Retry | Action::Clear => "r.dead = 1",
        Action::Cancel | Action::Resume => "r.live = 1",
    };
    // A plus keeps SQLite from another index than the one that holds dead or live runs alone, in the order of their numbers.
    let open = filter.fingerprint.is_none() && filter.state.is_none();
    let plus = match (walk, action) {
        (Walk::Numbers, _) if open => "+",
        (Walk::Any, Action::Cancel) if open => "+",
        _ => "",
    };
    let mut all = Condition {
        text: format!("{base} AND {plus}r.tenant IN ({})", joined(&tenants)),
        bound: Vec::new(),
    };
    let state = match action {
        Action::Resume => Some(RunState::Suspended),
        Action::Cancel => filter.state,
        // Every dead letter has failed.
        Action::Retry | Action::Clear => None,
    };
    if let Some(state) = state {
        all.and(&format!("r.state = {}", state as i64));
    }
    if filter.queue.is_some() || filter.kind.is_some() {
        let places = view.places.select(scope, |place| {
            filter
                .queue
                .as_ref()
                .is_none_or(|queue| place.queue == *queue)
                && filter.kind.as_ref().is_none_or(|kind| place.kind == *kind)
        });
        all.and(&format!("+r.place IN ({})", joined(places.numbers())));
    }
    narrow(&mut all, filter);
    if let Some(q) = &filter.q {
        let search = Search::new(view.conn, q, scope, &view.places)?;
        let places = joined(search.places().numbers());
        let of = format!(
            "(r.place IN ({places}) OR r.task IN (SELECT rowid FROM text WHERE text MATCH ?))"
        );
        all.with(&of, Value::Text(search.expression()));
    }
    Ok(Some(all))
}

/// Adds what the filter says of a run and its task by themselves.
fn narrow(all: &mut Condition, filter: &Selection) {
    if let Some(task) = filter.task {
        let id = Value::Blob(task.0.to_be_bytes().to_vec());
        let of = "r.task IN (SELECT number FROM task_row t WHERE t.tenant = r.tenant AND t.id = ?)";
        all.with(of, id);
    }
    for (of, text) in [
        (
            "EXISTS (SELECT 1 FROM task_tag g WHERE g.tenant = r.tenant AND g.tag = ? AND g.number = r.task)",
            &filter.tag,
        ),
        ("r.worker = ?", &filter.worker),
        ("r.error_code = ?", &filter.error_code),
    ] {
        if let Some(text) = text {
            all.with(of, Value::Text(text.to_string()));
        }
    }
    if let Some(text) = &filter.fingerprint {
        let number = Fingerprint::parse(text).map_or(0, |fingerprint| fingerprint.0 as i64);
        all.with("r.fingerprint = ?", Value::Integer(number));
    }
    let instant = |at: Timestamp| Value::Integer(i64::try_from(at.0).unwrap_or(i64::MAX));
    if let Some(at) = filter.created_after {
        all.with("r.created_at >= ?", instant(at));
    }
    if let Some(at) = filter.created_before {
        all.with("r.created_at < ?", instant(at));
    }
}

pub(super) fn joined<T: ToString>(numbers: &[T]) -> String {
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    texts.join(",")
}

/// How many match, as of which event and instant, and the first of them.
pub(crate) fn matches(view: &View<'_>, ask: &MatchAsk) -> Result<Matches, ListError> {
    let wall = "SELECT value FROM meta WHERE name = 'wall'";
    let wall = view.conn.query_row(wall, [], |row| row.get::<_, i64>(0));
    let mut found = Matches {
        through: view.sequence,
        until: Timestamp(wall.map_err(failed)? as u64),
        ..Matches::default()
    };
    let Some(all) = condition(view, ask.scope, ask.action, &ask.filter, Walk::Any)? else {
        return Ok(found);
    };
    let counted = format!("SELECT count(*){FROM}{}", all.text);
    let total = view
        .conn
        .query_row(&counted, params_from_iter(&all.bound), |row| {
            row.get::<_, i64>(0)
        });
    found.total = total.map_err(failed)? as u64;
    let whole = MatchAsk {
        after: 0,
        through: found.through,
        until: found.until,
        ..ask.clone()
    };
    found.first = next(view, &whole)?;
    Ok(found)
}

/// The runs that match and come next, in the order in which they were made.
pub(crate) fn next(view: &View<'_>, ask: &MatchAsk) -> Result<Vec<Matched>, ListError> {
    let Some(mut all) = condition(view, ask.scope, ask.action, &ask.filter, Walk::Numbers)? else {
        return Ok(Vec::new());
    };
    let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    all.with("r.number > ?", number(ask.after));
    all.with("r.number <= ?", number(ask.through));
    if ask.action.is_of_dead() {
        all.with("r.finished_at <= ?", number(ask.until.0));
    }
    let sql = format!(
        "{NEXT}{FROM}{} ORDER BY r.number LIMIT {}",
        all.text, ask.limit
    );
    let mut statement = view.conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement
        .query(params_from_iter(&all.bound))
        .map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let read = || -> rusqlite::Result<Matched> {
            let number: i64 = row.get(0)?;
            let number = u64::try_from(number).map_err(|_| malformed("a number below 0"))?;
            Ok(Matched {
                number,
                id: RunId(u128::from_be_bytes(row.get(1)?)),
                payload_bytes: row.get::<_, i64>(2)? as u64,
            })
        };
        found.push(read().map_err(failed)?);
    }
    Ok(found)
}
