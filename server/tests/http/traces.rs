//! Traces: what a collector is told of submits, attempts and requests, whatever happens to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mainstay::Engine;
use mainstay_server::{Config, Otel};
use serde_json::Value;

use crate::collector::Collector;
use crate::exposition;
use crate::harness::{World, text};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn to(collector: &Collector, change: impl FnOnce(Otel) -> Otel) -> impl FnOnce(&mut Config) {
    let otel = change(Otel::new(&collector.endpoint()).expect("an address"));
    move |config| config.otel = Some(otel)
}

/// Spans whose name begins so, by when they began.
fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = spans
        .iter()
        .filter(|span| text(&span["name"]).starts_with(name))
        .collect();
    found.sort_by_key(|span| text(&span["startTimeUnixNano"]));
    found
}

fn attribute(span: &Value, name: &str) -> String {
    let all = span["attributes"].as_array().expect("attributes");
    let found = all.iter().find(|it| it["key"] == name);
    let value = &found.unwrap_or_else(|| panic!("{name} in {span}"))["value"];
    let value = value.get("stringValue").or_else(|| value.get("intValue"));
    text(value.expect("a value"))
}

/// Submits, fails once and succeeds; gives the leases.
fn a_retry(world: &World, more: &str) -> Vec<Value> {
    world.submit(&format!(
        r#"{{"kind":"mail.send","queue":"mail","constraints":{{"max_attempts":3}},"retry":{{"strategy":"fixed","initial_ms":1,"max_ms":1,"jitter":"none"}}{more}}}"#
    ));
    let claim = r#"{"worker":"w1","queues":["mail"],"wait_ms":10000}"#;
    let first = world.claim(claim).remove(0);
    world
        .finish(
            &first,
            "failure",
            r#","error":{"code":"smtp_421","message":"secret words"}"#,
        )
        .expect(200);
    let second = world.claim(claim).remove(0);
    world.finish(&second, "success", "").expect(200);
    vec![first, second]
}

#[test]
fn a_trace_goes_from_the_submit_to_each_attempt() {
    let collector = Collector::new();
    let mut world = World::with(to(&collector, |otel| {
        otel.service_name("shop")
            .header("authorization", "Bearer t0ken")
            .expect("a header")
    }));
    let given = format!(r#","traceparent":"00-{TRACE}-{PARENT}-01""#);
    let leases = a_retry(&world, &given);
    for lease in &leases {
        let told = text(&lease["traceparent"]);
        assert_eq!(told, format!("00-{TRACE}-{PARENT}-01"), "as it was given");
    }
    world.end();
    let spans = collector.spans();
    assert!(
        spans.iter().all(|span| span["traceId"] == TRACE),
        "{spans:?}"
    );
    let submit = named(&spans, "submit mail.send")[0];
    assert_eq!(
        (&submit["parentSpanId"], &submit["kind"]),
        (&PARENT.into(), &4.into())
    );
    let attempts = named(&spans, "attempt mail.send");
    assert_eq!(attempts.len(), 2);
    for (attempt, lease) in attempts.iter().zip(&leases) {
        assert_eq!(attempt["parentSpanId"], submit["spanId"]);
        assert_eq!(attempt["kind"], 5);
        let id = text(&lease["attempt_id"]).replace('-', "");
        assert_eq!(
            text(&attempt["spanId"]),
            id[16..],
            "who works knows its span"
        );
        assert_eq!(attribute(attempt, "mainstay.worker"), "w1");
        assert_eq!(attribute(attempt, "mainstay.queue"), "mail");
        assert_eq!(
            attribute(attempt, "mainstay.run_id"),
            text(&lease["run_id"])
        );
    }
    assert_eq!(
        attempts[0]["status"],
        serde_json::json!({"code":2,"message":"smtp_421"})
    );
    assert_eq!(attempts[1]["status"], serde_json::json!({"code":1}));
    assert_eq!(attempts[0].get("links"), None);
    assert_eq!(attempts[1]["links"][0]["spanId"], attempts[0]["spanId"]);
    assert_eq!(attribute(attempts[1], "mainstay.attempt"), "2");
    assert_eq!(named(&spans, "wait mail").len(), 2);
    let sent = collector.requests();
    assert!(
        sent[0].0.starts_with("POST /v1/traces HTTP/1.1"),
        "{}",
        sent[0].0
    );
    assert!(
        sent[0]
            .0
            .to_lowercase()
            .contains("authorization: bearer t0ken")
    );
    let all = String::from_utf8_lossy(&sent[0].1).into_owned();
    assert!(all.contains(r#"{"stringValue":"shop"}"#) && !all.contains("secret words"));
}

#[test]
fn a_task_without_a_trace_has_its_own_and_a_redriven_run_links_to_its_origin() {
    let collector = Collector::new();
    let mut world = World::with(to(&collector, |otel| otel));
    let (task, run) = world.submit(r#"{"kind":"a","constraints":{"max_attempts":1}}"#);
    world.finish(&world.claim_one(), "failure", "").expect(200);
    world
        .post(&format!("/api/v1/runs/{run}/retry"), "")
        .expect(201);
    world.finish(&world.claim_one(), "success", "").expect(200);
    world.end();
    let spans = collector.spans();
    let trace = task.replace('-', "");
    assert!(
        spans.iter().all(|span| span["traceId"] == trace.as_str()),
        "{spans:?}"
    );
    let attempts = named(&spans, "attempt a");
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[1]["links"][0]["spanId"], attempts[0]["spanId"]);
    assert_eq!(attempts[0]["status"]["message"], "failed");
}

#[test]
fn requests_that_come_with_a_trace_are_part_of_it() {
    let collector = Collector::new();
    let mut world = World::with(to(&collector, |otel| otel));
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let unkept = format!("00-{TRACE}-{PARENT}-00");
    for (path, traceparent) in [
        ("/api/v1/stats?x=s3cret", traceparent.as_str()),
        (
            "/api/v1/runs/00000000-0000-0000-0000-0000000000aa",
            traceparent.as_str(),
        ),
        ("/api/v1/stats", unkept.as_str()),
        ("/api/v1/stats", "nonsense"),
    ] {
        world.send(
            "GET",
            path,
            &[("traceparent", traceparent), ("x-request-id", "r7")],
            b"",
        );
    }
    world.end();
    let spans = collector.spans();
    assert_eq!(spans.len(), 2, "{spans:?}");
    for span in &spans {
        assert_eq!(
            (&span["traceId"], &span["parentSpanId"], &span["kind"]),
            (&TRACE.into(), &PARENT.into(), &2.into())
        );
        assert_eq!(attribute(span, "mainstay.request_id"), "r7");
    }
    let run = named(&spans, "GET /api/v1/runs/{run_id}")[0];
    assert_eq!(attribute(run, "http.response.status_code"), "404");
    assert_eq!(attribute(run, "error.type"), "run_not_found");
    assert!(!format!("{spans:?}").contains("s3cret"));
}

#[test]
fn nothing_is_lost_in_an_orderly_stop_and_a_share_keeps_whole_traces() {
    let (all, half) = (Collector::new(), Collector::new());
    for (collector, ratio) in [(&all, 1.0), (&half, 0.5)] {
        let mut world = World::with(to(collector, |otel| otel.sample(ratio).queue_spans(700)));
        let tasks = vec![r#"{"kind":"a"}"#; 1000].join(",");
        world
            .post("/api/v1/tasks/batch", &format!(r#"{{"tasks":[{tasks}]}}"#))
            .expect(200);
        let leases = world.claim(r#"{"worker":"w","max":1000}"#);
        let results: Vec<String> = leases
            .iter()
            .map(|lease| {
                format!(
                    r#"{{"run_id":{},"token":{},"outcome":"success"}}"#,
                    lease["run_id"], lease["token"]
                )
            })
            .collect();
        world
            .post(
                "/api/v1/leases/finish",
                &format!(r#"{{"results":[{}]}}"#, results.join(",")),
            )
            .expect(200);
        world.end();
        let mut traces: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for span in collector.spans() {
            traces
                .entry(text(&span["traceId"]))
                .or_default()
                .push(text(&span["name"]));
        }
        let kept = traces.len();
        for (trace, mut names) in traces {
            names.sort();
            assert_eq!(names, ["attempt a", "submit a", "wait default"], "{trace}");
        }
        if ratio == 1.0 {
            assert_eq!(kept, 1000);
        } else {
            assert!((350..650).contains(&kept), "{kept}");
        }
    }
}

#[test]
fn a_collector_that_is_down_harms_nobody_and_is_told_later_with_the_same_ids() {
    let collector = Collector::new();
    collector.answer(503);
    let cursors = tempfile::tempdir().expect("a directory");
    let cursor = cursors.path().join("traces.cursor");
    let directory = Arc::new(tempfile::tempdir().expect("a directory"));
    let with = |drain_ms| {
        let cursor = cursor.clone();
        let otel = to(&collector, |otel| otel.cursor(cursor).queue_spans(2));
        move |config: &mut Config| {
            otel(config);
            config.drain_time_max = Duration::from_millis(drain_ms);
        }
    };
    let mut world = World::at(Arc::clone(&directory), Engine::options(), with(300));
    for _ in 0..2 {
        a_retry(&world, "");
    }
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let told = exposition::read(world.get("/metrics").text());
        let failed = told.value("mainstay_trace_exports_failed_total", &[]);
        let dropped = told.value("mainstay_trace_spans_total", &[("outcome", "dropped")]);
        if failed > 0.0 && dropped > 0.0 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{failed} {dropped}");
        std::thread::sleep(Duration::from_millis(50));
    }
    world.get("/ready").expect(200);
    world.end();
    drop(world);
    assert!(collector.spans().is_empty());
    // The next life tells nothing of a first life without a cursor: it has none of its own to go on from.
    std::fs::write(&cursor, format!("{} 0\n", log_id(&directory, with(300)))).expect("written");
    collector.answer(200);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut world = World::at(Arc::clone(&directory), Engine::options(), with(5000));
        world.end();
        drop(world);
        let log = std::fs::read_to_string(&cursor).expect("a cursor");
        let (log, sent) = log.trim_end().split_once(' ').expect("log and sequence");
        assert!(sent.parse::<u64>().expect("a number") > 10, "{sent}");
        std::fs::write(&cursor, format!("{log} 0\n")).expect("written");
        let mut seen: Vec<(String, String)> = collector
            .spans()
            .iter()
            .map(|span| (text(&span["traceId"]), text(&span["spanId"])))
            .collect();
        seen.sort();
        seen.dedup();
        ids.push(seen);
    }
    assert_eq!(
        ids[0].len(),
        2 * 5,
        "submit, two waits, two attempts of each"
    );
    assert_eq!(ids[0], ids[1], "told again, never anew");
}

fn log_id(directory: &Arc<tempfile::TempDir>, change: impl FnOnce(&mut Config)) -> String {
    let world = World::at(Arc::clone(directory), Engine::options(), |config| {
        change(config);
        config.otel = None;
    });
    text(&Value::from(
        world
            .get("/api/v1/stats")
            .header("mainstay-log")
            .expect("a log"),
    ))
}

#[test]
fn what_began_before_anybody_listened_is_looked_up() {
    let collector = Collector::new();
    let directory = Arc::new(tempfile::tempdir().expect("a directory"));
    let before = World::at(Arc::clone(&directory), Engine::options(), |_| {});
    let task = format!(r#"{{"kind":"a","traceparent":"00-{TRACE}-{PARENT}-01"}}"#);
    before.submit(&task);
    let lease = before.claim_one();
    drop(before);
    let change = to(&collector, |otel| otel);
    let mut world = World::at(Arc::clone(&directory), Engine::options(), change);
    world.finish(&lease, "success", "").expect(200);
    world.end();
    let spans = collector.spans();
    let attempts = named(&spans, "attempt a");
    assert_eq!((spans.len(), attempts.len()), (1, 1), "{spans:?}");
    assert_eq!(attempts[0]["traceId"], TRACE);
    assert_eq!(attribute(attempts[0], "mainstay.worker"), "w1");
    let id = text(&lease["attempt_id"]).replace('-', "");
    assert_eq!(text(&attempts[0]["spanId"]), id[16..]);
    let nanos = |name: &str| text(&attempts[0][name]).parse::<u64>().expect("a time");
    assert!(nanos("startTimeUnixNano") < nanos("endTimeUnixNano"));
}

#[test]
fn each_run_of_a_calendar_has_a_trace_of_its_own_that_links_to_the_submit() {
    let collector = Collector::new();
    let mut world = World::with(to(&collector, |otel| otel));
    let (task, _) =
        world.submit(r#"{"kind":"a","run_policy":{"type":"cron","expression":"* * * * * *"}}"#);
    let lease = world.claim(r#"{"worker":"w1","wait_ms":10000}"#).remove(0);
    world.finish(&lease, "success", "").expect(200);
    world.end();
    let spans = collector.spans();
    let (submit, attempt) = (named(&spans, "submit")[0], named(&spans, "attempt")[0]);
    let hex = |id: &str| id.replace('-', "");
    assert_eq!(text(&submit["traceId"]), hex(&task));
    assert_eq!(text(&attempt["traceId"]), hex(&text(&lease["run_id"])));
    assert_eq!(attempt.get("parentSpanId"), None);
    assert_eq!(attempt["links"][0]["spanId"], submit["spanId"]);
    assert_eq!(attempt["links"][0]["traceId"], submit["traceId"]);
}
