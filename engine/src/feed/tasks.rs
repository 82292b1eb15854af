//! Which task a run is of: events about runs name the run alone.
//! Owns: a bounded memory of what was seen or looked up.
//! Never: decides anything; what it forgets is looked up again.

use std::collections::HashMap;

use mainstay_core::{Event, RunId, TaskColumns, TaskId, TenantId};
use mainstay_store::Reader;

use super::frame::Told;

/// Runs of one generation; two are kept.
const GENERATION_MAX: usize = 1 << 16;

type Known = HashMap<(TenantId, RunId), Option<TaskId>>;

/// What is known of runs.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    young: Known,
    old: Known,
}

impl Tasks {
    pub(super) fn note(&mut self, tenant: TenantId, run: RunId, task: Option<TaskId>) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert((tenant, run), task);
    }

    /// The task, `Some(None)` when it is known that nothing knows it.
    pub(super) fn find(&self, tenant: TenantId, run: RunId) -> Option<Option<TaskId>> {
        let key = (tenant, run);
        self.young.get(&key).or_else(|| self.old.get(&key)).copied()
    }

    /// Remembers the runs that were made in a frame.
    pub(super) fn learn(&mut self, told: &Told) {
        for entry in &told.entries {
            if let Event::RunCreated(created) = &entry.event {
                self.note(entry.tenant, created.run, Some(created.task));
            }
        }
    }
}

/// The task of a run that the store holds.
pub(crate) fn stored_task(reader: &mut dyn Reader, tenant: TenantId, run: RunId) -> Option<TaskId> {
    let found = reader.run(tenant, run).ok().flatten()?;
    TaskColumns::read(&found.task).ok().map(|task| task.id)
}
