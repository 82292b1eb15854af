//! Events at the command line: what has happened, and what happens.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::harness::{Served, ended, send};
use rustix::process::Signal;
use serde_json::Value;

fn types(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["type"].as_str().expect("a type"))
        .collect()
}

#[test]
fn events_are_listed_filtered_and_followed() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let (task, run) = served.submit(&["copy", "--payload", "[1]"]);
    served.run(&["work", "--until-idle", "--", "cat"]).good();
    let listed = served.run(&["events", "--json"]).good().json_lines();
    assert_eq!(
        types(&listed),
        [
            "task_created",
            "run_created",
            "run_started",
            "run_completed"
        ]
    );
    assert!(listed.iter().all(|event| event["task_id"] == task.as_str()));
    assert_eq!(listed[3]["data"]["output"], serde_json::json!([1]));
    let last = listed[3]["sequence"].as_u64().expect("a number");
    let of_run = served
        .run(&[
            "events",
            "--run",
            &run,
            "--type",
            "run_started",
            "--type",
            "run_created",
            "--json",
        ])
        .good();
    assert_eq!(types(&of_run.json_lines()), ["run_created", "run_started"]);
    let before = (last - 1).to_string();
    let after = served.run(&["events", "--after", &before]).good().stdout;
    assert!(
        after.contains("run_completed") && after.lines().count() == 1,
        "{after}"
    );
    let tail = served
        .run(&["events", "--last", "2", "--task", &task, "--json"])
        .good();
    assert_eq!(types(&tail.json_lines()), ["run_started", "run_completed"]);
    let wrong = served.run(&["events", "--type", "run_exploded"]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");

    let mut following = served
        .command(&[
            "events",
            "--follow",
            "--after",
            &last.to_string(),
            "--limit",
            "2",
            "--json",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    served.submit(&["later"]);
    let lines = BufReader::new(following.stdout.take().expect("piped")).lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
        .collect();
    assert_eq!(types(&lines), ["task_created", "run_created"]);
    assert!(ended(&mut following).success());
    assert!(served.stop().success());
}

#[test]
fn a_watched_run_is_told_to_its_end_and_a_follower_goes_on_over_a_crash() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let served = Served::start(&data);
    let (_, run) = served.submit(&["copy"]);
    let mut watching = served
        .command(&["run", "watch", &run, "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut lines = BufReader::new(watching.stdout.take().expect("piped")).lines();
    let mut next = move || -> Option<Value> {
        let line = lines.next()?.expect("a line");
        Some(serde_json::from_str(&line).expect("JSON"))
    };
    assert_eq!(next().expect("a change")["to"], "ready");
    served.run(&["work", "--until-idle", "--", "true"]).good();
    let mut states = Vec::new();
    while let Some(change) = next() {
        states.push(change["to"].as_str().expect("a state").to_owned());
    }
    assert_eq!(states, ["leased", "running", "completed"]);
    assert!(ended(&mut watching).success());

    let mut following = served
        .command(&["events", "--follow", "--type", "task_created"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut out = BufReader::new(following.stdout.take().expect("piped")).lines();
    let first = out.next().expect("a line").expect("text");
    assert!(first.contains("task_created"), "{first}");
    // The server dies and comes back: the follower goes on where it was.
    let listen = served.url.trim_start_matches("http://").to_owned();
    served.kill();
    let served = Served::start_at(&data, &listen);
    let (task, _) = served.submit(&["later"]);
    let second = out.next().expect("a line").expect("text");
    assert!(second.contains(&task), "{second}");
    send(&following, Signal::TERM);
    following.wait().expect("ends");
    assert!(served.stop().success());
}
