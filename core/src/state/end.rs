//! The end of a task, as every row and index hears of it.
//! Owns: the moment at which a task has ended, noted once.
//! Never: decides; `apply` calls it.

use super::{At, Note, State};
use crate::time::Timestamp;
use crate::{dependency, subscription};

impl State {
    /// When a task ended; `None` while it has not.
    pub(crate) fn ended_at(&self, task: u32) -> Option<Timestamp> {
        let row = &self.tasks[task];
        if row.is_live() {
            return None;
        }
        let noted = row.rare.as_deref().and_then(|rare| rare.ended_at);
        let past = row.run.get().and_then(|run| self.runs[run].past.as_ref());
        let last = past.and_then(|past| past.changes.back());
        Some(noted.unwrap_or_else(|| last.map_or(row.created_at, |change| change.at)))
    }

    /// Whether what happens to a task means something to others: to tasks it is bound to, to its schedule, to those who subscribed to
    /// anything. What happens to most tasks does not.
    pub(crate) fn is_followed(&self, task: u32) -> bool {
        let rare = self.tasks[task].rare.as_deref();
        let is_bound = rare.is_some_and(|rare| rare.bond.is_some() || rare.clockwork.is_some());
        is_bound || !self.watches.is_empty()
    }

    /// To be called by `apply` after anything by which a task may have ended: its end is noted once.
    pub(crate) fn settle(&mut self, at: &At, task: u32) {
        self.touch_task(task);
        let row = &self.tasks[task];
        if row.rare.is_none() && self.watches.is_empty() {
            // Nobody waits for its end, and its last run knows when that was.
            return;
        }
        let noted = row
            .rare
            .as_deref()
            .is_some_and(|rare| rare.ended_at.is_some());
        // The end of a canceled task was noted with its cancel.
        if row.canceled_at().is_none() && !noted && row.state().is_terminal() {
            self.conclude(at, task);
        }
    }

    /// Notes that a task has ended: for those who wait for it, and for the day it leaves memory.
    pub(crate) fn conclude(&mut self, at: &At, task: u32) {
        let row = &mut self.tasks[task];
        let many = row.runs_total > 1;
        let mut bonded = false;
        if let Some(rare) = row.rare.as_deref_mut() {
            bonded = rare.bond.is_some();
            if many || bonded || rare.clockwork.is_some() {
                rare.ended_at = Some(at.wall);
            }
        }
        let key = row.extras().and_then(|extras| extras.unique_key.clone());
        if let Some(key) = key {
            let scope = (at.tenant, key);
            if self.unique.get(&scope) == Some(&task) {
                self.unique.remove(&scope);
            }
        }
        subscription::forget(self, task);
        if self.is_followed(task) {
            self.notes.push(Note::TaskEnded(task));
        }
        if bonded {
            dependency::ended(self, at, task);
        }
    }
}
