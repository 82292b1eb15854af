//! The metrics as a whole: well formed, what the reference says, bounded whatever is sent.

use std::collections::BTreeMap;

use crate::exposition::{self, Exposition};
use crate::harness::World;

pub(crate) fn scrape(world: &World) -> Exposition {
    let answer = world.get("/metrics");
    assert_eq!(answer.status, 200);
    exposition::read(answer.text())
}

/// Type and labels by name, as the reference has them.
pub(crate) fn reference() -> BTreeMap<String, (String, Vec<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/metrics.md");
    let text = std::fs::read_to_string(path).expect("the reference");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let mut cells = row.split(" | ");
        let name = cells.next().expect("a name").trim_end_matches('`');
        let kind = cells.next().expect("a type");
        let labels = cells.next().expect("labels").split(", ");
        let labels = labels.map(|label| label.trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (name.to_owned(), (kind.to_owned(), labels))
    })
    .collect()
}

/// Everything that can be counted has happened once.
fn busy_world() -> World {
    let world = World::new();
    world.post(
        "/api/v1/actors",
        r#"{"identity":"a","capabilities":["x"],"heartbeat_interval_ms":60000}"#,
    );
    for _ in 0..3 {
        world.submit(r#"{"kind":"a","constraints":{"max_attempts":1}}"#);
    }
    world.finish(&world.claim_one(), "success", "");
    world.finish(&world.claim_one(), "failure", "");
    world.get("/nothing");
    world.get("/api/v1/runs?limit=0");
    world.by("msk_wrong_key", "GET", "/api/v1/stats", "");
    world
}

#[test]
fn the_exposition_is_well_formed_and_is_the_reference() {
    let world = busy_world();
    world.get("/metrics");
    let told = scrape(&world);
    let reference = reference();
    let names: Vec<&String> = told.0.keys().collect();
    assert_eq!(names, reference.keys().collect::<Vec<_>>());
    for (name, family) in &told.0 {
        let (kind, labels) = &reference[name];
        assert_eq!(&family.kind, kind, "{name}");
        for sample in &family.samples {
            let own = sample.labels.keys().filter(|label| *label != "le");
            let mut expected: Vec<&String> = labels.iter().collect();
            expected.sort();
            assert_eq!(own.collect::<Vec<_>>(), expected, "{name}");
        }
    }
    assert!(names.len() >= 70, "{}", names.len());
}

#[test]
fn what_is_counted_is_what_happened() {
    let world = busy_world();
    let told = scrape(&world);
    let tenant = mainstay_core::TenantId::DEFAULT.to_string();
    let queue = [("tenant", tenant.as_str()), ("queue", "default")];
    for (name, labels, expected) in [
        ("mainstay_dead_letters", &[][..], 1.0),
        ("mainstay_queues", &[], 1.0),
        ("mainstay_operations_running", &[], 0.0),
        ("mainstay_webhooks", &[("state", "enabled")], 0.0),
        ("mainstay_tenants", &[], 1.0),
        ("mainstay_runs_created_total", &[], 3.0),
        ("mainstay_attempts_started_total", &[], 2.0),
        ("mainstay_executor_duration_seconds_count", &[], 2.0),
        ("mainstay_attempts_total", &[("result", "failure")], 1.0),
        ("mainstay_queue_dead_letters", &queue, 1.0),
        ("mainstay_queue_paused", &queue, 0.0),
        ("mainstay_engine_state", &[("state", "ready")], 1.0),
        ("mainstay_engine_state", &[("state", "stopped")], 0.0),
        (
            "mainstay_http_errors_total",
            &[("code", "unauthorized")],
            1.0,
        ),
        (
            "mainstay_http_errors_total",
            &[("code", "route_not_found")],
            1.0,
        ),
        ("mainstay_http_connections", &[], 1.0),
        ("mainstay_http_requests_in_flight", &[], 1.0),
        ("mainstay_trace_spans_total", &[("outcome", "dropped")], 0.0),
        ("mainstay_build_info", &[], 1.0),
    ] {
        assert_eq!(told.value(name, labels), expected, "{name} {labels:?}");
    }
    let ready = [queue[0], queue[1], ("state", "ready")];
    assert_eq!(told.value("mainstay_queue_runs", &ready), 1.0);
    for name in [
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_threads",
        "process_start_time_seconds",
        "mainstay_disk_free_bytes",
        "mainstay_log_bytes",
    ] {
        assert!(told.value(name, &[]) > 0.0, "{name}");
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the figures are what is looked for")]
fn labels_are_bounded_and_escaped_whatever_is_sent() {
    let world = World::new();
    for half in 0..2 {
        let tasks: Vec<String> = (0..5000)
            .map(|at| format!(r#"{{"kind":"k","queue":"q{}"}}"#, half * 5000 + at))
            .collect();
        let body = format!(r#"{{"tasks":[{}]}}"#, tasks.join(","));
        if half == 0 {
            world.post("/api/v1/tasks/batch", &body).expect(200);
            continue;
        }
        let other = world.tenant("second");
        let headers = [
            ("content-type", "application/json"),
            ("mainstay-tenant", other.as_str()),
        ];
        world
            .send("POST", "/api/v1/tasks/batch", &headers, body.as_bytes())
            .expect(200);
    }
    let hostile = [
        r#"quote\" brace} newline\n"#,
        r#"cr\r esc\u001b[31m nul\u0001"#,
        r#"back\\slash \u2028 \u202e"#,
    ];
    for at in 0..80 {
        let name = format!("{} {at}", hostile[at % hostile.len()]);
        let made = world.post("/api/v1/tenants", &format!(r#"{{"name":"{name}"}}"#));
        if made.status != 201 {
            continue;
        }
        let id = crate::harness::text(&made.json()["tenant_id"]);
        let headers = [
            ("content-type", "application/json"),
            ("mainstay-tenant", id.as_str()),
        ];
        world
            .send("POST", "/api/v1/tasks", &headers, br#"{"kind":"k"}"#)
            .expect(201);
    }
    for at in 0..200 {
        world.get(&format!("/nothing/{at}%0a%22"));
    }
    let answer = world.get("/metrics");
    let told = exposition::read(answer.text());
    let count = |name: &str| told.0[name].samples.len();
    assert_eq!(
        told.value("mainstay_queues", &[]),
        10_000.0 + (told.value("mainstay_tenants", &[]) - 2.0)
    );
    assert_eq!(count("mainstay_queue_runs"), 101 * 6);
    assert_eq!(count("mainstay_queue_oldest_ready_seconds"), 101);
    assert!(count("mainstay_tenant_info") <= 50);
    assert!(count("mainstay_tenant_runs") <= 51 * 6);
    let total: f64 = told.0["mainstay_queue_runs"]
        .samples
        .iter()
        .map(|it| it.value)
        .sum();
    let ready = told.value("mainstay_runs_ready", &[]);
    assert_eq!(total, ready, "what is not named is in the rest");
    let series: usize = told.0.values().map(|family| family.samples.len()).sum();
    assert!(series < 4000, "{series} series");
    println!(
        "10,000 queues, {} tenants: {series} series, {} bytes",
        told.value("mainstay_tenants", &[]),
        answer.body.len()
    );
}
