//! Every way back (the store, the store and a tail, a snapshot, the log alone) leads to the same tenants, queues and tasks.

use std::path::Path;
use std::time::{Duration, Instant};

use mainstay::ops::{self, InspectAsk};
use mainstay::{
    Answer, Call, Claim, ClaimGrant, Command, Engine, EngineOptions, Finish, FinishOutcome,
    Outcome, Principal, Query, QueueConfig, Rejection, Repeat, RunId, RunState, Schedule,
    Submitted, Task, TaskId, TaskSpec, TaskState, TaskView, TenantId, Text,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn options() -> EngineOptions {
    Engine::options().low_water_bytes(0)
}

fn trimming() -> EngineOptions {
    options()
        .segment_bytes(1 << 20)
        .log_retain(0, 0)
        .snapshot_every_bytes(1 << 20)
}

fn decided(engine: &Engine, command: Command) -> Result<Outcome, Rejection> {
    let call = Call::new(command);
    engine.handle().call(call).wait().unwrap().value
}

fn claim(engine: &Engine, queue: &str, max: u32) -> Vec<ClaimGrant> {
    let claim = Claim {
        worker: Text::from("w"),
        queues: vec![Text::from(queue)],
        max,
        ..Claim::default()
    };
    let handle = engine.handle();
    let claimed = handle.claim(Principal::default(), claim, Duration::ZERO);
    match claimed.wait().unwrap().value {
        Ok(Outcome::Claimed(grants)) => grants,
        other => panic!("a claim came to {other:?}"),
    }
}

fn finish(engine: &Engine, grant: &ClaimGrant) -> Result<Outcome, Rejection> {
    let output = Some(b"[1,2,3]"[..].into());
    let finish = Finish::success(grant.run, grant.fence, output);
    decided(engine, Command::Finish(Box::new(finish)))
}

fn task_of(engine: &Engine, id: TaskId) -> TaskView {
    let asked = engine.handle().ask(TenantId::DEFAULT, Query::Task(id));
    match asked.wait().unwrap().value {
        Answer::Task(view) => *view,
        other => panic!("a task came to {other:?}"),
    }
}

fn states_of(task: &TaskView) -> Vec<RunState> {
    task.runs.iter().map(|run| run.state).collect()
}

/// So many runs, all due at once.
fn repeat(queue: &str, count: u32) -> TaskSpec {
    let mut spec = TaskSpec::new("again");
    spec.queue = Text::from(queue);
    spec.schedule = Some(Box::new(Schedule::Repeat(Repeat {
        count,
        interval_ms: 1,
        start_at: Some(mainstay::Timestamp(1_000_000_000_000)),
    })));
    spec
}

fn submit(engine: &Engine, spec: TaskSpec) -> Submitted {
    match decided(engine, Command::Submit(Box::new(spec))) {
        Ok(Outcome::Submitted(submitted)) => submitted,
        other => panic!("a submit came to {other:?}"),
    }
}

/// Waits until everything is stored and what is finished has left memory.
fn settle(engine: &Engine, runs_left: u64) {
    let handle = engine.handle();
    assert!(handle.wait_stored(handle.sequence(), PATIENCE));
    until("the leaving of finished runs", || {
        handle.metrics().rows_runs == runs_left
    });
}

fn lose_store(directory: &Path) {
    for tail in ["", "-wal", "-shm"] {
        let path = directory.join(format!("store/mainstay.db{tail}"));
        std::fs::remove_file(path).ok();
    }
}

/// What a killed process leaves: everything that was answered, nothing of an orderly end.
fn killed(directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let mut left = vec![std::path::PathBuf::new()];
    while let Some(inner) = left.pop() {
        std::fs::create_dir_all(copy.path().join(&inner)).unwrap();
        for entry in std::fs::read_dir(directory.join(&inner)).unwrap() {
            let entry = entry.unwrap();
            let name = inner.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                left.push(name);
            } else {
                std::fs::copy(entry.path(), copy.path().join(&name)).unwrap();
            }
        }
    }
    copy
}

/// Work that fills the log until its beginning is gone: only snapshots hold what was before.
fn outlive_the_log(engine: &Engine) {
    let handle = engine.handle();
    until("a trim", || {
        let filler = |at| Task::new("filler").queue("filler").bytes(vec![at; 5000]);
        let calls = (0..100).map(|at| Call::new(Command::Submit(Box::new(filler(at).into()))));
        handle.call_many(calls.collect()).wait().unwrap();
        for grant in claim(engine, "filler", 100) {
            finish(engine, &grant).unwrap();
        }
        let metrics = handle.metrics();
        metrics.log_oldest_sequence > 1 && metrics.snapshots >= 2
    });
}

/// Lives, comes back in every way there is, and checks what came back each time. `check` is told whether finished work is there too: no
/// snapshot holds it.
fn every_way_back<T>(live: impl Fn(&Engine) -> T, check: impl Fn(&Engine, &T, bool)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = options().open(path).unwrap();
    let lived = live(&engine);
    let copy = killed(path);
    engine.shutdown(Duration::ZERO).unwrap();
    let after_kill = options().open(copy.path()).unwrap();
    check(&after_kill, &lived, true);
    drop(after_kill);
    let from_store = options().open(path).unwrap();
    assert_eq!(from_store.recovered().rebuilt_from, None);
    check(&from_store, &lived, true);
    from_store.shutdown(Duration::ZERO).unwrap();
    lose_store(path);
    let from_log = options().open(path).unwrap();
    assert_eq!(from_log.recovered().rebuilt_from, Some(0));
    check(&from_log, &lived, true);
    from_log.shutdown(Duration::ZERO).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = trimming().open(path).unwrap();
    let lived = live(&engine);
    outlive_the_log(&engine);
    engine.shutdown(Duration::ZERO).unwrap();
    lose_store(path);
    let from_snapshot = trimming().open(path).unwrap();
    let recovered = from_snapshot.recovered().clone();
    assert!(
        recovered.rebuilt_from.is_some_and(|at| at > 0),
        "{recovered:?}"
    );
    check(&from_snapshot, &lived, false);
    from_snapshot.shutdown(Duration::ZERO).unwrap();
    let whole_again = trimming().open(path).unwrap();
    assert_eq!(whole_again.recovered().rebuilt_from, None);
    check(&whole_again, &lived, false);
}

#[test]
fn tenants_survive() {
    let create = |engine: &Engine, tenant| {
        let name = Text::from("acme");
        decided(engine, Command::CreateTenant { tenant, name })
    };
    every_way_back(
        |engine| match create(engine, None) {
            Ok(Outcome::TenantCreated(tenant)) => tenant,
            other => panic!("a new tenant came to {other:?}"),
        },
        |engine, tenant, _| {
            let known = Err(Rejection::TenantAlreadyExists { tenant: *tenant });
            assert_eq!(create(engine, None), known);
            assert_eq!(create(engine, Some(TenantId(77))), known);
        },
    );
}

fn keyed_repeat() -> TaskSpec {
    let mut spec = repeat("r", 5);
    spec.extras_mut().idempotency_key = Some(Text::from("again"));
    spec
}

/// A repeat of five runs of which one completed and one failed, these with their grants.
fn some_repeat(engine: &Engine) -> (TaskId, Vec<ClaimGrant>) {
    let task = submit(engine, keyed_repeat()).task;
    let grants = claim(engine, "r", 2);
    finish(engine, &grants[0]).unwrap();
    let failure = Finish {
        outcome: FinishOutcome::Failure,
        ..Finish::success(grants[1].run, grants[1].fence, None)
    };
    decided(engine, Command::Finish(Box::new(failure))).unwrap();
    settle(engine, 3);
    (task, grants)
}

fn check_repeat(engine: &Engine, (task, grants): &(TaskId, Vec<ClaimGrant>), is_whole: bool) {
    use RunState::{Completed, Failed, Ready};
    settle(engine, 3);
    let shown = task_of(engine, *task);
    assert_eq!((shown.runs_total, shown.state), (5, TaskState::Active));
    assert_eq!(shown.runs_by_state, [0, 3, 0, 0, 0, 0, 1, 1, 0]);
    assert!(shown.schedule.is_some());
    if !is_whole {
        assert_eq!(states_of(&shown), [Ready, Ready, Ready]);
        return;
    }
    assert_eq!(states_of(&shown), [Completed, Failed, Ready, Ready, Ready]);
    assert_eq!(shown.runs[0].run, grants[0].run);
    // A submit that is repeated shows the runs that have left memory too.
    let again = submit(engine, keyed_repeat());
    assert_eq!((again.task, again.created), (*task, false));
    assert_eq!((again.run.run, again.run.state), (grants[0].run, Completed));
    let more: Vec<_> = again.more.iter().map(|run| run.state).collect();
    assert_eq!(more, [Failed, Ready, Ready, Ready]);
    // A run that has left memory while its task is in it is still known.
    assert_eq!(finish(engine, &grants[0]), Ok(Outcome::Finished(Completed)));
    let other = Finish::success(grants[0].run, grants[0].fence, None);
    let other = decided(engine, Command::Finish(Box::new(other)));
    assert!(
        matches!(other, Err(Rejection::AlreadyFinished { .. })),
        "{other:?}"
    );
    let cancel = Command::CancelRun {
        run: grants[1].run,
        force: false,
        reason: None,
    };
    assert_eq!(decided(engine, cancel), Ok(Outcome::RunAlreadyTerminal));
    let asked = engine
        .handle()
        .ask(TenantId::DEFAULT, Query::Run(grants[0].run));
    match asked.wait().unwrap().value {
        Answer::Run(view) => assert_eq!(view.output.as_deref(), Some(&b"[1,2,3]"[..])),
        other => panic!("a run came to {other:?}"),
    }
}

#[test]
fn a_repeat_some_of_whose_runs_ended_survives() {
    every_way_back(some_repeat, check_repeat);
}

#[test]
fn a_look_into_the_directory_joins_runs_that_have_left_memory() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let (task, _) = some_repeat(&engine);
    let sequence = engine.handle().sequence();
    submit(&engine, repeat("other", 3));
    engine.shutdown(Duration::ZERO).unwrap();
    for at in [None, Some(sequence)] {
        let ask = InspectAsk {
            directory: directory.path(),
            at,
            backup: None,
        };
        let seen = ops::inspect_at(&ask, &mut |_| {}).unwrap();
        let answer = seen.answer(TenantId::DEFAULT, &Query::Task(task)).unwrap();
        let Answer::Task(shown) = answer else {
            panic!("the task is there");
        };
        use RunState::{Completed, Failed, Ready};
        assert_eq!(states_of(&shown), [Completed, Failed, Ready, Ready, Ready]);
    }
}

#[test]
fn a_task_with_more_runs_than_an_answer_shows_is_counted_whole() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let task = submit(&engine, repeat("r", 1500)).task;
    for grant in claim(&engine, "r", 700) {
        finish(&engine, &grant).unwrap();
    }
    let done = |task: &TaskView| task.runs_by_state[RunState::Completed as usize];
    let completed = done(&task_of(&engine, task));
    assert!(completed > 0);
    settle(&engine, 1500 - completed);
    let shown = task_of(&engine, task);
    assert_eq!((shown.runs.len(), shown.runs_total), (1000, 1500));
    assert_eq!(done(&shown), completed);
    assert_eq!(
        shown.runs_by_state[RunState::Ready as usize],
        1500 - completed
    );
    let states = states_of(&shown);
    let completed = completed as usize;
    assert!(
        states[..completed]
            .iter()
            .all(|state| *state == RunState::Completed)
    );
    assert!(
        states[completed..]
            .iter()
            .all(|state| *state == RunState::Ready)
    );
    assert_eq!(shown.scheduled_at.0, 1_000_000_000_000);
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn a_finished_repeat_is_still_known_whole() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let task = submit(&engine, repeat("r", 30)).task;
    let grants = claim(&engine, "r", 30);
    assert_eq!(grants.len(), 30);
    grants[..10]
        .iter()
        .for_each(|grant| drop(finish(&engine, grant)));
    settle(&engine, 20);
    grants[10..29]
        .iter()
        .for_each(|grant| drop(finish(&engine, grant)));
    let cancel = Command::CancelRun {
        run: grants[29].run,
        force: true,
        reason: None,
    };
    decided(&engine, cancel).unwrap();
    settle(&engine, 0);
    let shown = task_of(&engine, task);
    assert_eq!((shown.state, shown.runs.len()), (TaskState::Completed, 30));
    assert_eq!(shown.runs_by_state, [0, 0, 0, 0, 0, 0, 29, 0, 1]);
    let runs: Vec<_> = shown.runs.iter().map(|run| run.run).collect();
    let granted: Vec<_> = grants.iter().map(|grant| grant.run).collect();
    assert_eq!(runs, granted);
    assert_eq!(engine.handle().metrics().rows_tasks, 0);
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn queues_that_were_paused_or_configured_survive() {
    let queue = |name: &str| Text::from(name);
    every_way_back(
        |engine| {
            for name in ["held", "bounded", "again"] {
                submit(engine, repeat(name, 5));
            }
            let config = QueueConfig {
                concurrency_limit: Some(2),
                rate_limit: None,
                weight: Some(7),
            };
            let configure = Command::ConfigureQueue {
                queue: queue("bounded"),
                config: config.clone(),
            };
            decided(engine, configure).unwrap();
            for name in ["held", "again"] {
                let pause = Command::PauseQueue {
                    queue: queue(name),
                    reason: Some(Text::from("flood")),
                };
                decided(engine, pause).unwrap();
            }
            let handle = engine.handle();
            assert!(handle.wait_stored(handle.sequence(), PATIENCE));
            let resume = Command::ResumeQueue {
                queue: queue("again"),
                reason: None,
            };
            decided(engine, resume).unwrap();
            (config, claim(engine, "bounded", 5))
        },
        |engine, (config, grants), _| {
            assert_eq!(grants.len(), 2);
            assert!(claim(engine, "bounded", 5).is_empty(), "two are held");
            assert!(claim(engine, "held", 5).is_empty(), "it is paused");
            let asked = engine.handle().ask(TenantId::DEFAULT, Query::Queues);
            let Answer::Queues(queues) = asked.wait().unwrap().value else {
                panic!("queues are there");
            };
            let find = |name: &str| queues.iter().find(|row| &*row.name == name).unwrap();
            let (held, bounded) = (find("held"), find("bounded"));
            assert_eq!((held.paused, held.reason.as_deref()), (true, Some("flood")));
            assert_eq!((&bounded.config, bounded.held), (config, 2));
            assert!(
                queues
                    .iter()
                    .all(|row| &*row.name != "again" || !row.paused)
            );
        },
    );
}

/// A parent whose own run has completed while one child waits, and another is done.
fn some_family(engine: &Engine) -> (TaskId, TaskId) {
    let parent = engine.submit(Task::new("parent").queue("p")).unwrap().task;
    let child = |queue: &str| {
        let mut spec = TaskSpec::new("child");
        spec.queue = Text::from(queue);
        spec.bonds_mut().parent = Some(parent);
        submit(engine, spec).task
    };
    child("done");
    let waits = child("waits");
    for queue in ["p", "done"] {
        finish(engine, &claim(engine, queue, 1)[0]).unwrap();
    }
    settle(engine, 1);
    (parent, waits)
}

#[test]
fn a_parent_without_live_runs_survives_and_ends_with_its_last_child() {
    every_way_back(some_family, |engine, (parent, waits), is_whole| {
        settle(engine, 1);
        let shown = task_of(engine, *parent);
        assert_eq!(shown.state, TaskState::WaitingForChildren);
        let states = states_of(&shown);
        assert_eq!(states.len(), usize::from(is_whole));
        assert_eq!(shown.runs_by_state[RunState::Completed as usize], 1);
        let bond = shown.bond.unwrap();
        assert_eq!((bond.children_total, bond.descendants_live), (2, 1));
        assert_eq!(task_of(engine, *waits).bond.unwrap().parent, Some(*parent));
    });
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let (parent, _) = some_family(&engine);
    engine.shutdown(Duration::ZERO).unwrap();
    let engine = options().open(directory.path()).unwrap();
    finish(&engine, &claim(&engine, "waits", 1)[0]).unwrap();
    settle(&engine, 0);
    assert_eq!(engine.handle().metrics().rows_tasks, 0);
    let shown = task_of(&engine, parent);
    assert_eq!(shown.state, TaskState::Completed);
    assert_eq!(shown.runs_by_state, [0, 0, 0, 0, 0, 0, 1, 0, 0]);
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn outputs_of_children_that_left_memory_come_with_the_claim() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let parent = engine.submit(Task::new("parent").queue("p")).unwrap().task;
    let grant = &claim(&engine, "p", 1)[0];
    let child = |kind: &str| {
        let mut spec = TaskSpec::new(kind);
        spec.queue = Text::from(kind);
        (None, spec)
    };
    let wait = Finish {
        outcome: FinishOutcome::Suspended,
        reason: Some(Text::from("waiting_for_children")),
        children: vec![child("one"), child("two"), child("bad")],
        ..Finish::success(grant.run, grant.fence, None)
    };
    decided(&engine, Command::Finish(Box::new(wait))).unwrap();
    for queue in ["one", "two"] {
        finish(&engine, &claim(&engine, queue, 1)[0]).unwrap();
    }
    let bad = &claim(&engine, "bad", 1)[0];
    settle(&engine, 2);
    let failure = Finish {
        outcome: FinishOutcome::Failure,
        ..Finish::success(bad.run, bad.fence, None)
    };
    decided(&engine, Command::Finish(Box::new(failure))).unwrap();
    settle(&engine, 1);
    let again = &claim(&engine, "p", 1)[0];
    assert_eq!((again.task, again.attempt), (parent, 2));
    let rare = again.rare.as_deref().unwrap();
    assert_eq!(rare.children_count, (3, 0));
    let shown: Vec<_> = rare
        .children
        .iter()
        .map(|child| (child.state, child.output.as_deref(), child.stored))
        .collect();
    let output = Some(&b"[1,2,3]"[..]);
    assert_eq!(
        shown,
        [
            (TaskState::Completed, output, false),
            (TaskState::Completed, output, false),
            (TaskState::Failed, None, false)
        ]
    );
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn a_run_id_that_retention_freed_may_be_used_again_and_the_log_still_reads() {
    let directory = tempfile::tempdir().unwrap();
    let forgetful = || {
        options().history(mainstay::store::Retention {
            default: mainstay::store::Keep { age_ms: 0 },
            queues: std::collections::BTreeMap::new(),
            audit: mainstay::store::Keep { age_ms: 0 },
            bytes_max: u64::MAX,
        })
    };
    let id = RunId(77);
    let create = |engine: &Engine| {
        let task = submit(engine, repeat("r", 2)).task;
        let create = Command::CreateRun {
            task,
            run: Some(id),
            state: RunState::Scheduled,
            scheduled_at: None,
        };
        decided(engine, create).unwrap();
        let grants = claim(engine, "r", 3);
        assert_eq!(grants.len(), 3);
        grants
    };
    let is_gone = |engine: &Engine| {
        let asked = engine.handle().ask(TenantId::DEFAULT, Query::Run(id));
        matches!(asked.wait().unwrap().value, Answer::Absent)
    };
    let engine = forgetful().open(directory.path()).unwrap();
    for grant in create(&engine) {
        finish(&engine, &grant).unwrap();
    }
    engine.shutdown(Duration::ZERO).unwrap();
    let engine = forgetful().open(directory.path()).unwrap();
    until("retention", || is_gone(&engine));
    let second = create(&engine);
    settle(&engine, 3);
    engine.shutdown(Duration::ZERO).unwrap();
    // The store is lost: the log tells of both.
    std::fs::remove_dir_all(directory.path().join("store")).unwrap();
    let engine = options().open(directory.path()).unwrap();
    settle(&engine, 3);
    for grant in &second {
        finish(&engine, grant).unwrap();
    }
    settle(&engine, 0);
    assert!(!is_gone(&engine));
    engine.shutdown(Duration::ZERO).unwrap();
}

fn after(prerequisites: &[TaskId]) -> TaskSpec {
    let mut spec = TaskSpec::new("after");
    spec.queue = Text::from("after");
    spec.bonds_mut().depends_on = prerequisites.to_vec();
    spec
}

/// A completed and a failed task that have left memory, and one that another waits for.
fn some_prerequisites(engine: &Engine) -> [TaskId; 4] {
    let plain = |queue: &str| engine.submit(Task::new("plain").queue(queue)).unwrap().task;
    let (done, bad, open) = (plain("done"), plain("bad"), plain("open"));
    let waits = submit(engine, after(&[done, open])).task;
    finish(engine, &claim(engine, "done", 1)[0]).unwrap();
    let failed = &claim(engine, "bad", 1)[0];
    let failure = Finish {
        outcome: FinishOutcome::Failure,
        ..Finish::success(failed.run, failed.fence, None)
    };
    decided(engine, Command::Finish(Box::new(failure))).unwrap();
    settle(engine, 2);
    [done, bad, open, waits]
}

#[test]
fn dependents_wait_on_and_prerequisites_that_left_memory_are_known() {
    every_way_back(
        some_prerequisites,
        |engine, [done, bad, open, waits], is_whole| {
            let bond = task_of(engine, *waits).bond.unwrap();
            assert_eq!(bond.depends_on, [*done, *open]);
            assert_eq!(bond.unmet, [*open]);
            if is_whole {
                let made = submit(engine, after(&[*done])).run;
                assert_eq!(made.state, RunState::Ready);
                let made = submit(engine, after(&[*done, *bad])).run;
                assert_eq!(made.state, RunState::Canceled);
                let mut later = after(&[]);
                later.run_at = Some(mainstay::Timestamp(4_000_000_000_000));
                let task = submit(engine, later).task;
                let depends_on = vec![*bad];
                decided(engine, Command::DeclareDependencies { task, depends_on }).unwrap();
                assert_eq!(task_of(engine, task).state, TaskState::Canceled);
            }
        },
    );
}

#[test]
fn a_cascade_that_was_cut_off_goes_on_in_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let parent = engine.submit(Task::new("parent").queue("p")).unwrap().task;
    let mut child = after(&[]);
    child.bonds_mut().parent = Some(parent);
    let calls = (0..6000).map(|_| Call::new(Command::Submit(Box::new(child.clone()))));
    engine.handle().call_many(calls.collect()).wait().unwrap();
    let cancel = Command::CancelTask {
        task: parent,
        reason: None,
    };
    match decided(&engine, cancel).unwrap() {
        Outcome::TaskCanceled(canceled) => assert_eq!(canceled.descendants_canceled, 6000),
        other => panic!("a cancel came to {other:?}"),
    }
    let copy = killed(directory.path());
    assert_eq!(claim(&engine, "after", 1000).len(), 0);
    let after_kill = options().open(copy.path()).unwrap();
    assert_eq!(claim(&after_kill, "after", 1000).len(), 0);
    for engine in [&engine, &after_kill] {
        until("the end of the sweep", || {
            let bond = task_of(engine, parent).bond.unwrap();
            bond.descendants_live == 0
        });
        settle(engine, 0);
        assert_eq!(engine.handle().metrics().rows_tasks, 0);
    }
}
