//! Writes the tasks of a cut.
//! Owns: the columns of `task_row` and `task_tag`.
//! Never: touches a run.

use std::sync::LazyLock;

use mainstay_core::{Cut, CutRow, RowKind, TaskColumns, TaskState};
use rusqlite::{Connection, Row, params};

use super::bulk::{Bulk, Slot};
use super::change::{self, Changes, Words};
use super::fault::{OrFault, Outcome};
use super::json;
use super::known::Known;
use super::texts::{Doc, Texts};
use crate::seam::{StoreError, check_of};

static INSERT: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "task_row",
        &[
            "number",
            "tenant",
            "place",
            "id",
            "state",
            "live",
            "priority",
            "created_at",
            "canceled_at",
            "created_by",
            "description",
            "tags",
            "concurrency_key",
            "has_text",
            "parent",
            "\"check\"",
            "image",
        ],
    )
});

/// A task of a cut with what its columns need.
struct Task<'a> {
    tenant: i64,
    columns: TaskColumns<'a>,
    state: TaskState,
    live: bool,
    tags: Option<String>,
    has_text: bool,
    check: u64,
    image: &'a [u8],
}

/// What stands in the file for a task that a cut changes.
struct Old {
    live: bool,
    check: u64,
    state: u8,
    priority: i32,
    tags: Option<String>,
    description: Option<String>,
}

/// Writes every task of the cut, in number order.
pub(super) fn put(
    connection: &Connection,
    known: &mut Known,
    texts: &mut Texts<'_>,
    cut: &Cut,
    rows: &[&CutRow],
) -> Outcome<()> {
    let mut fresh = Vec::new();
    let mut changes = None;
    for row in rows {
        let mut task = Task::read(known, cut, row)?;
        if let Some((changes, old)) =
            change::find(connection, &mut changes, &CHANGES, row, Old::read)?
        {
            write(changes, &task, &old)?;
            task.change(connection, known, texts, &old)?;
        } else {
            let errors = texts.take_failed(row.number);
            task.has_text = texts.searched(known, task.columns.place)?
                && (errors || task.tags.is_some() || task.columns.description.is_some());
            if task.has_text {
                texts.add(Doc::of(&task.columns, errors));
            }
            if task.live {
                known.live.add(task.check);
            }
            fresh.push(task);
        }
    }
    insert(connection, &fresh)
}

fn insert(connection: &Connection, fresh: &[Task<'_>]) -> Outcome<()> {
    INSERT.insert(connection, fresh, |slot, task| {
        let columns = &task.columns;
        let parent = columns.parent.map(|parent| parent.0.to_be_bytes());
        slot.put(columns.number as i64)?;
        slot.put(task.tenant)?;
        slot.put(columns.place)?;
        slot.put(&columns.id.0.to_be_bytes()[..])?;
        slot.put(task.state as u8)?;
        slot.put(task.live)?;
        slot.put(columns.priority)?;
        slot.put(columns.created_at.0 as i64)?;
        slot.put(columns.canceled_at.map(|at| at.0 as i64))?;
        slot.put((!columns.created_by.is_empty()).then_some(columns.created_by))?;
        slot.put(columns.description)?;
        slot.put(task.tags.as_deref())?;
        slot.put(columns.concurrency_key)?;
        slot.put(task.has_text)?;
        slot.put(parent.as_ref().map(|parent| &parent[..]))?;
        slot.put(task.check as i64)?;
        slot.put(task.image)
    })?;
    for task in fresh {
        put_tags(connection, task)?;
    }
    Ok(())
}

fn put_tags(connection: &Connection, task: &Task<'_>) -> Outcome<()> {
    if task.columns.tags.is_empty() {
        return Ok(());
    }
    let mut put = connection
        .prepare_cached("INSERT OR IGNORE INTO task_tag(tenant, tag, number) VALUES (?1, ?2, ?3)")
        .or_fault()?;
    for tag in &task.columns.tags {
        put.execute(params![task.tenant, tag, task.columns.number as i64])
            .or_fault()?;
    }
    Ok(())
}

const CHANGES: Words = Words {
    find: "SELECT live, \"check\", state, priority, tags, description FROM task_row WHERE number = ?1",
    quiet: "UPDATE task_row SET canceled_at = ?2, description = ?3, tags = ?4, \"check\" = ?5, image = ?6",
    moved: ", state = ?7, priority = ?8",
    ended: ", state = ?7, priority = ?8, live = ?9",
};

impl Old {
    fn read(row: &Row<'_>) -> rusqlite::Result<Old> {
        Ok(Old {
            live: row.get(0)?,
            check: row.get::<_, i64>(1)? as u64,
            state: row.get(2)?,
            priority: row.get(3)?,
            tags: row.get(4)?,
            description: row.get(5)?,
        })
    }
}

fn write(changes: &mut Changes<'_>, task: &Task<'_>, old: &Old) -> Outcome<()> {
    let columns = &task.columns;
    let is_ended = old.live != task.live;
    let is_moved = (old.state, old.priority) != (task.state as u8, columns.priority);
    let statement = changes.form(is_ended, is_moved);
    let mut slot = Slot::first(statement);
    slot.put(columns.number as i64)?;
    slot.put(columns.canceled_at.map(|at| at.0 as i64))?;
    slot.put(columns.description)?;
    slot.put(task.tags.as_deref())?;
    slot.put(task.check as i64)?;
    slot.put(task.image)?;
    if is_ended || is_moved {
        slot.put(task.state as u8)?;
        slot.put(columns.priority)?;
    }
    if is_ended {
        slot.put(task.live)?;
    }
    statement.raw_execute().or_fault()?;
    Ok(())
}

impl<'a> Task<'a> {
    fn read(known: &Known, cut: &'a Cut, row: &CutRow) -> Outcome<Task<'a>> {
        let image = cut.image(row);
        let columns = TaskColumns::read(image).map_err(|error| {
            StoreError::Damaged(format!("the image of task {}: {error}", row.number))
        })?;
        if columns.number != row.number {
            return Err(StoreError::Damaged(format!(
                "task {} has the image of {}",
                row.number, columns.number
            )));
        }
        Ok(Task {
            tenant: known.place(columns.place)?.tenant,
            state: columns.state(),
            live: row.live,
            tags: json::array_of(&columns.tags),
            has_text: false,
            check: check_of(RowKind::Task, row.number, image),
            columns,
            image,
        })
    }

    /// Counts what changed, and sees to tags and text.
    fn change(
        &self,
        connection: &Connection,
        known: &mut Known,
        texts: &mut Texts<'_>,
        old: &Old,
    ) -> Outcome<()> {
        known
            .live
            .change((old.live, old.check), (self.live, self.check));
        if old.tags != self.tags {
            let number = self.columns.number as i64;
            remove_tags(connection, self.tenant, number, old.tags.as_deref())?;
            put_tags(connection, self)?;
            texts.again(self.columns.number);
        }
        if old.description.as_deref() != self.columns.description {
            texts.again(self.columns.number);
        }
        Ok(())
    }
}

/// Takes a task out of the index of tags.
pub(super) fn remove_tags(
    connection: &Connection,
    tenant: i64,
    number: i64,
    tags: Option<&str>,
) -> Outcome<()> {
    let Some(tags) = tags else { return Ok(()) };
    let mut remove = connection
        .prepare_cached(
            "DELETE FROM task_tag WHERE tenant = ?1 AND number = ?2 AND tag IN (SELECT value FROM json_each(?3))",
        )
        .or_fault()?;
    remove.execute(params![tenant, number, tags]).or_fault()?;
    Ok(())
}
