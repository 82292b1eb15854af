//! Bodies of answers: one buffer, pieces of a length known before the first byte, or a stream that ends when it ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// Pieces that wait to be sent.
const WAITING_MAX: usize = 4;

/// The body of every response.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    /// All of it.
    Whole(Bytes),
    /// Pieces as they come.
    Pieces(Pieces),
    /// Pieces as they come, until there are no more.
    Stream(mpsc::Receiver<Bytes>),
}

/// A body that is made while it is sent.
#[derive(Debug)]
pub(crate) struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    left: u64,
}

/// Hands over the pieces of a body.
#[derive(Clone, Debug)]
pub(crate) struct Sender(mpsc::Sender<Bytes>);

impl Sender {
    /// Waits until there is room; false once nobody takes pieces any more. Not for use inside async code.
    pub(crate) fn send(&self, piece: Bytes) -> bool {
        self.0.blocking_send(piece).is_ok()
    }
}

impl Pieces {
    /// A body of this many bytes, and the way to fill it. When the sender is dropped before, the connection is cut.
    pub(crate) fn new(length: u64) -> (Sender, Pieces) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let pieces = Pieces {
            receiver,
            left: length,
        };
        (Sender(sender), pieces)
    }

    fn take(&mut self, piece: Option<Bytes>) -> Option<io::Result<Frame<Bytes>>> {
        let refuse = |what| Some(Err(io::Error::other(what)));
        let Some(piece) = piece else {
            return refuse("the body ended early");
        };
        let Some(left) = self.left.checked_sub(piece.len() as u64) else {
            return refuse("the body is longer than was said");
        };
        self.left = left;
        Some(Ok(Frame::data(piece)))
    }
}

impl ReplyBody {
    /// A body without a known end, and the way to fill it. It ends when the sender is dropped.
    pub(crate) fn stream() -> (mpsc::Sender<Bytes>, ReplyBody) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (sender, ReplyBody::Stream(receiver))
    }

    /// Bytes still to be sent; nobody knows how many of a stream.
    pub(crate) fn len(&self) -> Option<u64> {
        match self {
            ReplyBody::Whole(bytes) => Some(bytes.len() as u64),
            ReplyBody::Pieces(pieces) => Some(pieces.left),
            ReplyBody::Stream(_) => None,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            ReplyBody::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            ReplyBody::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            ReplyBody::Pieces(pieces) if pieces.left == 0 => Poll::Ready(None),
            ReplyBody::Pieces(pieces) => {
                let piece = ready!(pieces.receiver.poll_recv(context));
                Poll::Ready(pieces.take(piece))
            }
            ReplyBody::Stream(receiver) => {
                let piece = ready!(receiver.poll_recv(context));
                Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.len() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.len()
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pieces, ReplyBody};
    use bytes::Bytes;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn pieces_arrive_in_order_and_end_at_their_length() {
        let (sender, pieces) = Pieces::new(5);
        let sending = std::thread::spawn(move || {
            [&b"ab"[..], b"", b"cde"].map(|piece| sender.send(Bytes::from_static(piece)))
        });
        let body = ReplyBody::Pieces(pieces).collect().await.expect("whole");
        assert_eq!(&body.to_bytes()[..], b"abcde");
        assert_eq!(sending.join().expect("sent"), [true; 3]);
    }

    #[tokio::test]
    async fn a_body_that_ends_early_or_runs_over_is_an_error() {
        for piece in [&b"ab"[..], b"abcdef"] {
            let (sender, pieces) = Pieces::new(5);
            std::thread::spawn(move || sender.send(Bytes::from_static(piece)));
            assert!(ReplyBody::Pieces(pieces).collect().await.is_err());
        }
    }

    #[tokio::test]
    async fn who_sends_learns_that_nobody_takes_any_more() {
        let (sender, pieces) = Pieces::new(5);
        drop(pieces);
        let sent = std::thread::spawn(move || sender.send(Bytes::from_static(b"a")));
        assert!(!sent.join().expect("told"));
    }
}
