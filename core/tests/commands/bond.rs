//! The rows about tasks above and before others.

use mainstay_core::{
    Bytes, Command, Fence, Finish, FinishOutcome, Outcome, RunId, TaskId, TaskSpec, Text, limits,
};

use super::row::{OK, Row, after, row};
use super::stand::{At, Stand};

const NOBODY: TaskId = TaskId(0xdead);
/// A task that is not due, and waits for the run's task.
const WAITS: TaskId = TaskId(0xa17);

fn below(parent: TaskId) -> Command {
    let mut spec = TaskSpec::new("child");
    spec.bonds_mut().parent = Some(parent);
    Command::Submit(Box::new(spec))
}

fn behind(prerequisites: Vec<TaskId>) -> Command {
    let mut spec = TaskSpec::new("later");
    spec.bonds_mut().depends_on = prerequisites;
    Command::Submit(Box::new(spec))
}

fn of(run: RunId, fence: Fence) -> Command {
    let mut spec = TaskSpec::new("child");
    spec.bonds_mut().parent_run = Some((run, fence));
    Command::Submit(Box::new(spec))
}

fn declare(task: TaskId, depends_on: Vec<TaskId>) -> Command {
    Command::DeclareDependencies { task, depends_on }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = submits();
    rows.extend(declarations());
    rows.extend(children());
    rows
}

fn of_parent(at: At) -> &'static str {
    if at.is_over() { "parent_terminal" } else { OK }
}

fn submits() -> Vec<Row> {
    vec![
        row("below its task", |stand| below(stand.task), of_parent),
        row("below nobody", |_| below(NOBODY), |_| "unknown_task"),
        after(
            |stand| {
                let mut above = stand.other;
                for _ in 1..limits::HIERARCHY_DEPTH_MAX {
                    let made = stand.must(below(above));
                    let Outcome::Submitted(child) = made else {
                        panic!("a submit came to {made:?}");
                    };
                    above = child.task;
                }
                stand.other = above;
            },
            "below too many",
            |stand| below(stand.other),
            |_| "hierarchy_too_deep",
        ),
        row("behind its task", |stand| behind(vec![stand.task]), |_| OK),
        row(
            "behind nobody",
            |_| behind(vec![NOBODY]),
            |_| "unknown_task",
        ),
        row(
            "behind too many",
            |stand| behind(vec![stand.other; limits::DEPENDS_ON_MAX + 1]),
            |_| "limit_exceeded",
        ),
        row(
            "by its attempt",
            |stand| of(stand.run, stand.fence),
            |at| match at {
                At::Running => OK,
                _ => "lease_lost",
            },
        ),
        row(
            "by an attempt that nobody knows",
            |stand| of(RunId(0xdead), stand.fence),
            |_| "unknown_run",
        ),
    ]
}

fn of_unstarted(at: At) -> &'static str {
    match at {
        At::Scheduled | At::Ready => OK,
        _ => "task_already_started",
    }
}

fn declarations() -> Vec<Row> {
    let waits = |stand: &mut Stand| {
        let mut spec = TaskSpec::new("later");
        spec.run_at = Some(stand.now.wall.plus_ms(9_000_000));
        spec.bonds_mut().depends_on = vec![stand.task];
        stand.must(Command::SubmitAs(WAITS, Box::new(spec)));
    };
    vec![
        row(
            "of its task",
            |stand| declare(stand.task, vec![stand.other]),
            of_unstarted,
        ),
        row(
            "of nothing",
            |stand| declare(stand.task, Vec::new()),
            |_| "empty_dependency_list",
        ),
        row(
            "of too much",
            |stand| declare(stand.task, vec![stand.other; limits::DEPENDS_ON_MAX + 1]),
            |_| "limit_exceeded",
        ),
        row(
            "of a task that nobody knows",
            |stand| declare(NOBODY, vec![stand.other]),
            |_| "unknown_task",
        ),
        row(
            "on a task that nobody knows",
            |stand| declare(stand.task, vec![NOBODY]),
            |_| "unknown_task",
        ),
        row(
            "on itself",
            |stand| declare(stand.task, vec![stand.task]),
            |_| "dependency_cycle",
        ),
        after(
            waits,
            "on one that waits for it",
            |stand| declare(stand.task, vec![WAITS]),
            |at| match of_unstarted(at) {
                OK => "dependency_cycle",
                refused => refused,
            },
        ),
    ]
}

fn finish(stand: &Stand, outcome: FinishOutcome, children: usize) -> Finish {
    Finish {
        outcome,
        children: (0..children)
            .map(|_| (None, TaskSpec::new("child")))
            .collect(),
        ..Finish::success(stand.run, stand.fence, None)
    }
}

/// What an end comes to whose own fields are refused once its token has been accepted.
fn of_attempt(at: At, running: &'static str) -> &'static str {
    match at {
        At::Running => running,
        At::Leased => "attempt_finish_requires_running",
        At::Idle => "attempt_finish_missing_active",
        At::Completed => OK,
        At::RetryWait | At::Suspended | At::Failed => "already_finished",
        At::Scheduled | At::Ready | At::Canceled => "lease_lost",
    }
}

fn children() -> Vec<Row> {
    vec![
        row(
            "with a child",
            |stand| Command::Finish(Box::new(finish(stand, FinishOutcome::Success, 1))),
            |at| of_attempt(at, OK),
        ),
        row(
            "with a child and an event",
            |stand| {
                let shipped = (Text::from("shipped"), Some(Bytes::from(&b"1"[..])));
                Command::Finish(Box::new(Finish {
                    custom_events: vec![shipped],
                    ..finish(stand, FinishOutcome::Success, 1)
                }))
            },
            |at| of_attempt(at, OK),
        ),
        row(
            "in failure with an event",
            |stand| {
                let shipped = (Text::from("shipped"), None);
                Command::Finish(Box::new(Finish {
                    custom_events: vec![shipped],
                    ..finish(stand, FinishOutcome::Failure, 0)
                }))
            },
            |_| "invalid_request",
        ),
        row(
            "with a child that is no task",
            |stand| {
                let mut finish = finish(stand, FinishOutcome::Success, 0);
                finish.children = vec![(None, TaskSpec::new("NO NAME"))];
                Command::Finish(Box::new(finish))
            },
            |at| of_attempt(at, "invalid_task"),
        ),
    ]
}
