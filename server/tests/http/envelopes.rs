//! Everything that can be wrong with a request, and the envelope that says so.

use serde_json::json;

use crate::harness::World;

const NOBODY: &str = "00000000-0000-4000-8000-000000000009";

/// Method, path, headers, body; status and code.
type Case<'a> = (
    &'a str,
    &'a str,
    &'a [(&'a str, &'a str)],
    &'a str,
    u16,
    &'a str,
);

#[test]
fn every_wrong_request_is_answered_with_its_code_in_the_envelope() {
    let world = World::new();
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let cases: &[Case<'_>] = &[
        ("GET", "/nothing", &[], "", 404, "route_not_found"),
        ("GET", "/api/v1/tasks/", &[], "", 404, "route_not_found"),
        ("GET", "/api/v1/flows", &[], "", 404, "route_not_found"),
        (
            "DELETE",
            "/api/v1/engine",
            &[],
            "",
            405,
            "method_not_allowed",
        ),
        (
            "PUT",
            "/api/v1/tasks",
            json,
            "{}",
            405,
            "method_not_allowed",
        ),
        (
            "GET",
            "/api/v1/tasks/not-a-uuid",
            &[],
            "",
            400,
            "invalid_task_id",
        ),
        (
            "GET",
            "/api/v1/runs/00000000-0000-0000-0000-000000000000",
            &[],
            "",
            400,
            "invalid_run_id",
        ),
        (
            "GET",
            &format!("/api/v1/runs/{NOBODY}"),
            &[],
            "",
            404,
            "run_not_found",
        ),
        (
            "GET",
            &format!("/api/v1/runs/{NOBODY}/explain"),
            &[],
            "",
            404,
            "run_not_found",
        ),
        (
            "GET",
            &format!("/api/v1/tasks/{NOBODY}"),
            &[],
            "",
            404,
            "task_not_found",
        ),
        (
            "POST",
            &format!("/api/v1/runs/{NOBODY}/cancel"),
            &[],
            "",
            404,
            "run_not_found",
        ),
        (
            "POST",
            &format!("/api/v1/tasks/{NOBODY}/cancel"),
            &[],
            "",
            404,
            "task_not_found",
        ),
        (
            "POST",
            &format!("/api/v1/runs/{NOBODY}/cancel?force=yes"),
            &[],
            "",
            422,
            "invalid_parameter",
        ),
        (
            "GET",
            "/api/v1/stats?verbose=1",
            &[],
            "",
            422,
            "unknown_parameter",
        ),
        (
            "POST",
            "/api/v1/tasks",
            json,
            "{\"kind\":",
            400,
            "invalid_json",
        ),
        ("POST", "/api/v1/tasks", json, "", 400, "invalid_json"),
        ("POST", "/api/v1/tasks", json, "[]", 422, "invalid_task"),
        ("POST", "/api/v1/tasks", json, "{}", 422, "invalid_task"),
        (
            "POST",
            "/api/v1/tasks",
            json,
            r#"{"kind":"UPPER"}"#,
            422,
            "invalid_task",
        ),
        (
            "POST",
            "/api/v1/tasks",
            json,
            r#"{"kind":"a","colour":1}"#,
            422,
            "unknown_field",
        ),
        (
            "POST",
            "/api/v1/tasks",
            json,
            r#"{"kind":"a","id":"x"}"#,
            400,
            "invalid_task_id",
        ),
        (
            "POST",
            "/api/v1/tasks",
            json,
            r#"{"kind":"a","tenant_id":"acme"}"#,
            404,
            "tenant_not_found",
        ),
        (
            "POST",
            "/api/v1/tasks",
            &[],
            r#"{"kind":"a"}"#,
            415,
            "unsupported_media_type",
        ),
        (
            "POST",
            "/api/v1/tasks",
            &[("content-type", "text/plain")],
            r#"{"kind":"a"}"#,
            415,
            "unsupported_media_type",
        ),
        (
            "POST",
            "/api/v1/engine/pause",
            &[("content-type", "text/xml")],
            "",
            415,
            "unsupported_media_type",
        ),
        (
            "POST",
            "/api/v1/engine/pause",
            &[],
            "{}",
            415,
            "unsupported_media_type",
        ),
        (
            "POST",
            "/api/v1/engine/pause",
            json,
            r#"{"why":"x"}"#,
            422,
            "unknown_field",
        ),
        (
            "GET",
            "/api/v1/stats",
            &[("mainstay-tenant", "acme")],
            "",
            404,
            "tenant_not_found",
        ),
        (
            "GET",
            "/api/v1/engine",
            &[("mainstay-tenant", "*")],
            "",
            404,
            "tenant_not_found",
        ),
        (
            "POST",
            "/api/v1/tasks",
            &[
                ("content-type", "application/json"),
                ("if-sequence", "soon"),
            ],
            "{}",
            400,
            "invalid_header",
        ),
        ("POST", "/api/v1/leases", json, "{}", 422, "invalid_request"),
        (
            "POST",
            "/api/v1/leases",
            json,
            r#"{"worker":"w","wait_ms":60001}"#,
            422,
            "invalid_request",
        ),
        (
            "POST",
            "/api/v1/leases",
            json,
            r#"{"worker":"w","queues":[]}"#,
            422,
            "invalid_request",
        ),
        (
            "POST",
            "/api/v1/leases",
            json,
            r#"{"worker":"w","max":1001}"#,
            422,
            "invalid_request",
        ),
        (
            "POST",
            "/api/v1/leases",
            json,
            r#"{"worker":"w","actor_id":"x"}"#,
            400,
            "invalid_actor_id",
        ),
        (
            "POST",
            "/api/v1/leases/finish",
            json,
            r#"{"results":{}}"#,
            422,
            "invalid_request",
        ),
    ];
    for (method, path, headers, body, status, code) in cases {
        let response = world.send(method, path, headers, body.as_bytes());
        assert_eq!(response.status, *status, "{method} {path} {body}");
        response.expect_error(*status, code);
    }
}

#[test]
fn details_name_what_is_wrong() {
    let world = World::new();
    let details =
        |path: &str, body: &str, status, code| world.post(path, body).expect_error(status, code);
    assert_eq!(
        details("/api/v1/tasks", r#"{"queue":"q"}"#, 422, "invalid_task"),
        json!({"field": "kind"})
    );
    assert_eq!(
        details("/api/v1/tasks", "{\n\"kind\" 1}", 400, "invalid_json"),
        json!({"line": 2, "column": 8})
    );
    assert_eq!(
        details(
            "/api/v1/tasks",
            r#"{"kind":"a","retry":{"initial":1}}"#,
            422,
            "unknown_field"
        ),
        json!({"field": "retry.initial"})
    );
    assert_eq!(
        world.get("/api/v1/runs/not-a-uuid").text(),
        r#"{"error":"invalid_run_id","message":"invalid run id","details":{"run_id":"not-a-uuid"}}"#
    );
    assert_eq!(
        world.get(&format!("/api/v1/runs/{NOBODY}")).text(),
        format!(
            r#"{{"error":"run_not_found","message":"run not found","details":{{"run_id":"{NOBODY}"}}}}"#
        )
    );
    let response = world.send("PATCH", "/api/v1/tasks", &[], b"");
    assert_eq!(
        response.expect_error(405, "method_not_allowed"),
        json!({"allow": "POST, GET, HEAD"})
    );
    assert_eq!(response.header("allow"), Some("POST, GET, HEAD"));
}

#[test]
fn what_this_version_does_not_act_on_is_refused_by_name_and_never_ignored() {
    let world = World::new();
    let headers = [("content-type", "application/json"), ("if-sequence", "0")];
    let body = br#"{"tasks":[{"kind":"a"}]}"#;
    let batch = world.send("POST", "/api/v1/tasks/batch", &headers, body);
    assert_eq!(
        batch.expect_error(422, "not_supported"),
        json!({"field": "If-Sequence"})
    );
    assert_eq!(world.get("/api/v1/stats").expect(200)["total_tasks"], 0);
}

/// A field of a task, and what is wrong with it.
const WRONG_FIELDS: &[(&str, &str, &str)] = &[
    (
        "run_policy.type",
        r#""run_policy":{"type":"often"}"#,
        "invalid_task",
    ),
    ("run_policy.type", r#""run_policy":{}"#, "invalid_task"),
    (
        "run_policy.count",
        r#""run_policy":{"type":"once","count":2}"#,
        "invalid_task",
    ),
    (
        "run_policy.count",
        r#""run_policy":{"type":"repeat","interval_ms":1}"#,
        "invalid_task",
    ),
    (
        "run_policy.interval_ms",
        r#""run_policy":{"type":"repeat","count":1}"#,
        "invalid_task",
    ),
    (
        "run_policy.run_at",
        r#""run_policy":{"type":"repeat","count":1,"interval_ms":1,"run_at":"2100-01-01T00:00:00Z"}"#,
        "invalid_task",
    ),
    (
        "run_policy.count",
        r#""run_policy":{"type":"repeat","count":"2","interval_ms":1}"#,
        "invalid_task",
    ),
    (
        "run_policy.start_at",
        r#""run_policy":{"type":"repeat","count":1,"interval_ms":1,"start_at":"soon"}"#,
        "invalid_task",
    ),
    (
        "run_policy.expression",
        r#""run_policy":{"type":"cron"}"#,
        "invalid_task",
    ),
    (
        "run_policy.interval_ms",
        r#""run_policy":{"type":"cron","expression":"* * * * *","interval_ms":1}"#,
        "invalid_task",
    ),
    (
        "run_policy.misfire",
        r#""run_policy":{"type":"cron","expression":"* * * * *","misfire":"never"}"#,
        "invalid_task",
    ),
    (
        "run_policy.every",
        r#""run_policy":{"type":"cron","expression":"* * * * *","every":1}"#,
        "unknown_field",
    ),
    (
        "constraints.required_capabilities",
        r#""constraints":{"required_capabilities":[]}"#,
        "invalid_task",
    ),
    (
        "constraints.required_capabilities.1",
        r#""constraints":{"required_capabilities":["gpu",1]}"#,
        "invalid_task",
    ),
    (
        "constraints.fairness",
        r#""constraints":{"fairness":"f"}"#,
        "unknown_field",
    ),
    (
        "budgets.0.limit",
        r#""budgets":[{"dimension":"token"}]"#,
        "invalid_task",
    ),
    (
        "budgets.0.max",
        r#""budgets":[{"dimension":"token","max":1}]"#,
        "unknown_field",
    ),
    ("budgets.0", r#""budgets":[["token",1]]"#, "invalid_task"),
    (
        "parent_run.token",
        r#""parent_run":{"run_id":"x"}"#,
        "invalid_task",
    ),
    (
        "parent_run.lease",
        r#""parent_run":{"run_id":"x","token":"t","lease":1}"#,
        "unknown_field",
    ),
    ("durability", r#""durability":"never""#, "invalid_task"),
];

#[test]
fn every_wrong_field_of_a_task_is_named_by_its_path() {
    let world = World::new();
    for (field, json, code) in WRONG_FIELDS {
        let body = format!(r#"{{"kind":"a",{json}}}"#);
        let response = world.post("/api/v1/tasks", &body);
        assert_eq!(
            response.expect_error(422, code),
            json!({ "field": field }),
            "{json}"
        );
        let batch = world.post("/api/v1/tasks/batch", &format!(r#"{{"tasks":[{body}]}}"#));
        let item = &batch.expect(200)["results"][0];
        assert_eq!(item["error"], *code, "{item}");
        assert_eq!(
            item["details"]["field"],
            format!("tasks.0.{field}"),
            "{item}"
        );
    }
    let ids = [
        (
            r#""parent_task_id":"x""#,
            json!({"task_id": "x", "field": "parent_task_id"}),
        ),
        (
            r#""depends_on":["y"]"#,
            json!({"task_id": "y", "field": "depends_on.0"}),
        ),
    ];
    for (json, details) in ids {
        let response = world.post("/api/v1/tasks", &format!(r#"{{"kind":"a",{json}}}"#));
        assert_eq!(response.expect_error(400, "invalid_task_id"), details);
    }
    let lost = format!(r#"{{"kind":"a","parent_run":{{"run_id":"{NOBODY}","token":"1.2.ff"}}}}"#);
    world
        .post("/api/v1/tasks", &lost)
        .expect_error(409, "lease_lost");
    let foreign = format!(r#"{{"kind":"a","tenant_id":"{NOBODY}"}}"#);
    assert_eq!(
        world
            .post("/api/v1/tasks", &foreign)
            .expect_error(404, "tenant_not_found"),
        json!({"tenant_id": NOBODY})
    );
    assert_eq!(world.get("/api/v1/stats").expect(200)["total_tasks"], 0);
}

#[test]
fn a_request_makes_at_most_100_000_runs() {
    let world = World::new();
    let task = r#"{"kind":"a","run_policy":{"type":"repeat","count":10000,"interval_ms":1}}"#;
    let tasks = [task; 11].join(",");
    let response = world.post("/api/v1/tasks/batch", &format!(r#"{{"tasks":[{tasks}]}}"#));
    assert_eq!(
        response.expect_error(422, "limit_exceeded"),
        json!({"limit": "runs_per_request", "value": 100_000})
    );
    assert_eq!(world.get("/api/v1/stats").expect(200)["total_tasks"], 0);
}

#[test]
fn without_a_key_only_health_answers() {
    let world = World::new();
    let ask = |path: &str, key: &str| {
        let mut connection = world.connect();
        connection.write(format!("GET {path} HTTP/1.1\r\nhost: t\r\n{key}\r\n").as_bytes());
        connection.response()
    };
    assert_eq!(ask("/healthz", "").expect(200), json!({"status": "ok"}));
    assert_eq!(ask("/ready", "").expect(200), json!({"status": "ready"}));
    let wrong = format!("authorization: Bearer {}x\r\n", world.key);
    let basic = format!("authorization: Basic {}\r\n", world.key);
    for key in [
        "",
        "authorization: Bearer\r\n",
        "authorization: Bearer msk_a_b\r\n",
        &wrong,
        &basic,
    ] {
        for path in [
            "/metrics",
            "/api/v1/stats",
            "/api/v1/openapi.json",
            "/api/v1/runs/x",
        ] {
            let response = ask(path, key);
            response.expect_error(401, "unauthorized");
            assert!(response.header("www-authenticate").is_some());
        }
    }
    let open = World::with(|config| config.open_metrics = true);
    let mut connection = open.connect();
    connection.write(b"GET /metrics HTTP/1.1\r\nhost: t\r\n\r\n");
    assert_eq!(connection.response().status, 200);
}

#[test]
fn every_answer_carries_sequence_log_and_request_id() {
    let world = World::new();
    let given = world.send(
        "GET",
        "/api/v1/stats",
        &[("x-request-id", "my request 7")],
        b"",
    );
    assert_eq!(given.header("x-request-id"), Some("my request 7"));
    let long = "x".repeat(129);
    let minted = world.send("GET", "/nothing", &[("x-request-id", &long)], b"");
    minted.check_headers();
    assert_ne!(minted.header("x-request-id"), Some(long.as_str()));
    assert_eq!(
        minted.header("mainstay-log"),
        Some(world.engine.handle().log_id().as_str())
    );
    let submitted = world.post("/api/v1/tasks", r#"{"kind":"a"}"#);
    let sequence = submitted.expect(201)["sequence"].to_string();
    assert_eq!(
        submitted.header("mainstay-sequence"),
        Some(sequence.as_str())
    );
}

#[test]
fn a_body_over_its_limit_is_refused_before_it_is_read_as_json() {
    let world = World::new();
    let big = vec![b'x'; (3 << 19) + 1];
    let response = world.send(
        "POST",
        "/api/v1/tasks",
        &[("content-type", "application/json")],
        &big,
    );
    assert_eq!(
        response.expect_error(413, "body_too_large"),
        json!({"limit_bytes": 3 << 19})
    );
    let at_limit = world.send(
        "POST",
        "/api/v1/tasks",
        &[("content-type", "application/json")],
        &big[1..],
    );
    at_limit.expect_error(400, "invalid_json");
    // Chunked, the length is not known before.
    let mut connection = world.connect();
    let mut bytes = world.request(
        "POST",
        "/api/v1/leases",
        &[("content-type", "application/json")],
        b"",
    );
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
    for _ in 0..9 {
        bytes.extend_from_slice(format!("2000\r\n{}\r\n", "y".repeat(0x2000)).as_bytes());
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    connection.write(&bytes);
    connection.response().expect_error(413, "body_too_large");
    // Who asks first is told without having to send it all.
    let mut connection = world.connect();
    let head = world.request(
        "POST",
        "/api/v1/leases",
        &[
            ("content-type", "application/json"),
            ("expect", "100-continue"),
            ("content-length", "70000"),
        ],
        b"",
    );
    connection.write(&head);
    connection.response().expect_error(413, "body_too_large");
}

#[test]
fn a_payload_beyond_its_limit_is_refused_by_name() {
    let world = World::new();
    let body = format!(r#"{{"kind":"a","payload":"{}"}}"#, "x".repeat(1 << 20));
    let expected = json!({"limit": "payload_bytes", "value": 1 << 20});
    assert_eq!(
        world
            .post("/api/v1/tasks", &body)
            .expect_error(422, "limit_exceeded"),
        expected
    );
    let at_limit = format!(
        r#"{{"kind":"a","payload":"{}"}}"#,
        "x".repeat((1 << 20) - 2)
    );
    assert_eq!(world.post("/api/v1/tasks", &at_limit).status, 201);
    let wider = World::with(|config| config.payload_bytes_max = 3 << 20);
    let body = format!(
        r#"{{"kind":"a","payload":"{}"}}"#,
        "x".repeat((3 << 20) - 2)
    );
    assert_eq!(wider.post("/api/v1/tasks", &body).status, 201);
}
