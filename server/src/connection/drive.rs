//! Runs one connection to its end: the protocol, its deadlines, and the word to finish.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::link::Link;
use super::socket::{Socket, secure};
use super::stream::Stream;
use crate::edge::{Edge, serve};

/// Longer than any deadline: the watchdog looks again whenever the connection moves.
const FAR: Duration = Duration::from_secs(3600);

/// Serves requests on this socket until it ends, its patience ends, or `draining` turns true and it has nothing to finish.
pub(crate) async fn drive(edge: Arc<Edge>, socket: TcpStream, mut draining: watch::Receiver<bool>) {
    let peer = socket.peer_addr().map(|peer| peer.ip());
    // A socket that lost its peer has nothing left to say.
    let Ok(peer) = peer else { return };
    let socket = match &edge.config.tls {
        None => Some(Socket::Plain(socket)),
        Some(tls) => {
            tokio::select! {
                secured = secure(tls, socket, &edge.config) => secured,
                _ = draining.wait_for(|draining| *draining) => return,
            }
        }
    };
    let Some(socket) = socket else {
        edge.metrics.handshake_failed();
        return;
    };
    let link = Arc::new(Link::new(peer));
    let stream = Stream::new(socket, Arc::clone(&link), Arc::clone(&edge));
    let service = {
        let (edge, link) = (Arc::clone(&edge), Arc::clone(&link));
        service_fn(move |request| {
            let (edge, link) = (Arc::clone(&edge), Arc::clone(&link));
            async move { Ok::<_, Infallible>(serve(edge, link, request).await) }
        })
    };
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The link keeps all deadlines, for only it tells a slow head from an idle connection.
        .header_read_timeout(None)
        .max_headers(edge.config.headers_max)
        .max_header_size(edge.config.head_bytes_max);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut watchdog = pin!(sleep(FAR));
    let mut told = false;
    loop {
        let step = poll_fn(|context| {
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            loop {
                let due = link
                    .deadline(&edge.config)
                    .unwrap_or_else(|| Instant::now() + FAR);
                if due < watchdog.deadline() || watchdog.is_elapsed() {
                    watchdog.as_mut().reset(due);
                }
                if watchdog.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                if link
                    .deadline(&edge.config)
                    .is_some_and(|due| due <= Instant::now())
                {
                    return Poll::Ready(());
                }
            }
        });
        tokio::select! {
            () = step => return,
            _ = draining.wait_for(|draining| *draining), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
