//! Takes one finished task out of the file, with everything that belongs to it, or one finished run.
//! Owns: what belongs to a task.
//! Never: takes a task that is live or has a live run, or such a run.

use mainstay_core::TaskColumns;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::{OrFault, Outcome};
use super::{tasks, texts};
use crate::seam::StoreError;

/// A finished task that may go.
pub(super) struct Candidate {
    number: i64,
    tenant: i64,
    tags: Option<String>,
    has_text: bool,
    /// Its runs, or as many of them as may go at once.
    runs: Vec<i64>,
    /// Whether those are all.
    pub(super) whole: bool,
    /// Whether it was submitted with an idempotency key.
    keyed: bool,
    /// Whether one of those is a dead letter: it stays until somebody, or its time, clears it away.
    pub(super) dead: bool,
    /// When it ended: the last of its runs and descendants; when it was canceled or made if it has none.
    pub(super) ended_at: u64,
}

impl Candidate {
    /// Reads a task, with at most `runs_max` of its runs; `None` when it is not there, not finished.
    pub(super) fn read(
        connection: &Connection,
        number: i64,
        runs_max: usize,
    ) -> Outcome<Option<Candidate>> {
        let mut find = connection
            .prepare_cached(
                "SELECT tenant, tags, has_text, coalesce(canceled_at, created_at), image FROM task_row WHERE number = ?1 AND live = 0",
            )
            .or_fault()?;
        let found = find
            .query_row([number], |row| {
                let candidate = Candidate {
                    number,
                    tenant: row.get(0)?,
                    tags: row.get(1)?,
                    has_text: row.get(2)?,
                    runs: Vec::new(),
                    whole: false,
                    keyed: false,
                    dead: false,
                    ended_at: row.get::<_, i64>(3)? as u64,
                };
                Ok((candidate, row.get(4)?))
            })
            .optional()
            .or_fault()?;
        let Some((mut candidate, image)) = found else {
            return Ok(None);
        };
        let image: Vec<u8> = image;
        let columns = TaskColumns::read(&image)
            .map_err(|error| StoreError::Damaged(format!("the image of task {number}: {error}")))?;
        // The task knows when the last of many runs ended, or a descendant after its own; what follows may see a part of its runs.
        let ended_at = columns.ended_at.unwrap_or_default();
        candidate.ended_at = candidate.ended_at.max(ended_at.0);
        candidate.keyed = columns.idempotency_key.is_some();
        let runs_max = runs_max.max(1);
        let mut find = connection
            .prepare_cached(
                "SELECT number, live, finished_at, dead IS NOT NULL FROM run_row WHERE number = ?1 + 1 AND task = ?1 \
                 UNION ALL SELECT number, live, finished_at, dead IS NOT NULL FROM run_row WHERE task = ?1 AND task <> number - 1 LIMIT ?2",
            )
            .or_fault()?;
        let mut rows = find.query(params![number, runs_max as i64]).or_fault()?;
        while let Some(row) = rows.next().or_fault()? {
            if row.get(1).or_fault()? {
                return Ok(None);
            }
            candidate.runs.push(row.get(0).or_fault()?);
            candidate.dead |= row.get::<_, bool>(3).or_fault()?;
            let finished_at: Option<i64> = row.get(2).or_fault()?;
            candidate.ended_at = candidate.ended_at.max(finished_at.unwrap_or(0) as u64);
        }
        candidate.whole = candidate.runs.len() < runs_max;
        Ok(Some(candidate))
    }

    /// Whether it ended after `since` and was submitted with an idempotency key: a repeat must find it.
    pub(super) fn holds_key(&self, since: u64) -> bool {
        self.keyed && self.ended_at > since
    }
}

/// Takes the candidate out. Gives how many rows of tasks and runs went; the task itself goes with the last of its runs.
pub(super) fn erase(connection: &Connection, candidate: &Candidate) -> Outcome<usize> {
    let mut remove = connection
        .prepare_cached("DELETE FROM run_row WHERE number = ?1")
        .or_fault()?;
    for run in &candidate.runs {
        remove.execute([run]).or_fault()?;
    }
    if !candidate.whole {
        return Ok(candidate.runs.len());
    }
    tasks::remove_tags(
        connection,
        candidate.tenant,
        candidate.number,
        candidate.tags.as_deref(),
    )?;
    if candidate.has_text {
        texts::remove(connection, candidate.number as u64)?;
    }
    for sql in [
        "DELETE FROM payload_row WHERE number = ?1",
        "DELETE FROM task_row WHERE number = ?1",
    ] {
        let mut remove = connection.prepare_cached(sql).or_fault()?;
        remove.execute([candidate.number]).or_fault()?;
    }
    Ok(candidate.runs.len() + 1)
}

/// Takes out one run that has ended, of a task that stays. False when it has not ended.
pub(super) fn erase_run(connection: &Connection, run: i64) -> Outcome<bool> {
    let mut remove = connection
        .prepare_cached("DELETE FROM run_row WHERE number = ?1 AND live = 0")
        .or_fault()?;
    Ok(remove.execute([run]).or_fault()? > 0)
}
