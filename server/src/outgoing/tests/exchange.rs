//! Receivers that answer, redirect, stall, stream without end, or do not hold what their certificate says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::super::{OutgoingError, Reach, Roots, Target};
use super::{PUBLIC, Stage, ask, listen, outgoing};

/// Reads one request to the end of its declared body.
async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).await.unwrap_or(0);
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if read == 0
            || text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |digits| digits.parse().unwrap());
                body.len() >= length
            })
        {
            return text;
        }
    }
}

/// A receiver that answers every request with these bytes, and how many connections it saw.
async fn answering(
    answer: &'static [u8],
) -> (
    SocketAddr,
    Arc<AtomicUsize>,
    mpsc::UnboundedReceiver<String>,
) {
    let (listener, address) = listen().await;
    let seen = Arc::new(AtomicUsize::new(0));
    let (tell, told) = mpsc::unbounded_channel();
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = tell.send(request(&mut stream).await);
            let _ = stream.write_all(answer).await;
        }
    });
    (address, seen, told)
}

fn to(receiver: SocketAddr) -> Arc<Stage> {
    Stage::new(receiver, |_, _| Some(vec![PUBLIC]))
}

fn target() -> Target {
    Target::parse("http://receiver.example/hook?a=1").unwrap()
}

#[tokio::test]
async fn a_request_says_what_was_asked_and_nothing_else() {
    let (receiver, _, mut told) = answering(b"HTTP/1.1 202 Accepted\r\nretry-after: 3\r\nset-cookie: a=b\r\ncontent-length: 5\r\n\r\nhello").await;
    let stage = to(receiver);
    let url = target();
    let headers = [(
        HeaderName::from_static("webhook-id"),
        HeaderValue::from_static("msg_1"),
    )];
    let mut asked = ask(&url, &Reach::Public);
    asked.headers = &headers;
    let answer = outgoing(&stage).send(asked).await.unwrap();
    assert_eq!(answer.status, 202);
    assert_eq!(answer.headers["retry-after"], "3");
    assert_eq!((&answer.body[..], answer.cut), (&b"hello"[..], false));
    let request = told.recv().await.unwrap();
    let mut lines: Vec<&str> = request.lines().collect();
    assert_eq!(lines.remove(0), "POST /hook?a=1 HTTP/1.1");
    lines.sort_unstable();
    let agent = concat!("user-agent: mainstay/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines,
        [
            "",
            "connection: close",
            "content-length: 2",
            "host: receiver.example",
            agent,
            "webhook-id: msg_1",
            "{}"
        ]
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let answer: &'static str = Box::leak(
            format!("HTTP/1.1 {status}\r\nlocation: http://169.254.169.254/latest/meta-data/\r\ncontent-length: 0\r\n\r\n").into_boxed_str(),
        );
        let (receiver, seen, _told) = answering(answer.as_bytes()).await;
        let stage = to(receiver);
        let url = target();
        let answer = outgoing(&stage)
            .send(ask(&url, &Reach::Public))
            .await
            .unwrap();
        assert!(answer.status.is_redirection());
        assert_eq!(
            (
                stage.connects(),
                stage.lookups(),
                seen.load(Ordering::SeqCst)
            ),
            (1, 1, 1)
        );
    }
}

#[tokio::test]
async fn nothing_is_decompressed_and_no_more_is_read_than_was_asked_for() {
    // A small body that says it is compressed stays as it is.
    let (receiver, _, _told) = answering(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00",
    )
    .await;
    let url = target();
    let answer = outgoing(&to(receiver))
        .send(ask(&url, &Reach::Public))
        .await
        .unwrap();
    assert_eq!(&answer.body[..], b"\x1f\x8b\x08\x00");
    // A body without end is cut at the bound, and the connection with it.
    for framing in [
        "transfer-encoding: chunked",
        "connection: close",
        "content-length: 1000000000000",
    ] {
        let (listener, receiver) = listen().await;
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let pump = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            request(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = if framing.starts_with("transfer") {
                [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat()
            } else {
                vec![b'x'; 0x4000]
            };
            // Ends when the other side closes, and only then.
            while stream.write_all(&piece).await.is_ok() {
                count.fetch_add(piece.len(), Ordering::SeqCst);
            }
        });
        let answer = outgoing(&to(receiver))
            .send(ask(&url, &Reach::Public))
            .await
            .unwrap();
        assert_eq!((answer.body.len(), answer.cut), (1024, true), "{framing}");
        pump.await.unwrap();
        // What the sockets of both sides hold, and no more.
        assert!(sent.load(Ordering::SeqCst) < 64 << 20, "{framing}");
    }
    // With a bound of nothing the head is enough, however slow the body is.
    let (receiver, _, _told) =
        answering_then_silent(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n").await;
    let mut asked = ask(&url, &Reach::Public);
    asked.answer_bytes_max = 0;
    assert_eq!(
        outgoing(&to(receiver)).send(asked).await.unwrap().status,
        200
    );
}

/// As [`answering`], but the connection stays open for as long as the sender keeps it.
async fn answering_then_silent(
    answer: &'static [u8],
) -> (SocketAddr, Arc<AtomicUsize>, mpsc::UnboundedReceiver<()>) {
    let (listener, address) = listen().await;
    let seen = Arc::new(AtomicUsize::new(0));
    let (tell, told) = mpsc::unbounded_channel();
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let tell = tell.clone();
            tokio::spawn(async move {
                let _ = stream.write_all(answer).await;
                // Until the sender is gone.
                let _ = stream.read_to_end(&mut Vec::new()).await;
                let _ = tell.send(());
            });
        }
    });
    (address, seen, told)
}

#[tokio::test]
async fn whoever_stalls_has_until_the_deadline_and_the_connection_ends_with_it() {
    let stalls: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ];
    let url = target();
    for stall in stalls {
        let (receiver, _, mut gone) = answering_then_silent(stall).await;
        let mut asked = ask(&url, &Reach::Public);
        asked.deadline = Duration::from_millis(200);
        let sent = outgoing(&to(receiver)).send(asked).await;
        assert_eq!(sent.unwrap_err(), OutgoingError::Timeout, "{stall:?}");
        gone.recv().await.unwrap();
    }
    // A receiver that never speaks TLS has the time of a connection.
    let (receiver, _, mut gone) = answering_then_silent(b"").await;
    let secure = Target::parse("https://receiver.example/").unwrap();
    let mut asked = ask(&secure, &Reach::Public);
    asked.connect = Duration::from_millis(200);
    let sent = outgoing(&to(receiver)).send(asked).await;
    assert_eq!(sent.unwrap_err(), OutgoingError::Connect);
    gone.recv().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_none_is_refused_within_bounds() {
    let endless_head: &'static [u8] = Box::leak(
        [
            b"HTTP/1.1 200 OK\r\n".as_slice(),
            &b"x-filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(100_000),
        ]
        .concat()
        .into_boxed_slice(),
    );
    let answers: [&[u8]; 6] = [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        endless_head,
    ];
    let url = target();
    for answer in answers {
        let (receiver, ..) = answering(answer).await;
        let sent = outgoing(&to(receiver))
            .send(ask(&url, &Reach::Public))
            .await;
        assert_eq!(sent.unwrap_err(), OutgoingError::Protocol);
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate =
        CertificateDer::from_pem_slice(include_bytes!("../../../tests/data/outgoing/receiver.pem"))
            .unwrap();
    let key =
        PrivateKeyDer::from_pem_slice(include_bytes!("../../../tests/data/outgoing/receiver.key"))
            .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn answer_tls<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    request(&mut stream).await;
    let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let _ = stream.shutdown().await;
}

#[tokio::test]
async fn a_certificate_holds_for_its_name_and_its_root_only() {
    let (listener, receiver) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor().accept(stream).await {
                answer_tls(stream).await;
            }
        }
    });
    let stage = to(receiver);
    let outgoing = outgoing(&stage);
    for (url, expected) in [
        ("https://receiver.example/", Ok(204)),
        ("https://other.example/", Err(OutgoingError::Tls)),
        ("https://93.184.215.14/", Err(OutgoingError::Tls)),
    ] {
        let url = Target::parse(url).unwrap();
        let sent = outgoing.send(ask(&url, &Reach::Public)).await;
        assert_eq!(
            sent.map(|answer| answer.status.as_u16()),
            expected,
            "{url:?}"
        );
    }
    // Neither a leaf nor nonsense is a root.
    for pem in [
        &b""[..],
        b"garbage",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let made = super::Outgoing::new(Roots::Pem(pem.to_vec()));
        assert_eq!(made.err(), Some(OutgoingError::Roots));
    }
}
