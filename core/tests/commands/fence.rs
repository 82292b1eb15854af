//! Between the cancel of a task and the sweep that comes to the tasks below it, these are canceled for everybody who asks.

use mainstay_core::{
    Call, Command, Fence, HeartbeatItem, Outcome, Rejection, RunId, RunState, TaskSpec, limits,
};

use super::row::OK;
use super::stand::{At, Stand, stand};

/// A stand whose task beside has more tasks below it than one command sweeps. Gives the runs of the last of them.
fn crowded() -> (Stand, Vec<RunId>) {
    let mut stand = stand(At::Ready);
    let mut runs = Vec::new();
    for _ in 0..limits::CASCADE_MAX + 20 {
        let mut spec = TaskSpec::new("child");
        spec.bonds_mut().parent = Some(stand.other);
        match stand.must(Command::Submit(Box::new(spec))) {
            Outcome::Submitted(told) => runs.push(told.run.run),
            other => panic!("a submit came to {other:?}"),
        }
    }
    (stand, runs.split_off(limits::CASCADE_MAX + 10))
}

fn hold(stand: &mut Stand, run: RunId) -> Fence {
    let command = Command::AcquireLease {
        run,
        owner: "ann".into(),
        lease_ms: None,
    };
    match stand.must(command) {
        Outcome::LeaseAcquired { fence, .. } => fence,
        other => panic!("a lease came to {other:?}"),
    }
}

fn shift(run: RunId, expected: RunState, to: RunState) -> Command {
    Command::TransitionRun { run, expected, to }
}

fn told(stand: &Stand, command: Command) -> &'static str {
    let mut stand = stand.clone();
    let before = stand.machine.digest_all();
    let step = stand.step(Call::new(command));
    if step.outcome.is_err() {
        assert!(step.events.is_empty() && stand.machine.digest_all() == before);
    }
    stand.check("below a canceled task");
    step.outcome.as_ref().map_or_else(Rejection::code, |_| OK)
}

#[test]
fn below_a_canceled_task_everything_is_as_if_it_were_swept() {
    let (mut stand, runs) = crowded();
    let [ready, leased, idle, working] = runs[..4] else {
        panic!("too few")
    };
    let (ready_state, running) = (RunState::Ready, RunState::Running);
    let fence = hold(&mut stand, leased);
    let idle_fence = hold(&mut stand, idle);
    hold(&mut stand, working);
    for run in [idle, working] {
        stand.must(shift(run, RunState::Leased, running));
    }
    stand.must(Command::StartAttempt { run: working });
    let (task, reason) = (stand.other, None);
    stand.must(Command::CancelTask { task, reason });
    let beat = |run, fence| {
        Command::Heartbeat(HeartbeatItem {
            run,
            fence,
            lease_ms: None,
            progress: None,
        })
    };
    let acquire = |run| Command::AcquireLease {
        run,
        owner: "bob".into(),
        lease_ms: None,
    };
    assert_eq!(told(&stand, acquire(ready)), "lease_invalid_run_state");
    assert_eq!(told(&stand, beat(leased, fence)), "lease_lost");
    assert_eq!(told(&stand, beat(idle, idle_fence)), "lease_lost");
    let invalid = "invalid_transition";
    let moves = [
        (leased, RunState::Leased, running, invalid),
        (leased, RunState::Leased, ready_state, invalid),
        (leased, RunState::Leased, RunState::Canceled, OK),
        (ready, ready_state, RunState::Canceled, OK),
        (idle, running, RunState::Completed, OK),
        (idle, running, RunState::Suspended, invalid),
        (idle, running, RunState::Canceled, OK),
        (working, running, RunState::Completed, OK),
        (working, running, RunState::RetryWait, invalid),
        (working, running, RunState::Canceled, OK),
    ];
    for (run, from, to, expected) in moves {
        let what = format!("{} to {}", from.name(), to.name());
        assert_eq!(told(&stand, shift(run, from, to)), expected, "{what}");
    }
    for run in [ready, leased, idle, working] {
        let (force, reason) = (false, None);
        assert_eq!(told(&stand, Command::CancelRun { run, force, reason }), OK);
    }
    while stand.machine.next_deadline_in_ms(&stand.now) == Some(0) {
        stand.must(Command::Tick);
    }
    stand.check("after the sweep");
}
