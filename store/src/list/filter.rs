//! Row tests: what an index walk could not guarantee is looked at row by row, a batch at a time.
//! Owns: the filters that tasks and runs share, and the small sets they select.
//! Never: collects more rows than a page may visit.

use mainstay_core::limits::LIST_VISITS_MAX;
use mainstay_core::{Text, Timestamp};
use rusqlite::Connection;

use super::ask::{ListError, Scope};
use super::places::PlaceSet;
use super::search::Search;

/// Whether a task has a tag.
pub(super) const TAGGED: &str =
    "SELECT 1 FROM task_tag WHERE tenant = ?1 AND tag = ?2 AND number = ?3";
/// Tasks with a tag, in the order of their numbers.
pub(super) const TAGGED_ALL: &str = "SELECT number FROM task_tag WHERE tenant = ?1 AND tag = ?2 AND number >= ?3 AND number < ?4 \
     ORDER BY number LIMIT ?5";
/// The task with at least this number.
pub(super) const TASK_AT: &str =
    "SELECT number, created_at FROM task_row WHERE number >= ?1 ORDER BY number LIMIT 1";
/// The run with at least this number.
pub(super) const RUN_AT: &str =
    "SELECT number, created_at FROM run_row WHERE number >= ?1 ORDER BY number LIMIT 1";
/// The task with the highest number.
pub(super) const TASK_LAST: &str = "SELECT number FROM task_row ORDER BY number DESC LIMIT 1";
/// The run with the highest number.
pub(super) const RUN_LAST: &str = "SELECT number FROM run_row ORDER BY number DESC LIMIT 1";

/// From an instant on, and before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Span {
    pub(super) const ALL: Span = Span {
        from: i64::MIN,
        until: i64::MAX,
    };

    pub(super) fn has(self, at: i64) -> bool {
        self.from <= at && at < self.until
    }

    /// The numbers of the rows that were created within. Recorded time never runs backwards, so they lie together.
    pub(super) fn numbers(
        self,
        conn: &Connection,
        at: &'static str,
        last: &'static str,
    ) -> rusqlite::Result<Span> {
        let last = conn.prepare_cached(last)?.query_row([], |row| row.get(0));
        let end = match last {
            Ok(last) => last,
            Err(rusqlite::Error::QueryReturnedNoRows) => 0i64,
            Err(error) => return Err(error),
        };
        let end = end.saturating_add(1);
        let find = |instant: i64| match instant {
            i64::MIN => Ok(0),
            i64::MAX => Ok(end),
            _ => first_since(conn, at, instant, end),
        };
        Ok(Span {
            from: find(self.from)?,
            until: find(self.until)?,
        })
    }
}

/// The number of the first row that was created then or later, by halving.
fn first_since(conn: &Connection, at: &str, instant: i64, end: i64) -> rusqlite::Result<i64> {
    let mut statement = conn.prepare_cached(at)?;
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut rows = statement.query([middle])?;
        match rows.next()? {
            Some(row) if row.get::<_, i64>(1)? < instant => low = row.get::<_, i64>(0)? + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// What tests look at, of a task or of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The task's number.
    pub(super) task: i64,
    pub(super) tenant: i64,
    pub(super) place: u32,
    pub(super) state: i64,
    pub(super) created_at: i64,
}

/// What must hold for a row; what a walk guarantees is left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// Numbers of tenants; `None` for all there are.
    pub(super) tenant: Option<i64>,
    pub(super) state: Option<i64>,
    pub(super) places: Option<PlaceSet>,
    pub(super) span: Option<Span>,
    pub(super) tag: Option<Text>,
    pub(super) search: Option<Search>,
}

impl Filter {
    /// Whether every row fits unseen.
    pub(super) fn is_open(&self) -> bool {
        self.tenant.is_none()
            && self.state.is_none()
            && self.places.is_none()
            && self.span.is_none()
            && self.tag.is_none()
            && self.search.is_none()
    }

    fn fits_columns(&self, seen: &Seen) -> bool {
        self.tenant.is_none_or(|tenant| tenant == seen.tenant)
            && self.state.is_none_or(|state| state == seen.state)
            && self.span.is_none_or(|span| span.has(seen.created_at))
            && self
                .places
                .as_ref()
                .is_none_or(|places| places.has(seen.place))
    }

    /// Which of these rows fit; a row that was not seen does not.
    pub(super) fn fits(
        &self,
        conn: &Connection,
        seen: &[Option<Seen>],
    ) -> rusqlite::Result<Vec<bool>> {
        let mut fits: Vec<bool> = seen
            .iter()
            .map(|seen| seen.is_some_and(|seen| self.fits_columns(&seen)))
            .collect();
        if let Some(tag) = &self.tag {
            let mut statement = conn.prepare_cached(TAGGED)?;
            for (fits, seen) in fits.iter_mut().zip(seen) {
                if let Some(seen) = seen.filter(|_| *fits) {
                    *fits = statement.exists((seen.tenant, &**tag, seen.task))?;
                }
            }
        }
        if let Some(search) = &self.search {
            search.sift(conn, seen, &mut fits)?;
        }
        Ok(fits)
    }
}

/// The tasks with a tag within these numbers; `None` when there are more than a page may visit.
pub(super) fn tagged(
    conn: &Connection,
    tenants: &[i64],
    tag: &str,
    numbers: Span,
) -> rusqlite::Result<Option<Vec<i64>>> {
    let mut statement = conn.prepare_cached(TAGGED_ALL)?;
    let mut found = Vec::new();
    for tenant in tenants {
        let room = (LIST_VISITS_MAX + 1 - found.len()) as i64;
        let mut rows = statement.query((tenant, tag, numbers.from, numbers.until, room))?;
        while let Some(row) = rows.next()? {
            found.push(row.get(0)?);
        }
        if found.len() > LIST_VISITS_MAX {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// From `after` on, before `before`.
pub(super) fn span(after: Option<Timestamp>, before: Option<Timestamp>) -> Span {
    let instant = |at: Timestamp| i64::try_from(at.0).unwrap_or(i64::MAX);
    Span {
        from: after.map_or(i64::MIN, instant),
        until: before.map_or(i64::MAX, instant),
    }
}

/// The one tenant that a collected row must be of.
pub(super) fn tenant_of(scope: Scope, tenants: &[i64]) -> Option<i64> {
    match scope {
        Scope::All => None,
        Scope::Tenant(_) => tenants.first().copied(),
    }
}

/// A read that failed.
pub(super) fn failed(error: rusqlite::Error) -> ListError {
    ListError::Store(crate::library::fault(&error))
}

/// An image or a name that is not what was written.
pub(super) fn malformed(what: impl std::fmt::Display) -> rusqlite::Error {
    let text: Box<dyn std::error::Error + Send + Sync> = Box::from(what.to_string());
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, text)
}
