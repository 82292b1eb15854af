//! The embedded door: every command as a method of a real engine, and the direct lane from submit to end.

use std::time::Duration;

use mainstay::{
    Amount, BudgetScope, Bytes, CheckpointPut, Claim, ClaimGrant, Command, CommandError, Directive,
    Engine, Filter, Finish, FinishOutcome, Handle, HeartbeatItem, Outcome, Principal, QueueConfig,
    Rejection, RunState, Task, TaskPatch, TenantId, Text, Timestamp,
};

fn in_engine(story: impl FnOnce(&Handle)) {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path()).unwrap();
    story(&engine.handle());
    engine.shutdown(Duration::from_secs(5)).unwrap();
}

fn code<T: std::fmt::Debug>(told: Result<T, CommandError>) -> &'static str {
    match told.unwrap_err() {
        CommandError::Rejected(rejection) => rejection.code(),
        CommandError::Call(error) => panic!("{error}"),
    }
}

fn grant(handle: &Handle) -> ClaimGrant {
    let claim = Claim {
        worker: Text::from("w"),
        queues: vec![Text::from("default")],
        max: 1,
        ..Claim::default()
    };
    match handle.command(Command::Claim(Box::new(claim))).unwrap() {
        Outcome::Claimed(mut grants) => grants.remove(0),
        other => panic!("a claim came to {other:?}"),
    }
}

#[test]
fn a_run_is_led_to_its_end_by_hand() {
    in_engine(|handle| {
        let run = handle.submit(Task::new("a")).unwrap().run.run;
        let (fence, expires_at) = handle.acquire_lease(run, "ann", Some(60_000)).unwrap();
        assert_eq!(
            code(handle.acquire_lease(run, "bob", None)),
            "lease_already_active"
        );
        let later = Timestamp(expires_at.0 + 60_000);
        assert_eq!(handle.renew_lease(run, "ann", later).unwrap(), later);
        assert_eq!(
            code(handle.renew_lease(run, "ann", expires_at)),
            "lease_heartbeat_expiry_regression"
        );
        assert_eq!(
            code(handle.release_lease(run, "ann", expires_at)),
            "lease_expiry_mismatch"
        );
        let held = handle.release_lease(run, "ann", later).unwrap();
        assert_eq!(held, RunState::Ready);
        let (second, expires_at) = handle.acquire_lease(run, "ann", None).unwrap();
        assert!(second > fence);
        let lapsed = handle.expire_lease(run, "ann", expires_at).unwrap();
        assert_eq!(lapsed, RunState::Ready);
        handle.acquire_lease(run, "ann", None).unwrap();
        let (leased, running) = (RunState::Leased, RunState::Running);
        assert_eq!(handle.transition_run(run, leased, running), Ok(running));
        assert_eq!(
            code(handle.transition_run(run, leased, running)),
            "previous_state_mismatch"
        );
        let (attempt, number) = handle.start_attempt(run).unwrap();
        assert_eq!(number, 1);
        assert_eq!(code(handle.start_attempt(run)), "attempt_already_active");
        let output = Some(Bytes::from(&b"1"[..]));
        let end = FinishOutcome::Success;
        let ended = handle.finish_attempt(run, attempt, end, output, None);
        assert_eq!(ended, Ok(RunState::Completed));
    });
}

#[test]
fn what_workers_report_has_a_method_each() {
    in_engine(|handle| {
        let run = handle.submit(Task::new("a")).unwrap().run.run;
        let task = grant(handle);
        let fence = task.fence;
        let beat = HeartbeatItem {
            run,
            fence,
            lease_ms: None,
            progress: None,
        };
        let told = handle.heartbeat(beat).unwrap();
        assert_eq!(told.directive, Directive::Continue);
        let put = CheckpointPut {
            run,
            fence,
            name: Text::from("page"),
            value: Bytes::from(&b"7"[..]),
        };
        handle.checkpoint(put).unwrap();
        let budget = handle
            .allocate_budget(BudgetScope::Task(task.task), "token", 100, None)
            .unwrap();
        assert_eq!(budget.limit, 100);
        let used = vec![Amount {
            dimension: Text::from("token"),
            amount: 5,
        }];
        let (budgets, told) = handle.consume(run, fence, used).unwrap();
        assert_eq!((budgets[0].consumed, told), (5, Directive::Continue));
        let scope = BudgetScope::Task(task.task);
        assert_eq!(
            handle.consume_budget(scope, "token", 1).unwrap().consumed,
            6
        );
        let fresh = handle.replenish_budget(scope, "token", 50).unwrap();
        assert_eq!(
            (fresh.limit, fresh.consumed, fresh.consumed_total),
            (50, 0, 6)
        );
        handle.suspend_run(run, None).unwrap();
        let aside = Finish {
            outcome: FinishOutcome::Suspended,
            ..Finish::success(run, fence, None)
        };
        assert_eq!(handle.finish(aside).unwrap(), RunState::Suspended);
        handle.resume_run(run, None).unwrap();
        let canceled = handle.cancel_run(run, false, None).unwrap();
        assert_eq!(canceled, Outcome::RunCanceled);
    });
}

#[test]
fn tasks_queues_and_tenants_have_a_method_each() {
    in_engine(|handle| {
        let first = handle.submit(Task::new("a")).unwrap().task;
        let second = handle.submit(Task::new("b")).unwrap().task;
        let patch = TaskPatch {
            task: first,
            priority: Some(7),
            ..TaskPatch::default()
        };
        handle.update_task(patch).unwrap();
        handle.create_run(first, None, None).unwrap();
        let mut later = Task::new("c");
        later = later.run_at(Timestamp(u64::MAX / 1_000_000));
        let later = handle.submit(later).unwrap().task;
        assert_eq!(handle.declare_dependencies(later, vec![first]), Ok(1));
        assert_eq!(handle.declare_dependencies(second, vec![first]), Ok(1));
        assert_eq!(
            code(handle.declare_dependencies(first, vec![second])),
            "dependency_cycle"
        );
        let key = Filter::Custom(Text::from("shipped"));
        let subscription = handle.subscribe(second, None, key).unwrap();
        handle.publish("shipped", None).unwrap();
        handle.trigger_subscription(subscription).unwrap();
        handle.unsubscribe(subscription).unwrap();
        assert_eq!(
            code(handle.unsubscribe(subscription)),
            "subscription_already_canceled"
        );
        handle
            .configure_queue("default", QueueConfig::default())
            .unwrap();
        handle.pause_queue("default", None).unwrap();
        assert_eq!(
            code(handle.pause_queue("default", None)),
            "queue_already_paused"
        );
        handle.resume_queue("default", None).unwrap();
        handle.pause_engine(None).unwrap();
        handle.resume_engine(None).unwrap();
        handle.weigh_tenant(3).unwrap();
        let told = handle.cancel_task(first, None).unwrap();
        assert_eq!(told.runs_canceled, 2);
    });
}

#[test]
fn a_handle_acts_in_the_tenant_that_it_is_told() {
    in_engine(|handle| {
        let tenant = handle.create_tenant(None, "acme").unwrap();
        assert_eq!(
            code(handle.create_tenant(None, "acme")),
            "tenant_already_exists"
        );
        let theirs = handle.acting_as(Principal {
            tenant,
            ..Principal::default()
        });
        let id = mainstay::TaskId(7 << 64);
        let run = theirs.submit_as(id, Task::new("a")).unwrap().run.run;
        handle.submit_as(id, Task::new("a")).unwrap();
        assert_eq!(
            code(theirs.submit_as(id, Task::new("a"))),
            "task_already_exists"
        );
        assert_eq!(code(handle.acquire_lease(run, "ann", None)), "unknown_run");
        theirs.acquire_lease(run, "ann", None).unwrap();
        let nobody = handle.acting_as(Principal {
            tenant: TenantId(99),
            ..Principal::default()
        });
        let refused = nobody.submit(Task::new("a"));
        let unknown = Rejection::UnknownTenant {
            tenant: TenantId(99),
        };
        assert_eq!(refused, Err(CommandError::Rejected(unknown)));
    });
}
