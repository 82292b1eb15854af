//! Facts: what has happened, in the past tense. The log is made of these; only `apply` and the codec understand them.
//! Owns: every event's fields.
//! Never: drops or renumbers a variant; old logs hold it.

#[macro_use]
mod table;
mod access;
mod actor;
mod budget;
mod deadletter;
mod ledger;
mod operation;
mod parts;
mod public;
mod shown;
mod waiting;
mod webhook;

pub use access::*;
pub use actor::*;
pub use budget::*;
pub use deadletter::*;
pub use ledger::*;
pub use operation::*;
pub use parts::{Tags, Why};
pub use public::{About, HIDDEN_KINDS, PUBLIC_TYPES, PublicType};
pub use shown::{FactValue, FieldNote, Fields, Items, Visit};
pub(crate) use shown::{Noted, Shown, wire_name};
pub use waiting::*;
pub use webhook::*;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codec::{Malformed, Record};
use crate::machine::Apply;
use crate::run::{AttemptResult, Cause, Hold, Origin, RunError};
use crate::schedule::{Schedule, SkipCause};
use crate::state::{At, State};
use crate::time::Timestamp;
use crate::{ActorId, Bytes, RunId, TaskId, TaskSpec, TenantId, Text};

events! {
    /// A task was accepted.
    TaskCreated = 1 {
        /// The task.
        task: TaskId,
        /// What was asked for.
        spec: Box<TaskSpec>,
        /** By whom. */ by: Text,
    }
    /// A run of a task exists.
    RunCreated = 2 {
        /** The run. */ run: RunId,
        /// Its task.
        task: TaskId,
        /// When it is due.
        scheduled_at: Timestamp,
        /// Whether it is ready at once rather than scheduled.
        ready: bool,
        /// The instant of the schedule that it stands for.
        occurrence: Option<Timestamp>,
        /// Where it comes from.
        origin: Origin,
        /// Whether its id was chosen rather than minted.
        chosen: bool,
        /// The dead letter that it tries again.
        retry_of: Option<RunId>,
    }
    /// A scheduled run came due, or a retry's delay passed.
    RunReady = 3 {
        /** The run. */ run: RunId,
    }
    /// A worker was granted the run and works on it.
    RunStarted = 4 {
        /** The run. */ run: RunId,
        /// The attempt's number, from 1.
        number: u32,
        /// The token's incarnation.
        incarnation: u64,
        /// The token's counter.
        counter: u64,
        /// Who works.
        worker: Text,
        /// The lease in milliseconds.
        lease_ms: u64,
        /// The actor that works, when the claim named one.
        actor: Option<ActorId>,
    }
    /// A lease was renewed by more than 5 minutes.
    LeaseExtended = 5 {
        /** The run. */ run: RunId,
        /// The lease from this instant on, in milliseconds.
        lease_ms: u64,
    }
    /// The run ended well.
    RunCompleted = 6 {
        /** The run. */ run: RunId,
        /// What it produced (JSON text).
        output: Option<Bytes>,
    }
    /// An attempt failed or timed out and another will follow.
    RunRetryScheduled = 7 {
        /** The run. */ run: RunId,
        /// How the attempt ended.
        result: AttemptResult,
        /// What went wrong.
        error: Option<Box<RunError>>,
        /// What it produced nevertheless.
        output: Option<Bytes>,
        /// Milliseconds until the run is ready again.
        delay_ms: u64,
    }
    /// The lease ended without an outcome, or the worker gave the run back: it is ready again at once.
    RunReturned = 8 {
        /** The run. */ run: RunId,
        /// How the attempt ended.
        result: AttemptResult,
        /// Why, in the worker's words.
        reason: Option<Text>,
        /// What a worker that gave it back had produced.
        output: Option<Bytes>,
        /// What a worker that gave it back reported.
        error: Option<Box<RunError>>,
    }
    /// The run ended badly: a dead letter.
    RunFailed = 9 {
        /** The run. */ run: RunId,
        /// How its last attempt ended.
        result: AttemptResult,
        /// What went wrong.
        error: Option<Box<RunError>>,
        /// What it produced nevertheless.
        output: Option<Bytes>,
        /// Why there is no further attempt.
        cause: Cause,
    }
    /// The run was set aside until somebody resumes it.
    RunSuspended = 10 {
        /** The run. */ run: RunId,
        /// How the attempt ended.
        result: AttemptResult,
        /// Why.
        reason: Option<Text>,
        /// What went wrong, when the attempt failed under a suspend directive.
        error: Option<Box<RunError>>,
        /// What it produced so far.
        output: Option<Bytes>,
        /// What will release it.
        hold: Hold,
    }
    /// The run was canceled.
    RunCanceled = 11 {
        /** The run. */ run: RunId,
        /// How its attempt ended, when one was running.
        result: Option<AttemptResult>,
        /// Why it is canceled.
        cause: Cause,
        /// By whom; empty for the machine itself.
        by: Text,
        /// Why, in words.
        reason: Option<Text>,
        /// What went wrong in the attempt.
        error: Option<Box<RunError>>,
        /// What the attempt produced nevertheless.
        output: Option<Bytes>,
    }
    /// A running run's worker is told to stop.
    RunCancelRequested = 12 {
        /** The run. */ run: RunId,
        /// Milliseconds until it is canceled anyway.
        grace_ms: u64,
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
        /// What it follows from, when nobody canceled the run or its task itself.
        cause: Option<Box<Why>>,
    }
    /// A running run's worker is told to suspend it.
    RunSuspendRequested = 13 {
        /** The run. */ run: RunId,
        /// By whom; empty for the machine itself.
        by: Text,
        /// Why.
        reason: Option<Text>,
        /// A budget is exhausted, and the worker was told.
        budget: bool,
    }
    /// A suspended run is ready again.
    RunResumed = 14 {
        /** The run. */ run: RunId,
        /// Handed to the next attempt (JSON text).
        payload: Option<Bytes>,
        /// By whom; empty for the machine itself.
        by: Text,
        /// Why, when it was not resumed by hand.
        cause: Option<Box<Why>>,
    }
    /// A named memo was saved inside an attempt.
    CheckpointSaved = 15 {
        /** The run. */ run: RunId,
        /// The memo's name.
        name: Text,
        /// The memo (JSON text).
        value: Bytes,
    }
    /// A task was canceled; its runs' own events follow.
    TaskCanceled = 16 {
        /// The task.
        task: TaskId,
        /// By whom; empty for the machine itself.
        by: Text,
        /// Why.
        reason: Option<Text>,
        /// What it follows from, when nobody canceled the task itself.
        source: Option<Box<Why>>,
    }
    /// A claim with an idempotency key was granted.
    ClaimRecorded = 17 {
        /// The key.
        key: Text,
        /// The runs granted.
        runs: Vec<RunId>,
        /// The token counters granted, in the same order.
        counters: Vec<u64>,
        /// Digest of what was asked for.
        digest: u128,
        /// The runs' tenants, in the same order, when the claim was over all of them.
        tenants: Vec<TenantId>,
    }
    /// No work is granted any more.
    EnginePaused = 18 {
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// Work is granted again.
    EngineResumed = 19 {
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// A process opened the data directory; deadlines of live attempts move by the downtime.
    EngineStarted = 20 {
        /// Its incarnation.
        incarnation: u64,
        /// Recorded milliseconds since the last frame before it.
        downtime_ms: u64,
    }
    /// Recorded time took over a forward jump of the wall clock.
    ClockAdopted = 21 {
        /// By how many milliseconds.
        ahead_ms: u64,
    }
    /// A tenant was added. The event is the default tenant's.
    TenantCreated = 22 {
        /// The tenant.
        id: TenantId,
        /// Its name.
        name: Text,
        /// Its share of grants.
        weight: u32,
        /// Whether its id was chosen rather than minted.
        chosen: bool,
    }
    /// A tenant's share of grants changed.
    TenantWeighted = 23 {
        /// Its share from now on.
        weight: u32,
    }
    /// A task's metadata changed.
    TaskUpdated = 24 {
        /// The task.
        task: TaskId,
        /// Its priority from now on, if that changed.
        priority: Option<i32>,
        /// Its tags from now on, if they changed.
        tags: Option<Box<Tags>>,
        /// Its description from now on, if that changed; empty for none.
        description: Option<Text>,
        /** By whom. */ by: Text,
    }
    /// A task's schedule was replaced; its future run stands for the first instant of the new one.
    ScheduleChanged = 25 {
        /// The task.
        task: TaskId,
        /// What holds from now on.
        schedule: Option<Box<Schedule>>,
        /** By whom. */ by: Text,
    }
    /// A task's schedule makes no runs for a while.
    SchedulePaused = 26 {
        /// The task.
        task: TaskId,
        /** By whom. */ by: Text,
    }
    /// A task's schedule makes runs again.
    ScheduleResumed = 27 {
        /// The task.
        task: TaskId,
        /** By whom. */ by: Text,
    }
    /// Instants of a schedule passed without a run of their own.
    OccurrencesSkipped = 28 {
        /// The task.
        task: TaskId,
        /// How many; they count as occurrences.
        count: u64,
        /// The first of them.
        from: Timestamp,
        /// The last of them.
        through: Timestamp,
        /// Why.
        cause: SkipCause,
        /// Whether there were more than were counted.
        more: bool,
    }
    /// A run that has not started is due at another time.
    RunRescheduled = 29 {
        /** The run. */ run: RunId,
        /// When it is due.
        scheduled_at: Timestamp,
        /// The instant of the schedule that it stands for, if that changed.
        occurrence: Option<Timestamp>,
        /// Why.
        cause: Cause,
    }
    /// A schedule will make no further run.
    ScheduleEnded = 31 {
        /// The task.
        task: TaskId,
    }
    /// Somebody holds the run; no work on it has begun.
    LeaseAcquired = 32 {
        /** The run. */ run: RunId,
        /// The token's incarnation.
        incarnation: u64,
        /// The token's counter.
        counter: u64,
        /// Who holds it.
        owner: Text,
        /// The lease in milliseconds.
        lease_ms: u64,
    }
    /// Work began on a run that was held.
    RunBegan = 33 {
        /** The run. */ run: RunId,
        /** By whom. */ by: Text,
    }
    /// A lease ended before the work began: the run is ready again.
    LeaseEnded = 34 {
        /** The run. */ run: RunId,
        /// Why.
        cause: Cause,
        /// By whom; empty for the machine itself.
        by: Text,
    }
    /// An attempt began on a running run.
    AttemptStarted = 35 {
        /** The run. */ run: RunId,
        /// The attempt's number, from 1.
        number: u32,
    }
    /// A task was made to depend on more tasks.
    DependenciesDeclared = 36 {
        /// The task.
        task: TaskId,
        /// Those of them that are not completed.
        unmet: Vec<TaskId>,
        /// Those of them that are completed.
        met: Vec<TaskId>,
        /** By whom. */ by: Text,
    }
    /// A prerequisite of a task is completed.
    DependencySatisfied = 37 {
        /// The task.
        task: TaskId,
        /// The prerequisite.
        prerequisite: TaskId,
    }

    ; elsewhere

    // Budgets.
    /// A budget was set, or its limit changed within its period.
    BudgetAllocated = 38;
    /// A running attempt, or somebody for a budget, reported use.
    BudgetConsumed = 39;
    /// A budget's new period began.
    BudgetReplenished = 40;
    /// A budget's use reached its limit.
    BudgetExhausted = 41;
    /// A budget's use passed a threshold that somebody waits for.
    BudgetThresholdPassed = 42;

    // Subscriptions, queues and the direct lane.
    /// A task waits to hear of something.
    SubscriptionCreated = 43;
    /// A task waits no longer.
    SubscriptionCanceled = 44;
    /// What a subscription waited for has happened.
    SubscriptionTriggered = 45;
    /// Somebody published an event of their own.
    CustomEventPublished = 46;
    /// A queue's settings changed.
    QueueConfigured = 47;
    /// Nothing is granted from a queue any more.
    QueuePaused = 48;
    /// A queue's runs are granted again.
    QueueResumed = 49;
    /// A running run ended, waits or was set aside on somebody's direct word, not by its worker's.
    RunTransitioned = 50;
    /// A submit with an idempotency key found the task that has its unique key.
    SubmitRecorded = 51;

    // Dead letters and operations.
    /// A task that had ended goes on.
    TaskReopened = 52;
    /// A dead letter was tried again: a new run takes its place.
    RunRedriven = 53;
    /// A dead letter was cleared away.
    DeadLetterCleared = 54;
    /// Many runs are to be acted on, a piece at a time.
    OperationStarted = 55;
    /// A piece of an operation is done.
    OperationAdvanced = 56;
    /// An operation is over.
    OperationEnded = 57;

    // Actors.
    /// Somebody who works said who it is.
    ActorRegistered = 60;
    /// An actor gets nothing any more.
    ActorDraining = 61;
    /// An actor is registered no more; the ends of its leases follow.
    ActorDeregistered = 62;

    // Access.
    /// A key was made.
    KeyCreated = 68;
    /// A key was ended.
    KeyRevoked = 69;
    /// What a role of the tenant's own holds was set.
    RoleDefined = 70;
    /// A role was removed.
    RoleRemoved = 71;
    /// An actor was given a role.
    RoleAssigned = 72;
    /// A role was taken from an actor.
    RoleRevoked = 73;
    /// An actor was given a capability.
    CapabilityGranted = 74;
    /// A capability was taken from an actor.
    CapabilityRevoked = 75;

    // Ledgers.
    /// An entry was appended to a ledger.
    LedgerAppended = 76;
    /// A plan waits for approval.
    ApprovalRequested = 77;
    /// Somebody reviewed, approved or rejected a plan.
    ApprovalDecided = 78;

    // Webhooks.
    /// Somebody outside is to be told of events.
    WebhookCreated = 80;
    /// What a webhook is was set anew.
    WebhookUpdated = 81;
    /// A webhook is no more.
    WebhookDeleted = 82;
    /// A webhook signs with a new secret; for a day the one before signs too.
    WebhookRotated = 83;
    /// A webhook is told of events again, or no more.
    WebhookSwitched = 84;
    /// Events were sent to a webhook.
    WebhookReported = 85;
    /// An event is sent to a webhook on request.
    DeliveryRequested = 86;
    /// Events were trimmed from the log before they were sent to a webhook.
    WebhookEventsMissed = 87;
}
