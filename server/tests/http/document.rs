//! The OpenAPI document against the live server: what is answered has the shape that is promised.

use serde_json::Value;

use crate::harness::{World, text};
use crate::schema::misfit;

#[track_caller]
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(why) = misfit(document, schema, value, at) {
        panic!("{why}");
    }
}

struct Checked {
    world: World,
    document: Value,
    seen: Vec<String>,
    /// A delivery of the webhook that is asked about.
    delivery: String,
}

impl Checked {
    fn call(&mut self, method: &str, pattern: &str, target: &str, body: &str) -> Value {
        let path = match pattern.find('{') {
            Some(start) => {
                let end = pattern.find('}').expect("a brace");
                format!("{}{target}{}", &pattern[..start], &pattern[end + 1..])
            }
            None => pattern.to_owned(),
        };
        let path = path.replace("{dimension}", "token");
        let path = path.replace("{delivery_id}", &self.delivery);
        let headers: &[_] = if body.is_empty() {
            &[]
        } else {
            &[("content-type", "application/json")]
        };
        let response = self.world.send(method, &path, headers, body.as_bytes());
        let operation = &self.document["paths"][pattern][method.to_lowercase()];
        let content = &operation["responses"][response.status.to_string()]["content"];
        if let Some(schema) = content["application/json"]["schema"].as_object() {
            let value = response.json();
            check(
                &self.document,
                &Value::Object(schema.clone()),
                &value,
                &format!("{method} {pattern}"),
            );
            if let Ok(sent) = serde_json::from_str::<Value>(body) {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                check(
                    &self.document,
                    schema,
                    &sent,
                    &format!("{method} {pattern} body"),
                );
            }
        } else {
            assert!(
                content["text/plain"].is_object() || content["application/x-tar"].is_object(),
                "{method} {pattern} answered {}: {}",
                response.status,
                response.text()
            );
        }
        if response.status < 300 {
            self.seen.push(format!("{method} {pattern}"));
        }
        serde_json::from_slice(&response.body).unwrap_or(Value::Null)
    }
}

/// Everything that changes a task or a queue.
fn check_changes(checked: &mut Checked, task: &str) {
    let patch = r#"{"priority":3,"tags":["t"],"description":"d"}"#;
    checked.call("PATCH", "/api/v1/tasks/{task_id}", task, patch);
    let budget = r#"{"dimension":"token","limit":100,"reserve":1}"#;
    checked.call("POST", "/api/v1/tasks/{task_id}/budgets", task, budget);
    let replenish = "/api/v1/tasks/{task_id}/budgets/{dimension}/replenish";
    checked.call("POST", replenish, task, r#"{"new_limit":200}"#);
    checked.call("GET", "/api/v1/tasks/{task_id}/budgets", task, "");
    let filter = r#"{"filter":{"type":"custom","key":"k"}}"#;
    let path = "/api/v1/tasks/{task_id}/subscriptions";
    let subscribed = checked.call("POST", path, task, filter);
    checked.call("GET", "/api/v1/tasks/{task_id}", task, "");
    let subscription = subscribed["subscription_id"].as_str().unwrap_or(task);
    let path = "/api/v1/subscriptions/{subscription_id}";
    checked.call("DELETE", path, subscription, "");
    checked.call(
        "POST",
        "/api/v1/custom-events",
        "",
        r#"{"key":"k","payload":1}"#,
    );
    checked.call("GET", "/api/v1/tasks/{task_id}/schedule", task, "");
    let repeat = r#"{"run_policy":{"type":"repeat","count":3,"interval_ms":1000},"next":2}"#;
    checked.call("POST", "/api/v1/schedule/preview", "", repeat);
    let first = checked.call(
        "POST",
        "/api/v1/tasks",
        "",
        r#"{"kind":"first","queue":"late"}"#,
    );
    let later = r#"{"kind":"then","queue":"late","run_policy":{"type":"once","run_at":"2100-01-01T00:00:00Z"}}"#;
    let later = checked.call("POST", "/api/v1/tasks", "", later);
    let depends = format!(r#"{{"depends_on":["{}"]}}"#, text(&first["task"]["id"]));
    let later = text(&later["task"]["id"]);
    checked.call(
        "POST",
        "/api/v1/tasks/{task_id}/dependencies",
        &later,
        &depends,
    );
    checked.call("POST", "/api/v1/tasks/{task_id}/runs", &later, "");
    let settings = r#"{"concurrency_limit":5,"rate_limit":{"per_ms":1000,"max":10},"weight":2}"#;
    checked.call("PUT", "/api/v1/queues/{name}", "late", settings);
    checked.call("GET", "/api/v1/queues/{name}", "late", "");
    checked.call(
        "POST",
        "/api/v1/queues/{name}/pause",
        "late",
        r#"{"reason":"x"}"#,
    );
    checked.call("GET", "/api/v1/queues", "", "");
    checked.call("POST", "/api/v1/queues/{name}/resume", "late", "");
}

/// Keys, roles, what actors are given, tenants.
fn check_access(checked: &mut Checked) {
    let tenant = checked.call("POST", "/api/v1/tenants", "", r#"{"name":"acme"}"#);
    let tenant = text(&tenant["tenant_id"]);
    checked.call("GET", "/api/v1/tenants", "", "");
    let path = "/api/v1/tenants/{tenant_id}";
    checked.call("PUT", path, &tenant, r#"{"weight":7}"#);
    let budgets = "/api/v1/tenants/{tenant_id}/budgets";
    let allocation = r#"{"dimension":"token","limit":100,"reason":"x"}"#;
    checked.call("PUT", budgets, &tenant, allocation);
    checked.call("GET", budgets, &tenant, "");
    let replenish = "/api/v1/tenants/{tenant_id}/budgets/{dimension}/replenish";
    checked.call("POST", replenish, &tenant, r#"{"new_limit":200}"#);
    let holds = r#"{"capabilities":["deploy","can_read"],"reason":"new team"}"#;
    checked.call("PUT", "/api/v1/roles/{name}", "deployer", holds);
    checked.call("GET", "/api/v1/roles", "", "");
    let told = r#"{"identity":"bot","capabilities":["x"]}"#;
    let actor = checked.call("POST", "/api/v1/actors", "", told);
    let actor = &*text(&actor["actor_id"]);
    for (what, body) in [
        ("roles", r#"{"role":"deployer"}"#),
        ("capabilities", r#"{"capability":"can_review"}"#),
    ] {
        let path = format!("/api/v1/actors/{{actor_id}}/{what}");
        checked.call("POST", &path, actor, body);
        checked.call("GET", "/api/v1/actors/{actor_id}/roles", actor, "");
        checked.call("DELETE", &path, actor, body);
    }
    checked.call("DELETE", "/api/v1/roles/{name}", "deployer", "");
    let new = format!(
        r#"{{"name":"ci","role":"worker","tenant_id":"default","actor_id":"{actor}","expires_at":"2100-01-01T00:00:00Z"}}"#
    );
    let made = checked.call("POST", "/api/v1/keys", "", &new);
    let key = text(&made["key_id"]);
    checked.call("GET", "/api/v1/keys", "", "");
    checked.call("DELETE", "/api/v1/keys/{key_id}", &key, r#"{"reason":"x"}"#);
    checked.call("GET", "/api/v1/keys/{key_id}", &key, "");
}

/// A dead letter in a queue of its own; gives its run.
fn fail_one(checked: &Checked) -> String {
    let world = &checked.world;
    world.submit(r#"{"kind":"f","queue":"dead"}"#);
    let claim = r#"{"worker":"w","queues":["dead"],"max":1}"#;
    let claimed = world.post("/api/v1/leases", claim).expect(200);
    let run = text(&claimed["leases"][0]["run_id"]);
    let token = text(&claimed["leases"][0]["token"]);
    let failure = format!(
        r#"{{"token":"{token}","outcome":"failure","error":{{"code":"smtp","message":"550 no user 17"}}}}"#
    );
    let path = format!("/api/v1/runs/{run}/finish");
    world.post(&path, &failure).expect(200);
    run
}

fn check_dead_letters(checked: &mut Checked) {
    let run = fail_one(checked);
    let body = r#"{"reason":"mended","expected_state":"failed"}"#;
    checked.call("POST", "/api/v1/runs/{run_id}/retry", &run, body);
    checked.call("GET", "/api/v1/runs/{run_id}", &run, "");
}

fn check_records(checked: &mut Checked) {
    checked.call("GET", "/api/v1/audit", "", "");
    checked.call("POST", "/api/v1/audit/verify", "", "");
    let entry = r#"{"ledger_key":"incident","payload":{"severity":2}}"#;
    checked.call("POST", "/api/v1/ledger", "", entry);
    let plan = r#"{"subject":"drop a table","plan":["DROP TABLE a"],"reason":"unused"}"#;
    let made = checked.call("POST", "/api/v1/approvals", "", plan);
    let id = text(&made["approval_id"]);
    let decide = "/api/v1/approvals/{approval_id}/decide";
    checked.call("POST", decide, &id, r#"{"decision":"review"}"#);
    checked.call(
        "POST",
        decide,
        &id,
        r#"{"decision":"reject","reason":"no"}"#,
    );
    checked.call("GET", "/api/v1/approvals/{approval_id}", &id, "");
    checked.call("GET", "/api/v1/approvals/{approval_id}", "nope", "");
    checked.call("GET", "/api/v1/approvals", "", "");
    checked.call("GET", "/api/v1/ledger", "", "");
}

/// Acts on many runs, and the lists of dead letters.
fn check_bulk(checked: &mut Checked) {
    let (run, _other) = (fail_one(checked), fail_one(checked));
    checked.call("GET", "/api/v1/dead-letters", "", "");
    checked.call("DELETE", "/api/v1/dead-letters/{run_id}", &run, "");
    checked.call("DELETE", "/api/v1/dead-letters/{run_id}", &run, "");
    for body in [
        r#"{"action":"retry","filter":{"queue":"dead"},"dry_run":true}"#,
        r#"{"action":"retry","filter":{"queue":"dead"},"expected_count":99}"#,
        r#"{"action":"retry","filter":{"state":"ready"}}"#,
    ] {
        checked.call("POST", "/api/v1/bulk", "", body);
    }
    let body = r#"{"action":"retry","filter":{"queue":"dead"},"reason":"mended"}"#;
    let begun = checked.call("POST", "/api/v1/bulk", "", body);
    let id = text(&begun["operation_id"]);
    checked.call("GET", "/api/v1/bulk", "", "");
    checked.call("GET", "/api/v1/bulk/{operation_id}", &id, "");
    checked.call("GET", "/api/v1/bulk/{operation_id}", "nope", "");
    checked.call("DELETE", "/api/v1/bulk/{operation_id}", &id, "");
    let body = r#"{"filter":{},"reason":"old"}"#;
    checked.call("POST", "/api/v1/dead-letters/clear", "", body);
}

fn check_webhooks(checked: &mut Checked) {
    let spec = r#"{"name":"ops","url":"https://hooks.example.com/x","events":["schedule_ended"]}"#;
    let made = checked.call("POST", "/api/v1/webhooks", "", spec);
    let id = text(&made["webhook_id"]);
    let path = |rest: &str| format!("/api/v1/webhooks/{{webhook_id}}{rest}");
    checked.call("GET", "/api/v1/webhooks", "", "");
    checked.call("GET", &path(""), &id, "");
    checked.call("GET", &path(""), "nope", "");
    checked.call("PUT", &path(""), &id, spec);
    checked.call("POST", &path("/rotate"), &id, "");
    let sent = checked.call("POST", &path("/test"), &id, "");
    let again = "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver";
    checked.delivery = sent["delivery_id"].to_string();
    checked.call("POST", again, &id, "");
    checked.call("GET", &path("/deliveries"), &id, "");
    checked.call("POST", &path("/disable"), &id, "");
    checked.call("POST", &path("/test"), &id, "");
    checked.call("POST", &path("/enable"), &id, "");
    checked.call("DELETE", &path(""), &id, "");
}

/// Every route of the administration of jobs.
fn check_jobs(checked: &mut Checked) {
    let (run, other) = (fail_one(checked), fail_one(checked));
    for what in ["list", "stats", "history", "dead-letter"] {
        checked.call("GET", &format!("/admin/jobs/{what}"), "", "");
    }
    checked.call("POST", "/admin/jobs/{job_id}/retry", &run, "");
    checked.call("POST", "/admin/jobs/{job_id}/retry", &run, "");
    checked.call(
        "POST",
        "/admin/jobs/retry-all",
        "",
        r#"{"expected_count":9}"#,
    );
    checked.call("POST", "/admin/jobs/retry-all", "", "");
    let submitted = checked.world.submit(r#"{"kind":"f","queue":"never"}"#);
    checked.call("POST", "/admin/jobs/{job_id}/cancel", &submitted.1, "");
    checked.call("POST", "/admin/jobs/{job_id}/cancel", &other, "");
    checked.call("POST", "/admin/jobs/dead-letter/clear", "", "");
}

#[test]
fn every_route_answers_what_the_document_promises() {
    let world = World::new();
    let document = world.get("/api/v1/openapi.json").expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let mut checked = Checked {
        world,
        document,
        seen: Vec::new(),
        delivery: String::new(),
    };
    for path in [
        "/healthz",
        "/ready",
        "/metrics",
        "/api/v1/openapi.json",
        "/api/v1/stats",
        "/api/v1/engine",
        "/api/v1/tasks",
        "/api/v1/runs",
        "/api/v1/queues",
    ] {
        checked.call("GET", path, "", "");
    }
    checked.call("POST", "/api/v1/engine/pause", "", r#"{"reason":"x"}"#);
    checked.call("POST", "/api/v1/engine/resume", "", "");
    let body = r#"{"kind":"a","payload":{"x":1},"metadata":{"tags":["t"],"description":"d"},"constraints":{"max_attempts":3,"timeout_ms":60000,"concurrency_key":"k"},"retry":{"multiplier":1.5},"traceparent":"tp","expires_at":"2100-01-01T00:00:00Z","idempotency_key":"k"}"#;
    let submitted = checked.call("POST", "/api/v1/tasks", "", body);
    let task = text(&submitted["task"]["id"]);
    let run = text(&submitted["runs"][0]["run_id"]);
    checked.call(
        "POST",
        "/api/v1/tasks/batch",
        "",
        r#"{"tasks":[{"kind":"b","queue":"q"},{"kind":"c","queue":"q"}]}"#,
    );
    checked.call("GET", "/api/v1/tasks/{task_id}", &task, "");
    checked.call("GET", "/api/v1/tasks/{task_id}", "nope", "");
    check_changes(&mut checked, &task);
    checked.call("GET", "/api/v1/runs/{run_id}/explain", &run, "");
    let claimed = checked.call("POST", "/api/v1/leases", "", r#"{"worker":"w","max":1}"#);
    let token = text(&claimed["leases"][0]["token"]);
    let with = |rest: &str| format!(r#"{{"token":"{token}"{rest}}}"#);
    let item = |rest: &str| format!(r#"{{"run_id":"{run}","token":"{token}"{rest}}}"#);
    checked.call(
        "POST",
        "/api/v1/runs/{run_id}/heartbeat",
        &run,
        &with(r#","progress":[1]"#),
    );
    checked.call(
        "POST",
        "/api/v1/leases/heartbeat",
        "",
        &format!(
            r#"{{"leases":[{},{}]}}"#,
            item(""),
            r#"{"run_id":"x","token":"x"}"#
        ),
    );
    checked.call(
        "POST",
        "/api/v1/runs/{run_id}/checkpoints",
        &run,
        &with(r#","name":"n","value":1"#),
    );
    checked.call(
        "POST",
        "/api/v1/runs/{run_id}/consume",
        &run,
        &with(r#","consumption":[{"dimension":"token","amount":3}]"#),
    );
    checked.call("GET", "/api/v1/runs/{run_id}", &run, "");
    checked.call("POST", "/api/v1/runs/{run_id}/suspend", &run, "");
    checked.call(
        "POST",
        "/api/v1/runs/{run_id}/finish",
        &run,
        &with(r#","outcome":"suspended","reason":"later""#),
    );
    checked.call(
        "POST",
        "/api/v1/runs/{run_id}/resume",
        &run,
        r#"{"payload":{"go":true}}"#,
    );
    let claimed = checked.call("POST", "/api/v1/leases", "", r#"{"worker":"w"}"#);
    let again = text(&claimed["leases"][0]["token"]);
    let failure = format!(
        r#"{{"results":[{{"run_id":"{run}","token":"{again}","outcome":"failure","error":{{"code":"x","message":"m"}}}},{}]}}"#,
        item(r#","outcome":"success""#)
    );
    checked.call("POST", "/api/v1/leases/finish", "", &failure);
    checked.call("GET", "/api/v1/runs/{run_id}", &run, "");
    checked.call("GET", "/api/v1/runs/{run_id}/explain", &run, "");
    checked.call("POST", "/api/v1/runs/{run_id}/cancel", &run, "{}");
    checked.call("POST", "/api/v1/tasks/{task_id}/cancel", &task, "");
    checked.call("POST", "/api/v1/tasks", "", r#"{"kind":"a"}"#);
    checked.call("GET", "/api/v1/tasks", "", "");
    checked.call("GET", "/api/v1/runs", "", "");
    check_records(&mut checked);
    check_webhooks(&mut checked);
    checked.call("GET", "/api/v1/queues", "", "");
    checked.call("GET", "/api/v1/stats", "", "");
    checked.call("GET", "/api/v1/events", "", "");
    checked.call("GET", "/api/v1/runs/{run_id}/events", &run, "");
    checked.call("GET", "/api/v1/tasks/{task_id}/events", &task, "");
    let sql = r#"{"sql":"SELECT id, ?1 FROM tasks","params":[1],"limit":5}"#;
    checked.call("POST", "/api/v1/query", "", sql);
    checked.call(
        "POST",
        "/api/v1/query",
        "",
        r#"{"sql":"DELETE FROM tasks"}"#,
    );
    // Access.
    check_access(&mut checked);
    check_dead_letters(&mut checked);
    check_bulk(&mut checked);
    check_jobs(&mut checked);
    checked.call("POST", "/api/v1/backup", "", "");
    check_actors(&mut checked);
    for (path, operations) in checked.document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let name = format!("{} {path}", method.to_uppercase());
            assert!(checked.seen.contains(&name), "{name} was not answered well");
        }
    }
}

/// Every route about actors, answered well and badly.
fn check_actors(checked: &mut Checked) {
    let told = r#"{"identity":"gpu","capabilities":["cuda"],"department":"render"}"#;
    let registered = checked.call("POST", "/api/v1/actors", "", told);
    let actor = text(&registered["actor_id"]);
    let (one, of) = ("/api/v1/actors/{actor_id}", actor.as_str());
    checked.call("POST", "/api/v1/actors/{actor_id}/heartbeat", of, "");
    checked.call("POST", "/api/v1/actors/{actor_id}/drain", of, "");
    checked.call("GET", one, of, "");
    checked.call("GET", "/api/v1/actors", "", "");
    checked.call("DELETE", one, of, "");
    checked.call("GET", one, of, "");
    checked.call("GET", one, "nope", "");
}
