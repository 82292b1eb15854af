//! One task from its submit to its end, as a person at the command line meets it.

use crate::harness::{Served, ended, eventually, send};
use rustix::process::Signal;
use std::process::Stdio;

#[test]
fn a_submitted_task_is_worked_on_and_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let (task, run) = served.submit(&[
        "copy",
        "--payload",
        r#"{"n": 1.50}"#,
        "--tag",
        "a",
        "--priority",
        "3",
    ]);
    let explained = served.run(&["run", "explain", &run]).good();
    assert!(explained.stdout.contains("ready"), "{explained:?}");
    served.run(&["work", "--until-idle", "--", "cat"]).good();
    let shown = served.show(&run);
    assert_eq!(shown["state"], "completed");
    assert_eq!(shown["output"]["n"], 1.5);
    assert_eq!(shown["attempts"][0]["result"], "success");
    let text = served.run(&["run", "show", &run]).good().stdout;
    assert!(
        text.contains(r#"{"n": 1.50}"#) && text.contains("completed"),
        "{text}"
    );
    let task = served.run(&["task", "show", &task]).good().stdout;
    assert!(task.contains("copy") && task.contains(&run), "{task}");
    let stats = served.run(&["stats", "--json"]).good().json();
    assert_eq!(
        (&stats["total_tasks"], &stats["runs_by_state"]["completed"]),
        (&1.into(), &1.into())
    );
    assert!(served.stop().success());
}

#[test]
fn waiting_ends_with_the_outcome_of_the_run() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let script =
        "case $MAINSTAY_KIND in bad) echo 'no such host' >&2; exit 3;; *) echo '\"fine\"';; esac";
    let mut worker = served
        .command(&["work", "--", "sh", "-c", script])
        .spawn()
        .expect("a worker");

    let done = served.run(&["submit", "good", "--wait"]);
    assert_eq!(
        (done.code, done.stdout.trim()),
        (Some(0), "\"fine\""),
        "{done:?}"
    );
    let failed = served.run(&["submit", "bad", "--wait"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("exit_3: no such host"), "{failed:?}");

    let later = ["later", "--queue", "nobody", "--idempotency-key", "once"];
    let (_, run) = served.submit(&later);
    let mut waiting = served.command(&[&["submit", "--wait"][..], &later].concat());
    let mut waiting = waiting
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a waiting submit");
    assert!(
        served
            .run(&["run", "cancel", &run, "--reason", "not wanted"])
            .good()
            .stdout
            .contains("canceled")
    );
    assert_eq!(ended(&mut waiting).code(), Some(2));
    let watched = served.run(&["run", "watch", &run]);
    assert_eq!(watched.code, Some(2), "{watched:?}");
    assert!(watched.stderr.contains("not wanted"), "{watched:?}");

    send(&worker, Signal::TERM);
    assert!(ended(&mut worker).success());
}

#[test]
fn a_paused_engine_grants_nothing_until_it_is_resumed() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    assert_eq!(
        served
            .run(&["engine", "pause", "--reason", "test"])
            .good()
            .stdout
            .trim(),
        "engine paused"
    );
    assert_eq!(
        served.run(&["engine", "pause"]).good().stdout.trim(),
        "engine already paused"
    );
    let (_, run) = served.submit(&["k"]);
    served.run(&["work", "--until-idle", "--", "true"]).good();
    assert_eq!(served.show(&run)["state"], "ready");
    assert_eq!(
        served.run(&["engine", "resume"]).good().stdout.trim(),
        "engine resumed"
    );
    served.run(&["work", "--until-idle", "--", "true"]).good();
    assert_eq!(served.show(&run)["state"], "completed");
}

#[test]
fn a_program_that_suspends_itself_is_resumed_with_a_payload() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let (_, run) = served.submit(&["k"]);
    let script = "[ $MAINSTAY_ATTEMPT = 1 ] && { echo 'needs a word' >&2; exit 76; }; echo 2";
    served
        .run(&["work", "--until-idle", "--", "sh", "-c", script])
        .good();
    let shown = served.show(&run);
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&"suspended".into(), &"needs a word".into())
    );
    served
        .run(&["run", "resume", &run, "--payload", r#"{"go":true}"#])
        .good();
    eventually("completed", || {
        served
            .run(&["work", "--until-idle", "--", "sh", "-c", script])
            .good();
        (served.show(&run)["state"] == "completed").then_some(())
    });
}
