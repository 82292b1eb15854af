//! The order of tasks and the index walks in that order.
//! Owns: the key of a task's list, what follows a row in an index.
//! Never: reads a row that an index covers.

use std::cmp::{Ordering, Reverse};
use std::collections::VecDeque;

use rusqlite::{CachedStatement, Connection, ToSql};

use super::filter::Span;
use super::walk::Key;

macro_rules! walk {
    ($base:literal, $rest:literal) => {
        concat!(
            "SELECT priority, created_at, id, number FROM task_row INDEXED BY ",
            $base,
            $rest,
            " ORDER BY priority DESC, created_at, id, number LIMIT ?3"
        )
    };
}

macro_rules! walks {
    ($base:literal) => {
        Walks {
            peers: walk!(
                $base,
                " AND priority = ?4 AND created_at = ?5 AND (id, number) > (?6, ?7)"
            ),
            later: walk!(
                $base,
                " AND priority = ?4 AND created_at > ?5 AND created_at < ?6"
            ),
            lower: walk!($base, " AND priority < ?4"),
        }
    };
}

/// The walks of one index: what follows a row.
pub(super) struct Walks {
    /// With the same priority and creation.
    pub(super) peers: &'static str,
    /// With the same priority, created later.
    pub(super) later: &'static str,
    /// With a lower priority.
    pub(super) lower: &'static str,
}

/// The index's other columns stand before `?8`, so that one way of binding serves all.
pub(super) const BY_PARENT: Walks =
    walks!("task_parent WHERE tenant = ?1 AND state = ?2 AND parent = ?8");
pub(super) const BY_STATE: Walks = walks!("task_state WHERE tenant = ?1 AND state = ?2");
pub(super) const BY_PLACE: Walks = walks!("task_place WHERE place = ?1 AND state = ?2");

/// Where a task stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskKey {
    pub(super) priority: i64,
    pub(super) created_at: i64,
    pub(super) id: [u8; 16],
    pub(super) number: i64,
}

impl TaskKey {
    /// The end of a priority: no row, but a place in the order.
    fn end_of(priority: i64) -> TaskKey {
        TaskKey {
            priority,
            created_at: i64::MAX,
            id: [255; 16],
            number: i64::MAX,
        }
    }

    fn order(&self) -> (Reverse<i64>, i64, [u8; 16], i64) {
        (
            Reverse(self.priority),
            self.created_at,
            self.id,
            self.number,
        )
    }
}

impl Ord for TaskKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for TaskKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Which index is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Tenant,
    Place,
    /// A tenant's, of tasks with this parent.
    Parent([u8; 16]),
}

/// One index, walked in order.
#[derive(Clone, Debug)]
pub(super) struct TaskSource {
    pub(super) by: By,
    /// The place, or the tenant.
    pub(super) of: i64,
    pub(super) state: i64,
    pub(super) span: Span,
}

impl TaskSource {
    fn walks(&self) -> &'static Walks {
        match self.by {
            By::Tenant => &BY_STATE,
            By::Place => &BY_PLACE,
            By::Parent(_) => &BY_PARENT,
        }
    }
}

fn append(
    statement: &mut CachedStatement<'_>,
    source: &TaskSource,
    rest: &[&dyn ToSql],
    into: &mut VecDeque<TaskKey>,
) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(1, source.of)?;
    statement.raw_bind_parameter(2, source.state)?;
    for (at, value) in rest.iter().enumerate() {
        statement.raw_bind_parameter(at + 3, value)?;
    }
    if let By::Parent(parent) = source.by {
        statement.raw_bind_parameter(8, parent)?;
    }
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        into.push_back(TaskKey {
            priority: row.get(0)?,
            created_at: row.get(1)?,
            id: row.get(2)?,
            number: row.get(3)?,
        });
    }
    Ok(())
}

/// Appends what of a priority lies after an instant and within the span, then the mark of its end, as far as there is room.
fn level(
    conn: &Connection,
    source: &TaskSource,
    priority: i64,
    after: i64,
    full: usize,
    into: &mut VecDeque<TaskKey>,
) -> rusqlite::Result<()> {
    let room = full.saturating_sub(into.len()) as i64;
    let mut later = conn.prepare_cached(source.walks().later)?;
    let span = source.span;
    append(
        &mut later,
        source,
        &[&room, &priority, &after, &span.until],
        into,
    )?;
    if span != Span::ALL && into.len() < full {
        into.push_back(TaskKey::end_of(priority));
    }
    Ok(())
}

impl Key for TaskKey {
    type Source = TaskSource;

    fn fetch(
        conn: &Connection,
        source: &TaskSource,
        after: Option<&TaskKey>,
        count: usize,
        into: &mut VecDeque<TaskKey>,
    ) -> rusqlite::Result<()> {
        let walks = source.walks();
        let full = into.len() + count;
        let mut priority = i64::MAX;
        if let Some(after) = after {
            priority = after.priority;
            if after.number != i64::MAX {
                let mut peers = conn.prepare_cached(walks.peers)?;
                let at = after.created_at;
                append(
                    &mut peers,
                    source,
                    &[&(count as i64), &priority, &at, &after.id, &after.number],
                    into,
                )?;
                level(conn, source, priority, at, full, into)?;
            }
        }
        let mut lower = conn.prepare_cached(walks.lower)?;
        while into.len() < full {
            let room = (full - into.len()) as i64;
            if source.span == Span::ALL {
                return append(&mut lower, source, &[&room, &priority], into);
            }
            // A span is looked for within each priority by itself: what lies outside it is never visited.
            let mut next = VecDeque::new();
            append(&mut lower, source, &[&1, &priority], &mut next)?;
            let Some(next) = next.pop_front() else {
                break;
            };
            priority = next.priority;
            let before = source.span.from.saturating_sub(1);
            level(conn, source, priority, before, full, into)?;
        }
        Ok(())
    }

    fn number(&self) -> Option<i64> {
        (self.number != i64::MAX).then_some(self.number)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.priority.to_le_bytes());
        out.extend_from_slice(&self.created_at.to_le_bytes());
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.number.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<TaskKey> {
        let bytes: &[u8; 40] = bytes.try_into().ok()?;
        let number = |at: usize| bytes[at..at + 8].try_into().map(i64::from_le_bytes).ok();
        Some(TaskKey {
            priority: number(0)?,
            created_at: number(8)?,
            id: bytes[16..32].try_into().ok()?,
            number: number(32)?,
        })
    }
}
