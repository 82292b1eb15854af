//! Dead letters that retention comes to: they go once an event says that they are cleared away.
//! Owns: which of them are to be cleared.
//! Never: removes one: the log counts them.

use mainstay_core::{RunId, TenantId};
use rusqlite::{CachedStatement, Connection, params};

use super::fault::{OrFault, Outcome};

/// So many are named between two questions; the next pass finds the rest.
const NAMED_MAX: usize = 500;

/// Dead letters whose time is over.
#[derive(Debug, Default)]
pub(super) struct Overdue(Vec<(TenantId, RunId)>);

impl Overdue {
    /// Names the dead letters of a finished task.
    pub(super) fn of_task(&mut self, connection: &Connection, task: i64) -> Outcome<()> {
        let find = connection
            .prepare_cached(
                "SELECT t.text, r.id FROM run_row r JOIN names t ON t.id = r.tenant WHERE r.number = ?1 + 1 AND r.task = ?1 AND r.dead = 1 \
                 UNION ALL SELECT t.text, r.id FROM run_row r JOIN names t ON t.id = r.tenant \
                 WHERE r.task = ?1 AND r.task <> r.number - 1 AND r.dead = 1 LIMIT ?2",
            )
            .or_fault()?;
        self.name(find, task)
    }

    /// Names one dead letter.
    pub(super) fn of_run(&mut self, connection: &Connection, run: i64) -> Outcome<()> {
        let find = connection
            .prepare_cached(
                "SELECT t.text, r.id FROM run_row r JOIN names t ON t.id = r.tenant WHERE r.number = ?1 AND r.dead = 1 LIMIT ?2",
            )
            .or_fault()?;
        self.name(find, run)
    }

    fn name(&mut self, mut find: CachedStatement<'_>, number: i64) -> Outcome<()> {
        let room = NAMED_MAX.saturating_sub(self.0.len());
        let mut rows = find.query(params![number, room as i64]).or_fault()?;
        while let Some(row) = rows.next().or_fault()? {
            let tenant: String = row.get(0).or_fault()?;
            let run = RunId(u128::from_be_bytes(row.get(1).or_fault()?));
            if let Ok(tenant) = tenant.parse() {
                self.0.push((tenant, run));
            }
        }
        Ok(())
    }

    /// Those named since this was asked last.
    pub(super) fn take(&mut self) -> Vec<(TenantId, RunId)> {
        std::mem::take(&mut self.0)
    }
}
