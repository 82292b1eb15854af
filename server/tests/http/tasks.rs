//! Submitting, reading and canceling tasks.

use mainstay_client::wire;
use serde_json::{Value, json};

use crate::harness::{World, text};

const FULL: &str = r#"{
    "kind": "mail.send", "queue": "mail", "payload": { "to" : "ada",  "n": 1.50, "e": 1E3, "dup": 1, "dup": 2 },
    "run_policy": {"type": "once", "run_at": "2100-01-01T02:00:00.1239+02:00"},
    "constraints": {"max_attempts": 5, "timeout_ms": 60000, "concurrency_key": "ada", "safety_level": "pure"},
    "retry": {"strategy": "fixed", "multiplier": 1.5, "non_retryable": ["bad"]},
    "metadata": {"tags": ["x", "y"], "priority": -7, "description": "say \"hello\""},
    "idempotency_key": "k1", "expires_at": "2100-02-01T00:00:00Z", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tenant_id": "default", "durability": "immediate"
}"#;

#[test]
fn a_task_is_answered_whole_and_found_again() {
    let world = World::new();
    let answer = world.post("/api/v1/tasks", FULL).expect(201);
    let task = &answer["task"];
    assert_eq!(answer["created"], true);
    assert_eq!(answer["runs_total"], 1);
    assert_eq!(answer["runs"][0]["state"], "scheduled");
    assert_eq!(
        answer["runs"][0]["scheduled_at"],
        "2100-01-01T00:00:00.123Z"
    );
    assert_eq!(task["state"], "active");
    assert_eq!(
        task["run_policy"],
        json!({"type": "once", "run_at": "2100-01-01T00:00:00.123Z"})
    );
    assert_eq!(task["constraints"]["max_attempts"], 5);
    assert_eq!(task["constraints"]["max_lost_leases"], 3);
    assert_eq!(task["constraints"]["hold_policy"], "hold_during_retry");
    assert_eq!(task["retry"]["multiplier"], 1.5);
    assert_eq!(task["retry"]["max_ms"], 300_000);
    assert_eq!(
        task["metadata"],
        json!({"tags": ["x", "y"], "priority": -7, "description": "say \"hello\""})
    );
    assert_eq!(task["expires_at"], "2100-02-01T00:00:00.000Z");
    assert_eq!(task["updated_at"], Value::Null);
    assert_eq!(task["content_type"], "application/json");
    assert_eq!(
        task["created_by"],
        world.key.split('_').nth(1).expect("an id")
    );
    assert_eq!(task["runs_by_state"]["scheduled"], 1);
    let found = world
        .get(&format!("/api/v1/tasks/{}", text(&task["id"])))
        .expect(200);
    assert_eq!(&found, task);
    let typed: wire::SubmitAnswer =
        serde_json::from_value(answer.clone()).expect("the client's types read it");
    assert_eq!(typed.task.kind, "mail.send");
}

#[test]
fn a_payload_passes_unchanged_byte_for_byte() {
    let world = World::new();
    let payloads = [
        r#"{ "to" : "ada",  "n": 1.50, "e": 1E3, "dup": 1, "dup": 2 }"#,
        r#""\u0041\/ä""#,
        "123456789012345678901234567890.0000",
        "null",
        "[ ]",
    ];
    for payload in payloads {
        let (task, _) = world.submit(&format!("{{\"kind\":\"a\",\"payload\":\t{payload} }}"));
        let shown = world.get(&format!("/api/v1/tasks/{task}"));
        assert!(
            shown.text().contains(&format!("\"payload\":{payload},")),
            "{}",
            shown.text()
        );
        let claimed = world.post("/api/v1/leases", r#"{"worker":"w"}"#);
        assert!(
            claimed.text().contains(&format!("\"payload\":{payload},")),
            "{}",
            claimed.text()
        );
    }
    let (task, _) =
        world.submit(r#"{"kind":"a","payload_base64":"AAH/","content_type":"image/png"}"#);
    let shown = world.get(&format!("/api/v1/tasks/{task}")).expect(200);
    assert_eq!(
        (&shown["payload_base64"], &shown["content_type"]),
        (&json!("AAH/"), &json!("image/png"))
    );
    assert_eq!(world.claim_one()["payload_base64"], "AAH/");
    let both = world.post(
        "/api/v1/tasks",
        r#"{"kind":"a","payload":1,"payload_base64":"AA=="}"#,
    );
    both.expect_error(422, "invalid_task");
    let broken = world.post("/api/v1/tasks", r#"{"kind":"a","payload_base64":"?"}"#);
    assert_eq!(
        broken.expect_error(422, "invalid_task"),
        json!({"field": "payload_base64"})
    );
}

#[test]
fn the_same_key_finds_the_same_task_and_another_body_conflicts() {
    let world = World::new();
    let send = |key: &str, body: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        world.send("POST", "/api/v1/tasks", &headers, body.as_bytes())
    };
    let first = send("k1", r#"{"kind":"a","payload":1}"#).expect(201);
    let again = send("k1", r#"{"payload":1,"kind":"a","idempotency_key":"k1"}"#).expect(200);
    assert_eq!(first["task"]["id"], again["task"]["id"]);
    assert_eq!(again["created"], false);
    send("k1", r#"{"kind":"a","payload":2}"#).expect_error(409, "idempotency_conflict");
    let differ = send("k1", r#"{"kind":"a","idempotency_key":"k2"}"#);
    assert_eq!(
        differ.expect_error(422, "invalid_task"),
        json!({"field": "idempotency_key"})
    );
}

#[test]
fn a_task_may_choose_its_id_once() {
    let world = World::new();
    let body = r#"{"kind":"a","id":"0198A7B0-0000-7000-8000-00000000000F"}"#;
    let answer = world.post("/api/v1/tasks", body).expect(201);
    assert_eq!(answer["task"]["id"], "0198a7b0-0000-7000-8000-00000000000f");
    world
        .post("/api/v1/tasks", body)
        .expect_error(409, "task_already_exists");
}

#[test]
fn a_submit_can_insist_on_the_sequence_it_knows() {
    let world = World::new();
    let at = world.get("/api/v1/engine").expect(200)["latest_sequence"].to_string();
    let send = |sequence: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("if-sequence", sequence),
        ];
        world.send("POST", "/api/v1/tasks", &headers, br#"{"kind":"a"}"#)
    };
    send(&at).expect(201);
    let details = send(&at).expect_error(409, "non_monotonic_sequence");
    assert!(details["expected"].is_u64() && details["provided"].is_u64());
}

#[test]
fn a_batch_answers_each_item_by_itself() {
    let world = World::new();
    let batch = r#"{"tasks":[
        {"kind":"a","idempotency_key":"k"}, {"kind":"a","idempotency_key":"k"}, {"kind":"A"}, {"kind":"a","x":1},
        {"kind":"a","budgets":[{}]}, 5, {"kind":"b","queue":"other","tenant_id":"acme"}, {"kind":"b","queue":"other"}
    ]}"#;
    let answer = world.post("/api/v1/tasks/batch", batch).expect(200);
    let results = answer["results"].as_array().expect("results");
    let statuses: Vec<u64> = results
        .iter()
        .map(|item| item["status"].as_u64().expect("a status"))
        .collect();
    assert_eq!(
        statuses,
        [201, 200, 422, 422, 422, 422, 404, 201],
        "{answer}"
    );
    assert_eq!(results[0]["task_id"], results[1]["task_id"]);
    assert_eq!(results[0]["run_ids"].as_array().map(Vec::len), Some(1));
    assert_eq!(results[2]["details"], json!({"field": "tasks.2.kind"}));
    assert_eq!(results[3]["error"], "unknown_field");
    assert_eq!(results[3]["details"], json!({"field": "tasks.3.x"}));
    assert_eq!(
        results[4]["details"],
        json!({"field": "tasks.4.budgets.0.dimension"})
    );
    assert_eq!(world.get("/api/v1/stats").expect(200)["total_tasks"], 2);
    let typed: wire::BatchAnswer =
        serde_json::from_value(answer).expect("the client's types read it");
    assert_eq!(typed.results.len(), 8);
}

#[test]
fn an_atomic_batch_is_made_in_one_step_and_may_name_its_own() {
    let world = World::new();
    let before = world.get("/api/v1/engine").expect(200)["latest_sequence"].clone();
    let batch = r#"{"atomic":true,"tasks":[
        {"kind":"a","id":"0198a7b0-0000-7000-8000-00000000000a","idempotency_key":"k1"},
        {"kind":"b","parent_task_id":"0198a7b0-0000-7000-8000-00000000000a","idempotency_key":"k2"},
        {"kind":"c","depends_on":["0198a7b0-0000-7000-8000-00000000000a"],"idempotency_key":"k3"},
        {"kind":"c","depends_on":["0198a7b0-0000-7000-8000-00000000000a"],"idempotency_key":"k3"}
    ]}"#;
    let sequence = before.to_string();
    let headers = [
        ("content-type", "application/json"),
        ("if-sequence", sequence.as_str()),
    ];
    let path = "/api/v1/tasks/batch";
    let answer = world
        .send("POST", path, &headers, batch.as_bytes())
        .expect(200);
    let statuses = |answer: &Value| -> Vec<Value> {
        let results = answer["results"].as_array().expect("results");
        results.iter().map(|item| item["status"].clone()).collect()
    };
    assert_eq!(statuses(&answer), [201, 201, 201, 200], "{answer}");
    let results = &answer["results"];
    assert_eq!(results[2]["task_id"], results[3]["task_id"]);
    assert_eq!(results[2]["run_ids"].as_array().map(Vec::len), Some(1));
    let typed: wire::BatchAnswer = serde_json::from_value(answer.clone()).expect("as typed");
    assert_eq!(typed.results.len(), 4);
    let again = world.post(path, batch).expect(200);
    assert_eq!(statuses(&again), [200, 200, 200, 200], "{again}");
    assert_eq!(again["results"][1]["task_id"], results[1]["task_id"]);
    assert_eq!(again["sequence"], answer["sequence"]);
    world
        .send("POST", path, &headers, batch.as_bytes())
        .expect_error(409, "non_monotonic_sequence");
    let early = r#"{"atomic":true,"tasks":[{"kind":"a","durability":"deferred"}]}"#;
    let early = world.post(path, early).expect(200);
    assert_eq!(
        (&early["durable"], statuses(&early)),
        (&json!(false), vec![json!(202)])
    );
}

#[test]
fn an_atomic_batch_that_is_refused_changes_nothing_and_names_the_first_of_its_tasks() {
    let world = World::new();
    let sequence = || world.get("/api/v1/engine").expect(200)["latest_sequence"].clone();
    let before = sequence();
    let none = "0198a7b0-0000-7000-8000-0000000000ff";
    let below = format!(r#"{{"kind":"b","parent_task_id":"{none}"}}"#);
    let cases: &[(&str, u16, &str, Value)] = &[
        (
            r#"{"kind":"B"}"#,
            422,
            "invalid_task",
            json!({"field": "tasks.1.kind", "index": 1}),
        ),
        (
            r#"{"kind":"b","x":1}"#,
            422,
            "unknown_field",
            json!({"field": "tasks.1.x", "index": 1}),
        ),
        (
            r#"{"kind":"b","id":"x"}"#,
            400,
            "invalid_task_id",
            json!({"task_id": "x", "index": 1}),
        ),
        (
            &below,
            404,
            "task_not_found",
            json!({"task_id": none, "index": 1}),
        ),
        (
            r#"{"kind":"b","idempotency_key":"k"},{"kind":"c","idempotency_key":"k"}"#,
            409,
            "idempotency_conflict",
            json!({"idempotency_key": "k", "index": 2}),
        ),
        (
            r#"{"kind":"b","tenant_id":"acme"}"#,
            404,
            "tenant_not_found",
            json!({"tenant_id": "acme", "index": 1}),
        ),
    ];
    for (second, status, code, details) in cases {
        let batch = format!(r#"{{"tasks":[{{"kind":"a"}},{second}],"atomic":true}}"#);
        let refused = world.post("/api/v1/tasks/batch", &batch);
        assert_eq!(&refused.expect_error(*status, code), details, "{batch}");
    }
    assert_eq!(sequence(), before);
    assert_eq!(world.get("/api/v1/stats").expect(200)["total_tasks"], 0);
    let nothing = world.post("/api/v1/tasks/batch", r#"{"tasks":[],"atomic":true}"#);
    assert_eq!(nothing.expect(200)["results"], json!([]));
}

#[test]
fn an_idempotency_key_is_refused_where_it_would_promise_nothing() {
    let world = World::new();
    let (task, run) = world.submit(r#"{"kind":"a"}"#);
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    let cases: &[(&str, String, &[u8])] = &[
        ("POST", "/api/v1/tasks/batch".into(), br#"{"tasks":[]}"#),
        ("POST", "/api/v1/custom-events".into(), br#"{"key":"k"}"#),
        ("POST", format!("/api/v1/tasks/{task}/cancel"), b"{}"),
        ("PATCH", format!("/api/v1/tasks/{task}"), b"{}"),
        ("POST", format!("/api/v1/runs/{run}/cancel"), b""),
        ("PUT", "/api/v1/queues/q".into(), b"{}"),
        ("POST", "/api/v1/leases/finish".into(), br#"{"results":[]}"#),
    ];
    for (method, path, body) in cases {
        let refused = world.send(method, path, &headers, body);
        let details = refused.expect_error(422, "not_supported");
        assert_eq!(
            details,
            json!({"field": "Idempotency-Key"}),
            "{method} {path}"
        );
    }
    // A read may be repeated anyway.
    let path = format!("/api/v1/tasks/{task}");
    world.send("GET", &path, &headers, b"").expect(200);
}

#[test]
fn lines_are_a_batch_too() {
    let world = World::new();
    let body = "{\"kind\":\"a\",\"payload\": {\"x\" : 1}}\n\n{\"kind\":\"b\"\n{\"kind\":\"c\"}\n";
    let response = world.send(
        "POST",
        "/api/v1/tasks/batch",
        &[("content-type", "application/x-ndjson")],
        body.as_bytes(),
    );
    let answer = response.expect(200);
    let statuses: Vec<&Value> = answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|item| &item["status"])
        .collect();
    assert_eq!(statuses, [&json!(201), &json!(400), &json!(201)]);
    assert_eq!(answer["results"][1]["details"]["line"], 3);
    let lines = vec!["{\"kind\":\"a\"}"; 10_001].join("\n");
    let many = world.send(
        "POST",
        "/api/v1/tasks/batch",
        &[("content-type", "application/x-ndjson")],
        lines.as_bytes(),
    );
    assert_eq!(
        many.expect_error(422, "limit_exceeded"),
        json!({"limit": "batch_items", "value": 10_000})
    );
}

#[test]
fn a_batch_of_ten_thousand_goes_through_and_one_more_does_not() {
    let world = World::new();
    let batch = |count: usize| {
        format!(
            r#"{{"tasks":[{}]}}"#,
            vec![r#"{"kind":"a","payload":{"n":1}}"#; count].join(",")
        )
    };
    let answer = world
        .post("/api/v1/tasks/batch", &batch(10_000))
        .expect(200);
    assert!(
        answer["results"]
            .as_array()
            .expect("results")
            .iter()
            .all(|item| item["status"] == 201)
    );
    world
        .post("/api/v1/tasks/batch", &batch(10_001))
        .expect_error(422, "limit_exceeded");
    assert_eq!(
        world.get("/api/v1/stats").expect(200)["runs_by_state"]["ready"],
        10_000
    );
    assert_eq!(
        world
            .post("/api/v1/tasks/batch", r#"{"tasks":[]}"#)
            .expect(200)["results"],
        json!([])
    );
}

#[test]
fn canceling_a_task_twice_says_so() {
    let world = World::new();
    let (task, run) = world.submit(r#"{"kind":"a"}"#);
    let path = format!("/api/v1/tasks/{task}/cancel");
    let first = world.post(&path, r#"{"reason":"not needed"}"#).expect(200);
    assert_eq!(
        first,
        json!({"task_id": task, "status": "canceled", "runs_canceled": 1, "runs_cancel_requested": 0,
               "runs_already_terminal": 0, "runs_total": 1, "descendants_canceled": 0})
    );
    assert_eq!(
        world.post(&path, "").expect(200)["status"],
        "already_canceled"
    );
    let shown = world.get(&format!("/api/v1/tasks/{task}")).expect(200);
    assert_eq!(shown["state"], "canceled");
    assert!(shown["canceled_at"].is_string());
    assert_eq!(
        world.get(&format!("/api/v1/runs/{run}")).expect(200)["state"],
        "canceled"
    );
}
