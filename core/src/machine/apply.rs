//! The one door through which events change state.
//! Owns: the frame around every event's `apply`: its number and its time.
//! Never: fails; an event that was emitted or logged is a fact.

use crate::event::Event;
use crate::state::{At, State};

/// What an event does to the state. Implemented once per event, in its room's `apply.rs`.
pub(crate) trait Apply {
    fn apply(&self, state: &mut State, at: &At);
}

/// Numbers the event and applies it.
pub(crate) fn apply(state: &mut State, mut at: At, event: &Event) {
    state.sequence += 1;
    state.wall = at.wall;
    state.steady = at.steady;
    at.sequence = state.sequence;
    event.apply(state, &at);
}
