//! A task's row made again from its image: by a load, and when a task that had ended goes on.
//! Owns: the way from an image to a row, and the form in which an event carries one.
//! Never: puts the row into an index.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::form::TaskForm;
use super::write::put_task;
use crate::codec::{Malformed, Record};
use crate::state::State;
use crate::{Bytes, task};

/// A task's row as an event carries it, when the task may have left memory: all that is known of it, its payload included. Nobody
/// outside reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revived(pub(crate) TaskForm);

impl Record for Revived {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn read(body: &[u8]) -> Result<Revived, Malformed> {
        let form = TaskForm::read(body)?;
        // None of its runs is live: it had ended.
        Ok(Revived(TaskForm {
            runs_live: 0,
            ..form
        }))
    }
}

impl Revived {
    /// A task that goes on: as its row stands, but not ended. `payload` is given when the row does not have it.
    pub(crate) fn of(state: &State, task: u32, payload: Option<Bytes>) -> Revived {
        let mut image = Vec::new();
        let row = &state.tasks[task];
        put_task(state, row, &mut image);
        // A row's own image can be read.
        let mut form = TaskForm::read(&image).unwrap_or_default();
        let kept = row.payload.bytes().cloned().or(payload);
        form.payload = kept.filter(|bytes| bytes.len() == row.payload.len());
        form.runs_live = 0;
        // What differs between processes, and what its end had set.
        (form.place, form.phase, form.ended_at) = (0, 0, None);
        Revived(form)
    }
}

/// The row of an image. `stored` says that a store has it.
pub(crate) fn revive(state: &mut State, form: TaskForm, place: u32, stored: bool) -> task::Row {
    let (created_by, stranger) = state.person(&form.created_by);
    task::Row {
        id: form.id,
        number: form.number,
        place,
        priority: form.priority,
        payload: match form.payload {
            Some(bytes) => task::Content::Here(bytes),
            None => task::Content::Stored(form.payload_bytes),
        },
        binary: form.binary,
        dirty: false,
        stored,
        created_at: form.created_at,
        created_by,
        rare: task::Rare {
            policy: form.policy,
            extras: form.extras,
            canceled_at: form.canceled_at,
            created_by: stranger,
            runs: BTreeMap::new(),
            ended_at: form.ended_at,
            updated_at: form.updated_at,
            clockwork: form.clockwork,
            bond: form.bond,
            budgets: form.budgets,
            subscriptions: form.subscriptions,
            runs_failed: form.runs_failed,
            cut_through: 0,
            reopened: false,
        }
        .boxed(),
        run: task::Handle::NONE,
        runs_total: form.runs_total,
        runs_live: form.runs_live,
        runs_completed: form.runs_completed,
    }
}
