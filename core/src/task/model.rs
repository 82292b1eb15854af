//! The nouns of a task: what a client asks for, and the row that remembers it.
//! Owns: `TaskSpec`, its policies and defaults, the task row and its derived state.
//! Never: decides.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::state::{Standing, State, derive_state};
use crate::budget::{Budget, BudgetSpec};
use crate::dependency::Bond;
use crate::intern::Symbol;
use crate::run::Fence;
use crate::schedule::{Clockwork, Schedule};
use crate::subscription::Subscription;
use crate::time::Timestamp;
use crate::{Bytes, RunId, TaskId, Text};

/// How long to wait before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The same delay each time.
    Fixed,
    /// The delay multiplied after each failure.
    Exponential,
}

/// Whether the delay is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Uniform in 0..=delay, derived from the run's id and the failure's number: deterministic.
    Full,
    /// The delay itself.
    None,
}

/// The retry policy: delay after n failures = min(max, initial × multiplier^(n−1)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Fixed or exponential.
    pub strategy: Strategy,
    /// The first delay in milliseconds.
    pub initial_ms: u64,
    /// The factor in thousandths (2000 = ×2), at least 1000.
    pub multiplier_milli: u32,
    /// The longest delay in milliseconds.
    pub max_ms: u64,
    /// Whether the delay is spread.
    pub jitter: Jitter,
    /// Error codes that are never retried.
    pub non_retryable: Vec<Text>,
}

impl Default for Retry {
    fn default() -> Self {
        DEFAULT_POLICY.retry.clone()
    }
}

/// Whether a run keeps its concurrency slot while it waits for a retry or is suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HoldPolicy {
    /// The slot stays taken.
    #[default]
    HoldDuringRetry,
    /// The slot is given back and must be won again.
    ReleaseOnRetry,
}

/// What may happen to work whose outcome is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SafetyLevel {
    /// No effects: retried freely.
    Pure,
    /// Effects that may be repeated: retried freely.
    #[default]
    Idempotent,
    /// Effects that must not be repeated blindly: a timeout or a lost lease fails the run as `outcome_unknown`.
    Transactional,
}

/// Constraints and retry of a task. Most tasks share the default, which costs a row nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Reported failures and timeouts until the run fails, 1..=1000.
    pub max_attempts: u32,
    /// Leases that may end without a word before the run fails with `worker_lost`, 0..=1000.
    pub max_lost_leases: u32,
    /// An attempt's deadline in milliseconds, independent of its lease.
    pub timeout_ms: Option<u64>,
    /// The lease in milliseconds when the claim names none.
    pub lease_ms: u64,
    /// Milliseconds between a cancel request and the forced cancel.
    pub cancel_grace_ms: u64,
    /// Runs with the same key share its slots.
    pub concurrency_key: Option<Text>,
    /// How many may hold the key while this run is among the candidates or holders.
    pub concurrency_limit: u32,
    /// Whether waiting runs keep their slot.
    pub hold_policy: HoldPolicy,
    /// What may happen when the outcome is unknown.
    pub safety_level: SafetyLevel,
    /// The retry policy.
    pub retry: Retry,
    /// What a worker must be able to do to be granted the work; empty for nothing.
    pub required_capabilities: Vec<Text>,
    /// Runs of a tenant take turns by this key.
    pub fairness_key: Option<Text>,
}

impl Default for Policy {
    fn default() -> Self {
        DEFAULT_POLICY.clone()
    }
}

/// What a handler gets: JSON text kept byte for byte, or bytes with a media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The bytes. JSON text when `binary` is false.
    pub bytes: Bytes,
    /// Whether the bytes are opaque (sent as base64) rather than JSON.
    pub binary: bool,
}

impl Default for Payload {
    fn default() -> Self {
        Payload {
            bytes: Bytes::from(&b"null"[..]),
            binary: false,
        }
    }
}

/// The rarer fields of a task; a row without any of them pays one empty pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Media type, when it is not the default of its form.
    pub content_type: Option<Text>,
    /// Tags, at most 32.
    pub tags: Vec<Text>,
    /// Text for people.
    pub description: Option<Text>,
    /// W3C trace context, given to every attempt.
    pub traceparent: Option<Text>,
    /// Submitting again with this key returns the first task.
    pub idempotency_key: Option<Text>,
    /// Not started by then: canceled with reason `expired`.
    pub expires_at: Option<Timestamp>,
    /// At most one task of the tenant that has not ended has this key.
    pub unique_key: Option<Text>,
}

/// How a task stands to others, and what it may spend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bonds {
    /// The task it belongs to.
    pub parent: Option<TaskId>,
    /// Tasks that must be completed before its runs may start.
    pub depends_on: Vec<TaskId>,
    /// What it may spend.
    pub budgets: Vec<BudgetSpec>,
    /// The running attempt that submits it, with its token: checked, never logged.
    pub parent_run: Option<(RunId, Fence)>,
}

/// What a client asks for: one task; without a schedule its run policy is `once`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSpec {
    /// Which handler: `[a-z0-9._-]{1,128}`.
    pub kind: Text,
    /// Which lane: `[a-z0-9._-]{1,128}`.
    pub queue: Text,
    /// What the handler gets.
    pub payload: Payload,
    /// When the run becomes due; now when absent.
    pub run_at: Option<Timestamp>,
    /// Higher first.
    pub priority: i32,
    /// Constraints and retry; `None` stands for the defaults.
    pub policy: Option<Box<Policy>>,
    /// Rarer fields.
    pub extras: Option<Box<Extras>>,
    /// More than one run: `repeat` or `cron`. `run_at` is absent then.
    pub schedule: Option<Box<Schedule>>,
    /// Parent, prerequisites and budgets.
    pub bonds: Option<Box<Bonds>>,
}

impl TaskSpec {
    /// A task of this kind in queue `default`, with payload `null` and every default.
    #[must_use]
    pub fn new(kind: impl Into<Text>) -> TaskSpec {
        TaskSpec {
            kind: kind.into(),
            queue: Text::from("default"),
            payload: Payload::default(),
            run_at: None,
            priority: 0,
            policy: None,
            extras: None,
            schedule: None,
            bonds: None,
        }
    }

    /// How many runs its submit makes.
    #[must_use]
    pub fn runs_at_once(&self) -> usize {
        match self.schedule.as_deref() {
            Some(Schedule::Repeat(repeat)) => repeat.count as usize,
            Some(Schedule::Cron(_)) | None => 1,
        }
    }

    /// The bonds, made when there are none yet.
    pub fn bonds_mut(&mut self) -> &mut Bonds {
        self.bonds.get_or_insert_default()
    }

    /// The extras, made when there are none yet.
    pub fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// The policy, made from the defaults when there is none yet.
    pub fn policy_mut(&mut self) -> &mut Policy {
        self.policy.get_or_insert_default()
    }
}

/// Whether a payload of this many bytes stands beside its task's image instead of in it.
pub(crate) fn is_heavy(payload_bytes: u32) -> bool {
    payload_bytes as usize > crate::limits::PAYLOAD_INLINE_BYTES
}

/// A payload in memory, or what is known of one that is in the store alone.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Here(Bytes),
    /// So many bytes, in the store.
    Stored(u32),
}

impl Content {
    pub(crate) fn len(&self) -> usize {
        match self {
            Content::Here(bytes) => bytes.len(),
            Content::Stored(bytes) => *bytes as usize,
        }
    }

    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match self {
            Content::Here(bytes) => Some(bytes),
            Content::Stored(_) => None,
        }
    }
}

/// A handle that may be missing, without the price of an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(u32);

impl Handle {
    pub(crate) const NONE: Handle = Handle(u32::MAX);

    pub(crate) fn some(handle: u32) -> Handle {
        Handle(handle)
    }

    pub(crate) fn get(self) -> Option<u32> {
        (self != Handle::NONE).then_some(self.0)
    }
}

/// What most tasks do not have: a row without any of it pays one empty pointer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rare {
    pub(crate) policy: Option<Box<Policy>>,
    pub(crate) extras: Option<Box<Extras>>,
    pub(crate) canceled_at: Option<Timestamp>,
    /// Who accepted it, when there are too many names to keep each once.
    pub(crate) created_by: Option<Text>,
    /// Its runs in memory by number, once there was more than one of them.
    pub(crate) runs: BTreeMap<u64, u32>,
    /// When it ended, if that was not the end of its one run.
    pub(crate) ended_at: Option<Timestamp>,
    /// When somebody last changed its metadata or schedule.
    pub(crate) updated_at: Option<Timestamp>,
    /// What makes more runs of it.
    pub(crate) clockwork: Option<Box<Clockwork>>,
    /// How it stands to other tasks.
    pub(crate) bond: Option<Box<Bond>>,
    /// What it may spend.
    pub(crate) budgets: Vec<Budget>,
    /// What it waits to hear of.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Its failed runs, counted once it is a task with something rare: they may leave memory before it ends.
    pub(crate) runs_failed: u32,
    /// The sequence of the last cut that held it.
    pub(crate) cut_through: u64,
    /// It had ended and goes on, and no cut has held it since.
    pub(crate) reopened: bool,
}

impl Rare {
    /// In a box, unless there is nothing in it.
    pub(crate) fn boxed(self) -> Option<Box<Rare>> {
        let empty = self.policy.is_none()
            && self.extras.is_none()
            && self.canceled_at.is_none()
            && self.created_by.is_none()
            && self.runs.is_empty()
            && self.ended_at.is_none()
            && self.updated_at.is_none()
            && self.clockwork.is_none()
            && self.bond.is_none()
            && self.budgets.is_empty()
            && self.subscriptions.is_empty()
            && self.runs_failed == 0;
        (!empty).then(|| Box::new(self))
    }
}

/// A task as the machine holds it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: TaskId,
    /// The event that made it: its number in the store.
    pub(crate) number: u64,
    /// Its tenant, queue and kind.
    pub(crate) place: u32,
    pub(crate) priority: i32,
    /// What the handler gets, unless it is in the store alone.
    pub(crate) payload: Content,
    /// Whether the payload is opaque bytes rather than JSON.
    pub(crate) binary: bool,
    /// Whether it changed since the last cut.
    pub(crate) dirty: bool,
    /// Whether a cut ever held it.
    pub(crate) stored: bool,
    pub(crate) created_at: Timestamp,
    /// Who accepted it, among the names of [`crate::state::State::people`].
    pub(crate) created_by: Symbol,
    /// What most tasks do not have.
    pub(crate) rare: Option<Box<Rare>>,
    /// The handle of its run while it has had but one; [`Rare::runs`] has them when there were more.
    pub(crate) run: Handle,
    pub(crate) runs_total: u32,
    pub(crate) runs_live: u32,
    pub(crate) runs_completed: u32,
}

impl Row {
    pub(crate) fn state(&self) -> State {
        derive_state(Standing {
            canceled: self.canceled_at().is_some(),
            runs_total: self.runs_total,
            runs_live: self.runs_live,
            runs_completed: self.runs_completed,
            goes_on: self.goes_on(),
            has_live_descendants: self.has_live_descendants(),
        })
    }

    /// Its runs in memory, in the order they were made.
    pub(crate) fn runs(&self) -> impl Iterator<Item = u32> + '_ {
        let many = self.rare.as_deref().map(|rare| &rare.runs);
        let many = many.into_iter().flat_map(|runs| runs.values().copied());
        self.run.get().into_iter().chain(many)
    }

    /// Whether its schedule will make more runs.
    pub(crate) fn goes_on(&self) -> bool {
        self.clockwork().is_some_and(|clockwork| !clockwork.ended)
    }

    /// Where its schedule stands, if it has one.
    pub(crate) fn clockwork(&self) -> Option<&Clockwork> {
        self.rare.as_deref()?.clockwork.as_deref()
    }

    /// How it stands to other tasks, if it has to do with any.
    pub(crate) fn bond(&self) -> Option<&Bond> {
        self.rare.as_deref()?.bond.as_deref()
    }

    /// Whether a descendant is not terminal.
    pub(crate) fn has_live_descendants(&self) -> bool {
        self.bond().is_some_and(|bond| bond.descendants_live > 0)
    }

    /// The payload as far as it is in memory, and the number to look for in the store when it is not.
    pub(crate) fn payload(&self) -> (Payload, Option<u64>) {
        let (bytes, stored) = match &self.payload {
            Content::Here(bytes) => (bytes.clone(), None),
            Content::Stored(_) => (Bytes::from(&b""[..]), Some(self.number)),
        };
        let binary = self.binary;
        (Payload { bytes, binary }, stored)
    }

    /// Whether the payload is too large to stand in the row's image.
    pub(crate) fn is_heavy(&self) -> bool {
        is_heavy(self.payload.len() as u32)
    }

    /// Whether it must stay in memory: it has not ended, or others have yet to hear that it has.
    pub(crate) fn is_live(&self) -> bool {
        self.runs_live > 0 || self.goes_on() || self.bond().is_some_and(Bond::holds)
    }

    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        self.extras().and_then(|extras| extras.expires_at)
    }

    pub(crate) fn extras(&self) -> Option<&Extras> {
        self.rare.as_deref()?.extras.as_deref()
    }

    /// The policy of its own, if it has one.
    pub(crate) fn own_policy(&self) -> Option<&Policy> {
        self.rare.as_deref()?.policy.as_deref()
    }

    pub(crate) fn canceled_at(&self) -> Option<Timestamp> {
        self.rare.as_deref()?.canceled_at
    }
}

impl Default for TaskSpec {
    /// A spec without a kind: only a decoder starts from it.
    fn default() -> Self {
        TaskSpec {
            queue: Text::default(),
            ..TaskSpec::new("")
        }
    }
}

/// The defaults, for rows that carry no policy of their own.
static DEFAULT_POLICY: Policy = Policy {
    max_attempts: 1,
    max_lost_leases: 3,
    timeout_ms: None,
    lease_ms: 30_000,
    cancel_grace_ms: 5000,
    concurrency_key: None,
    concurrency_limit: 1,
    hold_policy: HoldPolicy::HoldDuringRetry,
    safety_level: SafetyLevel::Idempotent,
    retry: Retry {
        strategy: Strategy::Exponential,
        initial_ms: 1000,
        multiplier_milli: 2000,
        max_ms: 300_000,
        jitter: Jitter::Full,
        non_retryable: Vec::new(),
    },
    required_capabilities: Vec::new(),
    fairness_key: None,
};

/// The policy that holds for a task.
pub(crate) fn policy(task: &Row) -> &Policy {
    task.own_policy().unwrap_or(&DEFAULT_POLICY)
}
