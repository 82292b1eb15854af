//! What each route of the workflow refuses, with its exact body.

use serde_json::json;

use crate::harness::{World, text};

const NOBODY: &str = "00000000-0000-4000-8000-000000000009";

#[test]
fn what_is_not_there_is_not_found() {
    let world = World::new();
    let task = format!("/api/v1/tasks/{NOBODY}");
    let cases = [
        ("PATCH", task.clone(), r#"{"priority":1}"#),
        (
            "POST",
            format!("{task}/dependencies"),
            r#"{"depends_on":["00000000-0000-4000-8000-000000000008"]}"#,
        ),
        ("POST", format!("{task}/runs"), "{}"),
        ("GET", format!("{task}/budgets"), ""),
        (
            "POST",
            format!("{task}/budgets"),
            r#"{"dimension":"token","limit":1}"#,
        ),
        (
            "POST",
            format!("{task}/budgets/token/replenish"),
            r#"{"new_limit":1}"#,
        ),
        (
            "POST",
            format!("{task}/subscriptions"),
            r#"{"filter":{"type":"custom","key":"k"}}"#,
        ),
        ("GET", format!("{task}/schedule"), ""),
    ];
    let body = format!(
        r#"{{"error":"task_not_found","message":"task not found","details":{{"task_id":"{NOBODY}"}}}}"#
    );
    for (method, path, sent) in &cases {
        let response = match *sent {
            "" => world.get(path),
            sent => world.call(method, path, sent),
        };
        assert_eq!(
            (response.status, response.text()),
            (404, &*body),
            "{method} {path}"
        );
        let wrong = path.replace(NOBODY, "nope");
        let response = match *sent {
            "" => world.get(&wrong),
            sent => world.call(method, &wrong, sent),
        };
        assert_eq!(
            (response.status, response.text()),
            (
                400,
                r#"{"error":"invalid_task_id","message":"invalid task id","details":{"task_id":"nope"}}"#
            ),
            "{method} {wrong}"
        );
    }
    let unknown = world.send(
        "DELETE",
        &format!("/api/v1/subscriptions/{NOBODY}"),
        &[],
        b"",
    );
    assert_eq!(
        (unknown.status, unknown.text()),
        (
            404,
            &*format!(
                r#"{{"error":"subscription_not_found","message":"subscription not found","details":{{"subscription_id":"{NOBODY}"}}}}"#
            )
        )
    );
    let malformed = world.send("DELETE", "/api/v1/subscriptions/x", &[], b"");
    assert_eq!(
        (malformed.status, malformed.text()),
        (
            400,
            r#"{"error":"invalid_subscription_id","message":"invalid subscription id","details":{"subscription_id":"x"}}"#
        )
    );
    let depends = format!(r#"{{"kind":"a","depends_on":["{NOBODY}"]}}"#);
    world
        .post("/api/v1/tasks", &depends)
        .expect_error(404, "task_not_found");
    let child = format!(r#"{{"kind":"a","parent_task_id":"{NOBODY}"}}"#);
    world
        .post("/api/v1/tasks", &child)
        .expect_error(404, "task_not_found");
}

#[test]
fn wrong_bodies_are_refused_by_field() {
    let world = World::new();
    let (task, _) = world.submit(r#"{"kind":"a"}"#);
    let path = |rest: &str| format!("/api/v1/tasks/{task}{rest}");
    let cases = [
        (
            "PATCH",
            path(""),
            r#"{"color":1}"#,
            "unknown_field",
            "color",
        ),
        (
            "PATCH",
            path(""),
            r#"{"priority":"high"}"#,
            "invalid_request",
            "priority",
        ),
        (
            "PATCH",
            path(""),
            r#"{"run_policy":{"type":"once"}}"#,
            "invalid_request",
            "run_policy.type",
        ),
        (
            "PATCH",
            path(""),
            r#"{"paused":true}"#,
            "invalid_task",
            "paused",
        ),
        (
            "POST",
            path("/dependencies"),
            "{}",
            "invalid_request",
            "depends_on",
        ),
        ("POST", path("/runs"), r#"{"at":1}"#, "unknown_field", "at"),
        (
            "POST",
            path("/runs"),
            r#"{"scheduled_at":"soon"}"#,
            "invalid_request",
            "scheduled_at",
        ),
        (
            "POST",
            path("/budgets"),
            r#"{"dimension":"token"}"#,
            "invalid_request",
            "limit",
        ),
        (
            "POST",
            path("/budgets/token/replenish"),
            r#"{"limit":1}"#,
            "unknown_field",
            "limit",
        ),
        (
            "POST",
            path("/subscriptions"),
            r#"{"filter":{"type":"never"}}"#,
            "invalid_request",
            "filter.type",
        ),
        (
            "POST",
            path("/subscriptions"),
            r#"{"filter":{"type":"custom"}}"#,
            "invalid_request",
            "filter.key",
        ),
        (
            "POST",
            path("/subscriptions"),
            r#"{"filter":{"type":"custom","key":"k","percent":1}}"#,
            "invalid_request",
            "filter.percent",
        ),
        (
            "POST",
            path("/subscriptions"),
            r#"{"filter":["custom"]}"#,
            "invalid_request",
            "filter",
        ),
        (
            "POST",
            "/api/v1/custom-events".into(),
            r#"{"payload":1}"#,
            "invalid_request",
            "key",
        ),
        (
            "POST",
            "/api/v1/custom-events".into(),
            r#"{"key":""}"#,
            "invalid_request",
            "key",
        ),
        (
            "POST",
            "/api/v1/schedule/preview".into(),
            r#"{"next":1}"#,
            "invalid_request",
            "run_policy",
        ),
        (
            "POST",
            "/api/v1/schedule/preview".into(),
            r#"{"run_policy":{"type":"once"},"next":0}"#,
            "invalid_request",
            "next",
        ),
    ];
    for (method, path, body, code, field) in &cases {
        let details = world.call(method, path, body).expect_error(422, code);
        assert_eq!(details, json!({ "field": field }), "{method} {path} {body}");
    }
    let empty = world.post(&path("/dependencies"), r#"{"depends_on":[]}"#);
    assert_eq!(empty.expect_error(422, "empty_dependency_list"), json!({}));
    let zero = world.post(&path("/budgets"), r#"{"dimension":"token","limit":0}"#);
    assert_eq!(
        zero.expect_error(422, "zero_limit"),
        json!({"dimension": "token"})
    );
    let unset = world.post(&path("/budgets/token/replenish"), r#"{"new_limit":1}"#);
    assert_eq!(
        unset.expect_error(409, "budget_not_allocated"),
        json!({"dimension": "token"})
    );
    let born = world.post(&path("/runs"), r#"{"state":"ready"}"#);
    assert_eq!(
        born.expect_error(422, "run_create_requires_scheduled"),
        json!({"state": "ready"})
    );
    let next = world.get(&path("/schedule?next=many"));
    assert_eq!(
        next.expect_error(422, "invalid_parameter"),
        json!({"parameter": "next"})
    );
}

#[test]
fn what_the_state_forbids_is_a_conflict() {
    let world = World::new();
    let (task, run) = world.submit(r#"{"kind":"a"}"#);
    let (other, _) = world
        .submit(r#"{"kind":"b","run_policy":{"type":"once","run_at":"2100-01-01T00:00:00Z"}}"#);
    let lease = world.claim_one();
    let depend = world.post(
        &format!("/api/v1/tasks/{task}/dependencies"),
        &format!(r#"{{"depends_on":["{other}"]}}"#),
    );
    assert_eq!(
        depend.expect_error(409, "task_already_started"),
        json!({"task_id": task})
    );
    let taken = world.post(
        &format!("/api/v1/tasks/{task}/runs"),
        &format!(r#"{{"run_id":"{run}"}}"#),
    );
    assert_eq!(
        taken.expect_error(409, "run_already_exists"),
        json!({"run_id": run})
    );
    let subscribe =
        format!(r#"{{"filter":{{"type":"custom","key":"k"}},"subscription_id":"{NOBODY}"}}"#);
    let path = format!("/api/v1/tasks/{task}/subscriptions");
    assert_eq!(
        text(&world.post(&path, &subscribe).expect(201)["subscription_id"]),
        NOBODY
    );
    assert_eq!(
        world
            .post(&path, &subscribe)
            .expect_error(409, "subscription_already_exists"),
        json!({"subscription_id": NOBODY})
    );
    let consume = format!("/api/v1/runs/{run}/consume");
    let stale = r#"{"token":"1.2.ff","consumption":[]}"#;
    assert_eq!(
        world.post(&consume, stale).expect_error(409, "lease_lost"),
        json!({"run_id": run})
    );
    let events = r#","custom_events":[{"key":"k"}]"#;
    world
        .finish(&lease, "failure", events)
        .expect_error(422, "invalid_request");
    let children = r#","children":[{"kind":"c"}]"#;
    world
        .finish(&lease, "released", children)
        .expect_error(422, "invalid_request");
    world
        .post(&format!("/api/v1/tasks/{other}/cancel"), "")
        .expect(200);
    let more = world.post(&format!("/api/v1/tasks/{other}/runs"), "");
    assert_eq!(
        more.expect_error(409, "task_canceled"),
        json!({"task_id": other})
    );
}

#[test]
fn a_change_can_insist_on_the_sequence_it_knows() {
    let world = World::new();
    let (task, _) = world.submit(r#"{"kind":"a"}"#);
    let headers = [("content-type", "application/json"), ("if-sequence", "1")];
    let task = format!("/api/v1/tasks/{task}");
    let cases: &[(&str, String, &[u8])] = &[
        ("PATCH", task.clone(), br#"{"priority":1}"#),
        ("POST", format!("{task}/runs"), b"{}"),
        (
            "POST",
            format!("{task}/budgets"),
            br#"{"dimension":"token","limit":1}"#,
        ),
        (
            "POST",
            format!("{task}/subscriptions"),
            br#"{"filter":{"type":"custom","key":"k"}}"#,
        ),
        ("POST", "/api/v1/custom-events".into(), br#"{"key":"k"}"#),
        ("PUT", "/api/v1/queues/q".into(), b"{}"),
        ("POST", "/api/v1/queues/q/pause".into(), b"{}"),
    ];
    for (method, path, body) in cases {
        let response = world.send(method, path, &headers, body);
        response.expect_error(409, "non_monotonic_sequence");
    }
}
