//! Acts on many runs of a real engine: nothing is done twice or left out, wherever the process stops.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mainstay::store::{DeadAsk, Page, RunAsk, Scope};
use mainstay::{
    Action, Call, Claim, Command, Engine, EngineOptions, Finish, FinishOutcome, Handle,
    OperationId, OperationState, OperationView, Outcome, Principal, Query, RunError, RunId,
    RunState, Selection, Task, TenantId, Text,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> EngineOptions {
    Engine::options().low_water_bytes(0)
}

/// Dead letters of tasks with payloads of their own in the store.
fn fail(handle: &Handle, queue: &str, count: usize, payload: usize) {
    let calls = |commands: Vec<Command>| {
        let calls = commands.into_iter().map(Call::new).collect();
        handle.call_many(calls).wait().expect("an answer").value
    };
    let json = format!("\"{}\"", "7".repeat(payload));
    let submits = (0..count).map(|_| {
        let task = Task::new("job").queue(queue).json(&json);
        Command::Submit(Box::new(task.into()))
    });
    for outcome in calls(submits.collect()) {
        outcome.expect("a task");
    }
    let claim = Claim {
        worker: Text::from("w"),
        queues: vec![Text::from(queue)],
        max: 1000,
        ..Claim::default()
    };
    let mut left = count;
    while left > 0 {
        let claimed = calls(vec![Command::Claim(Box::new(claim.clone()))]).remove(0);
        let Ok(Outcome::Claimed(grants)) = claimed else {
            panic!("a claim came to {claimed:?}");
        };
        left -= grants.len();
        let ends = grants.iter().map(|grant| {
            let error = RunError {
                code: Text::from("broken"),
                message: Text::from("it broke"),
                retryable: false,
            };
            Command::Finish(Box::new(Finish {
                outcome: FinishOutcome::Failure,
                error: Some(Box::new(error)),
                ..Finish::success(grant.run, grant.fence, None)
            }))
        });
        for outcome in calls(ends.collect()) {
            outcome.expect("an end");
        }
    }
}

fn stored(engine: &Engine) {
    let handle = engine.handle();
    assert!(handle.wait_stored(handle.sequence(), PATIENCE));
}

fn of_queue(queue: &str) -> Selection {
    Selection {
        queue: Some(Text::from(queue)),
        ..Selection::default()
    }
}

/// Dead letters by the lists, and by the counters.
fn dead(engine: &Engine) -> (u64, u64) {
    stored(engine);
    let library = engine.handle().library().expect("a store");
    let ask = DeadAsk {
        scope: Scope::Tenant(TenantId::DEFAULT),
        filter: Selection::default(),
        page: Page::first(1000),
    };
    let listed = library.dead_groups(&ask).expect("groups").total;
    let places = library.places(Scope::All).expect("places");
    (listed, places.iter().map(|place| place.dead_letters).sum())
}

fn runs(engine: &Engine, queue: &str, state: RunState) -> Vec<RunId> {
    stored(engine);
    let library = engine.handle().library().expect("a store");
    let mut ask = RunAsk {
        queue: Some(Text::from(queue)),
        state: Some(state),
        ..RunAsk::all(Scope::Tenant(TenantId::DEFAULT), Page::first(1000))
    };
    let mut all = Vec::new();
    loop {
        let page = library.runs(&ask).expect("a page");
        all.extend(page.rows.iter().map(|row| row.id));
        match page.next_cursor {
            Some(cursor) => ask.page.from = mainstay::store::From::Cursor(cursor),
            None => return all,
        }
    }
}

fn finished(engine: &Engine, id: OperationId) -> OperationView {
    let view = engine.handle().wait_operation(id, PATIENCE).expect("it");
    assert_eq!(view.operation.state, OperationState::Done, "{view:?}");
    view
}

/// Each dead letter has one run in its place.
fn check_redriven(engine: &Engine, queue: &str, count: usize) {
    let mut of: BTreeMap<RunId, u32> = BTreeMap::new();
    for run in runs(engine, queue, RunState::Ready) {
        let asked = engine.handle().ask(TenantId::DEFAULT, Query::Run(run));
        match asked.wait().expect("an answer").value {
            mainstay::Answer::Run(view) => {
                let before = view.retry_of.expect("it takes the place of another");
                *of.entry(before).or_default() += 1;
            }
            other => panic!("a run is {other:?}"),
        }
    }
    assert_eq!(of.len(), count);
    assert!(of.values().all(|count| *count == 1));
}

#[test]
fn a_redrive_that_is_cut_off_between_two_pieces_goes_on_where_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let (count, payload) = (1800, 2000);
    let engine = options().open(directory.path()).expect("open");
    fail(&engine.handle(), "q", count, payload);
    assert_eq!(dead(&engine), (count as u64, count as u64));
    let begun = engine
        .handle()
        .begin_operation(Action::Retry, of_queue("q"), Some(Text::from("mended")))
        .expect("it begins");
    let until = Instant::now() + PATIENCE;
    let before = loop {
        let view = engine.handle().operation(begun).expect("it is there");
        if view.operation.done > 0 || Instant::now() > until {
            break view;
        }
    };
    engine.shutdown(Duration::ZERO).expect("a clean end");
    let (mut lives, mut engine) = (1, options().open(directory.path()).expect("open"));
    // However far it came in this life, the next one goes on there.
    while lives < 4 {
        let view = engine.handle().operation(begun).expect("it is there");
        assert!(view.operation.done >= before.operation.done);
        drop(engine);
        engine = options().open(directory.path()).expect("open");
        lives += 1;
    }
    let view = finished(&engine, begun);
    let operation = &view.operation;
    assert_eq!(operation.matched, count as u64);
    assert_eq!((operation.done, operation.refused_total), (count as u64, 0));
    assert_eq!(dead(&engine), (0, 0));
    check_redriven(&engine, "q", count);
    assert_eq!(runs(&engine, "q", RunState::Failed).len(), count);
    // A replay of the whole log says the same.
    engine.shutdown(Duration::ZERO).expect("a clean end");
    for tail in ["", "-wal", "-shm"] {
        let path = format!("store/mainstay.db{tail}");
        std::fs::remove_file(directory.path().join(path)).ok();
    }
    let engine = options().open(directory.path()).expect("open");
    let again = engine.handle().operation(begun).expect("it is there");
    assert_eq!(again, view);
    assert_eq!(dead(&engine), (0, 0));
}

#[test]
fn a_clear_is_stopped_and_what_it_did_stays_done() {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = options().open(directory.path()).expect("open");
    fail(&engine.handle(), "a", 700, 10);
    fail(&engine.handle(), "b", 300, 10);
    let handle = engine.handle();
    let begun = handle
        .begin_operation(Action::Clear, of_queue("a"), None)
        .expect("it begins");
    handle.cancel_operation(begun, None).expect("it is stopped");
    let view = handle.wait_operation(begun, PATIENCE).expect("it");
    assert_ne!(view.operation.state, OperationState::Running);
    let (listed, counted) = dead(&engine);
    assert_eq!(listed, counted);
    assert_eq!(listed, 1000 - view.operation.done);
    // Another takes the rest; what failed after it began is left alone.
    let begun = handle
        .begin_operation(Action::Clear, Selection::default(), None)
        .expect("it begins");
    let view = finished(&engine, begun);
    assert_eq!(view.operation.done, listed);
    assert_eq!(dead(&engine), (0, 0));
}

#[test]
fn several_share_the_runner_and_none_sees_another_tenant() {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = options().open(directory.path()).expect("open");
    let handle = engine.handle();
    let tenant = handle.create_tenant(None, "acme").expect("a tenant");
    let other = handle.acting_as(Principal {
        tenant,
        ..Principal::default()
    });
    for _ in 0..30 {
        handle.submit(Task::new("a").queue("x")).expect("a task");
        other.submit(Task::new("a").queue("x")).expect("a task");
    }
    let cancel = |handle: &Handle| {
        let begun = handle.begin_operation(Action::Cancel, of_queue("x"), None);
        begun.expect("it begins")
    };
    let (first, second) = (cancel(&handle), cancel(&handle));
    let mut done = 0;
    for id in [first, second] {
        let operation = finished(&engine, id).operation;
        done += operation.done;
    }
    assert_eq!(done, 30, "each run is canceled once");
    assert!(other.operation(first).is_err(), "it is of another tenant");
    let foreign = other.cancel_operation(first, None);
    assert!(foreign.is_err());
    let theirs = other
        .begin_operation(Action::Cancel, Selection::default(), None)
        .expect("it begins");
    let theirs = other.wait_operation(theirs, PATIENCE).expect("it");
    assert_eq!((theirs.operation.matched, theirs.operation.done), (30, 30));
}
