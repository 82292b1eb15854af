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
