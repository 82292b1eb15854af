//! The rows about tasks with a calendar: each with a future run of its own beside the run at hand.

use mainstay_core::{
    Call, Command, Cron, Facts, Finish, FinishOutcome, Outcome, Query, RunId, RunState, Schedule,
    TaskId, TaskPatch, TaskSpec, TenantId,
};

use super::row::{OK, Row, after, row};
use super::stand::{At, Stand, stand};

const CRON: TaskId = TaskId(0xc407);

fn cron(expression: &str) -> Box<Schedule> {
    Box::new(Schedule::Cron(Box::new(Cron {
        expression: expression.into(),
        ..Cron::default()
    })))
}

fn spec(expression: &str) -> Box<TaskSpec> {
    let mut spec = TaskSpec::new("nightly");
    spec.queue = "calendar".into();
    spec.schedule = Some(cron(expression));
    Box::new(spec)
}

fn submitted(stand: &mut Stand) {
    stand.must(Command::SubmitAs(CRON, spec("every:60000")));
}

fn paused(stand: &mut Stand) {
    submitted(stand);
    stand.must(pause(true));
}

fn pause(paused: bool) -> Command {
    Command::UpdateTask(Box::new(TaskPatch {
        task: CRON,
        paused: Some(paused),
        ..TaskPatch::default()
    }))
}

fn change(task: TaskId, expression: &str) -> Command {
    Command::UpdateTask(Box::new(TaskPatch {
        task,
        schedule: Some(cron(expression)),
        ..TaskPatch::default()
    }))
}

/// The future run.
fn future(stand: &Stand) -> RunId {
    let asked = stand
        .machine
        .answer(&stand.now, TenantId::DEFAULT, &Query::Task(CRON));
    match asked {
        mainstay_core::Answer::Task(view) => view.runs[0].run,
        other => panic!("a task came to {other:?}"),
    }
}

fn shift(stand: &Stand, to: RunState) -> Command {
    Command::TransitionRun {
        run: future(stand),
        expected: RunState::Scheduled,
        to,
    }
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row(
            "of a calendar",
            |_| Command::Submit(spec("every:60000")),
            |_| OK,
        ),
        row(
            "of no calendar",
            |_| Command::Submit(spec("whenever")),
            |_| "invalid_task",
        ),
        row(
            "of an empty calendar",
            |_| Command::Submit(spec("")),
            |_| "invalid_task",
        ),
        after(submitted, "that pauses", |_| pause(true), |_| OK),
        after(paused, "that goes on", |_| pause(false), |_| OK),
        after(
            submitted,
            "of its calendar",
            |_| change(CRON, "every:3600000"),
            |_| OK,
        ),
        after(
            submitted,
            "to no calendar",
            |_| change(CRON, "whenever"),
            |_| "invalid_task",
        ),
        row(
            "of a task without one",
            |stand| change(stand.other, "every:60000"),
            |_| "invalid_task",
        ),
        after(
            submitted,
            "that comes before others",
            |_| {
                let mut spec = TaskSpec::new("later");
                spec.bonds_mut().depends_on = vec![CRON];
                Command::Submit(Box::new(spec))
            },
            |_| "invalid_task",
        ),
        after(
            submitted,
            "of its future run",
            |stand| shift(stand, RunState::Ready),
            |_| OK,
        ),
        after(
            submitted,
            "of its future run to its end",
            |stand| shift(stand, RunState::Canceled),
            |_| OK,
        ),
        after(
            submitted,
            "of its future run",
            |stand| Command::CancelRun {
                run: future(stand),
                force: false,
                reason: None,
            },
            |_| OK,
        ),
        after(
            submitted,
            "of it all",
            |_| Command::CancelTask {
                task: CRON,
                reason: None,
            },
            |_| OK,
        ),
        after(
            |stand| {
                submitted(stand);
                stand.now.wall = stand.now.wall.plus_ms(600_000);
                stand.now.steady = stand.now.steady.plus_ms(600_000);
            },
            "that has missed nine instants",
            |_| Command::Tick,
            |_| OK,
        ),
        row(
            "with a child that has a calendar",
            |stand| {
                Command::Finish(Box::new(Finish {
                    outcome: FinishOutcome::Suspended,
                    children: vec![(None, *spec("every:60000"))],
                    ..Finish::success(stand.run, stand.fence, None)
                }))
            },
            |at| match at {
                At::Running | At::Suspended => OK,
                At::Leased => "attempt_finish_requires_running",
                At::Idle => "attempt_finish_missing_active",
                At::RetryWait | At::Completed | At::Failed => "already_finished",
                At::Scheduled | At::Ready | At::Canceled => "lease_lost",
            },
        ),
    ]
}

#[test]
fn a_calendar_that_nobody_reads_is_refused() {
    let mut stand = stand(At::Ready);
    let call = Call::new(Command::Submit(spec("every:60000")));
    let step = stand.machine.step(&stand.now, &Facts::default(), call);
    assert_eq!(step.outcome.unwrap_err().code(), "not_supported");
    assert!(step.events.is_empty());
}

#[test]
fn a_future_run_made_ready_by_hand_is_followed_by_the_next() {
    let mut stand = stand(At::Ready);
    submitted(&mut stand);
    let command = shift(&stand, RunState::Ready);
    stand.must(command);
    stand.now.wall = stand.now.wall.plus_ms(61_000);
    stand.now.steady = stand.now.steady.plus_ms(61_000);
    for _ in 0..3 {
        let ticked = stand.must(Command::Tick);
        assert!(matches!(ticked, Outcome::Ticked { .. }));
    }
    let asked = stand
        .machine
        .answer(&stand.now, TenantId::DEFAULT, &Query::Task(CRON));
    let mainstay_core::Answer::Task(view) = asked else {
        panic!("a task came to {asked:?}");
    };
    let states: Vec<RunState> = view.runs.iter().map(|run| run.state).collect();
    let future = states.iter().filter(|state| **state == RunState::Scheduled);
    assert_eq!(future.count(), 1, "{states:?}");
    stand.check("after a future run was made ready by hand");
}
