//! Removes old runs of schedules that go on: their task does not end, so it never goes with its runs.
//! Owns: the walk over such runs, and where it goes on.
//! Never: removes a run that has not ended, or the only trace of how many there were: their task counts them.

use std::collections::VecDeque;

use mainstay_core::{RunState, TaskColumns, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::erase::erase_run;
use super::fault::{OrFault, Outcome};
use super::known::Known;
use super::overdue::Overdue;
use super::retain::Budget;
use crate::seam::{Retention, StoreError};

/// An ended run: its number, its task, when it was due and ended, whether it is a dead letter.
type EndedRun = (i64, i64, i64, i64, bool);

/// Runs that are read at once.
const READ_AHEAD: usize = 256;

/// A pass over ended runs that were due before their queue's rule, place by place and oldest first.
///
/// A run ends after it is due, and a finished task went with its runs before: few of another kind are met.
#[derive(Debug)]
pub(super) struct Outlived {
    /// Lanes still to walk: place, state, instant before which runs go. The first is the current one.
    lanes: VecDeque<(u32, u8, u64)>,
    /// The last run seen in it: when it was due, its number.
    after: (i64, i64),
    /// The task of the run before, and whether it goes on.
    near: (i64, bool),
}

const BEFORE_ALL: (i64, i64) = (-1, -1);

impl Outlived {
    pub(super) fn new(known: &Known, now: Timestamp, rule: &Retention) -> Outlived {
        let mut lanes = VecDeque::new();
        for (place, queue) in known.queues() {
            let keep = rule.queues.get(&queue).unwrap_or(&rule.default);
            let before = now.0.saturating_sub(keep.age_ms);
            if before > 0 {
                let states = [RunState::Completed, RunState::Failed, RunState::Canceled];
                lanes.extend(states.map(|state| (place, state as u8, before)));
            }
        }
        Outlived {
            lanes,
            after: BEFORE_ALL,
            near: (0, false),
        }
    }

    /// Works off as much as the budget allows. True at the end of the pass.
    pub(super) fn step(
        &mut self,
        connection: &Connection,
        budget: &mut Budget,
        overdue: &mut Overdue,
    ) -> Outcome<bool> {
        while let Some(&(place, state, before)) = self.lanes.front() {
            if budget.is_spent() {
                return Ok(false);
            }
            let found = self.read(connection, (place, state, before))?;
            let is_end = found.len() < READ_AHEAD;
            for (number, task, due, ended, dead) in found {
                if budget.is_spent() {
                    return Ok(false);
                }
                budget.visited();
                self.after = (due, number);
                if ended >= before as i64 || !self.goes_on(connection, task)? {
                    continue;
                }
                if dead {
                    overdue.of_run(connection, number)?;
                } else {
                    budget.erased(usize::from(erase_run(connection, number)?));
                }
            }
            if is_end {
                self.lanes.pop_front();
                self.after = BEFORE_ALL;
            }
        }
        Ok(true)
    }

    /// The next runs of a lane: number, task, when they were due and ended.
    fn read(
        &self,
        connection: &Connection,
        (place, state, before): (u32, u8, u64),
    ) -> Outcome<Vec<EndedRun>> {
        let mut find = connection
            .prepare_cached(
                "SELECT number, task, scheduled_at, finished_at, dead IS NOT NULL FROM run_row INDEXED BY run_place \
                 WHERE place = ?1 AND state = ?2 AND scheduled_at < ?3 AND (scheduled_at, number) > (?4, ?5) \
                 ORDER BY scheduled_at, number LIMIT ?6",
            )
            .or_fault()?;
        let (due, number) = self.after;
        let limit = READ_AHEAD as i64;
        find.query_map(
            params![place, state, before as i64, due, number, limit],
            |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                ))
            },
        )
        .and_then(Iterator::collect)
        .or_fault()
    }

    /// Whether a task's schedule makes more runs.
    fn goes_on(&mut self, connection: &Connection, task: i64) -> Outcome<bool> {
        if self.near.0 == task {
            return Ok(self.near.1);
        }
        let mut find = connection
            .prepare_cached("SELECT image FROM task_row WHERE number = ?1 AND live = 1")
            .or_fault()?;
        let image: Option<Vec<u8>> = find
            .query_row([task], |row| row.get(0))
            .optional()
            .or_fault()?;
        let goes_on = match image {
            Some(image) => {
                TaskColumns::read(&image)
                    .map_err(|error| {
                        StoreError::Damaged(format!("the image of task {task}: {error}"))
                    })?
                    .goes_on
            }
            None => false,
        };
        self.near = (task, goes_on);
        Ok(goes_on)
    }
}
