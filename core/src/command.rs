//! What callers ask the machine to do. Commands are not logged; the events they become are.
//! Owns: the nouns of every mutation.
//! Never: decides.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::actor::Registration;
use crate::budget::{Amount, BudgetScope};
use crate::ledger::Attest;
use crate::operation::Operate;
use crate::platform::{Capabilities, Govern};
use crate::queue::QueueConfig;
use crate::run::{Fence, RunError, State};
use crate::subscription::Filter;
use crate::time::Timestamp;
use crate::webhook::Hook;
use crate::{ActorId, AttemptId, Bytes, RunId, SubscriptionId, TaskId, TaskSpec, TenantId, Text};

/// Who asks: recorded beside each command and in histories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The tenant acted in.
    pub tenant: TenantId,
    /// The key's, person's or program's name.
    pub name: Text,
    /// The request's id, when it came with one.
    pub request_id: Option<Text>,
    /// What it may do, as who knows it has established. Not logged: an allowed command is what the log remembers.
    pub may: Capabilities,
    /// The actor it acts for.
    pub actor: Option<ActorId>,
}

impl Default for Principal {
    /// The embedding program itself, in tenant `default`.
    fn default() -> Self {
        Principal {
            tenant: TenantId::DEFAULT,
            name: Text::from("local"),
            request_id: None,
            may: Capabilities::ALL,
            actor: None,
        }
    }
}

/// One command with who asks and what must hold for it to be considered at all.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asks.
    pub principal: Principal,
    /// Refused as `non_monotonic_sequence` unless the machine stands exactly here.
    pub expected_sequence: Option<u64>,
    /// Refused as `previous_state_mismatch` unless the named run is in this state.
    pub expected_state: Option<State>,
    /// Why, for the audit trail: recorded with a control command that has no reason of its own. At most 1024 bytes.
    pub reason: Option<Text>,
    /// What to do.
    pub command: Command,
}

impl Call {
    /// A call by the embedding program, without expectations.
    #[must_use]
    pub fn new(command: Command) -> Call {
        Call::by(&Principal::default(), command)
    }

    /// A call by somebody, without expectations. Many calls by the same principal share its name.
    #[must_use]
    pub fn by(principal: &Principal, command: Command) -> Call {
        Call {
            principal: principal.clone(),
            expected_sequence: None,
            expected_state: None,
            reason: None,
            command,
        }
    }

    /// Why a control command is asked for: `None` for a command that is none. What the command itself says goes first.
    #[must_use]
    pub fn control_reason(&self) -> Option<Option<&Text>> {
        let own = self.command.control_reason()?;
        Some(own.or(self.reason.as_ref()))
    }
}

/// Take up to `max` runs: select, lease and start in one act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Who works.
    pub worker: Text,
    /// The queues to take from, at least one.
    pub queues: Vec<Text>,
    /// Only these kinds; empty means every kind.
    pub kinds: Vec<Text>,
    /// How many at most, 1..=1000.
    pub max: u32,
    /// The lease in milliseconds; the task's own when absent.
    pub lease_ms: Option<u64>,
    /// Repeating the claim with this key returns the same leases, as far as they still live.
    pub idempotency_key: Option<Text>,
    /// What the worker is able to do: runs that require more are left alone.
    pub capabilities: Vec<Text>,
    /// Over all tenants instead of the principal's own.
    pub all_tenants: bool,
    /// The actor that works: its capabilities are those of the claim, and it is heard of.
    pub actor: Option<ActorId>,
}

/// "I am still on it", for one lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatItem {
    /// The run.
    pub run: RunId,
    /// The lease's token.
    pub fence: Fence,
    /// The new lease from now on, in milliseconds; the lease's first length when absent.
    pub lease_ms: Option<u64>,
    /// A note on progress (JSON text), kept in memory only.
    pub progress: Option<Bytes>,
}

/// How an attempt ended, in the worker's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    #[default]
    Success,
    /// It did not work.
    Failure,
    /// The handler asks to be woken later.
    Suspended,
    /// The handler stopped on a cancel directive, or gave up for good.
    Canceled,
    /// Given back untouched.
    Released,
}

/// The end of one attempt, with everything it carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// The run.
    pub run: RunId,
    /// The lease's token.
    pub fence: Fence,
    /// How it ended.
    pub outcome: Outcome,
    /// What it produced (JSON text).
    pub output: Option<Bytes>,
    /// What went wrong; a failure without one gets code `failed`, retryable.
    pub error: Option<Box<RunError>>,
    /// Overrides the retry policy's delay.
    pub retry_after_ms: Option<u64>,
    /// Why it suspends, cancels or releases.
    pub reason: Option<Text>,
    /// Memos saved together with the outcome: (name, JSON text).
    pub checkpoints: Vec<(Text, Bytes)>,
    /// What the attempt used and has not reported yet.
    pub consumption: Vec<Amount>,
    /// Tasks submitted with the outcome as children of the run's task; only with success and suspended.
    pub children: Vec<(Option<TaskId>, TaskSpec)>,
    /// Events published with the outcome: (key, JSON text); only with success and suspended.
    pub custom_events: Vec<(Text, Option<Bytes>)>,
}

impl Finish {
    /// A success with this output (JSON text).
    #[must_use]
    pub fn success(run: RunId, fence: Fence, output: Option<Bytes>) -> Finish {
        Finish {
            run,
            fence,
            outcome: Outcome::Success,
            output,
            error: None,
            retry_after_ms: None,
            reason: None,
            checkpoints: Vec::new(),
            consumption: Vec::new(),
            children: Vec::new(),
            custom_events: Vec::new(),
        }
    }
}

/// Everything that can be asked of the machine.
#[derive(Clone, Debug)]
pub enum Command {
    /// Create a task and its run.
    Submit(Box<TaskSpec>),
    /// The same under an id chosen by the client.
    SubmitAs(TaskId, Box<TaskSpec>),
    /// Create many tasks with their runs, all or none, in order: one may name those before it as its parent or prerequisites.
    SubmitAll(Vec<(Option<TaskId>, TaskSpec)>),
    /// Take work.
    Claim(Box<Claim>),
    /// Keep a lease alive. No event unless it extends the lease by more than 5 minutes.
    Heartbeat(HeartbeatItem),
    /// End an attempt.
    Finish(Box<Finish>),
    /// Save a memo.
    Checkpoint(Box<CheckpointPut>),
    /// Cancel one run; `force` does not wait for its worker.
    CancelRun {
        /// The run.
        run: RunId,
        /// Cancel a running run at once.
        force: bool,
        /// Why.
        reason: Option<Text>,
    },
    /// Cancel a task and all its runs.
    CancelTask {
        /// The task.
        task: TaskId,
        /// Why.
        reason: Option<Text>,
    },
    /// Tell a running run's worker to suspend it.
    SuspendRun {
        /// The run.
        run: RunId,
        /// Why.
        reason: Option<Text>,
    },
    /// Make a suspended run ready again.
    ResumeRun {
        /// The run.
        run: RunId,
        /// Handed to the next attempt (JSON text).
        payload: Option<Bytes>,
    },
    /// Stop granting work.
    PauseEngine {
        /// Why.
        reason: Option<Text>,
    },
    /// Grant work again.
    ResumeEngine {
        /// Why.
        reason: Option<Text>,
    },
    /// A process has opened the data directory.
    Start {
        /// Its incarnation, greater than any before.
        incarnation: u64,
        /// Recorded milliseconds since the last frame before it.
        downtime_ms: u64,
    },
    /// The wall clock was ahead long enough to be believed.
    AdoptClock {
        /// By how many milliseconds recorded time jumps.
        ahead_ms: u64,
    },
    /// Let time pass: expire, time out, promote what is due.
    Tick,
    /// Change a task's metadata or schedule.
    UpdateTask(Box<TaskPatch>),
    /// One more run of a task, beside its policy.
    CreateRun {
        /// The task.
        task: TaskId,
        /// The run's id; minted when absent.
        run: Option<RunId>,
        /// Must be `scheduled`: every run begins there.
        state: State,
        /// When it is due; now when absent.
        scheduled_at: Option<Timestamp>,
    },
    /// Move a run along one edge by hand.
    TransitionRun {
        /// The run.
        run: RunId,
        /// Where it must stand.
        expected: State,
        /// Where it goes.
        to: State,
    },
    /// Hold a ready run without starting work on it.
    AcquireLease {
        /// The run.
        run: RunId,
        /// Who holds it.
        owner: Text,
        /// The lease in milliseconds; the task's own when absent.
        lease_ms: Option<u64>,
    },
    /// Put the end of a lease later, by its owner's name.
    RenewLease {
        /// The run.
        run: RunId,
        /// Who holds it.
        owner: Text,
        /// When it ends from now on.
        expires_at: Timestamp,
    },
    /// End a lease as if its time had come.
    ExpireLease {
        /// The run.
        run: RunId,
        /// Who holds it.
        owner: Text,
        /// When it would end, as the caller knows it.
        expires_at: Timestamp,
    },
    /// Give a lease back.
    ReleaseLease {
        /// The run.
        run: RunId,
        /// Who holds it.
        owner: Text,
        /// When it would end, as the caller knows it.
        expires_at: Timestamp,
    },
    /// Begin an attempt on a running run that has none.
    StartAttempt {
        /// The run.
        run: RunId,
    },
    /// End an attempt by its id instead of its token; the run goes on as after [`Command::Finish`].
    FinishAttempt {
        /// The run.
        run: RunId,
        /// The attempt.
        attempt: AttemptId,
        /// How it ended.
        outcome: Outcome,
        /// What it produced (JSON text).
        output: Option<Bytes>,
        /// What went wrong.
        error: Option<Box<RunError>>,
    },
    /// Make a task that has not started depend on others.
    DeclareDependencies {
        /// The task.
        task: TaskId,
        /// Its further prerequisites, at least one.
        depends_on: Vec<TaskId>,
    },
    /// Set a budget, or change its limit within its period.
    AllocateBudget {
        /// Whose.
        scope: BudgetScope,
        /// Of what.
        dimension: Text,
        /// How much, at least 1.
        limit: u64,
        /// What each attempt holds; as it was when absent.
        reserve: Option<u64>,
    },
    /// A running attempt reports what it uses as it goes.
    Consume {
        /// The run.
        run: RunId,
        /// The lease's token.
        fence: Fence,
        /// What it used since it last reported.
        consumption: Vec<Amount>,
    },
    /// Note use of a budget outside any attempt.
    ConsumeBudget {
        /// Whose.
        scope: BudgetScope,
        /// Of what.
        dimension: Text,
        /// How much.
        amount: u64,
    },
    /// Begin a new period of a budget.
    ReplenishBudget {
        /// Whose.
        scope: BudgetScope,
        /// Of what.
        dimension: Text,
        /// How much may be spent in it, at least 1.
        new_limit: u64,
    },
    /// A task waits to hear of something.
    Subscribe {
        /// The task.
        task: TaskId,
        /// The subscription's id; minted when absent.
        id: Option<SubscriptionId>,
        /// What it waits for.
        filter: Box<Filter>,
    },
    /// A task waits no longer.
    Unsubscribe {
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// Act as if what a subscription waits for had happened.
    TriggerSubscription {
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// Publish an event of one's own.
    PublishEvent {
        /// Its key, 1..=255 bytes.
        key: Text,
        /// What it says (JSON text).
        payload: Option<Bytes>,
    },
    /// Set what a queue allows; what is absent is not limited any more.
    ConfigureQueue {
        /// The queue.
        queue: Text,
        /// Its settings.
        config: QueueConfig,
    },
    /// Grant nothing from a queue.
    PauseQueue {
        /// The queue.
        queue: Text,
        /// Why.
        reason: Option<Text>,
    },
    /// Grant a queue's runs again.
    ResumeQueue {
        /// The queue.
        queue: Text,
        /// Why.
        reason: Option<Text>,
    },
    /// Add a tenant.
    CreateTenant {
        /// Its id; minted when absent.
        tenant: Option<TenantId>,
        /// Its name, `[a-z0-9._-]{1,128}`, unique.
        name: Text,
    },
    /// Change the share of grants of the principal's tenant.
    WeighTenant {
        /// From now on, 1..=1000.
        weight: u32,
    },

    // Dead letters and operations.
    /// Try a dead letter again: a new run of the same task takes its place.
    RetryRun {
        /// The dead letter.
        run: RunId,
        /// Why.
        reason: Option<Text>,
    },
    /// Clear a dead letter away.
    ClearDeadLetter {
        /// The dead letter.
        run: RunId,
        /// Why.
        reason: Option<Text>,
    },
    // Operations.
    /// Act on many runs, a piece at a time.
    Operate(Box<Operate>),
    // Actors.
    /// Somebody who works says who it is and what it is able to do.
    RegisterActor(Box<Registration>),
    /// An actor finishes what it holds and gets nothing more.
    DrainActor {
        /// The actor.
        actor: ActorId,
        /// Why.
        reason: Option<Text>,
    },
    /// An actor is registered no more; its leases end.
    DeregisterActor {
        /// The actor.
        actor: ActorId,
        /// Why.
        reason: Option<Text>,
    },
    /// An actor is there. No event.
    BeatActor {
        /// The actor.
        actor: ActorId,
    },
    // Access.
    /// Change who may do what.
    Govern(Box<Govern>),
    // Ledgers.
    /// Put something on record: an entry of a ledger, a plan that waits for approval, a decision about it.
    Attest(Box<Attest>),
    // Webhooks.
    /// Something about who outside is told of events.
    Hook(Box<Hook>),
}

mod audit;
mod kind;
mod names;
mod parts;

pub use audit::AuditRow;
pub use names::{CommandNote, note_of};
pub use parts::{CheckpointPut, TaskPatch};
