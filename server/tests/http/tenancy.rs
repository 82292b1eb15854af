//! Tenants do not hear each other over HTTP: the same requests get the same answers whether another tenant is busy or not, byte for byte but
//! for what the system draws and where the log stands. And a cursor that was made up or belongs to another list is no way in.
//!
//! `MAINSTAY_TENANCY_CALLS=100000 cargo nextest run -p mainstay-server tenancy` makes it as long as wanted.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Connection, Response, World};

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
        let told = self.plain(&value);
        format!(
            "{method} {} {} {told}",
            self.plain(&json!(path)),
            response.status
        )
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
                let limits =
                    json!({"max_attempts": number + 1, "concurrency_key": format!("c{number}")});
                post(
                    "/tasks".into(),
                    json!({"kind": format!("k{number}"), "queue": queue, "payload": number, "constraints": limits,
                    "budgets": [{"dimension": "token", "limit": 10}], "metadata": {"priority": number, "tags": ["t"]}}),
                )
            }
            6 => post(
                "/tasks".into(),
                json!({"kind": "keyed", "queue": queue, "payload": number, "idempotency_key": format!("i{number}")}),
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
    fn plain(&mut self, value: &Value) -> String {
        let drawn = |part: &str| {
            part.len() >= 8 && part.contains(|c: char| c.is_ascii_digit()) || part.len() > 30
        };
        let mut out = String::new();
        let source = value.to_string();
        for part in source.split_inclusive(['"', '/', ' ', ',', '}', ']', '?']) {
            let (body, end) =
                part.split_at(part.len() - part.chars().last().map_or(0, char::len_utf8));
            if body.contains("\":") || body.starts_with(':') {
                out += if body.len() > 4 { ":#" } else { body };
            } else if is_instant(body) {
                out += "@";
            } else if drawn(body) {
                let next = self.names.len();
                out += &format!("#{}", self.names.entry(body.to_owned()).or_insert(next));
            } else {
                out += body;
            }
            out += end;
        }
        out
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
