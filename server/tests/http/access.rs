//! Keys: made, used, ended; and what a tenant's key never sees.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{World, text};

fn unauthorized(world: &World, key: &str) -> String {
    let answer = world.by(key, "GET", "/api/v1/runs", "");
    answer.expect_error(401, "unauthorized");
    assert!(answer.header("www-authenticate").is_some());
    answer.text().to_owned()
}

#[test]
fn a_key_is_shown_once_and_good_until_it_is_revoked() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let (id, key) = world.make_key(Some(&tenant), "operator");
    assert!(key.starts_with("msk_"));
    world.by(&key, "GET", "/api/v1/runs", "").expect(200);
    let listed = world.get("/api/v1/keys").expect(200);
    let row = &listed["keys"][0];
    assert_eq!(row["key_id"], json!(id));
    assert_eq!(row["tenant_id"], json!(tenant));
    assert!(!listed.to_string().contains(&key[37..]));
    let revoke = format!("/api/v1/keys/{id}");
    let reason = r#"{"reason":"lost"}"#;
    let ended = world.call("DELETE", &revoke, reason).expect(200);
    assert_eq!(ended, json!({"key_id": id, "status": "revoked"}));
    unauthorized(&world, &key);
    let ended = world.call("DELETE", &revoke, "{}").expect(200);
    assert_eq!(ended["status"], "already_revoked");
    let row = world.get(&revoke).expect(200);
    assert!(row["revoked_at"].is_string(), "{row}");
}

#[test]
fn whatever_is_wrong_with_a_key_the_answer_is_the_same() {
    let world = World::new();
    let (_, good) = world.make_key(None, "admin");
    let (revoked_id, revoked) = world.make_key(None, "admin");
    world
        .call("DELETE", &format!("/api/v1/keys/{revoked_id}"), "{}")
        .expect(200);
    let soon = std::time::SystemTime::now() + Duration::from_millis(400);
    let soon = soon
        .duration_since(std::time::UNIX_EPOCH)
        .expect("now")
        .as_millis();
    let at = jiff_free_instant(soon as u64);
    let body = format!(r#"{{"name":"short","role":"admin","expires_at":"{at}"}}"#);
    let made = world.post("/api/v1/keys", &body).expect(201);
    let expired = text(&made["key"]);
    world.by(&expired, "GET", "/api/v1/runs", "").expect(200);
    std::thread::sleep(Duration::from_millis(500));
    let mut wrong = good.clone();
    wrong.pop();
    wrong.push(if good.ends_with('a') { 'b' } else { 'a' });
    let unknown = format!("msk_{}_{}", "7".repeat(32), "a".repeat(52));
    let answers: Vec<String> = ["", "x", &wrong, &unknown, &revoked, &expired]
        .into_iter()
        .map(|key| unauthorized(&world, key))
        .collect();
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    world.by(&good, "GET", "/api/v1/runs", "").expect(200);
}

/// RFC 3339 of milliseconds since 1970.
fn jiff_free_instant(ms: u64) -> String {
    let (days, within) = (ms / 86_400_000, ms % 86_400_000);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (within / 3_600_000, within / 60_000 % 60);
    let (second, ms) = (within / 1000 % 60, within % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

#[test]
fn a_revoked_key_loses_its_long_polls_and_its_streams_within_a_second() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let (worker_id, worker) = world.make_key(Some(&tenant), "worker");
    let (reader_id, reader) = world.make_key(Some(&tenant), "auditor");
    let json_body = [("content-type", "application/json")];
    let mut poll = world.connect();
    let claim = br#"{"worker":"w","wait_ms":30000}"#;
    poll.write(&world.request_by(&worker, "POST", "/api/v1/leases", &json_body, claim));
    let mut waits = world.connect();
    let path = "/api/v1/events?after=999999&wait_ms=30000";
    waits.write(&world.request_by(&reader, "GET", path, &[], b""));
    let mut stream = world.connect();
    let streams = [("accept", "text/event-stream")];
    stream.write(&world.request_by(&reader, "GET", "/api/v1/events", &streams, b""));
    assert_eq!(stream.head().status, 200);
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    for id in [worker_id, reader_id] {
        world
            .call("DELETE", &format!("/api/v1/keys/{id}"), "{}")
            .expect(200);
    }
    poll.response().expect_error(401, "unauthorized");
    waits.response().expect_error(401, "unauthorized");
    assert!(stream.ends(), "the stream ends");
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_key_whose_role_is_lowered_may_less_at_once() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let of = format!(r#""tenant_id":"{tenant}""#);
    let role = |holds: &str| {
        let body = format!(r#"{{"capabilities":[{holds}],{of}}}"#);
        world.call("PUT", "/api/v1/roles/own", &body).expect(200)
    };
    role(r#""can_read","can_submit""#);
    let (_, key) = world.make_key(Some(&tenant), "own");
    world.by(&key, "GET", "/api/v1/runs", "").expect(200);
    world
        .by(&key, "POST", "/api/v1/tasks", r#"{"kind":"k"}"#)
        .expect(201);
    role(r#""can_submit""#);
    let refused = world.by(&key, "GET", "/api/v1/runs", "");
    assert_eq!(
        refused.expect_error(403, "forbidden")["required"],
        "can_read"
    );
    world
        .by(&key, "POST", "/api/v1/tasks", r#"{"kind":"k"}"#)
        .expect(201);
}

#[test]
fn nobody_gives_what_they_do_not_have_and_no_tenant_makes_a_system_key() {
    let world = World::new();
    let (acme, other) = (world.tenant("acme"), world.tenant("other"));
    let own = format!(r#"{{"capabilities":["can_admin","can_read"],"tenant_id":"{acme}"}}"#);
    world.call("PUT", "/api/v1/roles/keeper", &own).expect(200);
    let (_, keeper) = world.make_key(Some(&acme), "keeper");
    let make = |key: &str, body: &str| world.by(key, "POST", "/api/v1/keys", body);
    let refused = make(&keeper, r#"{"name":"k","role":"admin"}"#);
    assert_eq!(
        refused.expect_error(403, "forbidden")["required"],
        "can_submit"
    );
    let refused = world.by(
        &keeper,
        "PUT",
        "/api/v1/roles/more",
        r#"{"capabilities":["can_approve"]}"#,
    );
    assert_eq!(
        refused.expect_error(403, "forbidden")["required"],
        "can_approve"
    );
    let (_, admin) = world.make_key(Some(&acme), "admin");
    let made = make(&admin, r#"{"name":"k","role":"admin"}"#).expect(201);
    assert_eq!(
        made["tenant_id"],
        json!(acme),
        "a tenant's key makes keys of its tenant"
    );
    let body = format!(r#"{{"name":"k","role":"admin","tenant_id":"{other}"}}"#);
    make(&admin, &body).expect_error(404, "tenant_not_found");
    let (system_id, _) = world.make_key(None, "admin");
    let path = format!("/api/v1/keys/{system_id}");
    world
        .by(&admin, "GET", &path, "")
        .expect_error(404, "key_not_found");
    world
        .by(&admin, "DELETE", &path, "{}")
        .expect_error(404, "key_not_found");
    let seen = world.by(&admin, "GET", "/api/v1/keys", "").expect(200);
    let keys = seen["keys"].as_array().expect("keys");
    assert!(
        keys.iter().all(|key| key["tenant_id"] == json!(acme)),
        "{seen}"
    );
    assert_eq!(keys.len(), 3);
}

#[test]
fn a_tenants_key_sees_its_own_in_lists_events_sql_and_counters_and_a_system_key_sees_all() {
    let world = World::new();
    let tenants = [world.tenant("acme"), world.tenant("other")];
    let keys = tenants
        .clone()
        .map(|tenant| world.make_key(Some(&tenant), "admin").1);
    for (tenant, key) in tenants.iter().zip(&keys) {
        for _ in 0..3 {
            let made = world.by(
                key,
                "POST",
                "/api/v1/tasks",
                r#"{"kind":"k","queue":"same"}"#,
            );
            made.expect(201);
        }
        let named = format!(r#"{{"kind":"k","tenant_id":"{tenant}"}}"#);
        world.by(key, "POST", "/api/v1/tasks", &named).expect(201);
    }
    let ids = |answer: &Value, list: &str| -> Vec<String> {
        let rows = answer[list].as_array().expect("rows").iter();
        rows.map(|row| row["tenant_id"].to_string()).collect()
    };
    for (tenant, key) in tenants.iter().zip(&keys) {
        let ask = |path: &str| world.by(key, "GET", path, "").expect(200);
        for (path, list) in [
            ("/api/v1/tasks", "tasks"),
            ("/api/v1/runs", "runs"),
            ("/api/v1/queues", "queues"),
        ] {
            let rows = ids(&ask(path), list);
            assert!(
                !rows.is_empty() && rows.iter().all(|id| *id == format!("\"{tenant}\"")),
                "{path}: {rows:?}"
            );
        }
        let events = ask("/api/v1/events?limit=1000");
        let made = events["events"].as_array().expect("events").iter();
        let made = made.filter(|event| event["type"] == "task_created");
        assert_eq!(made.count(), 4, "{events}");
        assert!(!events.to_string().contains("\"system\":true"));
        let stats = ask("/api/v1/stats");
        assert_eq!(
            (&stats["total_runs"], &stats["total_tasks"]),
            (&json!(4), &json!(4))
        );
        let sql = r#"{"sql":"SELECT count(*) FROM runs"}"#;
        let counted = world.by(key, "POST", "/api/v1/query", sql).expect(200);
        assert_eq!(counted["rows"], json!([[4]]));
        let explained = world.by(
            key,
            "POST",
            "/api/v1/query",
            r#"{"sql":"SELECT count(*) FROM events_recent WHERE type = 'task_created'"}"#,
        );
        assert_eq!(explained.expect(200)["rows"], json!([[4]]));
        let star = [("mainstay-tenant", "*")];
        let mut connection = world.connect();
        connection.write(&world.request_by(key, "GET", "/api/v1/runs", &star, b""));
        connection.response().expect_error(403, "forbidden");
    }
    assert_eq!(ids(&world.get("/api/v1/runs").expect(200), "runs").len(), 8);
    assert_eq!(
        world.get("/api/v1/stats").expect(200)["total_tasks"],
        json!(8)
    );
}

#[test]
fn who_fails_too_often_is_told_so_and_good_keys_go_on() {
    let world = World::with(|config| config.auth_failures_per_minute_max = 5);
    let (_, good) = world.make_key(None, "admin");
    world.by(&good, "GET", "/api/v1/runs", "").expect(200);
    for _ in 0..5 {
        unauthorized(&world, "msk_nonsense");
    }
    let answer = world.by("msk_nonsense", "GET", "/api/v1/runs", "");
    assert_eq!(
        answer.expect_error(429, "rate_limited")["limit"],
        "authentication_failures"
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    world.by(&good, "GET", "/api/v1/runs", "").expect(200);
    world.get("/api/v1/runs").expect(200);
}

#[test]
fn an_actors_roles_and_capabilities_add_to_its_key() {
    let world = World::new();
    let told = r#"{"identity":"bot","capabilities":["x"]}"#;
    let actor = text(&world.post("/api/v1/actors", told).expect(201)["actor_id"]);
    let body =
        format!(r#"{{"name":"bot","role":"worker","actor_id":"{actor}","tenant_id":"default"}}"#);
    let made = world.post("/api/v1/keys", &body).expect(201);
    let key = text(&made["key"]);
    world
        .by(&key, "GET", "/api/v1/runs", "")
        .expect_error(403, "forbidden");
    let path = format!("/api/v1/actors/{actor}/roles");
    let given = world
        .post(&path, r#"{"role":"auditor","reason":"trial"}"#)
        .expect(200);
    assert_eq!(
        given,
        json!({"actor_id": actor, "roles": ["auditor"], "capabilities": []})
    );
    world.by(&key, "GET", "/api/v1/runs", "").expect(200);
    world
        .call("DELETE", &path, r#"{"role":"auditor"}"#)
        .expect(200);
    world
        .by(&key, "GET", "/api/v1/runs", "")
        .expect_error(403, "forbidden");
    let path = format!("/api/v1/actors/{actor}/capabilities");
    world
        .post(&path, r#"{"capability":"can_read"}"#)
        .expect(200);
    world.by(&key, "GET", "/api/v1/runs", "").expect(200);
    let given = world
        .call("DELETE", &path, r#"{"capability":"can_read"}"#)
        .expect(200);
    assert_eq!(given["capabilities"], json!([]));
}

#[test]
fn keys_are_listed_in_pages_and_the_same_idempotency_key_makes_one() {
    let world = World::new();
    for _ in 0..5 {
        world.make_key(None, "worker");
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/keys?limit=2".to_owned());
    loop {
        let page = world.get(&path).expect(200);
        seen.extend(
            page["keys"]
                .as_array()
                .expect("keys")
                .iter()
                .map(|key| text(&key["key_id"])),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/keys?limit=2&cursor={next}");
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted());
    let rest = world.get("/api/v1/keys?offset=3").expect(200);
    assert_eq!(rest["keys"].as_array().map(Vec::len), Some(2));
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "once"),
    ];
    let make = |body: &[u8]| world.send("POST", "/api/v1/keys", &headers, body);
    let first = make(br#"{"name":"k","role":"worker"}"#).expect(201);
    let again = make(br#"{"name":"k","role":"worker"}"#).expect(200);
    assert_eq!(
        (&again["key_id"], &again["key"]),
        (&first["key_id"], &json!(null))
    );
    make(br#"{"name":"k","role":"admin"}"#).expect_error(409, "idempotency_conflict");
}

#[test]
fn tenants_are_made_once_and_weighed() {
    let world = World::new();
    let made = world
        .post("/api/v1/tenants", r#"{"name":"acme"}"#)
        .expect(201);
    let id = text(&made["tenant_id"]);
    world
        .post("/api/v1/tenants", r#"{"name":"acme"}"#)
        .expect_error(409, "tenant_already_exists");
    let path = format!("/api/v1/tenants/{id}");
    let weighed = world.call("PUT", &path, r#"{"weight":7}"#).expect(200);
    assert_eq!(
        weighed,
        json!({"tenant_id": id, "name": "acme", "weight": 7})
    );
    let all = world.get("/api/v1/tenants").expect(200);
    assert_eq!(all["tenants"].as_array().map(Vec::len), Some(2));
    world
        .call(
            "PUT",
            "/api/v1/tenants/0190f000-0000-7000-8000-0000000000ac",
            r#"{"weight":7}"#,
        )
        .expect_error(404, "tenant_not_found");
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "once"),
    ];
    let make = |body: &[u8]| world.send("POST", "/api/v1/tenants", &headers, body);
    let first = make(br#"{"name":"twice"}"#).expect(201);
    assert_eq!(make(br#"{"name":"twice"}"#).expect(200), first);
}

/// Every file of a directory, with what is in it.
fn files(directory: &std::path::Path, into: &mut Vec<(std::path::PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, into);
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            into.push((path, bytes));
        }
    }
}

#[test]
fn the_secret_of_a_key_is_shown_once_and_is_nowhere_else() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let keys = ["worker", "operator", "admin"].map(|role| world.make_key(Some(&tenant), role));
    let mut secrets: Vec<String> = keys.iter().map(|(_, key)| key[37..].to_owned()).collect();
    secrets.push(world.key.rsplit('_').next().expect("a secret").to_owned());
    let mut said = String::new();
    let mut hear = |answer: crate::harness::Response| {
        said.push_str(answer.text());
        said.push_str(&format!("{:?}", answer.headers));
    };
    for (id, key) in &keys {
        for (method, path, body) in [
            ("GET", "/api/v1/runs", ""),
            ("GET", "/api/v1/keys", ""),
            ("GET", "/api/v1/events?limit=1000", ""),
            ("GET", "/metrics", ""),
            ("POST", "/api/v1/tasks", r#"{"kind":"k"}"#),
            ("POST", "/api/v1/tasks", "{"),
            ("POST", "/api/v1/leases", r#"{"worker":"w"}"#),
        ] {
            hear(world.by(key, method, path, body));
        }
        // As somebody mistypes it.
        hear(world.by(&key[..key.len() - 1], "GET", "/api/v1/runs", ""));
        hear(world.by(&format!("{key} "), "GET", "/nowhere", ""));
        let path = format!("/api/v1/keys/{id}");
        hear(world.call("DELETE", &path, r#"{"reason":"done"}"#));
        hear(world.by(key, "GET", "/api/v1/runs", ""));
        hear(world.get(&path));
    }
    for path in [
        "/metrics",
        "/api/v1/keys",
        "/api/v1/events?limit=1000",
        "/api/v1/openapi.json",
    ] {
        hear(world.get(path));
    }
    let sql = r#"{"sql":"SELECT * FROM events_recent"}"#;
    hear(world.post("/api/v1/query", sql));
    let handle = world.engine.handle();
    assert!(handle.wait_stored(handle.sequence(), Duration::from_secs(10)));
    let mut found = Vec::new();
    files(world.directory(), &mut found);
    let bytes: usize = found.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(said.len() > 10_000 && bytes > 10_000);
    for secret in &secrets {
        // A part of it is too much already.
        let part = &secret[..16];
        assert!(!said.contains(part), "an answer holds a secret");
        for (path, bytes) in &found {
            let holds = bytes
                .windows(part.len())
                .any(|window| window == part.as_bytes());
            let own = path.ends_with("admin.key") && *secret == secrets[3];
            assert_eq!(holds, own, "{}", path.display());
        }
    }
}
