//! The server: binds, accepts within bounds, and ends in order.

use std::future::Future;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use mainstay::Handle;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::connection::drive;
use crate::edge::{Edge, Failure, bare_answer};
use crate::journal::Facts;
use crate::key::AdminKey;
use crate::webhooks;

/// Connections that the system keeps waiting until they are accepted.
const BACKLOG: u32 = 4096;
/// The first and the longest pause after the system refused to accept, as when descriptors have run out.
const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(5);
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// A bound server. It answers once [`Server::run`] is awaited.
pub struct Server {
    listener: TcpListener,
    edge: Arc<Edge>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Connections that were cut because they did not finish within the drain time.
    pub cut: usize,
}

impl Server {
    /// Binds and listens. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound or the system has no randomness.
    pub fn bind(config: Config, handle: Handle, key: AdminKey) -> io::Result<Server> {
        if let Some(outgoing) = &config.outgoing {
            // What a life before was sending when it ended.
            match std::fs::remove_dir_all(outgoing) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let socket = if config.listen.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        socket.set_reuseaddr(true)?;
        socket.bind(config.listen)?;
        let listener = socket.listen(BACKLOG)?;
        Ok(Server {
            listener,
            edge: Arc::new(Edge::new(handle, config, key)?),
        })
    }

    /// The address it listens on, with the port the system chose if none was asked for.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` resolves, then accepts no more, drains the engine so that long polls are answered, lets requests
    /// finish within the drain time, and cuts the rest.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Ended {
        let Server { listener, edge } = self;
        let (drain, draining) = watch::channel(false);
        let exporter = edge.tracer.start(&edge.handle);
        let facts = Facts::watch(edge.handle.clone());
        let mut connections = JoinSet::new();
        let sending = tokio::spawn(webhooks::run(Arc::clone(&edge), draining.clone()));
        let mut shutdown = pin!(shutdown);
        let mut pause = ACCEPT_PAUSE_MIN;
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((socket, peer)) => {
                        pause = ACCEPT_PAUSE_MIN;
                        admit(&edge, socket, peer, &mut connections, &draining);
                    }
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(_) => {
                        edge.metrics.accept_failed();
                        sleep(pause).await;
                        pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
                    }
                },
            }
        }
        drop(listener);
        sending.abort();
        edge.handle.drain();
        let _ = drain.send(true);
        let all = async { while connections.join_next().await.is_some() {} };
        let cut = if timeout(edge.config.drain_time_max, all).await.is_ok() {
            0
        } else {
            connections.len()
        };
        connections.shutdown().await;
        drop(facts);
        // What was answered is durable by now, and is told before the end.
        if let Ok(Some(exporter)) = exporter {
            exporter.finish(edge.config.drain_time_max).await;
        }
        Ended { cut }
    }
}

fn admit(
    edge: &Arc<Edge>,
    socket: TcpStream,
    peer: SocketAddr,
    connections: &mut JoinSet<()>,
    draining: &watch::Receiver<bool>,
) {
    match edge.admission.enter(peer.ip()) {
        Ok(place) => {
            // Answers are small and whole: waiting for more to send would only delay them.
            let _ = socket.set_nodelay(true);
            let (edge, draining) = (Arc::clone(edge), draining.clone());
            connections.spawn(async move {
                drive(edge, socket, draining).await;
                drop(place);
            });
        }
        Err(limit) => {
            let failure = Failure::new("busy", "too many connections").text("limit", limit);
            edge.metrics.request(None, failure.status(), Duration::ZERO);
            edge.metrics.failed(failure.code());
            edge.metrics.refused();
            // Who is to be encrypted to cannot be told in a word.
            if edge.config.tls.is_none() {
                refuse(socket, &bare_answer(&failure, edge));
            }
        }
    }
}

/// The answer is best effort: it fits the socket's empty buffer, and nobody waits for a peer beyond the bound.
fn refuse(socket: TcpStream, answer: &[u8]) {
    use std::io::{Read, Write};
    // Fresh from the accept, the runtime does not know yet that the socket can be written; the system does.
    let Ok(mut socket) = socket.into_std() else {
        return;
    };
    if socket.write(answer).is_ok() {
        let _ = socket.shutdown(Shutdown::Write);
        // What was sent already and stays unread would reset the connection and take the answer with it.
        let _ = socket.read(&mut [0; 16 << 10]);
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
