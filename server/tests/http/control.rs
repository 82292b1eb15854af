//! Cancel, suspend, resume, pause, and the numbers.

use serde_json::json;

use crate::harness::{World, text};

#[test]
fn a_running_run_is_asked_to_stop_and_one_that_waits_is_canceled_at_once() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a"}"#);
    let cancel = |run: &str, query: &str| {
        world
            .post(&format!("/api/v1/runs/{run}/cancel{query}"), "")
            .text()
            .to_owned()
    };
    let token = text(&world.claim_one()["token"]);
    assert_eq!(
        cancel(&run, ""),
        format!(r#"{{"run_id":"{run}","status":"cancel_requested"}}"#)
    );
    assert_eq!(
        cancel(&run, "?force=false"),
        format!(r#"{{"run_id":"{run}","status":"cancel_requested"}}"#)
    );
    let shown = world.get(&format!("/api/v1/runs/{run}")).expect(200);
    assert_eq!(shown["state"], "running");
    assert_eq!(
        shown["cancel_requested"]["by"],
        world.key.split('_').nth(1).expect("an id")
    );
    let beat = world
        .post(
            &format!("/api/v1/runs/{run}/heartbeat"),
            &format!(r#"{{"token":"{token}"}}"#),
        )
        .expect(200);
    assert_eq!(beat["directive"], "cancel");
    assert_eq!(
        cancel(&run, "?force=true"),
        format!(r#"{{"run_id":"{run}","status":"canceled"}}"#)
    );
    assert_eq!(
        cancel(&run, ""),
        format!(r#"{{"run_id":"{run}","status":"already_canceled"}}"#)
    );
    let late = format!(r#"{{"token":"{token}","outcome":"success"}}"#);
    world
        .post(&format!("/api/v1/runs/{run}/finish"), &late)
        .expect_error(409, "lease_lost");

    let (_, done) = world.submit(r#"{"kind":"a"}"#);
    let token = text(&world.claim_one()["token"]);
    let end = format!(r#"{{"token":"{token}","outcome":"success"}}"#);
    world
        .post(&format!("/api/v1/runs/{done}/finish"), &end)
        .expect(200);
    assert_eq!(
        cancel(&done, ""),
        format!(r#"{{"run_id":"{done}","status":"already_terminal"}}"#)
    );
}

#[test]
fn a_run_is_suspended_by_its_worker_and_resumed_with_a_payload() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a"}"#);
    let path = |act: &str| format!("/api/v1/runs/{run}/{act}");
    world
        .post(&path("suspend"), "")
        .expect_error(409, "run_suspend_requires_running");
    world
        .post(&path("resume"), "")
        .expect_error(409, "run_resume_requires_suspended");
    let token = text(&world.claim_one()["token"]);
    let asked = world
        .post(&path("suspend"), r#"{"reason":"night"}"#)
        .expect(200);
    assert_eq!(asked, json!({"run_id": run, "status": "suspend_requested"}));
    let beat = world
        .post(&path("heartbeat"), &format!(r#"{{"token":"{token}"}}"#))
        .expect(200);
    assert_eq!(beat["directive"], "suspend");
    let end = format!(r#"{{"token":"{token}","outcome":"suspended"}}"#);
    assert_eq!(
        world.post(&path("finish"), &end).expect(200)["state"],
        "suspended"
    );
    let resumed = world
        .post(&path("resume"), r#"{"payload":{"answer" : 42}}"#)
        .expect(200);
    assert_eq!(resumed, json!({"run_id": run, "status": "resumed"}));
    let claimed = world.post("/api/v1/leases", r#"{"worker":"w"}"#);
    assert!(
        claimed
            .text()
            .contains(r#""resume_payload":{"answer" : 42}"#),
        "{}",
        claimed.text()
    );
}

#[test]
fn a_paused_engine_grants_nothing_and_says_who_paused_it() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a"}"#);
    assert_eq!(
        world.post("/api/v1/engine/resume", "").expect(200),
        json!({"status": "already_resumed"})
    );
    assert_eq!(
        world
            .post("/api/v1/engine/pause", r#"{"reason":"upgrade"}"#)
            .expect(200),
        json!({"status": "paused"})
    );
    assert_eq!(
        world.post("/api/v1/engine/pause", "").expect(200),
        json!({"status": "already_paused"})
    );
    let engine = world.get("/api/v1/engine").expect(200);
    assert_eq!(
        (&engine["paused"], &engine["reason"]),
        (&json!(true), &json!("upgrade"))
    );
    assert_eq!(
        world
            .post("/api/v1/leases", r#"{"worker":"w"}"#)
            .expect(200),
        json!({"leases": []})
    );
    let explain = world
        .get(&format!("/api/v1/runs/{run}/explain"))
        .expect(200);
    assert_eq!(
        (&explain["state"], &explain["runnable"]),
        (&json!("ready"), &json!(false))
    );
    assert_eq!(explain["reasons"][0]["code"], "engine_paused");
    assert_eq!(
        world.post("/api/v1/engine/resume", "{}").expect(200),
        json!({"status": "resumed"})
    );
    assert_eq!(world.claim_one()["run_id"], json!(run));
}

#[test]
fn numbers_agree_wherever_they_are_read() {
    let world = World::new();
    for _ in 0..3 {
        world.submit(r#"{"kind":"a"}"#);
    }
    let token = text(&world.claim_one()["token"]);
    assert!(!token.is_empty());
    let stats = world.get("/api/v1/stats").expect(200);
    assert_eq!(
        (
            &stats["total_tasks"],
            &stats["total_runs"],
            &stats["attempts_total"]
        ),
        (&json!(3), &json!(3), &json!(1))
    );
    assert_eq!(
        (
            &stats["runs_by_state"]["ready"],
            &stats["runs_by_state"]["running"]
        ),
        (&json!(2), &json!(1))
    );
    world.get("/nothing").expect_error(404, "route_not_found");
    let metrics = world.get("/metrics");
    metrics.check_headers();
    let lines: Vec<&str> = metrics.text().lines().collect();
    for line in [
        "mainstay_runs{state=\"ready\"} 2",
        "mainstay_runs_ready 2",
        "mainstay_runs_running 1",
        "mainstay_attempts_total{result=\"success\"} 0",
        "mainstay_wal_append_failures_total 0",
        "mainstay_http_requests_total{route=\"POST /api/v1/tasks\",status=\"201\"} 3",
        "mainstay_http_requests_total{route=\"none\",status=\"404\"} 1",
        "# TYPE mainstay_wal_sync_seconds histogram",
        "# TYPE mainstay_commit_batch_size histogram",
        "# TYPE mainstay_http_request_seconds histogram",
    ] {
        assert!(
            lines.contains(&line),
            "{line} is missing in\n{}",
            metrics.text()
        );
    }
    for name in [
        "scheduling_lag_seconds",
        "wal_append_total",
        "recovery_time_seconds",
        "recovery_events_applied_total",
    ] {
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&format!("mainstay_{name} "))),
            "{name}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&format!("# HELP mainstay_{name} "))),
            "{name}"
        );
    }
}

#[test]
fn on_a_nearly_full_disk_new_work_is_refused_and_everything_else_goes_on() {
    let options = mainstay::Engine::options().low_water_bytes(u64::MAX);
    let world = World::of(options, |_| {});
    let refused = world.post("/api/v1/tasks", r#"{"kind":"a"}"#);
    let details = refused.expect_error(503, "storage_full");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(details["needed_bytes"], u64::MAX);
    assert!(details["free_bytes"].is_u64());
    world
        .post("/api/v1/tasks/batch", r#"{"tasks":[{"kind":"a"}]}"#)
        .expect_error(503, "storage_full");
    world
        .post("/api/v1/leases", r#"{"worker":"w"}"#)
        .expect(200);
    world.get("/api/v1/tasks").expect(200);
    world.get("/api/v1/stats").expect(200);
    world.post("/api/v1/engine/pause", "").expect(200);
}
