//! What clients asked and what they were told: the only thing the oracle knows besides the durable image.

use mainstay::{
    Answer, CallError, Claim, Command, Now, Outcome, Query, Rejection, Replied, TenantId,
};

/// What one request was answered.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Decided(Result<Outcome, Rejection>),
    Many(Vec<Result<Outcome, Rejection>>),
    Answer(Box<Answer>),
}

/// What one request asked for.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Call(Box<mainstay::Call>),
    /// Each is a principal of its own: the request's number and the ones after it.
    Many(Vec<mainstay::Call>),
    Claim(Box<Claim>),
    Query(Query),
}

/// One request: what is asked, where and how.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) asked: Asked,
    /// The tenant acted in.
    pub(crate) tenant: TenantId,
    /// How long a claim waits at most.
    pub(crate) wait_ms: u64,
    /// Whether a submit does not wait for the disk.
    pub(crate) deferred: bool,
}

/// One request with its end.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) request: Request,
    /// The moment it was decided, when that is known: a claim that waits is decided later.
    pub(crate) now: Option<Now>,
    /// Whether its caller gave up on it.
    pub(crate) dropped: bool,
    /// Whether the engine granted nothing any more when it was answered.
    pub(crate) draining: bool,
    pub(crate) answer: Option<Result<Replied<Said>, CallError>>,
}

/// The name under which request `id` acts: the log keeps it beside what came of the request.
pub(crate) fn principal(id: u64) -> String {
    format!("r{id}")
}

/// What a principal asked for, for as long as the directory lives.
#[derive(Clone, Debug)]
pub(crate) struct Wished {
    /// The tenant acted in.
    pub(crate) tenant: TenantId,
    pub(crate) wish: Wish,
}

/// What a principal asked for.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Command(Command),
    Claim(Claim),
}
