//! What explain promises, put to the test in the middle of a life: `runnable` is what a fitting claim would do now.

use mainstay::{
    Answer, Call, Claim, ClaimGrant, Command, Facts, Machine, Now, Outcome, Principal, Query,
    RunId, RunView, TenantId, Text,
};

use super::life::Life;
use super::run::World;

/// Leases that the claim on trial may take: more than any world has ready.
const LEASES: u32 = 1000;

/// Asks about one run, and lets a claim that fits it loose on a copy of the machine.
pub(super) fn explained(world: &mut World, life: &Life) -> Result<(), String> {
    let Some(id) = world.people.run(&mut world.rng) else {
        return Ok(());
    };
    let (machine, now) = life.machine(|writer| (writer.machine().clone(), writer.now()));
    let here = Look {
        tenant: world.people.tenant(),
        now,
    };
    let Some((runnable, said)) = here.promise(&machine, id) else {
        return Ok(());
    };
    let all_tenants = world.people.are_many() && world.rng.chance(50);
    let granted = here.would_get(machine, id, all_tenants)?;
    world.report.marks.hit(if runnable {
        "explain: runnable, and a claim got it"
    } else {
        "explain: held back, and no claim got it"
    });
    if runnable == granted {
        return Ok(());
    }
    Err(format!(
        "run {id} is called runnable={runnable} ({said}), and a claim for it is granted it: {granted}"
    ))
}

/// A moment, and the tenant that is looked at.
struct Look {
    tenant: TenantId,
    now: Now,
}

impl Look {
    fn ask(&self, machine: &Machine, query: Query) -> Answer {
        machine.answer(&self.now, self.tenant, &query)
    }

    fn view(&self, machine: &Machine, id: RunId) -> Option<Box<RunView>> {
        match self.ask(machine, Query::Run(id)) {
            Answer::Run(view) => Some(view),
            _ => None,
        }
    }

    /// What explain says of a run that has not ended.
    fn promise(&self, machine: &Machine, id: RunId) -> Option<(bool, String)> {
        let live = self
            .view(machine, id)
            .filter(|view| !view.state.is_terminal());
        live?;
        match self.ask(machine, Query::Explain(id)) {
            Answer::Explain(explain) => Some((explain.runnable, format!("{:?}", explain.reasons))),
            _ => None,
        }
    }

    /// Whether a worker that asks for the run's queue and kind, and is able to do what it requires, is granted it.
    fn would_get(
        &self,
        mut machine: Machine,
        id: RunId,
        all_tenants: bool,
    ) -> Result<bool, String> {
        let view = self
            .view(&machine, id)
            .ok_or("a run that was there is gone")?;
        let Answer::Task(task) = self.ask(&machine, Query::Task(view.task)) else {
            return Err(format!("run {id} has no task"));
        };
        let claim = Claim {
            worker: Text::from("prober"),
            queues: vec![view.queue.clone()],
            kinds: vec![view.kind.clone()],
            max: LEASES,
            capabilities: task.policy.required_capabilities.clone(),
            all_tenants,
            ..Claim::default()
        };
        let by = Principal {
            tenant: self.tenant,
            ..Principal::default()
        };
        let call = Call::by(&by, Command::Claim(Box::new(claim)));
        let is_it = |grant: &ClaimGrant| grant.tenant == self.tenant && grant.run == id;
        match machine.step(&self.now, &Facts::default(), call).outcome {
            Ok(Outcome::Claimed(grants)) => Ok(grants.iter().any(is_it)),
            other => Err(format!("a claim on trial was answered {other:?}")),
        }
    }
}
