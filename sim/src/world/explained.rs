//! What explain promises, put to the test in the middle of a life: `runnable` is what a fitting claim would do now.

use mainstay::{
    Answer, Call, Claim, Command, Facts, Machine, Now, Outcome, Query, RunId, RunView, TenantId,
    Text,
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
    let Some((runnable, said)) = promise(&machine, &now, id) else {
        return Ok(());
    };
    let granted = would_get(machine, &now, id)?;
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

fn ask(machine: &Machine, now: &Now, query: Query) -> Answer {
    machine.answer(now, TenantId::DEFAULT, &query)
}

fn view(machine: &Machine, now: &Now, id: RunId) -> Option<Box<RunView>> {
    match ask(machine, now, Query::Run(id)) {
        Answer::Run(view) => Some(view),
        _ => None,
    }
}

/// What explain says of a run that has not ended.
fn promise(machine: &Machine, now: &Now, id: RunId) -> Option<(bool, String)> {
    let live = view(machine, now, id).filter(|view| !view.state.is_terminal());
    live?;
    match ask(machine, now, Query::Explain(id)) {
        Answer::Explain(explain) => Some((explain.runnable, format!("{:?}", explain.reasons))),
        _ => None,
    }
}

/// Whether a worker that asks for the run's queue and kind, and is able to do what it requires, is granted it.
fn would_get(mut machine: Machine, now: &Now, id: RunId) -> Result<bool, String> {
    let view = view(&machine, now, id).ok_or("a run that was there is gone")?;
    let Answer::Task(task) = ask(&machine, now, Query::Task(view.task)) else {
        return Err(format!("run {id} has no task"));
    };
    let claim = Claim {
        worker: Text::from("prober"),
        queues: vec![view.queue.clone()],
        kinds: vec![view.kind.clone()],
        max: LEASES,
        capabilities: task.policy.required_capabilities.clone(),
        ..Claim::default()
    };
    let call = Call::new(Command::Claim(Box::new(claim)));
    match machine.step(now, &Facts::default(), call).outcome {
        Ok(Outcome::Claimed(grants)) => Ok(grants.iter().any(|grant| grant.run == id)),
        other => Err(format!("a claim on trial was answered {other:?}")),
    }
}
