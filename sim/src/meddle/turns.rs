//! A bug of claims over all tenants: one of them never waits for its turn.

use mainstay::{
    Call, Command, Event, Events, Facts, Machine, Meddler, Now, Outcome, Principal, Rejection,
    Step, TenantId, Woken,
};

/// A claim over all tenants looks at the default tenant first.
pub(crate) struct TurnsIgnored;

/// What the claim would get if it were the default tenant's own.
fn at_home(machine: &Machine, now: &Now, call: &Call) -> Option<Step> {
    let Command::Claim(claim) = &call.command else {
        return None;
    };
    if !claim.all_tenants || claim.idempotency_key.is_some() {
        return None;
    }
    let mut own = call.clone();
    own.principal = Principal {
        tenant: TenantId::DEFAULT,
        ..call.principal.clone()
    };
    if let Command::Claim(claim) = &mut own.command {
        claim.all_tenants = false;
        claim.max = 1;
    }
    let step = machine.clone().step(now, &Facts::default(), own);
    let is_start = matches!(&step.events[..], [one] if matches!(one.event, Event::RunStarted(_)));
    is_start.then_some(step)
}

impl Meddler for TurnsIgnored {
    fn decide(
        &mut self,
        machine: &mut Machine,
        now: &Now,
        facts: &Facts,
        call: &mut Call,
        events: &mut Events,
        woken: &mut Vec<Woken>,
    ) -> Result<Outcome, Rejection> {
        let Some(step) = at_home(machine, now, call) else {
            return machine.step_into(now, facts, call, events);
        };
        machine.take_woken(woken);
        *events = step.events;
        events.iter().for_each(|entry| machine.replay(now, entry));
        step.outcome
    }
}
