//! The writer's side of the store: when a cut is taken, what a command must look up, what leaves memory.
//! Owns: the rhythm of cuts and the look-ups before and after a decision.
//! Never: waits for the store; a store that lags closes the gate for new work instead.

use std::sync::atomic::Ordering;

use mainstay_core::codec::CommandRecord;
use mainstay_core::{AuditRow, Call, Facts, Principal, TaskColumns, TenantId, Text, Wanted};
use mainstay_log::Log;
use mainstay_store::{Found, Reader, StoreError};

use super::model::Writer;
use crate::calendar::Calendars;
use crate::reads;

/// Bytes of cuts that wait for the keeper beyond which no further cut is taken.
const CUTS_BYTES_MAX: usize = 256 << 20;
/// Bytes of payloads that wait for the store in memory, beside those that may stay, beyond which new work is refused.
const LAG_BYTES_MAX: u64 = 1 << 30;
/// Rows that leave memory in one turn.
const LEAVE_ROWS: usize = 10_000;

/// How the writer works with its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreRules {
    /// Bytes of payloads kept in memory beside small ones.
    pub(crate) payload_bytes: u64,
    /// Rows changed and not yet stored beyond which new work is refused.
    pub(crate) lag_rows: u64,
    /// Rows changed since the last cut that make the next one due.
    pub(crate) cut_rows: usize,
    /// Milliseconds after which a smaller change is cut too.
    pub(crate) cut_ms: u64,
}

/// The writer's store: what it reads there, and how far it has cut.
pub(crate) struct Desk {
    pub(crate) reader: Box<dyn Reader>,
    pub(crate) rules: StoreRules,
    /// The last event in a cut.
    pub(crate) cut_sequence: u64,
    /// When the last cut was taken, in steady milliseconds.
    cut_at: u64,
    /// Somebody waits for the next cut.
    pub(crate) cut_now: bool,
    /// The last event that the store is known to hold, and whether rows in it still have to leave memory.
    stored: u64,
    leaving: bool,
    lagging: bool,
    /// The store could not be read.
    pub(crate) broken: Option<StoreError>,
    wanted: Vec<Wanted>,
    /// Entries of the audit trail since the last cut.
    pub(super) trail: Vec<AuditRow>,
    /// What schedules go by.
    pub(super) calendars: Calendars,
}

impl Desk {
    /// `trail` holds what the log's tail behind the store has of the audit trail.
    pub(crate) fn new(
        reader: Box<dyn Reader>,
        rules: StoreRules,
        cut_sequence: u64,
        trail: Vec<AuditRow>,
    ) -> Desk {
        Desk {
            reader,
            rules,
            cut_sequence,
            cut_at: 0,
            cut_now: false,
            stored: cut_sequence,
            leaving: false,
            lagging: false,
            broken: None,
            wanted: Vec::new(),
            trail,
            calendars: Calendars::default(),
        }
    }
}

impl<L: Log> Writer<L> {
    /// Takes a cut when one is due. Everything decided so far is in frames that the log has taken.
    pub(super) fn cut_if_due(&mut self) {
        let desk = &mut self.desk;
        let now = self.now.steady.0;
        let changed = self.machine.sequence() > desk.cut_sequence;
        let late = now.saturating_sub(desk.cut_at) >= desk.rules.cut_ms;
        let many = self.machine.dirty_rows() >= desk.rules.cut_rows;
        let is_due = changed && (late || many || desk.cut_now);
        // At an orderly end the store gets everything, so that the next start has no tail to read.
        let last = changed && self.stopping;
        if last || is_due && self.shared.backlog.bytes() < CUTS_BYTES_MAX {
            desk.cut_sequence = self.machine.sequence();
            desk.cut_at = now;
            if self.plant.rows_leave_early {
                desk.stored = desk.cut_sequence;
                desk.leaving = true;
            }
            let cut = self.cut();
            self.shared.backlog.push(cut);
        }
        // Whoever waits has it now, or had it before; without room the wish stays.
        let desk = &mut self.desk;
        desk.cut_now &= self.machine.sequence() > desk.cut_sequence;
        self.tell_lag();
    }

    /// Notes a control command whose events begin with this one for the audit trail.
    pub(super) fn note_control(
        &mut self,
        kind: u64,
        reason: Option<Text>,
        principal: &Principal,
        first: u64,
    ) {
        let record = CommandRecord {
            kind,
            tenant: principal.tenant,
            principal: principal.name.clone(),
            request_id: principal.request_id.clone(),
            reason,
            ..CommandRecord::default()
        };
        let row = AuditRow::of(&record, &self.events, first, self.now.wall);
        self.desk.trail.extend(row);
    }

    fn tell_lag(&mut self) {
        let rows = self.machine.dirty_rows() as u64 + self.shared.backlog.rows();
        let may_stay = self.desk.rules.payload_bytes;
        let bytes = self.machine.payload_bytes().saturating_sub(may_stay);
        // It opens again only after the store has caught up a good part. Once it has all, no payload is over.
        let is_over = |limit: u64, most_bytes: u64| rows > limit || bytes > most_bytes;
        let limit = self.desk.rules.lag_rows;
        let lagging = is_over(limit, LAG_BYTES_MAX)
            || self.desk.lagging && is_over(limit / 4 * 3, LAG_BYTES_MAX / 4 * 3);
        if lagging != self.desk.lagging {
            self.desk.lagging = lagging;
            self.shared.inbox.set_lagging(lagging);
        }
        let counters = &self.shared.counters;
        let (tasks, runs) = self.machine.rows();
        let held = self.machine.payload_bytes();
        counters
            .applied
            .store(self.machine.sequence(), Ordering::Relaxed);
        counters.payload_bytes.store(held, Ordering::Relaxed);
        counters.rows_tasks.store(tasks as u64, Ordering::Relaxed);
        counters.rows_runs.store(runs as u64, Ordering::Relaxed);
    }

    /// The store holds everything up to here.
    pub(super) fn note_stored(&mut self, sequence: u64) {
        self.desk.stored = self.desk.stored.max(sequence);
        self.desk.leaving = true;
    }

    /// Lets a piece of what is stored and finished leave memory.
    pub(super) fn let_leave(&mut self) {
        if self.desk.leaving {
            let budget = self.desk.rules.payload_bytes;
            self.desk.leaving = self.machine.stored(self.desk.stored, budget, LEAVE_ROWS);
        }
    }

    /// When the store wants the next turn, in milliseconds.
    pub(super) fn store_next_in_ms(&self) -> Option<u64> {
        if self.desk.leaving {
            return Some(0);
        }
        if self.machine.sequence() <= self.desk.cut_sequence {
            return None;
        }
        let since = self.now.steady.0.saturating_sub(self.desk.cut_at);
        Some(self.desk.rules.cut_ms.saturating_sub(since).max(1))
    }

    /// What must be looked up before this call is decided. Nothing, for most calls.
    pub(super) fn facts_before(&mut self, call: &Call) -> Facts {
        let desk = &mut self.desk;
        desk.wanted.clear();
        self.machine
            .wanted_before(&self.now, call, |wanted| desk.wanted.push(wanted));
        if desk.wanted.is_empty() {
            return Facts::default();
        }
        let wanted = std::mem::take(&mut desk.wanted);
        let facts = self.recall(call.principal.tenant, &wanted);
        self.desk.wanted = wanted;
        facts.unwrap_or_default()
    }

    /// The finished rows that these names stand for; `None` when the store holds none of them.
    pub(super) fn recall(&mut self, tenant: TenantId, wanted: &[Wanted]) -> Option<Facts> {
        let mut facts = Facts::default();
        let mut any = false;
        for wanted in wanted {
            match self.look_up(tenant, wanted, &mut facts) {
                Ok(found) => any |= found,
                Err(error) => {
                    self.desk.broken.get_or_insert(error);
                    return None;
                }
            }
        }
        any.then(|| facts.ready())
    }

    fn look_up(
        &mut self,
        tenant: TenantId,
        wanted: &Wanted,
        facts: &mut Facts,
    ) -> Result<bool, StoreError> {
        if let Wanted::Instants(ask) = wanted {
            let answer = self.calendar(ask);
            facts.add_instants((**ask).clone(), answer);
            return Ok(true);
        }
        let reader = &mut *self.desk.reader;
        let found = match wanted {
            Wanted::Instants(_) => None,
            Wanted::Run(id) => reader.run(tenant, *id)?,
            Wanted::DeadLetter(id) => match reader.run(tenant, *id)? {
                Some(found) => {
                    add_payload(reader, &found, facts)?;
                    Some(found)
                }
                None => None,
            },
            Wanted::Task(id) => reader.task(tenant, *id)?,
            Wanted::Key(..) if self.plant.keys_forgotten => return Ok(false),
            Wanted::Key(class, key) => {
                let Some(row) = reader.key(tenant, *class, key)? else {
                    return Ok(false);
                };
                let damaged =
                    |error: mainstay_core::codec::Malformed| StoreError::Damaged(error.to_string());
                facts.add_key(&row).map_err(damaged)?;
                match row.task.filter(|id| !self.machine.holds_task(tenant, *id)) {
                    Some(task) => self.desk.reader.task(tenant, task)?,
                    None => return Ok(true),
                }
            }
        };
        let Some(found) = found else {
            return Ok(matches!(wanted, Wanted::Key(..)));
        };
        reads::add_known(facts, &self.machine, &found)?;
        Ok(true)
    }
}

/// The payload of a task that was looked up, if it is stored by itself.
fn add_payload(
    reader: &mut dyn Reader,
    found: &Found,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let task = TaskColumns::read(&found.task);
    let task = task.map_err(|error| StoreError::Damaged(error.to_string()))?;
    if task.payload_stored
        && let Some(bytes) = reader.payload(task.number)?
    {
        facts.add_payload(task.number, bytes);
    }
    Ok(())
}
