//! A collector of traces that is none: it takes what is sent, or refuses it, and keeps every byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

#[derive(Default)]
struct Kept {
    status: AtomicU16,
    ended: AtomicBool,
    requests: Mutex<Vec<(String, Vec<u8>)>>,
}

/// Listens on a port of its own.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    kept: Arc<Kept>,
}

impl Collector {
    pub(crate) fn new() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::new(Kept::default());
        kept.status.store(200, Ordering::Relaxed);
        let own = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.ended.load(Ordering::Relaxed) {
                    return;
                }
                let kept = Arc::clone(&own);
                std::thread::spawn(move || stream.ok().and_then(|stream| serve(stream, &kept)));
            }
        });
        Collector { address, kept }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers with this from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.kept.status.store(status, Ordering::Relaxed);
    }

    /// Heads and bodies of everything that was sent.
    pub(crate) fn requests(&self) -> Vec<(String, Vec<u8>)> {
        self.kept.requests.lock().expect("no panic").clone()
    }

    /// Every span that was taken.
    pub(crate) fn spans(&self) -> Vec<Value> {
        let mut spans = Vec::new();
        for (_, body) in self.requests() {
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            let scopes = &body["resourceSpans"][0]["scopeSpans"];
            assert_eq!(
                body["resourceSpans"][0]["resource"]["attributes"][0]["key"],
                "service.name"
            );
            spans.extend(scopes[0]["spans"].as_array().expect("spans").clone());
        }
        spans
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.kept.ended.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut stream: TcpStream, kept: &Kept) -> Option<()> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 65536];
    let (head, begin) = loop {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
    };
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")
            .map(str::to_owned)
    })?;
    let length: usize = length.trim().parse().ok()?;
    while bytes.len() < begin + length {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
    }
    let status = kept.status.load(Ordering::Relaxed);
    if status == 200 {
        let body = bytes[begin..begin + length].to_vec();
        kept.requests.lock().expect("no panic").push((head, body));
    }
    let answer =
        format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
    stream.write_all(answer.as_bytes()).ok()
}
