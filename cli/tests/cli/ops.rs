//! Looking after a data directory: backups through a server and without one, restores, looks into the past, dumps.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Ended, Served, mainstay, run};

fn on(words: &[&str], directory: &Path) -> Ended {
    run(mainstay().args(words).arg(directory))
}

/// A server with one finished and one waiting task.
fn served(data: &Path) -> (Served, String) {
    let served = Served::start(data);
    let (_, done) = served.submit(&[
        "a",
        "--payload",
        r#"{"n": 1.50}"#,
        "--idempotency-key",
        "once",
    ]);
    served.submit(&["b", "--queue", "later"]);
    served.run(&["work", "--until-idle", "--", "cat"]).good();
    (served, done)
}

#[test]
fn a_backup_of_a_running_server_is_restored_and_goes_on() {
    let place = tempfile::tempdir().expect("a directory");
    let (data, into, new) = (
        place.path().join("data"),
        place.path().join("backup"),
        place.path().join("new"),
    );
    let (served, done) = served(&data);
    let into_text = into.to_str().expect("text");
    let made = served.run(&["backup", into_text, "--json"]).good().json();
    assert_eq!(made["made_by"], "server");
    let again = served.run(&["backup", into_text]);
    assert_eq!(again.code, Some(73), "{again:?}");
    assert!(served.stop().success());

    let text = on(&["inspect"], &into).good().stdout;
    assert!(text.contains("agrees with itself"), "{text}");
    let restored = run(mainstay()
        .args(["restore", into_text, "--json", "--data-dir"])
        .arg(&new));
    let restored = restored.good().json();
    assert_eq!(restored["digest"], made["digest"]);
    assert_ne!(restored["log_id"], made["log_id"]);
    let occupied = run(mainstay()
        .args(["restore", into_text, "--data-dir"])
        .arg(&new));
    assert_eq!(occupied.code, Some(73), "{occupied:?}");

    let served = Served::start(&new);
    let shown = served.show(&done);
    assert_eq!(
        (&shown["state"], &shown["output"]["n"]),
        (&"completed".into(), &1.5.into())
    );
    let (_, same) = served.submit(&[
        "a",
        "--payload",
        r#"{"n": 1.50}"#,
        "--idempotency-key",
        "once",
    ]);
    assert_eq!(same, done);
    served
        .run(&["work", "--queue", "later", "--until-idle", "--", "true"])
        .good();
    assert!(served.stop().success());
    on(&["doctor"], &new).good();
}

#[test]
fn a_directory_that_nobody_holds_is_backed_up_directly() {
    let place = tempfile::tempdir().expect("a directory");
    let data = place.path().join("data");
    let (served, _) = served(&data);
    assert!(served.stop().success());
    let into = place.path().join("backup");
    let text = run(mainstay()
        .arg("backup")
        .arg(&into)
        .arg("--data-dir")
        .arg(&data));
    assert!(text.good().stdout.contains("verified"));
    let store = into.join("store.db");
    let mut bytes = std::fs::read(&store).expect("a store");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&store, bytes).expect("written");
    let new = place.path().join("new");
    let refused = run(mainstay()
        .arg("restore")
        .arg(&into)
        .arg("--data-dir")
        .arg(&new));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("store.db"), "{refused:?}");
    assert!(!new.exists());
    let none = run(mainstay()
        .arg("backup")
        .arg(place.path().join("other"))
        .arg("--data-dir")
        .arg(place.path().join("none")));
    assert_eq!(none.code, Some(78), "{none:?}");
}

#[test]
fn the_past_is_shown_beside_a_running_server() {
    let place = tempfile::tempdir().expect("a directory");
    let data = place.path().join("data");
    let (served, done) = served(&data);
    let seen = |words: &[&str]| on(&[&["inspect", "--json"], words].concat(), &data);
    let now = seen(&[]).good().json();
    assert_eq!(now["verified"], true);
    assert_eq!(now["runs_by_state"]["completed"], 1);
    let events = on(&["log", "dump", "--json"], &data).good().json_lines();
    let created = events.iter().find(|line| {
        line["type"] == "run_created" && line["run_id"] == Value::String(done.clone())
    });
    let at = created.expect("the run's creation")["sequence"].to_string();
    let then = seen(&["--at", &at, "--run", &done]).good().json();
    assert_eq!(then["found"]["state"], "ready");
    let text = on(&["inspect", "--at", &at, "--run", &done], &data).good();
    assert!(text.stdout.contains("as of event"), "{text:?}");
    let early = seen(&["--at", "1", "--run", &done]);
    assert_eq!(early.code, Some(1), "{early:?}");
    let beyond = seen(&["--at", "1000000"]);
    assert_eq!(beyond.code, Some(1));
    assert!(beyond.stderr.contains("within reach"), "{beyond:?}");
    assert_eq!(seen(&["--run", "x"]).code, Some(64));
    assert!(served.stop().success());
}

#[test]
fn a_dump_shows_lengths_unless_payloads_are_asked_for() {
    let place = tempfile::tempdir().expect("a directory");
    let data = place.path().join("data");
    let (served, done) = served(&data);
    let lines = on(&["log", "dump", "--json"], &data).good().json_lines();
    let of = |lines: &[Value], kind: &str| {
        let is_it = |line: &&Value| line["line"] == "event" && line["type"] == kind;
        lines.iter().find(is_it).expect("the event").clone()
    };
    assert_eq!(of(&lines, "task_created")["payload_bytes"], 11);
    assert_eq!(of(&lines, "run_completed")["run_id"], Value::String(done));
    assert!(of(&lines, "run_completed")["output"].is_null());
    let lines = on(&["log", "dump", "--json", "--payloads"], &data);
    let lines = lines.good().json_lines();
    assert_eq!(of(&lines, "task_created")["payload"]["n"], 1.5);
    assert_eq!(of(&lines, "run_completed")["output"]["n"], 1.5);
    let few = on(&["log", "dump", "--from", "3", "--limit", "4"], &data).good();
    assert_eq!(few.stdout.lines().count(), 4, "{few:?}");
    assert!(served.stop().success());
}
