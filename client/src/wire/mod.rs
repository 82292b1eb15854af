//! The wire: every JSON body of the HTTP API as a Rust type, used by the server to read and by clients to write.

mod engine;
mod error;
mod lease;
mod object;
mod query;
mod run;
mod submit;
mod task;
mod text;
mod words;

pub use engine::{EngineChanged, EngineStatus, ReasonBody, Stats, StatusBody};
pub use error::ErrorBody;
pub use lease::{
    Beat, Checkpoint, Claim, ClaimAnswer, Finish, FinishAnswer, FinishBatch, FinishError,
    FinishOne, Finished, Heartbeat, HeartbeatAnswer, HeartbeatBatch, Lease, LeaseMetadata,
};
pub use object::{Object, Unique};
pub use query::{
    EmptyBody, KindCounts, PlaceCounts, QueryAnswer, QueryBody, QueueCounts, QueueList, RunList,
    RunSummary, TaskList, TaskSummary,
};
pub use run::{
    Attempt, AttemptError, CancelRequested, Change, Explain, ExplainReason, LeaseInfo, ResumeRun,
    Run, RunChanged,
};
pub use submit::{ConstraintsSpec, MetadataSpec, RetrySpec, RunPolicySpec, SubmitBatch, TaskSpec};
pub use task::{
    BatchAnswer, BatchItem, ConstraintsView, MetadataView, RetryView, RunBrief, RunPolicyView,
    RunsByState, SubmitAnswer, Task, TaskCanceled,
};
pub use text::{Json, Str};
pub use words::{
    Directive, FinishOutcome, HoldPolicy, Jitter, RunState, SafetyLevel, Strategy, TaskState,
};
