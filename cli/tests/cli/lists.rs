//! Lists, SQL, queues and the configuration file through the binary.

use crate::harness::{Served, mainstay, run, serve};

#[test]
fn lists_are_filtered_paged_and_shown_to_people_and_programs() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    for number in 0..5 {
        let kind = format!("k{number}");
        served.submit(&[&kind, "--queue", "mail", "--tag", "red"]);
    }
    let (task, other) = served.submit(&["other", "--priority", "7"]);

    let table = served.run(&["task", "list"]).good();
    assert_eq!(table.stdout.lines().count(), 7, "{}", table.stdout);
    assert!(
        table
            .stdout
            .lines()
            .nth(1)
            .is_some_and(|line| line.starts_with(&task))
    );
    let page = served
        .run(&["run", "list", "--limit", "2", "--queue", "mail"])
        .good();
    assert_eq!(page.stdout.lines().count(), 3, "{}", page.stdout);
    let cursor = page.stderr.split("--cursor ").nth(1).expect("a hint");
    let cursor = cursor.split(',').next().expect("a cursor");
    let next = served
        .run(&[
            "run", "list", "--limit", "2", "--queue", "mail", "--cursor", cursor, "--json",
        ])
        .good()
        .json();
    assert_eq!(next["runs"][0]["kind"], "k2");
    assert_eq!(next["runs"].as_array().map(Vec::len), Some(2));

    let all = served
        .run(&[
            "run", "list", "--all", "--limit", "2", "--tag", "red", "--json",
        ])
        .good()
        .json_lines();
    let kinds: Vec<_> = all
        .iter()
        .map(|row| row["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds, ["k0", "k1", "k2", "k3", "k4"]);
    let all = served
        .run(&["task", "list", "--all", "--limit", "2"])
        .good();
    assert_eq!(all.stdout.lines().count(), 7, "one head: {}", all.stdout);

    let by_task = served
        .run(&["run", "list", "--task", &task, "--json"])
        .good()
        .json();
    assert_eq!(by_task["runs"][0]["run_id"], other);
    let none = served
        .run(&["task", "list", "--state", "failed", "--json"])
        .good()
        .json();
    assert_eq!(none["tasks"], serde_json::json!([]));
    assert_eq!(
        served.run(&["run", "list", "--state", "done"]).code,
        Some(64)
    );
    assert_eq!(served.run(&["run", "list", "--limit", "0"]).code, Some(64));
    assert_eq!(
        served.run(&["run", "list", "--all", "--cursor", "x"]).code,
        Some(64)
    );
    let refused = served.run(&["run", "list", "--created-after", "monday", "--json"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("created_after"), "{refused:?}");
}

#[test]
fn sql_is_answered_as_a_table_as_json_and_as_csv() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    served.submit(&["a", "--queue", "mail"]);
    served.submit(&["b", "--queue", "mail"]);
    let sql = "SELECT queue, count(*) AS n FROM runs WHERE queue = ?1 GROUP BY queue";
    let table = served.run(&["query", sql, "--param", "mail"]).good();
    assert_eq!(table.stdout, "QUEUE  N\nmail   2\n");
    let csv = served
        .run(&["query", sql, "--param", "mail", "--csv"])
        .good();
    assert_eq!(csv.stdout, "queue,n\nmail,2\n");
    let json = served
        .run(&["query", sql, "--param", "mail", "--json"])
        .good()
        .json();
    assert_eq!(json["rows"], serde_json::json!([["mail", 2]]));
    let cut = served
        .run(&["query", "SELECT kind FROM runs", "--limit", "1"])
        .good();
    assert!(cut.stderr.contains("only the first 1 rows"), "{cut:?}");
    let refused = served.run(&["query", "DELETE FROM runs", "--json"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("query_refused"), "{refused:?}");
    assert_eq!(
        served.run(&["query", "SELECT 1", "--csv", "--json"]).code,
        Some(64)
    );
}

#[test]
fn queues_are_listed_with_their_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(&directory.path().join("data"));
    served.submit(&["a", "--queue", "mail"]);
    served.submit(&["b", "--queue", "mail"]);
    let list = served.run(&["queue", "list"]).good();
    let row = list.stdout.lines().nth(1).expect("a row");
    assert!(row.starts_with("mail") && row.contains('2'), "{row}");
    let kinds = served.run(&["queue", "list", "--kinds"]).good();
    assert_eq!(kinds.stdout.lines().count(), 3, "{}", kinds.stdout);
    let json = served.run(&["queue", "list", "--json"]).good().json();
    assert_eq!(json["queues"][0]["runs_by_state"]["ready"], 2);
}

#[test]
fn a_configuration_that_is_not_understood_is_refused_before_anything_is_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let file = directory.path().join("mainstay.toml");
    let start = |text: &str| {
        std::fs::write(&file, text).expect("written");
        run(serve(&data, "127.0.0.1:0").arg("--config").arg(&file))
    };
    for (text, part) in [
        ("[log]\nretain = 1\n", "there is no key log.retain"),
        (
            "[history]\nkeep = \"soon\"\n",
            "history.keep: expected a span from 1m to 3650d",
        ),
        ("[log\n", "line 1"),
    ] {
        let refused = start(text);
        assert_eq!(refused.code, Some(78), "{refused:?}");
        assert!(refused.stderr.contains("mainstay.toml"), "{refused:?}");
        assert!(refused.stderr.contains(part), "{refused:?}");
    }
    let absent = run(serve(&data, "127.0.0.1:0").args(["--config", "nowhere.toml"]));
    assert_eq!(absent.code, Some(78), "{absent:?}");
    let flag = run(serve(&data, "127.0.0.1:0").args(["--segment-bytes", "1"]));
    assert_eq!(flag.code, Some(64), "{flag:?}");
    assert!(flag.stderr.contains("from 64KiB to 1GiB"), "{flag:?}");
    assert!(!data.exists(), "nothing was made");
    assert!(
        run(mainstay().args(["serve", "--help"]))
            .stdout
            .contains("[history.queues]")
    );
}

#[test]
fn a_server_with_a_configuration_serves() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("mainstay.toml");
    let text = "[log]\nsegment_bytes = \"1MiB\"\n[history]\nkeep = \"1d\"\n[history.queues]\nmail = \"1h\"\n[search]\noff = [\"quiet\"]\n\
                [memory]\npayload_cache_bytes = 0\n[disk]\nlow_water_bytes = \"1MiB\"\n";
    std::fs::write(&file, text).expect("written");
    let config = file.to_str().expect("UTF-8");
    let served = Served::start_with(&directory.path().join("data"), &["--config", config]);
    served.submit(&["loud", "--queue", "mail", "--tag", "needle"]);
    served.submit(&["hushed", "--queue", "quiet", "--tag", "needle"]);
    let found = served
        .run(&["task", "list", "--q", "needle", "--json"])
        .good()
        .json();
    assert_eq!(found["tasks"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["tasks"][0]["kind"], "loud");
}
