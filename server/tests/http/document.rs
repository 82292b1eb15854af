//! The OpenAPI document against the live server: what is answered has the shape that is promised.

use serde_json::Value;

use crate::harness::{World, text};

/// Checks `value` against `schema`: type, required, properties, items, references, words. Objects with properties may hold no others.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(target) = schema["$ref"].as_str() {
        let schema = document
            .pointer(target.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{target}"));
        return check(document, schema, value, at);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        assert_eq!(choices.len(), 2, "only `T or null` is used");
        return if value.is_null() {
        } else {
            check(document, &choices[0], value, at)
        };
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is none of {words:?}");
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match &schema["type"] {
        Value::Null => return,
        Value::String(name) => assert!(
            name == kind || name == "number" && kind == "integer",
            "{at}: {value} is no {name}"
        ),
        names => assert!(
            names
                .as_array()
                .is_some_and(|names| names.contains(&Value::from(kind))),
            "{at}: {value}: {names}"
        ),
    }
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| check(document, &schema["items"], item, &format!("{at}[]"))),
        Value::Object(fields) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(
                    fields.contains_key(name.as_str().expect("a name")),
                    "{at}: {name} is missing"
                );
            }
            if let Some(properties) = schema["properties"].as_object() {
                for (name, value) in fields {
                    let schema = properties
                        .get(name)
                        .unwrap_or_else(|| panic!("{at}: {name} is not in the document"));
                    check(document, schema, value, &format!("{at}.{name}"));
                }
            }
        }
        _ => {}
    }
}

struct Checked {
    world: World,
    document: Value,
    seen: Vec<String>,
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
        let response = if method == "GET" {
            self.world.get(&path)
        } else {
            self.world.post(&path, body)
        };
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

#[test]
fn every_route_answers_what_the_document_promises() {
    let world = World::new();
    let document = world.get("/api/v1/openapi.json").expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let mut checked = Checked {
        world,
        document,
        seen: Vec::new(),
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
    checked.call("POST", "/api/v1/backup", "", "");
    for (path, operations) in checked.document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let name = format!("{} {path}", method.to_uppercase());
            assert!(checked.seen.contains(&name), "{name} was not answered well");
        }
    }
}
