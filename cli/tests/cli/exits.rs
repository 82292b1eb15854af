//! Exit codes, help and output that nobody reads.

use crate::harness::{Served, mainstay, run, serve};
use std::process::{Command, Stdio};

#[test]
fn every_refusal_has_the_exit_code_of_the_contract() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let code = |command: &mut Command| run(command).code;
    assert_eq!(code(mainstay().arg("frobnicate")), Some(64));
    assert_eq!(code(mainstay().args(["submit"])), Some(64));
    assert_eq!(
        code(mainstay().args(["submit", "k", "--payload", "not json"])),
        Some(64)
    );
    assert_eq!(
        code(mainstay().args(["stats", "--server", "http://127.0.0.1:1"])),
        Some(69)
    );
    assert_eq!(
        code(mainstay().args(["stats", "--server", "ftp://127.0.0.1:1"])),
        Some(78)
    );
    assert_eq!(
        code(&mut serve(
            &directory.path().join("no/parent"),
            "127.0.0.1:0"
        )),
        Some(73)
    );
    assert_eq!(code(&mut serve(&data, "0.0.0.0:0")), Some(78));
    assert_eq!(
        code(serve(&data, "127.0.0.1:0").args(["--tls-cert", "c", "--tls-key", "k"])),
        Some(78)
    );

    let served = Served::start(&data);
    assert_eq!(
        code(&mut served.command(&["stats", "--key", "msk_wrong_key"])),
        Some(77)
    );
    let nil = "00000000-0000-7000-8000-000000000001";
    let absent = served.run(&["run", "show", nil, "--json"]);
    assert_eq!(absent.code, Some(1), "{absent:?}");
    assert!(absent.stderr.contains("run_not_found"), "{absent:?}");
    let refused = served.run(&["submit", "k", "--cron", "not a cron", "--json"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands = [
        "serve",
        "submit",
        "work",
        "run list",
        "run show",
        "run cancel",
        "run suspend",
        "run resume",
        "run explain",
        "run watch",
        "task list",
        "task show",
        "task cancel",
        "task update",
        "task budget list",
        "task budget allocate",
        "task budget replenish",
        "task depend",
        "task run",
        "task subscribe",
        "task unsubscribe",
        "task publish",
        "schedule preview",
        "schedule list",
        "queue list",
        "queue show",
        "queue pause",
        "queue resume",
        "queue set",
        "query",
        "events",
        "stats",
        "engine pause",
        "engine resume",
        "doctor",
        "bench",
        "completions",
    ];
    for command in commands {
        let help = run(mainstay().args(command.split(' ')).arg("--help")).good();
        assert!(
            help.stdout.contains("Example"),
            "{command}: {}",
            help.stdout
        );
    }
}

#[test]
fn output_that_nobody_reads_is_no_error() {
    let mut help = mainstay()
        .arg("--help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    drop(help.stdout.take());
    let output = help.wait_with_output().expect("ends");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}

#[test]
fn a_small_measurement_reports_every_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let words = [
        "bench",
        "--json",
        "--tasks",
        "2000",
        "--batch",
        "100",
        "--workers",
        "2",
    ];
    let report = run(mainstay().args(words).current_dir(directory.path()))
        .good()
        .json();
    let keys = [
        "target",
        "mode",
        "tasks",
        "batch",
        "payload_bytes",
        "submits_per_s",
        "claim_finish_per_s",
        "p50_us",
        "p99_us",
        "syncs",
        "log_bytes",
        "rss_bytes_per_queued_run",
        "raw_fdatasync_p50_us",
        "peak_rss_bytes",
    ];
    for key in keys {
        assert!(!report[key].is_null(), "{key} in {report}");
    }
    assert_eq!(
        report.as_object().map(serde_json::Map::len),
        Some(keys.len())
    );
    assert_eq!(
        std::fs::read_dir(directory.path()).expect("a list").count(),
        0,
        "the scratch directory is gone"
    );

    let served = Served::start(&directory.path().join("data"));
    let report = served
        .run(&[
            "bench",
            "--json",
            "--tasks",
            "500",
            "--batch",
            "50",
            "--url",
            &served.url,
        ])
        .good()
        .json();
    assert_eq!(
        (&report["target"], &report["syncs"]),
        (&"http".into(), &serde_json::Value::Null)
    );
    assert_eq!(
        served.run(&["stats", "--json"]).good().json()["runs_by_state"]["completed"],
        500
    );
}
