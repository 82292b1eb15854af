//! SQL over the API, and the counters by queue.

use serde_json::{Value, json};

use crate::harness::{Response, World, text};

fn ask(world: &World, sql: &str) -> Response {
    world.post("/api/v1/query", &json!({ "sql": sql }).to_string())
}

fn rows(world: &World, sql: &str) -> Value {
    ask(world, sql).expect(200)["rows"].clone()
}

#[test]
fn a_query_sees_what_was_acknowledged_and_answers_typed_values() {
    let world = World::new();
    let (task, run) =
        world.submit(r#"{"kind":"mail.send","queue":"mail","metadata":{"priority":3}}"#);
    world.submit(r#"{"kind":"report","queue":"slow"}"#);
    let response = ask(
        &world,
        "SELECT id, kind, priority FROM tasks WHERE queue = 'mail'",
    );
    assert_eq!(response.header("mainstay-stale"), None);
    let answer = response.expect(200);
    let names: Vec<&String> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        ["checkpoint_sequence", "columns", "rows", "truncated"]
    );
    assert_eq!(answer["columns"], json!(["id", "kind", "priority"]));
    assert_eq!(answer["rows"], json!([[task, "mail.send", 3]]));
    assert_eq!(answer["truncated"], false);
    assert_eq!(
        answer["checkpoint_sequence"]
            .as_u64()
            .map(|at| at.to_string())
            .as_deref(),
        response.header("mainstay-sequence")
    );
    assert_eq!(
        rows(
            &world,
            "SELECT run_id, state FROM runs WHERE kind = 'mail.send'"
        ),
        json!([[run, "ready"]])
    );
    assert_eq!(
        rows(
            &world,
            "WITH x AS (SELECT queue, count(*) AS n FROM runs GROUP BY queue) SELECT * FROM x ORDER BY queue"
        ),
        json!([["mail", 1], ["slow", 1]])
    );
    assert_eq!(
        rows(&world, "SELECT NULL, 1, 1.5, 'a', x'0001', 9e999"),
        json!([[null, 1, 1.5, "a", {"base64": "AAE="}, "Infinity"]])
    );
}

#[test]
fn parameters_are_bound_by_number() {
    let world = World::new();
    let body = json!({"sql": "SELECT ?1, ?2, ?3, ?4, ?5, typeof(?6)", "params": [null, true, -2, 0.5, "x", {"base64": "AAE="}]});
    let answer = world.post("/api/v1/query", &body.to_string()).expect(200);
    assert_eq!(answer["rows"], json!([[null, 1, -2, 0.5, "x", "blob"]]));
}

#[test]
fn more_rows_than_asked_for_are_cut_and_told() {
    let world = World::new();
    let body = json!({"sql": "SELECT value FROM json_each('[1,2,3]')", "limit": 2});
    let response = world.post("/api/v1/query", &body.to_string());
    if response.status == 422 {
        // Table functions may be denied; views are not.
        for _ in 0..3 {
            world.submit(r#"{"kind":"a"}"#);
        }
        let body = json!({"sql": "SELECT 1 FROM runs", "limit": 2});
        let answer = world.post("/api/v1/query", &body.to_string()).expect(200);
        assert_eq!(
            (&answer["rows"], &answer["truncated"]),
            (&json!([[1], [1]]), &json!(true))
        );
        return;
    }
    let answer = response.expect(200);
    assert_eq!(answer["rows"], json!([[1], [2]]));
    assert_eq!(answer["truncated"], true);
}

#[test]
fn whatever_is_not_one_select_over_the_views_is_refused() {
    let world = World::new();
    world.submit(r#"{"kind":"a"}"#);
    for sql in [
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT 1; SELECT 2",
        "DELETE FROM task_row",
        "INSERT INTO meta VALUES (1, 2)",
        "UPDATE task_row SET state = 1",
        "CREATE TABLE x (y)",
        "DROP VIEW tasks",
        "PRAGMA journal_mode = DELETE",
        "ATTACH '/etc/passwd' AS x",
        "VACUUM INTO '/tmp/x'",
        "BEGIN",
        "EXPLAIN SELECT 1",
        "SELECT * FROM task_row",
        "SELECT * FROM payload_row",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM pragma_table_list",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT * FROM nothing",
        "SELECT nothing FROM tasks",
        "WITH x AS (SELECT 1) DELETE FROM task_row",
    ] {
        let details = ask(&world, sql).expect_error(422, "query_refused");
        assert_eq!(details, json!({}), "{sql}");
    }
    assert_eq!(rows(&world, "SELECT count(*) FROM tasks"), json!([[1]]));
}

#[test]
fn a_query_that_never_ends_is_ended() {
    let world = World::new();
    let forever =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
    let details = ask(&world, forever).expect_error(422, "limit_exceeded");
    assert_eq!(details["limit"], "query_ms");
    let long = "SELECT length(group_concat(hex(zeroblob(1000000)))) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000) SELECT x FROM n)";
    let response = ask(&world, long);
    assert_eq!(response.status, 422, "{}", response.text());
}

#[test]
fn a_body_that_is_no_query_is_refused_by_field() {
    let world = World::new();
    for (body, code, field) in [
        ("{}", "invalid_request", "sql"),
        (r#"{"sql":1}"#, "invalid_request", "sql"),
        (
            r#"{"sql":"SELECT 1","limit":0}"#,
            "invalid_request",
            "limit",
        ),
        (
            r#"{"sql":"SELECT 1","limit":10001}"#,
            "invalid_request",
            "limit",
        ),
        (
            r#"{"sql":"SELECT ?1","params":[[]]}"#,
            "invalid_request",
            "params.0",
        ),
        (
            r#"{"sql":"SELECT ?1","params":{}}"#,
            "invalid_request",
            "params",
        ),
        (r#"{"sql":"SELECT 1","page":1}"#, "unknown_field", "page"),
    ] {
        let details = world.post("/api/v1/query", body).expect_error(422, code);
        assert_eq!(details["field"], field, "{body}");
    }
}

#[test]
fn recent_events_can_be_asked_for() {
    let world = World::new();
    let (task, run) = world.submit(r#"{"kind":"a"}"#);
    let seen = rows(
        &world,
        &format!(
            "SELECT type, run_id FROM events_recent WHERE task_id = '{task}' ORDER BY sequence"
        ),
    );
    let types: Vec<String> = seen
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| text(&row[0]))
        .collect();
    assert!(types.contains(&"task_created".to_owned()), "{types:?}");
    assert!(types.contains(&"run_created".to_owned()), "{types:?}");
    assert!(seen.to_string().contains(&run));
}

#[test]
fn runs_are_counted_by_queue_and_kind() {
    let world = World::new();
    world.submit(r#"{"kind":"a","queue":"mail"}"#);
    world.submit(r#"{"kind":"b","queue":"mail"}"#);
    world.submit(r#"{"kind":"b","queue":"mail"}"#);
    world.submit(r#"{"kind":"z"}"#);
    let stats = world.get("/api/v1/stats").expect(200);
    assert_eq!(stats["by_queue_truncated"], false);
    let of = |queue: &str, kind: &str| {
        let rows = stats["by_queue"].as_array().expect("rows");
        let row = rows
            .iter()
            .find(|row| row["queue"] == queue && row["kind"] == kind);
        row.expect("a row")["runs_by_state"]["ready"].clone()
    };
    assert_eq!(
        (of("mail", "a"), of("mail", "b"), of("default", "z")),
        (json!(1), json!(2), json!(1))
    );
    let queues = world.get("/api/v1/queues").expect(200);
    let names: Vec<String> = queues["queues"]
        .as_array()
        .expect("queues")
        .iter()
        .map(|queue| text(&queue["name"]))
        .collect();
    assert_eq!(names, ["default", "mail"]);
    let mail = &queues["queues"][1];
    assert_eq!(mail["runs_by_state"]["ready"], 3);
    assert_eq!(mail["kinds"][1]["kind"], "b");
    assert_eq!(mail["kinds"][1]["runs_by_state"]["ready"], 2);
}

#[test]
fn the_store_is_among_the_metrics() {
    let world = World::new();
    world.submit(r#"{"kind":"a"}"#);
    world.get("/api/v1/tasks").expect(200);
    let response = world.get("/metrics");
    let metrics = response.text();
    for name in [
        "mainstay_store_lag_events",
        "mainstay_store_checkpoint_sequence",
        "mainstay_store_commits_total",
        "mainstay_store_commit_seconds_sum",
        "mainstay_store_commit_seconds_count",
        "mainstay_store_rows_total",
        "mainstay_log_bytes",
        "mainstay_log_oldest_sequence",
        "mainstay_disk_free_bytes",
        "mainstay_payload_memory_bytes",
        "mainstay_rows_in_memory{table=\"tasks\"}",
        "mainstay_rows_in_memory{table=\"runs\"}",
    ] {
        let line = metrics
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        assert!(line.is_some(), "{name}");
    }
}
