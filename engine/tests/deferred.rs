//! Submits whose callers do not wait for the disk: answered at once, seen by nobody before they are durable.

mod bench;

use bench::{Bench, claim, grants, large, submit};
use mainstay::{
    Answer, Call, CallError, Command, Durability, Outcome, Pending, Principal, Query, Stage, Task,
    TaskSpec, TenantId,
};
use mainstay_log::{Options, RamDisk};

fn deferred(bench: &Bench, call: Call) -> Pending<bench::Decided> {
    bench.handle.call_with(call, Durability::Deferred)
}

fn keyed(key: &str) -> Call {
    let spec: TaskSpec = Task::new("once").idempotency_key(key).into();
    Call::new(Command::Submit(Box::new(spec)))
}

#[test]
fn a_deferred_submit_is_answered_at_once_and_seen_once_it_is_durable() {
    let mut bench = Bench::new();
    let mut waiting = bench.handle.claim(
        Principal::default(),
        claim(1),
        std::time::Duration::from_secs(60),
    );
    bench.round();
    let durable = bench.handle.sequence();
    let mut told = deferred(&bench, submit("a"));
    let mut waited_for = bench.handle.call(submit("b"));
    bench.turn();
    let told = told.try_take().expect("nobody waits for the disk").unwrap();
    assert!(!told.durable);
    assert_eq!(told.sequence, durable + 2);
    let Ok(Outcome::Submitted(submitted)) = told.value else {
        panic!("a submit came to {:?}", told.value);
    };
    assert!(waited_for.try_take().is_none(), "the other one waits");
    assert_eq!(bench.handle.sequence(), durable, "it is not durable");
    // The machine has granted it already; nobody hears of it, in this turn or in a later one.
    assert!(waiting.try_take().is_none());
    let mut read = bench
        .handle
        .ask(TenantId::DEFAULT, Query::Run(submitted.run.run));
    let mut late = bench.claim(0);
    let mut stats = bench.handle.ask(TenantId::DEFAULT, Query::Stats);
    for _ in 0..3 {
        bench.pass(10);
        bench.turn();
    }
    assert!(read.try_take().is_none() && late.try_take().is_none());
    assert!(stats.try_take().is_none() && waiting.try_take().is_none());
    bench.flush().unwrap();
    assert_eq!(
        grants(waiting.try_take().unwrap())[0].run,
        submitted.run.run
    );
    assert!(matches!(
        read.try_take().unwrap().unwrap().value,
        Answer::Run(_)
    ));
    assert!(waited_for.try_take().unwrap().unwrap().durable);
    assert!(bench.handle.sequence() >= told.sequence);
}

#[test]
fn what_was_deferred_and_lost_never_was() {
    let mut bench = Bench::new();
    bench.submit(TaskSpec::new("kept"));
    let mut told = deferred(&bench, submit("lost"));
    bench.turn();
    let told = told.try_take().unwrap().unwrap();
    let Ok(Outcome::Submitted(lost)) = told.value else {
        panic!("a submit came to {:?}", told.value);
    };
    // The power goes before the log's next sync.
    let disk = bench.disk.fork();
    drop(bench);
    let mut next = Bench::open(disk, Options::default(), 2_000_000_000);
    let read = next.handle.ask(TenantId::DEFAULT, Query::Task(lost.task));
    next.round();
    assert!(matches!(read.wait().unwrap().value, Answer::Absent));
    assert_eq!(next.grant().kind.as_ref(), "kept");
}

#[test]
fn only_submits_are_deferred() {
    let mut bench = Bench::new();
    let run = bench.submit(TaskSpec::new("a"));
    let cancel = Command::CancelRun {
        run,
        force: false,
        reason: None,
    };
    for command in [Command::Tick, cancel, Command::Claim(Box::new(claim(1)))] {
        let pending = deferred(&bench, Call::new(command));
        bench.round();
        let refused = pending.wait().unwrap().value.unwrap_err();
        assert_eq!(refused.code(), "invalid_request");
        assert_eq!(refused.details()[0].1, "durability");
    }
    assert_eq!(bench.grant().run, run, "it was not canceled");
}

#[test]
fn what_shows_other_than_ones_own_waits_for_the_disk() {
    let mut bench = Bench::new();
    let mut first = deferred(&bench, keyed("k"));
    let mut found = deferred(&bench, keyed("k"));
    let mut refused = deferred(&bench, submit("NO NAME"));
    let mixed = vec![submit("a"), keyed("k")];
    let mut mixed = bench.handle.call_many_with(mixed, Durability::Deferred);
    let all = vec![submit("a"), keyed("l")];
    let mut all = bench.handle.call_many_with(all, Durability::Deferred);
    bench.turn();
    assert!(!first.try_take().unwrap().unwrap().durable);
    assert!(found.try_take().is_none() && refused.try_take().is_none());
    assert!(mixed.try_take().is_none());
    let all = all.try_take().expect("every one of them is new").unwrap();
    assert_eq!((all.value.len(), all.durable), (2, false));
    bench.flush().unwrap();
    assert!(found.try_take().unwrap().unwrap().durable);
    assert!(refused.try_take().unwrap().unwrap().value.is_err());
    assert!(mixed.try_take().unwrap().unwrap().durable);
}

#[test]
fn what_the_log_did_not_take_was_not_written() {
    let options = Options {
        frame_bytes_max: 2 << 20,
        ..Options::default()
    };
    let mut bench = Bench::open(RamDisk::default(), options, 1_000_000_000);
    let read = bench.handle.ask(TenantId::DEFAULT, Query::Stats);
    let large = [
        bench.handle.call(large(3 << 20)),
        deferred(&bench, large(3 << 20)),
    ];
    assert!(bench.try_turn().is_err(), "the frame is too large");
    let [immediate, deferred] = large.map(|pending| pending.wait().unwrap_err());
    assert_eq!(immediate.stage(), Some(Stage::Append), "{immediate:?}");
    // The frame was closed for the first one: the second was never decided.
    assert_eq!(deferred.stage(), None, "{deferred:?}");
    assert!(matches!(
        read.wait().unwrap_err(),
        CallError::Stopped { .. }
    ));
}
