//! The event feed over real sockets: pages, long polls, streams.

use std::time::{Duration, Instant};

use mainstay::Engine;
use serde_json::Value;

use crate::harness::{Connection, World, text};

/// Sequence and type of every event of an answer.
fn told(answer: &Value) -> Vec<(u64, String)> {
    let events = answer["events"].as_array().expect("a list");
    events
        .iter()
        .map(|event| {
            (
                event["sequence"].as_u64().expect("a number"),
                text(&event["type"]),
            )
        })
        .collect()
}

fn types(answer: &Value) -> Vec<String> {
    told(answer).into_iter().map(|(_, name)| name).collect()
}

fn all(world: &World) -> Vec<(u64, String)> {
    told(&world.get("/api/v1/events?limit=1000").expect(200))
}

/// A stream of server-sent events.
struct Stream {
    connection: Connection,
    text: String,
}

impl Stream {
    fn open(world: &World, path: &str, headers: &[(&str, &str)]) -> Stream {
        let mut headers = headers.to_vec();
        headers.push(("accept", "text/event-stream"));
        let mut connection = world.connect();
        connection.write(&world.request("GET", path, &headers, b""));
        let head = connection.head();
        assert_eq!(head.status, 200);
        head.check_headers();
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        assert_eq!(head.header("connection"), Some("close"));
        Stream {
            connection,
            text: String::new(),
        }
    }

    /// The next event: id, type and data; `None` at the end.
    fn next(&mut self) -> Option<(u64, String, Value)> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                let of = |name: &str| -> Vec<&str> {
                    let lines = block.lines();
                    lines.filter_map(|line| line.strip_prefix(name)).collect()
                };
                if let [kind] = of("event: ")[..] {
                    let data = serde_json::from_str(&of("data: ").join("\n")).expect("JSON");
                    let id = of("id: ")[0].parse().expect("a number");
                    return Some((id, kind.to_owned(), data));
                }
            }
            let chunk = self.connection.chunk()?;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
}

#[test]
fn pages_follow_one_another_and_say_what_happened() {
    let world = World::new();
    let (task, run) = world.submit(r#"{"kind":"k","payload":{"a":1},"metadata":{"tags":["t"]}}"#);
    let lease = world.claim_one();
    let finish = format!(
        r#"{{"token":"{}","outcome":"success","output":[1,2]}}"#,
        text(&lease["token"])
    );
    world
        .post(&format!("/api/v1/runs/{run}/finish"), &finish)
        .expect(200);
    let answer = world.get("/api/v1/events").expect(200);
    assert_eq!(
        types(&answer),
        [
            "task_created",
            "run_created",
            "run_started",
            "run_completed"
        ]
    );
    let events = answer["events"].as_array().expect("a list");
    for event in events {
        assert_eq!(event["task_id"], task.as_str(), "{event}");
        assert!(event["at"].as_str().expect("an instant").ends_with('Z'));
    }
    assert_eq!(events[0]["data"]["kind"], "k");
    assert_eq!(events[0]["data"]["payload"], serde_json::json!({"a": 1}));
    assert_eq!(events[0]["data"]["tags"], serde_json::json!(["t"]));
    assert!(events[0].get("run_id").is_none());
    assert_eq!(events[2]["run_id"], run.as_str());
    assert_eq!(events[2]["actor"], "w1");
    assert_eq!(events[2]["data"]["attempt"], 1);
    assert!(events[2]["data"].get("counter").is_none());
    assert_eq!(events[3]["data"]["output"], serde_json::json!([1, 2]));
    let expected = told(&answer);
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let page = world
            .get(&format!("/api/v1/events?after={after}&limit=1"))
            .expect(200);
        after = page["next"].as_u64().expect("a cursor");
        if told(&page).is_empty() {
            break;
        }
        seen.extend(told(&page));
    }
    assert_eq!(seen, expected);
    assert_eq!(after, world.engine.handle().sequence());
    let beyond = world.get("/api/v1/events?after=1000000").expect(200);
    assert!(told(&beyond).is_empty());
    assert_eq!(beyond["next"], 1_000_000);
}

#[test]
fn a_large_value_is_told_by_its_size() {
    let world = World::new();
    let payload = "x".repeat(5000);
    world.submit(&format!(r#"{{"kind":"k","payload":"{payload}"}}"#));
    let answer = world.get("/api/v1/events?type=task_created").expect(200);
    let data = &answer["events"][0]["data"];
    assert_eq!(data["payload_bytes"], 5002);
    assert!(data.get("payload").is_none());
}

#[test]
fn filters_are_read_strictly_and_apply_together() {
    let world = World::new();
    let (first, run) = world.submit(r#"{"kind":"k"}"#);
    let (second, _) = world.submit(r#"{"kind":"k"}"#);
    world.claim_one();
    world
        .post(&format!("/api/v1/tasks/{second}/cancel"), "")
        .expect(200);
    let get = |query: &str| types(&world.get(&format!("/api/v1/events?{query}")).expect(200));
    assert_eq!(
        get(&format!("task_id={first}")),
        ["task_created", "run_created", "run_started"]
    );
    assert_eq!(
        get(&format!("run_id={run}")),
        ["run_created", "run_started"]
    );
    assert_eq!(
        get("type=task_canceled,run_started"),
        ["run_started", "task_canceled"]
    );
    assert_eq!(
        get("type=task_canceled&type=run_started"),
        ["run_started", "task_canceled"]
    );
    assert_eq!(
        get(&format!("type=run_started&task_id={second}")),
        Vec::<String>::new()
    );
    let own = |path: String| types(&world.get(&path).expect(200));
    assert_eq!(
        own(format!("/api/v1/runs/{run}/events")),
        ["run_created", "run_started"]
    );
    assert_eq!(
        own(format!("/api/v1/tasks/{second}/events?type=task_canceled")),
        ["task_canceled"]
    );
    let refused = |query: &str, status, code| {
        let answer = world.get(&format!("/api/v1/events?{query}"));
        answer.expect_error(status, code)
    };
    refused("since=1", 422, "unknown_parameter");
    refused("after=-1", 422, "invalid_parameter");
    refused("after=1&after=2", 422, "invalid_parameter");
    refused("wait_ms=60001", 422, "invalid_parameter");
    refused("limit=0", 422, "invalid_pagination");
    refused("limit=1001", 422, "invalid_pagination");
    refused("task_id=7", 400, "invalid_task_id");
    refused("run_id=7", 400, "invalid_run_id");
    let details = refused("type=run_exploded", 422, "invalid_parameter");
    assert!(details["allowed"].as_array().expect("a list").len() > 20);
    let unknown = "00000000-0000-4000-8000-000000000009";
    world
        .get(&format!("/api/v1/runs/{unknown}/events"))
        .expect_error(404, "run_not_found");
    world
        .get(&format!("/api/v1/tasks/{unknown}/events"))
        .expect_error(404, "task_not_found");
    let bad = world.send("GET", "/api/v1/events", &[("last-event-id", "x")], b"");
    bad.expect_error(400, "invalid_header");
}

#[test]
fn a_long_poll_is_woken_by_its_event_and_by_no_other() {
    let world = World::new();
    let (task, _) = world.submit(r#"{"kind":"k"}"#);
    let after = world.engine.handle().sequence();
    let mut waiting = world.connect();
    let path = format!("/api/v1/events?after={after}&type=task_canceled&wait_ms=20000");
    waiting.write(&world.request("GET", &path, &[], b""));
    world.submit(r#"{"kind":"other"}"#);
    std::thread::sleep(Duration::from_millis(50));
    let started = Instant::now();
    world
        .post(&format!("/api/v1/tasks/{task}/cancel"), "")
        .expect(200);
    let answer = waiting.response().expect(200);
    assert_eq!(types(&answer), ["task_canceled"]);
    assert!(started.elapsed() < Duration::from_secs(5));
    let started = Instant::now();
    let next = answer["next"].as_u64().expect("a cursor") + 1;
    let path = format!("/api/v1/events?after={next}&wait_ms=60");
    assert!(told(&world.get(&path).expect(200)).is_empty());
    assert!(started.elapsed() >= Duration::from_millis(60));
}

#[test]
fn a_stream_tells_what_happens_and_goes_on_where_its_reader_was() {
    let world = World::new();
    world.submit(
        r#"{"kind":"k","payload":{ "lines":
        1 }}"#,
    );
    let mut stream = Stream::open(&world, "/api/v1/events", &[]);
    let (id, kind, data) = stream.next().expect("an event");
    assert_eq!(kind, "task_created");
    assert_eq!(data["sequence"], id);
    assert_eq!(data["data"]["payload"]["lines"], 1);
    assert_eq!(stream.next().expect("an event").1, "run_created");
    world.claim_one();
    let (last, kind, _) = stream.next().expect("live");
    assert_eq!(kind, "run_started");
    drop(stream);
    world.submit(r#"{"kind":"k"}"#);
    let cursor = last.to_string();
    let mut again = Stream::open(
        &world,
        "/api/v1/events?after=0",
        &[("last-event-id", &cursor)],
    );
    let (id, kind, _) = again.next().expect("what was missed");
    assert_eq!((id, kind.as_str()), (last + 1, "task_created"));
    let mut filtered = Stream::open(&world, "/api/v1/events?type=run_started", &[]);
    assert_eq!(filtered.next().expect("an event").0, last);
}

#[test]
fn a_cursor_of_another_log_or_below_what_is_kept_is_gone() {
    let options = Engine::options()
        .low_water_bytes(0)
        .segment_bytes(1 << 20)
        .log_retain(0, 0)
        .snapshot_every_bytes(1 << 20);
    let world = World::of(options, |_| {});
    let log = world.engine.handle().log_id();
    let own = world.send("GET", "/api/v1/events", &[("mainstay-log", &log)], b"");
    own.expect(200);
    let foreign = "00000000-0000-4000-8000-000000000009";
    let headers = [("mainstay-log", foreign), ("accept", "text/event-stream")];
    let gone = world.send("GET", "/api/v1/events?after=1", &headers, b"");
    assert_eq!(gone.expect_error(410, "cursor_expired")["oldest"], 0);
    let payload = "x".repeat(60_000);
    let started = Instant::now();
    // What was read lately stays in memory for a while after the log has given it up.
    let gone = loop {
        assert!(started.elapsed() < Duration::from_secs(60), "no trim");
        for _ in 0..20 {
            world.submit(&format!(r#"{{"kind":"k","payload":"{payload}"}}"#));
        }
        let answer = world.get("/api/v1/events?after=0&limit=1");
        if answer.status != 200 {
            break answer;
        }
    };
    let details = gone.expect_error(410, "cursor_expired");
    let oldest = details["oldest"].as_u64().expect("a cursor");
    assert!(oldest > 0);
    let mut stream = world.connect();
    let accept = [("accept", "text/event-stream"), ("last-event-id", "0")];
    stream.write(&world.request("GET", "/api/v1/events", &accept, b""));
    stream.response().expect_error(410, "cursor_expired");
    let rest = world.get("/api/v1/events?limit=1").expect(200);
    assert!(told(&rest)[0].0 > oldest);
}

#[test]
fn readers_that_do_not_read_hold_up_nobody_and_miss_nothing() {
    let world = World::new();
    let mut slow: Vec<Stream> = (0..60)
        .map(|_| Stream::open(&world, "/api/v1/events", &[]))
        .collect();
    let task = format!(r#"{{"kind":"k","payload":"{}"}}"#, "x".repeat(3000));
    let batch = format!(r#"{{"tasks":[{}]}}"#, vec![task; 200].join(","));
    for _ in 0..10 {
        world.post("/api/v1/tasks/batch", &batch).expect(200);
    }
    let expected = all(&world);
    let last = world.engine.handle().sequence();
    assert_eq!(expected.len(), 1000, "a page of what is there");
    for stream in slow.iter_mut().step_by(20) {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|(id, _): &(u64, String)| *id < last) {
            let (id, kind, _) = stream.next().expect("an event");
            seen.push((id, kind));
        }
        assert_eq!(seen[..1000], expected);
        assert_eq!(seen.len(), 4000);
    }
}

#[test]
fn a_quiet_stream_is_kept_open_and_its_cursor_moves_over_what_its_filter_leaves_out() {
    let world = World::new();
    let mut stream = Stream::open(&world, "/api/v1/events?type=engine_paused", &[]);
    world.submit(r#"{"kind":"k"}"#);
    let last = world.engine.handle().sequence();
    let heartbeat = loop {
        let chunk = String::from_utf8(stream.connection.chunk().expect("open")).expect("UTF-8");
        if chunk.starts_with(':') {
            break chunk;
        }
    };
    assert_eq!(heartbeat, format!(": {last}\nid: {last}\n\n"));
}

#[test]
fn streams_and_long_polls_end_with_the_server() {
    let mut world = World::new();
    world.submit(r#"{"kind":"k"}"#);
    let mut stream = Stream::open(&world, "/api/v1/events?type=task_created", &[]);
    assert!(stream.next().is_some());
    let mut waiting = world.connect();
    let path = "/api/v1/events?after=100&wait_ms=60000";
    waiting.write(&world.request("GET", path, &[], b""));
    std::thread::sleep(Duration::from_millis(100));
    let ended = world.end();
    assert_eq!(ended.cut, 0);
    assert!(told(&waiting.response().expect(200)).is_empty());
    assert!(stream.next().is_none(), "the stream ends in order");
}
