//! Claims that wait at queues that are closed, for work that needs more than everybody can, or over all tenants.

mod bench;

use std::time::Duration;

use bench::{Bench, Decided, claim, grants};
use mainstay::{
    Call, Claim, Command, Outcome, Pending, Principal, QueueConfig, RateLimit, TaskSpec, TenantId,
    Text,
};

fn wait_with(bench: &Bench, claim: Claim) -> Pending<Decided> {
    let wait = Duration::from_secs(60);
    bench.handle.claim(Principal::default(), claim, wait)
}

fn tell(bench: &mut Bench, call: Call) -> Outcome {
    let told = bench.handle.call(call);
    bench.round();
    told.wait().unwrap().value.expect("nothing is refused here")
}

fn order(bench: &mut Bench, command: Command) -> Outcome {
    tell(bench, Call::new(command))
}

fn config(bench: &mut Bench, config: QueueConfig) {
    let queue = Text::from("default");
    order(bench, Command::ConfigureQueue { queue, config });
}

#[test]
fn a_wait_at_a_paused_queue_is_fed_when_it_is_resumed() {
    let mut bench = Bench::new();
    let (queue, reason) = (Text::from("default"), None);
    order(&mut bench, Command::PauseQueue { queue, reason });
    let run = bench.submit(TaskSpec::new("work"));
    let mut wait = wait_with(&bench, claim(1));
    bench.round();
    assert!(wait.try_take().is_none());
    let (queue, reason) = (Text::from("default"), None);
    order(&mut bench, Command::ResumeQueue { queue, reason });
    assert_eq!(grants(wait.try_take().expect("it is resumed"))[0].run, run);
}

#[test]
fn waits_at_a_full_queue_are_fed_one_by_one_as_places_come_free() {
    let mut bench = Bench::new();
    config(
        &mut bench,
        QueueConfig {
            concurrency_limit: Some(1),
            ..QueueConfig::default()
        },
    );
    bench.submit(TaskSpec::new("work"));
    bench.submit(TaskSpec::new("work"));
    bench.submit(TaskSpec::new("work"));
    let first = bench.grant();
    let named = Claim {
        kinds: vec![Text::from("work")],
        ..claim(1)
    };
    let mut waits = [wait_with(&bench, claim(1)), wait_with(&bench, named)];
    bench.round();
    assert!(waits.iter_mut().all(|wait| wait.try_take().is_none()));
    let finish = mainstay::Finish::success(first.run, first.fence, None);
    order(&mut bench, Command::Finish(Box::new(finish)));
    let fed: Vec<bool> = waits
        .iter_mut()
        .map(|wait| wait.try_take().is_some())
        .collect();
    assert_eq!(fed, [true, false]);
}

#[test]
fn a_wait_at_a_queue_with_a_rate_is_fed_when_the_next_start_is_due_and_the_writer_sleeps_till_then()
{
    let mut bench = Bench::new();
    let rate_limit = Some(RateLimit {
        per_ms: 1000,
        max: 1,
    });
    config(
        &mut bench,
        QueueConfig {
            rate_limit,
            ..QueueConfig::default()
        },
    );
    bench.submit(TaskSpec::new("work"));
    bench.submit(TaskSpec::new("work"));
    bench.grant();
    let mut wait = wait_with(&bench, claim(1));
    assert_eq!(bench.round().next_in_ms, Some(1000));
    bench.pass(999);
    assert_eq!(bench.round().next_in_ms, Some(1));
    assert!(wait.try_take().is_none());
    bench.pass(1);
    let next = bench.round().next_in_ms;
    assert!(next.is_none_or(|ms| ms > 0), "the writer turns for nothing");
    assert_eq!(grants(wait.try_take().expect("its time has come")).len(), 1);
}

#[test]
fn work_wakes_those_who_are_able_to_do_it() {
    let mut bench = Bench::new();
    let able = |names: &[&str]| Claim {
        capabilities: names.iter().map(|name| Text::from(*name)).collect(),
        ..claim(1)
    };
    let mut waits = [
        wait_with(&bench, claim(1)),
        wait_with(&bench, able(&["tpu"])),
        wait_with(&bench, able(&["tpu", "gpu"])),
        wait_with(&bench, able(&["gpu"])),
    ];
    bench.round();
    let mut spec = TaskSpec::new("work");
    spec.policy_mut().required_capabilities = vec![Text::from("gpu")];
    bench.submit(spec);
    bench.round();
    let fed: Vec<bool> = waits
        .iter_mut()
        .map(|wait| wait.try_take().is_some())
        .collect();
    assert_eq!(fed, [false, false, true, false]);
    bench.submit(TaskSpec::new("work"));
    bench.round();
    assert!(
        waits[0].try_take().is_some(),
        "the longest wait comes first"
    );
}

#[test]
fn a_wait_over_all_tenants_is_fed_by_any() {
    let mut bench = Bench::new();
    let (tenant, name) = (Some(TenantId(7)), Text::from("acme"));
    order(&mut bench, Command::CreateTenant { tenant, name });
    let mut own = wait_with(&bench, claim(1));
    let over_all = Claim {
        all_tenants: true,
        ..claim(1)
    };
    let mut all = wait_with(&bench, over_all);
    bench.round();
    let principal = Principal {
        tenant: TenantId(7),
        ..Principal::default()
    };
    let submit = Command::Submit(Box::new(TaskSpec::new("work")));
    tell(&mut bench, Call::by(&principal, submit));
    assert!(own.try_take().is_none());
    let fed = grants(all.try_take().expect("somebody has work"));
    assert_eq!(fed[0].tenant, TenantId(7));
}
