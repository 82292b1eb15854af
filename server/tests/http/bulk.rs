//! Acts on many runs through a real socket.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{World, text};

/// A dead letter of a kind in a queue of its own; gives its run.
fn fail(world: &World, kind: &str, queue: &str, message: &str) -> String {
    world.submit(&json!({"kind": kind, "queue": queue}).to_string());
    let claim = json!({"worker": "w", "queues": [queue], "max": 1});
    let claimed = world.post("/api/v1/leases", &claim.to_string()).expect(200);
    let lease = &claimed["leases"][0];
    let error = json!({"code": "smtp", "message": message, "retryable": false});
    world
        .finish(lease, "failure", &format!(r#","error":{error}"#))
        .expect(200);
    text(&lease["run_id"])
}

/// What an operation came to.
fn brief(operation: &Value) -> (&str, u64, u64, u64) {
    (
        operation["state"].as_str().expect("a state"),
        operation["matched"].as_u64().expect("a count"),
        operation["done"].as_u64().expect("a count"),
        operation["refused_total"].as_u64().expect("a count"),
    )
}

/// An operation once it is over.
fn over(world: &World, operation: &Value) -> Value {
    let path = format!("/api/v1/bulk/{}", text(&operation["operation_id"]));
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let shown = world.get(&path).expect(200);
        if shown["state"] != "running" {
            return shown;
        }
        assert!(Instant::now() < until, "it goes on for ever: {shown}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn letters(world: &World, query: &str) -> Vec<String> {
    let page = world
        .get(&format!("/api/v1/dead-letters?{query}"))
        .expect(200);
    let rows = page["dead_letters"].as_array().expect("letters");
    rows.iter().map(|row| text(&row["run_id"])).collect()
}

#[test]
fn dead_letters_are_listed_by_page_filter_and_group() {
    let world = World::new();
    let mut mails: Vec<String> = (0..5)
        .map(|host| fail(&world, "mail.send", "mail", &format!("host {host} is gone")))
        .collect();
    let sms = fail(&world, "sms", "phone", "no signal");
    mails.reverse();
    assert_eq!(letters(&world, "queue=mail"), mails);
    assert_eq!(letters(&world, "kind=sms"), std::slice::from_ref(&sms));
    assert_eq!(letters(&world, "q=signal"), std::slice::from_ref(&sms));
    assert_eq!(
        letters(&world, "error_code=smtp&limit=1"),
        std::slice::from_ref(&sms)
    );
    assert!(letters(&world, "error_code=other").is_empty());
    assert!(letters(&world, "created_after=2100-01-01T00:00:00Z").is_empty());
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/dead-letters?queue=mail&limit=2{cursor}");
        let page = world.get(&path).expect(200);
        let rows = page["dead_letters"].as_array().expect("letters");
        paged.extend(rows.iter().map(|row| text(&row["run_id"])));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, mails);
    let offset = letters(&world, "queue=mail&offset=3");
    assert_eq!(offset, mails[3..]);
    let other = world.get(&format!("/api/v1/dead-letters?queue=phone{cursor}"));
    assert!(cursor.is_empty() || other.status == 422);
    let groups = world
        .get("/api/v1/dead-letters?group=fingerprint")
        .expect(200);
    assert_eq!(groups["total"], 6);
    let first = &groups["groups"][0];
    assert_eq!(
        (&first["count"], &first["kind"]),
        (&json!(5), &json!("mail.send"))
    );
    let alike = format!("fingerprint={}", text(&first["fingerprint"]));
    assert_eq!(letters(&world, &alike), mails);
    world
        .get("/api/v1/dead-letters?fingerprint=xyz")
        .expect_error(422, "invalid_parameter");
    world
        .get("/api/v1/dead-letters?group=kind")
        .expect_error(422, "invalid_parameter");
    let path = format!("/api/v1/dead-letters/{sms}");
    let cleared = world
        .call("DELETE", &path, r#"{"reason":"no phones"}"#)
        .expect(200);
    assert_eq!(cleared, json!({"run_id": sms, "status": "cleared"}));
    world
        .call("DELETE", &path, "")
        .expect_error(409, "not_dead_lettered");
    assert!(letters(&world, "kind=sms").is_empty());
}

#[test]
fn a_dry_run_counts_and_an_expectation_holds() {
    let world = World::new();
    let runs: Vec<String> = (0..3)
        .map(|_| fail(&world, "mail", "mail", "gone"))
        .collect();
    fail(&world, "sms", "phone", "gone");
    let body = r#"{"action":"retry","filter":{"queue":"mail"},"dry_run":true}"#;
    let preview = world.post("/api/v1/bulk", body).expect(200);
    assert_eq!(
        preview,
        json!({"action": "retry", "matched": 3, "run_ids": runs})
    );
    let body = r#"{"action":"retry","filter":{"queue":"mail"},"expected_count":4}"#;
    let refused = world.post("/api/v1/bulk", body);
    assert_eq!(
        refused.expect_error(409, "expected_count_mismatch"),
        json!({"expected": 4, "actual": 3})
    );
    let listed = world.get("/api/v1/bulk").expect(200);
    assert_eq!(listed["operations"], json!([]), "nothing happened");
    let body =
        r#"{"action":"retry","filter":{"queue":"mail"},"expected_count":3,"reason":"mended"}"#;
    let done = world.post("/api/v1/bulk", body).expect(201);
    let done = over(&world, &done);
    assert_eq!(brief(&done), ("done", 3, 3, 0));
    assert_eq!(done["filter"], json!({"queue": "mail"}));
    assert_eq!(done["reason"], "mended");
    assert_eq!(letters(&world, "").len(), 1);
    let audit = world.get("/api/v1/audit").expect(200);
    let entry = audit["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .find(|entry| entry["what"] == "start_operation")
        .expect("it is in the trail");
    assert_eq!(entry["reason"], "mended");
    assert_eq!(entry["target"], done["operation_id"]);
    assert!(entry["request_id"].is_string());
    let body = r#"{"filter":{},"dry_run":true}"#;
    let preview = world.post("/api/v1/dead-letters/clear", body).expect(200);
    assert_eq!(preview["matched"], 1);
    let body = r#"{"filter":{"kind":"sms"},"reason":"old"}"#;
    let cleared = world.post("/api/v1/dead-letters/clear", body).expect(201);
    assert_eq!(brief(&over(&world, &cleared)), ("done", 1, 1, 0));
    assert!(letters(&world, "").is_empty());
    let stats = world.get("/admin/jobs/stats").expect(200);
    assert_eq!(stats["dead_letter"], 0);
}

#[test]
fn many_are_canceled_and_resumed_and_what_cannot_be_is_refused() {
    let world = World::new();
    for kind in ["a", "b", "a"] {
        world.submit(&json!({"kind": kind, "queue": "slow"}).to_string());
    }
    let body = r#"{"action":"cancel","filter":{"queue":"slow","kind":"a","state":"ready"}}"#;
    let canceled = world.post("/api/v1/bulk", body).expect(201);
    assert_eq!(brief(&over(&world, &canceled)), ("done", 2, 2, 0));
    let runs = world
        .get("/api/v1/runs?queue=slow&state=canceled")
        .expect(200);
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(2));
    let claim = r#"{"worker":"w","queues":["slow"],"max":1}"#;
    let claimed = world.post("/api/v1/leases", claim).expect(200);
    world
        .finish(&claimed["leases"][0], "suspended", "")
        .expect(200);
    let body = r#"{"action":"resume","filter":{}}"#;
    let resumed = world.post("/api/v1/bulk", body).expect(201);
    assert_eq!(brief(&over(&world, &resumed)), ("done", 1, 1, 0));
    for body in [
        r#"{"action":"clear","filter":{}}"#,
        r#"{"action":"cancel"}"#,
        r#"{"action":"cancel","filter":{"state":"completed"}}"#,
        r#"{"action":"resume","filter":{"state":"ready"}}"#,
        r#"{"action":"cancel","filter":{"queue":"No Queue"}}"#,
        r#"{"action":"cancel","filter":{"fingerprint":"0123456789abcdef"}}"#,
        r#"{"action":"retry","filter":{"q":"  "}}"#,
    ] {
        world
            .post("/api/v1/bulk", body)
            .expect_error(422, "invalid_request");
    }
    let ready = world.get("/api/v1/runs?queue=slow&state=ready").expect(200);
    assert_eq!(ready["runs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_key_begins_one_operation() {
    let world = World::new();
    fail(&world, "mail", "mail", "gone");
    let headers = [
        ("idempotency-key", "once"),
        ("content-type", "application/json"),
    ];
    let send = |body: &str| world.send("POST", "/api/v1/bulk", &headers, body.as_bytes());
    let body = r#"{"action":"retry","filter":{"queue":"mail"},"expected_count":1}"#;
    let first = send(body).expect(201);
    fail(&world, "mail", "mail", "gone again");
    let again = send(body).expect(200);
    assert_eq!(again["operation_id"], first["operation_id"]);
    send(r#"{"action":"retry","filter":{"queue":"other"}}"#)
        .expect_error(409, "idempotency_conflict");
    let listed = world.get("/api/v1/bulk").expect(200);
    assert_eq!(listed["operations"].as_array().map(Vec::len), Some(1));
}

#[test]
fn operations_are_paged_stopped_and_of_their_tenant() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let (_, admin) = world.make_key(Some(&tenant), "admin");
    let (_, operator) = world.make_key(Some(&tenant), "operator");
    let (_, auditor) = world.make_key(Some(&tenant), "auditor");
    fail(&world, "mail", "mail", "gone");
    let body = r#"{"action":"retry","filter":{}}"#;
    let none = world
        .by(&operator, "POST", "/api/v1/bulk", body)
        .expect(201);
    assert_eq!(brief(&none), ("done", 0, 0, 0), "another tenant's letters");
    assert_eq!(none["tenant_id"], json!(tenant));
    world
        .by(&auditor, "POST", "/api/v1/bulk", body)
        .expect_error(403, "forbidden");
    let clear = r#"{"filter":{}}"#;
    world
        .by(&operator, "POST", "/api/v1/dead-letters/clear", clear)
        .expect_error(403, "forbidden");
    let cleared = world
        .by(&admin, "POST", "/api/v1/dead-letters/clear", clear)
        .expect(201);
    assert_eq!(brief(&cleared), ("done", 0, 0, 0));
    let own = world.post("/api/v1/bulk", body).expect(201);
    let path = format!("/api/v1/bulk/{}", text(&own["operation_id"]));
    let foreign = world.by(&operator, "GET", &path, "");
    foreign.expect_error(404, "operation_not_found");
    world
        .by(&operator, "DELETE", &path, "")
        .expect_error(404, "operation_not_found");
    assert_eq!(over(&world, &own)["state"], "done");
    let stopped = world.call("DELETE", &path, "").expect(200);
    assert_eq!(stopped["state"], "done", "what is over stays as it ended");
    let first = world
        .by(&operator, "GET", "/api/v1/bulk?limit=1", "")
        .expect(200);
    assert_eq!(first["operations"][0]["action"], "clear");
    let next = text(&first["next_cursor"]);
    let second = format!("/api/v1/bulk?limit=1&cursor={next}");
    let second = world.by(&operator, "GET", &second, "").expect(200);
    assert_eq!(second["operations"][0], none);
    world
        .get("/api/v1/bulk?cursor=zz")
        .expect_error(422, "invalid_pagination");
    world
        .get("/api/v1/bulk/nope")
        .expect_error(400, "invalid_operation_id");
}
