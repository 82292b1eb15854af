//! Tests of the machine room: what only shows in numbers too large for a story.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{Entry, Facts, Machine, Now};
use crate::{
    Answer, Bytes, Call, CheckpointPut, Claim, ClaimGrant, Command, Finish, FinishOutcome, Outcome,
    Principal, Query, Rejection, RunId, RunState, RunView, Steady, TaskId, TaskSpec, TenantId,
    Text, Timestamp, limits,
};

/// A machine with its log.
struct Bench {
    machine: Machine,
    now: Now,
    log: Vec<(Now, Entry)>,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            machine: Machine::new(0),
            now: Now::at(Timestamp(1_000_000), 0),
            log: Vec::new(),
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now.wall = self.now.wall.plus_ms(ms);
        self.now.steady = Steady(self.now.steady.0 + ms);
    }

    fn step(&mut self, command: Command) -> Result<Outcome, Rejection> {
        let call = Call::new(command);
        let step = self.machine.step(&self.now, &Facts::default(), call);
        let events = step.events.into_iter().map(|entry| (self.now, entry));
        self.log.extend(events);
        step.outcome
    }

    fn submit(&mut self, spec: TaskSpec) -> RunId {
        match self.step(Command::Submit(Box::new(spec))) {
            Ok(Outcome::Submitted(submitted)) => submitted.run.run,
            other => panic!("a submit came to {other:?}"),
        }
    }

    fn claim(&mut self, max: u32) -> Vec<ClaimGrant> {
        let claim = Claim {
            worker: Text::from("w"),
            queues: vec![Text::from("default")],
            kinds: Vec::new(),
            max,
            lease_ms: None,
            idempotency_key: None,
            ..Claim::default()
        };
        match self.step(Command::Claim(Box::new(claim))) {
            Ok(Outcome::Claimed(grants)) => grants,
            other => panic!("a claim came to {other:?}"),
        }
    }

    fn finish(&mut self, grant: &ClaimGrant, outcome: FinishOutcome) -> Result<Outcome, Rejection> {
        self.step(Command::Finish(Box::new(Finish {
            outcome,
            ..Finish::success(grant.run, grant.fence, None)
        })))
    }

    fn view(&self, run: RunId) -> Box<RunView> {
        let query = Query::Run(run);
        match self.machine.answer(&self.now, TenantId::DEFAULT, &query) {
            Answer::Run(view) => view,
            other => panic!("a run came to {other:?}"),
        }
    }

    /// Indexes agree, and the log alone gives the same state.
    fn check(&self) {
        let mut replayed = Machine::new(1);
        for (now, entry) in &self.log {
            replayed.replay(now, entry);
        }
        for machine in [&self.machine, &replayed] {
            assert_eq!(machine.verify(), Ok(()));
        }
        assert_eq!(replayed.digest_all(), self.machine.digest_all());
    }
}

fn keyed(key: &str, limit: u32) -> TaskSpec {
    let mut spec = TaskSpec::new("work");
    spec.policy_mut().concurrency_key = Some(Text::from(key));
    spec.policy_mut().concurrency_limit = limit;
    spec
}

#[test]
fn a_tick_works_off_its_share_and_leaves_the_rest_to_the_next() {
    let mut bench = Bench::new();
    let share = limits::TICK_ALARMS_MAX;
    let due = bench.now.wall.plus_ms(10);
    for _ in 0..share * 2 + 1 {
        let mut spec = TaskSpec::new("work");
        spec.run_at = Some(due);
        bench.submit(spec);
    }
    bench.pass(10);
    for (more, left) in [(true, share + 1), (true, 1), (false, 0)] {
        assert_eq!(bench.step(Command::Tick), Ok(Outcome::Ticked { more }));
        let states = bench.machine.state.stats.runs_by_state;
        assert_eq!(states[RunState::Scheduled as usize], left as u64);
    }
    bench.check();
}

#[test]
fn a_live_row_keeps_its_last_attempts_and_changes_and_counts_all() {
    let mut bench = Bench::new();
    let run = bench.submit(TaskSpec::new("work"));
    for _ in 0..70 {
        let grants = bench.claim(1);
        assert_eq!(
            bench.finish(&grants[0], FinishOutcome::Released),
            Ok(Outcome::Finished(RunState::Ready))
        );
    }
    let view = bench.view(run);
    assert_eq!(view.attempt_count, 70);
    assert_eq!(view.attempts.len(), limits::ATTEMPTS_KEPT);
    assert_eq!(view.attempts.last().map(|attempt| attempt.number), Some(70));
    assert_eq!(view.changes.len(), limits::HISTORY_KEPT);
    assert!(view.changes[0].from.is_some(), "its creation is long gone");
    bench.check();
}

#[test]
fn hundreds_of_parked_runs_return_one_by_one_in_their_order() {
    let mut bench = Bench::new();
    let mut keyed_runs = Vec::new();
    for at in 0..300 {
        keyed_runs.push(bench.submit(keyed("k", 1)));
        if at % 3 == 0 {
            bench.submit(TaskSpec::new("work"));
        }
    }
    let mut order = Vec::new();
    let mut grants = bench.claim(1000);
    assert_eq!(grants.len(), 101, "one holder and everybody without a key");
    while let Some(grant) = grants.iter().find(|grant| keyed_runs.contains(&grant.run)) {
        order.push(grant.run);
        let grant = grant.clone();
        assert!(bench.finish(&grant, FinishOutcome::Success).is_ok());
        grants = bench.claim(1000);
    }
    assert_eq!(order, keyed_runs);
    bench.check();
}

#[test]
fn many_keys_with_room_are_granted_in_one_order_over_all_of_them() {
    let mut bench = Bench::new();
    let mut expected = Vec::new();
    for at in 0..400 {
        let run = bench.submit(keyed(&format!("k{}", at % 40), 3));
        if at < 120 {
            expected.push(run);
        }
    }
    let granted: Vec<RunId> = bench.claim(1000).iter().map(|grant| grant.run).collect();
    assert_eq!(granted, expected);
    bench.check();
}

#[test]
fn canceled_runs_in_the_middle_of_a_lane_leave_no_gap() {
    let mut bench = Bench::new();
    let runs: Vec<RunId> = (0..200)
        .map(|_| bench.submit(TaskSpec::new("work")))
        .collect();
    for run in runs.iter().skip(1).step_by(2).chain(&runs[150..160]) {
        let command = Command::CancelRun {
            run: *run,
            force: false,
            reason: None,
        };
        assert!(bench.step(command).is_ok());
    }
    bench.check();
    let mut left = runs.clone();
    let mut at = 0;
    left.retain(|_| {
        at += 1;
        at % 2 == 1 && !(151..=160).contains(&at)
    });
    let granted: Vec<RunId> = bench.claim(1000).iter().map(|grant| grant.run).collect();
    assert_eq!(granted, left);
}

#[test]
fn ten_thousand_kinds_and_queues_are_the_most() {
    let mut bench = Bench::new();
    let spec = |kind: &str, queue: &str| {
        let mut spec = TaskSpec::new(kind);
        spec.queue = Text::from(queue);
        Box::new(spec)
    };
    for at in 0..limits::NAMES_PER_TENANT_MAX / 2 - 1 {
        bench.submit(*spec(&format!("kind-{at}"), &format!("queue-{at}")));
    }
    bench.submit(*spec("one-before-the-last", "one-before-the-last"));
    bench.submit(*spec("the-last", "the-last"));
    let one_more = bench.step(Command::Submit(spec("one-more", "queue-0")));
    let limit = "kinds_and_queues";
    let value = limits::NAMES_PER_TENANT_MAX as u64;
    assert_eq!(one_more, Err(Rejection::LimitExceeded { limit, value }));
    bench.submit(*spec("kind-0", "the-last"));
}

#[test]
fn every_tenant_has_names_of_its_own_and_the_children_of_one_end_count_together() {
    let mut bench = Bench::new();
    let most = limits::NAMES_PER_TENANT_MAX;
    let named = |names: core::ops::Range<usize>| -> Vec<(Option<TaskId>, TaskSpec)> {
        let specs = names.map(|at| (None, TaskSpec::new(format!("kind-{at}"))));
        specs.collect()
    };
    bench.submit(TaskSpec::new("parent"));
    let parent = bench.claim(1).remove(0);
    // With the queue, and the kind of the parent, three are left.
    assert!(bench.step(Command::SubmitAll(named(0..most - 5))).is_ok());
    let tenant = TenantId(7);
    let name = Text::from("acme");
    let create = Command::CreateTenant {
        tenant: Some(tenant),
        name,
    };
    assert!(bench.step(create).is_ok());
    let acme = Principal {
        tenant,
        ..Principal::default()
    };
    let theirs = Call::by(&acme, Command::SubmitAll(named(0..most - 1)));
    let step = bench.machine.step(&bench.now, &Facts::default(), theirs);
    assert!(step.outcome.is_ok(), "theirs are counted apart");
    let finish = |children| Finish {
        children,
        ..Finish::success(parent.run, parent.fence, None)
    };
    let end = |names| Command::Finish(Box::new(finish(named(names))));
    let refused = bench.step(end(most..most + 4));
    let why = Rejection::LimitExceeded {
        limit: "kinds_and_queues",
        value: most as u64,
    };
    assert_eq!(refused, Err(why.of_item("children", 3)));
    assert!(bench.step(end(most..most + 3)).is_ok());
}

#[test]
fn a_key_holds_for_a_day_and_as_long_as_its_task_lives() {
    let mut bench = Bench::new();
    let keyed = |key: &str| {
        let mut spec = TaskSpec::new("work");
        spec.extras_mut().idempotency_key = Some(Text::from(key));
        spec
    };
    let ended = bench.submit(keyed("ended"));
    let lives = bench.submit(keyed("lives"));
    let command = Command::CancelRun {
        run: ended,
        force: false,
        reason: None,
    };
    assert!(bench.step(command).is_ok());
    bench.pass(limits::KEY_HELD_MS - 1);
    assert_eq!(bench.submit(keyed("ended")), ended);
    bench.pass(1);
    assert_ne!(bench.submit(keyed("ended")), ended);
    assert_eq!(bench.submit(keyed("lives")), lives);
    bench.check();
}

#[test]
fn a_tenant_nobody_made_is_refused() {
    let mut bench = Bench::new();
    let tenant = TenantId(5);
    let mut call = Call::new(Command::Tick);
    call.principal = Principal {
        tenant,
        ..Principal::default()
    };
    let step = bench.machine.step(&bench.now, &Facts::default(), call);
    assert_eq!(step.outcome, Err(Rejection::UnknownTenant { tenant }));
}

#[test]
fn a_log_at_its_end_refuses_instead_of_overflowing() {
    let mut bench = Bench::new();
    bench.machine.state.sequence = u64::MAX - 1;
    assert_eq!(bench.step(Command::Tick), Err(Rejection::SequenceOverflow));
}

#[test]
fn the_seed_of_a_machine_never_shows() {
    let mut digests = Vec::new();
    for seed in [0, 1, u64::MAX] {
        let mut bench = Bench::new();
        bench.machine = Machine::new(seed);
        for at in 0..50 {
            bench.submit(keyed(&format!("k{}", at % 7), 2));
        }
        let grants = bench.claim(9);
        assert!(bench.finish(&grants[3], FinishOutcome::Failure).is_ok());
        digests.push((bench.machine.digest(), bench.machine.digest_all()));
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[test]
fn more_memos_than_a_run_may_hold_are_refused_before_they_are_compared() {
    let mut bench = Bench::new();
    bench.submit(TaskSpec::new("work"));
    let grant = bench.claim(1).remove(0);
    let mut finish = Finish::success(grant.run, grant.fence, None);
    let memo = |at: usize| (Text::from(format!("m{at}")), Bytes::from(&b"1"[..]));
    finish.checkpoints = (0..=limits::CHECKPOINTS_MAX).map(memo).collect();
    finish.checkpoints[1] = memo(0);
    let refused = Rejection::LimitExceeded {
        limit: "checkpoints",
        value: limits::CHECKPOINTS_MAX as u64,
    };
    assert_eq!(bench.step(Command::Finish(Box::new(finish))), Err(refused));
    bench.check();
}

#[test]
fn memos_and_resume_payloads_count_to_the_size_of_a_claim() {
    let mut bench = Bench::new();
    let runs: Vec<RunId> = (0..4)
        .map(|_| bench.submit(TaskSpec::new("work")))
        .collect();
    let large = Bytes::from(vec![b'1'; 9 << 20]);
    for grant in bench.claim(2) {
        let put = CheckpointPut {
            run: grant.run,
            fence: grant.fence,
            name: Text::from("memo"),
            value: large.clone(),
        };
        assert!(bench.step(Command::Checkpoint(Box::new(put))).is_ok());
        assert!(bench.finish(&grant, FinishOutcome::Released).is_ok());
    }
    for grant in bench.claim(2) {
        assert!(bench.finish(&grant, FinishOutcome::Suspended).is_ok());
        let (run, payload) = (grant.run, Some(large.clone()));
        assert!(bench.step(Command::ResumeRun { run, payload }).is_ok());
    }
    for run in runs {
        let grants: Vec<RunId> = bench.claim(4).iter().map(|grant| grant.run).collect();
        assert_eq!(grants, [run], "two of them would be 18 MiB");
    }
}

#[test]
fn a_claim_looks_at_a_limited_number_of_queues_and_kinds() {
    let mut bench = Bench::new();
    let names = |count: usize| (0..count).map(|at| Text::from(format!("n{at}"))).collect();
    let mut claim = |queues, kinds| {
        bench.step(Command::Claim(Box::new(Claim {
            worker: Text::from("w"),
            queues: names(queues),
            kinds: names(kinds),
            max: 1,
            lease_ms: None,
            idempotency_key: None,
            ..Claim::default()
        })))
    };
    assert!(claim(1000, 0).is_ok());
    assert!(claim(1, 1000).is_ok());
    assert!(claim(64, 64).is_ok());
    assert_eq!(claim(65, 64).unwrap_err().code(), "invalid_request");
    assert_eq!(claim(1000, 1000).unwrap_err().code(), "invalid_request");
}

#[test]
fn each_place_that_got_work_is_told_once_and_a_log_tells_nobody() {
    let mut bench = Bench::new();
    for at in 0..100 {
        let mut spec = TaskSpec::new("work");
        spec.queue = Text::from(["east", "west"][at % 2]);
        bench.submit(spec);
    }
    let mut woken = Vec::new();
    bench.machine.take_woken(&mut woken);
    let queues: Vec<&str> = woken.iter().map(|place| &*place.queue).collect();
    assert_eq!(queues, ["east", "west"]);
    let mut replayed = Machine::new(1);
    for (now, entry) in &bench.log {
        replayed.replay(now, entry);
    }
    woken.clear();
    replayed.take_woken(&mut woken);
    assert_eq!(woken, [], "nobody waits while a log is read");
}

#[test]
fn the_nil_uuid_names_no_task() {
    let mut bench = Bench::new();
    let spec = Box::new(TaskSpec::new("work"));
    let refused = bench.step(Command::SubmitAs(crate::TaskId(0), spec));
    assert_eq!(refused.unwrap_err().code(), "invalid_task");
}
