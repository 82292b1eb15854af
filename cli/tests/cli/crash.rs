//! Kills and crowds: what was acknowledged survives, and one directory has one server.

use crate::harness::{Served, ended, eventually, send, serve};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::process::Stdio;

#[test]
fn a_batch_goes_on_over_a_killed_server_and_nothing_is_lost_or_doubled() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let mut served = Served::start(&data);
    let mut command = served.command(&["submit", "--batch", "-"]);
    let mut submitting = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let (feed, fed) = std::sync::mpsc::channel::<u64>();
    let mut stdin = submitting.stdin.take().expect("a pipe");
    let feeding = std::thread::spawn(move || {
        for chunk in fed {
            let lines = (chunk * 4000)..((chunk + 1) * 4000);
            let lines: String = lines
                .map(|n| format!("{{\"kind\":\"k\",\"payload\":{n}}}\n"))
                .collect();
            stdin
                .write_all(lines.as_bytes())
                .expect("the batch goes on");
        }
    });
    for chunk in 0..4 {
        feed.send(2 * chunk).expect("fed");
        eventually("some of it is there", || {
            let total = served.run(&["stats", "--json"]).good().json()["total_tasks"].as_u64()?;
            (total > chunk * 8000).then_some(())
        });
        // The rest of the chunk is on its way, and more comes while nobody answers.
        let listen = served.url.trim_start_matches("http://").to_owned();
        served.kill();
        feed.send(2 * chunk + 1).expect("fed");
        served = Served::start_at(&data, &listen);
    }
    drop(feed);
    feeding.join().expect("everything was fed");
    assert!(ended(&mut submitting).success());
    let mut said = String::new();
    submitting
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut said)
        .expect("reads");
    assert!(said.contains("failed 0"), "{said}");
    assert_eq!(
        served.run(&["stats", "--json"]).good().json()["total_tasks"],
        32_000
    );
    let (_, run) = served.submit(&["last"]);
    served.kill();
    let served = Served::start(&data);
    assert_eq!(served.show(&run)["state"], "ready");
    assert!(served.stop().success());
}

#[test]
fn a_worker_goes_on_over_a_killed_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let served = Served::start(&data);
    let run = served.submit_json(r#"{"kind":"k","constraints":{"lease_ms":30000}}"#);
    let file = directory.path().join("go");
    let script = format!(
        "while [ ! -e {} ]; do sleep 0.05; done; echo '\"kept\"'",
        file.display()
    );
    let mut worker = served
        .command(&["work", "--", "sh", "-c", &script])
        .spawn()
        .expect("a worker");
    served.until(&run, "running");
    let listen = served.url.trim_start_matches("http://").to_owned();
    served.kill();
    std::fs::write(&file, "").expect("a file");
    let served = Served::start_at(&data, &listen);
    let shown = served.until(&run, "completed");
    assert_eq!(
        (&shown["output"], &shown["attempt_count"]),
        (&"kept".into(), &1.into())
    );
    send(&worker, Signal::TERM);
    assert!(ended(&mut worker).success());
}

#[test]
fn of_fifty_starters_on_one_directory_exactly_one_serves() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let mut starters: Vec<_> = (0..50)
        .map(|_| {
            serve(&data, "127.0.0.1:0")
                .spawn()
                .expect("the binary runs")
        })
        .collect();
    let mut refused = 0;
    eventually("forty-nine are refused", || {
        starters.retain_mut(|child| {
            let Some(status) = child.try_wait().expect("a child") else {
                return true;
            };
            let mut said = String::new();
            child
                .stderr
                .take()
                .expect("a pipe")
                .read_to_string(&mut said)
                .expect("reads");
            assert_eq!(status.code(), Some(75), "{said}");
            assert!(
                said.contains("held by") && said.chars().any(|c| c.is_ascii_digit()),
                "{said}"
            );
            refused += 1;
            false
        });
        (refused == 49).then_some(())
    });
    let mut winner = starters.pop().expect("one is left");
    let mut stdout = winner.stdout.take().expect("a pipe");
    let mut said = String::new();
    eventually("it serves", || {
        let mut byte = [0];
        stdout.read_exact(&mut byte).expect("it goes on");
        said.push(char::from(byte[0]));
        (said.contains("API: http://") && said.ends_with('\n')).then_some(())
    });
    send(&winner, Signal::TERM);
    assert!(ended(&mut winner).success());
}

#[test]
fn a_storage_fault_ends_the_server_with_74_and_loses_nothing_acknowledged() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let served = Served::start(&data);
    let (_, run) = served.submit(&["before"]);
    served.forbid_writing();
    let refused = served.run(&["submit", "during"]);
    assert!(matches!(refused.code, Some(69 | 74)), "{refused:?}");
    assert_eq!(served.end().code(), Some(74));
    let served = Served::start(&data);
    assert_eq!(served.show(&run)["state"], "ready");
    assert!(served.stop().success());
}

#[test]
fn a_server_that_is_told_to_end_answers_the_claims_that_wait() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let served = Served::start(&data);
    let mut worker = served
        .command(&["work", "--", "true"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("a worker");
    let (_, run) = served.submit(&["k"]);
    served.until(&run, "completed");
    assert!(served.stop().success());
    let mut stderr = worker.stderr.take().expect("a pipe");
    let mut said = String::new();
    eventually("the worker notices", || {
        let mut byte = [0];
        stderr.read_exact(&mut byte).expect("it goes on");
        said.push(char::from(byte[0]));
        said.contains("server away").then_some(())
    });
    send(&worker, Signal::TERM);
    assert!(ended(&mut worker).success());
}

#[test]
fn an_act_on_many_runs_goes_on_over_a_killed_server_and_no_run_is_acted_on_twice() {
    const RUNS: u64 = 12_000;
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let mut served = Served::start(&data);
    let file = directory.path().join("tasks.ndjson");
    let line = "{\"kind\":\"k\",\"queue\":\"q\"}\n";
    std::fs::write(&file, line.repeat(RUNS as usize)).expect("a file");
    let path = file.to_str().expect("UTF-8");
    served.run(&["submit", "--batch", path]).good();
    let canceled = |served: &Served| {
        let stats = served.run(&["stats", "--json"]).good().json();
        stats["runs_by_state"]["canceled"]
            .as_u64()
            .expect("a count")
    };
    // Whoever asked for it is gone when the server is.
    let words = ["bulk", "cancel", "--queue", "q", "--yes"];
    let mut asking = served.command(&words).spawn().expect("runs");
    let mut known = 0;
    for _ in 0..3 {
        known = eventually("some of it is done", || {
            let now = canceled(&served);
            (now > known || now == RUNS).then_some(now)
        });
        let listen = served.url.trim_start_matches("http://").to_owned();
        served.kill();
        served = Served::start_at(&data, &listen);
        assert!(canceled(&served) >= known, "what was done stays done");
    }
    asking.kill().ok();
    asking.wait().expect("it ends");
    let done = eventually("all of it is done", || {
        let listed = served.run(&["bulk", "list", "--json"]).good().json();
        let operation = listed["operations"][0].clone();
        (operation["state"] == "done").then_some(operation)
    });
    assert_eq!(
        (&done["matched"], &done["done"], &done["refused_total"]),
        (&RUNS.into(), &RUNS.into(), &0.into())
    );
    assert_eq!(canceled(&served), RUNS);
    assert!(served.stop().success());
}
