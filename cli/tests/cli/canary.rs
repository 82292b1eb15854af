//! Secrets that are given everywhere they can be given, and looked for everywhere they must not be: the log at its most talkative,
//! answers, metrics, traces, events, and every file.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{PATIENCE, Served, eventually, serve};

const RANDOM_ID: &str = "0191e2a0-0000-7000-8000-00000000ca11";
/// What payloads, outputs, memos, words for people and other people's data are marked with.
const DATA: &str = "CANARYdata7f3b91";
/// What is given as a key and is none, in headers and in query strings.
const GIVEN: &str = "CANARYgiven5c2e08";
/// What traces are sent with.
const COLLECTOR: &str = "CANARYcollector41aa";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// One answer.
struct Answer {
    what: String,
    status: u16,
    body: Vec<u8>,
    head: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A server and everything it ever answered.
struct Tour {
    address: String,
    admin: String,
    answers: Vec<Answer>,
}

impl Tour {
    /// One request on a connection of its own; `key` is whole, as in the header.
    fn send(&mut self, key: &str, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).expect("a server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let key = if key.is_empty() {
            String::new()
        } else {
            format!("authorization: {key}\r\n")
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\ncontent-type: application/json\r\n{key}\
             cookie: session={GIVEN}\r\nx-custom: {GIVEN}\r\ntraceparent: {TRACEPARENT}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("{method} {path}: {bytes:?}"));
        let body = bytes.split_off(end + 4);
        let status = String::from_utf8_lossy(&bytes[9..12]).parse();
        let answer = Answer {
            what: format!("{method} {path}"),
            status: status.expect("a status"),
            body,
            head: bytes,
        };
        let json = answer.json();
        self.answers.push(answer);
        json
    }

    fn admin(&mut self, method: &str, path: &str, body: &str) -> Value {
        let key = format!("Bearer {}", self.admin);
        self.send(&key, method, path, body)
    }

    fn made(&mut self, path: &str, body: &str) -> Value {
        let answer = self.admin("POST", path, body);
        let status = self.answers.last().map(|answer| answer.status);
        assert!(matches!(status, Some(200 | 201)), "{path}: {answer}");
        answer
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A place where something may not be.
struct Place {
    name: String,
    bytes: Vec<u8>,
}

fn files(directory: &Path, into: &mut Vec<Place>, but: &str) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, into, but);
        } else if !path.ends_with(but) {
            into.push(Place {
                name: path.display().to_string(),
                bytes: std::fs::read(&path).expect("a file"),
            });
        }
    }
}

/// The bytes themselves, and as others write them.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let listed: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let reversed: String = secret.chars().rev().collect();
    [
        secret.to_owned(),
        hex.to_uppercase(),
        hex,
        escaped,
        listed.join(", "),
        reversed,
    ]
    .map(String::into_bytes)
    .into()
}

fn hits(places: &[Place], secrets: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for secret in secrets {
        for bytes in spellings(secret) {
            for place in places {
                if holds(&place.bytes, &bytes) {
                    found.push(format!("{secret:.6}… in {}", place.name));
                }
            }
        }
    }
    found
}

/// Whether the bytes stand in there; looks at whole places only where the first byte fits.
fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    let mut rest = haystack;
    while let Some(at) = rest.iter().position(|byte| *byte == needle[0]) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// Takes whatever is sent and keeps the bodies.
fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let own = Arc::clone(&kept);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let timeout = Some(Duration::from_millis(500));
            stream.set_read_timeout(timeout).expect("a timeout");
            let (mut bytes, mut chunk) = (Vec::new(), [0; 65536]);
            loop {
                match stream.read(&mut chunk) {
                    Ok(count) if count > 0 => bytes.extend_from_slice(&chunk[..count]),
                    _ => break,
                }
                if is_whole(&bytes) {
                    break;
                }
            }
            let begin = bytes.windows(4).position(|it| it == b"\r\n\r\n");
            let body = begin.map_or(&[][..], |begin| &bytes[begin + 4..]);
            own.lock().expect("no panic").extend_from_slice(body);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
        }
    });
    (address, kept)
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| {
        length
            .parse()
            .is_ok_and(|length: usize| bytes.len() >= end + 4 + length)
    })
}

/// Everything a tour needs that is there, by the names that paths have for it.
fn stories(tour: &mut Tour) -> Vec<(&'static str, String)> {
    let task = tour.made(
        "/api/v1/tasks",
        &format!(
            r#"{{"kind":"a","payload":{{"x":"{DATA}"}},"metadata":{{"description":"{DATA}"}},"constraints":{{"max_attempts":1}},
                "idempotency_key":"{DATA}","traceparent":"{TRACEPARENT}"}}"#
        ),
    );
    let (task, run) = (text(&task["task"]["id"]), text(&task["runs"][0]["run_id"]));
    let claim = r#"{"worker":"w1"}"#;
    let lease = tour.made("/api/v1/leases", claim)["leases"][0].clone();
    let token = text(&lease["token"]);
    let at = format!("/api/v1/runs/{run}");
    for (verb, body) in [
        (
            "heartbeat",
            format!(r#"{{"token":"{token}","progress":"{DATA}"}}"#),
        ),
        (
            "checkpoints",
            format!(r#"{{"token":"{token}","name":"c","value":"{DATA}"}}"#),
        ),
        (
            "finish",
            format!(r#"{{"token":"{token}x","outcome":"success","output":"{DATA}"}}"#),
        ),
        (
            "finish",
            format!(r#"{{"token":"{GIVEN}","outcome":"success"}}"#),
        ),
        (
            "finish",
            format!(
                r#"{{"token":"{token}","outcome":"failure","output":"{DATA}","error":{{"code":"failed","message":"{DATA}"}}}}"#
            ),
        ),
        (
            "finish",
            format!(r#"{{"token":"{token}","outcome":"success"}}"#),
        ),
    ] {
        tour.admin("POST", &format!("{at}/{verb}"), &body);
    }
    let tenant = tour.made("/api/v1/tenants", r#"{"name":"second"}"#);
    let actor = tour.made(
        "/api/v1/actors",
        r#"{"identity":"a","capabilities":["x"],"heartbeat_interval_ms":60000}"#,
    );
    let key = tour.made(
        "/api/v1/keys",
        r#"{"name":"k","role":"worker","tenant_id":"00000000-0000-8000-8000-000000000001"}"#,
    );
    tour.admin("POST", "/api/v1/ledger", &format!(r#"{{"tenant_id":"00000000-0000-8000-8000-000000000001","ledger_key":"incident","payload":"{DATA}"}}"#));
    tour.admin(
        "POST",
        "/api/v1/webhooks",
        &format!(r#"{{"name":"w","url":"https://example.org/{DATA}","events":["run_failed"]}}"#),
    );
    vec![
        ("task_id", task),
        ("run_id", run.clone()),
        ("job_id", run),
        ("tenant_id", text(&tenant["tenant_id"])),
        ("actor_id", text(&actor["actor_id"])),
        ("key_id", text(&key["key_id"])),
        ("name", "default".to_owned()),
        ("queue", "default".to_owned()),
    ]
}

/// Every route of the document, as whoever may, may not, and is nobody; with bodies that are good, bad and broken.
fn every_route(tour: &mut Tour, known: &[(&str, String)], limited: &str) -> usize {
    let document = tour.admin("GET", "/api/v1/openapi.json", "");
    let mut routes = 0;
    for (pattern, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let method = method.to_uppercase();
            if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
                continue;
            }
            routes += 1;
            let mut path = pattern.clone();
            let mut absent = pattern.clone();
            while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
                let name = path[from + 1..to].to_owned();
                let value = known.iter().find(|(it, _)| *it == name);
                let value = value.map_or(RANDOM_ID, |(_, value)| value.as_str());
                path.replace_range(from..=to, value);
                let (from, to) = (
                    absent.find('{').expect("too"),
                    absent.find('}').expect("too"),
                );
                absent.replace_range(from..=to, RANDOM_ID);
            }
            let marked =
                format!(r#"{{"payload":"{DATA}","token":"{GIVEN}","secret":"{GIVEN}","x":1}}"#);
            let broken = format!(r#"{{"payload":"{DATA}"#);
            let unknown_key = format!("Bearer msk_{}_{GIVEN}", RANDOM_ID.replace('-', ""));
            for (key, path, body) in [
                (unknown_key.as_str(), path.as_str(), ""),
                (&format!("Basic {GIVEN}"), &path, ""),
                (&format!("Bearer ey{GIVEN}.ey{GIVEN}.{GIVEN}"), &path, ""),
                ("", &path, &marked),
                (&format!("Bearer {limited}"), &path, &marked),
            ] {
                tour.send(key, &method, path, body);
            }
            tour.admin(&method, &format!("{path}?{GIVEN}={GIVEN}"), &marked);
            if method != "GET" {
                tour.admin(&method, &path, &broken);
                tour.admin(&method, &path, &marked);
            }
            tour.admin(&method, &absent, "");
            let is_safe = method == "GET" && !pattern.contains("events");
            if is_safe {
                tour.admin(&method, &path, "");
            }
        }
    }
    routes
}

/// What was handed out once and belongs to whoever asked: keys, secrets of webhooks, tokens of leases.
fn handed_out(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| handed_out(item, into)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(secret) if ["key", "secret", "token"].contains(&name.as_str()) => {
                        // What says whose it is, before the last separator, is no secret.
                        let secret = secret.rsplit(['_', '.']).next().unwrap_or(secret);
                        if secret.len() >= 12 {
                            into.push(secret.to_owned());
                        }
                    }
                    _ => handed_out(value, into),
                }
            }
        }
        _ => {}
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the figures are what is looked for")]
fn no_secret_is_where_it_must_not_be() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("data");
    let (address, traced) = collector();
    let config = home.path().join("c.toml");
    std::fs::write(
        &config,
        format!("[otel]\nendpoint = \"http://{address}\"\n[otel.headers]\nauthorization = \"Bearer {COLLECTOR}\"\n"),
    )
    .expect("written");
    // The first start shows the admin key, which is its task.
    Served::start(&directory).stop();
    let log: PathBuf = home.path().join("stderr");
    let mut command = serve(&directory, "127.0.0.1:0");
    command
        .args(["--log-level", "trace", "--config"])
        .arg(&config)
        .stderr(std::fs::File::create(&log).expect("a file"));
    let server = Served::spawned(&mut command, &directory);
    let admin = std::fs::read_to_string(directory.join("admin.key")).expect("a key");
    let mut tour = Tour {
        address: server.url.trim_start_matches("http://").to_owned(),
        admin: admin.trim().to_owned(),
        answers: Vec::new(),
    };
    let known = stories(&mut tour);
    let limited = tour.made(
        "/api/v1/keys",
        r#"{"name":"l","role":"worker","tenant_id":"00000000-0000-8000-8000-000000000001"}"#,
    );
    let limited = text(&limited["key"]);
    let routes = every_route(&mut tour, &known, &limited);
    let metrics = {
        tour.admin("GET", "/metrics", "");
        tour.answers.last().expect("an answer").body.clone()
    };
    let events = {
        tour.admin("GET", "/api/v1/events?limit=1000", "");
        tour.answers.last().expect("an answer").body.clone()
    };
    assert!(metrics.starts_with(b"# HELP") && events.len() > 1000);
    server.stop();
    let traced = eventually("traces arrive", || {
        Some(traced.lock().expect("no panic").clone()).filter(|it| !it.is_empty())
    });
    let log = std::fs::read(&log).expect("the log");
    assert!(
        holds(&log, b"mainstay::request"),
        "the log is at its most talkative"
    );
    assert!(holds(&traced, b"attempt a") && holds(&traced, b"POST /api/v1/tasks"));

    let mut secrets = vec![GIVEN.to_owned(), COLLECTOR.to_owned()];
    let admin_secret = admin.trim().rsplit('_').next().expect("a secret");
    secrets.push(admin_secret.to_owned());
    let (mut answers, mut failures, mut handing, mut asked) = (vec![], vec![], vec![], 0);
    for answer in tour.answers {
        asked += 1;
        let before = secrets.len();
        if answer.status < 300 {
            handed_out(&answer.json(), &mut secrets);
        }
        let place = |bytes| Place {
            name: format!("the answer to {} ({})", answer.what, answer.status),
            bytes,
        };
        let hands_out = secrets.len() > before;
        let parts = [answer.head, answer.body].concat();
        if answer.status >= 400 {
            failures.push(place(parts));
        } else if hands_out {
            handing.push(place(parts));
        } else {
            answers.push(place(parts));
        }
    }
    secrets.sort();
    secrets.dedup();
    // Whoever looks finds what is there.
    let seen = secrets
        .iter()
        .filter(|it| !hits(&handing, &[(*it).clone()]).is_empty());
    assert!(seen.count() >= 4, "{} secrets", secrets.len());
    let named = |name: &str, bytes| Place {
        name: name.to_owned(),
        bytes,
    };
    let told = vec![
        named("the log", log),
        named("metrics", metrics),
        named("traces", traced),
    ];
    let mut stored = Vec::new();
    files(&directory, &mut stored, "admin.key");
    stored.push(named("events", events));
    let size = |places: &[Place]| places.iter().map(|place| place.bytes.len()).sum::<usize>();
    let (places, bytes) = [&told, &stored, &answers, &failures]
        .iter()
        .fold((0, 0), |(places, bytes), it| {
            (places + it.len(), bytes + size(it))
        });
    println!(
        "{} secrets and 1 mark of data; {routes} routes, {asked} requests, {} failures; {places} places, {bytes} bytes",
        secrets.len(),
        failures.len()
    );
    // A caller's own unknown parameter is named to the caller, and to nobody else.
    let own: Vec<String> = secrets.iter().filter(|it| *it != GIVEN).cloned().collect();
    let mut found = hits(&told, &secrets);
    found.extend(hits(&stored, &secrets));
    found.extend(hits(&answers, &secrets));
    found.extend(hits(&failures, &own));
    let data = [DATA.to_owned()];
    found.extend(hits(&told, &data));
    found.extend(hits(&failures, &data));
    assert!(
        routes > 80 && failures.len() > 400,
        "{routes} {}",
        failures.len()
    );
    assert!(found.is_empty(), "{} hits: {found:#?}", found.len());
}
