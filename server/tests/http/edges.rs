//! Every documented route, given what its schemas do not allow, and what they just allow: the answer is one of the documented ones, and
//! what is refused leaves no trace in the log.

use serde_json::{Map, Value, json};

use crate::harness::{Connection, Response, World};
use crate::matrix::{Route, Things, body, fill, routes, things};
use crate::schema::misfit;

/// Longer waits answer as shorter ones do, only later.
const WAITS: &str = "wait_ms";

/// One route under test, on a connection of its own.
struct Asked<'a> {
    world: &'a World,
    document: &'a Value,
    operation: &'a Value,
    method: &'a str,
    tenant: &'a str,
    path: String,
    connection: Connection,
    sent: u32,
    refused: u32,
    /// What was not as it should be.
    faults: Vec<String>,
}

impl Asked<'_> {
    fn about(&self, what: &str) -> String {
        format!("{} {}: {what}", self.method, self.path)
    }

    fn ask(&mut self, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut all = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "Mainstay-Tenant") {
            all.push(("mainstay-tenant", self.tenant));
        }
        if !body.is_empty() {
            all.push(("content-type", "application/json"));
        }
        let path = format!("{}{query}", self.path);
        let request = self.world.request(self.method, &path, &all, body);
        self.connection.write(&request);
        let response = self.connection.response();
        if response.header("connection") == Some("close") {
            self.connection = self.world.connect();
        }
        self.sent += 1;
        response
    }

    /// The answer is one that the document promises, in the form that it promises.
    fn check(&mut self, response: &Response, what: &str) {
        let about = self.about(what);
        response.check_headers();
        let promised = &self.operation["responses"][response.status.to_string()];
        let content = &promised["content"]["application/json"]["schema"];
        let why = match (promised.is_object(), content.is_object()) {
            (false, _) => Some(format!("{about}: {} is not promised", response.status)),
            (true, true) => misfit(self.document, content, &response.json(), &about),
            (true, false) => None,
        };
        self.faults
            .extend(why.map(|why| format!("{why}: {}", response.text())));
    }

    /// What must be refused, and leave nothing.
    fn refuse(&mut self, what: &str, query: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut before = self.world.engine.handle().sequence();
        let response = self.ask(query, headers, body);
        // What goes on by itself meanwhile does not go on three times in a row because of a request that is refused.
        let mut traces = 0;
        while traces < 3 && self.world.engine.handle().sequence() != before {
            traces += 1;
            before = self.world.engine.handle().sequence();
            self.ask(query, headers, body);
        }
        let (about, status) = (self.about(what), response.status);
        if !(400..500).contains(&status) {
            let text = response.text();
            self.faults.push(format!("{about}: {status}: {text}"));
            return;
        }
        self.check(&response, what);
        if traces == 3 {
            self.faults
                .push(format!("{about}: {status}, and there is a trace"));
        }
        self.refused += 1;
    }

    /// What is within the schema: done or refused for another reason, as documented.
    fn allow(&mut self, what: &str, query: &str, body: &[u8]) {
        let response = self.ask(query, &[], body);
        self.check(&response, what);
    }
}

/// Values of every type, among them what no schema of a text, a number or a list allows.
fn strangers() -> Vec<Value> {
    let values = json!([null, true, -1, 1.5, 9.3e18, "Ä !", "", [], [[]], {}, {"a": 1}]);
    values.as_array().cloned().unwrap_or_default()
}

/// Whether a value is not of a schema; a pattern of this document allows no stranger.
fn is_outside(document: &Value, schema: &Value, value: &Value) -> bool {
    let schema = resolved(document, schema);
    let patterned = schema["pattern"].is_string() || schema["format"].is_string();
    patterned && value == "Ä !" || misfit(document, schema, value, "").is_some()
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(target) => document
            .pointer(target.trim_start_matches('#'))
            .expect("a schema"),
        None => schema,
    }
}

/// The values at the edges of a schema: allowed, then not allowed.
fn edges(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let (mut within, mut beyond) = (Vec::new(), Vec::new());
    if let Some(least) = schema["minimum"].as_i64() {
        within.push(json!(least));
        beyond.push(json!(least - 1));
    }
    if let Some(most) = schema["maximum"].as_u64() {
        within.push(json!(most));
        beyond.push(
            most.checked_add(1)
                .map_or(json!(1.9e19), |next| json!(next)),
        );
    }
    let text = |length: u64| json!("a".repeat(length as usize));
    if let Some(least) = schema["minLength"].as_u64().filter(|least| *least > 0) {
        within.push(text(least));
        beyond.push(text(least - 1));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        within.push(text(most));
        beyond.push(text(most + 1));
    }
    (within, beyond)
}

/// A body with one field changed, or taken away.
fn with(good: &Map<String, Value>, name: &str, value: Option<Value>) -> Vec<u8> {
    let mut changed = good.clone();
    match value {
        Some(value) => changed.insert(name.to_owned(), value),
        None => changed.remove(name),
    };
    Value::Object(changed).to_string().into_bytes()
}

fn try_bodies(asked: &mut Asked<'_>, good: &Map<String, Value>) {
    let content = &asked.operation["requestBody"]["content"]["application/json"];
    let schema = resolved(asked.document, &content["schema"]);
    for text in [
        "[]",
        "17",
        "\"text\"",
        "null",
        "{",
        "{}{}",
        "{\"a\":1,}",
        "\u{feff}{}",
    ] {
        asked.refuse(text, "", &[], text.as_bytes());
    }
    let unknown = with(good, "nobody_knows", Some(json!(1)));
    asked.refuse("an unknown field", "", &[], &unknown);
    asked.refuse(
        "another media type",
        "",
        &[("content-type", "text/plain")],
        b"",
    );
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a name");
        asked.refuse(&format!("no {name}"), "", &[], &with(good, name, None));
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        for value in strangers() {
            // A batch refuses an item in its place of an answer that is good.
            let in_its_place = value == json!([[]]) && field["maxItems"] == 10_000;
            if !in_its_place && is_outside(asked.document, field, &value) {
                let what = format!("{name} = {value}");
                asked.refuse(&what, "", &[], &with(good, name, Some(value)));
            }
        }
        let (within, beyond) = edges(field);
        for value in beyond {
            let what = format!("{name} beyond its bounds");
            asked.refuse(&what, "", &[], &with(good, name, Some(value)));
        }
        for value in within.into_iter().filter(|_| name != WAITS) {
            let what = format!("{name} at its bounds");
            asked.allow(&what, "", &with(good, name, Some(value)));
        }
    }
}

fn try_parameters(asked: &mut Asked<'_>) {
    asked.refuse("an unknown parameter", "?nobody_knows=1", &[], b"");
    for parameter in asked.operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let parameter = resolved(asked.document, parameter);
        let (name, schema) = (
            parameter["name"].as_str().expect("a name"),
            &parameter["schema"],
        );
        let (within, beyond) = edges(schema);
        let strange = ["-1", "1.5", "x", "", "%C3%84%20%21"].map(|text| json!(text));
        let is_integer = schema["type"] == "integer";
        let is_closed = is_integer || schema["pattern"].is_string() || schema["enum"].is_array();
        let beyond = beyond
            .into_iter()
            .chain(strange.into_iter().filter(|_| is_closed));
        let plain = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        match parameter["in"].as_str() {
            Some("query") => {
                for value in beyond {
                    let text = plain(&value);
                    let fits =
                        schema["pattern"].is_string() && matches!(&*text, "-1" | "1.5" | "x");
                    if !fits {
                        let query = format!("?{name}={text}");
                        asked.refuse(&format!("{name}={text:.20}"), &query, &[], b"");
                    }
                }
                for value in within.iter().filter(|_| name != WAITS) {
                    let query = format!("?{name}={}", plain(value));
                    asked.allow(&format!("{name} at its bounds"), &query, b"");
                }
            }
            Some("header") if is_integer => {
                for text in ["-1", "x", "1.5", ""] {
                    asked.refuse(&format!("{name}: {text}"), "", &[(name, text)], b"");
                }
            }
            _ => {}
        }
    }
}

/// What is refused because of the path alone.
fn try_path(asked: &mut Asked<'_>, route: &Route, good: &[u8]) {
    let last = route.path.matches("_id}").count();
    if last == 0 || route.path.contains("{tenant_id}") {
        return;
    }
    let path = std::mem::take(&mut asked.path);
    for text in ["nope", "00000000-0000-0000-0000-000000000000", "%00", "..."] {
        let segments = route.path.split('/').map(|segment| match segment {
            segment if segment.ends_with("_id}") => text,
            "{dimension}" => "token",
            segment => segment,
        });
        asked.path = segments.collect::<Vec<_>>().join("/");
        asked.refuse("no id", "", &[], good);
    }
    asked.path = path;
}

/// Lets nothing be sent by the webhook among the things: what its sender reports would look like a trace.
fn quiet(world: &World, tenant: &str, things: &Things) {
    let path = format!("/api/v1/webhooks/{}/disable", things["webhook_id"]);
    let of = [
        ("mainstay-tenant", tenant),
        ("content-type", "application/json"),
    ];
    world.send("POST", &path, &of, b"{}").expect(200);
}

#[test]
fn what_the_schemas_do_not_allow_is_refused_as_documented_and_leaves_no_trace() {
    let world = World::with(|config| config.auth_failures_per_minute_max = 0);
    let document = world.get("/api/v1/openapi.json").expect(200);
    let (mut sent, mut refused, mut faults) = (0, 0, Vec::new());
    for (number, route) in routes(&world).into_iter().enumerate() {
        // A backup's answer has no length; that its refusals are right is told by its own tests.
        if route.path.ends_with("/backup") {
            continue;
        }
        // A route before may have stopped the engine.
        world.post("/api/v1/engine/resume", "").expect(200);
        let own = world.tenant(&format!("t{number}"));
        let things = things(&world, &own, "custom");
        quiet(&world, &own, &things);
        let operation = &document["paths"][&route.path][route.method.to_lowercase()];
        let mut asked = Asked {
            world: &world,
            document: &document,
            operation,
            method: &route.method,
            tenant: &own,
            path: fill(&route, &things),
            connection: world.connect(),
            sent: 0,
            refused: 0,
            faults: Vec::new(),
        };
        let good: Value = match route.has_body {
            true => serde_json::from_str(&body(&route, &things)).expect("a body"),
            false => json!({}),
        };
        let good = good.as_object().expect("an object");
        if !route.path.starts_with("/healthz") && route.path != "/ready" {
            try_parameters(&mut asked);
        }
        if route.has_body {
            try_bodies(&mut asked, good);
            try_path(
                &mut asked,
                &route,
                Value::Object(good.clone()).to_string().as_bytes(),
            );
        } else {
            try_path(&mut asked, &route, b"");
        }
        (sent, refused) = (sent + asked.sent, refused + asked.refused);
        faults.extend(asked.faults);
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(refused > 2000, "{sent} requests, {refused} refused");
}
