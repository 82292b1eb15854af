//! Whether a run is a dead letter, in memory or not.
//! Owns: the one look-up of dead letters.
//! Never: emits.

use crate::machine::Tx;
use crate::rejection::Rejection;
use crate::state::State;
use crate::{RunId, Text};

/// A dead letter: where to look, and its handle there.
pub(super) fn find<'a>(tx: &'a Tx<'_>, id: RunId) -> Result<(&'a State, u32), Rejection> {
    let live = tx.state().find_run(tx.tenant, id);
    let found = live.map(|run| (tx.state(), run));
    let found = found.or_else(|| tx.past(id));
    let (state, run) = found.ok_or(Rejection::UnknownRun { run: id })?;
    let row = &state.runs[run];
    let settled = tx.state().marks.contains_key(&(tx.tenant, id));
    if settled || !row.is_dead_letter() {
        return Err(Rejection::NotDeadLettered {
            run: id,
            state: row.state,
        });
    }
    Ok((state, run))
}

/// Kind and queue of a task.
pub(super) fn place_of(state: &State, task: u32) -> (Text, Text) {
    let place = &state.places[state.tasks[task].place];
    let text = |symbol| state.names.text(symbol).clone();
    (text(place.kind), text(place.queue))
}
