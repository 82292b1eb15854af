//! The administration of jobs: bodies as the contract has them, and counters that are those of the rows.

use serde_json::{Value, json};

use crate::harness::{World, text};

fn keys(value: &Value) -> Vec<&str> {
    let fields = value.as_object().expect("an object");
    fields.keys().map(String::as_str).collect()
}

/// What the counters say, counted anew in SQL over the store and in the totals of the list.
fn recount(world: &World) {
    let stats = world.get("/admin/jobs/stats").expect(200);
    let sql = r#"{"sql":"SELECT state, count(*) FROM runs GROUP BY state"}"#;
    let rows = world.post("/api/v1/query", sql).expect(200);
    let rows = rows["rows"].as_array().expect("rows").clone();
    let counted = |states: &[&str]| -> u64 {
        let own = rows.iter().filter(|row| states.contains(&&*text(&row[0])));
        own.map(|row| row[1].as_u64().expect("a count")).sum()
    };
    let listed = |states: &[&str]| -> u64 {
        let total = |state: &&str| {
            let page = world.get(&format!("/admin/jobs/list?limit=1&status={state}"));
            page.expect(200)["total"].as_u64().expect("a total")
        };
        states.iter().map(total).sum()
    };
    for (name, states) in [
        (
            "pending",
            &["scheduled", "ready", "retry_wait", "suspended"][..],
        ),
        ("running", &["leased", "running"]),
        ("completed", &["completed"]),
        ("failed", &["failed"]),
    ] {
        assert_eq!(stats[name], counted(states), "{name}: {stats}");
        assert_eq!(stats[name], listed(states), "{name}: {stats}");
    }
    let all = world.get("/admin/jobs/list").expect(200);
    assert_eq!(stats["total_enqueued"], all["total"]);
    let history = world.get("/admin/jobs/history").expect(200);
    assert_eq!(
        history["total_count"],
        counted(&["completed", "failed", "canceled"])
    );
}

#[test]
fn jobs_are_listed_counted_and_canceled_as_the_contract_says() {
    let world = World::new();
    assert_eq!(
        world.get("/admin/jobs/stats").text(),
        r#"{"total_enqueued":0,"running":0,"pending":0,"completed":0,"failed":0,"dead_letter":0,"avg_execution_ms":0.0,"p95_execution_ms":0,"p99_execution_ms":0,"success_rate":100.0,"message":"0 jobs"}"#
    );
    assert_eq!(
        world.get("/admin/jobs/list").text(),
        r#"{"jobs":[],"total":0,"message":"0 of 0 jobs"}"#
    );
    let fatal = r#","error":{"code":"smtp","message":"no route","retryable":false}"#;
    for outcome in ["success", "failure", "success", "success"] {
        world.submit(r#"{"kind":"mail.send"}"#);
        let lease = world.claim_one();
        let rest = if outcome == "failure" { fatal } else { "" };
        world.finish(&lease, outcome, rest).expect(200);
    }
    let (_, waits) =
        world.submit(r#"{"kind":"report","metadata":{"priority":7,"tags":["weekly"]}}"#);
    recount(&world);
    let stats = world.get("/admin/jobs/stats").expect(200);
    assert_eq!(stats["success_rate"], json!(75.0));
    assert_eq!(
        (&stats["pending"], &stats["dead_letter"]),
        (&json!(1), &json!(1))
    );
    let list = world.get("/admin/jobs/list?job_type=report").expect(200);
    let job = &list["jobs"][0];
    assert_eq!(list["message"], "1 of 1 jobs");
    assert_eq!(
        (
            &job["id"],
            &job["job_type"],
            &job["status"],
            &job["priority"]
        ),
        (&json!(waits), &json!("report"), &json!("ready"), &json!(7))
    );
    let mut shown = keys(job);
    shown.sort_unstable();
    assert_eq!(
        shown,
        ["created_at", "id", "job_type", "priority", "status"]
    );
    for (query, total) in [
        ("q=weekly", 1),
        ("q=mail", 4),
        ("q=route", 1),
        ("q=mail&status=failed", 1),
        ("q=nothing", 0),
        ("job_type=other", 0),
        ("limit=2&offset=4", 5),
    ] {
        let list = world.get(&format!("/admin/jobs/list?{query}")).expect(200);
        assert_eq!(list["total"], total, "{query}: {list}");
    }
    let path = format!("/admin/jobs/{waits}/cancel");
    assert_eq!(
        world.post(&path, r#"{"reason":"not needed"}"#).text(),
        r#"{"success":true,"message":"Job cancellation requested"}"#
    );
    world.post(&path, "").expect_error(404, "run_not_found");
    let unknown = "/admin/jobs/018f0000-0000-7000-8000-000000000001/cancel";
    world.post(unknown, "").expect_error(404, "run_not_found");
    world
        .post("/admin/jobs/not-a-uuid/cancel", "")
        .expect_error(400, "invalid_run_id");
    recount(&world);
}

#[test]
fn the_history_goes_from_the_newest_page_to_the_oldest() {
    let world = World::new();
    let mut finished = Vec::new();
    for _ in 0..5 {
        let (_, run) = world.submit(r#"{"kind":"a"}"#);
        let lease = world.claim_one();
        world.finish(&lease, "success", "").expect(200);
        finished.push(run);
    }
    finished.reverse();
    let mut seen = Vec::new();
    for page in 1..=3 {
        let path = format!("/admin/jobs/history?page={page}&page_size=2");
        let told = world.get(&path).expect(200);
        let counts = (&told["page"], &told["page_size"], &told["total_count"]);
        assert_eq!(counts, (&json!(page), &json!(2), &json!(5)));
        assert_eq!(
            (&told["has_prev"], &told["has_next"]),
            (&json!(page > 1), &json!(page < 3))
        );
        let jobs = told["jobs"].as_array().expect("jobs");
        seen.extend(jobs.iter().map(|job| text(&job["id"])));
    }
    assert_eq!(seen, finished);
    for query in [
        "page=0",
        "page_size=0",
        "page_size=1001",
        "page=x",
        "page=200000",
    ] {
        world
            .get(&format!("/admin/jobs/history?{query}"))
            .expect_error(422, "invalid_pagination");
    }
    let found = world.get("/admin/jobs/history?search=b").expect(200);
    assert_eq!(found["total_count"], 0);
}

#[test]
fn jobs_are_administered_by_admins_alone_and_each_sees_their_own() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let (_, admin) = world.make_key(Some(&tenant), "admin");
    let (_, operator) = world.make_key(Some(&tenant), "operator");
    let (_, foreign) = world.submit(r#"{"kind":"a"}"#);
    let body = r#"{"kind":"b"}"#;
    world.by(&admin, "POST", "/api/v1/tasks", body).expect(201);
    for path in ["list", "stats", "history"] {
        let path = format!("/admin/jobs/{path}");
        world
            .by(&operator, "GET", &path, "")
            .expect_error(403, "forbidden");
    }
    let stats = world.by(&admin, "GET", "/admin/jobs/stats", "").expect(200);
    assert_eq!(stats["total_enqueued"], 1);
    let list = world.by(&admin, "GET", "/admin/jobs/list", "").expect(200);
    assert_eq!(
        (&list["total"], &list["jobs"][0]["job_type"]),
        (&json!(1), &json!("b"))
    );
    let path = format!("/admin/jobs/{foreign}/cancel");
    world
        .by(&admin, "POST", &path, "")
        .expect_error(404, "run_not_found");
    assert_eq!(
        world.get("/admin/jobs/stats").expect(200)["total_enqueued"],
        2
    );
}

#[test]
fn what_attempts_took_is_told_by_kind_for_life_and_for_the_last_hour() {
    let world = World::new();
    for kind in ["a", "a", "b"] {
        world.submit(&format!(r#"{{"kind":"{kind}"}}"#));
        let lease = world.claim_one();
        std::thread::sleep(std::time::Duration::from_millis(20));
        world.finish(&lease, "success", "").expect(200);
    }
    let stats = world.get("/api/v1/stats").expect(200);
    let all = &stats["execution"]["life"];
    assert_eq!(all, &stats["execution"]["last_hour"]);
    assert_eq!(all["count"], 3);
    let ms = |name: &str| all[name].as_f64().expect("milliseconds");
    assert!(ms("avg_ms") >= 15.0 && ms("p50_ms") >= 15.0, "{all}");
    assert!(
        ms("p50_ms") <= ms("p95_ms") && ms("p99_ms") <= ms("max_ms"),
        "{all}"
    );
    let kinds = stats["execution_by_kind"].as_array().expect("kinds");
    let told: Vec<(&Value, &Value)> = kinds
        .iter()
        .map(|kind| (&kind["kind"], &kind["life"]["count"]))
        .collect();
    assert_eq!(told, [(&json!("a"), &json!(2)), (&json!("b"), &json!(1))]);
}

/// Runs that failed for good.
fn fail(world: &World, kind: &str, message: &str) -> String {
    let (_, run) = world.submit(&format!(r#"{{"kind":"{kind}"}}"#));
    let lease = world.claim_one();
    let error = json!({"code": "smtp", "message": message, "retryable": false});
    let rest = format!(r#","error":{error}"#);
    world.finish(&lease, "failure", &rest).expect(200);
    run
}

#[test]
fn dead_letters_are_grouped_tried_again_and_cleared_once() {
    let world = World::new();
    let first = fail(&world, "mail", "host 7 is gone");
    for host in 8..12 {
        fail(&world, "mail", &format!("host {host} is gone"));
    }
    fail(&world, "sms", "no signal");
    recount(&world);
    let told = world.get("/admin/jobs/dead-letter").expect(200);
    assert_eq!(told["total"], 6);
    let counts: Vec<&Value> = told["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| &group["count"])
        .collect();
    assert_eq!(counts, [&json!(5), &json!(1)], "{told}");
    let path = format!("/admin/jobs/{first}/retry");
    let retried = world.post(&path, "").expect(200);
    assert_eq!(keys(&retried).len(), 3);
    assert_eq!(
        (&retried["success"], &retried["message"]),
        (&json!(true), &json!("Job queued for retry"))
    );
    let new_run = text(&retried["run_id"]);
    let shown = world.get(&format!("/api/v1/runs/{new_run}")).expect(200);
    assert_eq!(shown["retry_of"], json!(first));
    world.post(&path, "").expect_error(404, "run_not_found");
    recount(&world);
    let mismatch = world.post("/admin/jobs/retry-all", r#"{"expected_count":6}"#);
    let mismatch = mismatch.expect_error(409, "expected_count_mismatch");
    assert_eq!(mismatch, json!({"expected": 6, "actual": 5}));
    let dry = world
        .post(
            "/admin/jobs/retry-all",
            r#"{"job_type":"mail","dry_run":true}"#,
        )
        .expect(200);
    assert_eq!(dry["retried"], 4);
    assert_eq!(
        world
            .post("/admin/jobs/retry-all", r#"{"job_type":"mail"}"#)
            .text(),
        r#"{"retried":4,"message":"4 jobs queued for retry","refused":[]}"#
    );
    assert_eq!(
        world
            .post("/admin/jobs/dead-letter/clear", r#"{"reason":"old"}"#)
            .text(),
        r#"{"cleared":1,"message":"1 jobs removed from dead letter queue"}"#
    );
    assert_eq!(
        world.get("/admin/jobs/dead-letter").text(),
        r#"{"groups":[],"total":0,"message":"0 dead letters"}"#
    );
    let stats = world.get("/admin/jobs/stats").expect(200);
    assert_eq!(
        (
            &stats["dead_letter"],
            &stats["failed"],
            &stats["pending"],
            &stats["total_enqueued"]
        ),
        (&json!(0), &json!(6), &json!(5), &json!(11))
    );
    recount(&world);
}
