//! Bugs of submits.

use mainstay::{
    Call, Command, Event, Events, Facts, Machine, Meddler, Now, Outcome, Rejection, TaskSpec, Text,
    Woken,
};

/// A unique key is noted and not looked up.
pub(crate) struct KeyIgnored;

fn spec_of(call: &mut Call) -> Option<&mut TaskSpec> {
    match &mut call.command {
        Command::Submit(spec) | Command::SubmitAs(_, spec) => Some(spec),
        _ => None,
    }
}

fn take_key(call: &mut Call) -> Option<Text> {
    spec_of(call)?.extras.as_deref_mut()?.unique_key.take()
}

impl Meddler for KeyIgnored {
    fn decide(
        &mut self,
        machine: &mut Machine,
        now: &Now,
        facts: &Facts,
        call: &mut Call,
        events: &mut Events,
        woken: &mut Vec<Woken>,
    ) -> Result<Outcome, Rejection> {
        let Some(key) = take_key(call) else {
            return machine.step_into(now, facts, call, events);
        };
        let before = machine.clone();
        let decided = machine.step_into(now, facts, call, events);
        if decided.is_err() {
            if let Some(spec) = spec_of(call) {
                spec.extras_mut().unique_key = Some(key);
            }
            return decided;
        }
        for entry in events.iter_mut() {
            if let Event::TaskCreated(fact) = &mut entry.event {
                fact.spec.extras_mut().unique_key = Some(key.clone());
            }
        }
        machine.take_woken(woken);
        *machine = before;
        events.iter().for_each(|entry| machine.replay(now, entry));
        decided
    }
}
