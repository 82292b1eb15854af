//! The pure machine of Mainstay: it decides, applies and answers; it never performs IO.
//!
//! A [`Machine`] holds all live durable state. A [`Command`] is checked against that state and either refused with a typed
//! [`Rejection`] or turned into [`Event`]s, which are the only thing that ever changes it. Replaying the same events gives the same
//! state, byte for byte of its digest. Time and entropy arrive as inputs ([`Now`]); there is no clock, thread, lock, random number or
//! float in this crate.
//!
//! ```
//! use mainstay_core::{Call, Command, Facts, Machine, Now, TaskSpec, Timestamp};
//!
//! let mut machine = Machine::new(0);
//! let now = Now::at(Timestamp(1_000), 0);
//! let step = machine.step(&now, &Facts::default(), Call::new(Command::Submit(TaskSpec::new("mail.send").into())));
//! assert!(step.outcome.is_ok());
//! assert_eq!(machine.sequence(), 2); // one event for the task, one for its run
//! ```
#![no_std]
#![deny(missing_docs)]

extern crate alloc;

mod actor;
mod budget;
pub mod codec;
mod command;
mod deadletter;
mod dependency;
mod event;
pub mod flow;
mod id;
mod image;
mod intern;
mod json;
mod ledger;
pub mod limits;
mod machine;
mod operation;
mod outcome;
mod platform;
mod query;
mod queue;
mod rejection;
mod run;
mod schedule;
mod slab;
mod state;
mod statistics;
mod subscription;
mod task;
mod time;
mod webhook;

pub use actor::{Departure, Registration};
pub use budget::{Amount, BudgetScope, BudgetSpec};
pub use command::{
    AuditRow, Call, CheckpointPut, Claim, Command, CommandNote, Finish, HeartbeatItem,
    Outcome as FinishOutcome, Principal, TaskPatch, note_of,
};
pub use deadletter::Fingerprint;
pub use event::{Event, EventKind};
pub mod events {
    //! The fields of every fact.
    pub use crate::event::*;
}
pub use id::{
    ActorId, ApprovalId, AttemptId, KeyId, OperationId, ParseIdError, RunId, SubscriptionId,
    TaskId, TenantId, WebhookId,
};
pub use image::{
    AttemptColumns, Cut, CutRow, KeyClass, KeyRow, Loader, MarkRow, ObjectClass, ObjectRow,
    PlaceRow, Revived, RowKind, RunColumns, TaskColumns, brief_run,
};
pub use ledger::{
    AppendLedger, Approval, ApprovalRow, ApprovalState, Attest, Decision, LedgerRow,
    RequestApproval,
};
pub use machine::{Entry, Events, Facts, Machine, Now, Step, Wanted, Woken};
pub use operation::{
    Action, BeginOperation, Operate, Operation, OperationPiece, OperationState, Refused, Selection,
};
pub use outcome::{
    ActorBeat, ActorDrain, Beat, BudgetView, ChildView, ClaimGrant, Directive, GrantRare, Outcome,
    Submitted, SubmittedRun, TaskCancel,
};
pub use platform::{BUILT_IN_ROLES, Capabilities, Capability, Govern, KeyDigest, NewKey};
pub use query::{
    ActorView, Answer, AttemptView, Block, BondView, CancelView, ChangeView, EngineView, Execution,
    Explain, KeyView, KeysOf, LeaseView, OperationView, Overview, Query, QueueLoad, QueueView,
    RunView, ScheduleView, Stats, SubscriptionView, TaskView, TenantLoad, TenantView, WebhookLoad,
    Workforce,
};
pub use queue::{QueueConfig, RateLimit};
pub use rejection::{Family, Rejection};
pub use run::{
    AttemptResult, Cause, Fence, Hold, Origin, RunError, State as RunState, TRANSITIONS,
};
pub use schedule::{
    Ask, Cron, Instants, Misfire, Overlap, Repeat, Schedule, SkipCause, Unfit,
    check as check_schedule,
};
pub use state::Digest;
pub use statistics::{KindReport, Spans, StatsReport};
pub use subscription::Filter;
pub use task::{
    Bonds, Extras, HoldPolicy, Jitter, Payload, Policy, Retry, SafetyLevel, State as TaskState,
    Strategy, TaskSpec,
};
pub use time::{Steady, Timestamp};
pub use webhook::{
    Attempted, DeliveriesOf, Delivery, DeliveryState, Disabled, Hook, Report, Settled, Webhook,
    WebhookSpec, WebhookView,
};

/// Short immutable text that many rows share: a kind, a queue, a worker's name.
pub type Text = alloc::sync::Arc<str>;
/// Immutable bytes that rows, events and answers share without copying.
pub type Bytes = alloc::sync::Arc<[u8]>;
