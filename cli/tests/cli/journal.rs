//! The log of a server: its forms, its levels, and what hostile callers can make of it.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::harness::{PATIENCE, Served, run, serve};

/// The log of a server with these options that answered these requests, each sent as it is.
fn log_of(words: &[&str], requests: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a directory");
    let (directory, log) = (home.path().join("data"), home.path().join("stderr"));
    let mut command = serve(&directory, "127.0.0.1:0");
    command
        .args(words)
        .stderr(std::fs::File::create(&log).expect("a file"));
    let server = Served::spawned(&mut command, &directory);
    let address = server.url.trim_start_matches("http://").to_owned();
    for request in requests {
        let mut stream = TcpStream::connect(&address).expect("a server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        assert!(answer.starts_with(b"HTTP/1.1 "));
    }
    assert!(server.stop().success());
    std::fs::read_to_string(&log).expect("text")
}

#[test]
fn a_server_says_what_it_does_and_no_more() {
    let log = log_of(
        &[],
        &["GET /healthz HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n"],
    );
    for part in [
        "INFO mainstay: serving ",
        "INFO mainstay: draining",
        "INFO mainstay: stopped",
    ] {
        assert!(log.contains(part), "{part} in {log}");
    }
    assert!(!log.contains("healthz") && !log.contains("msk_"), "{log}");
    assert_eq!(log_of(&["--log-level", "off"], &[]), "");
}

#[test]
fn requests_are_logged_when_asked_for_and_nobody_forges_a_line() {
    let hostile = "GET /api/v1/runs/a%0d%0aERROR%1b[31m?secret=s3cret HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\
        authorization: Bearer msk_a_s3cret\r\nuser-agent: s3cret\r\nx-request-id: id \" } msk_0_s3cret\r\n\r\n";
    for format in ["text", "json"] {
        let words = [
            "--log-format",
            format,
            "--log-level",
            "warn,mainstay::request=debug",
        ];
        let log = log_of(&words, &[hostile]);
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines.len(), 2, "{log}");
        assert!(lines[0].contains("requests without a valid key"), "{log}");
        assert!(!log.contains("s3cret") && !log.contains('\u{1b}'), "{log}");
        if format == "text" {
            for part in [
                "DEBUG mainstay::request: answered",
                "route=\"/api/v1/runs/{run_id}\"",
                "status=401",
                "code=\"unauthorized\"",
            ] {
                assert!(lines[1].contains(part), "{part} in {log}");
            }
            continue;
        }
        let line: Value = serde_json::from_str(lines[1]).expect("JSON");
        assert_eq!(line["level"], "DEBUG");
        assert_eq!(line["target"], "mainstay::request");
        assert_eq!(line["method"], "GET");
        assert_eq!(line["status"], 401);
        assert_eq!(line["request_id"], "id \" } msk_********");
    }
}

#[test]
fn a_level_that_is_none_is_refused_by_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let refused = run(serve(directory.path(), "127.0.0.1:0").args(["--log-level", "a=b=c"]));
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.stderr.contains("--log-level a=b=c"), "{refused:?}");
}
