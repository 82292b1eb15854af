//! What each event about tasks does to their rows: the only writer of those rows.
//! Owns: the task table.
//! Never: fails or decides.

use alloc::boxed::Box;

use super::model::{Policy, Row};
use super::submit::request_digest;
use crate::event::{TaskCanceled, TaskCreated};
use crate::machine::Apply;
use crate::state::{At, Held, KeyClass, State};
use crate::time::Timestamp;

impl Apply for TaskCreated {
    fn apply(&self, state: &mut State, at: &At) {
        let spec = &self.spec;
        let row = Row {
            id: self.task,
            tenant: at.tenant,
            kind: state.names.intern(&spec.kind),
            queue: state.names.intern(&spec.queue),
            priority: spec.priority,
            payload: spec.payload.clone(),
            created_at: at.wall,
            created_by: self.by.clone(),
            canceled_at: None,
            policy: spec
                .policy
                .as_deref()
                .filter(|policy| **policy != Policy::default())
                .cloned()
                .map(Box::new),
            extras: spec.extras.clone(),
            run: None,
            runs_total: 0,
            runs_live: 0,
            runs_completed: 0,
        };
        let task = state.insert_task(row);
        state.stats.tasks_total += 1;
        if let Some(key) = spec
            .extras
            .as_ref()
            .and_then(|extras| extras.idempotency_key.clone())
        {
            let held = Held {
                digest: request_digest(spec),
                until: Timestamp(0),
                task,
                claim: None,
            };
            state
                .keys
                .hold(at.tenant, KeyClass::Submit, key, at.wall, held);
        }
    }
}

impl Apply for TaskCanceled {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(task) = state.find_task(at.tenant, self.task) {
            state.tasks[task].canceled_at = Some(Box::new(at.wall));
        }
    }
}
