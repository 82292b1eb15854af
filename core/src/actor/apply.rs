//! What each event about actors does to their rows: the only writer of those rows.
//! Owns: actors.
//! Never: fails or decides.

use super::model::Row;
use crate::event::{ActorDeregistered, ActorDraining, ActorRegistered};
use crate::id::Minted;
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for ActorRegistered {
    fn apply(&self, state: &mut State, at: &At) {
        if !self.chosen {
            state.minted = state.minted.max(Minted::of(self.actor.0));
        }
        let mut row = Row {
            tenant: at.tenant,
            id: self.actor,
            number: at.sequence,
            identity: self.identity.clone(),
            capabilities: self.capabilities.clone(),
            department: self.department.clone(),
            heartbeat_interval_ms: self.heartbeat_interval_ms,
            registered: at.steady,
            registered_at: at.wall,
            registered_by: self.by.clone(),
            draining_since: None,
            armed: at.steady,
        };
        row.armed = row.gone_at(at.steady);
        state.actors.insert(row);
        state.touch_actor(at.tenant, self.actor);
    }
}

impl Apply for ActorDraining {
    fn apply(&self, state: &mut State, at: &At) {
        let number = state.actors.find(at.tenant, self.actor);
        let number = number.map_or(0, |row| row.number);
        if let Some(row) = state.actors.get_mut(number) {
            row.draining_since = Some(at.wall);
            state.touch_actor(at.tenant, self.actor);
        }
    }
}

impl Apply for ActorDeregistered {
    fn apply(&self, state: &mut State, at: &At) {
        state.actors.remove(at.tenant, self.actor);
        // What it was given ends with it: whoever registers under its id later begins with nothing.
        state.access.forget(at.tenant, self.actor);
        state.touch_actor(at.tenant, self.actor);
    }
}
