//! What each event about dead letters does to the rows: the only writer of marks.
//! Owns: marks, and the way back of a task that had ended.
//! Never: fails or decides.

use super::model::Mark;
use crate::event::{DeadLetterCleared, RunRedriven, TaskReopened};
use crate::machine::Apply;
use crate::state::{At, State};
use crate::time::Timestamp;
use crate::{RunId, dependency, image, subscription, task};

impl Apply for TaskReopened {
    fn apply(&self, state: &mut State, at: &At) {
        let task = match state.find_task(at.tenant, self.task) {
            Some(task) => task,
            None => bring_back(self, state, at),
        };
        let form = &self.row.0;
        let row = &mut state.tasks[task];
        if let (None, Some(bytes)) = (row.payload.bytes(), &form.payload) {
            row.payload = task::Content::Here(bytes.clone());
            state.payload_bytes += bytes.len() as u64;
        }
        let rare = row.rare.get_or_insert_default();
        (rare.ended_at, rare.canceled_at) = (None, form.canceled_at);
        rare.runs_failed = form.runs_failed;
        rare.reopened = true;
        let key = row.extras().and_then(|extras| extras.unique_key.clone());
        if let Some(key) = key {
            state.unique.insert((at.tenant, key), task);
        }
        dependency::rejoin(state, task);
        subscription::listen_again(state, task);
        state.touch_task(task);
    }
}

/// Puts a task that has left memory back.
fn bring_back(event: &TaskReopened, state: &mut State, at: &At) -> u32 {
    let kind = state.names.intern(&event.kind);
    let queue = state.names.intern(&event.queue);
    let place = state.places.number(at.tenant, queue, kind);
    let row = image::revive(state, event.row.0.clone(), place, true);
    if row.is_heavy() && row.payload.bytes().is_some() {
        state.payload_bytes += row.payload.len() as u64;
    }
    state.insert_task(row)
}

impl Apply for RunRedriven {
    fn apply(&self, state: &mut State, at: &At) {
        let task = state.find_task(at.tenant, self.task);
        let Some(place) = task.map(|task| state.tasks[task].place) else {
            return;
        };
        settle(state, at, place, self.run, self.row_number, |mark| {
            *mark.0 = Some(self.new_run);
        });
    }
}

impl Apply for DeadLetterCleared {
    fn apply(&self, state: &mut State, at: &At) {
        let kind = state.names.intern(&self.kind);
        let queue = state.names.intern(&self.queue);
        let place = state.places.number(at.tenant, queue, kind);
        settle(state, at, place, self.run, self.row_number, |mark| {
            *mark.1 = Some(at.wall);
        });
    }
}

/// A run is a dead letter no more: its row says why, or a mark does when the row has left memory.
fn settle(
    state: &mut State,
    at: &At,
    place: u32,
    id: RunId,
    number: u64,
    set: impl FnOnce((&mut Option<RunId>, &mut Option<Timestamp>)),
) {
    state.places.count_dead(place, -1);
    if let Some(run) = state.find_run(at.tenant, id) {
        let past = state.runs[run].past_mut();
        set((&mut past.redriven_by, &mut past.cleared_at));
        state.touch_run(run);
        return;
    }
    let mut mark = Mark {
        number,
        ..Mark::default()
    };
    set((&mut mark.redriven_by, &mut mark.cleared_at));
    state.marks.insert((at.tenant, id), mark);
    state.dirty.marks.push((at.tenant, id));
    state.left_dead = state.left_dead.saturating_sub(1);
}
