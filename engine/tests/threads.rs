//! A real engine with its threads: workers in the process, shutdown, and what a panic on a thread comes to.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use mainstay::{
    AttemptResult, Call, Command, Engine, JobError, Principal, Query, RunState, RunView, Status,
    Task, TaskSpec, TenantId,
};

/// Runs one task with this handler to its end, in a directory of its own.
fn outcome<F>(attempts: u32, handler: F) -> Box<RunView>
where
    F: Fn(&mainstay::Job) -> Result<Vec<u8>, JobError> + Send + Sync + 'static,
{
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path()).unwrap();
    let mut task = Task::new("a").max_attempts(attempts);
    task.spec_mut().policy_mut().retry.initial_ms = 1;
    task.spec_mut().policy_mut().lease_ms = 1000;
    let run = engine.submit(task).unwrap().run.run;
    let worker = engine.worker("default").run(handler);
    let view = engine.wait_until_done(run).unwrap();
    worker.stop();
    engine.shutdown(Duration::from_secs(5)).unwrap();
    view
}

#[test]
fn a_panic_is_a_failure_that_is_tried_again() {
    let view = outcome(2, |_| panic!("on purpose"));
    let codes: Vec<&str> = view
        .attempts
        .iter()
        .map(|attempt| &*attempt.error.as_ref().unwrap().code)
        .collect();
    assert_eq!((view.state, codes), (RunState::Failed, vec!["panic"; 2]));
}

#[test]
fn a_handler_longer_than_its_lease_keeps_it() {
    let view = outcome(1, |_| {
        std::thread::sleep(Duration::from_millis(1800));
        Ok(b"1".to_vec())
    });
    let counted = (view.attempt_count, view.lost_leases);
    assert_eq!((view.state, counted), (RunState::Completed, (1, 0)));
}

#[test]
fn a_report_that_is_refused_fails_the_run_at_once() {
    let view = outcome(5, |_| Ok(vec![b'1'; (16 << 20) + 1]));
    let error = view.attempts[0].error.as_ref().unwrap();
    assert_eq!(&*error.code, "limit_exceeded");
    let counted = (view.attempt_count, view.lost_leases);
    assert_eq!((view.state, counted), (RunState::Failed, (1, 0)));
}

#[test]
fn any_error_code_can_be_reported() {
    let view = outcome(1, |_| Err(JobError::fatal("", "no code")));
    assert_eq!(&*view.attempts[0].error.as_ref().unwrap().code, "failed");
    let view = outcome(1, |_| Err(JobError::fatal(&"é".repeat(100), "a long code")));
    let error = view.attempts[0].error.clone().unwrap();
    assert_eq!(error.code.len(), 128);
    assert_eq!(view.attempts[0].result, Some(AttemptResult::Failure));
}

#[test]
fn a_handler_suspends_itself_with_any_reason_and_is_canceled() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path()).unwrap();
    let run = engine.submit(Task::new("a")).unwrap().run.run;
    let (begun, begins) = mpsc::channel();
    let first = AtomicBool::new(true);
    let worker = engine.worker("default").run(move |job| {
        if first.swap(false, Ordering::Relaxed) {
            begun.send(()).ok();
            return Err(JobError::suspend("x".repeat(5000)));
        }
        begun.send(()).ok();
        while !job.should_stop() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(JobError::canceled())
    });
    begins.recv().unwrap();
    let handle = engine.handle();
    let mut resumed = false;
    while !resumed {
        let payload = None;
        let call = Call::new(Command::ResumeRun { run, payload });
        resumed = handle.call(call).wait().unwrap().value.is_ok();
        std::thread::sleep(Duration::from_millis(5));
    }
    begins.recv().unwrap();
    let cancel = Command::CancelRun {
        run,
        force: false,
        reason: None,
    };
    handle
        .call(Call::new(cancel))
        .wait()
        .unwrap()
        .value
        .unwrap();
    assert_eq!(
        engine.wait_until_done(run).unwrap().state,
        RunState::Canceled
    );
    worker.stop();
    engine.shutdown(Duration::from_secs(5)).unwrap();
}

#[test]
fn a_shutdown_waits_for_handlers_and_leaves_a_handle_that_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path()).unwrap();
    let run = engine.submit(Task::new("a")).unwrap().run.run;
    let (begun, begins) = mpsc::channel();
    let ended = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&ended);
    let worker = engine.worker("default").run(move |_| {
        begun.send(()).ok();
        std::thread::sleep(Duration::from_millis(200));
        count.fetch_add(1, Ordering::AcqRel);
        Ok(Vec::new())
    });
    begins.recv().unwrap();
    let handle = engine.handle();
    engine.shutdown(Duration::from_secs(60)).unwrap();
    assert_eq!(ended.load(Ordering::Acquire), 1);
    let late = handle.submit(Task::new("b")).unwrap_err().to_string();
    assert!(late.contains("shutting down"), "{late}");
    worker.stop();
    let engine = Engine::open(directory.path()).unwrap();
    assert_eq!(
        engine.wait_until_done(run).unwrap().state,
        RunState::Completed
    );
}

/// Whoever is told through it panics on the engine's thread.
struct Panicking;

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        panic!("on purpose");
    }
}

#[test]
fn a_panic_on_an_engine_thread_ends_the_engine_and_answers_everybody() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path()).unwrap();
    let handle = engine.handle();
    let spec = Box::new(TaskSpec::new("a"));
    let mut told = handle.call(Call::new(Command::Submit(spec)));
    let parked = handle.claim(
        Principal::default(),
        mainstay::Claim {
            worker: "w".into(),
            queues: vec!["elsewhere".into()],
            kinds: Vec::new(),
            max: 1,
            lease_ms: None,
            idempotency_key: None,
            ..mainstay::Claim::default()
        },
        Duration::from_secs(3600),
    );
    let waker = Waker::from(Arc::new(Panicking));
    let mut context = Context::from_waker(&waker);
    while Pin::new(&mut told).poll(&mut context).is_pending() && handle.status() == Status::Ready {
        std::thread::yield_now();
    }
    if handle.status() != Status::Ready {
        assert!(parked.wait().is_err());
        assert!(handle.submit(Task::new("b")).is_err());
        assert!(engine.shutdown(Duration::ZERO).is_err());
    }
}

#[test]
fn a_worker_without_work_costs_no_turns() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path()).unwrap();
    let worker = engine
        .worker("default")
        .concurrency(4)
        .run(|_| Ok(Vec::new()));
    let handle = engine.handle();
    while handle.metrics().waiters < 4 {
        std::thread::yield_now();
    }
    // The start itself is cut, committed and told first.
    assert!(handle.wait_stored(handle.sequence(), Duration::from_secs(30)));
    while handle.metrics().store_lag_events > 0 {
        std::thread::yield_now();
    }
    handle.ask(TenantId::DEFAULT, Query::Stats).wait().unwrap();
    let before = handle.metrics().turns;
    std::thread::sleep(Duration::from_millis(1200));
    let turns = handle.metrics().turns - before;
    assert!(turns <= 1, "{turns} turns without work");
    worker.stop();
    engine.shutdown(Duration::from_secs(5)).unwrap();
}
