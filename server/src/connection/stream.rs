//! The socket as the protocol sees it: it reports what comes and goes, and puts the envelope around the protocol's own errors.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::link::Link;
use super::socket::Socket;
use crate::edge::{Edge, Failure, bare_answer};

/// What is read and thrown away while a closing connection waits for its peer.
const LINGER_BYTES_MAX: usize = 1 << 20;

pub(super) struct Stream {
    socket: Socket,
    link: Arc<Link>,
    edge: Arc<Edge>,
    /// Our envelope in place of an answer that the protocol made up; nothing is written after it.
    instead: Option<Bytes>,
    finished: bool,
    /// Whether closing waits for the peer to have read the last answer.
    lingers: bool,
    lingered: usize,
}

impl Stream {
    pub(super) fn new(socket: Socket, link: Arc<Link>, edge: Arc<Edge>) -> Stream {
        Stream {
            socket,
            link,
            edge,
            instead: None,
            finished: false,
            lingers: false,
            lingered: 0,
        }
    }

    /// The protocol answers a request that it could not read.
    fn replace(&mut self, head: &[u8]) {
        let config = &self.edge.config;
        let failure = match head.get(9..12) {
            Some(b"414") => Failure::new("uri_too_long", "the request's target is too long")
                .number("limit_bytes", config.uri_bytes_max as u64),
            Some(b"431") => Failure::new(
                "headers_too_large",
                "the header fields are too many or too long",
            )
            .number("limit_bytes", config.head_bytes_max as u64)
            .number("limit_count", config.headers_max as u64),
            _ => Failure::new("malformed_request", "this is not an HTTP/1.1 request"),
        };
        self.edge
            .metrics
            .request(None, failure.status(), std::time::Duration::ZERO);
        self.edge.metrics.failed(failure.code());
        self.instead = Some(bare_answer(&failure, &self.edge));
    }

    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(bytes) = self.instead.as_mut().filter(|bytes| bytes.has_remaining()) {
            match Pin::new(&mut self.socket).poll_write(context, bytes) {
                Poll::Ready(count) => bytes.advance(count?),
                Poll::Pending => {
                    self.link.stalled();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Closing over unread bytes would reset the connection and take the last answer away from the peer.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0u8; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => self.lingered += buffer.filled().len(),
                _ => return Poll::Ready(()),
            }
            if self.lingered > LINGER_BYTES_MAX {
                return Poll::Ready(());
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = ready!(Pin::new(&mut self.socket).poll_read(context, buffer));
        if buffer.filled().len() > before {
            self.link.received();
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.instead.is_some() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let ours = self.link.ours(bytes);
        if ours == 0 && !bytes.is_empty() {
            self.replace(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        match Pin::new(&mut self.socket).poll_write(context, &bytes[..ours]) {
            Poll::Ready(Ok(count)) => {
                self.link.sent(&bytes[..count]);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.link.stalled();
                Poll::Pending
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        let flushed = Pin::new(&mut self.socket).poll_flush(context);
        if self.socket.holds_back() {
            match flushed {
                Poll::Pending => self.link.stalled(),
                Poll::Ready(_) => self.link.flushed(),
            }
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.finished {
            ready!(self.poll_instead(context))?;
            self.lingers |= self.link.closing();
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            self.finished = true;
        }
        if self.lingers {
            ready!(self.poll_linger(context));
        }
        Poll::Ready(Ok(()))
    }
}
