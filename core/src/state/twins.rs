//! Two rows of one id in one log: the first was finished, and forgotten by the store, before the second was made.
//! Owns: how memory forgets the first too.
//! Never: forgets what has not ended.

use alloc::vec::Vec;

use super::model::State;
use crate::{RunId, TaskId};

impl State {
    /// Makes way for a task of the same id. Two can only be in one log when a store forgot the first, long finished, between them: then
    /// memory forgets it too, and no cut holds it any more.
    pub(super) fn forget_twin(&mut self, tenant: u32, id: TaskId) {
        let Some(task) = self.find_task(tenant, id) else {
            return;
        };
        let row = &self.tasks[task];
        if row.is_live() {
            return;
        }
        if row.is_heavy() && row.payload.bytes().is_some() {
            self.payload_bytes -= row.payload.len() as u64;
        }
        let runs: Vec<u32> = row.runs().collect();
        for run in runs {
            self.left[self.runs[run].state as usize] += 1;
            self.left_dead += u64::from(self.runs[run].is_dead_letter());
            self.dirty.runs.retain(|other| *other != run);
            for pending in &mut self.pending {
                pending.forget_run(run);
            }
            self.remove_run(run);
        }
        self.dirty.tasks.retain(|other| *other != task);
        for pending in &mut self.pending {
            pending.forget_task(task);
        }
        self.remove_task(task);
    }

    /// The same for a run: with its task when that has ended, alone when it has not.
    pub(crate) fn forget_twin_run(&mut self, tenant: u32, id: RunId) {
        let Some(run) = self.find_run(tenant, id) else {
            return;
        };
        let (task, state) = (self.runs[run].task, self.runs[run].state);
        if !self.tasks[task].is_live() {
            self.forget_twin(tenant, self.tasks[task].id);
        } else if state.is_terminal() {
            self.left[state as usize] += 1;
            self.left_dead += u64::from(self.runs[run].is_dead_letter());
            self.dirty.runs.retain(|other| *other != run);
            for pending in &mut self.pending {
                pending.forget_run(run);
            }
            self.remove_run(run);
        }
    }
}
