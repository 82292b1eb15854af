//! The bounded inbox between callers and the writer.
//! Owns: what is waiting to be decided, and the limits on it.
//! Never: decides; grows without bound.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_core::{
    Answer, Call, Claim, Command, Fence, Outcome, Principal, Query, Rejection, RunId, TaskId,
    TaskSpec, TenantId,
};

use crate::call::{CallError, Durability, Reply};

/// Requests that may wait; beyond it callers get `busy`.
const REQUESTS_MAX: usize = 65_536;
/// Bytes that may wait; beyond it callers get `busy`.
const BYTES_MAX: usize = 256 << 20;

/// What one command came to.
pub(crate) type Decided = Result<Outcome, Rejection>;

/// One thing asked of the writer.
#[derive(Debug)]
pub(crate) enum Request {
    /// One command.
    Call(Box<Call>, Durability, Reply<Decided>),
    /// Several commands, each atomic by itself, in order.
    Calls(Vec<Call>, Durability, Reply<Vec<Decided>>),
    /// A claim that may wait for work.
    Claim(Principal, Box<Claim>, Duration, Reply<Decided>),
    /// A question.
    Ask(TenantId, Query, Reply<Answer>),
    /// Grants whose answer nobody took go back.
    Release(Principal, Vec<(TenantId, RunId, Fence)>),
    /// The store holds everything up to this event.
    Stored(u64),
    /// Take a cut now: somebody waits to read it.
    Cut,
    /// Grant nothing any more and answer parked claims.
    Drain,
    /// Decide nothing any more.
    Stop,
}

impl Request {
    /// About how much memory it holds.
    fn weight(&self) -> usize {
        let of = |call: &Call| {
            128 + match &call.command {
                Command::Submit(spec) | Command::SubmitAs(_, spec) => weight_of_task(spec),
                Command::SubmitAll(tasks) => weight_of_tasks(tasks),
                Command::Claim(claim) => weight_of(claim),
                Command::ResumeRun { payload, .. } => {
                    payload.as_ref().map_or(0, |bytes| bytes.len())
                }
                Command::Heartbeat(beat) => beat.progress.as_ref().map_or(0, |note| note.len()),
                Command::Finish(finish) => {
                    let memos = finish.checkpoints.iter().map(|(_, value)| value.len());
                    let output = finish.output.as_ref().map_or(0, |output| output.len());
                    output + memos.sum::<usize>() + weight_of_tasks(&finish.children)
                }
                Command::Checkpoint(put) => put.value.len(),
                _ => 0,
            }
        };
        match self {
            Request::Call(call, ..) => of(call),
            Request::Calls(calls, ..) => calls.iter().map(of).sum(),
            Request::Claim(_, claim, ..) => 128 + weight_of(claim),
            Request::Release(_, grants) => 128 + grants.len() * 48,
            Request::Ask(..)
            | Request::Stored(_)
            | Request::Cut
            | Request::Drain
            | Request::Stop => 128,
        }
    }

    /// Tells the caller that the engine has stopped.
    pub(crate) fn refuse(self, cause: &str) {
        let error = CallError::Stopped {
            cause: cause.to_owned(),
        };
        match self {
            Request::Call(_, _, reply) | Request::Claim(_, _, _, reply) => {
                drop(reply.send(Err(error)));
            }
            Request::Calls(_, _, reply) => drop(reply.send(Err(error))),
            Request::Ask(_, _, reply) => drop(reply.send(Err(error))),
            Request::Release(..)
            | Request::Stored(_)
            | Request::Cut
            | Request::Drain
            | Request::Stop => {}
        }
    }

    /// Whether it brings new work in, rather than moving work on.
    fn brings_work(&self) -> bool {
        let submits = |call: &Call| call.command.submits();
        match self {
            Request::Call(call, ..) => submits(call),
            Request::Calls(calls, ..) => calls.first().is_some_and(submits),
            Request::Claim(..)
            | Request::Ask(..)
            | Request::Release(..)
            | Request::Stored(_)
            | Request::Cut
            | Request::Drain
            | Request::Stop => false,
        }
    }
}

fn weight_of_task(spec: &TaskSpec) -> usize {
    let rare = usize::from(spec.extras.is_some() || spec.policy.is_some());
    spec.payload.bytes.len() + rare * 4096
}

fn weight_of_tasks(tasks: &[(Option<TaskId>, TaskSpec)]) -> usize {
    let tasks = tasks.iter();
    tasks.map(|(_, spec)| 128 + weight_of_task(spec)).sum()
}

fn weight_of(claim: &Claim) -> usize {
    let names = claim.queues.iter().chain(&claim.kinds);
    names.map(|name| 32 + name.len()).sum()
}

#[derive(Debug, Default)]
struct Queue {
    requests: VecDeque<(Request, usize)>,
    bytes: usize,
    closed: bool,
    /// New work is refused: the store lags too far behind.
    lagging: bool,
    /// The writer sleeps and wants to be woken.
    asleep: bool,
}

/// The inbox.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    filled: Condvar,
}

/// Why a request was not taken; the request comes back.
pub(crate) enum Refused {
    Busy(Request, &'static str),
    Full(Request),
    Closed(Request),
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a request over. New work is refused when four fifths are full, so that what moves work on still finds room.
    pub(crate) fn push(&self, request: Request, short: bool) -> Result<(), Box<Refused>> {
        let weight = request.weight();
        let brings_work = request.brings_work();
        let fifths = if brings_work { 4 } else { 5 };
        let mut queue = self.lock();
        if queue.closed {
            return Err(Box::new(Refused::Closed(request)));
        }
        if brings_work && short {
            return Err(Box::new(Refused::Full(request)));
        }
        if brings_work && queue.lagging {
            return Err(Box::new(Refused::Busy(request, "store_lag")));
        }
        if queue.requests.len() >= REQUESTS_MAX / 5 * fifths {
            return Err(Box::new(Refused::Busy(request, "inbox_requests")));
        }
        if queue.bytes + weight > BYTES_MAX / 5 * fifths && !queue.requests.is_empty() {
            return Err(Box::new(Refused::Busy(request, "inbox_bytes")));
        }
        Self::put(&mut queue, request, weight);
        let wake = std::mem::take(&mut queue.asleep);
        drop(queue);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// The store lags too far behind, or no longer.
    pub(crate) fn set_lagging(&self, lagging: bool) {
        self.lock().lagging = lagging;
    }

    fn put(queue: &mut Queue, request: Request, weight: usize) {
        queue.bytes += weight;
        queue.requests.push_back((request, weight));
    }

    /// Hands over what the engine itself must get through, whatever the limits say. After the end nobody would take it.
    pub(crate) fn push_always(&self, request: Request) {
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        let weight = request.weight();
        Self::put(&mut queue, request, weight);
        queue.asleep = false;
        drop(queue);
        self.filled.notify_one();
    }

    /// Moves waiting requests over, until `count` commands or `bytes` are reached; at least one if any waits.
    pub(crate) fn take(&self, into: &mut Vec<Request>, count: usize, bytes: usize) {
        let mut queue = self.lock();
        let (mut commands, mut taken) = (0, 0);
        while commands < count && taken < bytes {
            let Some((request, weight)) = queue.requests.pop_front() else {
                return;
            };
            queue.bytes -= weight;
            taken += weight;
            commands += if let Request::Calls(calls, ..) = &request {
                calls.len()
            } else {
                1
            };
            into.push(request);
        }
    }

    /// Sleeps until something waits or the time is over. Only for the writer's thread.
    pub(crate) fn wait(&self, timeout: Duration) {
        let mut queue = self.lock();
        if queue.requests.is_empty() && !queue.closed && !timeout.is_zero() {
            queue.asleep = true;
            let (mut queue, _) = self
                .filled
                .wait_timeout(queue, timeout)
                .unwrap_or_else(PoisonError::into_inner);
            queue.asleep = false;
        }
    }

    /// Takes nothing any more; what waited comes back.
    pub(crate) fn close(&self) -> Vec<Request> {
        let mut queue = self.lock();
        queue.closed = true;
        queue.bytes = 0;
        self.filled.notify_one();
        queue
            .requests
            .drain(..)
            .map(|(request, _)| request)
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().requests.len()
    }
}
