//! What can be asked without changing anything, and the answers.
//! Owns: the read nouns.
//! Never: an unbounded answer.

mod access;
mod actors;
mod explain;
mod overview;

pub use access::{KeyView, OperationView, TenantView};
pub use actors::{ActorView, Workforce};
pub use explain::{Block, Explain};
pub(crate) use overview::unfinished;
pub use overview::{Execution, Overview, QueueLoad, TenantLoad, WebhookLoad};

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::budget::Amount;
use crate::outcome::BudgetView;
use crate::queue::QueueConfig;
use crate::run::{AttemptResult, Cause, Fence, Origin, RunError, State};
use crate::schedule::Schedule;
use crate::subscription::Filter;
use crate::task::{Extras, Payload, Policy};
use crate::time::Timestamp;
use crate::webhook::{DeliveriesOf, Delivery, WebhookView};
use crate::{
    ActorId, AttemptId, Bytes, KeyId, OperationId, RunId, SubscriptionId, TaskId, TenantId, Text,
    WebhookId,
};

/// A bounded question, answered by index alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// One task.
    Task(TaskId),
    /// One run.
    Run(RunId),
    /// Why a run is (not) running.
    Explain(RunId),
    /// Counters.
    Stats,
    /// The engine's switches.
    Engine,
    /// The tenant's queues and kinds with the runs counted there.
    Places,
    /// The tenant's queues that somebody configured or paused.
    Queues,
    /// The tenant's own budgets.
    Budgets,
    // Actors.
    /// One actor.
    Actor(ActorId),
    /// Actors, by tenant and id.
    Actors {
        /// Of all tenants, instead of the one asked about.
        all: bool,
        /// Those after this one.
        after: Option<(TenantId, ActorId)>,
        /// How many at most, not beyond [`crate::limits::LIST_LIMIT_MAX`].
        limit: u32,
    },
    /// Who is there to work, of all tenants, and what waits though somebody is there.
    Workforce,
    // Access.
    /// One key of whatever tenant, with its digest: for whoever establishes who asks.
    Key(KeyId),
    /// Keys by id.
    Keys {
        /// Whose.
        of: KeysOf,
        /// Those after this one; nil for all.
        after: KeyId,
        /// How many at most, not beyond [`crate::limits::LIST_LIMIT_MAX`].
        limit: u32,
    },
    /// Roles of the tenant's own, by name.
    Roles,
    /// What an actor of the tenant was granted.
    Grant(ActorId),
    /// Every tenant, in the order in which they were made.
    Tenants,
    // Operations.
    /// One operation of the tenant.
    Operation(OperationId),
    /// Operations, the newest first.
    Operations {
        /// Of all tenants, instead of the one asked about.
        all: bool,
        /// Those that began before this one, by its number.
        before: Option<u64>,
        /// How many at most, not beyond [`crate::limits::LIST_LIMIT_MAX`].
        limit: u32,
    },
    /// The operation that goes on and began after this one, by its number, of whatever tenant; the first of them when there is none after.
    NextOperation(u64),
    // Webhooks.
    /// One webhook.
    Webhook(WebhookId),
    /// Webhooks, by tenant and id.
    Webhooks {
        /// Of all tenants, instead of the one asked about.
        all: bool,
        /// Those after this one.
        after: Option<(TenantId, WebhookId)>,
        /// How many at most, not beyond [`crate::limits::LIST_LIMIT_MAX`].
        limit: u32,
    },
    /// Deliveries of a webhook, newest first.
    Deliveries {
        /// The webhook.
        webhook: WebhookId,
        /// Which of them.
        of: DeliveriesOf,
        /// Those of events before this one.
        before: u64,
        /// How many at most, not beyond [`crate::limits::LIST_LIMIT_MAX`].
        limit: u32,
    },
    // Statistics.
    /// Everything at once, of all tenants: what a scrape of metrics shows.
    Overview,
    /// Counters of the tenant, or of all of them, and how long attempts took.
    Report {
        /// Of all tenants.
        all: bool,
    },
}

/// Whose keys are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysOf {
    /// The tenant's.
    Tenant,
    /// Every tenant's, and those of none.
    All,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nothing of that id in the tenant.
    Absent,
    /// A task.
    Task(Box<TaskView>),
    /// A run.
    Run(Box<RunView>),
    /// Why a run is (not) running.
    Explain(Box<Explain>),
    /// Counters.
    Stats(Box<Stats>),
    /// The engine's switches.
    Engine(EngineView),
    /// Places in number order, at most [`crate::limits::PLACES_SHOWN_MAX`].
    Places(Vec<crate::PlaceRow>),
    /// Queues with settings of their own, by name; all others grant without bounds.
    Queues(Vec<QueueView>),
    /// The tenant's own budgets.
    Budgets(Vec<BudgetView>),
    // Actors.
    /// An actor.
    Actor(Box<ActorView>),
    /// Actors by id.
    Actors(Vec<ActorView>),
    /// Who is there to work.
    Workforce(Workforce),
    // Access.
    /// A key, if there is one of that id.
    Key(Option<Box<KeyView>>),
    /// Keys by id.
    Keys(Vec<KeyView>),
    /// Roles of the tenant's own: name, and what who has it may do.
    Roles(Vec<(Text, Vec<Text>)>),
    /// What an actor was granted: roles and single capabilities.
    Grant(Vec<Text>, Vec<Text>),
    /// Tenants.
    Tenants(Vec<TenantView>),
    // Operations.
    /// An operation.
    Operation(Box<OperationView>),
    /// Operations.
    Operations(Vec<OperationView>),
    // Webhooks.
    /// A webhook.
    Webhook(Box<WebhookView>),
    /// Webhooks by tenant and id.
    Webhooks(Vec<WebhookView>),
    /// Deliveries.
    Deliveries(Vec<Delivery>),
    // Statistics.
    /// Everything at once.
    Overview(Box<Overview>),
    /// Counters, and how long attempts took.
    Report(Box<crate::StatsReport>),
}

/// A task as people and programs see it.
#[derive(Clone, Debug)]
pub struct TaskView {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: TaskId,
    /// Which handler.
    pub kind: Text,
    /// Which lane.
    pub queue: Text,
    /// Higher first.
    pub priority: i32,
    /// What the handler gets.
    pub payload: Payload,
    /// Where the payload is to be looked up when it is in the store alone; `payload` is empty then.
    pub stored_payload: Option<u64>,
    /// Constraints and retry.
    pub policy: Policy,
    /// Rarer fields.
    pub extras: Extras,
    /// When the one run is or was due.
    pub scheduled_at: Timestamp,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Text,
    /// When its metadata or schedule was last changed.
    pub updated_at: Option<Timestamp>,
    /// When it was canceled.
    pub canceled_at: Option<Timestamp>,
    /// Derived from its runs.
    pub state: crate::task::State,
    /// Its runs, in order, at most the first 1000; those that have left memory are to be looked up.
    pub runs: Vec<crate::outcome::SubmittedRun>,
    /// How many runs it has.
    pub runs_total: u32,
    /// All its runs by state code. In a list, where no run is looked up, those of a task with several runs that are live are in none, and a
    /// task's only run counts as its own row says.
    pub runs_by_state: [u64; 9],
    /// What makes more runs of it.
    pub schedule: Option<Box<ScheduleView>>,
    /// How it stands to other tasks; `None` when it stands alone.
    pub bond: Option<Box<BondView>>,
    /// What it may spend.
    pub budgets: Vec<BudgetView>,
    /// What it waits to hear of.
    pub subscriptions: Vec<SubscriptionView>,
}

/// Where a task's schedule stands.
#[derive(Clone, Debug, Default)]
pub struct ScheduleView {
    /// What was asked for, with every default.
    pub schedule: Schedule,
    /// Whether somebody stopped it for a while.
    pub paused: bool,
    /// Whether it makes no more runs.
    pub ended: bool,
    /// Instants that came to a run, were missed or were skipped.
    pub occurrences: u64,
    /// The instant of its one future run.
    pub next: Option<Timestamp>,
}

/// How a task stands to other tasks.
#[derive(Clone, Debug, Default)]
pub struct BondView {
    /// The task it belongs to.
    pub parent: Option<TaskId>,
    /// What it was ever made to depend on.
    pub depends_on: Vec<TaskId>,
    /// Of these, the ones that are not completed.
    pub unmet: Vec<TaskId>,
    /// Children it ever had.
    pub children_total: u32,
    /// Descendants of every generation that are not terminal.
    pub descendants_live: u32,
}

/// One thing a task waits to hear of.
#[derive(Clone, Debug)]
pub struct SubscriptionView {
    /// Its id.
    pub id: SubscriptionId,
    /// What it waits for.
    pub filter: Filter,
    /// How often it released or resumed a run.
    pub triggered: u64,
}

/// A queue that somebody configured or paused.
#[derive(Clone, Debug, Default)]
pub struct QueueView {
    /// Its name.
    pub name: Text,
    /// What is set.
    pub config: QueueConfig,
    /// Whether nothing is granted from it.
    pub paused: bool,
    /// When it was last paused or resumed.
    pub since: Option<Timestamp>,
    /// By whom.
    pub by: Option<Text>,
    /// Why.
    pub reason: Option<Text>,
    /// Its runs that workers hold.
    pub held: u32,
}

/// One change of state.
#[derive(Clone, Debug)]
pub struct ChangeView {
    /// From; `None` for the run's creation.
    pub from: Option<State>,
    /// To.
    pub to: State,
    /// When.
    pub at: Timestamp,
    /// The event that did it.
    pub sequence: u64,
    /// Why.
    pub cause: Cause,
    /// By whom; `None` for the machine itself.
    pub actor: Option<Text>,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct AttemptView {
    /// Its id.
    pub id: AttemptId,
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs.
    pub finished_at: Option<Timestamp>,
    /// How it ended; `None` while it runs.
    pub result: Option<AttemptResult>,
    /// The core of the token it was granted with. Never shown outside the process; checkers use it.
    pub fence: Fence,
    /// What went wrong.
    pub error: Option<RunError>,
    /// What it produced.
    pub output: Option<Bytes>,
    /// Who worked.
    pub worker: Text,
    /// What it used, as far as it was reported.
    pub consumption: Vec<Amount>,
}

/// A live lease.
#[derive(Clone, Debug)]
pub struct LeaseView {
    /// Who works.
    pub owner: Text,
    /// When it ends unless renewed.
    pub expires_at: Timestamp,
    /// When it was granted.
    pub acquired_at: Timestamp,
    /// When it was last renewed.
    pub updated_at: Timestamp,
    /// The worker's last note (JSON text).
    pub progress: Option<Bytes>,
}

/// A cancel request that waits for the worker.
#[derive(Clone, Debug)]
pub struct CancelView {
    /// When it was asked for.
    pub at: Timestamp,
    /// By whom.
    pub by: Text,
    /// Why.
    pub reason: Option<Text>,
    /// When it is forced.
    pub force_at: Timestamp,
}

/// A run as people and programs see it.
#[derive(Clone, Debug)]
pub struct RunView {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: RunId,
    /// Its task.
    pub task: TaskId,
    /// Which handler.
    pub kind: Text,
    /// Which lane.
    pub queue: Text,
    /// Where it stands.
    pub state: State,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is or was due.
    pub scheduled_at: Timestamp,
    /// Grants so far.
    pub attempt_count: u32,
    /// Failures and timeouts so far.
    pub failures: u32,
    /// Leases that ended without a word so far.
    pub lost_leases: u32,
    /// Its concurrency key.
    pub concurrency_key: Option<Text>,
    /// The attempt that is on its way.
    pub current_attempt: Option<AttemptId>,
    /// The last 100 changes.
    pub changes: Vec<ChangeView>,
    /// The last 50 attempts, the current one last.
    pub attempts: Vec<AttemptView>,
    /// The live lease.
    pub lease: Option<LeaseView>,
    /// The cancel that waits for the worker.
    pub cancel_requested: Option<CancelView>,
    /// Whether the worker is told to suspend.
    pub suspend_requested: bool,
    /// The first reason why it is not running, if it waits.
    pub block_reason: Option<&'static str>,
    /// Why it is suspended or canceled, in words.
    pub reason: Option<Text>,
    /// What it produced.
    pub output: Option<Bytes>,
    /// Its memos, by name.
    pub checkpoints: Vec<(Text, Bytes)>,
    /// When the next attempt is due, while it waits for one.
    pub retry_at: Option<Timestamp>,
    /// Where it comes from.
    pub origin: Origin,
    /// The instant of the schedule that it stands for.
    pub occurrence: Option<Timestamp>,
    /// The budgets that cover it.
    pub budgets: Vec<BudgetView>,
    /// The dead letter that it tries again.
    pub retry_of: Option<RunId>,
    /// The run that took its place, once it was a dead letter.
    pub redriven_by: Option<RunId>,
    /// When it was cleared away, once it was a dead letter.
    pub cleared_at: Option<Timestamp>,
}

/// Counters, kept incrementally.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Tasks ever accepted.
    pub tasks_total: u64,
    /// Runs ever created.
    pub runs_total: u64,
    /// Attempts ever started.
    pub attempts_total: u64,
    /// Attempts ever ended, by result code.
    pub attempts_by_result: [u64; 7],
    /// Runs by state code; terminal states count for life.
    pub runs_by_state: [u64; 9],
    /// The last event's number.
    pub sequence: u64,
    /// Whether the engine is paused.
    pub paused: bool,
    /// When the oldest ready run became due, if one is ready.
    pub oldest_ready_at: Option<Timestamp>,
    /// Recorded time.
    pub now: Timestamp,
}

/// The engine's switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineView {
    /// Whether granting is stopped.
    pub paused: bool,
    /// Since when.
    pub since: Option<Timestamp>,
    /// By whom.
    pub by: Option<Text>,
    /// Why.
    pub reason: Option<Text>,
}
