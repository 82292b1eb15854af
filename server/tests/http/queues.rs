//! Queues: their settings, their pause, their turns.

use serde_json::{Value, json};

use crate::harness::{World, text};

#[test]
fn a_paused_queue_grants_nothing_until_it_is_resumed() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a","queue":"mail"}"#);
    let switch = |verb: &str| {
        world
            .post(
                &format!("/api/v1/queues/mail/{verb}"),
                r#"{"reason":"provider is down"}"#,
            )
            .expect(200)
    };
    assert_eq!(switch("pause"), json!({"status": "paused"}));
    assert_eq!(switch("pause"), json!({"status": "already_paused"}));
    assert!(
        world
            .claim(r#"{"worker":"w","queues":["mail"]}"#)
            .is_empty()
    );
    assert!(world.reasons(&run).contains(&"queue_paused".to_owned()));
    let shown = world.get("/api/v1/queues/mail").expect(200);
    assert_eq!(
        (&shown["paused"], &shown["paused_reason"]),
        (&json!(true), &json!("provider is down"))
    );
    let listed = world.get("/api/v1/queues").expect(200);
    assert_eq!(listed["queues"][0], shown);
    assert_eq!(switch("resume"), json!({"status": "resumed"}));
    assert_eq!(switch("resume"), json!({"status": "already_resumed"}));
    assert_eq!(world.claim(r#"{"worker":"w","queues":["mail"]}"#).len(), 1);
    assert_eq!(world.get("/api/v1/queues/mail").expect(200)["held"], 1);
}

#[test]
fn a_rate_and_a_limit_hold_back_what_is_too_much() {
    let world = World::new();
    for _ in 0..5 {
        world.submit(r#"{"kind":"a","queue":"api"}"#);
    }
    let claim =
        |max: u32| world.claim(&format!(r#"{{"worker":"w","queues":["api"],"max":{max}}}"#));
    let set = |body: &str| world.call("PUT", "/api/v1/queues/api", body).expect(200);
    let shown = set(r#"{"concurrency_limit":2}"#);
    assert_eq!(
        (
            &shown["concurrency_limit"],
            &shown["rate_limit"],
            &shown["weight"]
        ),
        (&json!(2), &Value::Null, &json!(1))
    );
    let held = claim(5);
    assert_eq!(held.len(), 2);
    assert!(claim(5).is_empty());
    world.finish(&held[0], "success", "").expect(200);
    assert_eq!(claim(5).len(), 1);
    let shown = set(r#"{"rate_limit":{"per_ms":3600000,"max":1},"weight":3}"#);
    assert_eq!(
        (
            &shown["concurrency_limit"],
            &shown["rate_limit"],
            &shown["weight"]
        ),
        (
            &Value::Null,
            &json!({"per_ms": 3_600_000, "max": 1}),
            &json!(3)
        )
    );
    assert_eq!(claim(5).len(), 1);
    assert!(claim(5).is_empty());
    let ready = world.get("/api/v1/runs?state=ready&queue=api").expect(200);
    let run = text(&ready["runs"][0]["run_id"]);
    assert!(world.reasons(&run).contains(&"rate_limited".to_owned()));
    set("{}");
    assert_eq!(claim(5).len(), 1);
}

#[test]
fn a_queue_that_nobody_knows_is_not_found_and_settings_are_checked() {
    let world = World::new();
    assert_eq!(
        world
            .get("/api/v1/queues/nowhere")
            .expect_error(404, "queue_not_found"),
        json!({"queue": "nowhere"})
    );
    let put = |name: &str, body: &str| world.call("PUT", &format!("/api/v1/queues/{name}"), body);
    for body in [
        r#"{"concurrency_limit":0}"#,
        r#"{"weight":0}"#,
        r#"{"weight":1001}"#,
        r#"{"rate_limit":{"per_ms":0,"max":1}}"#,
        r#"{"rate_limit":{"per_ms":1,"max":0}}"#,
    ] {
        put("q", body).expect_error(422, "invalid_request");
    }
    put("Not%20A%20Name", "{}").expect_error(422, "invalid_request");
    assert_eq!(
        put("q", r#"{"rate":1}"#).expect_error(422, "unknown_field"),
        json!({"field": "rate"})
    );
    assert_eq!(
        put("q", r#"{"rate_limit":{"per_ms":1}}"#).expect_error(422, "invalid_request"),
        json!({"field": "rate_limit.max"})
    );
    put("mail%2Esend", r#"{"weight":2}"#).expect(200);
    assert_eq!(
        world.get("/api/v1/queues/mail.send").expect(200)["weight"],
        2
    );
}

#[test]
fn fairness_keys_take_turns() {
    let world = World::new();
    for key in ["a", "a", "a", "b", "b"] {
        world.submit(&format!(
            r#"{{"kind":"{key}","constraints":{{"fairness_key":"{key}"}}}}"#
        ));
    }
    let leases = world.claim(r#"{"worker":"w","max":5}"#);
    let kinds: Vec<String> = leases.iter().map(|lease| text(&lease["kind"])).collect();
    assert_eq!(kinds, ["a", "b", "a", "b", "a"]);
}

#[test]
fn a_claim_over_all_tenants_tells_whose_each_lease_is() {
    let world = World::new();
    let tenant = mainstay::TenantId(0x0197_f3a2_7c1e_7d3a_9c55_1f0e_6f0a_2b11);
    let create = mainstay::Command::CreateTenant {
        tenant: Some(tenant),
        name: "acme".into(),
    };
    let created = world
        .engine
        .handle()
        .call(mainstay::Call::new(create))
        .wait();
    assert!(created.is_ok_and(|replied| replied.value.is_ok()));
    let acme = tenant.to_string();
    let own = world.submit(r#"{"kind":"mine"}"#);
    let theirs = world.submit(&format!(r#"{{"kind":"theirs","tenant_id":"{acme}"}}"#));
    world
        .get(&format!("/api/v1/tasks/{}", theirs.0))
        .expect_error(404, "task_not_found");
    let in_acme = |method: &str, path: &str, body: &[u8]| {
        let headers: &[_] = &[
            ("mainstay-tenant", &*acme),
            ("content-type", "application/json"),
        ];
        world.send(method, path, headers, body)
    };
    assert_eq!(
        in_acme("GET", &format!("/api/v1/tasks/{}", theirs.0), b"").expect(200)["tenant_id"],
        acme
    );
    in_acme("GET", &format!("/api/v1/tasks/{}", own.0), b"").expect_error(404, "task_not_found");
    let clash = br#"{"kind":"a","tenant_id":"default"}"#;
    in_acme("POST", "/api/v1/tasks", clash).expect_error(422, "invalid_task");
    let nobody = [("mainstay-tenant", "00000000-0000-4000-8000-000000000009")];
    world
        .send("GET", "/api/v1/tasks", &nobody, b"")
        .expect_error(404, "tenant_not_found");
    let everywhere = [
        ("mainstay-tenant", "*"),
        ("content-type", "application/json"),
    ];
    let answer = world
        .send(
            "POST",
            "/api/v1/leases",
            &everywhere,
            br#"{"worker":"w","max":5}"#,
        )
        .expect(200);
    let leases = answer["leases"].as_array().expect("leases");
    assert_eq!(leases.len(), 2);
    let items: Vec<Value> = leases
        .iter()
        .map(|lease| json!({"run_id": lease["run_id"], "token": lease["token"], "tenant_id": lease["tenant_id"]}))
        .collect();
    let beats = world
        .post(
            "/api/v1/leases/heartbeat",
            &json!({ "leases": items }).to_string(),
        )
        .expect(200);
    assert!(
        beats["results"]
            .as_array()
            .is_some_and(|all| all.iter().all(|beat| beat["directive"] == "continue")),
        "{beats}"
    );
    let ends: Vec<Value> = items
        .into_iter()
        .map(|mut item| {
            item["outcome"] = json!("success");
            item
        })
        .collect();
    let ended = world
        .post(
            "/api/v1/leases/finish",
            &json!({ "results": ends }).to_string(),
        )
        .expect(200);
    assert!(
        ended["results"]
            .as_array()
            .is_some_and(|all| all.iter().all(|end| end["state"] == "completed")),
        "{ended}"
    );
}
