//! The last events, as the public sees them.

use mainstay::{Command, Task};

use crate::life::{Place, call, close, live, open, stored};

#[test]
fn the_last_events_have_public_names_and_say_whom_they_are_about() {
    let place = Place::new();
    let engine = open(&place.data());
    let handle = engine.handle();
    let left = live(&handle);
    call(
        &handle,
        Command::CancelTask {
            task: left.done.0,
            reason: None,
        },
    );
    call(&handle, Command::PauseEngine { reason: None });
    let lines = handle.recent_events(1000);
    assert!(
        lines
            .windows(2)
            .all(|pair| pair[0].sequence < pair[1].sequence)
    );
    let of_done: Vec<_> = lines
        .iter()
        .filter(|line| line.task == Some(left.done.0))
        .map(|line| line.kind)
        .collect();
    assert_eq!(
        of_done,
        [
            "task_created",
            "run_created",
            "run_started",
            "run_completed"
        ]
    );
    let last = lines.last().unwrap();
    assert_eq!(
        (last.kind, last.task, last.run),
        ("engine_paused", None, None)
    );
    assert_eq!(last.actor.as_deref(), Some("local"));
    assert!(lines.iter().any(|line| line.kind == "run_retry_scheduled"));
    assert!(lines.iter().any(|line| line.kind == "run_failed"));

    let few = handle.recent_events(3);
    assert_eq!(few, lines[lines.len() - 3..]);
    assert!(handle.recent_events(0).is_empty());
    close(engine);
}

#[test]
fn an_event_about_a_run_from_long_ago_still_names_its_task() {
    let place = Place::new();
    let engine = open(&place.data());
    let handle = engine.handle();
    let old = handle.submit(Task::new("old").queue("old")).unwrap();
    for _ in 0..50 {
        handle.submit(Task::new("k")).unwrap();
    }
    stored(&handle);
    crate::life::claim(&handle, "old");
    let last = handle.recent_events(1).remove(0);
    assert_eq!(last.kind, "run_started");
    assert_eq!((last.task, last.run), (Some(old.task), Some(old.run.run)));
    close(engine);
}
