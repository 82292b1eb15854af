//! Removes finished work that retention no longer keeps, and idempotency keys that have run out, a bounded piece at a time.
//! Owns: the walks over candidates, where each goes on, and what belongs to a task that goes.
//! Never: removes a live row, a key that still holds or its task, a count of a place, or reads more than a bounded number of rows in
//! one step.

use std::collections::VecDeque;

use mainstay_core::limits::KEY_HELD_MS;
use mainstay_core::{RunId, TaskState, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::audit;
use super::erase::{Candidate, erase};
use super::fault::{OrFault, Outcome};
use super::known::Known;
use super::open::ask;
use super::outlived::Outlived;
use super::overdue::Overdue;
use crate::seam::Retention;

/// Rows that one step removes, about.
const ERASED_MAX: usize = 500;

/// Rows that one step looks at, about.
const VISITED_MAX: usize = 4000;

/// Where the walks stand between two steps.
#[derive(Debug, Default)]
pub(super) struct Retain {
    /// The walk by age; `None` between two passes.
    aged: Option<AgedWalk>,
    /// The walk over old runs of schedules that go on; `None` between two passes.
    outlived: Option<Outlived>,
    /// The last task that the walk by size looked at.
    oldest: i64,
    /// The last key that the walk over keys looked at: until, tenant, class, key.
    key: Option<(i64, i64, u8, String)>,
    /// Dead letters whose time is over.
    overdue: Overdue,
}

/// What one step may still do.
pub(super) struct Budget {
    erase: usize,
    visit: usize,
}

/// A key whose time is over: until when, whose, of which class, the key, its task and whether that task still holds it.
type HeldKey = (i64, i64, u8, String, Option<Vec<u8>>, bool);

impl Budget {
    pub(super) fn is_spent(&self) -> bool {
        self.erase == 0 || self.visit == 0
    }

    pub(super) fn visited(&mut self) {
        self.visit = self.visit.saturating_sub(1);
    }

    pub(super) fn erased(&mut self, rows: usize) {
        self.erase = self.erase.saturating_sub(rows);
    }
}

impl Retain {
    /// Dead letters whose time is over, found since this was asked last.
    pub(super) fn overdue(&mut self) -> Vec<(TenantId, RunId)> {
        self.overdue.take()
    }

    /// One bounded step. True when there is more to look at.
    pub(super) fn step(
        &mut self,
        connection: &mut Connection,
        known: &mut Known,
        now: Timestamp,
        rule: &Retention,
    ) -> Outcome<bool> {
        let all = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .or_fault()?;
        let mut budget = Budget {
            erase: ERASED_MAX,
            visit: VISITED_MAX,
        };
        let done = self.keys(&all, now, &mut budget)?
            && self.aged(&all, known, now, rule, &mut budget)?
            && self.outlived(&all, known, now, rule, &mut budget)?
            && self.oversized(&all, now, rule, &mut budget)?;
        let before = Timestamp(now.0.saturating_sub(rule.audit.age_ms));
        let trail = audit::retain(&all, known, before)?;
        budget.erased(trail);
        all.commit().or_fault()?;
        Ok(!done || trail > 0)
    }

    /// Removes keys that nobody holds any more: their time is over, their task is not live and ended longer ago than a key holds. True
    /// at the end of a pass.
    fn keys(
        &mut self,
        connection: &Connection,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Outcome<bool> {
        let mut find = connection
            .prepare_cached(
                "SELECT until, tenant, class, key, task, EXISTS (SELECT 1 FROM task_row AS t \
                 WHERE t.tenant = key_row.tenant AND t.id = key_row.task AND (t.live = 1 OR t.created_at > ?7 OR \
                 EXISTS (SELECT 1 FROM run_row AS r WHERE r.number = t.number + 1 AND r.task = t.number AND r.finished_at > ?7) OR \
                 EXISTS (SELECT 1 FROM run_row AS r WHERE r.task = t.number AND r.task <> r.number - 1 AND r.finished_at > ?7))) \
                 FROM key_row INDEXED BY key_until WHERE until < ?1 AND (until, tenant, class, key) > (?2, ?3, ?4, ?5) \
                 ORDER BY until, tenant, class, key LIMIT ?6",
            )
            .or_fault()?;
        let mut remove = connection
            .prepare_cached("DELETE FROM key_row WHERE tenant = ?1 AND class = ?2 AND key = ?3")
            .or_fault()?;
        let (until, tenant, class, key) = self.key.take().unwrap_or((-1, 0, 0, String::new()));
        let limit = ERASED_MAX as i64;
        let found: Vec<HeldKey> = find
            .query_map(
                params![
                    now.0 as i64,
                    until,
                    tenant,
                    class,
                    key,
                    limit,
                    held_since(now) as i64
                ],
                |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                        row.get(5)?,
                    ))
                },
            )
            .and_then(Iterator::collect)
            .or_fault()?;
        let is_end = found.len() < ERASED_MAX;
        for (until, tenant, class, key, task, held) in found {
            budget.visited();
            if !held && !ended_since(connection, tenant, task.as_deref(), held_since(now))? {
                remove.execute(params![tenant, class, key]).or_fault()?;
                budget.erased(1);
            }
            if !is_end {
                self.key = Some((until, tenant, class, key));
            }
        }
        Ok(is_end)
    }

    /// Removes what is older than the rule of its queue. True at the end of a pass.
    fn aged(
        &mut self,
        connection: &Connection,
        known: &Known,
        now: Timestamp,
        rule: &Retention,
        budget: &mut Budget,
    ) -> Outcome<bool> {
        let walk = self
            .aged
            .get_or_insert_with(|| AgedWalk::new(known, now, rule));
        while !budget.is_spent() {
            let Some((number, before)) = walk.next(connection)? else {
                self.aged = None;
                return Ok(true);
            };
            budget.visited();
            if let Some(candidate) = Candidate::read(connection, number, budget.erase)?
                && candidate.ended_at < before
                && !candidate.holds_key(held_since(now))
            {
                if candidate.dead {
                    self.overdue.of_task(connection, number)?;
                    continue;
                }
                let erased = erase(connection, &candidate)?;
                budget.erased(erased);
                if !candidate.whole {
                    walk.again(number);
                }
            }
        }
        Ok(false)
    }

    /// Removes old runs of schedules that go on. True at the end of a pass.
    fn outlived(
        &mut self,
        connection: &Connection,
        known: &Known,
        now: Timestamp,
        rule: &Retention,
        budget: &mut Budget,
    ) -> Outcome<bool> {
        let new = || Outlived::new(known, now, rule);
        let done =
            self.outlived
                .get_or_insert_with(new)
                .step(connection, budget, &mut self.overdue)?;
        if done {
            self.outlived = None;
        }
        Ok(done)
    }

    /// Removes the oldest finished work while the store is too large. True when it is not, or at the end of a pass.
    fn oversized(
        &mut self,
        connection: &Connection,
        now: Timestamp,
        rule: &Retention,
        budget: &mut Budget,
    ) -> Outcome<bool> {
        if rule.bytes_max == 0 || bytes_used(connection)? <= rule.bytes_max {
            return Ok(true);
        }
        let mut find = connection
            .prepare_cached(
                "SELECT number, live FROM task_row WHERE number > ?1 ORDER BY number LIMIT ?2",
            )
            .or_fault()?;
        let found: Vec<(i64, bool)> = find
            .query_map(params![self.oldest, budget.visit as i64], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .and_then(Iterator::collect)
            .or_fault()?;
        let is_end = found.len() < budget.visit;
        for (number, live) in found {
            if budget.is_spent() {
                return Ok(false);
            }
            budget.visited();
            if live {
                self.oldest = number;
                continue;
            }
            if let Some(candidate) = Candidate::read(connection, number, budget.erase)?
                && !candidate.holds_key(held_since(now))
            {
                if candidate.dead {
                    self.overdue.of_task(connection, number)?;
                    self.oldest = number;
                    continue;
                }
                let erased = erase(connection, &candidate)?;
                budget.erased(erased);
                if !candidate.whole {
                    return Ok(false);
                }
            }
            self.oldest = number;
        }
        if is_end {
            self.oldest = 0;
        }
        Ok(is_end)
    }
}

/// Whether a task says that it ended after this instant: later than its runs, because it had descendants.
fn ended_since(
    connection: &Connection,
    tenant: i64,
    task: Option<&[u8]>,
    since: u64,
) -> Outcome<bool> {
    let Some(task) = task else { return Ok(false) };
    let mut find = connection
        .prepare_cached("SELECT number FROM task_row WHERE tenant = ?1 AND id = ?2")
        .or_fault()?;
    let number: Option<i64> = find
        .query_row(params![tenant, task], |row| row.get(0))
        .optional()
        .or_fault()?;
    let Some(number) = number else {
        return Ok(false);
    };
    let candidate = Candidate::read(connection, number, 1)?;
    Ok(candidate.is_some_and(|candidate| candidate.ended_at > since))
}

/// What ended after this instant still holds its idempotency key.
fn held_since(now: Timestamp) -> u64 {
    now.0.saturating_sub(KEY_HELD_MS)
}

/// Bytes of pages in use.
pub(super) fn bytes_used(connection: &Connection) -> Outcome<u64> {
    let pages = ask(connection, "page_count")? - ask(connection, "freelist_count")?;
    Ok((pages * ask(connection, "page_size")?) as u64)
}

/// A pass over finished tasks that were made before their queue's rule, place by place and oldest first within a priority.
///
/// A task ends after it is made, so the index by creation finds every candidate; the few that were made long before they ended are
/// looked at again in each pass.
#[derive(Debug)]
struct AgedWalk {
    /// Lanes still to walk: place, state, instant before which work goes. The first is the current one.
    lanes: VecDeque<(u32, u8, u64)>,
    /// The current priority of the first lane; above every one before its first.
    priority: i64,
    /// The last entry seen at that priority.
    after: Option<(i64, Vec<u8>)>,
    /// Entries read ahead.
    ahead: VecDeque<(i64, i64, Vec<u8>)>,
}

const ABOVE_ALL: i64 = i64::MAX;
const READ_AHEAD: usize = 256;

impl AgedWalk {
    fn new(known: &Known, now: Timestamp, rule: &Retention) -> AgedWalk {
        let mut lanes = VecDeque::new();
        for (place, queue) in known.queues() {
            let keep = rule.queues.get(&queue).unwrap_or(&rule.default);
            let before = now.0.saturating_sub(keep.age_ms);
            if before > 0 {
                let states = [TaskState::Completed, TaskState::Failed, TaskState::Canceled];
                lanes.extend(states.map(|state| (place, state as u8, before)));
            }
        }
        AgedWalk {
            lanes,
            priority: ABOVE_ALL,
            after: None,
            ahead: VecDeque::new(),
        }
    }

    /// The next candidate, with the instant before which it must have ended to go.
    fn next(&mut self, connection: &Connection) -> Outcome<Option<(i64, u64)>> {
        loop {
            let Some(&(place, state, before)) = self.lanes.front() else {
                return Ok(None);
            };
            if let Some((number, created_at, id)) = self.ahead.pop_front() {
                self.after = Some((created_at, id));
                return Ok(Some((number, before)));
            }
            if self.priority != ABOVE_ALL {
                self.read_ahead(connection, place, state, before)?;
                if !self.ahead.is_empty() {
                    continue;
                }
            }
            self.after = None;
            if !self.next_priority(connection, place, state)? {
                self.lanes.pop_front();
                self.priority = ABOVE_ALL;
            }
        }
    }

    /// The candidate given last comes once more: only some of its runs went.
    fn again(&mut self, number: i64) {
        if let Some((created_at, id)) = &self.after {
            self.ahead.push_front((number, *created_at, id.clone()));
        }
    }

    fn next_priority(&mut self, connection: &Connection, place: u32, state: u8) -> Outcome<bool> {
        let mut find = connection
            .prepare_cached(
                "SELECT priority FROM task_row INDEXED BY task_place WHERE place = ?1 AND state = ?2 AND priority < ?3 \
                 ORDER BY priority DESC LIMIT 1",
            )
            .or_fault()?;
        let mut rows = find
            .query(params![place, state, self.priority])
            .or_fault()?;
        match rows.next().or_fault()? {
            Some(row) => {
                self.priority = row.get(0).or_fault()?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn read_ahead(
        &mut self,
        connection: &Connection,
        place: u32,
        state: u8,
        before: u64,
    ) -> Outcome<()> {
        let mut find = connection
            .prepare_cached(
                "SELECT number, created_at, id FROM task_row INDEXED BY task_place \
                 WHERE place = ?1 AND state = ?2 AND priority = ?3 AND created_at < ?4 AND (created_at, id) > (?5, ?6) \
                 ORDER BY created_at, id LIMIT ?7",
            )
            .or_fault()?;
        let (created_at, id) = self.after.clone().unwrap_or((-1, Vec::new()));
        let found = find
            .query_map(
                params![
                    place,
                    state,
                    self.priority,
                    before as i64,
                    created_at,
                    id,
                    READ_AHEAD as i64
                ],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .or_fault()?;
        for entry in found {
            self.ahead.push_back(entry.or_fault()?);
        }
        Ok(())
    }
}
