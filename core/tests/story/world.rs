//! The world of one story: a machine, its log, and the names that the story gives to tasks, runs and tokens.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Call, Command, Cut, Entry, Event, EventKind, Fence, Machine, Now, Outcome, Principal,
    Rejection, RunId, Steady, TaskId, TaskSpec, Text, Timestamp,
};

use super::line::{Line, Story};
use super::show::Names;
use crate::shelf::Shelf;

/// Recorded time at `0s`: 2027-01-15T08:00:00Z.
const BASE_MS: u64 = 1_800_000_000_000;

/// A machine with everything a story has said so far.
pub(crate) struct World {
    pub(crate) machine: Machine,
    pub(crate) now: Now,
    pub(crate) names: Names,
    pub(crate) fences: BTreeMap<u64, Fence>,
    pub(crate) incarnation: u64,
    /// By how much recorded time runs ahead of steady time.
    pub(crate) ahead_ms: u64,
    pub(crate) last_events: Vec<Entry>,
    log: Vec<(Now, Entry)>,
    pub(crate) shelf: Shelf,
    /// Cuts that are not committed yet.
    pub(crate) waiting: Vec<Cut>,
    /// Tasks for the next batch, with their names.
    pub(crate) gathered: Vec<(String, Option<TaskId>, TaskSpec)>,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            machine: Machine::new(7),
            now: Now::default(),
            names: Names {
                base_ms: BASE_MS,
                ..Names::default()
            },
            fences: BTreeMap::new(),
            incarnation: 0,
            ahead_ms: 0,
            last_events: Vec::new(),
            log: Vec::new(),
            shelf: Shelf::default(),
            waiting: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// Tells a whole story and gives the kinds of events that came of it; the first line that went otherwise is the error.
    pub(crate) fn tell(story: &Story) -> Result<BTreeSet<EventKind>, (usize, String)> {
        let mut world = World::new();
        for line in &story.lines {
            let got = world.line(line);
            let state = || world.describe();
            match got {
                Ok(got) if line.expects(&got) => {}
                Ok(got) => {
                    let text = format!(
                        "expected: {}\n       got: {got}\n{}",
                        line.expected,
                        state()
                    );
                    return Err((line.number, text));
                }
                Err(error) => return Err((line.number, format!("{error}\n{}", state()))),
            }
        }
        let last = story.lines.last().map_or(story.number, |line| line.number);
        world.check_replay().map_err(|error| (last, error))?;
        let kinds = world.log.iter().map(|(_, entry)| entry.event.kind());
        Ok(kinds.collect())
    }

    fn line(&mut self, line: &Line) -> Result<String, String> {
        self.set_time(line.at_ms)?;
        let got = self.act(line)?;
        self.machine
            .verify()
            .map_err(|error| format!("verify: {error}"))?;
        Ok(got)
    }

    pub(crate) fn set_time(&mut self, at_ms: u64) -> Result<(), String> {
        if Steady(at_ms) < self.now.steady {
            return Err("time runs backwards".into());
        }
        self.now = Now {
            wall: Timestamp(BASE_MS + self.ahead_ms + at_ms),
            steady: Steady(at_ms),
            id_seed: at_ms,
        };
        Ok(())
    }

    /// One command as the person or program `by`.
    pub(crate) fn step(&mut self, line: &Line, command: Command) -> Result<Outcome, Rejection> {
        let mut call = Call::new(command);
        if let Some(by) = line.find("by") {
            call.principal = Principal {
                name: Text::from(by),
                ..Principal::default()
            };
        }
        call.principal.may = super::access::may(line);
        call.expected_sequence = line.number("at_sequence").unwrap_or_default();
        call.expected_state = line
            .find("in_state")
            .and_then(mainstay_core::RunState::from_name);
        let before = (self.machine.digest_all(), self.machine.sequence());
        let (step, _) = self.shelf.step(&mut self.machine, &self.now, call);
        if step.outcome.is_err() || step.events.is_empty() {
            let after = (self.machine.digest_all(), self.machine.sequence());
            assert!(
                before == after && step.events.is_empty(),
                "a command without events changed the state"
            );
        }
        for entry in &step.events {
            if let Some(fence) = granted(&entry.event) {
                let before = self.fences.insert(fence.counter, fence);
                assert!(before.is_none(), "a token was issued twice");
            }
            self.log.push((self.now, entry.clone()));
        }
        self.last_events = step.events;
        self.name_runs();
        step.outcome
    }

    /// A fresh machine from the log alone, as a process start makes it.
    pub(crate) fn replayed(&self) -> Machine {
        let mut machine = Machine::new(1234);
        for (now, entry) in &self.log {
            machine.replay(now, entry);
        }
        machine
    }

    /// A machine from what was committed and the log after it.
    pub(crate) fn reloaded(&self, fresh: bool) -> Machine {
        let mut machine = self.shelf.load(4321, fresh);
        for (now, entry) in &self.log[machine.sequence() as usize..] {
            machine.replay(now, entry);
        }
        machine
    }

    pub(crate) fn check_replay(&self) -> Result<(), String> {
        let replayed = self.replayed();
        replayed
            .verify()
            .map_err(|error| format!("verify after replay: {error}"))?;
        let whole = replayed.rows() == self.machine.rows();
        if whole && replayed.digest_all() != self.machine.digest_all()
            || replayed.digest() != self.machine.digest()
        {
            return Err("a replay of all events gives another state".into());
        }
        self.shelf.check_round_trip();
        let reloaded = self.reloaded(false);
        reloaded
            .verify()
            .map_err(|error| format!("verify after reload: {error}"))?;
        if reloaded.digest() != self.machine.digest() {
            return Err("what was committed and the log after it give another state".into());
        }
        Ok(())
    }

    pub(crate) fn run(&self, line: &Line) -> Result<RunId, String> {
        Ok(self.run_called(line.get("run")?))
    }

    pub(crate) fn run_called(&self, name: &str) -> RunId {
        let known = self.names.runs.iter().find(|(_, known)| *known == name);
        known.map_or(RunId(0xdead), |(id, _)| *id)
    }

    pub(crate) fn task(&self, line: &Line) -> Result<TaskId, String> {
        let name = line.get("task")?;
        let known = self.names.tasks.iter().find(|(_, known)| *known == name);
        Ok(known.map_or(TaskId(0xdead), |(id, _)| *id))
    }

    /// The token with this counter; one never issued when nobody got it.
    pub(crate) fn fence(&self, line: &Line) -> Result<Fence, String> {
        let counter = line.number("token")?.ok_or("a token is needed")?;
        let made_up = Fence {
            incarnation: self.incarnation,
            counter,
        };
        Ok(self.fences.get(&counter).copied().unwrap_or(made_up))
    }
}

/// The token that an event grants.
fn granted(event: &Event) -> Option<Fence> {
    let (incarnation, counter) = match event {
        Event::RunStarted(started) => (started.incarnation, started.counter),
        Event::LeaseAcquired(acquired) => (acquired.incarnation, acquired.counter),
        _ => return None,
    };
    Some(Fence {
        incarnation,
        counter,
    })
}
