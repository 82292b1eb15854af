//! Bugs of actors: who is gone keeps runs, who is only quiet is missed, who drains is granted more.

use std::collections::BTreeMap;

use mainstay::events::ActorDeregistered;
use mainstay::{
    ActorId, Answer, Call, Command, Departure, Event, Events, Facts, Machine, Meddler, Now,
    Outcome, Query, Rejection, TenantId, Woken,
};

use super::bend::{Bug, Scene, fact};

type Decided = Result<Outcome, Rejection>;

/// Whoever leaves or falls silent keeps what it holds.
pub(crate) struct KeepsRuns;

impl Bug for KeepsRuns {
    fn bend(&mut self, _: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let leaves = |event: &Event| matches!(event, Event::ActorDeregistered(_));
        if !events.iter().any(|entry| leaves(&entry.event)) {
            return false;
        }
        let before = events.len();
        events.retain(|entry| leaves(&entry.event));
        events.len() < before
    }
}

/// One interval of silence is enough.
#[derive(Default)]
pub(crate) struct Impatient {
    /// Actors with their interval, and when they were last heard of as far as events tell.
    heard: BTreeMap<ActorId, (u64, u64)>,
    steady_ms: u64,
}

impl Bug for Impatient {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        self.steady_ms = scene.now.steady.0;
        if !matches!(scene.asked.command, Command::Tick) {
            return false;
        }
        let quiet = self.heard.iter().find(|(_, (interval, at))| {
            let silent_ms = self.steady_ms - at;
            (*interval..interval * 3).contains(&silent_ms)
        });
        let Some((&actor, _)) = quiet else {
            return false;
        };
        let is_idle = matches!(super::bend::ask(scene.after, scene.now, Query::Actor(actor)),
            Answer::Actor(view) if view.leases == 0);
        if is_idle {
            events.push(fact(ActorDeregistered {
                actor,
                cause: Departure::Silent,
                ..ActorDeregistered::default()
            }));
        }
        is_idle
    }

    fn watch(&mut self, event: &Event) {
        match event {
            Event::ActorRegistered(fact) => {
                let known = (fact.heartbeat_interval_ms, self.steady_ms);
                self.heard.insert(fact.actor, known);
            }
            Event::ActorDeregistered(fact) => {
                self.heard.remove(&fact.actor);
            }
            Event::RunStarted(fact) => {
                if let Some(known) = fact.actor.and_then(|actor| self.heard.get_mut(&actor)) {
                    known.1 = self.steady_ms;
                }
            }
            _ => {}
        }
    }
}

/// Whoever drains is granted what it asks for.
pub(crate) struct DrainIgnored;

impl Meddler for DrainIgnored {
    fn decide(
        &mut self,
        machine: &mut Machine,
        now: &Now,
        facts: &Facts,
        call: &mut Call,
        events: &mut Events,
        woken: &mut Vec<Woken>,
    ) -> Decided {
        let Some(actor) = draining(machine, now, call) else {
            return machine.step_into(now, facts, call, events);
        };
        let before = machine.clone();
        let mut asked = call.clone();
        if let Command::Claim(claim) = &mut asked.command {
            claim.actor = None;
        }
        let decided = machine.step_into(now, facts, &mut asked, events);
        for entry in events.iter_mut() {
            if let Event::RunStarted(fact) = &mut entry.event {
                fact.actor = Some(actor);
            }
        }
        machine.take_woken(woken);
        *machine = before;
        events.iter().for_each(|entry| machine.replay(now, entry));
        decided
    }
}

/// The draining actor of the default tenant that claims.
fn draining(machine: &Machine, now: &Now, call: &Call) -> Option<ActorId> {
    let Command::Claim(claim) = &call.command else {
        return None;
    };
    if call.principal.tenant != TenantId::DEFAULT || claim.all_tenants {
        return None;
    }
    let actor = claim.actor?;
    match super::bend::ask(machine, now, Query::Actor(actor)) {
        Answer::Actor(view) if view.draining_since.is_some() => Some(actor),
        _ => None,
    }
}
