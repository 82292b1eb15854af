//! The two ends of a connection that bytes come and go through: as they are, or encrypted.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::tls::Tls;
use crate::config::Config;

/// What is read and thrown away of a peer that does not speak TLS, and for how long.
const LINGER_BYTES_MAX: usize = 64 << 10;
const LINGER_MAX: Duration = Duration::from_secs(1);

/// A connection's socket.
pub(super) enum Socket {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// Agrees with the peer on encryption, within the bounds of a first byte and of a request's head. Nothing when it comes to nothing: then the
/// connection is closed.
pub(super) async fn secure(tls: &Tls, socket: TcpStream, config: &Config) -> Option<Socket> {
    let first = timeout(config.first_byte_time_max, socket.readable()).await;
    if !matches!(first, Ok(Ok(()))) {
        return None;
    }
    let acceptor = tls.acceptor().await;
    let agreed = acceptor.accept(socket).into_fallible();
    match timeout(config.header_time_max, agreed).await {
        Ok(Ok(stream)) => Some(Socket::Secure(Box::new(stream))),
        Ok(Err((error, socket))) => {
            tracing::debug!(%error, "no TLS");
            let _ = timeout(LINGER_MAX, part(socket)).await;
            None
        }
        Err(_) => None,
    }
}

/// Closing over unread bytes would reset the connection and take away what says why.
async fn part(mut socket: TcpStream) {
    let mut scratch = [0; 4096];
    let mut read = 0;
    let _ = socket.shutdown().await;
    while read < LINGER_BYTES_MAX {
        match socket.read(&mut scratch).await {
            Ok(count) if count > 0 => read += count,
            _ => return,
        }
    }
}

impl Socket {
    /// Whether what was written may still be held back on this side.
    pub(super) fn holds_back(&self) -> bool {
        matches!(self, Socket::Secure(_))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Socket::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Socket::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Socket::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(socket) => Pin::new(socket).poll_flush(context),
            Socket::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Socket::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
