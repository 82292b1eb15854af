//! Lists of tasks and runs: filters, order, pages, and what a caller may rely on having been written.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::{World, text};

fn names(value: &Value) -> Vec<&String> {
    value.as_object().expect("an object").keys().collect()
}

/// What `list` answers under `name`, one field of each row.
fn column(answer: &Value, name: &str, field: &str) -> Vec<String> {
    let rows = answer[name].as_array().expect("rows");
    rows.iter().map(|row| text(&row[field])).collect()
}

fn kinds(world: &World, target: &str) -> Vec<String> {
    let name = if target.starts_with("/api/v1/tasks") {
        "tasks"
    } else {
        "runs"
    };
    column(&world.get(target).expect(200), name, "kind")
}

/// Six tasks, no two alike in what lists filter by.
fn six(world: &World) -> Vec<(String, String)> {
    let done = world.submit(r#"{"kind":"a.done","queue":"q1","metadata":{"tags":["red","blue"],"description":"Invoice for Ada"}}"#);
    let lease = claim(world, "q1", "ada");
    finish(world, &lease, r#""outcome":"success","output":1"#);
    let failed = world.submit(r#"{"kind":"b.failed","queue":"q2"}"#);
    let lease = claim(world, "q2", "bob");
    let error =
        r#""outcome":"failure","error":{"code":"smtp_refused","message":"mailbox unknown"}"#;
    finish(world, &lease, error);
    let running = world.submit(r#"{"kind":"c.running","queue":"q3","metadata":{"tags":["red"]}}"#);
    claim(world, "q3", "cy");
    let ready = world.submit(r#"{"kind":"d.ready","queue":"q4","metadata":{"priority":5}}"#);
    let later = world.submit(r#"{"kind":"e.later","queue":"q4","run_policy":{"type":"once","run_at":"2100-01-01T00:00:00Z"},"constraints":{"concurrency_key":"k"}}"#);
    let canceled = world.submit(r#"{"kind":"f.canceled","queue":"q5"}"#);
    world
        .post(&format!("/api/v1/tasks/{}/cancel", canceled.0), "")
        .expect(200);
    vec![done, failed, running, ready, later, canceled]
}

fn claim(world: &World, queue: &str, worker: &str) -> Value {
    let body = format!(r#"{{"worker":"{worker}","queues":["{queue}"]}}"#);
    world.post("/api/v1/leases", &body).expect(200)["leases"][0].clone()
}

fn finish(world: &World, lease: &Value, rest: &str) {
    let body = format!(r#"{{"token":{},{rest}}}"#, lease["token"]);
    let path = format!("/api/v1/runs/{}/finish", text(&lease["run_id"]));
    world.post(&path, &body).expect(200);
}

#[test]
fn rows_have_exactly_the_fields_of_the_contract() {
    let world = World::new();
    let (task, run) = world.submit(
        r#"{"kind":"a","metadata":{"tags":["t"],"description":"d","priority":2},"run_policy":{"type":"once","run_at":"2100-01-01T00:00:00Z"}}"#,
    );
    let answer = world.get("/api/v1/tasks").expect(200);
    assert_eq!(names(&answer), ["limit", "next_cursor", "offset", "tasks"]);
    assert_eq!(answer["limit"], 100);
    assert_eq!(answer["offset"], 0);
    assert_eq!(answer["next_cursor"], Value::Null);
    let row = &answer["tasks"][0];
    let whole = world.get(&format!("/api/v1/tasks/{task}")).expect(200);
    assert_eq!(
        names(row),
        [
            "constraints",
            "created_at",
            "id",
            "kind",
            "metadata",
            "queue",
            "run_policy",
            "state",
            "tenant_id",
            "updated_at"
        ]
    );
    for (name, value) in row.as_object().expect("a row") {
        assert_eq!(*value, whole[name], "{name}");
    }
    let answer = world.get("/api/v1/runs").expect(200);
    assert_eq!(names(&answer), ["limit", "next_cursor", "offset", "runs"]);
    let row = &answer["runs"][0];
    let whole = world.get(&format!("/api/v1/runs/{run}")).expect(200);
    assert_eq!(
        names(row),
        [
            "attempt_count",
            "concurrency_key",
            "created_at",
            "kind",
            "queue",
            "run_id",
            "scheduled_at",
            "state",
            "task_id",
            "tenant_id"
        ]
    );
    for (name, value) in row.as_object().expect("a row") {
        assert_eq!(*value, whole[name], "{name}");
    }
}

#[test]
fn every_filter_of_tasks_finds_what_it_says() {
    let world = World::new();
    let six = six(&world);
    let list = |query: &str| {
        let found = kinds(&world, &format!("/api/v1/tasks?{query}"));
        let letters: BTreeSet<char> = found
            .iter()
            .filter_map(|kind| kind.chars().next())
            .collect();
        assert_eq!(letters.len(), found.len(), "{query}: no row twice");
        letters.into_iter().collect::<String>()
    };
    assert_eq!(list(""), "abcdef");
    assert_eq!(list("kind=a.done"), "a");
    assert_eq!(list("kind=nothing"), "");
    assert_eq!(list("queue=q4"), "de");
    assert_eq!(list("queue=q4&kind=e.later"), "e");
    assert_eq!(list("tag=red"), "ac");
    assert_eq!(list("tag=blue"), "a");
    assert_eq!(list("state=active"), "cde");
    assert_eq!(list("state=completed"), "a");
    assert_eq!(list("state=failed"), "b");
    assert_eq!(list("state=canceled"), "f");
    assert_eq!(list("tag=red&state=active"), "c");
    assert_eq!(list(&format!("parent_task_id={}", six[0].0)), "");
    assert_eq!(list("q=invoice"), "a");
    assert_eq!(list("q=inv%20ADA"), "a");
    assert_eq!(list("q=inv+bob"), "");
    assert_eq!(list("q=mailbox"), "b");
    assert_eq!(list("q=smtp_refused"), "b");
    assert_eq!(list("q=ready"), "d");
    assert_eq!(list("created_after=2100-01-01T00:00:00Z"), "");
    assert_eq!(list("created_before=2100-01-01T00:00:00%2B02:00"), "abcdef");
    let task = world
        .get(&format!("/api/v1/tasks/{}", six[2].0))
        .expect(200);
    let at = text(&task["created_at"]);
    assert!(list(&format!("created_after={at}")).contains('c'));
    assert!(!list(&format!("created_before={at}")).contains('c'));
}

#[test]
fn every_filter_of_runs_finds_what_it_says() {
    let world = World::new();
    let six = six(&world);
    let list = |query: &str| {
        let found = kinds(&world, &format!("/api/v1/runs?{query}"));
        let letters: BTreeSet<char> = found
            .iter()
            .filter_map(|kind| kind.chars().next())
            .collect();
        assert_eq!(letters.len(), found.len(), "{query}: no row twice");
        letters.into_iter().collect::<String>()
    };
    assert_eq!(list(""), "abcdef");
    for (state, found) in [
        ("scheduled", "e"),
        ("ready", "d"),
        ("leased", ""),
        ("running", "c"),
        ("retry_wait", ""),
        ("suspended", ""),
        ("completed", "a"),
        ("failed", "b"),
        ("canceled", "f"),
    ] {
        assert_eq!(list(&format!("state={state}")), found, "{state}");
    }
    assert_eq!(list(&format!("task_id={}", six[1].0)), "b");
    assert_eq!(list("queue=q4"), "de");
    assert_eq!(list("kind=d.ready"), "d");
    assert_eq!(list("tag=red"), "ac");
    assert_eq!(list("worker=ada"), "a");
    assert_eq!(list("worker=cy"), "c");
    assert_eq!(list("worker=nobody"), "");
    assert_eq!(list("error_code=smtp_refused"), "b");
    assert_eq!(list("error_code=smtp"), "");
    assert_eq!(list("q=Invoice"), "a");
    assert_eq!(list("created_before=1970-01-01T00:00:00Z"), "");
    assert_eq!(
        list("state=failed&error_code=smtp_refused&worker=bob&queue=q2"),
        "b"
    );
}

#[test]
fn tasks_stand_by_priority_then_creation_and_runs_by_when_they_are_due() {
    let world = World::new();
    for (kind, priority, at) in [
        ("a", 0, "2100-01-03T00:00:00Z"),
        ("b", -5, "2100-01-01T00:00:00Z"),
        ("c", 9, "2100-01-02T00:00:00Z"),
        ("d", 9, "2100-01-01T00:00:00Z"),
    ] {
        world.submit(&format!(
            r#"{{"kind":"{kind}","metadata":{{"priority":{priority}}},"run_policy":{{"type":"once","run_at":"{at}"}}}}"#
        ));
    }
    assert_eq!(kinds(&world, "/api/v1/tasks"), ["c", "d", "a", "b"]);
    assert_eq!(kinds(&world, "/api/v1/runs"), ["b", "d", "c", "a"]);
    assert_eq!(kinds(&world, "/api/v1/tasks?limit=2&offset=1"), ["d", "a"]);
    assert_eq!(kinds(&world, "/api/v1/runs?limit=1&offset=3"), ["a"]);
    assert_eq!(kinds(&world, "/api/v1/runs?offset=4"), [""; 0]);
}

#[test]
fn wrong_parameters_are_refused_with_exactly_these_bodies() {
    let world = World::new();
    for (query, status, body) in [
        (
            "limit=0",
            422,
            r#"{"error":"invalid_pagination","message":"limit must be between 1 and 1000","details":{"field":"limit"}}"#,
        ),
        (
            "limit=1001",
            422,
            r#"{"error":"invalid_pagination","message":"limit must be between 1 and 1000","details":{"field":"limit"}}"#,
        ),
        (
            "limit=x",
            422,
            r#"{"error":"invalid_pagination","message":"limit must be between 1 and 1000","details":{"field":"limit"}}"#,
        ),
        (
            "offset=-1",
            422,
            r#"{"error":"invalid_pagination","message":"offset must be a non-negative integer","details":{"field":"offset"}}"#,
        ),
        (
            "offset=1.5",
            422,
            r#"{"error":"invalid_pagination","message":"offset must be a non-negative integer","details":{"field":"offset"}}"#,
        ),
        (
            "offset=100001",
            422,
            r#"{"error":"invalid_pagination","message":"offset must be at most 100000; use cursor to go on from a page","details":{"field":"offset"}}"#,
        ),
        (
            "offset=0&cursor=abc",
            422,
            r#"{"error":"invalid_pagination","message":"offset and cursor cannot be given together","details":{"field":"cursor"}}"#,
        ),
        (
            "cursor=abc",
            422,
            r#"{"error":"invalid_pagination","message":"cursor must be the next_cursor of this list with the same filters","details":{"field":"cursor"}}"#,
        ),
        (
            "stat=ready",
            422,
            r#"{"error":"unknown_parameter","message":"there is no parameter stat","details":{"parameter":"stat"}}"#,
        ),
        (
            "task_id=not-a-uuid",
            400,
            r#"{"error":"invalid_task_id","message":"invalid task id","details":{"task_id":"not-a-uuid"}}"#,
        ),
        (
            "created_after=monday",
            422,
            r#"{"error":"invalid_parameter","message":"created_after must be an instant such as 2026-01-02T03:04:05.678Z","details":{"parameter":"created_after"}}"#,
        ),
    ] {
        let response = world.get(&format!("/api/v1/runs?{query}"));
        assert_eq!(
            (response.status, response.text()),
            (status, body),
            "{query}"
        );
        response.check_headers();
    }
    let details = world
        .get("/api/v1/tasks?state=done")
        .expect_error(422, "invalid_parameter");
    assert_eq!(
        details,
        json!({"parameter": "state", "allowed": ["active", "completed", "failed", "canceled", "waiting_for_children"]})
    );
    world
        .get("/api/v1/tasks?parent_task_id=00000000-0000-0000-0000-000000000000")
        .expect_error(400, "invalid_task_id");
    world
        .get("/api/v1/tasks?q=%21%21")
        .expect_error(422, "invalid_parameter");
    world
        .get("/api/v1/tasks?limit=1&limit=2")
        .expect_error(422, "invalid_parameter");
}

/// Follows `next_cursor` to the end.
fn all(world: &World, target: &str, name: &str, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut answer = world.get(target).expect(200);
    loop {
        found.extend(column(&answer, name, id));
        let Some(cursor) = answer["next_cursor"].as_str() else {
            return found;
        };
        answer = world.get(&format!("{target}&cursor={cursor}")).expect(200);
    }
}

fn submit_many(world: &World, kind: &str, count: usize) {
    let item = format!(r#"{{"kind":"{kind}"}}"#);
    let body = format!(r#"{{"tasks":[{}]}}"#, vec![item; count].join(","));
    world.post("/api/v1/tasks/batch", &body).expect(200);
}

#[test]
fn pages_joined_by_cursors_hold_every_row_once_while_others_are_submitted() {
    let world = World::new();
    submit_many(&world, "old", 3000);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..60 {
                if !stop.load(Ordering::Relaxed) {
                    submit_many(&world, "new", 50);
                }
            }
        });
        for (target, name, id) in [
            ("/api/v1/tasks?limit=170", "tasks", "id"),
            ("/api/v1/runs?limit=170", "runs", "run_id"),
            ("/api/v1/runs?limit=999&state=ready", "runs", "run_id"),
            ("/api/v1/tasks?limit=333&kind=old", "tasks", "id"),
        ] {
            let found = all(&world, target, name, id);
            let different: BTreeSet<&String> = found.iter().collect();
            assert_eq!(different.len(), found.len(), "{target}: no row twice");
            assert!(found.len() >= 3000, "{target}: {}", found.len());
            let exactly = all(
                &world,
                &format!("/api/v1/{name}?limit=1000&kind=old"),
                name,
                id,
            );
            assert_eq!(exactly.len(), 3000);
            assert!(exactly.iter().all(|id| different.contains(id)), "{target}");
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_cursor_is_of_its_log_and_of_its_filters() {
    let (world, other) = (World::new(), World::new());
    submit_many(&world, "a", 3);
    let answer = world.get("/api/v1/runs?limit=1").expect(200);
    let cursor = text(&answer["next_cursor"]);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    assert!(cursor.bytes().all(fits), "{cursor}");
    let rest = world
        .get(&format!("/api/v1/runs?cursor={cursor}"))
        .expect(200);
    assert_eq!(rest["runs"].as_array().map(Vec::len), Some(2));
    world
        .get(&format!("/api/v1/runs?cursor={cursor}&state=ready"))
        .expect_error(422, "invalid_pagination");
    world
        .get(&format!("/api/v1/tasks?cursor={cursor}"))
        .expect_error(422, "invalid_pagination");
    submit_many(&other, "a", 3);
    let details = other
        .get(&format!("/api/v1/runs?cursor={cursor}"))
        .expect_error(410, "cursor_expired");
    assert!(details["oldest"].is_u64(), "{details}");
}

#[test]
fn a_list_shows_what_was_acknowledged_before_it() {
    let world = World::new();
    let mut connection = world.connect();
    for _ in 0..500 {
        let json: &[(&str, &str)] = &[("content-type", "application/json")];
        connection.write(&world.request("POST", "/api/v1/tasks", json, br#"{"kind":"a"}"#));
        let submitted = connection.response().expect(201);
        let task = text(&submitted["task"]["id"]);
        connection.write(&world.request("GET", &format!("/api/v1/runs?task_id={task}"), &[], b""));
        let listed = connection.response();
        assert_eq!(listed.header("mainstay-stale"), None);
        assert_eq!(column(&listed.expect(200), "runs", "task_id"), [task]);
    }
    let response = world.get("/api/v1/tasks?limit=1");
    let reflected: u64 = response
        .header("mainstay-sequence")
        .expect("a sequence")
        .parse()
        .expect("a number");
    assert!(reflected >= 500);
}

#[test]
fn a_list_that_cannot_catch_up_says_so() {
    let world = World::new();
    world.submit(r#"{"kind":"a"}"#);
    let wait = |position: &str| {
        let headers = [("mainstay-wait-for", position)];
        world.send("GET", "/api/v1/tasks", &headers, b"")
    };
    let stale = wait("1000000");
    assert_eq!(stale.header("mainstay-stale"), Some("true"));
    assert_eq!(kinds_of(&stale.expect(200)), ["a"]);
    assert_eq!(wait("1").header("mainstay-stale"), None);
    wait("soon").expect_error(400, "invalid_header");
}

fn kinds_of(answer: &Value) -> Vec<String> {
    column(answer, "tasks", "kind")
}

#[test]
fn a_list_spans_all_tenants_unless_one_is_named() {
    let world = World::new();
    world.submit(r#"{"kind":"a"}"#);
    for tenant in ["default", "*", "00000000-0000-7000-8000-000000000001"] {
        let response = world.send("GET", "/api/v1/runs", &[("mainstay-tenant", tenant)], b"");
        if tenant.starts_with("0000") && response.status == 404 {
            response.expect_error(404, "tenant_not_found");
            continue;
        }
        let answer = response.expect(200);
        assert_eq!(answer["runs"].as_array().map(Vec::len), Some(1), "{tenant}");
        assert!(answer["runs"][0]["tenant_id"].is_string());
    }
    world
        .send("GET", "/api/v1/runs", &[("mainstay-tenant", "acme")], b"")
        .expect_error(404, "tenant_not_found");
}

#[test]
fn what_has_ended_can_still_be_looked_at_after_it_was_listed() {
    let world = World::new();
    let six = six(&world);
    // The list makes sure that all of it is stored, so that finished rows may have left memory.
    assert_eq!(kinds(&world, "/api/v1/runs?state=completed"), ["a.done"]);
    let run = world.get(&format!("/api/v1/runs/{}", six[0].1)).expect(200);
    assert_eq!(run["state"], "completed");
    assert_eq!(run["output"], 1);
    assert_eq!(run["attempts"][0]["worker"], "ada");
    let explain = world
        .get(&format!("/api/v1/runs/{}/explain", six[1].1))
        .expect(200);
    assert_eq!(explain["state"], "failed");
    assert_eq!(explain["reasons"][0]["code"], "terminal");
    let task = world
        .get(&format!("/api/v1/tasks/{}", six[1].0))
        .expect(200);
    assert_eq!(task["state"], "failed");
    assert_eq!(task["runs"][0]["run_id"], json!(six[1].1));
}
