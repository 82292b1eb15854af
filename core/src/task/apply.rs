//! What each event about tasks does to their rows: the only writer of those rows.
//! Owns: the task table.
//! Never: fails or decides.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::model::{Content, Handle, Policy, Rare, Row, TaskSpec};
use super::submit::request_digest;
use crate::dependency;
use crate::event::{SubmitRecorded, TaskCanceled, TaskCreated, TaskUpdated};
use crate::image::KeyClass;
use crate::machine::Apply;
use crate::schedule::{self, Clockwork};
use crate::state::{At, Held, State};
use crate::{Text, budget, run};

impl Apply for TaskCreated {
    fn apply(&self, state: &mut State, at: &At) {
        let spec = &self.spec;
        let kind = state.names.intern(&spec.kind);
        let queue = state.names.intern(&spec.queue);
        let (created_by, stranger) = state.person(&self.by);
        let own = spec.policy.as_deref();
        let own = own.filter(|policy| **policy != Policy::default());
        let row = Row {
            id: self.task,
            number: at.sequence,
            place: state.places.number(at.tenant, queue, kind),
            priority: spec.priority,
            payload: Content::Here(spec.payload.bytes.clone()),
            binary: spec.payload.binary,
            dirty: false,
            stored: false,
            created_at: at.wall,
            created_by,
            rare: rare(spec, own, stranger),
            run: Handle::NONE,
            runs_total: 0,
            runs_live: 0,
            runs_completed: 0,
        };
        if row.is_heavy() {
            state.payload_bytes += row.payload.len() as u64;
        }
        let task = state.insert_task(row);
        state.touch_task(task);
        state.count_task(state.tasks[task].place);
        if let Some(bonds) = spec.bonds.as_deref() {
            dependency::tie(state, at.tenant, task, bonds);
        }
        let unique = spec.extras.as_ref();
        if let Some(key) = unique.and_then(|extras| extras.unique_key.clone()) {
            state.unique.insert((at.tenant, key), task);
        }
        if let Some(key) = spec
            .extras
            .as_ref()
            .and_then(|extras| extras.idempotency_key.clone())
        {
            let held = Held {
                digest: request_digest(spec),
                task: Some(self.task),
                ..Held::default()
            };
            let scope = (at.tenant, KeyClass::Submit, key);
            state.keys.hold(scope, at.wall, held);
        }
    }
}

/// What a new task has that most do not have.
fn rare(spec: &TaskSpec, own: Option<&Policy>, stranger: Option<Text>) -> Option<Box<Rare>> {
    let is_plain = own.is_none()
        && spec.extras.is_none()
        && spec.schedule.is_none()
        && spec.bonds.is_none()
        && stranger.is_none();
    if is_plain {
        return None;
    }
    let bonds = spec.bonds.as_deref();
    let rare = Rare {
        policy: own.cloned().map(Box::new),
        extras: spec.extras.clone(),
        created_by: stranger,
        budgets: bonds.map_or_else(Vec::new, |bonds| budget::open(&bonds.budgets)),
        clockwork: spec.schedule.clone().map(Clockwork::new).map(Box::new),
        ..Rare::default()
    };
    rare.boxed()
}

impl Apply for SubmitRecorded {
    fn apply(&self, state: &mut State, at: &At) {
        let held = Held {
            digest: self.digest,
            task: Some(self.task),
            ..Held::default()
        };
        let scope = (at.tenant, KeyClass::Submit, self.key.clone());
        state.keys.hold(scope, at.wall, held);
    }
}

impl Apply for TaskCanceled {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(task) = state.find_task(at.tenant, self.task) {
            let has_ended = state.tasks[task].state().is_terminal();
            let rare = state.tasks[task].rare.get_or_insert_default();
            rare.canceled_at = Some(at.wall);
            schedule::stop(state, task);
            state.touch_task(task);
            if !has_ended {
                state.conclude(at, task);
            }
        }
    }
}

impl Apply for TaskUpdated {
    fn apply(&self, state: &mut State, at: &At) {
        let Some(task) = state.find_task(at.tenant, self.task) else {
            return;
        };
        if let Some(priority) = self.priority {
            run::reprioritize(state, task, priority);
        }
        let rare = state.tasks[task].rare.get_or_insert_default();
        rare.updated_at = Some(at.wall);
        if self.tags.is_some() || self.description.is_some() {
            let extras = rare.extras.get_or_insert_default();
            if let Some(tags) = &self.tags {
                extras.tags.clone_from(&tags.tags);
            }
            if let Some(description) = &self.description {
                extras.description = Some(description.clone()).filter(|text| !text.is_empty());
            }
        }
        state.touch_task(task);
    }
}
