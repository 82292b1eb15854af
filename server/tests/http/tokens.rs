//! Tokens of an issuer in place of keys, with an issuer of our own behind a socket.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mainstay_server::{Issuer, IssuerTenant, TokenAlgorithm};
use serde_json::{Value, json};

use crate::harness::{World, text};

const FIRST: &[u8] = include_bytes!("../data/token-rsa.pem");
const SECOND: &[u8] = include_bytes!("../data/token-rsa-other.pem");

/// What the issuer's server does with a request.
#[derive(Clone)]
enum Mood {
    /// Publishes these keys: name and secret.
    Keys(Vec<(&'static str, &'static [u8])>),
    /// Says that it is broken.
    Broken,
    /// Accepts, reads, and says nothing.
    Mute,
}

struct IdServer {
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicUsize>,
}

impl IdServer {
    fn start(mood: Mood) -> IdServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = IdServer {
            address: listener.local_addr().expect("an address"),
            mood: Arc::new(Mutex::new(mood)),
            asked: Arc::default(),
        };
        let (mood, asked) = (Arc::clone(&server.mood), Arc::clone(&server.asked));
        let base = server.url();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut head = Vec::new();
                let mut chunk = [0; 4096];
                while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                    let count = stream.read(&mut chunk).expect("a request");
                    head.extend_from_slice(&chunk[..count]);
                }
                let head = String::from_utf8(head).expect("ASCII");
                let (status, body) = match mood.lock().expect("no panic").clone() {
                    Mood::Mute => {
                        asked.fetch_add(1, Ordering::SeqCst);
                        held.push(stream);
                        continue;
                    }
                    Mood::Broken => ("500 Broken", json!({})),
                    Mood::Keys(_) if head.starts_with("GET /.well-known/openid-configuration ") => {
                        let here = format!("{base}/keys");
                        ("200 OK", json!({"issuer": base, "jwks_uri": here}))
                    }
                    Mood::Keys(keys) => {
                        assert!(head.starts_with("GET /keys "), "{head}");
                        let keys = keys.iter().map(|(kid, pem)| published(kid, pem));
                        ("200 OK", json!({"keys": keys.collect::<Vec<_>>()}))
                    }
                };
                if !head.contains("openid-configuration") || status != "200 OK" {
                    asked.fetch_add(1, Ordering::SeqCst);
                }
                let body = body.to_string();
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().expect("no panic") = mood;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn issuer(&self, tenant: IssuerTenant) -> Issuer {
        let role = |value: &str, role: &str| (value.to_owned(), role.to_owned());
        Issuer {
            issuer: self.url(),
            audiences: vec!["mainstay".into()],
            jwks_url: None,
            algorithms: vec![TokenAlgorithm::Rs256],
            tenant,
            role_claim: vec!["groups".into()],
            roles: BTreeMap::from([
                role("ops", "operator"),
                role("admins", "admin"),
                role("own", "own"),
                role("workers", "worker"),
            ]),
            leeway: Duration::ZERO,
            roots_pem: None,
            networks: vec!["127.0.0.0/8".into()],
            allows_plaintext: true,
        }
    }

    /// A token of this issuer that ends in so many milliseconds.
    fn token(&self, kid: &str, pem: &[u8], groups: &[&str], ms: i64) -> String {
        let claims = json!({
            "iss": self.url(), "aud": "mainstay", "sub": "ann", "groups": groups, "tenant": "acme",
            "exp": (now_ms() as i64 + ms) as f64 / 1000.0,
        });
        sign(kid, pem, &claims)
    }
}

fn now_ms() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_millis()
}

fn sign(kid: &str, pem: &[u8], claims: &Value) -> String {
    let header = Header {
        kid: Some(kid.into()),
        ..Header::new(Algorithm::RS256)
    };
    let key = EncodingKey::from_rsa_pem(pem).expect("a key");
    encode(&header, claims, &key).expect("signed")
}

fn published(kid: &str, pem: &[u8]) -> Value {
    let key = EncodingKey::from_rsa_pem(pem).expect("a key");
    let jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).expect("a jwk");
    let mut jwk = serde_json::to_value(jwk).expect("json");
    jwk["kid"] = json!(kid);
    jwk
}

const HOUR: i64 = 3_600_000;

fn system_world(server: &IdServer) -> World {
    let issuer = server.issuer(IssuerTenant::System);
    World::with(|config| config.issuers = vec![issuer])
}

#[test]
fn a_token_does_what_its_roles_may_and_its_subject_stands_in_the_audit_trail() {
    let server = IdServer::start(Mood::Keys(vec![("k1", FIRST)]));
    let world = system_world(&server);
    let ops = server.token("k1", FIRST, &["ops", "unheard"], HOUR);
    world.by(&ops, "GET", "/api/v1/runs", "").expect(200);
    let made = world.by(&ops, "POST", "/api/v1/tasks", r#"{"kind":"k"}"#);
    made.expect(201);
    let refused = world.by(&ops, "GET", "/api/v1/keys", "");
    assert_eq!(
        refused.expect_error(403, "forbidden")["required"],
        "can_admin"
    );
    let admin = server.token("k1", FIRST, &["admins"], HOUR);
    let body = r#"{"capabilities":["can_read"],"reason":"for the audit"}"#;
    world
        .by(&admin, "PUT", "/api/v1/roles/seen", body)
        .expect(200);
    let audit = world.by(&admin, "GET", "/api/v1/audit", "").expect(200);
    let name = format!("{}#ann", server.url());
    assert!(audit.to_string().contains(&name), "{audit}");
    assert_eq!(server.asked(), 1);
}

#[test]
fn whatever_is_wrong_with_a_token_the_answer_is_that_of_an_unknown_key() {
    let server = IdServer::start(Mood::Keys(vec![("k1", FIRST)]));
    let world = system_world(&server);
    let good = server.token("k1", FIRST, &["ops"], HOUR);
    world.by(&good, "GET", "/api/v1/runs", "").expect(200);
    let claims = |name: &str, value: Value| {
        let exp = now_ms() / 1000 + 3600;
        let mut all = json!({"iss": server.url(), "aud": "mainstay", "sub": "ann", "groups": "ops", "exp": exp as u64});
        all[name] = value;
        sign("k1", FIRST, &all)
    };
    let unknown = format!("msk_{}_{}", "7".repeat(32), "a".repeat(52));
    let tokens = [
        unknown,
        server.token("k1", FIRST, &["ops"], -1000),
        server.token("k1", FIRST, &[], HOUR),
        server.token("k1", FIRST, &["own"], HOUR),
        server.token("k1", SECOND, &["ops"], HOUR),
        server.token("k2", SECOND, &["ops"], HOUR),
        claims("aud", json!("billing")),
        claims("iss", json!("https://evil.example")),
        claims("exp", json!("soon")),
        good[..good.len() - 4].to_owned(),
        "a.b.c".to_owned(),
    ];
    let answers: Vec<(Vec<(String, String)>, String)> = tokens
        .iter()
        .map(|token| {
            let answer = world.by(token, "GET", "/api/v1/runs", "");
            answer.expect_error(401, "unauthorized");
            let varies = ["x-request-id", "date"];
            let mut headers = answer.headers.clone();
            headers.retain(|(name, _)| !varies.contains(&name.as_str()));
            (headers, answer.text().to_owned())
        })
        .collect();
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    world.by(&good, "GET", "/api/v1/runs", "").expect(200);
}

#[test]
fn a_token_of_a_tenant_reaches_it_alone_with_its_own_roles() {
    let server = IdServer::start(Mood::Keys(vec![("k1", FIRST)]));
    let tenant = "0123456789ab4def812345670000cafe";
    let id = format!(
        "{}-{}-{}-{}-{}",
        &tenant[..8],
        &tenant[8..12],
        &tenant[12..16],
        &tenant[16..20],
        &tenant[20..]
    );
    let by_claim = IssuerTenant::Claim {
        path: vec!["tenant".into()],
        names: BTreeMap::from([("acme".to_owned(), id.parse().expect("an id"))]),
    };
    let issuer = server.issuer(by_claim);
    let world = World::with(|config| config.issuers = vec![issuer]);
    let token = server.token("k1", FIRST, &["own"], HOUR);
    // There is no such tenant yet, then no such role.
    let runs = |expected: u16| world.by(&token, "GET", "/api/v1/runs", "").expect(expected);
    runs(401);
    let body = format!(r#"{{"name":"acme","tenant_id":"{id}"}}"#);
    let made = world.post("/api/v1/tenants", &body);
    assert_eq!(text(&made.expect(201)["tenant_id"]), id);
    runs(401);
    let role = |holds: &str| {
        let body = format!(r#"{{"capabilities":[{holds}],"tenant_id":"{id}"}}"#);
        world.call("PUT", "/api/v1/roles/own", &body).expect(200)
    };
    role(r#""can_read","can_submit""#);
    runs(200);
    let made = world.by(&token, "POST", "/api/v1/tasks", r#"{"kind":"k"}"#);
    let task = text(&made.expect(201)["task"]["id"]);
    let path = format!("/api/v1/tasks/{task}");
    world.by(&token, "GET", &path, "").expect(200);
    let (other, _) = world.submit(r#"{"kind":"k"}"#);
    let path = format!("/api/v1/tasks/{other}");
    world
        .by(&token, "GET", &path, "")
        .expect_error(404, "task_not_found");
    world
        .by(&token, "GET", "/api/v1/tenants", "")
        .expect_error(403, "forbidden");
    // What a role holds counts from the change on.
    role(r#""can_submit""#);
    runs(403);
}

#[test]
fn a_token_that_ends_loses_its_long_polls_and_its_streams_within_a_second() {
    let server = IdServer::start(Mood::Keys(vec![("k1", FIRST)]));
    let world = system_world(&server);
    // Fetches the keys, so that the token's time is not spent on it.
    let warm = server.token("k1", FIRST, &["ops"], HOUR);
    world.by(&warm, "GET", "/api/v1/runs", "").expect(200);
    let token = server.token("k1", FIRST, &["ops"], 1500);
    let ends = Instant::now() + Duration::from_millis(1500);
    let json_body = [("content-type", "application/json")];
    let mut poll = world.connect();
    let claim = br#"{"worker":"w","wait_ms":30000}"#;
    poll.write(&world.request_by(&token, "POST", "/api/v1/leases", &json_body, claim));
    let mut waits = world.connect();
    let path = "/api/v1/events?after=999999&wait_ms=30000";
    waits.write(&world.request_by(&token, "GET", path, &[], b""));
    let mut stream = world.connect();
    let streams = [("accept", "text/event-stream")];
    stream.write(&world.request_by(&token, "GET", "/api/v1/events", &streams, b""));
    assert_eq!(stream.head().status, 200);
    poll.response().expect_error(401, "unauthorized");
    waits.response().expect_error(401, "unauthorized");
    assert!(stream.ends(), "the stream ends");
    assert!(Instant::now() >= ends, "it ends at its end, not before");
}

#[test]
fn new_keys_are_fetched_and_an_issuer_that_is_away_keeps_nobody_out_whose_key_is_known() {
    let server = IdServer::start(Mood::Broken);
    let world = system_world(&server);
    let token = server.token("k1", FIRST, &["ops"], HOUR);
    let runs = |token: &str, expected: u16| {
        world.by(token, "GET", "/api/v1/runs", "").expect(expected);
    };
    runs(&token, 401);
    runs(&token, 401);
    assert_eq!(server.asked(), 1, "a failed fetch is not repeated at once");
    server.set(Mood::Keys(vec![("k1", FIRST)]));
    let world = system_world(&server);
    let runs = |token: &str, expected: u16| {
        world.by(token, "GET", "/api/v1/runs", "").expect(expected);
    };
    runs(&token, 200);
    server.set(Mood::Broken);
    runs(&token, 200);
    // Unknown names of keys do not bring a fetch each.
    let other = server.token("k2", SECOND, &["ops"], HOUR);
    for _ in 0..5 {
        runs(&other, 401);
    }
    assert_eq!(server.asked(), 2);
}

#[test]
fn an_issuer_that_does_not_answer_holds_nobody_else() {
    let server = IdServer::start(Mood::Mute);
    let world = system_world(&server);
    let token = server.token("k1", FIRST, &["ops"], HOUR);
    let mut waits = world.connect();
    waits.write(&world.request_by(&token, "GET", "/api/v1/runs", &[], b""));
    while server.asked() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Answered while the first still waits for the issuer: nothing came for it yet.
    world.get("/api/v1/runs").expect(200);
    let timeout = Some(Duration::from_millis(1));
    waits.stream.set_read_timeout(timeout).expect("a timeout");
    let nothing = waits.stream.read(&mut [0; 1]).expect_err("no answer yet");
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    let timeout = Some(Duration::from_secs(20));
    waits.stream.set_read_timeout(timeout).expect("a timeout");
    waits.response().expect_error(401, "unauthorized");
    assert_eq!(server.asked(), 1);
}

#[test]
fn failures_of_tokens_are_counted_and_good_tokens_are_not_held_up() {
    let server = IdServer::start(Mood::Keys(vec![("k1", FIRST)]));
    let issuer = server.issuer(IssuerTenant::System);
    let world = World::with(|config| {
        config.issuers = vec![issuer];
        config.auth_failures_per_minute_max = 5;
    });
    let good = server.token("k1", FIRST, &["ops"], HOUR);
    let bad = server.token("k1", SECOND, &["ops"], HOUR);
    let status = |token: &str| world.by(token, "GET", "/api/v1/runs", "").status;
    let statuses: Vec<u16> = (0..8).map(|_| status(&bad)).collect();
    assert_eq!(statuses[..5], [401; 5]);
    assert_eq!(statuses[7], 429);
    assert_eq!(status(&good), 200);
}
