//! Kills and crowds: what was acknowledged survives, and one directory has one server.

use crate::harness::{Served, ended, eventually, send, serve};
use rustix::process::Signal;
use std::io::Read;
use std::process::Stdio;

#[test]
fn a_batch_goes_on_over_a_killed_server_and_nothing_is_lost_or_doubled() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let mut served = Served::start(&data);
    let file = directory.path().join("tasks.ndjson");
    let lines: String = (0..20_000).map(|n| format!("{{\"kind\":\"k\",\"payload\":{n}}}\n")).collect();
    std::fs::write(&file, lines).expect("a file");
    let path = file.to_str().expect("UTF-8");
    let mut command = served.command(&["submit", "--batch", path]);
    let mut submitting = command.stdout(Stdio::piped()).spawn().expect("runs");
    for threshold in [500, 5000, 10_000] {
        eventually("some are there", || {
            let total = served.run(&["stats", "--json"]).good().json()["total_tasks"].as_u64()?;
            (total >= threshold || submitting.try_wait().ok()?.is_some()).then_some(())
        });
        let listen = served.url.trim_start_matches("http://").to_owned();
        served.kill();
        served = Served::start_at(&data, &listen);
    }
    assert!(ended(&mut submitting).success());
    let mut said = String::new();
    submitting.stdout.take().expect("a pipe").read_to_string(&mut said).expect("reads");
    assert!(said.contains("failed 0"), "{said}");
    assert_eq!(served.run(&["stats", "--json"]).good().json()["total_tasks"], 20_000);
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
    let script = format!("while [ ! -e {} ]; do sleep 0.05; done; echo '\"kept\"'", file.display());
    let mut worker = served.command(&["work", "--", "sh", "-c", &script]).spawn().expect("a worker");
    served.until(&run, "running");
    let listen = served.url.trim_start_matches("http://").to_owned();
    served.kill();
    std::fs::write(&file, "").expect("a file");
    let served = Served::start_at(&data, &listen);
    let shown = served.until(&run, "completed");
    assert_eq!((&shown["output"], &shown["attempt_count"]), (&"kept".into(), &1.into()));
    send(&worker, Signal::TERM);
    assert!(ended(&mut worker).success());
}

#[test]
fn of_fifty_starters_on_one_directory_exactly_one_serves() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let mut starters: Vec<_> =
        (0..50).map(|_| serve(&data, "127.0.0.1:0").spawn().expect("the binary runs")).collect();
    let mut refused = 0;
    eventually("forty-nine are refused", || {
        starters.retain_mut(|child| {
            let Some(status) = child.try_wait().expect("a child") else { return true };
            let mut said = String::new();
            child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("reads");
            assert_eq!(status.code(), Some(75), "{said}");
            assert!(said.contains("held by") && said.chars().any(|c| c.is_ascii_digit()), "{said}");
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
