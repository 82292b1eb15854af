//! What callers are told, and when: durability, faults, stops and limits.

mod bench;

use std::time::Duration;

use bench::{Bench, claim, grants, large, submit, try_open};
use mainstay::{
    Answer, Bytes, Call, CallError, Claim, Command, FinishOutcome, Outcome, Principal, Query,
    RunState, Stage, Status, TaskSpec, TenantId, doctor,
};
use mainstay_log::{OpenError, Options, RamDisk};

/// The manifest is somebody else's and the segment is full: the next flush stops the log.
fn small() -> Options {
    Options {
        segment_bytes: 8192,
        ..Options::default()
    }
}

fn break_log(bench: &Bench) {
    bench.disk.put("manifest", vec![0; 64]);
}

#[test]
fn nothing_leaves_before_its_frame_is_durable_and_then_everything_does() {
    let mut bench = Bench::new();
    let run = bench.submit(TaskSpec::new("a"));
    let before = bench.handle.sequence();
    let mut written = bench.handle.call(submit("b"));
    let mut leased = bench.claim(0);
    let mut refused = bench.handle.call(submit("NO NAME"));
    let mut read = bench.handle.ask(TenantId::DEFAULT, Query::Run(run));
    let mut many = bench.handle.call_many(vec![submit("c"), submit("d")]);
    bench.turn();
    assert!(written.try_take().is_none() && leased.try_take().is_none());
    assert!(refused.try_take().is_none() && read.try_take().is_none());
    assert!(many.try_take().is_none());
    assert_eq!(bench.handle.sequence(), before);
    bench.flush().unwrap();
    let sequence = written.try_take().unwrap().unwrap().sequence;
    assert_eq!(sequence, before + 2);
    assert_eq!(grants(leased.try_take().unwrap())[0].run, run);
    assert!(refused.try_take().unwrap().unwrap().value.is_err());
    assert!(read.try_take().unwrap().is_ok());
    let last = many.try_take().unwrap().unwrap().sequence;
    assert_eq!((last, bench.handle.sequence()), (before + 7, before + 7));
}

#[test]
fn a_claim_that_nobody_waits_for_gives_its_run_back() {
    let mut bench = Bench::new();
    let run = bench.submit(TaskSpec::new("a"));
    drop(bench.claim(0));
    bench.round();
    assert_eq!(bench.view(run).state, RunState::Ready, "never granted");
    let gone = bench.claim(0);
    bench.turn();
    drop(gone);
    bench.flush().unwrap();
    let view = {
        bench.round();
        bench.view(run)
    };
    let counted = (view.attempt_count, view.failures, view.lost_leases);
    assert_eq!((view.state, counted), (RunState::Ready, (1, 0, 0)));
    assert_eq!(bench.grant().attempt, 2);
}

#[test]
fn a_batch_whose_claims_nobody_waits_for_gives_the_runs_back() {
    let mut bench = Bench::new();
    let run = bench.submit(TaskSpec::new("a"));
    let taken = Call::new(Command::Claim(Box::new(claim(1))));
    let gone = bench.handle.call_many(vec![submit("b"), taken]);
    bench.turn();
    drop(gone);
    bench.flush().unwrap();
    bench.round();
    assert_eq!(bench.view(run).state, RunState::Ready);
}

#[test]
fn a_claim_over_all_tenants_that_nobody_waits_for_gives_back_to_each() {
    let mut bench = Bench::new();
    let tenant = TenantId(7);
    let there = Principal {
        tenant,
        ..Principal::default()
    };
    let create = Command::CreateTenant {
        tenant: Some(tenant),
        name: "other".into(),
    };
    bench.call(create).unwrap();
    let here = bench.submit(TaskSpec::new("a"));
    let submit = Command::Submit(Box::new(TaskSpec::new("a")));
    let pending = bench.handle.call(Call::by(&there, submit));
    bench.round();
    let Ok(Outcome::Submitted(submitted)) = pending.wait().unwrap().value else {
        panic!("the submit was refused");
    };
    let over_all = Claim {
        all_tenants: true,
        ..claim(2)
    };
    let gone = bench
        .handle
        .claim(Principal::default(), over_all, Duration::ZERO);
    bench.turn();
    drop(gone);
    bench.flush().unwrap();
    bench.round();
    for (tenant, run) in [(TenantId::DEFAULT, here), (tenant, submitted.run.run)] {
        let pending = bench.handle.ask(tenant, Query::Run(run));
        bench.round();
        match pending.wait().unwrap().value {
            Answer::Run(view) => assert_eq!(view.state, RunState::Ready, "of {tenant}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_a_claim_expects_is_checked() {
    let mut bench = Bench::new();
    let run = bench.submit(TaskSpec::new("a"));
    let mut call = Call::new(Command::Claim(Box::new(claim(1))));
    call.expected_sequence = Some(99);
    let pending = bench.handle.call(call.clone());
    bench.round();
    let refused = pending.wait().unwrap().value.unwrap_err();
    assert_eq!(refused.code(), "non_monotonic_sequence");
    call.expected_sequence = Some(bench.handle.sequence());
    let pending = bench.handle.call(call);
    bench.round();
    assert_eq!(grants(pending.wait())[0].run, run);
}

#[test]
fn after_a_fault_what_was_queued_is_unknown_and_the_rest_was_never_done() {
    let mut bench = Bench::open(RamDisk::default(), small(), 1_000_000_000);
    let run = bench.submit(TaskSpec::new("a"));
    let sequence = bench.handle.sequence();
    let queued = bench.handle.call(large(9000));
    let read = bench.handle.ask(TenantId::DEFAULT, Query::Run(run));
    let parked = bench.handle.claim(
        Default::default(),
        mainstay::Claim {
            queues: vec!["elsewhere".into()],
            ..claim(1)
        },
        std::time::Duration::from_secs(9),
    );
    bench.turn();
    break_log(&bench);
    assert!(bench.flush().is_err());
    assert_eq!(
        queued.wait(),
        Err(CallError::CommitUnknown {
            sequence: sequence + 2
        })
    );
    let stopped = |error: Option<CallError>| matches!(error, Some(CallError::Stopped { .. }));
    assert!(stopped(read.wait().err()));
    let late = [
        bench.handle.call(submit("b")),
        bench.handle.call(submit("c")),
    ];
    assert!(bench.try_turn().is_err());
    for late in late {
        let unwritten = late.wait().unwrap_err();
        assert_eq!(unwritten.stage(), Some(Stage::Append), "{unwritten:?}");
    }
    assert!(stopped(parked.wait().err()));
    assert!(matches!(bench.handle.status(), Status::Stopped { .. }));
    let later = bench.handle.call(submit("d")).wait();
    assert!(stopped(later.err()), "a closed inbox says why");
}

#[test]
fn a_batch_that_was_written_in_part_is_unknown() {
    let options = Options {
        frame_bytes_max: 2 << 20,
        ..Options::default()
    };
    let mut bench = Bench::open(RamDisk::default(), options, 1_000_000_000);
    let sequence = bench.handle.sequence();
    let batch = vec![large(3 << 19), large(3 << 20), submit("c")];
    let pending = bench.handle.call_many(batch);
    let behind = bench.handle.call(submit("d"));
    assert!(bench.try_turn().is_err(), "the second frame is too large");
    assert_eq!(
        pending.wait().unwrap_err(),
        CallError::CommitUnknown {
            sequence: sequence + 2
        }
    );
    let behind = behind.wait().unwrap_err();
    assert!(matches!(behind, CallError::Stopped { .. }), "{behind:?}");
}

#[test]
fn a_stop_answers_everybody() {
    let mut bench = Bench::new();
    let written = bench.handle.call(submit("a"));
    let waiting = bench.handle.claim(
        Default::default(),
        mainstay::Claim {
            queues: vec!["elsewhere".into()],
            ..claim(1)
        },
        std::time::Duration::MAX,
    );
    let handle = bench.handle.clone();
    bench.turn();
    let read = bench.handle.ask(TenantId::DEFAULT, Query::Stats);
    bench.close();
    assert!(written.wait().is_ok());
    assert!(read.wait().is_ok());
    assert_eq!(waiting.wait(), Err(CallError::ShuttingDown));
    handle.drain();
}

#[test]
fn draining_answers_waits_and_grants_nothing_any_more() {
    let mut bench = Bench::new();
    let waiting = bench.claim(60_000);
    bench.round();
    bench.handle.drain();
    bench.round();
    assert!(grants(waiting.wait()).is_empty());
    let run = bench.submit(TaskSpec::new("a"));
    let late = bench.claim(60_000);
    bench.round();
    assert!(grants(late.wait()).is_empty());
    let taken = Call::new(Command::Claim(Box::new(claim(1))));
    let many = bench.handle.call_many(vec![taken]);
    bench.round();
    let told = many.wait().unwrap().value.remove(0);
    assert_eq!(told, Ok(Outcome::Claimed(Vec::new())));
    assert_eq!(bench.view(run).state, RunState::Ready);
    assert_eq!(bench.handle.status(), Status::Draining);
}

#[test]
fn a_full_inbox_refuses_new_work_first() {
    let bench = Bench::new();
    let mut waiting = Vec::new();
    let busy = loop {
        let mut pending = bench.handle.call(submit("a"));
        match pending.try_take() {
            None => waiting.push(pending),
            Some(told) => break told,
        }
    };
    let limit = "inbox_requests";
    assert_eq!(busy, Err(CallError::Busy { limit }));
    let mut read = bench.handle.ask(TenantId::DEFAULT, Query::Stats);
    assert!(read.try_take().is_none(), "what moves work on finds room");
    assert_eq!(bench.handle.metrics().busy, 1);
}

#[test]
fn every_large_thing_has_its_weight_in_the_inbox() {
    let bench = Bench::new();
    let run = mainstay::RunId(1);
    let payload = Some(Bytes::from(vec![b'1'; 16 << 20]));
    let mut waiting = Vec::new();
    for _ in 0..15 {
        let payload = payload.clone();
        waiting.push(
            bench
                .handle
                .call(Call::new(Command::ResumeRun { run, payload })),
        );
        assert!(waiting.last_mut().unwrap().try_take().is_none());
    }
    let more = Call::new(Command::ResumeRun { run, payload });
    let limit = "inbox_bytes";
    let refused = bench.handle.call(more).try_take();
    assert_eq!(refused, Some(Err(CallError::Busy { limit })));
}

#[test]
fn the_next_life_finds_everything() {
    let mut bench = Bench::new();
    let done = bench.submit(TaskSpec::new("a"));
    let grant = bench.grant();
    bench.finish(&grant, FinishOutcome::Success).unwrap();
    let running = bench.submit(TaskSpec::new("b"));
    let held = bench.grant();
    let digest = bench.writer.machine().digest().to_string();
    assert_eq!(doctor::examine_disk(&bench.disk.fork()).digest, digest);
    let wall_ms = bench.raw.wall_ms;
    let crashed = bench.disk.fork();
    for disk in [bench.close(), crashed] {
        let mut next = Bench::open(disk, Options::default(), wall_ms + 5000);
        assert_eq!(next.view(done).state, RunState::Completed);
        assert_eq!(next.view(running).state, RunState::Running);
        assert!(next.finish(&grant, FinishOutcome::Success).is_ok(), "again");
        assert!(next.finish(&held, FinishOutcome::Success).is_ok());
        next.writer.machine().verify().unwrap();
    }
}

#[test]
fn a_directory_has_one_engine() {
    let bench = Bench::new();
    let raw = bench.raw;
    let shelf = bench.shelf.clone();
    let second = try_open(bench.disk.clone(), &shelf, Options::default(), raw, [1; 64]);
    assert!(matches!(second.err(), Some(OpenError::Held { .. })));
    let disk = bench.close();
    assert!(try_open(disk, &shelf, Options::default(), raw, [1; 64]).is_ok());
}
