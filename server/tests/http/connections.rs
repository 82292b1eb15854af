//! What a connection may do to the server, and how it ends.

use std::net::Shutdown;
use std::time::Duration;

use serde_json::json;

use crate::harness::World;

const SHORT: Duration = Duration::from_millis(150);

#[test]
fn garbage_is_answered_in_the_envelope_and_the_connection_closed() {
    let world = World::new();
    let garbage: &[&[u8]] = &[
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\0y\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /healthz HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
    ];
    for bytes in garbage {
        let mut connection = world.connect();
        connection.write(bytes);
        connection.response().expect_error(400, "malformed_request");
        assert!(
            connection.is_closed(),
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    // Garbage after a good request: the good one is answered first.
    let mut connection = world.connect();
    connection.write(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\nrubbish\r\n\r\n");
    connection.response().expect(200);
    connection.response().expect_error(400, "malformed_request");
    assert!(connection.is_closed());
}

#[test]
fn heads_beyond_their_limits_are_refused_in_the_envelope() {
    let world = World::new();
    let many: String = (0..70).map(|index| format!("x-{index}: y\r\n")).collect();
    let mut connection = world.connect();
    connection.write(format!("GET /healthz HTTP/1.1\r\n{many}\r\n").as_bytes());
    connection.response().expect_error(431, "headers_too_large");
    assert!(connection.is_closed());
    let mut connection = world.connect();
    connection
        .write(format!("GET /healthz HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(20_000)).as_bytes());
    connection.response().expect_error(431, "headers_too_large");
    let response = world.get(&format!("/{}", "u".repeat(8193)));
    assert_eq!(
        response.expect_error(414, "uri_too_long"),
        json!({"limit_bytes": 8192})
    );
}

#[test]
fn who_sends_slowly_or_nothing_is_closed_in_time() {
    let world = World::with(|config| {
        config.first_byte_time_max = SHORT;
        config.header_time_max = SHORT;
        config.idle_time_max = SHORT;
    });
    let mut silent = world.connect();
    let mut slow = world.connect();
    slow.write(b"GET /healthz HT");
    let mut idle = world.connect();
    idle.write(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n");
    idle.response().expect(200);
    // Half of a second request's head after a good first one.
    let mut half = world.connect();
    half.write(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n");
    half.response().expect(200);
    half.write(b"GET /heal");
    for connection in [&mut silent, &mut slow, &mut idle, &mut half] {
        assert!(connection.is_closed());
    }
}

#[test]
fn a_body_that_stops_is_answered_and_not_waited_for() {
    let world = World::with(|config| config.body_pause_max = SHORT);
    let mut connection = world.connect();
    let mut bytes = world.request(
        "POST",
        "/api/v1/tasks",
        &[
            ("content-type", "application/json"),
            ("content-length", "100"),
        ],
        b"",
    );
    bytes.extend_from_slice(b"{\"kind\":");
    connection.write(&bytes);
    let details = connection.response().expect_error(408, "request_timeout");
    assert_eq!(details, json!({"applied": "not_applied"}));
}

#[test]
fn a_body_that_drips_is_answered_when_its_grace_is_over() {
    let world = World::with(|config| {
        config.body_grace = SHORT;
        config.body_rate_min = 1 << 20;
    });
    let mut connection = world.connect();
    let head = world.request(
        "POST",
        "/api/v1/tasks",
        &[
            ("content-type", "application/json"),
            ("content-length", "1000"),
        ],
        b"",
    );
    connection.write(&head);
    let stream = connection.stream.try_clone().expect("a second handle");
    let dripping = std::thread::spawn(move || {
        use std::io::Write;
        while (&stream).write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    connection.response().expect_error(408, "request_timeout");
    connection.stream.shutdown(Shutdown::Both).ok();
    dripping.join().expect("no panic");
}

#[test]
fn chunked_bodies_and_pipelined_requests_are_served_in_order() {
    let world = World::new();
    let mut connection = world.connect();
    let one = world.request(
        "POST",
        "/api/v1/tasks",
        &[("content-type", "application/json")],
        br#"{"kind":"a"}"#,
    );
    let two = world.request("GET", "/nothing", &[], b"");
    let three = world.request("HEAD", "/healthz", &[], b"");
    let four = world.request("GET", "/healthz", &[], b"");
    connection.write(&[one, two, three, four].concat());
    connection.response().expect(201);
    connection.response().expect_error(404, "route_not_found");
    let head = connection.head();
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("15"))
    );
    connection.response().expect(200);

    let mut bytes = world.request(
        "POST",
        "/api/v1/tasks",
        &[
            ("content-type", "application/json"),
            ("transfer-encoding", "chunked"),
        ],
        b"",
    );
    bytes.extend_from_slice(b"8\r\n{\"kind\":\r\n4;ext=1\r\n\"a\"}\r\n0\r\n\r\n");
    connection.write(&bytes);
    let response = connection.response();
    response.expect(201);
    // Chunked bodies end their connection: whatever hides behind their length cannot become a request.
    assert_eq!(response.header("connection"), Some("close"));
    assert!(connection.is_closed());
}

#[test]
fn an_expected_continue_is_given() {
    let world = World::new();
    let mut connection = world.connect();
    let body = br#"{"kind":"a"}"#;
    let length = body.len().to_string();
    let headers = [
        ("content-type", "application/json"),
        ("expect", "100-continue"),
        ("content-length", &length),
    ];
    connection.write(&world.request("POST", "/api/v1/tasks", &headers, b""));
    assert_eq!(connection.head().status, 100);
    connection.write(body);
    connection.response().expect(201);
}

#[test]
fn one_connection_more_than_allowed_is_told_busy() {
    let world = World::with(|config| config.connections_max = 2);
    let mut held = [world.connect(), world.connect()];
    for connection in &mut held {
        connection.write(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n");
        connection.response().expect(200);
    }
    let mut third = world.connect();
    let response = third.response();
    assert_eq!(
        response.expect_error(503, "busy"),
        json!({"limit": "connections"})
    );
    assert_eq!(response.header("retry-after"), Some("1"));
    assert!(third.is_closed());
}

#[test]
fn an_address_has_its_own_bound_when_one_is_set() {
    let world = World::with(|config| config.connections_per_ip_max = Some(1));
    let mut first = world.connect();
    first.write(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n");
    first.response().expect(200);
    let details = world.connect().response().expect_error(503, "busy");
    assert_eq!(details, json!({"limit": "connections_per_ip"}));
}

#[test]
fn bodies_beyond_what_all_requests_may_hold_are_told_busy() {
    let world = World::with(|config| config.bodies_bytes_max = 10);
    let response = world.post("/api/v1/tasks", r#"{"kind":"a"}"#);
    assert_eq!(
        response.expect_error(503, "busy"),
        json!({"limit": "body_bytes"})
    );
    assert_eq!(world.get("/api/v1/stats").expect(200)["total_tasks"], 0);
}

#[test]
fn the_end_lets_requests_finish_and_answers_long_polls_empty() {
    let mut world = World::new();
    let mut idle = world.connect();
    idle.write(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n");
    idle.response().expect(200);
    let mut waiting = world.connect();
    let body = br#"{"worker":"w","wait_ms":60000}"#;
    waiting.write(&world.request(
        "POST",
        "/api/v1/leases",
        &[("content-type", "application/json")],
        body,
    ));
    while world.engine.handle().metrics().waiters == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let ended = world.end();
    assert_eq!(ended.cut, 0);
    assert_eq!(waiting.response().expect(200), json!({"leases": []}));
    assert!(waiting.is_closed());
    assert!(idle.is_closed());
}

#[test]
fn a_request_that_does_not_finish_is_cut_at_the_drain_time() {
    let mut world = World::with(|config| config.drain_time_max = SHORT);
    let mut stuck = world.connect();
    let head = world.request(
        "POST",
        "/api/v1/tasks",
        &[
            ("content-type", "application/json"),
            ("content-length", "9"),
        ],
        b"",
    );
    stuck.write(&head);
    stuck.write(b"{");
    // The request is in progress once the server has answered another one that came later.
    world.get("/healthz").expect(200);
    std::thread::sleep(SHORT);
    assert_eq!(world.end().cut, 1);
}

#[test]
fn a_stopped_server_is_not_ready() {
    let world = World::new();
    world.engine.handle().drain();
    let ready = world.get("/ready");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json(), json!({"status": "draining"}));
    assert_eq!(world.get("/healthz").expect(200), json!({"status": "ok"}));
}

#[test]
fn an_address_beyond_its_bound_may_come_back_when_it_has_left() {
    let world = World::with(|config| config.connections_per_ip_max = Some(1));
    for _ in 0..3 {
        // The place is free once the server has seen the peer leave, which is soon after it has.
        let answered = std::iter::repeat_with(|| {
            let mut connection = world.connect();
            connection.write(b"GET /healthz HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
            connection.response().status
        });
        assert!(answered.take(1000).any(|status| status == 200));
    }
}
