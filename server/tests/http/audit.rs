//! The audit trail: every act of control leaves who, what, why and request id, and the log answers for it.

use serde_json::{Value, json};

use crate::harness::{World, text};

/// Method, path, fields of the body, the command's name, and its target.
type Act = (&'static str, String, &'static str, &'static str, Value);

/// What is controlled: a task that waits, one that runs, one that has a budget.
fn acts(world: &World) -> Vec<Act> {
    let (task, run) = world.submit(r#"{"kind":"a","queue":"one"}"#);
    let (other, other_run) = world.submit(r#"{"kind":"a","queue":"two"}"#);
    let (third, _) = world.submit(r#"{"kind":"a","queue":"three"}"#);
    assert_eq!(world.claim(r#"{"worker":"w","queues":["two"]}"#).len(), 1);
    let of_run = |run: &str, verb: &str| format!("/api/v1/runs/{run}/{verb}");
    let of_task = |task: &str, verb: &str| format!("/api/v1/tasks/{task}{verb}");
    let depends = of_task(&third, "/dependencies");
    vec![
        (
            "POST",
            "/api/v1/engine/pause".into(),
            "",
            "pause_engine",
            Value::Null,
        ),
        (
            "POST",
            "/api/v1/engine/resume".into(),
            "",
            "resume_engine",
            Value::Null,
        ),
        (
            "PUT",
            "/api/v1/queues/mail".into(),
            r#""weight":2"#,
            "configure_queue",
            json!("mail"),
        ),
        (
            "POST",
            "/api/v1/queues/mail/pause".into(),
            "",
            "pause_queue",
            json!("mail"),
        ),
        (
            "POST",
            "/api/v1/queues/mail/resume".into(),
            "",
            "resume_queue",
            json!("mail"),
        ),
        (
            "PATCH",
            of_task(&task, ""),
            r#""priority":3"#,
            "update_task",
            json!(task),
        ),
        (
            "POST",
            depends,
            r#""depends_on":["OTHER"]"#,
            "declare_dependencies",
            json!(third),
        ),
        (
            "POST",
            of_task(&task, "/runs"),
            "",
            "create_run",
            Value::Bool(true),
        ),
        (
            "POST",
            of_task(&task, "/budgets"),
            r#""dimension":"token","limit":9"#,
            "allocate_budget",
            json!(task),
        ),
        (
            "POST",
            of_task(&task, "/budgets/token/replenish"),
            r#""new_limit":9"#,
            "replenish_budget",
            json!(task),
        ),
        (
            "POST",
            of_run(&other_run, "suspend"),
            "",
            "suspend_run",
            json!(other_run),
        ),
        ("POST", of_run(&run, "cancel"), "", "cancel_run", json!(run)),
        (
            "POST",
            of_task(&other, "/cancel"),
            "",
            "cancel_task",
            json!(other),
        ),
    ]
}

#[test]
fn every_act_of_control_leaves_who_what_why_and_the_request() {
    let world = World::new();
    let acts = acts(&world);
    let first: Vec<Value> = world.get("/api/v1/audit").expect(200)["entries"]
        .as_array()
        .expect("entries")
        .clone();
    assert!(first.is_empty(), "work is no act of control: {first:?}");
    for (number, (method, path, fields, _, _)) in acts.iter().enumerate() {
        let other = path.contains("dependencies").then(|| acts[11].4.clone());
        let comma = if fields.is_empty() { "" } else { "," };
        let mut body = format!(r#"{{"reason":"why {number}"{comma}{fields}}}"#);
        if other.is_some() {
            let (task, _) = world.submit(r#"{"kind":"b","queue":"four"}"#);
            body = body.replace("OTHER", &task);
        }
        let request = format!("req-{number}");
        let headers = [
            ("content-type", "application/json"),
            ("x-request-id", &*request),
        ];
        let answer = world.send(method, path, &headers, body.as_bytes());
        assert!(
            (200..300).contains(&answer.status),
            "{path}: {}",
            answer.text()
        );
    }
    let page = world.get("/api/v1/audit?limit=1000").expect(200);
    let entries = page["entries"].as_array().expect("entries");
    assert_eq!(entries.len(), acts.len(), "{page}");
    for (number, ((_, path, _, what, target), entry)) in acts.iter().zip(entries).enumerate() {
        assert_eq!(entry["what"], *what, "{path}");
        assert_eq!(entry["reason"], format!("why {number}"), "{path}");
        assert_eq!(entry["request_id"], format!("req-{number}"), "{path}");
        assert!(!text(&entry["who"]).is_empty() && !text(&entry["at"]).is_empty());
        match target {
            Value::Bool(_) => assert!(entry["target"].is_string(), "{entry}"),
            target => assert_eq!(entry["target"], *target, "{path}"),
        }
    }
}

#[test]
fn the_trail_is_read_page_by_page_and_per_tenant() {
    let world = World::new();
    for number in 0..7 {
        let verb = ["pause", "resume"][number % 2];
        world
            .post(&format!("/api/v1/queues/mail/{verb}"), "")
            .expect(200);
    }
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let path = format!("/api/v1/audit?after={after}&limit=3");
        let page = world.get(&path).expect(200);
        let entries = page["entries"].as_array().expect("entries");
        seen.extend(
            entries
                .iter()
                .map(|entry| entry["sequence"].as_u64().expect("a number")),
        );
        after = page["next"].as_u64().expect("a number");
        if entries.len() < 3 {
            break;
        }
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted() && after >= seen[6]);
    let header = [("mainstay-tenant", "default")];
    let own = world.send("GET", "/api/v1/audit", &header, b"").expect(200);
    assert_eq!(own["entries"].as_array().map(Vec::len), Some(7));
    for (query, code) in [
        ("limit=0", "invalid_pagination"),
        ("limit=1001", "invalid_pagination"),
        ("after=-1", "invalid_parameter"),
        ("offset=1", "unknown_parameter"),
    ] {
        world
            .get(&format!("/api/v1/audit?{query}"))
            .expect_error(422, code);
    }
}

#[test]
fn the_log_and_the_trail_are_verified() {
    let world = World::new();
    world.post("/api/v1/queues/mail/pause", "").expect(200);
    let trail = world.get("/api/v1/audit").expect(200);
    assert_eq!(trail["entries"].as_array().map(Vec::len), Some(1));
    let report = world.post("/api/v1/audit/verify", "").expect(200);
    assert_eq!(report["gaps"], json!([]), "{report}");
    assert_eq!(
        (&report["from"], &report["entries"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(text(&report["head_hash"]).len(), 64);
    assert!(report["to"].as_u64() >= trail["entries"][0]["sequence"].as_u64());
}
