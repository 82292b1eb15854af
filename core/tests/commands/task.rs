//! The rows about tasks: submits, changes, further runs, cancels, subscriptions.

use mainstay_core::{
    Bytes, Command, Filter, RunId, RunState, SubscriptionId, TaskId, TaskPatch, TaskSpec, Text,
    Timestamp, limits,
};

use super::row::{OK, Row, after, row};
use super::stand::{At, SUBSCRIPTION, Stand};

const NOBODY: TaskId = TaskId(0xdead);

fn spec(kind: &str) -> Box<TaskSpec> {
    Box::new(TaskSpec::new(kind))
}

fn keyed(kind: &str) -> Box<TaskSpec> {
    let mut spec = spec(kind);
    spec.extras_mut().idempotency_key = Some(Text::from("once"));
    spec
}

fn long() -> Option<Text> {
    Some("x".repeat(limits::REASON_BYTES_MAX + 1).into())
}

fn patch(task: TaskId) -> TaskPatch {
    TaskPatch {
        task,
        priority: Some(9),
        ..TaskPatch::default()
    }
}

/// What a command comes to that changes a task: one that has ended is changed no more.
fn of_live_task(at: At) -> &'static str {
    if at.is_over() { "unknown_task" } else { OK }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = submits();
    rows.extend(batches());
    rows.extend(changes());
    rows.extend(subscriptions());
    rows
}

fn submits() -> Vec<Row> {
    vec![
        row("of a task", |_| Command::Submit(spec("a")), |_| OK),
        row(
            "of no kind",
            |_| Command::Submit(spec("NO")),
            |_| "invalid_task",
        ),
        after(
            |stand| drop(stand.must(Command::Submit(keyed("a")))),
            "again",
            |_| Command::Submit(keyed("a")),
            |_| OK,
        ),
        after(
            |stand| drop(stand.must(Command::Submit(keyed("a")))),
            "of something else under a key",
            |_| Command::Submit(keyed("b")),
            |_| "idempotency_conflict",
        ),
        row(
            "under an id",
            |_| Command::SubmitAs(TaskId(0xabc), spec("a")),
            |_| OK,
        ),
        row(
            "under no id",
            |_| Command::SubmitAs(TaskId(0), spec("a")),
            |_| "invalid_task",
        ),
        row(
            "under the task's id",
            |stand| Command::SubmitAs(stand.task, spec("a")),
            |_| "task_already_exists",
        ),
        row(
            "with too many budgets",
            |_| {
                let mut spec = spec("a");
                let budget = |at| mainstay_core::BudgetSpec {
                    dimension: format!("d{at}").into(),
                    limit: 1,
                    reserve: None,
                };
                spec.bonds_mut().budgets = (0..=limits::BUDGETS_MAX).map(budget).collect();
                Command::Submit(spec)
            },
            |_| "limit_exceeded",
        ),
    ]
}

fn all<const N: usize>(tasks: [(Option<TaskId>, Box<TaskSpec>); N]) -> Command {
    let tasks = tasks.into_iter().map(|(id, spec)| (id, *spec));
    Command::SubmitAll(tasks.collect())
}

const ONE: TaskId = TaskId(0xabc);
const TWO: TaskId = TaskId(0xabd);

fn below(parent: TaskId) -> Box<TaskSpec> {
    let mut spec = spec("b");
    spec.bonds_mut().parent = Some(parent);
    spec
}

fn batches() -> Vec<Row> {
    vec![
        row("of nothing", |_| all([]), |_| OK),
        row(
            "of three, one below the other",
            |_| {
                all([
                    (Some(ONE), spec("a")),
                    (None, below(ONE)),
                    (Some(TWO), below(ONE)),
                ])
            },
            |_| OK,
        ),
        row(
            "of which one is below the task",
            |stand| all([(None, spec("a")), (None, below(stand.task))]),
            |at| if at.is_over() { "parent_terminal" } else { OK },
        ),
        row(
            "of which the second is none",
            |_| all([(None, spec("a")), (None, spec("NO"))]),
            |_| "invalid_task",
        ),
        row(
            "of which the second has the task's id",
            |stand| all([(None, spec("a")), (Some(stand.task), spec("a"))]),
            |_| "task_already_exists",
        ),
        row(
            "of which two have one id",
            |_| all([(Some(ONE), spec("a")), (Some(ONE), spec("a"))]),
            |_| "task_already_exists",
        ),
        row(
            "of which the first names the second",
            |_| all([(None, below(TWO)), (Some(TWO), spec("a"))]),
            |_| "unknown_task",
        ),
        row(
            "of the same request twice",
            |_| all([(None, keyed("a")), (None, keyed("a"))]),
            |_| OK,
        ),
        row(
            "of two requests under one key",
            |_| all([(None, keyed("a")), (None, keyed("b"))]),
            |_| "idempotency_conflict",
        ),
        row(
            "of too many",
            |_| Command::SubmitAll(vec![(None, *spec("a")); limits::BATCH_ITEMS_MAX + 1]),
            |_| "limit_exceeded",
        ),
    ]
}

fn create(stand: &Stand, run: Option<RunId>, state: RunState) -> Command {
    Command::CreateRun {
        task: stand.task,
        run,
        state,
        scheduled_at: None,
    }
}

fn changes() -> Vec<Row> {
    vec![
        row(
            "of its priority",
            |stand| Command::UpdateTask(Box::new(patch(stand.task))),
            of_live_task,
        ),
        row(
            "of a task that nobody knows",
            |_| Command::UpdateTask(Box::new(patch(NOBODY))),
            |_| "unknown_task",
        ),
        row(
            "with an empty tag",
            |stand| {
                let tags = Some(vec![Text::from("")]);
                Command::UpdateTask(Box::new(TaskPatch {
                    tags,
                    ..patch(stand.task)
                }))
            },
            |_| "invalid_task",
        ),
        row(
            "that pauses what is no schedule",
            |stand| {
                let paused = Some(true);
                Command::UpdateTask(Box::new(TaskPatch {
                    paused,
                    ..patch(stand.task)
                }))
            },
            |at| match of_live_task(at) {
                OK => "invalid_task",
                refused => refused,
            },
        ),
        row(
            "of its task",
            |stand| create(stand, None, RunState::Scheduled),
            of_live_task,
        ),
        after(
            |stand| {
                let (task, reason) = (stand.task, None);
                stand.must(Command::CancelTask { task, reason });
            },
            "after its task was canceled",
            |stand| create(stand, None, RunState::Scheduled),
            |at| {
                if at.is_over() {
                    "unknown_task"
                } else {
                    "task_canceled"
                }
            },
        ),
        row(
            "that begins ready",
            |stand| create(stand, None, RunState::Ready),
            |_| "run_create_requires_scheduled",
        ),
        row(
            "under its own id",
            |stand| create(stand, Some(stand.run), RunState::Scheduled),
            |at| match of_live_task(at) {
                OK => "run_already_exists",
                refused => refused,
            },
        ),
        row(
            "of a task that nobody knows",
            |_| Command::CreateRun {
                task: NOBODY,
                run: None,
                state: RunState::Scheduled,
                scheduled_at: None,
            },
            |_| "unknown_task",
        ),
        row(
            "after the end of time",
            |stand| Command::CreateRun {
                task: stand.task,
                run: None,
                state: RunState::Scheduled,
                scheduled_at: Some(Timestamp(u64::MAX)),
            },
            |_| "invalid_request",
        ),
        row(
            "of its task",
            |stand| Command::CancelTask {
                task: stand.task,
                reason: None,
            },
            |_| OK,
        ),
        row(
            "of a task that nobody knows",
            |_| Command::CancelTask {
                task: NOBODY,
                reason: None,
            },
            |_| "unknown_task",
        ),
        row(
            "for too long a reason",
            |stand| Command::CancelTask {
                task: stand.task,
                reason: long(),
            },
            |_| "limit_exceeded",
        ),
        row(
            "of the run",
            |stand| Command::CancelRun {
                run: stand.run,
                force: false,
                reason: None,
            },
            |_| OK,
        ),
        row(
            "of the run by force",
            |stand| Command::CancelRun {
                run: stand.run,
                force: true,
                reason: None,
            },
            |_| OK,
        ),
        row(
            "of a run that nobody knows",
            |_| Command::CancelRun {
                run: RunId(0xdead),
                force: false,
                reason: None,
            },
            |_| "unknown_run",
        ),
        row(
            "for too long a reason",
            |stand| Command::CancelRun {
                run: stand.run,
                force: false,
                reason: long(),
            },
            |_| "limit_exceeded",
        ),
    ]
}

fn subscribe(task: TaskId, id: Option<SubscriptionId>, filter: Filter) -> Command {
    Command::Subscribe {
        task,
        id,
        filter: Box::new(filter),
    }
}

fn custom() -> Filter {
    Filter::Custom(Text::from("shipped"))
}

/// The task beside waits for something.
fn waits(stand: &mut Stand) {
    stand.must(subscribe(stand.other, Some(SUBSCRIPTION), custom()));
}

fn waited(stand: &mut Stand) {
    waits(stand);
    stand.must(Command::Unsubscribe {
        subscription: SUBSCRIPTION,
    });
}

fn subscriptions() -> Vec<Row> {
    let unsubscribe = |_: &Stand| Command::Unsubscribe {
        subscription: SUBSCRIPTION,
    };
    let trigger = |_: &Stand| Command::TriggerSubscription {
        subscription: SUBSCRIPTION,
    };
    vec![
        row(
            "of its task to an event",
            |stand| subscribe(stand.task, None, custom()),
            of_live_task,
        ),
        row(
            "of another task to its end",
            |stand| subscribe(stand.other, None, Filter::TaskCompleted(stand.task)),
            |_| OK,
        ),
        row(
            "of a task that nobody knows",
            |_| subscribe(NOBODY, None, custom()),
            |_| "unknown_task",
        ),
        row(
            "to a task that nobody knows",
            |stand| subscribe(stand.other, None, Filter::TaskCompleted(NOBODY)),
            |_| "unknown_task",
        ),
        row(
            "to no event",
            |stand| subscribe(stand.other, None, Filter::Custom(Text::from(""))),
            |_| "invalid_request",
        ),
        after(
            waits,
            "under an id that is taken",
            |stand| subscribe(stand.other, Some(SUBSCRIPTION), custom()),
            |_| "subscription_already_exists",
        ),
        after(waits, "once", unsubscribe, |_| OK),
        row("from nothing", unsubscribe, |_| "unknown_subscription"),
        after(
            waited,
            "twice",
            unsubscribe,
            |_| "subscription_already_canceled",
        ),
        after(waits, "by hand", trigger, |_| OK),
        row("of nothing", trigger, |_| "unknown_subscription"),
        after(
            waited,
            "of one canceled",
            trigger,
            |_| "subscription_already_canceled",
        ),
        after(
            waits,
            "that somebody waits for",
            |_| Command::PublishEvent {
                key: Text::from("shipped"),
                payload: None,
            },
            |_| OK,
        ),
        row(
            "without a key",
            |_| Command::PublishEvent {
                key: Text::from(""),
                payload: None,
            },
            |_| "invalid_request",
        ),
        row(
            "with too much to say",
            |_| Command::PublishEvent {
                key: Text::from("shipped"),
                payload: Some(Bytes::from(vec![b'1'; limits::PAYLOAD_BYTES_MAX + 1])),
            },
            |_| "limit_exceeded",
        ),
    ]
}
