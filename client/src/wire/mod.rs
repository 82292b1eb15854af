//! The wire: every JSON body of the HTTP API as a Rust type, used by the server to read and by clients to write.

mod access;
mod actor;
mod attest;
mod audit;
mod budget;
mod change;
mod engine;
mod error;
mod event;
mod lease;
mod object;
mod operation;
mod operator;
mod query;
mod queue;
mod run;
mod submit;
mod task;
mod text;
mod webhook;
mod words;

pub use access::{
    CapabilityGrant, Granted, Key, KeyList, KeyRevoked, MadeKey, NewKey, NewTenant, Role,
    RoleGrant, RoleList, RoleSettings, Tenant, TenantList, TenantSettings,
};
pub use actor::{Actor, ActorBeat, ActorChanged, ActorList, ActorRegistered, RegisterActor};
pub use attest::{
    Approval, ApprovalBrief, ApprovalDecision, ApprovalPage, ApprovalSpec, ApprovalStep,
    LedgerAppend, LedgerAppended, LedgerEntry, LedgerPage,
};
pub use audit::{AuditEntry, AuditGap, AuditPage, AuditReport};
pub use budget::{AllocateBudget, Amount, AmountView, BudgetView, Consume, Consumed, Replenish};
pub use change::{
    Dependencies, DependenciesDeclared, FilterSpec, NewRun, Occurrences, PreviewBody, Subscribe,
    Subscribed, TaskPatch, Triggered, Unsubscribed,
};
pub use engine::{
    EngineChanged, EngineStatus, Execution, KindExecution, ReasonBody, Spans, Stats, StatusBody,
};
pub use error::ErrorBody;
pub use event::{Event, EventPage};
pub use lease::{
    Beat, Checkpoint, Child, Claim, ClaimAnswer, CustomEvent, Finish, FinishAnswer, FinishBatch,
    FinishError, FinishOne, Finished, Heartbeat, HeartbeatAnswer, HeartbeatBatch, Lease,
    LeaseMetadata,
};
pub use object::{Object, Unique};
pub use operation::{
    Bulk, BulkPreview, ClearDeadLetters, DeadLetter, DeadLetterCleared, DeadLetterGroup,
    DeadLetterGroups, DeadLetterList, Operation, OperationList, RefusedRun, RunFilter,
};
pub use operator::{DeadJobs, RetryRun, RunRetried};
pub use query::{EmptyBody, QueryAnswer, QueryBody, RunList, RunSummary, TaskList, TaskSummary};
pub use queue::{KindCounts, PlaceCounts, QueueCounts, QueueList, QueueSettings, RateLimit};
pub use run::{
    Attempt, AttemptError, CancelRequested, Change, Explain, ExplainReason, LeaseInfo, ResumeRun,
    Run, RunChanged,
};
pub use submit::{
    BudgetSpec, ConstraintsSpec, MetadataSpec, ParentRun, RetrySpec, RunPolicySpec, SubmitBatch,
    TaskSpec,
};
pub use task::{
    BatchAnswer, BatchItem, ConstraintsView, MetadataView, RetryView, RunBrief, RunPolicyView,
    RunsByState, ScheduleView, SubmitAnswer, SubmitDeferred, SubscriptionView, Task, TaskCanceled,
    TaskNamed,
};
pub use text::{Json, Str};
pub use webhook::{
    Delivery, DeliveryPage, DeliveryRequested, Webhook, WebhookChanged, WebhookDisabled,
    WebhookList, WebhookSecret, WebhookSpec,
};
pub use words::{
    Directive, Durability, FinishOutcome, HoldPolicy, Jitter, Misfire, Overlap, RunState,
    SafetyLevel, Strategy, TaskState,
};
