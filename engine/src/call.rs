//! An answer on its way: what callers hold while their frame becomes durable.
//! Owns: `Pending`, `Replied`, the errors of a call.
//! Never: resolves before the log says so.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Instant;

use tokio::sync::oneshot;

/// An answer, and the log position it reflects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replied<T> {
    /// The answer.
    pub value: T,
    /// The last event that the answer can have seen.
    pub sequence: u64,
    /// Whether that event is durable. Only a submit that asked for [`Durability::Deferred`] is answered before: should the log stop first,
    /// the task never was.
    pub durable: bool,
}

/// When an answer leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once its events are durable.
    #[default]
    Immediate,
    /// Once its events are on their way to the disk. Only for submits; what they made is seen and claimed only once it is durable.
    Deferred,
}

/// How far a call had come that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was accepted, but the log did not take its events: nothing was written.
    Append,
    /// Its events were written, but not confirmed.
    Commit,
}

impl Stage {
    /// The wire name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stage::Append => "append",
            Stage::Commit => "commit_unknown",
        }
    }
}

/// Why a call got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// A limit of the engine is reached; nothing was done. Trying again later helps.
    #[error("the engine is busy: the limit {limit} is reached")]
    Busy {
        /// Which limit.
        limit: &'static str,
    },
    /// There is too little room on the disk for new work, or for any change; nothing was done. It goes on by itself when there is room.
    #[error("the disk is nearly full: {free_bytes} bytes are free, {needed_bytes} are needed")]
    StorageFull {
        /// Bytes that can still be allocated.
        free_bytes: u64,
        /// Bytes from which on new work is taken again.
        needed_bytes: u64,
    },
    /// The engine has stopped on a storage fault; nothing was done.
    #[error("the engine has stopped: {cause}")]
    Stopped {
        /// What happened.
        cause: String,
    },
    /// The call was accepted, but the log stopped before it took its events: nothing was written.
    #[error("accepted, not written: {cause}")]
    Append {
        /// What happened.
        cause: String,
    },
    /// The events were written, but the log stopped before it could confirm them. After a restart they are there, or never were.
    #[error("written, not confirmed: events up to {sequence}")]
    CommitUnknown {
        /// The last event written for this call.
        sequence: u64,
    },
    /// The engine is shutting down; nothing was done.
    #[error("the engine is shutting down")]
    ShuttingDown,
}

impl CallError {
    /// How far the call had come; `None` when it was never decided.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        match self {
            CallError::Append { .. } => Some(Stage::Append),
            CallError::CommitUnknown { .. } => Some(Stage::Commit),
            CallError::Busy { .. }
            | CallError::StorageFull { .. }
            | CallError::Stopped { .. }
            | CallError::ShuttingDown => None,
        }
    }
}

/// What a call comes to.
pub(crate) type Result<T> = std::result::Result<Replied<T>, CallError>;

/// An answer on its way. Await it, or block on it with [`Pending::wait`].
#[must_use = "dropping it gives up on the answer"]
#[derive(Debug)]
pub struct Pending<T> {
    receiver: oneshot::Receiver<Result<T>>,
}

/// Wakes a thread that waits for an answer.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn gone() -> CallError {
    CallError::ShuttingDown
}

/// Blocks until a future is ready or an instant has passed: then there is nothing.
pub(crate) fn block_until<T>(future: impl Future<Output = T>, until: Instant) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::park_timeout(left);
    }
}

impl<T> Pending<T> {
    pub(crate) fn new() -> (Reply<T>, Pending<T>) {
        let (sender, receiver) = oneshot::channel();
        (Reply { sender }, Pending { receiver })
    }

    /// Blocks until the answer is there. Not for use inside async code.
    ///
    /// # Errors
    /// [`CallError`], when there is no answer.
    pub fn wait(self) -> Result<T> {
        self.receiver
            .blocking_recv()
            .unwrap_or_else(|_| Err(gone()))
    }

    /// Blocks until the answer is there, or until `stop` is set and this thread is unparked: then there is none.
    pub(crate) fn wait_unless(mut self, stop: &AtomicBool) -> Option<Result<T>> {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(answer) = Pin::new(&mut self).poll(&mut context) {
                return Some(answer);
            }
            if stop.load(Ordering::Acquire) {
                return None;
            }
            std::thread::park();
        }
    }

    /// The answer, if it is there already.
    pub fn try_take(&mut self) -> Option<Result<T>> {
        match self.receiver.try_recv() {
            Ok(answer) => Some(answer),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(gone())),
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(context)
            .map(|answer| answer.unwrap_or_else(|_| Err(gone())))
    }
}

/// The sending side of a [`Pending`].
#[derive(Debug)]
pub(crate) struct Reply<T> {
    sender: oneshot::Sender<Result<T>>,
}

impl<T> Reply<T> {
    /// Whether nobody waits any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends the answer; gives it back when nobody waits any more.
    pub(crate) fn send(self, answer: Result<T>) -> std::result::Result<(), Result<T>> {
        self.sender.send(answer)
    }
}
