//! The worker: directives reach the program, the end is graceful, the environment is complete.

use crate::harness::{Served, ended, eventually, send};
use rustix::process::{Pid, Signal, test_kill_process};

#[test]
fn the_program_learns_which_run_it_works_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let (task, run) = served.submit(&["the.kind", "--queue", "q"]);
    let script = r#"echo "$MAINSTAY_RUN_ID $MAINSTAY_TASK_ID $MAINSTAY_ATTEMPT $MAINSTAY_KIND ${MAINSTAY_TOKEN:+token}""#;
    served
        .run(&[
            "work",
            "--queue",
            "q",
            "--until-idle",
            "--",
            "sh",
            "-c",
            script,
        ])
        .good();
    assert_eq!(
        served.show(&run)["output"],
        format!("{run} {task} 1 the.kind token")
    );
}

#[test]
fn a_canceled_run_stops_its_program() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let run = served
        .submit_json(r#"{"kind":"k","constraints":{"lease_ms":1500,"cancel_grace_ms":60000}}"#);
    let file = directory.path().join("pid");
    let script = format!(
        "echo $$ > {0}.new; mv {0}.new {0}; sleep 1000",
        file.display()
    );
    let mut worker = served
        .command(&["work", "--", "sh", "-c", &script])
        .spawn()
        .expect("a worker");
    let pid = eventually("the program runs", || std::fs::read_to_string(&file).ok());
    let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("a process id");
    assert!(
        served
            .run(&["run", "cancel", &run])
            .good()
            .stdout
            .contains("cancel requested")
    );
    let shown = served.until(&run, "canceled");
    assert_eq!(shown["attempts"][0]["result"], "canceled");
    eventually("the program is gone", || {
        test_kill_process(pid).is_err().then_some(())
    });
    send(&worker, Signal::TERM);
    assert!(ended(&mut worker).success());
}

#[test]
fn a_worker_told_to_leave_finishes_what_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let (_, run) = served.submit(&["k"]);
    let (_, other) = served.submit(&["k"]);
    let file = directory.path().join("go");
    let script = format!(
        "while [ ! -e {} ]; do sleep 0.05; done; echo done",
        file.display()
    );
    let mut worker = served
        .command(&["work", "--", "sh", "-c", &script])
        .spawn()
        .expect("a worker");
    served.until(&run, "running");
    send(&worker, Signal::TERM);
    std::fs::write(&file, "").expect("a file");
    assert!(ended(&mut worker).success());
    assert_eq!(served.show(&run)["output"], "done");
    assert_eq!(served.show(&other)["state"], "ready");
}

#[test]
fn a_failure_worth_another_attempt_gets_one_and_any_other_does_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let retry = r#"{"kind":"again","constraints":{"max_attempts":3},"retry":{"strategy":"fixed","initial_ms":1,"jitter":"none"}}"#;
    let run = served.submit_json(retry);
    let (_, other) = served.submit(&["never", "--max-attempts", "3"]);
    let script = "[ $MAINSTAY_KIND = never ] && exit 9; [ $MAINSTAY_ATTEMPT = 3 ] || { echo not yet >&2; exit 75; }";
    eventually("both have ended", || {
        served
            .run(&["work", "--until-idle", "--", "sh", "-c", script])
            .good();
        let over = |run: &str| {
            ["completed", "failed"]
                .iter()
                .any(|state| served.show(run)["state"] == *state)
        };
        (over(&run) && over(&other)).then_some(())
    });
    let shown = served.show(&run);
    assert_eq!(
        (&shown["state"], &shown["attempt_count"]),
        (&"completed".into(), &3.into())
    );
    assert_eq!(shown["attempts"][0]["error"]["message"], "not yet");
    let shown = served.show(&other);
    assert_eq!(
        (&shown["state"], &shown["attempts"][0]["error"]["code"]),
        (&"failed".into(), &"exit_9".into())
    );
}
