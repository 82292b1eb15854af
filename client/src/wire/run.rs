//! Bodies of the run routes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::budget::{AmountView, BudgetView};
use super::text::{Json, Str};
use super::words::RunState;

/// `GET /api/v1/runs/{run_id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub run_id: String,
    /// Its task.
    pub task_id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Which handler.
    pub kind: String,
    /// Which lane.
    pub queue: String,
    /// Where it stands.
    pub state: RunState,
    /// When it was made.
    pub created_at: String,
    /// When it is or was due.
    pub scheduled_at: String,
    /// Grants so far.
    pub attempt_count: u32,
    /// Failures and timeouts so far.
    pub failures: u32,
    /// Leases that ended without a word so far.
    pub lost_leases: u32,
    /// Its concurrency key.
    pub concurrency_key: Option<String>,
    /// The attempt that is on its way.
    pub current_attempt_id: Option<String>,
    /// The last 100 changes of state.
    pub state_history: Vec<Change>,
    /// The last 50 attempts, the current one last.
    pub attempts: Vec<Attempt>,
    /// The live lease.
    pub lease: Option<LeaseInfo>,
    /// The cancel that waits for the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_requested: Option<CancelRequested>,
    /// Whether the worker is told to suspend.
    #[serde(default)]
    pub suspend_requested: bool,
    /// The first reason why it is not running, if it waits.
    pub block_reason: Option<String>,
    /// Why it is suspended or canceled, in words.
    pub reason: Option<String>,
    /// What it produced.
    pub output: Option<Box<RawValue>>,
    /// Its memos by name.
    pub checkpoints: BTreeMap<String, Box<RawValue>>,
    /// When the next attempt is due, while it waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<String>,
    /// The budgets that cover it.
    #[serde(default)]
    pub budgets: Vec<BudgetView>,
    /// Where it comes from: `policy` or `ad_hoc`.
    #[serde(default)]
    pub origin: String,
    /// The instant of the schedule that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<String>,
    /// The run that this one repeats.
    pub retry_of: Option<String>,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// From; `None` for the run's creation.
    pub from: Option<RunState>,
    /// To.
    pub to: RunState,
    /// When.
    pub at: String,
    /// The event that did it.
    pub sequence: u64,
    /// Why.
    pub cause: String,
    /// By whom; `None` for the machine itself.
    pub actor: Option<String>,
}

/// One attempt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id.
    pub attempt_id: String,
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How it ended.
    pub result: Option<String>,
    /// What went wrong.
    pub error: Option<AttemptError>,
    /// What it produced.
    pub output: Option<Box<RawValue>>,
    /// Who worked.
    pub worker: String,
    /// What it used, as far as it was reported.
    #[serde(default)]
    pub consumption: Vec<AmountView>,
}

/// What went wrong in an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptError {
    /// A stable code.
    pub code: String,
    /// Text for people.
    pub message: String,
    /// Whether another attempt may help.
    pub retryable: bool,
}

/// A live lease, without its token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeaseInfo {
    /// Who works.
    pub owner: String,
    /// When it ends unless renewed.
    pub expires_at: String,
    /// When it was granted.
    pub acquired_at: String,
    /// When it was last renewed.
    pub updated_at: String,
    /// The worker's last note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Box<RawValue>>,
}

/// A cancel that waits for the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequested {
    /// When it was asked for.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// When it is forced.
    pub force_at: String,
}

/// Answer of a run's cancel, suspend and resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunChanged {
    /// The run.
    pub run_id: String,
    /// `canceled`, `cancel_requested`, `already_canceled`, `already_terminal`, `suspend_requested` or `resumed`.
    pub status: String,
}

/// Body of `POST /api/v1/runs/{run_id}/resume`: all of it optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeRun<'a> {
    /// Handed to the next attempt.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Json<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// `GET /api/v1/runs/{run_id}/explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    /// Where it stands.
    pub state: RunState,
    /// Whether a worker's claim on its queue would reach it now.
    pub runnable: bool,
    /// Every reason that holds it back.
    pub reasons: Vec<ExplainReason>,
    /// Its place among the ready runs of its queue, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// What would make it run, in words.
    pub would_run_when: String,
}

/// One reason why a run is not running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainReason {
    /// A stable code such as `waiting_for_time`.
    pub code: String,
    /// Text for people.
    pub message: String,
    /// Numbers and names.
    #[serde(default)]
    pub details: serde_json::Map<String, serde_json::Value>,
}
