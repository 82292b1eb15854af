//! Claim, heartbeat, finish and checkpoint as a worker sees them.

use std::time::Duration;

use mainstay_client::wire;
use serde_json::{Value, json};

use crate::harness::{World, text};

#[test]
fn a_run_goes_from_submit_to_completed() {
    let world = World::new();
    let (task, run) = world.submit(
        r#"{"kind":"a","payload":7,"metadata":{"tags":["t"],"priority":3},"traceparent":"tp"}"#,
    );
    let claimed = world.post(
        "/api/v1/leases",
        r#"{"worker":"w1","queues":["default"],"max":10,"lease_ms":5000}"#,
    );
    let typed: wire::ClaimAnswer =
        serde_json::from_slice(&claimed.body).expect("the client's types read it");
    assert_eq!(
        typed.leases[0]
            .payload
            .as_ref()
            .map(|payload| payload.get()),
        Some("7")
    );
    let lease = &claimed.expect(200)["leases"][0];
    assert_eq!(
        (&lease["run_id"], &lease["task_id"]),
        (&json!(run), &json!(task))
    );
    assert_eq!(
        (&lease["attempt"], &lease["lease_ms"]),
        (&json!(1), &json!(5000))
    );
    assert_eq!(lease["metadata"], json!({"tags": ["t"], "priority": 3}));
    assert_eq!(
        (&lease["checkpoints"], &lease["budgets"]),
        (&json!({}), &json!([]))
    );
    assert_eq!(lease["traceparent"], "tp");
    let token = text(&lease["token"]);

    let beat = format!(
        r#"{{"leases":[{{"run_id":"{run}","token":"{token}","progress":{{"done": 0.5}}}}]}}"#
    );
    let beats = world.post("/api/v1/leases/heartbeat", &beat).expect(200);
    assert_eq!(beats["results"][0]["directive"], "continue");
    let running = world.get(&format!("/api/v1/runs/{run}"));
    assert!(!running.text().contains(&token), "a token is never shown");
    let running = running.expect(200);
    assert_eq!(running["lease"]["owner"], "w1");
    assert_eq!(running["lease"]["progress"], json!({"done": 0.5}));
    assert_eq!(running["attempts"][0]["result"], Value::Null);

    let memo = format!(r#"{{"token":"{token}","name":"step 1","value":{{ "x":1 }}}}"#);
    assert_eq!(
        world
            .post(&format!("/api/v1/runs/{run}/checkpoints"), &memo)
            .expect(200)["name"],
        "step 1"
    );
    let end = format!(
        r#"{{"results":[{{"run_id":"{run}","token":"{token}","outcome":"success","output":{{"ok" :true}},"checkpoints":{{"step 2":null}}}}]}}"#
    );
    let finished = world.post("/api/v1/leases/finish", &end).expect(200);
    assert_eq!(
        finished["results"],
        json!([{"run_id": run, "state": "completed"}])
    );
    assert_eq!(
        world.post("/api/v1/leases/finish", &end).expect(200)["results"],
        finished["results"]
    );
    let shown = world.get(&format!("/api/v1/runs/{run}"));
    assert!(shown.text().contains(r#""output":{"ok" :true},"#));
    let typed: wire::Run = serde_json::from_slice(&shown.body).expect("the client's types read it");
    assert_eq!(typed.attempts.len(), 1);
    let shown = shown.expect(200);
    assert_eq!(
        shown["checkpoints"],
        json!({"step 1": {"x": 1}, "step 2": null})
    );
    assert_eq!(shown["attempts"][0]["result"], "success");
    assert_eq!(shown["lease"], Value::Null);
    let states: Vec<&Value> = shown["state_history"]
        .as_array()
        .expect("history")
        .iter()
        .map(|change| &change["to"])
        .collect();
    assert_eq!(states.last(), Some(&&json!("completed")));
}

#[test]
fn the_single_forms_do_the_same() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a","constraints":{"max_attempts":2}}"#);
    let token = text(&world.claim_one()["token"]);
    let path = |act: &str| format!("/api/v1/runs/{run}/{act}");
    let beat = world
        .post(&path("heartbeat"), &format!(r#"{{"token":"{token}"}}"#))
        .expect(200);
    assert_eq!(
        (&beat["run_id"], &beat["directive"]),
        (&json!(run), &json!("continue"))
    );
    let end = format!(
        r#"{{"token":"{token}","outcome":"failure","error":{{"code":"smtp","message":"no \u0041nswer"}},"retry_after_ms":60000}}"#
    );
    let finished = world.post(&path("finish"), &end).expect(200);
    assert_eq!(
        (&finished["run_id"], &finished["state"]),
        (&json!(run), &json!("retry_wait"))
    );
    assert!(finished["sequence"].is_u64());
    let shown = world.get(&path("")[..path("").len() - 1]).expect(200);
    assert_eq!(
        shown["attempts"][0]["error"],
        json!({"code": "smtp", "message": "no Answer", "retryable": true})
    );
    assert!(shown["retry_at"].is_string());
    let explain = world.get(&path("explain")).expect(200);
    assert_eq!(
        (&explain["runnable"], &explain["reasons"][0]["code"]),
        (&json!(false), &json!("retry_backoff"))
    );
    let other = format!(r#"{{"token":"{token}","run_id":"00000000-0000-4000-8000-000000000001"}}"#);
    assert_eq!(
        world
            .post(&path("heartbeat"), &other)
            .expect_error(422, "invalid_request"),
        json!({"field": "run_id"})
    );
}

#[test]
fn a_wrong_token_is_a_lost_lease_and_a_bad_item_spoils_nothing() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a"}"#);
    let (_, second) = world.submit(r#"{"kind":"a"}"#);
    let token = text(&world.claim_one()["token"]);
    let other = text(&world.claim_one()["token"]);
    for wrong in [
        "",
        "x",
        "1.2.3",
        &other,
        &token.to_uppercase().replace('A', "B"),
    ] {
        let body = format!(r#"{{"token":"{wrong}","outcome":"success"}}"#);
        world
            .post(&format!("/api/v1/runs/{run}/finish"), &body)
            .expect_error(409, "lease_lost");
    }
    let batch = format!(
        r#"{{"results":[{{"run_id":"{run}","token":"x","outcome":"success"}},{{"run_id":"{run}","token":"{token}","outcome":"great"}},
            {{"run_id":"nope","token":"x","outcome":"success"}},{{"token":"x","outcome":"success"}},
            {{"run_id":"{run}","token":"{token}","outcome":"success","children":[{{"kind":"c","parent_task_id":"x"}}]}},
            {{"run_id":"{run}","token":"{token}","outcome":"success","children":[{{"kind":"c"}},{{"kind":"C"}}]}},
            {{"run_id":"{run}","token":"{token}","outcome":"success"}}]}}"#
    );
    let answer = world.post("/api/v1/leases/finish", &batch).expect(200);
    let errors: Vec<&Value> = answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|item| &item["error"])
        .collect();
    assert_eq!(
        errors,
        [
            &json!("lease_lost"),
            &json!("invalid_request"),
            &json!("invalid_run_id"),
            &json!("invalid_request"),
            &json!("invalid_task"),
            &json!("invalid_task"),
            &Value::Null
        ]
    );
    assert_eq!(
        answer["results"][5]["details"],
        json!({"field": "results.5.children.1.kind", "index": 1})
    );
    assert_eq!(
        answer["results"][4]["details"],
        json!({"field": "results.4.children.0.parent_task_id", "index": 0})
    );
    assert_eq!(
        answer["results"][6],
        json!({"run_id": run, "state": "completed"})
    );
    assert_eq!(
        answer["results"][1]["details"],
        json!({"field": "results.1.outcome"})
    );
    let beats = format!(
        r#"{{"leases":[{{"run_id":"{run}","token":"{token}"}},{{"run_id":"{second}","token":"{other}"}}]}}"#
    );
    let beats = world.post("/api/v1/leases/heartbeat", &beats).expect(200);
    assert_eq!(
        beats["results"][0],
        json!({"run_id": run, "error": "lease_lost"})
    );
    assert_eq!(beats["results"][1]["directive"], "continue");
}

#[test]
fn an_attempt_that_ended_otherwise_is_told_so() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a"}"#);
    let token = text(&world.claim_one()["token"]);
    let finish = |outcome: &str| {
        world.post(
            &format!("/api/v1/runs/{run}/finish"),
            &format!(r#"{{"token":"{token}","outcome":"{outcome}"}}"#),
        )
    };
    finish("success").expect(200);
    assert_eq!(finish("success").expect(200)["state"], "completed");
    let details = finish("failure").expect_error(409, "already_finished");
    assert_eq!(details["state"], "completed");
}

#[test]
fn a_claim_waits_for_work_and_is_woken_by_it() {
    let world = World::new();
    let empty = world
        .post("/api/v1/leases", r#"{"worker":"w","queues":["q"]}"#)
        .expect(200);
    assert_eq!(empty, json!({"leases": []}));
    let mut waiting = world.connect();
    let body = br#"{"worker":"w","queues":["q"],"wait_ms":20000}"#;
    waiting.write(&world.request(
        "POST",
        "/api/v1/leases",
        &[("content-type", "application/json")],
        body,
    ));
    while world.engine.handle().metrics().waiters == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (_, run) = world.submit(r#"{"kind":"a","queue":"q"}"#);
    assert_eq!(
        waiting.response().expect(200)["leases"][0]["run_id"],
        json!(run)
    );
}

#[test]
fn a_claim_whose_connection_is_gone_gives_its_run_back() {
    let world = World::new();
    let mut gone = world.connect();
    let body = br#"{"worker":"gone","queues":["q"],"wait_ms":60000}"#;
    gone.write(&world.request(
        "POST",
        "/api/v1/leases",
        &[("content-type", "application/json")],
        body,
    ));
    while world.engine.handle().metrics().waiters == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(gone);
    let (_, run) = world.submit(r#"{"kind":"a","queue":"q"}"#);
    let claimed = world
        .post(
            "/api/v1/leases",
            r#"{"worker":"w","queues":["q"],"wait_ms":20000}"#,
        )
        .expect(200);
    assert_eq!(claimed["leases"][0]["run_id"], json!(run));
    let shown = world.get(&format!("/api/v1/runs/{run}")).expect(200);
    assert_eq!(shown["lost_leases"], 0);
}

#[test]
fn an_answer_that_nobody_read_gives_its_runs_back() {
    let world = World::with(|config| config.write_stall_max = Duration::from_millis(300));
    // More than the sockets between hold: the answer cannot be out whole while nobody reads.
    let payload = "x".repeat(1_000_000);
    let mut runs = Vec::new();
    for _ in 0..14 {
        runs.push(
            world
                .submit(&format!(
                    r#"{{"kind":"a","queue":"q","payload":"{payload}"}}"#
                ))
                .1,
        );
    }
    let mut deaf = world.connect();
    let body = br#"{"worker":"deaf","queues":["q"],"max":100,"lease_ms":86400000}"#;
    deaf.write(&world.request(
        "POST",
        "/api/v1/leases",
        &[("content-type", "application/json")],
        body,
    ));
    let claimed = world
        .post(
            "/api/v1/leases",
            r#"{"worker":"w","queues":["q"],"max":1,"wait_ms":20000}"#,
        )
        .expect(200);
    assert_eq!(claimed["leases"].as_array().map(Vec::len), Some(1));
    assert!(runs.contains(&text(&claimed["leases"][0]["run_id"])));
    drop(deaf);
}

#[test]
fn a_keyed_claim_repeated_returns_the_same_leases() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a"}"#);
    let claim = || {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", "c1"),
        ];
        world
            .send("POST", "/api/v1/leases", &headers, br#"{"worker":"w"}"#)
            .expect(200)
    };
    let first = claim();
    assert_eq!(first["leases"][0]["run_id"], json!(run));
    let again = claim();
    assert_eq!(first["leases"][0]["token"], again["leases"][0]["token"]);
}

#[test]
fn a_tenant_may_be_named_and_all_of_them_on_a_claim() {
    let world = World::new();
    for tenant in ["default", "*", "00000000-0000-8000-8000-000000000001"] {
        let headers = [
            ("content-type", "application/json"),
            ("mainstay-tenant", tenant),
        ];
        world
            .send("POST", "/api/v1/leases", &headers, br#"{"worker":"w"}"#)
            .expect(200);
    }
}
