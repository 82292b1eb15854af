//! Actors as they and operators see them.

use std::time::{Duration, Instant};

use mainstay_client::wire;
use serde_json::{Value, json};

use crate::harness::{World, text};

const GPU: &str = r#"{"identity":"gpu-7","capabilities":["video","cuda"],"department":"render"}"#;

fn register(world: &World, body: &str) -> String {
    text(&world.post("/api/v1/actors", body).expect(201)["actor_id"])
}

fn claim(actor: &str, rest: &str) -> String {
    format!(r#"{{"worker":"w","actor_id":"{actor}"{rest}}}"#)
}

#[test]
fn an_actor_registers_works_drains_and_leaves() {
    let world = World::new();
    let actor = register(&world, GPU);
    let path = format!("/api/v1/actors/{actor}");
    let shown = world.get(&path);
    let typed: wire::Actor = serde_json::from_slice(&shown.body).expect("the client's types");
    assert_eq!(typed.capabilities, ["cuda", "video"]);
    assert_eq!(
        (&*typed.state, typed.heartbeat_interval_ms),
        ("active", 10_000)
    );
    world.submit(r#"{"kind":"a","constraints":{"required_capabilities":["cuda"]}}"#);
    world
        .post(
            "/api/v1/leases",
            &claim(&actor, r#","capabilities":["gold"]"#),
        )
        .expect_error(422, "capability_missing");
    let granted = world.post("/api/v1/leases", &claim(&actor, "")).expect(200);
    let lease = granted["leases"][0].clone();
    assert_eq!(world.get(&path).expect(200)["leases"], 1);
    let beat = |directive: &str| {
        let told = world.post(&format!("{path}/heartbeat"), "").expect(200);
        assert_eq!(told["directive"], directive);
    };
    beat("continue");
    let drain = world.post(&format!("{path}/drain"), r#"{"reason":"update"}"#);
    assert_eq!(
        drain.expect(200),
        json!({"actor_id": actor, "status": "draining", "leases": 1})
    );
    let again = world.post(&format!("{path}/drain"), "").expect(200);
    assert_eq!(again["status"], "already_draining");
    beat("drain");
    let run = text(&lease["run_id"]);
    let held = json!({"token": lease["token"]}).to_string();
    let told = world.post(&format!("/api/v1/runs/{run}/heartbeat"), &held);
    assert_eq!(told.expect(200)["directive"], "drain");
    let left = world.call("DELETE", &path, r#"{"reason":"host is gone"}"#);
    assert_eq!(left.expect(200)["leases"], 1);
    world
        .post(&format!("/api/v1/runs/{run}/heartbeat"), &held)
        .expect_error(409, "lease_lost");
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/drain")),
        ("POST", format!("{path}/heartbeat")),
    ] {
        let missing = world
            .call(method, &path, "")
            .expect_error(404, "actor_not_found");
        assert_eq!(missing, json!({"actor_id": actor}));
    }
    world
        .post("/api/v1/leases", &claim(&actor, ""))
        .expect_error(404, "actor_not_found");
    let events = world.get("/api/v1/events").expect(200);
    let types: Vec<String> = events["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| text(&event["type"]))
        .filter(|name| name.starts_with("actor_") || name == "lease_expired")
        .collect();
    let expected = [
        "actor_registered",
        "actor_draining",
        "actor_deregistered",
        "lease_expired",
    ];
    assert_eq!(types, expected);
}

#[test]
fn what_cannot_be_registered_is_refused_and_a_key_makes_one_actor_of_it() {
    let world = World::new();
    for (body, status, code) in [
        (
            r#"{"identity":"x","capabilities":[]}"#,
            422,
            "empty_capabilities",
        ),
        (
            r#"{"identity":"","capabilities":["a"]}"#,
            422,
            "invalid_request",
        ),
        (
            r#"{"identity":"x","capabilities":["a"],"heartbeat_interval_ms":5}"#,
            422,
            "invalid_request",
        ),
        (
            r#"{"identity":"x","capabilities":["a"],"actor_id":"no"}"#,
            400,
            "invalid_actor_id",
        ),
        (
            r#"{"identity":"x","capability":["a"]}"#,
            422,
            "unknown_field",
        ),
    ] {
        world
            .post("/api/v1/actors", body)
            .expect_error(status, code);
    }
    world
        .get("/api/v1/actors/no")
        .expect_error(400, "invalid_actor_id");
    let chosen = r#"{"identity":"x","capabilities":["a"],"actor_id":"0197f3a2-7c1e-7d3a-9c55-1f0e6f0a2b13"}"#;
    register(&world, chosen);
    world
        .post("/api/v1/actors", chosen)
        .expect_error(409, "actor_already_registered");
    let keyed = |body: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("Idempotency-Key", "host-7"),
        ];
        world.send("POST", "/api/v1/actors", &headers, body.as_bytes())
    };
    let first = keyed(GPU).expect(201);
    assert_eq!(keyed(GPU).expect(200), first);
    keyed(r#"{"identity":"other","capabilities":["a"]}"#).expect_error(409, "idempotency_conflict");
}

#[test]
fn the_list_is_filtered_and_goes_on_where_a_page_ended() {
    let world = World::new();
    for at in 0..7 {
        let department = if at % 2 == 0 { "render" } else { "mail" };
        let body = format!(
            r#"{{"identity":"w{at}","capabilities":["a","c{at}"],"department":"{department}"}}"#
        );
        register(&world, &body);
    }
    let names = |path: &str| -> Vec<String> {
        let list = world.get(path).expect(200);
        let rows = list["actors"].as_array().expect("rows").iter();
        rows.map(|row| text(&row["identity"])).collect()
    };
    assert_eq!(
        names("/api/v1/actors?department=render"),
        ["w0", "w2", "w4", "w6"]
    );
    assert_eq!(names("/api/v1/actors?capability=c3"), ["w3"]);
    assert_eq!(names("/api/v1/actors?identity=w5&state=active"), ["w5"]);
    assert!(names("/api/v1/actors?state=draining").is_empty());
    assert_eq!(names("/api/v1/actors?offset=5"), ["w5", "w6"]);
    let (mut seen, mut path) = (Vec::new(), "/api/v1/actors?limit=2".to_owned());
    loop {
        let list = world.get(&path).expect(200);
        seen.extend(names(&path));
        let Value::String(cursor) = &list["next_cursor"] else {
            break;
        };
        path = format!("/api/v1/actors?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["w0", "w1", "w2", "w3", "w4", "w5", "w6"]);
    for wrong in ["cursor=x", "limit=0", "limit=1001"] {
        world
            .get(&format!("/api/v1/actors?{wrong}"))
            .expect_error(422, "invalid_pagination");
    }
    world
        .get("/api/v1/actors?state=asleep")
        .expect_error(422, "invalid_parameter");
}

#[test]
fn a_silent_actor_is_gone_after_three_intervals_and_its_waiting_claim_is_told() {
    let world = World::new();
    let actor = register(
        &world,
        r#"{"identity":"gpu","capabilities":["cuda"],"heartbeat_interval_ms":1000}"#,
    );
    let asked = Instant::now();
    let waiting = world.post("/api/v1/leases", &claim(&actor, r#","wait_ms":60000"#));
    waiting.expect_error(404, "actor_not_found");
    assert!(
        asked.elapsed() >= Duration::from_millis(2900),
        "{:?}",
        asked.elapsed()
    );
    assert!(asked.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_waiting_claim_of_an_actor_gets_what_the_actor_is_able_to_do() {
    let world = World::new();
    let actor = register(&world, GPU);
    let body = claim(&actor, r#","wait_ms":30000"#);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| world.claim(&body));
        std::thread::sleep(Duration::from_millis(300));
        world.submit(r#"{"kind":"a","constraints":{"required_capabilities":["cuda"]}}"#);
        assert_eq!(waiting.join().expect("a claim").len(), 1);
        let waiting = scope.spawn(|| world.claim(&body));
        std::thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        world
            .post(&format!("/api/v1/actors/{actor}/drain"), "")
            .expect(200);
        assert!(waiting.join().expect("a claim").is_empty());
        assert!(
            asked.elapsed() < Duration::from_secs(20),
            "it is answered when it is told to drain"
        );
    });
}

#[test]
fn the_metrics_tell_who_is_there_and_what_waits() {
    let world = World::new();
    register(&world, GPU);
    world.submit(r#"{"kind":"a","constraints":{"required_capabilities":["cuda"]}}"#);
    world.submit(r#"{"kind":"a","constraints":{"required_capabilities":["gold"]}}"#);
    let metrics = world.get("/metrics");
    for line in [
        "mainstay_actors{state=\"idle\"} 1",
        "mainstay_runs_ready_unserved 1",
        "mainstay_runs_ready_passed_by 1",
    ] {
        assert!(metrics.text().contains(line), "{line}");
    }
}
