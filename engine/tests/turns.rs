//! When the writer works: long polls, clocks and idleness, counted in turns.

mod bench;

use std::time::Duration;

use bench::{Bench, claim, grants, submit};
use mainstay::{
    CallError, Claim, Command, FinishOutcome, Pending, Principal, RunState, TaskSpec, Text,
    Timestamp,
};
use mainstay_log::Options;

fn wait_for(bench: &Bench, queue: &str, kinds: &[&str]) -> Pending<bench::Decided> {
    let claim = Claim {
        queues: vec![Text::from(queue)],
        kinds: kinds.iter().map(|kind| Text::from(*kind)).collect(),
        ..claim(1)
    };
    let wait = Duration::from_secs(60);
    bench.handle.claim(Principal::default(), claim, wait)
}

#[test]
fn work_wakes_as_many_waits_as_it_feeds_and_the_longest_first() {
    let mut bench = Bench::new();
    let mut waits = [
        wait_for(&bench, "default", &[]),
        wait_for(&bench, "default", &["a"]),
        wait_for(&bench, "default", &["b"]),
        wait_for(&bench, "other", &[]),
        wait_for(&bench, "default", &[]),
    ];
    bench.round();
    bench
        .handle
        .call_many(vec![submit("a"), submit("a")])
        .wait_in(&mut bench);
    let fed: Vec<bool> = waits
        .iter_mut()
        .map(|wait| wait.try_take().is_some())
        .collect();
    assert_eq!(fed, [true, true, false, false, false]);
    assert_eq!(bench.handle.metrics().waiters, 3);
    bench
        .handle
        .call_many(vec![submit("b"), submit("a")])
        .wait_in(&mut bench);
    let fed: Vec<bool> = waits[2..]
        .iter_mut()
        .map(|wait| wait.try_take().is_some())
        .collect();
    assert_eq!(fed, [true, false, true]);
}

/// Seeing an answer through.
trait WaitIn<T> {
    fn wait_in(self, bench: &mut Bench) -> T;
}

impl<T> WaitIn<T> for Pending<T> {
    fn wait_in(self, bench: &mut Bench) -> T {
        bench.round();
        self.wait().unwrap().value
    }
}

#[test]
fn a_wait_ends_empty_at_its_time_and_not_before() {
    let mut bench = Bench::new();
    let mut wait = bench.claim(1000);
    assert_eq!(bench.round().next_in_ms, Some(1000));
    bench.pass(999);
    assert_eq!(bench.round().next_in_ms, Some(1));
    assert!(wait.try_take().is_none());
    bench.pass(1);
    assert_eq!(bench.round().next_in_ms, None);
    assert!(grants(wait.try_take().unwrap()).is_empty());
}

#[test]
fn work_behind_tens_of_thousands_of_blocked_runs_reaches_a_wait_without_sleep() {
    let mut bench = Bench::new();
    let mut keyed = TaskSpec::new("keyed");
    keyed.policy_mut().concurrency_key = Some(Text::from("k"));
    bench.submit(keyed.clone());
    bench.grant();
    let blocked = || mainstay::Call::new(Command::Submit(Box::new(keyed.clone())));
    for _ in 0..5 {
        let calls = (0..10_000).map(|_| blocked()).collect();
        bench.handle.call_many(calls).wait_in(&mut bench);
    }
    let free = bench.submit(TaskSpec::new("free"));
    let mut wait = bench.claim(60_000);
    let mut turns = 1;
    while bench.round().next_in_ms == Some(0) {
        turns += 1;
        assert!(turns < 20, "it turns without end");
    }
    let told = wait.try_take().expect("work is there and nobody is told");
    assert_eq!(grants(told)[0].run, free);
}

#[test]
fn waits_that_nobody_waits_for_make_room() {
    let mut bench = Bench::new();
    let mut gone: Vec<_> = (0..10_000).map(|_| bench.claim(60_000)).collect();
    while bench.handle.metrics().inbox_len > 0 {
        bench.round();
    }
    let limit = "waiters";
    let refused = bench.claim(60_000);
    bench.round();
    assert_eq!(refused.wait(), Err(CallError::Busy { limit }));
    gone.truncate(9_999);
    let mut kept = bench.claim(60_000);
    bench.round();
    assert!(kept.try_take().is_none(), "it waits");
}

#[test]
fn waits_for_very_many_places_are_limited_together() {
    let mut bench = Bench::new();
    let names = |count: usize| (0..count).map(|at| Text::from(format!("n{at}"))).collect();
    let wide = || {
        let claim = Claim {
            queues: names(64),
            kinds: names(64),
            ..claim(1)
        };
        let wait = Duration::from_secs(60);
        bench.handle.claim(Principal::default(), claim, wait)
    };
    let mut waits: Vec<_> = (0..70).map(|_| wide()).collect();
    bench.round();
    let refused = waits.iter_mut().filter_map(Pending::try_take);
    let limit = "waiters";
    assert_eq!(
        refused.collect::<Vec<_>>(),
        vec![Err(CallError::Busy { limit }); 6],
        "64 × 4096 places are enough"
    );
}

#[test]
fn an_idle_engine_needs_no_turn() {
    let mut bench = Bench::new();
    bench.submit(TaskSpec::new("a"));
    let grant = bench.grant();
    bench.finish(&grant, FinishOutcome::Success).unwrap();
    bench.round(); // hears that the store has it
    let turn = bench.round();
    assert_eq!((turn.commands, turn.frames), (0, 0));
    assert_eq!(turn.next_in_ms, None);
}

#[test]
fn a_clock_that_goes_back_stops_nothing() {
    let mut bench = Bench::new();
    let mut spec = TaskSpec::new("a");
    spec.run_at = Some(Timestamp(bench.raw.wall_ms + 10_000));
    let run = bench.submit(spec);
    bench.raw.wall_ms -= 500_000;
    bench.raw.steady_ms += 9_999;
    assert_eq!(bench.round().next_in_ms, Some(1));
    bench.raw.steady_ms += 1;
    bench.round();
    assert_eq!(bench.view(run).state, RunState::Ready);
    let (wall_ms, disk) = (bench.raw.wall_ms, bench.close());
    let mut next = Bench::open(disk, Options::default(), wall_ms);
    assert_eq!(next.grant().run, run, "a start in the past serves too");
}

#[test]
fn quiet_time_before_an_orderly_stop_is_no_downtime() {
    let mut bench = Bench::new();
    let mut spec = TaskSpec::new("a");
    spec.policy_mut().timeout_ms = Some(3_600_000);
    spec.policy_mut().lease_ms = 86_400_000;
    let run = bench.submit(spec);
    bench.grant();
    bench.pass(3_000_000);
    bench.round();
    let wall_ms = bench.raw.wall_ms;
    let disk = bench.close();
    let mut next = Bench::open(disk, Options::default(), wall_ms + 5000);
    next.pass(599_999);
    assert_eq!(next.view(run).state, RunState::Running);
    next.pass(1);
    next.round();
    assert_eq!(next.view(run).state, RunState::Failed);
}
