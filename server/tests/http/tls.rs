//! Encrypted connections over real sockets: with clients that trust the certificate, and with peers that speak something else.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mainstay_server::Tls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::harness::World;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn world() -> World {
    World::with(|config| config.tls = Some(tls()))
}

fn tls() -> Tls {
    Tls::open(&data("tls-first.pem"), &data("tls-first.key")).expect("a certificate")
}

type Secured = StreamOwned<ClientConnection, TcpStream>;

fn client(world: &World, version: &'static SupportedProtocolVersion, protocol: &[u8]) -> Secured {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(data("tls-ca.pem")).expect("a root");
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    if !protocol.is_empty() {
        config.alpn_protocols = vec![protocol.to_vec()];
    }
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let stream = TcpStream::connect(world.address).expect("the server accepts");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("a timeout");
    StreamOwned::new(connection, stream)
}

/// Sends a request and reads the answer whole.
fn exchange(stream: &mut Secured, request: &[u8]) -> String {
    stream.write_all(request).expect("the server reads");
    stream.flush().expect("the server reads");
    let mut answer = String::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some((head, body)) = answer.split_once("\r\n\r\n") {
            let (_, length) = head.split_once("content-length: ").expect("a length");
            let length = length.lines().next().expect("a length");
            if body.len() >= length.parse().expect("a number") {
                return answer;
            }
        }
        let count = stream.read(&mut chunk).expect("an answer");
        assert_ne!(count, 0, "the answer broke off: {answer}");
        answer.push_str(std::str::from_utf8(&chunk[..count]).expect("ASCII"));
    }
}

#[test]
fn both_versions_serve_requests_one_after_the_other_on_one_connection() {
    let world = world();
    for version in [&TLS12, &TLS13] {
        let mut stream = client(&world, version, b"http/1.1");
        let body = format!(r#"{{"kind":"k","payload":"{}"}}"#, "x".repeat(300_000));
        let json = [("content-type", "application/json")];
        let submit = world.request("POST", "/api/v1/tasks", &json, body.as_bytes());
        let answer = exchange(&mut stream, &submit);
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        let list = world.request("GET", "/api/v1/runs?limit=1", &[], b"");
        let answer = exchange(&mut stream, &list);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        // A large answer comes whole: the leases carry the payload.
        let claim = br#"{"worker":"w"}"#;
        let claim = world.request("POST", "/api/v1/leases", &json, claim);
        let answer = exchange(&mut stream, &claim);
        assert!(answer.len() > 300_000, "{}", answer.len());
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

#[test]
fn a_client_that_speaks_only_http_2_is_told_so_and_a_stranger_to_the_root_leaves() {
    let world = world();
    let mut stream = client(&world, &TLS13, b"h2");
    let refused = stream.write_all(b"PRI").and_then(|()| stream.flush());
    let refused = refused.and_then(|()| stream.read(&mut [0; 1]));
    let refused = refused.expect_err("refused").to_string();
    assert!(refused.contains("NoApplicationProtocol"), "{refused}");
    // The server goes on.
    let mut stream = client(&world, &TLS13, b"");
    let ready = world.request("GET", "/ready", &[], b"");
    let answer = exchange(&mut stream, &ready);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn who_does_not_speak_tls_is_closed_in_order_and_counted() {
    let world = world();
    let plain = world.request("GET", "/ready", &[], b"");
    let garbage = vec![0xff; 20_000];
    let oversized = [&[22, 3, 1, 0xff, 0xff][..], &[1; 20_000]].concat();
    for sent in [&plain, &garbage, &oversized] {
        let mut socket = TcpStream::connect(world.address).expect("accepted");
        let patience = Some(Duration::from_secs(20));
        socket.set_read_timeout(patience).expect("a timeout");
        socket.write_all(sent).expect("read");
        let mut answer = Vec::new();
        // An alert may come, then the end; a reset would be an error.
        socket.read_to_end(&mut answer).expect("closed in order");
        assert!(
            answer.len() < 10 && !answer.starts_with(b"HTTP"),
            "{answer:?}"
        );
    }
    let mut stream = client(&world, &TLS13, b"");
    let metrics = world.request("GET", "/metrics", &[], b"");
    let counted = "mainstay_http_tls_handshake_failures_total 3\n";
    let answer = exchange(&mut stream, &metrics);
    assert!(answer.contains(counted));
}

#[test]
fn who_is_silent_or_slow_in_the_handshake_is_closed_and_holds_a_place_until_then() {
    let world = World::with(|config| {
        config.tls = Some(tls());
        config.first_byte_time_max = Duration::from_millis(300);
        config.header_time_max = Duration::from_millis(600);
        config.connections_max = 2;
    });
    let connect = || {
        let socket = TcpStream::connect(world.address).expect("accepted");
        let patience = Some(Duration::from_secs(20));
        socket.set_read_timeout(patience).expect("a timeout");
        socket
    };
    let mut silent = connect();
    let mut slow = connect();
    slow.write_all(&[22, 3, 1]).expect("read");
    // Both places are taken: a third is closed without a word.
    let mut third = connect();
    let ended = match third.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    };
    assert!(ended);
    assert_eq!(silent.read(&mut [0; 1]).expect("closed"), 0);
    let mut alert = Vec::new();
    slow.read_to_end(&mut alert).expect("closed");
    // The places are free again.
    let mut stream = client(&world, &TLS13, b"");
    let ready = world.request("GET", "/ready", &[], b"");
    let answer = exchange(&mut stream, &ready);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// The certificate that a new connection gets.
fn shown(world: &World) -> Vec<u8> {
    let mut stream = client(world, &TLS13, b"");
    let ready = world.request("GET", "/ready", &[], b"");
    exchange(&mut stream, &ready);
    let chain = stream.conn.peer_certificates().expect("a certificate");
    chain[0].to_vec()
}

#[test]
fn new_certificates_are_used_from_the_next_connection_on_and_bad_ones_never() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key) = (
        directory.path().join("c.pem"),
        directory.path().join("k.pem"),
    );
    let put = |name: &str, path: &Path| {
        // As certificates are renewed: written aside, then renamed.
        let aside = directory.path().join("aside");
        std::fs::copy(data(name), &aside).expect("copied");
        std::fs::rename(&aside, path).expect("renamed");
    };
    put("tls-first.pem", &certificate);
    put("tls-first.key", &key);
    let tls = Tls::looking(&certificate, &key, Duration::ZERO).expect("a certificate");
    let world = World::with(|config| config.tls = Some(tls));
    let first = shown(&world);
    // Half of a renewal: the key is not the certificate's.
    put("tls-second.pem", &certificate);
    assert_eq!(shown(&world), first);
    put("tls-second.key", &key);
    let second = shown(&world);
    assert_ne!(second, first);
    std::fs::remove_file(&key).expect("removed");
    assert_eq!(shown(&world), second);
    std::fs::write(&certificate, "nothing").expect("written");
    assert_eq!(shown(&world), second);
}

#[test]
fn the_servers_end_tells_the_client() {
    let mut world = world();
    let mut stream = client(&world, &TLS13, b"");
    let ready = world.request("GET", "/ready", &[], b"");
    exchange(&mut stream, &ready);
    assert_eq!(world.end().cut, 0);
    // An end that was said, not a connection that was cut off: else reading would be an error.
    assert_eq!(stream.read(&mut [0; 1]).expect("the end"), 0);
}
