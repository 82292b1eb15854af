//! Batches: bad lines, repeats, and what programs read of them.

use crate::harness::{Served, run};
use std::io::Write;
use std::process::Stdio;

#[test]
fn a_bad_line_does_not_stop_the_others_and_a_repeat_creates_nothing_twice() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let file = directory.path().join("tasks.ndjson");
    let lines = "{\"kind\":\"a\"}\n{broken\n{\"kind\":\"Not A Kind\"}\n\n{\"kind\":\"a\",\"payload\":[1,2]}\n{\"kind\":\"a\",\"typo\":1}\n";
    std::fs::write(&file, lines).expect("a file");
    let path = file.to_str().expect("UTF-8");
    let first = served.run(&["submit", "--batch", path]);
    assert_eq!(first.code, Some(1), "{first:?}");
    assert_eq!(
        first.stdout.trim(),
        "submitted 2, already there 0, failed 3"
    );
    for expected in [
        "line 2: invalid_json: ",
        "line 3: invalid_task: ",
        "line 6: unknown_field: ",
    ] {
        assert!(first.stderr.contains(expected), "{expected} in {first:?}");
    }
    let again = served.run(&["submit", "--batch", path]);
    assert_eq!(
        again.stdout.trim(),
        "submitted 0, already there 2, failed 3"
    );
    assert_eq!(
        served.run(&["stats", "--json"]).good().json()["total_tasks"],
        2
    );
}

#[test]
fn an_atomic_batch_is_all_or_nothing_and_names_the_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let file = directory.path().join("tasks.ndjson");
    let path = file.to_str().expect("UTF-8");
    let write = |lines: &str| std::fs::write(&file, lines).expect("a file");
    let submit = || served.run(&["submit", "--batch", path, "--atomic"]);
    let total = || served.run(&["stats", "--json"]).good().json()["total_tasks"].clone();
    write("{\"kind\":\"a\"}\n\n{\"kind\":\"Not A Kind\"}\n");
    let refused = submit();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("line 3: invalid_task: "),
        "{refused:?}"
    );
    assert_eq!(
        refused.stdout.trim(),
        "submitted 0, already there 0, failed 1"
    );
    write("{\"kind\":\"a\"}\n{broken\n");
    let refused = submit();
    assert!(
        refused.stderr.contains("line 2: invalid_json: "),
        "{refused:?}"
    );
    assert_eq!(total(), 0);
    let id = "0198a7b0-0000-7000-8000-00000000000f";
    write(&format!(
        "{{\"kind\":\"a\",\"id\":\"{id}\"}}\n{{\"kind\":\"b\",\"depends_on\":[\"{id}\"]}}\n"
    ));
    let made = submit();
    assert_eq!(
        made.good().stdout.trim(),
        "submitted 2, already there 0, failed 0"
    );
    let again = submit();
    assert_eq!(
        again.good().stdout.trim(),
        "submitted 0, already there 2, failed 0"
    );
    assert_eq!(total(), 2);
    let alone = served.run(&["submit", "mail.send", "--atomic"]);
    assert_eq!(alone.code, Some(64), "{alone:?}");
}

#[test]
fn programs_read_one_line_per_task_with_its_ids() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    let mut command = served.command(&["submit", "--batch", "-", "--json"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let lines: String = (0..1200)
        .map(|n| format!("{{\"kind\":\"k\",\"payload\":{n}}}\n"))
        .collect();
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(lines.as_bytes())
        .expect("written");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let tasks: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(tasks.len(), 1200);
    assert!(
        tasks
            .iter()
            .zip(1..)
            .all(|(task, number)| task["line"] == number && task["created"] == true)
    );
    let task = tasks[1199]["task_id"].as_str().expect("an id");
    assert_eq!(
        served.run(&["task", "show", task, "--json"]).good().json()["payload"],
        1199
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("\"submitted\":1200"));
}

#[test]
fn a_batch_that_cannot_be_read_is_a_usage_error() {
    let mut command = crate::harness::mainstay();
    let ended = run(command.args(["submit", "--batch", "/no/such/file"]));
    assert_eq!(ended.code, Some(64), "{ended:?}");
}
