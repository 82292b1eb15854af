//! Columns and views are two looks at one image.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::world::{facts_of, lively, stored};
use crate::image::{RowKind, RunColumns, TaskColumns};
use crate::{Answer, AttemptView, Query, RunState, RunView, TaskState, TaskView, TenantId, limits};

#[test]
fn the_columns_of_a_task_say_what_its_view_says() {
    let mut world = lively();
    let cut = world.machine.take_cut();
    let mut seen = Vec::new();
    for row in cut.rows.iter().filter(|row| row.kind == RowKind::Task) {
        let columns = TaskColumns::read(cut.image(row)).unwrap();
        let query = Query::Task(columns.id);
        let answer = facts_of(&cut).answer(&world.now, TenantId::DEFAULT, &query);
        let Answer::Task(view) = answer else {
            panic!("a task came to {answer:?}");
        };
        check_task(&columns, &view);
        let place = &cut.places[columns.place as usize];
        assert_eq!((&place.queue, &place.kind), (&view.queue, &view.kind));
        seen.push(view.state);
    }
    let missed = TaskState::ALL.iter().filter(|state| !seen.contains(state));
    let missed: Vec<_> = missed.collect();
    assert!(missed.is_empty(), "{missed:?} in {seen:?}");
}

fn check_task(columns: &TaskColumns<'_>, view: &TaskView) {
    assert_eq!(columns.id, view.id);
    assert_eq!(columns.priority, view.priority);
    assert_eq!(columns.created_at, view.created_at);
    assert_eq!(columns.created_by, &*view.created_by);
    assert_eq!(columns.canceled_at, view.canceled_at);
    assert_eq!(columns.runs_total, view.runs_total);
    assert_eq!(columns.state(), view.state);
    assert_eq!(
        columns.concurrency_key,
        view.policy.concurrency_key.as_deref()
    );
    assert_eq!(columns.description, view.extras.description.as_deref());
    let tags: Vec<&str> = view.extras.tags.iter().map(|tag| &**tag).collect();
    assert_eq!(columns.tags, tags);
    assert_eq!(
        columns.idempotency_key,
        view.extras.idempotency_key.as_deref()
    );
    let large = columns.payload_bytes as usize > limits::PAYLOAD_INLINE_BYTES;
    assert_eq!(columns.payload_stored, large);
    assert_eq!(view.stored_payload, large.then_some(columns.number));
    let bytes = view.payload.bytes.len();
    assert_eq!(
        bytes,
        if large {
            0
        } else {
            columns.payload_bytes as usize
        }
    );
}

#[test]
fn the_columns_of_a_run_say_what_its_view_says() {
    let mut world = lively();
    let cut = world.machine.take_cut();
    let mut seen = Vec::new();
    for row in cut.rows.iter().filter(|row| row.kind == RowKind::Run) {
        let columns = RunColumns::read(cut.image(row)).unwrap();
        let query = Query::Run(columns.id);
        let answer = facts_of(&cut).answer(&world.now, TenantId::DEFAULT, &query);
        let Answer::Run(view) = answer else {
            panic!("a run came to {answer:?}");
        };
        assert_eq!(columns.number, view.changes[0].sequence);
        check_run(&columns, view);
        seen.push(columns.state);
    }
    let missed = RunState::ALL.iter().filter(|state| !seen.contains(state));
    let missed: Vec<_> = missed.collect();
    assert_eq!(missed, [&RunState::Leased], "nobody sees a run leased");
}

fn check_run(columns: &RunColumns<'_>, view: Box<RunView>) {
    assert_eq!(columns.id, view.id);
    assert_eq!(columns.state, view.state);
    assert_eq!(columns.created_at, view.created_at);
    assert_eq!(columns.scheduled_at, view.scheduled_at);
    assert_eq!(columns.attempt_count, view.attempt_count);
    let last = view.changes.last().map(|change| change.at);
    let ended = view.state.is_terminal().then_some(last).flatten();
    assert_eq!(columns.finished_at, ended);
    let lease = view.lease.as_ref();
    let held = lease.map(|lease| (&*lease.owner, lease.acquired_at));
    assert_eq!(columns.held, held);
    let ended: Vec<&AttemptView> = view
        .attempts
        .iter()
        .filter(|a| a.result.is_some())
        .collect();
    assert_eq!(columns.attempts.len(), ended.len());
    assert_eq!(columns.last(), columns.attempts.last());
    for (attempt, shown) in columns.attempts.iter().zip(ended) {
        assert_eq!(
            (attempt.number, Some(attempt.result)),
            (shown.number, shown.result)
        );
        assert_eq!(attempt.started_at, shown.started_at);
        assert_eq!(Some(attempt.finished_at), shown.finished_at);
        assert_eq!(attempt.worker, &*shown.worker);
        let error = shown.error.as_ref();
        assert_eq!(attempt.error_code, error.map(|error| &*error.code));
        assert_eq!(attempt.error_message, error.map(|error| &*error.message));
    }
}

#[test]
fn what_was_stored_comes_back_as_the_same_machine() {
    let mut world = lively();
    let stored = stored(world.machine.take_cut());
    let machine = stored.load().unwrap();
    assert_eq!(machine.verify(), Ok(()));
    assert_eq!(machine.digest(), world.machine.digest());
    assert_eq!(machine.dirty_rows(), 0, "the store holds them already");
    assert_eq!(machine.payload_bytes(), 0, "payloads were left out");
}

#[test]
fn payloads_beyond_the_budget_leave_memory_and_say_where_they_are() {
    let mut world = lively();
    let before = world.machine.payload_bytes();
    assert_eq!(before, 65);
    let through = world.machine.take_cut().through;
    assert!(!world.machine.clone().stored(through, 65, 1000));
    assert!(!world.machine.stored(through, 64, 1000));
    assert_eq!(world.machine.payload_bytes(), 0);
    assert_eq!(world.machine.verify(), Ok(()));
    let grant = &world.claim("large", 1, None)[0];
    assert!(grant.stored_payload.is_some() && grant.payload.bytes.is_empty());
    assert!(grant.payload.binary);
}

#[test]
fn rows_are_no_larger_than_they_were() {
    // Memory is the rows: a field that makes them larger is paid a million times.
    let (task, run) = (size_of::<crate::task::Row>(), size_of::<crate::run::Row>());
    assert!(task <= 96, "a task's row has {task} bytes");
    assert!(run <= 96, "a run's row has {run} bytes");
}
