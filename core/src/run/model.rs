//! The nouns of a run: states, transitions as data, attempts, leases, errors.
//! Owns: the transition table, the run row.
//! Never: decides.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::budget::Amount;
use crate::dependency::is_blocked;
use crate::event::Why;
use crate::outcome::SubmittedRun;
use crate::state::{Alarm, Armed};
use crate::time::{Steady, Timestamp};
use crate::{Bytes, RunId, Text, task};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident, at first $first:ident { $($(#[doc = $meaning:literal])+ $variant:ident = $code:literal $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[doc = $meaning])+ $variant = $code),+ }

        impl Default for $name {
            fn default() -> Self {
                $name::$first
            }
        }

        impl $name {
            /// What it means, in words: the text of the reference.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $($name::$variant => concat!($($meaning),+)),+ }
            }

            /// Every value, in code order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The wire name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The value with this code in the log, if there is one.
            #[must_use]
            pub fn from_code(code: u64) -> Option<$name> {
                match code { $($code => Some($name::$variant),)+ _ => None }
            }

            /// The value with this wire name, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }
        }
    };
}

named! {
    /// Where a run stands.
    State, at first Scheduled {
        /// Not due yet.
        Scheduled = 0 "scheduled",
        /// Waiting for a worker.
        Ready = 1 "ready",
        /// Granted, not begun.
        Leased = 2 "leased",
        /// A worker is on it.
        Running = 3 "running",
        /// An attempt failed; the next is not due yet.
        RetryWait = 4 "retry_wait",
        /// Set aside until resumed.
        Suspended = 5 "suspended",
        /// Ended well. Final.
        Completed = 6 "completed",
        /// Ended badly. Final.
        Failed = 7 "failed",
        /// Called off. Final.
        Canceled = 8 "canceled",
    }
}

impl State {
    /// Whether the state is final for ever.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, State::Completed | State::Failed | State::Canceled)
    }

    /// Whether a worker holds the run.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, State::Leased | State::Running)
    }

    /// Whether the table has an edge from here to `next`.
    #[must_use]
    pub fn may_become(self, next: State) -> bool {
        TRANSITIONS.contains(&(self, next))
    }
}

/// Every edge a run may take; anything else is `invalid_transition`.
pub const TRANSITIONS: &[(State, State)] = &[
    (State::Scheduled, State::Ready),
    (State::Ready, State::Leased),
    (State::Leased, State::Ready),
    (State::Leased, State::Running),
    (State::Running, State::RetryWait),
    (State::Running, State::Suspended),
    (State::Running, State::Completed),
    (State::Running, State::Failed),
    (State::RetryWait, State::Ready),
    (State::RetryWait, State::Failed),
    (State::Suspended, State::Ready),
    (State::Scheduled, State::Canceled),
    (State::Ready, State::Canceled),
    (State::Leased, State::Canceled),
    (State::Running, State::Canceled),
    (State::RetryWait, State::Canceled),
    (State::Suspended, State::Canceled),
];

named! {
    /// How an attempt ended.
    AttemptResult, at first LeaseExpired {
        /// It worked.
        Success = 0 "success",
        /// It did not; uses up `max_attempts`.
        Failure = 1 "failure",
        /// Its deadline passed; uses up `max_attempts`.
        Timeout = 2 "timeout",
        /// Its lease ended without a word; counts to `max_lost_leases`.
        LeaseExpired = 3 "lease_expired",
        /// The handler or an operator set it aside; counts to nothing.
        Suspended = 4 "suspended",
        /// Given back; counts to nothing.
        Released = 5 "released",
        /// Called off.
        Canceled = 6 "canceled",
    }
}

named! {
    /// Why a run changed its state.
    Cause, at first Finish {
        /// It was submitted.
        Submit = 0 "submit",
        /// It came due.
        Due = 1 "due",
        /// A worker claimed it.
        Claim = 2 "claim",
        /// Its worker reported the end.
        Finish = 3 "finish",
        /// Its attempt's deadline passed.
        Timeout = 4 "timeout",
        /// Its lease ended without a word.
        LeaseExpired = 5 "lease_expired",
        /// Somebody canceled it.
        Cancel = 6 "cancel",
        /// It was canceled when the grace had passed.
        Force = 7 "force",
        /// It was not started in time.
        Expired = 8 "expired",
        /// Its worker canceled it without being asked.
        Worker = 9 "worker",
        /// Somebody suspended it.
        Suspend = 10 "suspend",
        /// Somebody resumed it.
        Resume = 11 "resume",
        /// Its retry delay passed.
        Retry = 12 "retry",
        /// Its worker gave it back.
        Released = 13 "released",
        /// Its attempts are used up.
        Exhausted = 14 "attempts_exhausted",
        /// Its error is never retried.
        NotRetryable = 15 "not_retryable",
        /// Too many of its leases ended without a word.
        WorkerLost = 16 "worker_lost",
        /// Transactional work whose outcome nobody knows.
        OutcomeUnknown = 17 "outcome_unknown",
        /// Its task was canceled.
        TaskCancel = 18 "task_cancel",
        /// A task it depends on failed or was canceled.
        Dependency = 19 "dependency_failed",
        /// An ancestor of its task was canceled.
        ParentCancel = 20 "parent_canceled",
        /// A later occurrence took its place.
        Overlap = 21 "overlap",
        /// Somebody moved it by hand.
        Transition = 22 "transition",
        /// What its task waited to hear of has happened.
        Subscription = 23 "subscription",
        /// Its budget was replenished.
        Replenish = 24 "budget_replenished",
        /// Its task's children have ended.
        ChildrenDone = 25 "children_done",
        /// Somebody acquired, or gave back, a lease without starting work.
        Lease = 26 "lease",
        /// Its schedule changed.
        Schedule = 27 "schedule",
        /// Instants of its schedule were missed.
        Misfire = 28 "misfire",
    }
}

named! {
    /// What releases a suspended run.
    Hold, at first Hand {
        /// Somebody, or a subscription.
        Hand = 0 "hand",
        /// A replenished budget.
        Budget = 1 "budget",
        /// The end of its task's children.
        Children = 2 "children",
    }
}

named! {
    /// Where a run comes from.
    Origin, at first Policy {
        /// Its task's run policy.
        Policy = 0 "policy",
        /// Somebody asked for one more run.
        AdHoc = 1 "ad_hoc",
        /// A dead letter that is tried again.
        Redrive = 2 "redrive",
    }
}

/// What went wrong in an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunError {
    /// A stable code, such as `failed`.
    pub code: Text,
    /// Text for people.
    pub message: Text,
    /// Whether another attempt may help.
    pub retryable: bool,
}

/// The core of a fencing token: never issued twice in the life of a data directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    /// The process life that granted it.
    pub incarnation: u64,
    /// Counts grants over all lives.
    pub counter: u64,
}

/// One change of state, as history keeps it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) cause: Cause,
    pub(crate) at: Timestamp,
    pub(crate) sequence: u64,
    /// Empty for the machine itself.
    pub(crate) actor: Text,
}

/// One ended attempt, as history keeps it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) result: AttemptResult,
    pub(crate) fence: Fence,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) worker: Text,
    pub(crate) error: Option<Box<RunError>>,
    pub(crate) output: Option<Bytes>,
    /// Whether its worker reported the end, rather than the machine seeing it.
    pub(crate) reported: bool,
    /// Where the run stood after it: what a repeated report is answered.
    pub(crate) after: State,
    /// What it used.
    pub(crate) consumption: Vec<Amount>,
}

/// The lease and the attempt that is on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Active {
    pub(crate) fence: Fence,
    pub(crate) worker: Text,
    pub(crate) lease_ms: u64,
    pub(crate) acquired_at: Timestamp,
    /// The recorded end of the lease; a renewal in memory may put it later.
    pub(crate) expires: Steady,
    pub(crate) expires_at: Timestamp,
    /// The attempt's own deadline.
    pub(crate) deadline: Option<Steady>,
    pub(crate) deadline_at: Option<Timestamp>,
    pub(crate) cancel: Option<Box<CancelRequest>>,
    pub(crate) suspend: Option<Box<SuspendRequest>>,
    /// No attempt has begun: somebody holds the run by hand.
    pub(crate) idle: bool,
    /// When the attempt began, if that was later than the lease.
    pub(crate) started_at: Option<Timestamp>,
    /// What the attempt has used so far.
    pub(crate) consumption: Vec<Amount>,
    /// What is held for it of each budget of its task.
    pub(crate) reserved: Vec<Amount>,
    /// The same of the tenant's budgets.
    pub(crate) reserved_of_tenant: Vec<Amount>,
    /// The number of the actor that holds it.
    pub(crate) actor: Option<u64>,
}

impl Active {
    /// When the attempt began; the lease, while none has.
    pub(crate) fn started_at(&self) -> Timestamp {
        self.started_at.unwrap_or(self.acquired_at)
    }

    /// Whether it holds something of a budget.
    #[inline]
    pub(crate) fn is_spending(&self) -> bool {
        !self.reserved.is_empty() || !self.reserved_of_tenant.is_empty()
    }

    /// The first of lease end, attempt deadline and forced cancel.
    pub(crate) fn alarm(&self, expires: Steady) -> Steady {
        let deadline = self.deadline.unwrap_or(expires).min(expires);
        self.cancel
            .as_ref()
            .map_or(deadline, |cancel| cancel.force.min(deadline))
    }
}

/// A cancel that waits for the worker until `force`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CancelRequest {
    pub(crate) at: Timestamp,
    pub(crate) force: Steady,
    pub(crate) force_at: Timestamp,
    pub(crate) by: Text,
    pub(crate) reason: Option<Text>,
    /// Whether the whole task was canceled.
    pub(crate) task: bool,
    /// What it follows from, when nobody canceled the run or its task itself.
    pub(crate) why: Option<Box<Why>>,
}

/// A suspension that waits for the worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct SuspendRequest {
    pub(crate) at: Timestamp,
    pub(crate) by: Text,
    pub(crate) reason: Option<Text>,
    /// The machine asks because a budget is exhausted.
    pub(crate) budget: bool,
}

/// What a run has behind it; rows without a past pay one empty pointer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    pub(crate) changes: VecDeque<Change>,
    pub(crate) attempts: VecDeque<Attempt>,
    pub(crate) checkpoints: BTreeMap<Text, Bytes>,
    pub(crate) checkpoint_bytes: usize,
    pub(crate) output: Option<Bytes>,
    pub(crate) resume_payload: Option<Bytes>,
    /// When the retry delay has passed, while waiting for it.
    pub(crate) retry_due: Steady,
    pub(crate) retry_at: Timestamp,
    /// Why the run is suspended or canceled.
    pub(crate) reason: Option<Text>,
    /// What releases it while it is suspended.
    pub(crate) hold: Hold,
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The instant of the schedule that it stands for.
    pub(crate) occurrence: Option<Timestamp>,
    /// The dead letter that it tries again.
    pub(crate) retry_of: Option<RunId>,
    /// The run that took its place, once it was a dead letter.
    pub(crate) redriven_by: Option<RunId>,
    /// When it was cleared away, once it was a dead letter.
    pub(crate) cleared_at: Option<Timestamp>,
}

/// A run as the machine holds it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: RunId,
    pub(crate) task: u32,
    pub(crate) tenant: u32,
    pub(crate) state: State,
    pub(crate) born: State,
    /// Whether it holds a slot of its concurrency key.
    pub(crate) holds_key: bool,
    /// Whether it sits in its key's parked list instead of its lane.
    pub(crate) parked: bool,
    pub(crate) failures: u16,
    pub(crate) lost_leases: u16,
    pub(crate) attempt_count: u32,
    pub(crate) created_at: Timestamp,
    /// The event that made it: its number in the store.
    pub(crate) number: u64,
    pub(crate) scheduled_at: Timestamp,
    /// The place in the order of becoming ready.
    pub(crate) ready_order: u64,
    /// Whether it changed since the last cut.
    pub(crate) dirty: bool,
    /// Whether a cut ever held it.
    pub(crate) stored: bool,
    /// Where its alarm stands in the index.
    pub(crate) armed: Armed,
    pub(crate) active: Option<Box<Active>>,
    pub(crate) past: Option<Box<Past>>,
}

impl Row {
    /// When the run must be looked at next, as its row says; a renewal in memory may put a lease's end later.
    pub(crate) fn alarm(&self, task: &task::Row) -> Alarm {
        match self.state {
            State::Scheduled if is_blocked(task) => {
                self.start_by(task).map_or(Alarm::None, Alarm::Wall)
            }
            State::Scheduled => {
                let due = match task.clockwork() {
                    Some(clockwork) => clockwork.due(self.number, self.scheduled_at),
                    None => Some(self.scheduled_at),
                };
                let first = due.into_iter().chain(self.start_by(task)).min();
                first.map_or(Alarm::None, Alarm::Wall)
            }
            State::Ready if self.attempt_count == 0 => {
                self.start_by(task).map_or(Alarm::None, Alarm::Wall)
            }
            State::RetryWait => Alarm::Steady(self.retry().0),
            State::Leased | State::Running => self.active.as_ref().map_or(Alarm::None, |active| {
                Alarm::Steady(active.alarm(active.expires))
            }),
            State::Ready
            | State::Suspended
            | State::Completed
            | State::Failed
            | State::Canceled => Alarm::None,
        }
    }

    /// Whether it failed, and was neither tried again nor cleared away.
    pub(crate) fn is_dead_letter(&self) -> bool {
        let past = self.past.as_deref();
        let settled = |past: &Past| past.redriven_by.is_some() || past.cleared_at.is_some();
        self.state == State::Failed && !past.is_some_and(settled)
    }

    /// By when it must have started; what is tried again by hand starts whenever it can.
    fn start_by(&self, task: &task::Row) -> Option<Timestamp> {
        let redriven = |past: &Past| past.origin == Origin::Redrive;
        task.expires_at()
            .filter(|_| !self.past.as_deref().is_some_and(redriven))
    }

    /// Whether the run waits for its first start beyond its task's `expires_at`.
    pub(crate) fn is_expired(&self, task: &task::Row, now: Timestamp) -> bool {
        let waits = matches!(self.state, State::Scheduled | State::Ready);
        waits && self.attempt_count == 0 && self.start_by(task).is_some_and(|at| at <= now)
    }

    /// When the retry delay has passed, on both clocks.
    pub(crate) fn retry(&self) -> (Steady, Timestamp) {
        self.past
            .as_ref()
            .map_or_else(Default::default, |past| (past.retry_due, past.retry_at))
    }

    /// As a submit answers it.
    pub(crate) fn submitted(&self) -> SubmittedRun {
        SubmittedRun {
            run: self.id,
            state: self.state,
            scheduled_at: self.scheduled_at,
        }
    }

    pub(crate) fn past_mut(&mut self) -> &mut Past {
        self.past.get_or_insert_default()
    }

    /// The attempt a repeated finish would repeat.
    pub(crate) fn last_attempt(&self) -> Option<&Attempt> {
        self.past.as_ref()?.attempts.back()
    }
}
