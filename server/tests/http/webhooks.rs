//! Webhooks to receivers of our own, over sockets: what arrives, who is refused, what a failing receiver does and does not hold up.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay_server::Config;
use serde_json::{Value, json};

use crate::harness::{World, text};
use crate::metrics::scrape;

/// How long a test waits for something that has to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request as it arrived.
struct Arrived {
    head: String,
    body: String,
}

impl Arrived {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines();
        let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_else(|| panic!("{name} is among {}", self.head))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// What a receiver does: the signature over id, time and body, and a clock that is not far off.
    fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key.expect("base64"));
        let (id, sent) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let content = format!("{id}.{sent}.{}", self.body);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("now");
        let is_young = now.as_secs().abs_diff(sent.parse().expect("a number")) <= 300;
        let signatures = self.header("webhook-signature").split(' ');
        let mut decoded =
            signatures.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        is_young && decoded.any(|one| hmac::verify(&key, content.as_bytes(), &one).is_ok())
    }
}

/// A receiver: answers the statuses it was told to, then 200; with none at all when it hangs.
struct Sink {
    address: SocketAddr,
    arrived: Receiver<Arrived>,
}

impl Sink {
    fn new(statuses: &[&str]) -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut statuses: VecDeque<String> = statuses.iter().map(|one| (*one).to_owned()).collect();
        let (tell, arrived) = channel();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(request) = read(&mut stream) else {
                    continue;
                };
                if tell.send(request).is_err() {
                    return;
                }
                let status = statuses.pop_front();
                let status = status.unwrap_or_else(|| "200 OK".to_owned());
                if status == "hang" {
                    held.push(stream);
                    statuses.push_front(status);
                    continue;
                }
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 6\r\n\r\nsecret");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Sink { address, arrived }
    }

    fn next(&self) -> Arrived {
        self.arrived.recv_timeout(PATIENCE).expect("it arrives")
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

fn read(stream: &mut TcpStream) -> Option<Arrived> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let got = stream.read(&mut piece).ok()?;
        bytes.extend_from_slice(&piece[..got]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length?.parse().ok()? {
                return Some(Arrived {
                    head: head.to_owned(),
                    body: body.to_owned(),
                });
            }
        }
        if got == 0 {
            return None;
        }
    }
}

fn local(config: &mut Config) {
    config.webhooks.allow_http = true;
    config.webhooks.allow_networks = vec!["127.0.0.0/8".to_owned()];
}

/// Makes a webhook; gives its id and its secret.
fn hook(world: &World, url: &str, events: &[&str], rest: Value) -> (String, String) {
    let mut body = json!({"name": "ops", "url": url, "events": events});
    for (name, value) in rest.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let made = world
        .post("/api/v1/webhooks", &body.to_string())
        .expect(201);
    (text(&made["webhook_id"]), text(&made["secret"]))
}

fn deliveries(world: &World, id: &str) -> Vec<Value> {
    let page = world.get(&format!("/api/v1/webhooks/{id}/deliveries"));
    let page = page.expect(200);
    page["deliveries"].as_array().expect("a list").clone()
}

/// Looks until a webhook's deliveries are as wanted.
fn until(world: &World, id: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    for _ in 0..600 {
        let rows = deliveries(world, id);
        if is_so(&rows) {
            return rows;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the deliveries stay {:?}", deliveries(world, id));
}

fn states(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| text(&row["state"])).collect()
}

#[test]
fn an_event_arrives_signed_as_the_feed_shows_it() {
    let world = World::with(local);
    let sink = Sink::new(&[]);
    let (id, secret) = hook(&world, &sink.url(), &["run_completed"], json!({}));
    assert!(secret.starts_with("whsec_"));
    let (task, run) = world.submit(r#"{"kind":"mail.send"}"#);
    let lease = world.claim_one();
    world.finish(&lease, "success", r#","output":{"sent":true}"#);
    let arrived = sink.next();
    assert!(arrived.head.starts_with("POST /hook HTTP/1.1"));
    assert!(arrived.is_signed_by(&secret));
    assert_eq!(arrived.header("content-type"), "application/json");
    let event = arrived.json();
    assert_eq!(event["type"], "run_completed");
    assert_eq!(
        (text(&event["task_id"]), text(&event["run_id"])),
        (task, run)
    );
    let shown = world.get("/api/v1/events?type=run_completed").expect(200);
    assert_eq!(shown["events"][0], event);
    let sequence = event["sequence"].as_u64().expect("a number");
    let named = format!("msg_{}_{sequence}", id.replace('-', ""));
    assert_eq!(arrived.header("webhook-id"), named);
    let rows = until(&world, &id, |rows| !rows.is_empty());
    assert_eq!(states(&rows), ["delivered"]);
    assert_eq!(rows[0]["delivery_id"], sequence);
    assert_eq!(
        (&rows[0]["last_status"], &rows[0]["attempts"]),
        (&json!(200), &json!(1))
    );
    assert_eq!(rows[0]["last_error"], Value::Null);
    // What the receiver answers is nobody's business.
    let told = world.get(&format!("/api/v1/webhooks/{id}/deliveries"));
    assert!(!told.text().contains("secret"));
    let shown = world.get(&format!("/api/v1/webhooks/{id}"));
    assert!(!shown.text().contains(&secret[6..]), "{}", shown.text());
    let seen = world.get("/api/v1/events?limit=1000");
    assert!(!seen.text().contains(&secret[6..]) && !seen.text().contains("/hook"));
}

#[test]
fn only_work_of_the_named_queues_and_kinds_is_told() {
    let world = World::with(local);
    let sink = Sink::new(&[]);
    let only = json!({"queues": ["mail"], "kinds": ["a", "b"]});
    let (_, _) = hook(&world, &sink.url(), &["*"], only);
    world.submit(r#"{"kind":"a","queue":"other"}"#);
    world.submit(r#"{"kind":"c","queue":"mail"}"#);
    let (task, _) = world.submit(r#"{"kind":"b","queue":"mail"}"#);
    assert_eq!(text(&sink.next().json()["task_id"]), task);
    assert_eq!(text(&sink.next().json()["task_id"]), task);
}

#[test]
fn what_fails_waits_for_its_time_and_holds_up_nothing() {
    let world = World::with(local);
    let sink = Sink::new(&[
        "500 No",
        "302 Found\r\nlocation: http://127.0.0.1:1/",
        "429 Later\r\nretry-after: 3600",
    ]);
    let (id, secret) = hook(&world, &sink.url(), &["task_created"], json!({}));
    for _ in 0..4 {
        world.submit(r#"{"kind":"k"}"#);
    }
    let ids: Vec<String> = (0..4)
        .map(|_| sink.next().header("webhook-id").to_owned())
        .collect();
    let rows = until(&world, &id, |rows| rows.len() == 4);
    let mut found: Vec<(String, u64, String)> = rows
        .iter()
        .map(|row| {
            let status = row["last_status"].as_u64().expect("a status");
            (text(&row["state"]), status, row["last_error"].to_string())
        })
        .collect();
    found.sort();
    let failed = |status| ("pending".to_owned(), status, "\"status\"".to_owned());
    assert_eq!(
        found,
        [
            ("delivered".to_owned(), 200, "null".to_owned()),
            failed(302),
            failed(429),
            failed(500)
        ]
    );
    let asked_for_time = rows
        .iter()
        .find(|row| row["last_status"] == 429)
        .expect("one");
    assert!(text(&asked_for_time["next_at"]) > text(&asked_for_time["attempted_at"]));
    // Sent again on request: the same event under the same name, with a new time.
    let delivery = asked_for_time["delivery_id"].as_u64().expect("a number");
    let path = format!("/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver");
    world.post(&path, "").expect(202);
    let again = loop {
        // One that was due by itself meanwhile may come first.
        let again = sink.next();
        if again
            .header("webhook-id")
            .ends_with(&format!("_{delivery}"))
        {
            break again;
        }
    };
    assert!(ids.contains(&again.header("webhook-id").to_owned()));
    assert!(again.is_signed_by(&secret));
    until(&world, &id, |rows| {
        let mut rows = rows.iter();
        rows.any(|row| {
            row["delivery_id"] == delivery && row["state"] == "delivered" && row["attempts"] == 2
        })
    });
    let missing = format!("/api/v1/webhooks/{id}/deliveries/1/redeliver");
    world
        .post(&missing, "")
        .expect_error(404, "delivery_not_found");
    let wrong = format!("/api/v1/webhooks/{id}/deliveries/x/redeliver");
    world
        .post(&wrong, "")
        .expect_error(400, "invalid_delivery_id");
}

#[test]
fn a_receiver_that_hangs_holds_up_neither_the_engine_nor_others() {
    let world = World::with(local);
    let (hanging, healthy) = (Sink::new(&["hang"]), Sink::new(&[]));
    let (slow, _) = hook(&world, &hanging.url(), &["task_created"], json!({}));
    let (quick, _) = hook(&world, &healthy.url(), &["task_created"], json!({}));
    for _ in 0..40 {
        world.submit(r#"{"kind":"k"}"#);
    }
    hanging.next();
    for _ in 0..40 {
        healthy.next();
    }
    let rows = until(&world, &quick, |rows| rows.len() == 40);
    assert!(rows.iter().all(|row| row["state"] == "delivered"));
    // The hanging one has answered nothing yet, or was given up on after its deadline.
    assert!(
        deliveries(&world, &slow)
            .iter()
            .all(|row| row["state"] == "pending")
    );
    // A test can be asked for meanwhile, and the webhook can be removed.
    world
        .call("DELETE", &format!("/api/v1/webhooks/{slow}"), "{}")
        .expect(200);
}

#[test]
fn a_receiver_that_is_gone_is_left_alone_and_the_incident_is_on_record() {
    let world = World::with(local);
    let sink = Sink::new(&["410 Gone"]);
    let (id, _) = hook(&world, &sink.url(), &["task_created"], json!({}));
    let (task, _) = world.submit(r#"{"kind":"k"}"#);
    sink.next();
    let rows = until(&world, &id, |rows| states(rows) == ["failed"]);
    let shown = world.get(&format!("/api/v1/webhooks/{id}")).expect(200);
    assert_eq!(
        (&shown["state"], &shown["disabled"]["why"]),
        (&json!("disabled"), &json!("gone"))
    );
    let told = scrape(&world);
    for (name, labels, expected) in [
        ("mainstay_webhooks", ("state", "gone"), 1.0),
        ("mainstay_webhooks", ("state", "enabled"), 0.0),
        ("mainstay_webhook_attempts_total", ("result", "failed"), 1.0),
    ] {
        assert_eq!(told.value(name, &[labels]), expected, "{name} {labels:?}");
    }
    let ledger = world.get("/api/v1/ledger?ledger_key=incident").expect(200);
    let entry = &ledger["entries"][0]["payload"];
    assert_eq!(entry["incident"], "webhook_delivery_failed");
    assert_eq!(
        (text(&entry["webhook_id"]), text(&entry["task_id"])),
        (id.clone(), task)
    );
    assert_eq!(
        (&entry["last_status"], &entry["event_sequence"]),
        (&json!(410), &rows[0]["delivery_id"])
    );
    let test = format!("/api/v1/webhooks/{id}/test");
    world.post(&test, "").expect_error(409, "webhook_disabled");
    // Enabled again it goes on where it stopped: nothing is lost.
    world.submit(r#"{"kind":"k"}"#);
    world
        .post(
            &format!("/api/v1/webhooks/{id}/enable"),
            r#"{"reason":"back"}"#,
        )
        .expect(200);
    assert_eq!(sink.next().json()["type"], "task_created");
    until(&world, &id, |rows| rows.len() == 2);
}

#[test]
fn another_process_goes_on_where_the_one_before_ended() {
    let world = World::with(local);
    let sink = Sink::new(&["503 Later"]);
    let (id, secret) = hook(&world, &sink.url(), &["task_created"], json!({}));
    world.submit(r#"{"kind":"k"}"#);
    let first = sink.next().header("webhook-id").to_owned();
    let before = until(&world, &id, |rows| states(rows) == ["pending"]);
    let world = world.reopened(|config| {
        local(config);
        // The port of the receiver stays the same; so do the secrets.
    });
    // The delivery is as it was, or its time has come meanwhile.
    let now = deliveries(&world, &id);
    assert_eq!(now[0]["delivery_id"], before[0]["delivery_id"]);
    world.submit(r#"{"kind":"k"}"#);
    let mut seen = [sink.next(), sink.next()];
    seen.sort_by_key(|one| one.header("webhook-id") != first);
    assert_eq!(seen[0].header("webhook-id"), first);
    assert!(seen.iter().all(|one| one.is_signed_by(&secret)));
    let rows = until(&world, &id, |rows| {
        states(rows) == ["delivered", "delivered"]
    });
    assert_eq!(rows[1]["attempts"], 2);
}

#[test]
fn both_secrets_sign_after_a_rotation_and_a_test_arrives_at_once() {
    let world = World::with(local);
    let sink = Sink::new(&[]);
    let (id, old) = hook(&world, &sink.url(), &["schedule_ended"], json!({}));
    let rotated = world
        .post(&format!("/api/v1/webhooks/{id}/rotate"), "")
        .expect(200);
    assert_eq!(rotated["generation"], 2);
    let new = text(&rotated["secret"]);
    assert_ne!(new, old);
    let sent = world
        .post(&format!("/api/v1/webhooks/{id}/test"), "")
        .expect(202);
    let arrived = sink.next();
    assert!(arrived.is_signed_by(&new) && arrived.is_signed_by(&old));
    let event = arrived.json();
    assert_eq!(
        (&event["type"], &event["sequence"]),
        (&json!("webhook_test"), &sent["delivery_id"])
    );
    until(&world, &id, |rows| states(rows) == ["delivered"]);
}

#[test]
fn a_webhook_that_leads_inward_is_refused_when_it_is_made_and_when_it_is_sent() {
    // The server's own port, and everything else of this machine, is not on the public internet.
    let world = World::with(|config| config.webhooks.allow_http = true);
    let own = format!("http://{}/", world.address);
    for url in [
        own.as_str(),
        "http://127.0.0.1:8080/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]:8080/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://user:pass@example.com/",
        "https://example.com:25/",
        "ftp://example.com/",
    ] {
        let body = json!({"name": "ops", "url": url, "events": ["*"]}).to_string();
        let refused = world.post("/api/v1/webhooks", &body);
        let refused = refused.expect_error(422, "invalid_request");
        assert_eq!(refused["field"], "url", "{url}");
    }
    let plain = World::new();
    let body = r#"{"name":"ops","url":"http://example.com/","events":["*"]}"#;
    plain
        .post("/api/v1/webhooks", body)
        .expect_error(422, "invalid_request");
    // A name is judged when it is connected to: nothing arrives, and the tenant learns no address.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let url = format!("http://localhost:{port}/");
    let (id, _) = hook(&world, &url, &["task_created"], json!({}));
    world.submit(r#"{"kind":"k"}"#);
    let rows = until(&world, &id, |rows| !rows.is_empty());
    assert_eq!(rows[0]["last_error"], "address_refused");
    listener.set_nonblocking(true).expect("set");
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn what_is_set_is_checked_shown_and_kept_once() {
    let world = World::with(local);
    for (body, part) in [
        (
            r#"{"name":"ops","url":"https://example.com/","events":["run_danced"]}"#,
            "run_danced",
        ),
        (
            r#"{"name":"ops","url":"https://example.com/","events":[]}"#,
            "at least one",
        ),
        (
            r#"{"name":"No Name","url":"https://example.com/","events":["*"]}"#,
            "must match",
        ),
    ] {
        let refused = world.post("/api/v1/webhooks", body);
        assert!(refused.text().contains(part), "{}", refused.text());
        refused.expect_error(422, "invalid_request");
    }
    let body =
        r#"{"name":"ops","url":"https://example.com/","events":["run_failed","run_failed"]}"#;
    let keyed = |body: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", "k"),
        ];
        world.send("POST", "/api/v1/webhooks", &headers, body.as_bytes())
    };
    let made = keyed(body).expect(201);
    let again = keyed(body).expect(200);
    assert_eq!(
        (&again["webhook_id"], &again["secret"]),
        (&made["webhook_id"], &Value::Null)
    );
    keyed(&body.replace("ops", "other")).expect_error(409, "idempotency_conflict");
    let path = format!("/api/v1/webhooks/{}", text(&made["webhook_id"]));
    let shown = world.get(&path).expect(200);
    assert_eq!(
        (&shown["events"], &shown["state"]),
        (&json!(["run_failed"]), &json!("enabled"))
    );
    let update = r#"{"name":"ops","url":"https://example.com/2","events":["*"],"queues":["b","a"],"reason":"moved"}"#;
    let changed = world.call("PUT", &path, update).expect(200);
    assert_eq!(
        (&changed["url"], &changed["queues"]),
        (&json!("https://example.com/2"), &json!(["a", "b"]))
    );
    assert_eq!(
        world.get("/api/v1/webhooks").expect(200)["webhooks"],
        json!([changed])
    );
    let off = world
        .post(&format!("{path}/disable"), r#"{"reason":"noise"}"#)
        .expect(200);
    assert_eq!(
        (&off["status"], &off["changed"]),
        (&json!("disabled"), &json!(true))
    );
    let off = world.post(&format!("{path}/disable"), "").expect(200);
    assert_eq!(off["changed"], false);
    world
        .call("DELETE", &path, r#"{"reason":"unused"}"#)
        .expect(200);
    world.get(&path).expect_error(404, "webhook_not_found");
    let trail = world.get("/api/v1/audit").expect(200);
    let entries = trail["entries"].as_array().expect("entries");
    let told: Vec<(String, String)> = entries
        .iter()
        .map(|entry| (text(&entry["what"]), entry["reason"].to_string()))
        .collect();
    let expected = [
        ("create_webhook", "null"),
        ("update_webhook", "\"moved\""),
        ("disable_webhook", "\"noise\""),
        ("delete_webhook", "\"unused\""),
    ];
    let expected = expected.map(|(what, reason)| (what.to_owned(), reason.to_owned()));
    assert_eq!(told, expected);
}
