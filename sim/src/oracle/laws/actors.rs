//! The laws of actors: silence is not shorter than three intervals, who drains gets nothing, who is gone holds nothing.

use mainstay::{ActorId, Claim, Departure, Event, RunId, Text};

use super::model::{Actor, Laws};
use crate::oracle::model::{Verdict, demand};

impl Laws {
    /// An actor registers, drains or leaves.
    pub(super) fn employed(&mut self, event: &Event) -> Verdict {
        let steady = self.steady;
        match event {
            Event::ActorRegistered(fact) => {
                let new = Actor {
                    capabilities: fact.capabilities.clone(),
                    patience_ms: fact.heartbeat_interval_ms * 3,
                    heard: steady,
                    draining: false,
                };
                demand!(
                    !fact.capabilities.is_empty(),
                    "actor {} is able to do nothing",
                    fact.actor
                );
                demand!(fact.actor.0 > self.last_id, "an id that does not grow");
                self.last_id = fact.actor.0;
                let before = self.actors.insert(fact.actor, new);
                demand!(before.is_none(), "actor {} again", fact.actor);
            }
            Event::ActorDraining(fact) => {
                let known = self.actors.get_mut(&fact.actor);
                let known = known.ok_or("an actor drains that is not there")?;
                demand!(!known.draining, "actor {} drains twice", fact.actor);
                known.draining = true;
            }
            Event::ActorDeregistered(fact) => {
                let known = self.actors.remove(&fact.actor);
                let known = known.ok_or("an actor left that was not there")?;
                let silent_ms = steady - known.heard;
                demand!(
                    fact.cause != Departure::Silent || silent_ms >= known.patience_ms,
                    "actor {} was silent for {silent_ms} ms, not for {}",
                    fact.actor,
                    known.patience_ms
                );
            }
            _ => {}
        }
        Ok(())
    }

    /// A process begins: nobody could be heard of before.
    pub(super) fn heard_of_all(&mut self) {
        let steady = self.steady;
        for actor in self.actors.values_mut() {
            actor.heard = steady;
        }
    }

    /// A run was granted to an actor, or to nobody who is registered.
    pub(super) fn taken_by(&mut self, run: RunId, actor: Option<ActorId>) -> Verdict {
        let Some(id) = actor else {
            return Ok(());
        };
        let steady = self.steady;
        let known = self.actors.get_mut(&id);
        let known = known.ok_or("a run was granted to an actor that is gone")?;
        demand!(!known.draining, "run {run} was granted to a draining actor");
        known.heard = steady;
        if let Some(lease) = self.run_mut(run)?.lease.as_mut() {
            lease.actor = actor;
        }
        Ok(())
    }

    /// What a claim asks with; nothing when whoever claims gets nothing.
    pub(super) fn able(&self, claim: &Claim) -> Option<Vec<Text>> {
        let Some(actor) = claim.actor else {
            return Some(claim.capabilities.clone());
        };
        let known = self.actors.get(&actor).filter(|known| !known.draining)?;
        Some(match claim.capabilities.is_empty() {
            true => known.capabilities.clone(),
            false => claim.capabilities.clone(),
        })
    }

    /// Between two commands nobody holds a run who is registered no more.
    pub(super) fn nobody_gone_holds(&self) -> Verdict {
        for (id, run) in &self.runs {
            let holder = run.lease.as_ref().and_then(|lease| lease.actor);
            demand!(
                holder.is_none_or(|actor| self.actors.contains_key(&actor)),
                "run {id} is held by an actor that is gone"
            );
        }
        Ok(())
    }
}
