//! The story verbs of actors: who registers, who leaves, who is there.

use mainstay_core::{
    ActorId, ActorView, Answer, Command, Event, Outcome, Query, Registration, Text,
};

use super::line::Line;
use super::show::{Names, text};
use super::world::World;

impl Names {
    pub(crate) fn actor(&self, id: ActorId) -> &str {
        self.actors.get(&id).map_or("?", String::as_str)
    }

    /// What an event about actors says beside its name.
    pub(crate) fn actor_fact(&self, event: &Event) -> String {
        match event {
            Event::ActorRegistered(e) => format!(
                "{} able={} every={} department={} by={}",
                e.identity,
                e.capabilities.join(","),
                e.heartbeat_interval_ms,
                text(e.department.as_ref()),
                e.by
            ),
            Event::ActorDraining(e) => format!("{} by={}", self.actor(e.actor), e.by),
            Event::ActorDeregistered(e) => format!(
                "{} cause={:?} by={}",
                self.actor(e.actor),
                e.cause,
                text(Some(&e.by))
            ),
            told => format!("{told:?}"),
        }
    }
}

impl World {
    /// `register name=gpu able=cuda every=10s`: the actor is called by its identity; one that left may be called so again.
    pub(crate) fn register(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["name", "id", "able", "every", "in", "by"])?;
        let name = line.get("name")?.to_owned();
        let told = Registration {
            actor: line.number::<u128>("id")?.map(ActorId),
            identity: Text::from(name.as_str()),
            capabilities: line.list("able").into_iter().map(Text::from).collect(),
            department: line.find("in").map(Text::from),
            heartbeat_interval_ms: line.span("every")?.unwrap_or(10_000),
        };
        let outcome = self.step(line, Command::RegisterActor(Box::new(told)));
        if let Ok(Outcome::ActorRegistered(actor)) = &outcome {
            self.names.actors.retain(|_, known| *known != name);
            self.names.actors.insert(*actor, name.clone());
        }
        Ok(self.tell_outcome(&name, outcome))
    }

    pub(crate) fn actor_called(&self, name: &str) -> ActorId {
        let mut known = self.names.actors.iter();
        let known = known.find(|(_, known)| *known == name);
        known.map_or(ActorId(0xdead), |(id, _)| *id)
    }

    /// `drain actor=gpu`, `leave actor=gpu`, `alive actor=gpu`.
    pub(crate) fn employ(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["actor", "reason", "by"])?;
        let actor = self.actor_called(line.get("actor")?);
        let reason = line.find("reason").map(Text::from);
        let command = match line.verb.as_str() {
            "drain" => Command::DrainActor { actor, reason },
            "leave" => Command::DeregisterActor { actor, reason },
            _ => Command::BeatActor { actor },
        };
        Ok(self.answer(line, line.get("actor")?, command))
    }

    /// What a command about actors answered.
    pub(crate) fn actor_outcome(&self, name: &str, outcome: &Outcome) -> String {
        match outcome {
            Outcome::ActorRegistered(_) => format!("registered {name}"),
            Outcome::ActorBeat(beat) => format!(
                "{} {name} until={}",
                beat.directive.name(),
                self.names.instant(beat.expires_at)
            ),
            Outcome::ActorDraining(drain) => {
                let already = if drain.already { "already_" } else { "" };
                format!("{already}draining {name} leases={}", drain.leases)
            }
            Outcome::ActorDeregistered { leases } => format!("left {name} leases={leases}"),
            told => format!("{told:?}"),
        }
    }

    fn tell_actor(&self, view: &ActorView) -> String {
        format!(
            "{} able={} in={} heard={} draining={} leases={}",
            view.identity,
            view.capabilities.join(","),
            text(view.department.as_ref()),
            self.names.instant(view.last_heard_at),
            view.draining_since
                .map_or("-".into(), |at| self.names.instant(at)),
            view.leases
        )
    }

    pub(crate) fn show_actor(&self, line: &Line) -> Result<String, String> {
        line.only(&["actor"])?;
        let id = self.actor_called(line.get("actor")?);
        Ok(match self.ask(Query::Actor(id)) {
            Answer::Actor(view) => self.tell_actor(&view),
            _ => "absent".into(),
        })
    }

    /// The tenant's actors by id, in pages of two.
    pub(crate) fn show_actors(&self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let (mut shown, mut after) = (Vec::new(), None);
        loop {
            let (all, limit) = (false, 2);
            let Answer::Actors(page) = self.ask(Query::Actors { all, after, limit }) else {
                return Ok("absent".into());
            };
            let Some(last) = page.last() else {
                break;
            };
            after = Some((last.tenant, last.id));
            shown.extend(page.iter().map(|view| self.tell_actor(view)));
        }
        Ok(match shown.is_empty() {
            true => "nobody".into(),
            false => shown.join("; "),
        })
    }

    pub(crate) fn show_workforce(&self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let Answer::Workforce(told) = self.ask(Query::Workforce) else {
            return Ok("absent".into());
        };
        Ok(format!(
            "workforce actors={} draining={} idle={} unserved={} passed_by={}",
            told.actors, told.draining, told.idle, told.unserved, told.passed_by
        ))
    }
}
