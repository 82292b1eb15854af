//! Tenants do not hear each other over HTTP: the same requests get the same answers whether another tenant is busy or not, byte for byte but
//! for what the system draws and where the log stands. And a cursor that was made up or belongs to another list is no way in.
//!
//! `MAINSTAY_TENANCY_CALLS=100000 cargo nextest run -p mainstay-server tenancy` makes it as long as wanted.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Connection, Response, World, text};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<'a>(&mut self, list: &'a [String], otherwise: &'a str) -> &'a str {
        match list.len() {
            0 => otherwise,
            // The last ones: what is old has ended.
            count => &list[count - 1 - self.below(count.min(8))],
        }
    }
}

const NOBODY: &str = "0190f000-0000-7000-8000-000000000099";
const CALLS: usize = 600;

/// A tenant's key at work: requests drawn from a seed and from what was answered so far.
struct Caller<'a> {
    world: &'a World,
    key: String,
    random: Random,
    connection: Connection,
    /// What was named so far, by the field's name.
    known: BTreeMap<&'static str, Vec<String>>,
    /// What stands for an id, a token or an instant in texts that are compared.
    names: BTreeMap<String, usize>,
}

impl<'a> Caller<'a> {
    fn new(world: &'a World, tenant: &str, seed: u64) -> Caller<'a> {
        Caller {
            world,
            key: world.make_key(Some(tenant), "admin").1,
            random: Random(seed),
            connection: world.connect(),
            known: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    fn a(&mut self, name: &'static str) -> String {
        let known = self.known.get(name).map_or(&[][..], Vec::as_slice);
        self.random.pick(known, NOBODY).to_owned()
    }

    fn ask(&mut self, method: &str, path: &str, body: &Value) -> Response {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers: &[_] = if body.is_empty() {
            &[]
        } else {
            &[("content-type", "application/json")]
        };
        let request = self
            .world
            .request_by(&self.key, method, path, headers, body.as_bytes());
        self.connection.write(&request);
        self.connection.response()
    }

    /// One request; its answer as it compares.
    fn step(&mut self) -> String {
        let (method, path, body) = self.draw();
        let response = self.ask(method, &path, &body);
        let value = response.json();
        self.hear(&value);
        let (path, told) = (self.plain("", &json!(path)), self.plain("", &value));
        format!("{method} {path} {} {told}", response.status)
    }

    fn draw(&mut self) -> (&'static str, String, Value) {
        let (task, run, token) = (self.a("task_id"), self.a("run_id"), self.a("token"));
        let (actor, approval) = (self.a("actor_id"), self.a("approval_id"));
        let number = self.random.below(4);
        let queue = format!("q{}", self.random.below(2));
        let post = |path: String, body: Value| ("POST", format!("/api/v1{path}"), body);
        let get = |path: String| ("GET", format!("/api/v1{path}"), Value::Null);
        match self.random.below(32) {
            0..=5 => {
                let limits = json!({"max_attempts": number + 1, "cancel_grace_ms": 86_400_000, "concurrency_key": format!("c{number}")});
                post(
                    "/tasks".into(),
                    json!({"kind": format!("k{number}"), "queue": queue, "payload": number, "constraints": limits,
                    "budgets": [{"dimension": "token", "limit": 10}], "metadata": {"priority": number, "tags": ["t"]}}),
                )
            }
            6 => post(
                "/tasks".into(),
                json!({"kind": "keyed", "queue": queue, "payload": number, "constraints": {"cancel_grace_ms": 86_400_000}, "idempotency_key": format!("i{number}")}),
            ),
            7..=9 => post(
                "/leases".into(),
                json!({"worker": "w", "queues": [queue], "max": number + 1, "lease_ms": 86_400_000}),
            ),
            10..=12 => post(
                format!("/runs/{run}/finish"),
                json!({"token": token, "outcome": (["success", "failure", "suspended", "released"])[number], "retry_after_ms": if number == 1 { json!(86_400_000) } else { Value::Null }}),
            ),
            13 => post(
                format!("/runs/{run}/consume"),
                json!({"token": token, "consumption": [{"dimension": "token", "amount": number}]}),
            ),
            14 => post(format!("/runs/{run}/cancel"), json!({"reason": "x"})),
            15 => post(format!("/runs/{run}/resume"), Value::Null),
            16 => post(format!("/runs/{run}/retry"), Value::Null),
            17 => post(format!("/tasks/{task}/cancel"), Value::Null),
            18 => post(
                format!("/tasks/{task}/budgets"),
                json!({"dimension": "token", "limit": number + 5}),
            ),
            19 => post(
                format!("/tasks/{task}/subscriptions"),
                json!({"filter": {"type": "custom", "key": format!("e{number}")}}),
            ),
            20 => post(
                "/custom-events".into(),
                json!({"key": format!("e{number}")}),
            ),
            21 => post(
                "/actors".into(),
                json!({"identity": "bot", "capabilities": ["x"], "heartbeat_interval_ms": 86_400_000}),
            ),
            22 => post(format!("/actors/{actor}/drain"), Value::Null),
            23 => post("/approvals".into(), json!({"subject": "s", "plan": number})),
            24 => post(
                format!("/approvals/{approval}/decide"),
                json!({"decision": "reject"}),
            ),
            25 => post(
                "/ledger".into(),
                json!({"ledger_key": "l", "payload": number}),
            ),
            26 => (
                "PUT",
                format!("/api/v1/queues/{queue}"),
                json!({"concurrency_limit": number + 2, "weight": number + 1}),
            ),
            27 => get(format!("/tasks/{task}")),
            28 => get(format!("/runs/{run}")),
            29 => get(format!("/runs/{run}/explain")),
            30 => get(format!("/actors/{actor}")),
            _ => match number {
                0 => get("/queues".into()),
                1 => get(format!("/queues/{queue}")),
                2 => get("/roles".into()),
                _ => get(format!("/tasks?limit=5&offset={number}")),
            },
        }
    }

    /// Remembers what an answer names.
    fn hear(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.hear(item)),
            Value::Object(fields) => {
                for (name, inner) in fields {
                    let kept = match name.as_str() {
                        "id" | "task_id" => "task_id",
                        "run_id" => "run_id",
                        "token" => "token",
                        "actor_id" => "actor_id",
                        "approval_id" => "approval_id",
                        _ => {
                            self.hear(inner);
                            continue;
                        }
                    };
                    if let Some(id) = inner.as_str() {
                        self.known.entry(kept).or_default().push(id.to_owned());
                    }
                }
            }
            _ => {}
        }
    }

    /// An answer without what the system draws: ids and tokens by the order in which they came, instants and log positions not at all.
    fn plain(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let plain = fields
                    .iter()
                    .map(|(name, inner)| (name.clone(), self.plain(name, inner)));
                Value::Object(plain.collect())
            }
            Value::Array(items) => items.iter().map(|item| self.plain(name, item)).collect(),
            Value::Number(_) if name.contains("sequence") => json!("a position"),
            Value::Number(number) if number.as_u64().is_some_and(|ms| ms > 1 << 40) => {
                json!("an instant")
            }
            Value::String(text) => match name {
                "by" | "created_by" | "actor" | "requested_by" | "registered_by" => json!("who"),
                "next_cursor" => json!("a cursor"),
                "message" | "would_run_when" => json!("words"),
                _ if is_instant(text) => json!("an instant"),
                _ => json!(
                    text.split('/')
                        .map(|part| self.named(name, part))
                        .collect::<Vec<_>>()
                ),
            },
            other => other.clone(),
        }
    }

    fn named(&mut self, name: &str, text: &str) -> String {
        let is_drawn = name == "token" || text.len() == 36 && text.matches('-').count() == 4;
        if !is_drawn {
            return text.to_owned();
        }
        let next = self.names.len();
        format!("#{}", self.names.entry(text.to_owned()).or_insert(next))
    }
}

fn is_instant(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}

/// What one tenant is answered to the requests of a seed, beside a tenant that does as much with another seed, or does nothing.
fn life(calls: usize, is_beside: bool) -> Vec<String> {
    let world = World::new();
    let (own, other) = (world.tenant("own"), world.tenant("other"));
    let mut one = Caller::new(&world, &own, 7);
    let mut another = Caller::new(&world, &other, 11);
    let mut told = Vec::with_capacity(calls);
    for _ in 0..calls {
        for _ in 0..if is_beside {
            1 + another.random.below(2)
        } else {
            0
        } {
            another.step();
        }
        told.push(one.step());
    }
    told
}

fn calls() -> usize {
    let asked = std::env::var("MAINSTAY_TENANCY_CALLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(CALLS)
}

#[test]
fn what_a_tenant_is_answered_does_not_depend_on_what_another_does() {
    let calls = calls();
    // Lives of a bounded length: lists and memories stay those of a day.
    let (mut done, most) = (0, 5_000);
    while done < calls {
        let piece = most.min(calls - done);
        let (alone, beside) = (life(piece, false), life(piece, true));
        for (at, (alone, beside)) in alone.iter().zip(&beside).enumerate() {
            assert_eq!(alone, beside, "call {at}");
        }
        done += piece;
    }
    println!("{done} calls, the same alone and beside another tenant");
}

/// Lists that hand out cursors.
const LISTS: [&str; 6] = [
    "/api/v1/tasks",
    "/api/v1/runs",
    "/api/v1/actors",
    "/api/v1/keys",
    "/api/v1/dead-letters",
    "/api/v1/bulk",
];

/// A tenant with more than one of everything that is listed.
fn fill(world: &World, tenant: &str) -> String {
    let (_, key) = world.make_key(Some(tenant), "admin");
    let post = |path: &str, body: &str| world.by(&key, "POST", path, body);
    for number in 0..3 {
        post("/api/v1/tasks", r#"{"kind":"k","queue":"dead"}"#).expect(201);
        let claimed = post("/api/v1/leases", r#"{"worker":"w","queues":["dead"]}"#).expect(200);
        let lease = &claimed["leases"][0];
        let failure = json!({"token": lease["token"], "outcome": "failure", "error": {"code": "x", "message": "y"}});
        let path = format!("/api/v1/runs/{}/finish", text(&lease["run_id"]));
        post(&path, &failure.to_string()).expect(200);
        let actor = r#"{"identity":"bot","capabilities":["x"],"heartbeat_interval_ms":86400000}"#;
        post("/api/v1/actors", actor).expect(201);
        post(
            "/api/v1/keys",
            &format!(r#"{{"name":"k{number}","role":"worker"}}"#),
        )
        .expect(201);
        let bulk = r#"{"action":"cancel","filter":{"kind":"nobody"}}"#;
        post("/api/v1/bulk", bulk).expect(201);
    }
    key
}

#[test]
fn cursors_that_were_made_up_changed_or_anothers_are_refused() {
    let world = World::with(|config| config.auth_failures_per_minute_max = 0);
    let (own, other) = (world.tenant("own"), world.tenant("other"));
    let (key, others) = (fill(&world, &own), fill(&world, &other));
    let mut random = Random(3);
    let (mut asked, mut accepted) = (0, Vec::new());
    for list in LISTS {
        let page =
            |key: &str, cursor: &str| world.by(key, "GET", &format!("{list}?limit=1{cursor}"), "");
        let good = text(&page(&key, "").expect(200)["next_cursor"]);
        page(&key, &format!("&cursor={good}")).expect(200);
        let foreign = text(&page(&others, "").expect(200)["next_cursor"]);
        let elsewhere = LISTS.iter().filter(|other| **other != list);
        let elsewhere = elsewhere.map(|other| {
            let answer = world.by(&key, "GET", &format!("{other}?limit=1"), "");
            text(&answer.expect(200)["next_cursor"])
        });
        let mut forged: Vec<String> = elsewhere.chain([foreign]).collect();
        for at in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            forged.extend(String::from_utf8(changed));
            forged.push(good[..at].to_owned());
        }
        for _ in 0..calls() / 10 {
            let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let length = 1 + random.below(120);
            let drawn = (0..length).map(|_| char::from(letters[random.below(letters.len())]));
            forged.push(drawn.collect());
        }
        for cursor in forged.iter().filter(|cursor| **cursor != good) {
            let status = page(&key, &format!("&cursor={cursor}")).status;
            asked += 1;
            if !(400..500).contains(&status) {
                accepted.push(format!("{list} {cursor}: {status}"));
            }
        }
    }
    println!("{asked} cursors refused");
    assert!(
        accepted.is_empty(),
        "{} of {asked}: {accepted:#?}",
        accepted.len()
    );
}
