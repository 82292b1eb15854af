//! Every route, asked by every role about what is its own, a stranger's and nobody's: the table comes from the routes themselves.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Response, World, text};

/// Whose the thing is that a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Own,
    Foreign,
    Absent,
}

const WHOSE: [Whose; 3] = [Whose::Own, Whose::Foreign, Whose::Absent];

/// What the five built-in roles may, as the contract's table says.
const ROLES: [(&str, &[&str]); 5] = [
    ("worker", &["can_execute"]),
    (
        "operator",
        &["can_submit", "can_execute", "can_read", "can_cancel"],
    ),
    ("auditor", &["can_read", "can_review"]),
    ("gatekeeper", &["can_execute", "can_read", "can_approve"]),
    (
        "admin",
        &[
            "can_submit",
            "can_execute",
            "can_read",
            "can_cancel",
            "can_review",
            "can_approve",
            "can_admin",
        ],
    ),
];

/// What a role of the tenant's own may: something that no built-in one has alone.
const CUSTOM: &[&str] = &["can_cancel", "can_review", "deploy"];

/// One who asks.
struct Asker {
    role: String,
    key: String,
    may: Vec<&'static str>,
}

/// The things of one tenant, by the name that paths give them.
pub(crate) type Things = BTreeMap<&'static str, String>;

/// One route as the document describes it.
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
    required: Option<String>,
    /// Another capability that is as good.
    alternative: Option<String>,
    of_system: bool,
    open: bool,
    pub(crate) has_body: bool,
}

pub(crate) fn routes(world: &World) -> Vec<Route> {
    let document = world.get("/api/v1/openapi.json").expect(200);
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            routes.push(Route {
                method: method.to_uppercase(),
                path: path.clone(),
                required: operation["x-required-capability"]
                    .as_str()
                    .map(str::to_owned),
                alternative: operation["x-alternative-capability"]
                    .as_str()
                    .map(str::to_owned),
                of_system: operation["x-system-key"] == json!(true),
                open: operation["security"] == json!([]),
                has_body: operation["requestBody"].is_object(),
            });
        }
    }
    routes
}

/// Things of every kind that a path can name, in one tenant.
pub(crate) fn things(world: &World, tenant: &str, role: &str) -> Things {
    let of = [
        ("mainstay-tenant", tenant),
        ("content-type", "application/json"),
    ];
    let post = |path: &str, body: &str| world.send("POST", path, &of, body.as_bytes());
    let task = r#"{"kind":"k","queue":"mail","constraints":{"max_attempts":3},"run_policy":{"type":"repeat","count":2,"interval_ms":600000}}"#;
    let made = post("/api/v1/tasks", task).expect(201);
    let task_id = text(&made["task"]["id"]);
    let lease = post("/api/v1/leases", r#"{"worker":"w","queues":["mail"]}"#).expect(200);
    let lease = &lease["leases"][0];
    let subscribe = r#"{"filter":{"type":"custom","key":"k"}}"#;
    let subscribed = post(&format!("/api/v1/tasks/{task_id}/subscriptions"), subscribe);
    let budget = r#"{"dimension":"token","limit":100}"#;
    post(&format!("/api/v1/tasks/{task_id}/budgets"), budget).expect(200);
    let told = r#"{"identity":"bot","capabilities":["x"],"heartbeat_interval_ms":3600000}"#;
    let actor = post("/api/v1/actors", told).expect(201);
    let key = post("/api/v1/keys", r#"{"name":"spare","role":"worker"}"#).expect(201);
    let plan = post("/api/v1/approvals", r#"{"subject":"a","plan":1}"#).expect(201);
    let bulk = r#"{"action":"resume","filter":{}}"#;
    let operation = post("/api/v1/bulk", bulk).expect(201);
    let hook = post("/api/v1/webhooks", &hook().to_string()).expect(201);
    let test = format!("/api/v1/webhooks/{}/test", text(&hook["webhook_id"]));
    let sent = post(&test, "").expect(202);
    let holds = r#"{"capabilities":["can_cancel","can_review","deploy"]}"#;
    for name in [role, "spare"] {
        let path = format!("/api/v1/roles/{name}");
        world.send("PUT", &path, &of, holds.as_bytes()).expect(200);
    }
    BTreeMap::from([
        ("tenant_id", tenant.to_owned()),
        ("task_id", task_id),
        ("run_id", text(&lease["run_id"])),
        ("job_id", text(&lease["run_id"])),
        ("token", text(&lease["token"])),
        (
            "subscription_id",
            text(&subscribed.expect(201)["subscription_id"]),
        ),
        ("key_id", text(&key["key_id"])),
        ("actor_id", text(&actor["actor_id"])),
        ("approval_id", text(&plan["approval_id"])),
        ("operation_id", text(&operation["operation_id"])),
        ("webhook_id", text(&hook["webhook_id"])),
        ("delivery_id", sent["delivery_id"].to_string()),
        ("dimension", "token".to_owned()),
    ])
}

/// What a path names where everything is nobody's. A name of a tenant's own is the same text everywhere: it says nothing.
fn absent() -> Things {
    let id = |last: u32| format!("0190f000-0000-7000-8000-0000000000{last:02x}");
    let names = [
        "tenant_id",
        "task_id",
        "run_id",
        "subscription_id",
        "key_id",
        "actor_id",
        "approval_id",
        "operation_id",
        "webhook_id",
    ];
    let mut things: Things = names.into_iter().zip((1..).map(id)).collect();
    things.insert("token", "1.1.00000000000000000000000000000000".to_owned());
    things.insert("dimension", "token".to_owned());
    things.insert("delivery_id", "1".to_owned());
    // A job is a run.
    things.insert("job_id", things["run_id"].clone());
    things
}

/// Ids that a path may name: unlike names, they tell one tenant's things from another's.
const IDS: [&str; 10] = [
    "job_id",
    "task_id",
    "run_id",
    "subscription_id",
    "key_id",
    "actor_id",
    "approval_id",
    "operation_id",
    "webhook_id",
    "delivery_id",
];

/// A webhook that leads nowhere.
fn hook() -> Value {
    json!({"name": "ops", "url": "https://hooks.invalid/x", "events": ["schedule_ended"]})
}

/// A body that the route takes; where nothing is written here, one that is empty goes as far as being read.
pub(crate) fn body(route: &Route, things: &Things) -> String {
    let thing = |name: &str| things[name].clone();
    let path = route.path.trim_start_matches("/api/v1");
    let body = match (route.method.as_str(), path) {
        ("POST", "/tasks") => json!({"kind": "k", "queue": "other"}),
        ("POST", "/tasks/batch") => json!({"tasks": [{"kind": "k", "queue": "other"}]}),
        ("POST", "/leases") => json!({"worker": "w", "queues": ["empty"]}),
        ("POST", "/leases/heartbeat") => {
            json!({"leases": [{"run_id": thing("run_id"), "token": thing("token")}]})
        }
        ("POST", "/leases/finish") => {
            json!({"results": [{"run_id": thing("run_id"), "token": thing("token"), "outcome": "success"}]})
        }
        ("POST", "/runs/{run_id}/heartbeat") => json!({"token": thing("token")}),
        ("POST", "/runs/{run_id}/finish") => {
            json!({"token": thing("token"), "outcome": "success"})
        }
        ("POST", "/runs/{run_id}/checkpoints") => {
            json!({"token": thing("token"), "name": "n", "value": 1})
        }
        ("POST", "/runs/{run_id}/consume") => {
            json!({"token": thing("token"), "consumption": [{"dimension": "token", "amount": 1}]})
        }
        ("POST", "/tasks/{task_id}/dependencies") => json!({"depends_on": [thing("task_id")]}),
        ("POST", "/tasks/{task_id}/budgets") => json!({"dimension": "token", "limit": 100}),
        (
            "POST",
            "/tasks/{task_id}/budgets/{dimension}/replenish"
            | "/tenants/{tenant_id}/budgets/{dimension}/replenish",
        ) => json!({"new_limit": 100}),
        ("PUT", "/tenants/{tenant_id}/budgets") => json!({"dimension": "token", "limit": 100}),
        ("POST", "/tasks/{task_id}/subscriptions") => {
            json!({"filter": {"type": "custom", "key": "x"}})
        }
        ("POST", "/ledger") => json!({"ledger_key": "incident", "payload": 1}),
        ("POST", "/approvals") => json!({"subject": "a", "plan": 1}),
        // What either of the two capabilities is enough for.
        ("POST", "/approvals/{approval_id}/decide") => json!({"decision": "reject"}),
        // Nothing matches.
        ("POST", "/bulk") => json!({"action": "resume", "filter": {"queue": "nobody"}}),
        ("POST", "/dead-letters/clear") => json!({"filter": {"queue": "nobody"}}),
        ("POST", "/webhooks") | ("PUT", "/webhooks/{webhook_id}") => hook(),
        ("POST", "/schedule/preview") => json!({"run_policy": {"type": "once"}}),
        ("POST", "/custom-events") => json!({"key": "nobody-listens"}),
        ("POST", "/query") => json!({"sql": "SELECT count(*) FROM runs"}),
        ("POST", "/keys") => json!({"name": "new", "role": "worker"}),
        ("PUT", "/roles/{name}") => json!({"capabilities": ["deploy"]}),
        ("POST" | "DELETE", "/actors/{actor_id}/roles") => json!({"role": "worker"}),
        ("POST" | "DELETE", "/actors/{actor_id}/capabilities") => json!({"capability": "deploy"}),
        _ => json!({}),
    };
    body.to_string()
}

/// The path with what stands in its braces. A parameter that nothing is known of fails: whoever adds it says here what it names.
pub(crate) fn fill(route: &Route, things: &Things) -> String {
    let segments = route.path.split('/').map(|segment| {
        let Some(name) = segment
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        else {
            return segment.to_owned();
        };
        match name {
            "name" if route.path.contains("/roles/") => "spare".to_owned(),
            "name" => "mail".to_owned(),
            name => things
                .get(name)
                .unwrap_or_else(|| {
                    panic!(
                        "the matrix knows no thing called {name}: add one to `things` and `absent`"
                    )
                })
                .clone(),
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// An answer without the ids that the request named.
fn told(response: &Response, things: &Things) -> (u16, String) {
    let mut body = response.text().to_owned();
    for name in [
        "token",
        "tenant_id",
        "task_id",
        "run_id",
        "subscription_id",
        "key_id",
        "actor_id",
        "approval_id",
        "operation_id",
        "webhook_id",
    ] {
        body = body.replace(&things[name], name);
    }
    (response.status, body)
}

struct Matrix<'a> {
    world: &'a World,
    own: Things,
    foreign: Things,
    absent: Things,
    cells: u32,
    refused: BTreeMap<&'static str, u32>,
}

impl Matrix<'_> {
    /// One request: about a thing in the path where it names one, else in the tenant that a header names.
    fn ask(&self, route: &Route, asker: &Asker, whose: Whose) -> Response {
        let things = match whose {
            Whose::Own => &self.own,
            Whose::Foreign => &self.foreign,
            Whose::Absent => &self.absent,
        };
        let body = if route.has_body {
            body(route, things)
        } else {
            String::new()
        };
        let mut headers = Vec::new();
        if route.has_body {
            headers.push(("content-type", "application/json"));
        }
        if whose != Whose::Own && !names_a_thing(route) {
            headers.push(("mainstay-tenant", things["tenant_id"].as_str()));
        }
        let path = fill(route, things);
        let request =
            self.world
                .request_by(&asker.key, &route.method, &path, &headers, body.as_bytes());
        let mut connection = self.world.connect();
        connection.write(&request);
        connection.response()
    }

    fn check(&mut self, route: &Route, asker: &Asker) {
        let about = format!("{} {} as {}", route.method, route.path, asker.role);
        let answers = WHOSE.map(|whose| self.ask(route, asker, whose));
        self.cells += 3;
        let [own, foreign, absent] = &answers;
        let told_foreign = told(foreign, &self.foreign);
        let told_absent = told(absent, &self.absent);
        assert_eq!(told_foreign, told_absent, "{about}: foreign and absent");
        if route.open {
            assert!(own.status < 400, "{about}: {}", own.text());
            *self.refused.entry("open").or_default() += 3;
            return;
        }
        let expect = |code: &str, status: u16, required: Option<&str>| {
            for (whose, answer) in WHOSE.iter().zip(&answers) {
                let details = answer.expect_error(status, code);
                let told = details["required"].as_str();
                assert_eq!(told, required, "{about}, {whose:?}");
            }
        };
        if asker.key.is_empty() || asker.role == "wrong" {
            expect("unauthorized", 401, None);
            *self.refused.entry("unauthorized").or_default() += 3;
            return;
        }
        let lacks = route
            .required
            .as_deref()
            .filter(|one| !asker.may.contains(one))
            .filter(|_| {
                let other = route.alternative.as_deref();
                !other.is_some_and(|other| asker.may.contains(&other))
            });
        if let Some(required) = lacks.or(route.of_system.then_some("system_key")) {
            expect("forbidden", 403, Some(required));
            *self.refused.entry("forbidden").or_default() += 3;
            return;
        }
        assert!(
            !matches!(own.status, 401 | 403) && own.status < 500,
            "{about}: its own: {}",
            own.text()
        );
        *self.refused.entry("allowed").or_default() += 1;
        let is_foreign = |answer: &Response| {
            let body: Value = answer.json();
            let code = body["error"].as_str().unwrap_or_default();
            let in_items = body["results"][0]["error"].as_str().unwrap_or_default();
            code.ends_with("_not_found") || code == "lease_lost" || in_items == "lease_lost"
        };
        assert!(is_foreign(foreign), "{about}: foreign: {}", foreign.text());
        *self.refused.entry("not there").or_default() += 2;
    }
}

/// Whether a path or body names something by an id: then the request needs no header to be about another tenant.
fn names_a_thing(route: &Route) -> bool {
    let in_path = IDS
        .iter()
        .any(|name| route.path.contains(&format!("{{{name}}}")));
    in_path || route.path.contains("/leases/")
}

#[test]
fn every_route_answers_every_role_as_the_table_says_and_tells_nothing_of_what_is_anothers() {
    let world = World::with(|config| config.auth_failures_per_minute_max = 0);
    let (own, foreign) = (world.tenant("own"), world.tenant("foreign"));
    let mut askers: Vec<Asker> = Vec::new();
    let things_own = things(&world, &own, "custom");
    let things_foreign = things(&world, &foreign, "custom");
    for (role, may) in ROLES {
        let (_, key) = world.make_key(Some(&own), role);
        let may = may.to_vec();
        let role = role.to_owned();
        askers.push(Asker { role, key, may });
    }
    askers.push(Asker {
        role: "custom".to_owned(),
        key: world.make_key(Some(&own), "custom").1,
        may: CUSTOM.to_vec(),
    });
    let (nobody, wrong) = (
        String::new(),
        format!("msk_{}_{}", "7".repeat(32), "a".repeat(52)),
    );
    for (role, key) in [("none", nobody), ("wrong", wrong)] {
        let (role, may) = (role.to_owned(), Vec::new());
        askers.push(Asker { role, key, may });
    }
    let mut matrix = Matrix {
        world: &world,
        own: things_own,
        foreign: things_foreign,
        absent: absent(),
        cells: 0,
        refused: BTreeMap::new(),
    };
    let routes = routes(&world);
    for route in &routes {
        for asker in &askers {
            matrix.check(route, asker);
        }
    }
    let Matrix { cells, refused, .. } = matrix;
    println!(
        "{} routes x {} askers x 3: {cells} cells, {refused:?}",
        routes.len(),
        askers.len()
    );
    assert_eq!(cells as usize, routes.len() * askers.len() * 3);
    assert!(routes.len() >= 60, "every route is in the table");
}
